"""Small screens and runs for every test that trains."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from dglcell import schema
from dglcell.config import TrainConfig
from dglcell.genotypes.splits.make import Split, make_split
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.training.loop import RunSummary, train
from tests.cells import random_genotypes, tiny_cell


def table_of(
    cell: CellGraph, genotypes: Iterable[Any], fitness: np.ndarray, interaction: np.ndarray | None = None
) -> GenotypeTable:
    genes, ptr = cell.indices(genotypes)
    labels = np.full((len(ptr) - 1, len(schema.LABEL_COLUMNS)), np.nan)
    labels[:, 0] = fitness
    if interaction is not None:
        labels[:, 2] = interaction
    return GenotypeTable.of(cell, genes, ptr, labels)


def tiny_table(cell: CellGraph, rows: int = 120, max_order: int = 3, seed: int = 0) -> GenotypeTable:
    """Random genotypes with random labels; a fifth of the fitness labels is missing."""
    rng = np.random.default_rng(seed)
    fitness = np.where(rng.random(rows) < 0.2, np.nan, 1 + 0.2 * rng.normal(size=rows))
    return table_of(cell, random_genotypes(cell, rows, max_order, seed), fitness, 0.05 * rng.normal(size=rows))


def tiny_config(**changes: Any) -> TrainConfig:
    values = {
        "fm_rank": 0,
        "similarity": False,
        "layers": 1,
        "hidden": 8,
        "epochs": 2,
        "batch_size": 32,
        "device": "cpu",
        "engine": "torch",
    }
    return TrainConfig(**{**values, **changes})


def tiny_run(path: Path, **changes: Any) -> tuple[CellGraph, GenotypeTable, Split, RunSummary]:
    """Train on a tiny cell into `path`."""
    cell = tiny_cell(features=3)
    table = tiny_table(cell)
    split = make_split(table, "random", 0, 0.2, 0.2)
    (summary,) = train(cell, table, split, tiny_config(**changes), path)
    return cell, table, split, summary
