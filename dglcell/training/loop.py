"""The training loop: epochs of optimizer steps, validation, best and last state on disk, early stopping."""

from __future__ import annotations

import time
from collections.abc import Sequence
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
from dglcell.training.data import TrainingData
from dglcell.training.loss_meter import LossMeter, require_finite
from dglcell.training.metrics import compare
from dglcell.training.progress import NullProgress, Progress, RunSummary
from dglcell.training.trainer import Trainer


def train(
    cell: CellGraph,
    table: GenotypeTable,
    split: Split,
    config: TrainConfig,
    out: Path | str,
    progress: Progress | None = None,
    resume: bool = False,
    overwrite: bool = False,
    screen_file: Path | None = None,
    members: Sequence[int] | None = None,
) -> tuple[RunSummary, ...]:
    """Train all models of an ensemble, one after the other, and write a run folder.

    The members differ in their seed alone (`seed`, `seed + 1`, ..): initial weights, sequence of the rows, dropout
    (Lakshminarayanan et al., arXiv:1612.01474). After every epoch the folder holds a complete run: the best weights,
    the last state, the metrics. If training is interrupted (Ctrl-C, a loss that is not finite), the folder stays as it
    was after the last complete epoch; `resume` continues from there and ends with the same weights, bit for bit, as an
    uninterrupted run. An epoch that `max_steps` cuts short counts as one.

    Parameters
    ----------
    cell, table, split : CellGraph, GenotypeTable, Split
        The graph, genotypes of it with labels, and their division; the test subset is not read.
    config : TrainConfig
    out : Path
        The run folder.
    progress : Progress, optional
        Receives the events of the training.
    resume : bool
        Continue the run in `out`: finished members are kept, an interrupted one goes on and missing ones begin, so
        an ensemble can be enlarged later. The configuration must be the same, except for the length of the training
        and the machine.
    overwrite : bool
        Replace a run in `out`.
    screen_file : Path, optional
        The cell file that holds the screen, if it came from one; the run stores its path relative to `out`.
    members : sequence of int, optional
        Train only these, from 1, so that processes can share an ensemble. Member 1 makes the folder, so its training
        must have begun before that of others.

    Returns
    -------
    tuple of RunSummary
        One for each member.

    Raises
    ------
    UsageError
        Settings that cannot be used, a folder that may not be written, nothing to resume.
    RunError
        The loss is not finite.
    """
    if resume and overwrite:
        raise UsageError(f"{setting('resume')} and {setting('overwrite')} contradict each other - give one of them")
    members = range(1, config.ensemble + 1) if members is None else members
    if not resume and 1 in members:
        RunFolder(out).refuse_existing(overwrite)
    data = TrainingData(cell, table, split, config)
    summaries = []
    for member in members:
        folder = RunFolder(out, member)
        continues = resume and (member == 1 or folder.resume.is_file())
        trainer = _resume(data, folder) if continues else _begin(data, folder, overwrite)
        summaries.append(_train_member(trainer, folder, progress or NullProgress(), screen_file))
    return tuple(summaries)


def _begin(data: TrainingData, folder: RunFolder, overwrite: bool) -> Trainer:
    trainer = Trainer(data, data.config.seed + folder.member - 1)
    if folder.member == 1:
        folder.create(data.config, data.cell, data.split, data.table.fingerprint, overwrite)
    states.save(folder.resume, trainer.state())  # so that a run stopped in its first epoch can be resumed too
    return trainer


def _resume(data: TrainingData, folder: RunFolder) -> Trainer:
    if folder.member == 1 and folder.cell.is_file():  # names what differs; the state holds only fingerprints
        cell_file.load(folder.cell).require_equal(data.cell, f"the graph given for the run {folder.path}")
    state = states.load(folder.resume)
    trainer = Trainer(data, data.config.seed + folder.member - 1, state, f"the run {folder.path}")
    if folder.member == 1:
        folder.write_config(data.config)
    return trainer


def _train_member(trainer: Trainer, folder: RunFolder, progress: Progress, screen_file: Path | None) -> RunSummary:
    start_time, position, config = time.perf_counter(), trainer.position, trainer.config
    progress.start(config.epochs, position.epoch + 1, trainer.data.steps_per_epoch, _about(trainer, folder.member))
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
            metadata = trainer.metadata(record, folder.screen_reference(trainer.data.table, screen_file))
            checkpoint.write(folder.model, checkpoint.MODEL, trainer.weights(), metadata)
        folder.write_metrics(position.history)
        states.save(folder.resume, trainer.state())
        progress.epoch(record)
    _draw(trainer, folder)
    best = next(r for r in position.history if r["epoch"] == position.best_epoch)
    seconds = time.perf_counter() - start_time
    summary = RunSummary(folder.path, reason, position.epoch, position.step, best["epoch"], best["val"], seconds)
    progress.done(summary)
    return summary


def _run_epoch(trainer: Trainer, progress: Progress) -> dict[str, Any]:
    """One pass over the training rows, then validation; advances the position and returns the epoch's record."""
    position, config = trainer.position, trainer.config
    epoch, lr, rows = position.epoch + 1, trainer.lr, trainer.shuffled_rows(position.epoch + 1)
    meter, start_time = LossMeter(trainer, epoch), time.perf_counter()
    trainer.model.train()
    with trainer.seeded(epoch):
        for number, start in enumerate(range(0, len(rows), config.batch_size), 1):
            if config.max_steps is not None and position.step >= config.max_steps:
                break
            batch_rows = rows[start : start + config.batch_size]
            _step(trainer, meter, *trainer.data.batch(batch_rows))
            position.step += 1
            progress.step(epoch, number, meter.latest, meter.seen / (time.perf_counter() - start_time))
    means = meter.means()  # before anything is validated or stored
    seconds = time.perf_counter() - start_time
    validation, score = trainer.validate()
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
        "genotypes_per_second": meter.seen / seconds,
        "seconds": seconds,
    }


def _step(trainer: Trainer, meter: LossMeter, batch: Any, labels: Tensor, sample_weights: Tensor | None) -> None:
    """One optimizer step."""
    trainer.learning_rates.before_step(trainer.position.step)
    trainer.optimizer.zero_grad(set_to_none=True)
    with autocast(trainer.device, trainer.config.precision):
        output = trainer.model(trainer.data.engine, batch, chunk=trainer.chunk)
    total, terms = trainer.data.losses(output, labels, sample_weights)
    total.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), trainer.config.grad_clip)
    meter.add({"loss": total, **terms}, norm, len(labels))
    trainer.optimizer.step()


def _about(trainer: Trainer, member: int) -> dict[str, Any]:
    return {
        "member": member,
        "ensemble": trainer.config.ensemble,
        "device": str(trainer.device),
        "engine": trainer.data.engine.name,
        "split": trainer.data.split.kind,
        "rows": trainer.data.split.counts,
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
    }


def _draw(trainer: Trainer, folder: RunFolder) -> None:
    """The training curves, and predictions of the best weights for the validation rows; restores the last weights."""
    data, rows = trainer.data, trainer.data.val_rows
    figures.training_curves(trainer.position.history, folder.plot("training"))
    last = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    best, _ = checkpoint.read(folder.model, checkpoint.MODEL)
    trainer.model.load_state_dict({name: torch.from_numpy(array) for name, array in best.items()})
    predicted = data.scaler.inverse(trainer.predict_rows(rows), data.table.orders[rows])
    trainer.model.load_state_dict(last)
    measured = data.table.targets[rows]
    for column, label in enumerate(schema.LABELS):
        path = folder.plot(f"validation_{label}")
        pearson = compare(predicted[:, column], measured[:, column])["pearson"]
        figures.predicted_against_measured(predicted[:, column], measured[:, column], label, path, "val", pearson)
