"""Screens that are matrices: interactions of pairs of genes, or samples by genes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dglcell.errors import DataError
from dglcell.readers.screens.pair_matrix import PAIRS, are_genes, read_pairs
from dglcell.readers.screens.sample_matrix import SAMPLES, read_samples
from dglcell.readers.screens.screen_table import ScreenTable
from dglcell.readers.screens.strains import IsGene
from dglcell.readers.tables.chunked_text import BLOCK_SIZE
from dglcell.readers.tables.matrix import open_matrix

LAYOUTS: Final = (PAIRS, SAMPLES)
AUTO, UNCLEAR = "auto", "unclear"


def read_matrix(
    path: Path,
    kind: str,
    condition: str | None = None,
    size: int = BLOCK_SIZE,
    is_gene: IsGene | None = None,
) -> Iterator[ScreenTable]:
    """Read a matrix.

    Parameters
    ----------
    path : Path
    kind : str
        What it holds: `pairs`, `samples`, or `auto`, which is pairs if the names on both axes are those of genes.
    condition : str, optional
        Name of the sample to read, see `sample_matrix.find_sample`.
    size : int
        Approximate size of a block in bytes.
    is_gene : callable, optional
        Whether the cell graph knows a name.

    Raises
    ------
    DataError
        The file is no matrix, has text instead of a number, or does not have the one sample that is asked for.
    """
    matrix = open_matrix(path, size, kind != AUTO)
    if matrix is None or not len(matrix.columns):
        raise DataError(f"{path} is no matrix - names in its first row and column, and numbers elsewhere were expected")
    if kind == "samples":
        tables = read_samples(matrix, condition, size, is_gene)
    else:
        tables = read_pairs(matrix, kind == AUTO, is_gene)
    num_rows = 0
    for table in tables:
        num_rows += len(table)
        yield table
    if not num_rows:
        raise DataError(f"{path} has no value to read - a matrix of numbers was expected")


def recognize(path: Path, kind: str, size: int = BLOCK_SIZE) -> str:
    """What a file holds if it is a matrix.

    Parameters
    ----------
    path, kind, size
        As in `read_matrix`.

    Returns
    -------
    str
        `pairs`, `samples`, `auto` (pairs, by its names), `unclear` (a matrix, but its names do not say of what), or an
        empty text if it is no matrix.
    """
    matrix = open_matrix(path, size, kind != AUTO)
    if matrix is None or not len(matrix.columns):
        return ""
    return kind if kind != AUTO or are_genes(matrix.rows(), matrix.columns) else UNCLEAR
