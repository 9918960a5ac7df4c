"""What a training run is made of, put together and checked before anything is written: data, model, optimiser, state.

Owns the seeds: initial weights, row order and dropout each come from (seed, epoch) alone, so a resumed run needs no
generator state. Knows nothing of files.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import platform
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import dglcell
from dglcell import schema
from dglcell.config import TrainConfig
from dglcell.engines.choice import make_engine
from dglcell.engines.device import autocast, resolve
from dglcell.engines.memory import auto_chunk
from dglcell.errors import DataError, DglcellWarning, UsageError, setting
from dglcell.genotypes.scaler import Moments, Scaler
from dglcell.genotypes.splits.make import TRAIN, VAL, Split, check_leakage
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.nn.batch import Batch
from dglcell.nn.model import CellModel
from dglcell.nn.states import GraphSizes
from dglcell.training.losses import Losses
from dglcell.training.neighbors import neighbors
from dglcell.training.optim import LearningRates, adamw
from dglcell.training.sample_weights import SampleWeights, deviations

# What may change between the parts of a resumed run: how long and where it computes, not what.
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


@dataclasses.dataclass
class TrainProgress:
    """How far a run has come.

    Attributes
    ----------
    epoch, step : int
        Whole epochs and optimiser steps done.
    best_score : float or None
        Best validation score so far; None before the first.
    best_epoch : int
    history : list of dict
        The lines of `metrics.jsonl`.
    """

    epoch: int = 0
    step: int = 0
    best_score: float | None = None
    best_epoch: int = 0
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    @classmethod
    def after(cls, history: list[dict[str, Any]]) -> Self:
        """Where a run stood when it wrote the last of these lines; there must be one."""
        best = next((record for record in reversed(history) if record["best"]), history[-1])
        return cls(history[-1]["epoch"], history[-1]["step"], best["score"], best["epoch"], history)

    def stopped_by(self, config: TrainConfig) -> str | None:
        """`epochs`, `max_steps` or `patience` where that ends the run here, else None."""
        if self.epoch >= config.epochs:
            return "epochs"
        if config.max_steps is not None and self.step >= config.max_steps:
            return "max_steps"
        return "patience" if self.epoch - self.best_epoch >= config.patience else None


class Trainer:
    """One run in memory.

    Parameters
    ----------
    cell : CellGraph
    table : GenotypeTable
        Of this cell.
    split : Split
        Of this table.
    config : TrainConfig

    Raises
    ------
    UsageError
        The configuration contradicts itself, the machine or the data.
    DataError
        The table belongs to another cell, the split leaks, or a part of it has no label to learn from.
    """

    def __init__(self, cell: CellGraph, table: GenotypeTable, split: Split, config: TrainConfig) -> None:
        self.cell, self.table, self.split = cell, table, split
        self.config = config = config.for_cell(cell)
        table.require_cell(cell)
        check_leakage(table, split)  # whoever made it
        self.device = resolve(config.device)
        autocast(self.device, config.precision)
        self.train_rows, self.val_rows = self._rows("train"), self._rows("val")
        self.scaler = Scaler.fit(table, self.train_rows)
        self.sample_weights = SampleWeights.fit(table, self.train_rows) if config.weight_by_sd else None
        self.losses = Losses(config, list(self.targets(self.train_rows).T) if config.lambda_dist > 0 else None)
        self.engine = make_engine(config.engine, cell.dgl, self.device)
        with self.seeded(0):
            model = new_model(cell, config)
        if model.readout.null_model is not None:
            model.readout.null_model.set_moments(*_pair_moments(self.scaler))
        if model.fm is not None:
            part = table.take(self.train_rows)
            near = neighbors(cell, config, model.fm.networks, part, self.targets(self.train_rows))
            model.fm.set_neighbors(near, torch.from_numpy(np.unique(part.genes)).long())
        self.model = model.to(self.device)
        self.optimizer = adamw(self.model, config)
        self.learning_rates = LearningRates(self.optimizer, config, self.steps_per_epoch)
        self.position = TrainProgress()
        # Settled once and kept when resumed: the free memory must not decide how sums are grouped, and so their bits.
        size = config.batch_size
        self.chunk = (
            auto_chunk(self.engine, size, config.layers, config.hidden, config.heads)
            if config.chunk == "auto"
            else int(config.chunk)
        )

    def _rows(self, part: str) -> NDArray[np.int64]:
        labels = [name for name in schema.LABELS if self.config.label_weights.get(name, 0.0) > 0]
        rows = self.split.rows(part)
        rows = rows[self.table.usable(labels)[rows]]
        if not len(rows):
            raise DataError(
                f"the {part} part of the split has no row with {' or '.join(labels)} - "
                f"change the split, the screen or {setting('label_weights')}"
            )
        return rows

    def targets(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Standardised labels (len(rows), 2); those of rows neither for training nor validation are NaN, never used."""
        part = self.table.take(rows)
        targets = self.scaler.transform(part.targets, part.orders)
        targets[~np.isin(self.split.subset[rows], (TRAIN, VAL))] = np.nan
        return targets

    @contextlib.contextmanager
    def seeded(self, epoch: int) -> Iterator[None]:
        """torch's generators start from (seed, epoch) inside and are put back outside; epoch 0 is initialisation."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(int(np.random.SeedSequence([self.config.seed, epoch]).generate_state(1, np.uint64)[0]))
            yield

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The training rows in the order of this epoch."""
        return np.random.default_rng([self.config.seed, epoch]).permutation(self.train_rows)

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch, the last one maybe smaller."""
        return -(-len(self.train_rows) // self.config.batch_size)

    def batch(self, rows: NDArray[np.int64]) -> tuple[Batch, Tensor, Tensor | None]:
        """Genotypes, standardised labels (B, 2) and, where asked for, their weights (B, 2), on the device."""
        part = self.table.take(rows)
        batch = Batch.from_perturbation(self.cell.knock_out(part.genes, part.ptr), self.cell, self.device)
        labels = torch.from_numpy(self.targets(rows)).to(self.device)
        if self.sample_weights is None:
            return batch, labels, None
        return batch, labels, torch.from_numpy(self.sample_weights(deviations(self.table, rows))).to(self.device)

    @property
    def lr(self) -> float:
        """The learning rate now."""
        return float(self.optimizer.param_groups[0]["lr"])

    def weights(self) -> dict[str, NDArray[Any]]:
        """The model's state as arrays."""
        return {name: tensor.detach().cpu().numpy() for name, tensor in self.model.state_dict().items()}

    def metadata(self, record: Mapping[str, Any], origin: str | None) -> dict[str, Any]:
        """What `model.safetensors` says beside the weights; `origin` is the file that holds the screen, if one does."""
        trained = np.unique(self.table.orders[self.train_rows])
        return {
            "config": self.config.to_dict(),
            "scaler": self.scaler.to_dict(),
            "fingerprints": dict(self.cell.fingerprints),
            "split": {"kind": self.split.kind, "hash": self.split.hash, "rows": self.split.counts},
            "screen": {"cell": origin, "files": _absolute(self.table.sources), "fingerprint": self.table.fingerprint},
            "orders": trained.tolist(),
            "seed": self.config.seed,
            "versions": versions(),
            "epoch": record["epoch"],
            "validation": record["val"],
        }

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs, in plain numbers, lists, dicts and tensors."""
        return {
            "position": dataclasses.asdict(self.position),
            "model": dict(self.model.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.learning_rates.state_dict(),
            "chunk": self.chunk,
            **self._identity(),
        }

    def _identity(self) -> dict[str, Any]:
        return {
            "config": self.config.to_dict(),
            "fingerprints": dict(self.cell.fingerprints),
            "screen": self.table.fingerprint,
            "split": self.split.hash,
        }

    def restore(self, state: Mapping[str, Any], what: str) -> None:
        """Go on from a state of the same run.

        Raises
        ------
        FingerprintError
            The state belongs to another cell.
        UsageError
            It belongs to another configuration, screen or split.
        """
        self.cell.require_same(state["fingerprints"], what=what)
        mine = self._identity()
        then = TrainConfig.from_dict(state["config"], what)
        different = [
            f"{name} was {getattr(then, name)!r} and is {getattr(self.config, name)!r}"
            for name in (f.name for f in dataclasses.fields(TrainConfig))
            if name not in _FREE_ON_RESUME and getattr(then, name) != getattr(self.config, name)
        ]
        if self.config.schedule == "cosine" and (then.epochs, then.max_steps) != (
            self.config.epochs,
            self.config.max_steps,
        ):
            different.append(f"the length differs, which {setting('schedule', 'cosine')} depends on")
        different += [f"the {name} differs" for name in ("screen", "split") if state[name] != mine[name]]
        if different:
            raise UsageError(f"{what} cannot go on: {'; '.join(different)} - give the same options, or start a new run")
        self.position = TrainProgress(**state["position"])
        try:
            self.model.load_state_dict(state["model"])
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise UsageError(f"{what} does not fit this dglcell ({reason}) - use the one that began it") from error
        self.optimizer.load_state_dict(state["optimizer"])
        self.learning_rates.load_state_dict(state["scheduler"])
        if self.config.chunk == "auto":
            self.chunk = state["chunk"]


def _absolute(sources: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Screen files by a path that holds from any working folder."""
    return [{**source, "path": str(Path(source["path"]).absolute())} for source in sources]


def new_model(cell: CellGraph, config: TrainConfig) -> CellModel:
    """An untrained model for a cell."""
    config = config.resolve(cell.features_mode)
    if config.features_mode == "replace" and cell.features is None:
        mode = setting("features_mode", config.features_mode)
        warnings.warn(DglcellWarning(f"{mode} has no effect: the cell graph has no gene features"), stacklevel=2)
    if config.structural_lethality and not cell.can_grow:
        raise UsageError(
            f"{setting('structural_lethality')}: the cell has no growth reaction that can run - build it from a "
            f"metabolic model, with {setting('keep_unassigned', True)}"
        )
    features = None if cell.features is None else torch.from_numpy(cell.features)
    has = None if cell.features is None else torch.from_numpy(cell.has_features)
    return CellModel(config, GraphSizes.of(cell), features, has)


def _pair_moments(scaler: Scaler) -> tuple[Moments, Moments]:
    fitness, pairs = scaler.pooled[schema.FITNESS], scaler.by_order.get(2)
    if not fitness.n or pairs is None:
        raise UsageError(
            f"{setting('multiplicative')} needs training rows with fitness, and pairs with gene_interaction"
        )
    return fitness, pairs


def versions() -> dict[str, str]:
    """Of everything whose change could change a number."""
    found = {"dglcell": dglcell.__version__, "python": platform.python_version(), "torch": str(torch.__version__)}
    for name in ("dgl", "numpy", "scipy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found
