"""The whole job on an embedded example: E. coli core, fitness and interactions from flux balance, no download.

Builds the cell, trains, evaluates on held-out pairs beside baselines and an ablation, and predicts, by the functions
that the commands call. Two processes share the work: one trains the model, the other fits the baselines and trains the
ablation.
"""

from __future__ import annotations

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
from dglcell.genotypes.splits.make import Split, make_split
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.build import build, complex_edges
from dglcell.graph.cell import CellGraph
from dglcell.inference.run import Run, load_run
from dglcell.io import cell_file
from dglcell.io.atomic import write_text
from dglcell.readers.sbml import read_model, textbook_path
from dglcell.training.loop import train
from dglcell.training.progress import NullProgress

SCREEN = "ecoli_core_fba.tsv.gz"
# Chosen by cross-validation within the 80 % of the pairs that the demo does not test on. The graph is small: large
# batches share one pass of the wild type, and the plain engine has nothing to compile.
CONFIG = TrainConfig(
    layers=2,
    residual=True,
    structural_lethality=True,
    multiplicative=True,
    fm_rank=0,
    dropout=0.0,
    lr=2e-3,
    weight_decay=0.1,
    epochs=25,
    ensemble=3,
    keep="last",
    test_fraction=0.2,
    val_fraction=0.05,
    engine="torch",
)
PAIRS = "order_2"
BASELINES = ("mean", "gene-ridge", "embedding-mlp", "lost-reactions-mlp")
ABLATION, MODEL = "dglcell without lost reactions", "dglcell"
ROWS = (*BASELINES, ABLATION, MODEL)  # of the table, as it is printed

# Stages and their share of the time.
STAGES = {"building the cell graph": 0.07, "training": 0.8, "evaluating": 0.13}

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
    """What the demo made.

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


class _TrainingShare(NullProgress):
    """Passes on how much of the training is done."""

    def __init__(self, watch: Callable[[float, str], None]) -> None:
        self._watch = watch

    def start(self, epochs: int, first_epoch: int, steps_per_epoch: int, about: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        self._epochs, self._steps, self._about = epochs, steps_per_epoch, about

    def step(self, epoch: int, step: int, losses: Mapping[str, float], genotypes_per_second: float) -> None:
        """See `training.progress.Progress`."""
        member, ensemble = self._about["member"], self._about["ensemble"]
        done = (member - 1 + (epoch - 1 + step / self._steps) / self._epochs) / ensemble
        self._watch(done, f"training model {member} of {ensemble}, epoch {epoch} of {self._epochs}")


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
        Made if it is not there.
    watch : callable
        Hears often which share of the time has passed, from 0 to 1, and the stage.
    seed : int
        Of the split and of the weights.
    say : callable
        Hears each stage once, in one line.
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
    split = make_split(
        table, config.split, seed=seed, test_fraction=config.test_fraction, val_fraction=config.val_fraction
    )
    say(
        f"training {config.ensemble} models on {split.counts['train']:,} genotypes for {config.epochs} epochs; "
        f"in a second process {len(names)} baselines and {config.ensemble} models without lost reactions"
    )
    share = _TrainingShare(lambda done, stage: watch(building + training * done, stage))
    with _SecondProcess(path, split, config, names, out / "ablation", overwrite) as second:
        train(cell, table, split, config, out / "run", share, overwrite=overwrite, screen_file=path)
        watch(building + training, "waiting for baselines and ablation")
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


class _SecondProcess:
    """Fits the baselines and trains the ablation, beside the training of the model."""

    def __init__(
        self, cell: Path, split: Split, config: TrainConfig, names: Sequence[str], out: Path, overwrite: bool
    ) -> None:
        context = get_context("spawn")
        self._results, connection = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_second, args=(cell, split, config, tuple(names), out, overwrite, connection), daemon=True
        )
        self._process.start()
        connection.close()  # so that the end of the process ends the pipe

    def __enter__(self) -> _SecondProcess:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()  # nothing to end, unless the training was stopped
        self._process.join()

    def result(self) -> dict[str, Any]:
        """Wait for its end; the scores of the baselines."""
        try:
            result: dict[str, Any] | str = self._results.recv()
        except EOFError:
            result = "its process ended without a word"
        if isinstance(result, str):
            raise RunError(f"the baselines or the ablation failed: {result} - run the demo again")
        return result


@one_thread()
def _second(
    path: Path,
    split: Split,
    config: TrainConfig,
    names: Sequence[str],
    out: Path,
    overwrite: bool,
    connection: Connection,
) -> None:
    """What the second process does; it sends the scores of the baselines, or why there are none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # at Ctrl-C the first process ends this one
    try:
        cell, table = cell_file.load_both(path)
        assert table is not None  # `run` has just stored it
        held_out = table.take(split.rows("test"))
        held_out = held_out.take(np.flatnonzero(held_out.usable()))
        scores = score_baselines(cell, table, split.rows("train"), held_out, names, config.seed)
        without = dataclasses.replace(config, lost_reactions=False, structural_lethality=False)
        train(cell, table, split, without, out, overwrite=overwrite, screen_file=path)
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}")
    else:
        connection.send(scores)


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
