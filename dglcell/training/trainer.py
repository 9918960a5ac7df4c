"""One member of an ensemble in training: model, optimizer, learning rates and progress.

Initial weights, sequence of the rows and dropout each depend on (seed, epoch) alone, so a resumed run needs no state of
random generators.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import dglcell
from dglcell import schema
from dglcell.config import TrainConfig
from dglcell.errors import UsageError, setting, warn
from dglcell.genotypes.scaler import Moments, Scaler
from dglcell.graph.cell import CellGraph
from dglcell.nn.model import CellModel
from dglcell.nn.predictor import Predictor
from dglcell.nn.states import GraphSizes
from dglcell.training.data import TrainingData
from dglcell.training.metrics import compare
from dglcell.training.optim import LearningRates, adamw
from dglcell.training.state import TrainProgress

# Settings that may change on resume: the length of the training, the machine and the names of files.
_FREE_ON_RESUME = (
    "epochs",
    "max_steps",
    "patience",
    "device",
    "engine",
    "chunk",
    "screen",
    "split_file",
    "ensemble",
    "unknown_genes",
)


class Trainer:
    """One model in training.

    Parameters
    ----------
    data : TrainingData
        Shared by the members of an ensemble.
    seed : int, optional
        Of this member; else that of the configuration.
    state : mapping, optional
        Result of `state` of the same run: the training continues from there.
    name : str
        Of the run, for messages.

    Attributes
    ----------
    config : TrainConfig
        That of the data, with this member's seed.
    device : torch.device
    model : CellModel
    optimizer : torch.optim.Optimizer
    learning_rates : LearningRates
    position : TrainProgress
    chunk : int
        Genotypes that are computed together in one pass through the graph. The same after a resume, because the last
        bits of sums depend on it and must not depend on the memory that happens to be free.

    Raises
    ------
    UsageError
        The cell or the training rows lack what the model needs, or the state belongs to another configuration, screen
        or split.
    FingerprintError
        The state belongs to another cell.
    """

    def __init__(
        self,
        data: TrainingData,
        seed: int | None = None,
        state: Mapping[str, Any] | None = None,
        name: str = "the run",
    ) -> None:
        self.data, self.device = data, data.device
        self.config = data.config if seed is None else dataclasses.replace(data.config, seed=seed)
        if state is not None:
            self._require_same(state, name)
        with self.seeded(0):
            self.model = new_model(data.cell, self.config)
        if state is None:
            self._fill_buffers()
        self.model.to(self.device)
        self.optimizer = adamw(self.model, self.config)
        self.learning_rates = LearningRates(self.optimizer, self.config, data.steps_per_epoch)
        self.position = TrainProgress()
        self.chunk = data.chunk
        if state is not None:
            self._restore(state, name)

    def _fill_buffers(self) -> None:
        """Set what the model takes from the training rows without gradients; a state includes it already."""
        if self.model.readout.null_model is not None:
            self.model.readout.null_model.set_moments(*_pair_moments(self.data.scaler))
        if self.model.fm is not None:
            self.model.fm.set_neighbors(self.data.neighbors(self.model.fm.networks), self.data.training_genes())

    @contextlib.contextmanager
    def seeded(self, epoch: int) -> Iterator[None]:
        """Inside, torch's random generators start from (seed, epoch); restored outside. Epoch 0 is initialization."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(int(np.random.SeedSequence([self.config.seed, epoch]).generate_state(1, np.uint64)[0]))
            yield

    def shuffled_rows(self, epoch: int) -> NDArray[np.int64]:
        """The training rows in the sequence of this epoch."""
        return np.random.default_rng([self.config.seed, epoch]).permutation(self.data.train_rows)

    def predict_rows(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Standardized predictions (n, 2) for rows of the table, with the current weights."""
        data, genotypes = self.data, self.data.table.take(rows)
        predictor = Predictor([self.model], data.engine, data.cell, self.config.precision, self.chunk)
        (predictions,) = predictor(genotypes.genes, genotypes.ptr, self.config.batch_size)
        return predictions

    def validate(self) -> tuple[dict[str, Any], float]:
        """Metrics of the validation rows, and the score by which the best weights are chosen.

        Returns
        -------
        metrics : dict
            `loss`, the weighted mean over labels of the MSE of standardized values, and for each label
            `metrics.compare` on the original scale.
        score : float
            Higher is better. Mean Pearson over the labels for which it is defined; without any it is `-1 - loss`, below
            every Pearson. NaN if any prediction is not finite.
        """
        data, rows, weights = self.data, self.data.val_rows, self.data.losses.weights
        predictions = self.predict_rows(rows)
        loss = _weighted_mse(predictions, data.targets(rows), weights)
        if not np.isfinite(predictions).all():
            return {"loss": float("nan")}, float("nan")
        original = data.scaler.inverse(predictions, data.table.orders[rows])
        measured = data.table.targets[rows]
        metrics: dict[str, Any] = {
            label: compare(original[:, c], measured[:, c]) for c, label in enumerate(schema.LABELS)
        }
        learned = [label for label, weight in zip(schema.LABELS, weights, strict=True) if weight > 0]
        pearson = [metrics[label]["pearson"] for label in learned if metrics[label]["pearson"] is not None]
        return {"loss": loss, **metrics}, sum(pearson) / len(pearson) if pearson else -1.0 - loss

    @property
    def lr(self) -> float:
        """The current learning rate."""
        return float(self.optimizer.param_groups[0]["lr"])

    def weights(self) -> dict[str, NDArray[Any]]:
        """The model's state as arrays."""
        return {name: tensor.detach().cpu().numpy() for name, tensor in self.model.state_dict().items()}

    def metadata(self, record: Mapping[str, Any], screen: Mapping[str, Any]) -> dict[str, Any]:
        """Metadata of `model.safetensors`; `screen` is the result of `RunFolder.screen_reference`."""
        data = self.data
        return {
            "config": _without_folders(self.config),
            "scaler": data.scaler.to_dict(),
            "fingerprints": dict(data.cell.fingerprints),
            "split": {"kind": data.split.kind, "hash": data.split.hash, "rows": data.split.counts},
            "screen": dict(screen),
            "orders": np.unique(data.table.orders[data.train_rows]).tolist(),
            "seed": self.config.seed,
            "versions": versions(),
            "epoch": record["epoch"],
            "validation": record["val"],
        }

    def state(self) -> dict[str, Any]:
        """Everything that a `Trainer` needs to continue, in plain numbers, lists, dicts and tensors."""
        return {
            "position": dataclasses.asdict(self.position),
            "model": dict(self.model.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.learning_rates.state_dict(),
            "chunk": self.chunk,
            "config": _without_folders(self.config),
            "fingerprints": dict(self.data.cell.fingerprints),
            "screen": self.data.table.fingerprint,
            "split": self.data.split.hash,
        }

    def _require_same(self, state: Mapping[str, Any], name: str) -> None:
        """Refuse the state of another cell, configuration, screen or split."""
        self.data.cell.require_same(state["fingerprints"], what=name)
        before, now = TrainConfig.from_dict(state["config"], name), self.config
        differences = [
            f"{field} was {getattr(before, field)!r} and is {getattr(now, field)!r}"
            for field in (f.name for f in dataclasses.fields(TrainConfig))
            if field not in _FREE_ON_RESUME and getattr(before, field) != getattr(now, field)
        ]
        if now.schedule == "cosine" and (before.epochs, before.max_steps) != (now.epochs, now.max_steps):
            differences.append(f"the length differs, which {setting('schedule', 'cosine')} depends on")
        if state["screen"] != self.data.table.fingerprint:
            differences.append("the screen differs")
        if state["split"] != self.data.split.hash:
            differences.append("the split differs")
        if differences:
            raise UsageError(
                f"{name} cannot go on: {'; '.join(differences)} - give the same settings, or start a new run"
            )

    def _restore(self, state: Mapping[str, Any], name: str) -> None:
        self.position = TrainProgress(**state["position"])
        try:
            self.model.load_state_dict(state["model"])
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise UsageError(f"{name} does not fit this dglcell ({reason}) - use the version that began it") from error
        self.optimizer.load_state_dict(state["optimizer"])
        self.learning_rates.load_state_dict(state["scheduler"])
        if self.config.chunk == "auto":
            self.chunk = state["chunk"]


def _weighted_mse(predictions: NDArray[np.float32], targets: NDArray[np.float32], weights: list[float]) -> float:
    squared = (predictions.astype(np.float64) - targets) ** 2
    used = [c for c, weight in enumerate(weights) if weight > 0 and not np.isnan(targets[:, c]).all()]
    total = sum(weights[c] * float(np.nanmean(squared[:, c])) for c in used)
    return total / sum(weights[c] for c in used)


def _without_folders(config: TrainConfig) -> dict[str, Any]:
    """The configuration with file names instead of paths, which would be wrong once the run is moved."""
    split_file = None if config.split_file is None else Path(config.split_file).name
    screen = tuple(Path(path).name for path in config.screen)
    return dataclasses.replace(config, split_file=split_file, screen=screen).to_dict()


def new_model(cell: CellGraph, config: TrainConfig) -> CellModel:
    """An untrained model for a cell."""
    config = config.resolve(cell.features_mode)
    if config.features_mode == "replace" and cell.features is None:
        mode = setting("features_mode", config.features_mode)
        warn(f"{mode} has no effect: the cell graph has no gene features")
    if config.structural_lethality and not cell.can_grow:
        raise UsageError(
            f"{setting('structural_lethality')}: the cell has no growth reaction that can carry flux - build it from a "
            f"metabolic model, with {setting('keep_unassigned', True)}"
        )
    features = None if cell.features is None else torch.from_numpy(cell.features)
    has_features = None if cell.features is None else torch.from_numpy(cell.has_features)
    return CellModel(config, GraphSizes.of(cell), features, has_features)


def _pair_moments(scaler: Scaler) -> tuple[Moments, Moments]:
    fitness, pairs = scaler.pooled[schema.FITNESS], scaler.by_order.get(2)
    if not fitness.n or pairs is None:
        raise UsageError(
            f"{setting('multiplicative')} needs training rows with fitness, and double deletions with gene_interaction"
        )
    return fitness, pairs


def versions() -> dict[str, str]:
    """Versions of the software that results depend on."""
    installed = {"dglcell": dglcell.__version__, "python": platform.python_version(), "torch": str(torch.__version__)}
    for name in ("dgl", "numpy", "scipy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            installed[name] = importlib.metadata.version(name)
    return installed
