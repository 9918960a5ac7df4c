"""The whole job on an embedded example: E. coli core, fitness and interactions from flux balance, no download.

Builds the cell, trains, evaluates on held-out pairs beside baselines and an ablation, predicts. Owns the example's
choices alone; every step is what the commands call. Knows no command line.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from importlib.resources import as_file, files
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from dglcell import schema
from dglcell.config import TrainConfig
from dglcell.engines.device import one_thread
from dglcell.errors import RunError
from dglcell.evaluation.evaluate import evaluate
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
from dglcell.training.progress import Progress

SCREEN = "ecoli_core_fba.tsv.gz"
# Chosen by cross-validation within the 80 % of the pairs that the demo does not test on. A twentieth of the genotypes
# holds about three of the pairs that decide the correlation: enough to lower the learning rate by, not to choose an
# epoch by.
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
)
PAIRS = "order_2"
BASELINES = ("mean", "gene-ridge", "embedding-mlp", "lost-reactions-mlp")

Say = Callable[[str], None]


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
        Baselines, the ablation, the model last.
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


@one_thread()
def run(
    out: Path | str,
    progress: Progress | None = None,
    seed: int = 0,
    say: Say = lambda message: None,
    overwrite: bool = False,
    config: TrainConfig = CONFIG,
) -> Result:
    """Run the demo into a folder.

    Parameters
    ----------
    out : Path
        Made if it is not there.
    progress : Progress, optional
        Hears the training of the model.
    seed : int
        Of the split and of the weights.
    say : callable
        Hears, in one line each, what is done.
    overwrite : bool
        Replace an earlier demo.
    config : TrainConfig
        Instead of the demo's own, for a shorter run.

    Raises
    ------
    RunError
        The training of the ablation, in a process of its own, failed.
    UsageError
        `out` holds an earlier demo and `overwrite` is false.
    """
    started = time.perf_counter()
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    say("building the E. coli core cell")
    cell, table = example()
    path = out / "cell.h5"
    cell_file.save(cell, path, table, overwrite)
    config = dataclasses.replace(config, seed=seed)
    split = make_split(
        table, config.split, seed=seed, test_fraction=config.test_fraction, val_fraction=config.val_fraction
    )
    without = dataclasses.replace(config, lost_reactions=False, structural_lethality=False)
    models = f"{config.ensemble} models, {split.counts['train']:,} genotypes, {config.epochs} epochs"
    say(f"training {models}; beside it, in a process of its own, the same without lost reactions")
    beside = get_context("spawn").Process(
        target=_train, args=(path, split, without, out / "ablation", overwrite), daemon=True
    )
    beside.start()
    try:
        train(cell, table, split, config, out / "run", progress, overwrite=overwrite, screen_file=path)
        beside.join()
    finally:
        beside.terminate()  # nothing, unless the training was stopped
    if beside.exitcode:
        raise RunError("the training without lost reactions failed, for the reason above - run the demo again")
    runs = {name: load_run(out / name) for name in ("run", "ablation")}
    say(f"evaluating on {split.counts['test']:,} held-out genotypes, beside {len(BASELINES)} baselines")
    plots = out / "run" / "plots"
    report = evaluate(runs["run"], table=table, names=BASELINES, draw=plots)
    ablated = evaluate(runs["ablation"], table=table, names=())
    rows = [_row(name, scores) for name, scores in report["baselines"].items()]
    rows += [_row("dglcell without lost reactions", ablated["test"]), _row("dglcell", report["test"])]
    _predict(runs["run"], table, out / "predictions.tsv")
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


@one_thread()
def _train(cell: Path, split: Split, config: TrainConfig, out: Path, overwrite: bool) -> None:
    """In a process of its own, which has the stored cell alone."""
    table = cell_file.load_screen(cell)
    assert table is not None  # `run` has just stored it
    train(cell_file.load(cell), table, split, config, out, overwrite=overwrite, screen_file=cell)


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
