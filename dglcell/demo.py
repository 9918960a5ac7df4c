"""The whole job on an embedded example: E. coli core, fitness and interactions from flux balance, no download.

Builds the cell, trains, evaluates on held-out pairs with baselines and an ablation, and predicts, by the functions
that the commands call. Two processes share the work: one trains two thirds of the models, the other fits the baselines
and trains the ablation and the rest of the models.
"""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import as_file, files
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from dglcell import schema
from dglcell.config import TrainConfig
from dglcell.engines.device import one_thread
from dglcell.errors import RunError
from dglcell.evaluation.evaluate import evaluate, score_baselines
from dglcell.evaluation.run_screen import run_screen
from dglcell.genotypes.merge import merge_screens
from dglcell.genotypes.splits.make import Split, split_from_config
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.build import build, complex_edges
from dglcell.graph.cell import CellGraph
from dglcell.inference.run import Run, load_run
from dglcell.io import cell_file
from dglcell.io.atomic import write_text
from dglcell.readers.models import read_model, textbook_path
from dglcell.training.loop import train
from dglcell.training.progress import NullProgress, RunSummary

SCREEN = "ecoli_core_fba.tsv.gz"
# Chosen by cross-validation within the 80 % of the pairs that the demo does not test on (tests.benchmarks.demo_folds).
# A twentieth of the genotypes holds about three of the pairs that decide the correlation: enough to lower the learning
# rate by, not to choose an epoch by.
CONFIG = TrainConfig(
    layers=2,
    residual=True,
    structural_lethality=True,
    multiplicative=True,
    fm_rank=0,
    dropout=0.0,
    lr=2e-3,
    weight_decay=0.1,
    epochs=18,
    ensemble=3,
    keep="last",
    test_fraction=0.2,
    val_fraction=0.05,
)
PAIRS = "order_2"
BASELINES = ("mean", "gene-ridge", "embedding-mlp", "lost-reactions-mlp")
ABLATION, MODEL = "dglcell without lost reactions, one model", "dglcell"
ROWS = (*BASELINES, ABLATION, MODEL)  # of the table, as it is printed

# Stages and their share of the time.
STAGES = {"building the cell graph": 0.07, "training": 0.83, "evaluating": 0.1}

Say = Callable[[str], None]
Watch = Callable[[float, str], None]


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the final table: Pearson on held-out pairs, None where undefined.

    Attributes
    ----------
    model : str
    fitness, gene_interaction : float or None
    """

    model: str
    fitness: float | None
    gene_interaction: float | None


@dataclasses.dataclass(frozen=True)
class Result:
    """Scores and files of a demo.

    Attributes
    ----------
    rows : tuple of Row
        As `ROWS`: baselines, the ablation, the model.
    pairs : int
        Held-out pairs that the figures are of.
    out, cell, run, ablation, predictions : Path
        The folder and what lies in it.
    plots : tuple of Path
    seconds : float
    """

    rows: tuple[Row, ...]
    pairs: int
    out: Path
    cell: Path
    run: Path
    ablation: Path
    predictions: Path
    plots: tuple[Path, ...]
    seconds: float


def example() -> tuple[CellGraph, GenotypeTable]:
    """The E. coli core cell and its flux-balance screen.

    Physical edges join genes that share an AND-clause, the subunits of one complex; there is no regulation.
    """
    model = read_model(textbook_path())
    cell = build(model, physical=[complex_edges(model)], keep_unassigned=True)
    with as_file(files("dglcell.data") / SCREEN) as path:
        return cell, merge_screens(cell, [path])[0]


class _Models(NullProgress):
    """Prints a line for each trained model."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def start(self, epochs: int, first_epoch: int, steps_per_epoch: int, about: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        self._epochs, self._steps, self._member = epochs, steps_per_epoch, about["member"]
        self._model = f"model {self._member} of {about['ensemble']}"

    def done(self, summary: RunSummary) -> None:
        """See `training.progress.Progress`."""
        self._say(f"{self._model} trained")


class _TrainingShare(_Models):
    """Reports the trained share of the models too, and passes on what the second process says."""

    def __init__(self, models: int, second: _SecondProcess, watch: Watch, say: Say) -> None:
        super().__init__(say)
        self._models, self._second, self._watch = models, second, watch

    def start(self, epochs: int, first_epoch: int, steps_per_epoch: int, about: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        super().start(epochs, first_epoch, steps_per_epoch, about)
        self._second.begin()

    def step(self, epoch: int, step: int, losses: Mapping[str, float], genotypes_per_second: float) -> None:
        """See `training.progress.Progress`."""
        share = (self._member - 1 + (epoch - 1 + step / self._steps) / self._epochs) / self._models
        self._watch(share, f"training, epoch {epoch} of {self._epochs}, {self._model}")

    def epoch(self, record: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        self._second.pass_on()


@one_thread()
def run(
    out: Path | str,
    watch: Watch = lambda share, stage: None,
    seed: int = 0,
    say: Say = lambda message: None,
    overwrite: bool = False,
    config: TrainConfig = CONFIG,
    names: Sequence[str] = BASELINES,
) -> Result:
    """Run the demo into a folder.

    Parameters
    ----------
    out : Path
        Created if it does not exist.
    watch : callable
        Receives the completed share of the time, from 0 to 1, and the stage.
    seed : int
        Of the split and of the weights.
    say : callable
        Receives one line for each stage and each trained model.
    overwrite : bool
        Replace an earlier demo.
    config : TrainConfig
        Instead of the demo's own, for a shorter run.
    names : sequence of str
        Baselines.

    Raises
    ------
    RunError
        The second process, with the baselines and the ablation, failed.
    UsageError
        `out` holds an earlier demo and `overwrite` is false.
    """
    started = time.perf_counter()
    building, training, _ = STAGES.values()
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    say("building the E. coli core cell")
    watch(0.0, "building the cell graph")
    cell, table = example()
    path = out / "cell.h5"
    cell_file.save(cell, path, table, overwrite)
    config = dataclasses.replace(config, seed=seed)
    split = split_from_config(table, cell, config)
    say(
        f"training {config.ensemble} models on {split.counts['train']:,} genotypes for {config.epochs} epochs; "
        f"beside it {len(names)} baselines and one model without lost reactions"
    )
    models = range(1, config.ensemble + 1)
    first, rest = models[: -(config.ensemble // 3) or None], models[len(models) - config.ensemble // 3 :]
    task = _Task(path, split, config, tuple(names), out, overwrite, tuple(rest))
    with _SecondProcess(task, say) as second:
        share = _TrainingShare(len(first), second, lambda done, at: watch(building + training * done, at), say)
        train(cell, table, split, config, out / "run", share, overwrite=overwrite, screen_file=path, members=first)
        watch(building + training, "waiting for the second process")
        baseline_scores = second.result()
    say(f"evaluating on {split.counts['test']:,} held-out genotypes")
    watch(building + training, "evaluating")
    model, ablation = (load_run(out / name, engine=config.engine) for name in ("run", "ablation"))
    plots = out / "run" / "plots"
    report = evaluate(model, table=table, baseline_scores=baseline_scores, draw=plots)
    ablated = evaluate(ablation, table=table, names=())
    rows = [_row(name, scores) for name, scores in report["baselines"].items()]
    rows += [_row(ABLATION, ablated["test"]), _row(MODEL, report["test"])]
    _predict(model, table, out / "predictions.tsv")
    watch(1.0, "done")
    return Result(
        tuple(rows),
        int(report["test"][PAIRS][schema.INTERACTION]["n"]),
        out,
        path,
        out / "run",
        out / "ablation",
        out / "predictions.tsv",
        tuple(sorted(plots.glob("*.png"))),
        time.perf_counter() - started,
    )


@dataclasses.dataclass(frozen=True)
class _Task:
    """What the second process needs to know."""

    cell: Path
    split: Split
    config: TrainConfig
    names: tuple[str, ...]
    out: Path
    overwrite: bool
    members: tuple[int, ...]


_LINE, _FAILURE, _SCORES = "line", "failure", "scores"  # messages of the second process


class _SecondProcess:
    """Fits the baselines, trains the ablation and some models of the ensemble, beside the first process."""

    def __init__(self, task: _Task, say: Say) -> None:
        self._say = say
        self._end: tuple[str, Any] = ("", None)  # its last message
        context = get_context("spawn")
        self._pipe, end = context.Pipe()
        self._process = context.Process(target=_second, args=(task, end), daemon=True)
        self._process.start()
        end.close()  # so that the end of the process ends the pipe

    def __enter__(self) -> _SecondProcess:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()  # nothing to end, unless the training was stopped
        self._process.join()

    def begin(self) -> None:
        """Signal that the run folder exists."""
        with contextlib.suppress(OSError):  # `result` reports the failure
            self._pipe.send(True)

    def result(self) -> dict[str, Any]:
        """Wait for its end; the scores of the baselines."""
        try:
            while not self._end[0]:
                self._receive()
        except (EOFError, OSError):
            self._end = (_FAILURE, "the process ended without a message")
        kind, content = self._end
        if kind == _FAILURE:
            raise RunError(f"the second process, with baselines and ablation, failed: {content} - run the demo again")
        scores: dict[str, Any] = content
        return scores

    def pass_on(self) -> None:
        """Print the lines that it has sent so far."""
        with contextlib.suppress(EOFError, OSError):  # `result` reports the failure
            while not self._end[0] and self._pipe.poll():
                self._receive()

    def _receive(self) -> None:
        kind, content = self._pipe.recv()
        if kind == _LINE:
            self._say(content)
        else:
            self._end = (kind, content)


@one_thread()
def _second(task: _Task, pipe: Connection) -> None:
    """Do the task; send a line for each part of it, then the scores of the baselines, or why there are none."""

    def say(line: str) -> None:
        pipe.send((_LINE, line))

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # at Ctrl-C the first process ends this one
    config, split, out = task.config, task.split, task.out
    try:
        cell, table = cell_file.load_both(task.cell)
        assert table is not None  # `run` has just stored it
        held_out = table.take(split.rows("test"))
        held_out = held_out.take(np.flatnonzero(held_out.usable()))
        scores = score_baselines(cell, table, split.rows("train"), held_out, task.names, config.seed)
        say(f"{len(task.names)} baselines fitted")
        without = dataclasses.replace(config, lost_reactions=False, structural_lethality=False, ensemble=1)
        train(cell, table, split, without, out / "ablation", overwrite=task.overwrite, screen_file=task.cell)
        say("model without lost reactions trained")
        pipe.recv()  # the first process has made the run folder
        train(cell, table, split, config, out / "run", _Models(say), screen_file=task.cell, members=task.members)
    except Exception as error:
        pipe.send((_FAILURE, f"{type(error).__name__}: {error}"))
    else:
        pipe.send((_SCORES, scores))


def _row(name: str, metrics: dict[str, Any]) -> Row:
    return Row(name, *(metrics[PAIRS][label]["pearson"] for label in schema.LABELS))


def _predict(run: Run, table: GenotypeTable, path: Path) -> None:
    """The held-out genotypes with measured and predicted labels, as `dglcell predict` writes a table."""
    own, split = run_screen(run, table)
    held_out = own.take(split.rows("test"))
    ids = np.array(run.cell.ids[schema.GENE])
    genotypes = [tuple(ids[held_out.genes[a:b]]) for a, b in zip(held_out.ptr[:-1], held_out.ptr[1:], strict=True)]
    frame = run.predict(genotypes)
    for column, label in enumerate(schema.LABELS):
        frame.insert(1 + column, label, held_out.targets[:, column])
    write_text(path, frame.to_csv(sep="\t", index=False, float_format="%.6g"))
