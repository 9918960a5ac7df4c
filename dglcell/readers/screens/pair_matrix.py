"""Matrices of pairs: genes on both axes, and each value the interaction of one pair (E-MAP, SGA).

Collins et al. 2007, doi:10.1038/nature05649; Costanzo et al. 2010, doi:10.1126/science.1180823.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, setting, warn
from dglcell.readers import gene_names
from dglcell.readers.screens.matrix_genes import are_ids, are_queries, axes, genes_of, matrix_table, strains
from dglcell.readers.screens.screen_table import ScreenTable
from dglcell.readers.screens.strains import IsGene, Strain, parse_strain
from dglcell.readers.tables.layout import Layout
from dglcell.readers.tables.matrix import Axis, Matrix

PAIRS: Final = Layout(
    name="matrix of pairs",
    reads="each value is the gene_interaction of the genes of its row (query) and column (array)",
    example="ORF\tNAME\tYBR123C_dma3\tYER095W_dma7\tYGL163C_dma9\nYAL001C_sn1\ttfc3\t-0.12\t0.03\t\n",
    source="E-MAP and SGA scores, also as .cdt files of Cluster and TreeView",
)
_CELLS: Final = 1 << 20  # values in one block
_MIN_COLUMNS: Final = 3  # of a matrix that is recognized without being told


def read_pairs(matrix: Matrix, is_guess: bool, is_gene: IsGene | None = None) -> Iterator[ScreenTable]:
    """Read a matrix of pairs; all of its values are in memory, with 4 bytes each.

    Two values of the same two strains, on either side of the diagonal, are two measurements if they differ. If they are
    equal, they are taken for one, and which of the strains was the query counts as unknown.

    Parameters
    ----------
    matrix : Matrix
    is_guess : bool
        Whether nobody said that it is one: its names must then be those of genes.
    is_gene : callable, optional
        Whether the cell graph knows a name.

    Raises
    ------
    DataError
        The matrix has no rows or text instead of a number, or may be no matrix of pairs.
    """
    columns = matrix.columns
    names: list[tuple[str, ...]] = []
    lines: list[int] = []
    parts = []
    for block in matrix.read(columns.lines):
        names += zip(*(block.cells(k) for k in range(matrix.first)), strict=True)
        lines += block.lines.tolist()
        parts.append(np.stack([block.numbers[k] for k in columns.lines], axis=1).astype(np.float32))
    if not parts:
        raise DataError(f"{matrix.path} has no rows of values - a matrix of numbers was expected")
    rows, values = Axis(matrix.titles, names, lines), np.concatenate(parts)
    queries, arrays = strains(rows), strains(columns)
    parsed = [[parse_strain(name, is_gene=is_gene) for name in names] for names in (queries, arrays)]
    is_self = _same_genes(*parsed)
    if is_guess:
        if not are_genes(rows, columns):
            raise unknown_matrix(matrix.path, rows, columns)
        _require_no_similarity(matrix.path, values[is_self])
        warn(
            f"{matrix.path} is read as a matrix of interactions of pairs ({axes(rows, columns)}) - "
            f"{setting('matrix', 'pairs')} says so without this warning"
        )
    is_transposed = are_queries(arrays) and not are_queries(queries)
    shape = f"pairs, {axes(rows, columns)}, queries in {'columns' if is_transposed else 'rows'}"
    counts = {
        "columns without a name, left out": matrix.width - matrix.first - len(columns),
        "values missing": int(np.isnan(values).sum()),
        "values in rows or columns without a gene, left out": _leave_out(values, _unnamed(*parsed)),
        "values of a gene with itself, left out": _leave_out(values, is_self),
    }
    is_mirrored, is_second = _mirrored(values, queries, arrays)
    counts["values equal to the one across the diagonal, left out"] = _leave_out(values, is_second)
    step = max(1, _CELLS // len(columns))
    for start in range(0, len(rows), step):
        row, column = np.nonzero(np.isfinite(values[start : start + step]))
        row += start
        sides = [(parsed[0], row), (parsed[1], column)]
        if is_transposed:
            sides.reverse()
        scores, line = values[row, column], np.array(lines, dtype=np.int64)[row]
        table = matrix_table(matrix.path, PAIRS, sides, schema.INTERACTION, scores, line, shape, counts)
        num_query = np.array([len(genes_of(strain)) for strain in sides[0][0]])[sides[0][1]]
        query = np.where(is_mirrored[row, column], 0, num_query).astype(np.int8)
        yield dataclasses.replace(table, query=query)
        counts = {}


def are_genes(rows: Axis, columns: Axis) -> bool:
    """Whether both axes have genes, by their names alone: they are systematic ids, or half of them are on both."""
    queries, arrays = strains(rows), strains(columns)
    num_common = len(set(queries) & set(arrays))
    is_square = 2 * num_common >= min(len(queries), len(arrays))
    return len(arrays) >= _MIN_COLUMNS and (is_square or (are_ids(queries) and are_ids(arrays)))


def unknown_matrix(path: Path, rows: Axis, columns: Axis) -> DataError:
    """The error for a matrix of which nobody says what it holds."""
    return DataError(
        f"{path} is a matrix, but of what (rows: {rows}; columns: {columns}) - give {setting('matrix', 'pairs')} if "
        f"each number is the interaction of two genes, or {setting('matrix', 'samples')} with {setting('condition')} "
        "if one axis has genes and the other samples"
    )


def _require_no_similarity(path: Path, diagonal: NDArray[np.float32]) -> None:
    known = diagonal[np.isfinite(diagonal)]
    if len(known) >= _MIN_COLUMNS and (known == 1).all():
        raise DataError(
            f"{path} has 1 wherever a gene meets itself, as a matrix of correlations has - interactions were expected; "
            f"if they are interactions, give {setting('matrix', 'pairs')}"
        )


def _leave_out(values: NDArray[np.float32], is_left_out: NDArray[np.bool_]) -> int:
    """Set values to NaN; returns the number of those that were not missing."""
    count = int((is_left_out & np.isfinite(values)).sum())
    values[is_left_out] = np.nan
    return count


def _unnamed(queries: Sequence[Strain], arrays: Sequence[Strain]) -> NDArray[np.bool_]:
    """(rows, columns) values of a strain without a gene."""
    return np.array([not genes_of(name) for name in queries])[:, None] | np.array(
        [not genes_of(name) for name in arrays]
    )


def _same_genes(queries: Sequence[Strain], arrays: Sequence[Strain]) -> NDArray[np.bool_]:
    """(rows, columns) values of two strains that share a gene, by name."""
    is_same = np.zeros((len(queries), len(arrays)), dtype=np.bool_)
    rows_of: dict[str, list[int]] = {}
    for row, strain in enumerate(queries):
        for gene in _genes(strain):
            rows_of.setdefault(gene, []).append(row)
    for column, strain in enumerate(arrays):
        for gene in _genes(strain):
            is_same[rows_of.get(gene, []), column] = True
    return is_same


def _genes(strain: Strain) -> set[str]:
    return {next(iter(gene_names.variants(name)), name).casefold() for name, _ in genes_of(strain)}


def _mirrored(
    values: NDArray[np.float32], queries: Sequence[str], arrays: Sequence[str]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(rows, columns) values equal to that of the same two strains across the diagonal, and the second one of each."""
    row_of = {name: k for k, name in reversed(list(enumerate(queries)))}
    column_of = {name: k for k, name in reversed(list(enumerate(arrays)))}
    row = np.array([row_of.get(name, -1) if column_of[name] == k else -1 for k, name in enumerate(arrays)])
    shared = np.flatnonzero(row >= 0)  # columns whose strain has a row, too
    is_mirrored = np.zeros(values.shape, dtype=np.bool_)
    is_second = np.zeros(values.shape, dtype=np.bool_)
    for k, name in enumerate(queries):
        if name in column_of and row_of[name] == k:
            is_mirrored[k, shared] = values[k, shared] == values[row[shared], column_of[name]]
            is_second[k, shared] = is_mirrored[k, shared] & (row[shared] < k)
    return is_mirrored, is_second
