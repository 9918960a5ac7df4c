"""Training, to be read in a minute: epochs of steps, validation, best and last state on disk, early stopping."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dglcell import schema
from dglcell.config import TrainConfig
from dglcell.engines.device import autocast
from dglcell.errors import RunError, UsageError, setting
from dglcell.genotypes.splits.make import Split
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.io import cell_file, checkpoint
from dglcell.io.run_folder import RunFolder
from dglcell.plots import figures
from dglcell.training import state as states
from dglcell.training.loss_meter import LossMeter, require_finite
from dglcell.training.metrics import compare
from dglcell.training.progress import NullProgress, Progress
from dglcell.training.trainer import Trainer
from dglcell.training.validation import predict_rows, validate


@dataclasses.dataclass(frozen=True)
class RunSummary:
    """How a run ended.

    Attributes
    ----------
    path : Path
        The run folder.
    reason : str
        `epochs`, `patience` or `max_steps`.
    epochs, steps : int
        Done in all, those before a resume included.
    best_epoch : int
        The epoch whose weights were kept.
    validation : dict
        Validation metrics of that epoch: `loss`, and per label as `metrics.compare`.
    seconds : float
        Wall time of this call.
    """

    path: Path
    reason: str
    epochs: int
    steps: int
    best_epoch: int
    validation: dict[str, Any]
    seconds: float


def train(
    cell: CellGraph,
    table: GenotypeTable,
    split: Split,
    config: TrainConfig,
    out: Path | str,
    progress: Progress | None = None,
    resume: bool = False,
    overwrite: bool = False,
    origin: Path | None = None,
    member: int = 1,
) -> RunSummary:
    """Train one model and leave a run folder; `training.ensemble.train_all` trains all that the configuration asks for.

    After every epoch the folder holds a whole run: the best weights, the last state, the metrics. Whatever stops the
    training (Ctrl-C, a loss that is not finite) leaves them as they were after the epoch before, and `resume` goes on
    from there to the same end, bit for bit, that an uninterrupted run has. An epoch that `max_steps` cuts short counts
    as one.

    Parameters
    ----------
    cell, table, split : CellGraph, GenotypeTable, Split
        The graph, genotypes of it with labels, and their parts; the test part is not read.
    config : TrainConfig
    out : Path
        The run folder.
    progress : Progress, optional
        Hears what happens.
    resume : bool
        Go on with the run in `out`; the configuration must be the same but for its length and its machine.
    overwrite : bool
        Replace a run in `out`.
    origin : Path, optional
        The cell file that holds the screen, where it came from one; `evaluate` finds it there again.
    member : int
        From 1; a later member of an ensemble starts from `seed + member - 1` and writes its files beside the first's.

    Raises
    ------
    UsageError
        Options that cannot be used, a folder that may not be written, nothing to resume.
    RunError
        The loss is not finite.
    """
    started = time.perf_counter()
    folder, progress = RunFolder(out, member), progress or NullProgress()
    if resume and overwrite:
        raise UsageError(f"{setting('resume')} and {setting('overwrite')} contradict each other - give one of them")
    if member == 1 and not resume:
        folder.refuse_existing(overwrite)
    trainer = Trainer(cell, table, split, dataclasses.replace(config, seed=config.seed + member - 1))
    _begin(trainer, folder, resume, overwrite)
    position = trainer.position
    progress.start(config.epochs, position.epoch + 1, trainer.steps_per_epoch, _about(trainer, member))
    if position.stopped_by(config) is None:
        folder.forget_evaluation()
    while (reason := position.stopped_by(config)) is None:
        try:
            record = _run_epoch(trainer, progress)
        except torch.OutOfMemoryError as error:
            raise RunError(
                f"out of memory on {trainer.device} - give a smaller {setting('batch_size')} or {setting('chunk')}"
            ) from error
        position.history.append(record)
        if record["best"]:
            metadata = trainer.metadata(record, str(origin.resolve()) if origin else None)
            checkpoint.write(folder.model, checkpoint.MODEL, trainer.weights(), metadata)
        folder.write_metrics(position.history)
        states.save(folder.resume, trainer.state())
        progress.epoch(record)
    _draw(trainer, folder)
    best = next(r for r in position.history if r["epoch"] == position.best_epoch)
    seconds = time.perf_counter() - started
    summary = RunSummary(folder.path, reason, position.epoch, position.step, best["epoch"], best["val"], seconds)
    progress.done(summary)
    return summary


def _begin(trainer: Trainer, folder: RunFolder, resume: bool, overwrite: bool) -> None:
    if resume:
        if folder.cell.is_file():  # it can name the first id or edge that differs; the state knows fingerprints alone
            cell_file.load(folder.cell).require_equal(trainer.cell, f"the graph given for the run {folder.path}")
        trainer.restore(states.load(folder.resume), f"the run {folder.path}")
        if folder.member == 1:
            folder.write_config(trainer.config)
    else:
        if folder.member == 1:
            folder.create(trainer.config, trainer.cell, trainer.split, trainer.table.fingerprint, overwrite)
        states.save(folder.resume, trainer.state())  # so that a run stopped in its first epoch can be resumed too


def _run_epoch(trainer: Trainer, progress: Progress) -> dict[str, Any]:
    """One pass over the training rows, then validation; advances the position and returns its record."""
    position, config = trainer.position, trainer.config
    epoch, lr, rows = position.epoch + 1, trainer.lr, trainer.order(position.epoch + 1)
    running, started = LossMeter(trainer, epoch), time.perf_counter()
    trainer.model.train()
    with trainer.seeded(epoch):
        for number, start in enumerate(range(0, len(rows), config.batch_size), 1):
            if config.max_steps is not None and position.step >= config.max_steps:
                break
            batch_rows = rows[start : start + config.batch_size]
            _step(trainer, running, *trainer.batch(batch_rows))
            position.step += 1
            progress.step(epoch, number, running.latest, running.seen / (time.perf_counter() - started))
    means = running.means()  # before anything is validated or stored
    seconds = time.perf_counter() - started
    validation, score = validate(trainer)
    require_finite("validation loss", validation["loss"], trainer, epoch, position.step)
    trainer.learning_rates.after_epoch(score)
    best = config.keep == "last" or position.best_score is None or score > position.best_score
    position.epoch = epoch
    if best:
        position.best_score, position.best_epoch = score, epoch
    return {
        "epoch": epoch,
        "step": position.step,
        "lr": lr,
        "train": means,
        "val": validation,
        "score": score,
        "best": best,
        "genotypes_per_second": running.seen / seconds,
        "seconds": seconds,
    }


def _step(trainer: Trainer, running: LossMeter, batch: Any, labels: Tensor, sample_weights: Tensor | None) -> None:
    """One optimiser step."""
    trainer.learning_rates.before_step(trainer.position.step)
    trainer.optimizer.zero_grad(set_to_none=True)
    with autocast(trainer.device, trainer.config.precision):
        output = trainer.model(trainer.engine, batch, chunk=trainer.chunk)
    total, terms = trainer.losses(output, labels, sample_weights)
    total.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), trainer.config.grad_clip)
    running.add({"loss": total, **terms}, norm, len(labels))
    trainer.optimizer.step()


def _about(trainer: Trainer, member: int) -> dict[str, Any]:
    return {
        "member": member,
        "ensemble": trainer.config.ensemble,
        "device": str(trainer.device),
        "engine": trainer.engine.name,
        "split": trainer.split.kind,
        "rows": trainer.split.counts,
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
    }


def _draw(trainer: Trainer, folder: RunFolder) -> None:
    """The curves, and the validation part as the kept weights see it; the weights are put back afterwards."""
    figures.training_curves(trainer.position.history, folder.plot("training"))
    last = trainer.model.state_dict()
    last = {name: tensor.clone() for name, tensor in last.items()}
    kept, _ = checkpoint.read(folder.model, checkpoint.MODEL)
    trainer.model.load_state_dict({name: torch.from_numpy(array) for name, array in kept.items()})
    rows = trainer.val_rows
    predicted = trainer.scaler.inverse(predict_rows(trainer, rows), trainer.table.orders[rows])
    trainer.model.load_state_dict(last)
    measured = trainer.table.targets[rows]
    for column, label in enumerate(schema.LABELS):
        path = folder.plot(f"validation_{label}")
        pearson = compare(predicted[:, column], measured[:, column])["pearson"]
        figures.predicted_against_measured(
            predicted[:, column], measured[:, column], label, path, "validation", pearson
        )
