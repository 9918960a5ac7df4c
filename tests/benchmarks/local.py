"""The variant `local` as `dglcell train` and `dglcell predict` run it: genotypes a second, and a whole screen."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dglcell.config import TrainConfig
from dglcell.genotypes.splits.make import make_split
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.inference.run import load_run
from dglcell.schema import GENE, LABEL_COLUMNS, LABELS
from dglcell.training.loop import train
from dglcell.training.progress import NullProgress
from tests.benchmarks import graphs


class _Speeds(NullProgress):
    """Hears what the training itself says of its speed."""

    def __init__(self) -> None:
        self.found: list[float] = []

    def epoch(self, record: Mapping[str, Any]) -> None:
        self.found.append(record["genotypes_per_second"])


def measure(
    cell: CellGraph, rows: int, pairs: int, epochs: int, hidden: int, batch: int, predict_batch: int
) -> dict[str, Any]:
    """Train on random double deletions with random labels, then predict others from the run folder.

    Parameters
    ----------
    cell : CellGraph
    rows : int
        Genotypes of the screen.
    pairs : int
        Genotypes predicted.
    epochs : int
        Timed after one that is not.
    hidden, batch : int
        h, and genotypes a training step.
    predict_batch : int
        Genotypes predicted at a time.

    Returns
    -------
    dict
        `training_per_s`: median over epochs of what an epoch reports (whole steps of `training.trainer`: reading the
        table, perturbations, forward, loss, backward, clipping, optimiser; validation not). `predicted_per_s`: by
        `Run.predict_rows`, the wild type included. `all_pairs_minutes`: that rate over all pairs of the cell's genes;
        making and writing a table of them is not in it.
    """
    rng = np.random.default_rng(0)
    n = cell.num_nodes(GENE)
    genes, ptr = graphs.double_deletions(n, rows, rng)
    labels = np.full((rows, len(LABEL_COLUMNS)), np.nan)
    for label in LABELS:
        labels[:, LABEL_COLUMNS.index(label)] = rng.normal(1, 0.1, rows)
    table = GenotypeTable.of(cell, genes, ptr, labels)
    split = make_split(table, "random", 0, 0.01, 0.01)
    config = TrainConfig(
        variant="local",
        hidden=hidden,
        fm_rank=0,
        batch_size=batch,
        epochs=epochs + 1,
        patience=epochs + 1,
        device="cpu",
    )
    speeds = _Speeds()
    with tempfile.TemporaryDirectory() as folder:
        train(cell, table, split, config, Path(folder) / "run", speeds)
        run = load_run(Path(folder) / "run", device="cpu")
        run.predict_rows(*graphs.double_deletions(n, predict_batch, rng), predict_batch)
        wanted = graphs.double_deletions(n, pairs, rng)
        started = time.perf_counter()
        run.predict_rows(*wanted, predict_batch)
        seconds = time.perf_counter() - started
    every = n * (n - 1) // 2
    return {
        "rows": rows,
        "batch": batch,
        "hidden": hidden,
        "epochs_per_s": speeds.found[1:],
        "training_per_s": statistics.median(speeds.found[1:]),
        "pairs": pairs,
        "predict_batch": predict_batch,
        "predicted_per_s": pairs / seconds,
        "all_pairs": every,
        "all_pairs_minutes": every / (pairs / seconds) / 60,
    }
