"""Matrices of genes by genes -> edges.

A non-zero cell is an edge; other numbers than 1 and -1 are weights (`network_values`). In regulation, either axis may
hold the transcription factors. It is found from the names and the size of both axes, and never guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, ErrorCollector, setting
from dglcell.readers import network_values
from dglcell.readers.edge_table import REGULATORY, EdgeTable
from dglcell.readers.network_layout import NetworkLayout
from dglcell.readers.tables.columns import ColumnSpec, read_columns
from dglcell.readers.tables.table import Table

AUTO, FACTORS, TARGETS = "auto", "factors", "targets"
_PLACEHOLDER = re.compile(
    r"(?i)(uncharacterized|unknown|unnamed(: ?\d+)?|hypothetical|unassigned|n/?a|nan|none|null|-*|\?)([._]\d+)?"
)
_PROTEIN = re.compile(r"[A-Z][a-z]+\d+(?:,\d+)?[A-Za-z]?p")
_FACTOR_CORNER = re.compile(r"(?i)(tfs?|regulators?|(transcription[ _]?)?factors?)")
_TARGET_CORNER = re.compile(r"(?i)(targets?|targets?[ _]?(genes?|ids?)|genes?|gene[ _]?(ids?|names?)|orfs?)")
_MOST, _SIZE_RATIO = 0.8, 2


class _Cells(NamedTuple):
    """The cells that are not 0, and the names of both axes."""

    row_names: list[str]
    column_names: list[str]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: NDArray[np.float64]
    num_empty: int


def read_matrix(table: Table[NetworkLayout], kind: str, matrix_rows: str = AUTO) -> EdgeTable:
    """Read a matrix.

    Parameters
    ----------
    table : Table
    kind : str
        Kind of network. In one that is not regulatory, rows and columns are the same genes.
    matrix_rows : str
        What the rows of a regulatory matrix are: `factors`, `targets`, or `auto`.

    Raises
    ------
    DataError
        A gene has two columns that differ, a row has another width, a cell is not a number, it is unknown which axis
        has the factors, or the axes of an undirected network have different genes.
    """
    table = table.with_header()
    cells, corner = _read_cells(table)
    report: dict[str, int | str] = {"rows": len(cells.row_names)}
    cells = _with_usable_names(table, cells, report)
    if cells.num_empty:
        report["empty cells, no edges"] = cells.num_empty
    rows, columns = (list(filter(_is_usable, names)) for names in (cells.row_names, cells.column_names))
    size = f"{len(rows):,} x {len(columns):,}"
    rows_are_factors = True
    if kind == REGULATORY:
        rows_are_factors = _rows_are_factors(table, rows, columns, corner, matrix_rows)
        report["matrix"] = f"{FACTORS if rows_are_factors else TARGETS} in rows: {size}"
    else:
        _check_same_genes(table, rows, columns, kind)
        report["matrix"] = f"genes in rows and columns: {size}"
    values = network_values.weights(cells.value, "", kind)
    report.update({key.replace("column ", "cells"): text for key, text in values.report.items()})
    is_unit = set(np.unique(np.abs(cells.value)).tolist()) <= {1.0}
    row_ends = np.array([*cells.row_names, ""], dtype=object)[cells.row].tolist()
    column_ends = np.array([*cells.column_names, ""], dtype=object)[cells.column].tolist()
    a, b = (row_ends, column_ends) if rows_are_factors else (column_ends, row_ends)
    layout = "regulatory matrix" if kind == REGULATORY else "matrix"
    return EdgeTable(str(table.path), layout, a, b, values.sign, report, None if is_unit else values.confidence)


def _is_usable(name: str) -> bool:
    """Whether a name may be that of a gene."""
    return not _PLACEHOLDER.fullmatch(name)


def _with_usable_names(table: Table[NetworkLayout], cells: _Cells, report: dict[str, int | str]) -> _Cells:
    """The cells in rows and columns with names of their own."""
    usable_rows, usable_columns = (
        np.array([_is_usable(name) for name in names], dtype=np.bool_)
        for names in (cells.row_names, cells.column_names)
    )
    for noun, is_usable in (("rows", usable_rows), ("columns", usable_columns)):
        if not is_usable.all():
            report[f"{noun} without a name of their own, left out"] = int(np.count_nonzero(~is_usable))
    is_kept = usable_rows[cells.row] & usable_columns[cells.column]
    is_kept &= _first_of_equal_columns(table, cells, usable_columns, report)
    return cells._replace(row=cells.row[is_kept], column=cells.column[is_kept], value=cells.value[is_kept])


def _read_cells(table: Table[NetworkLayout]) -> tuple[_Cells, str]:
    """All cells, and the text of the corner; the header may lack the corner."""
    width = Counter(map(len, table.first_rows[1:])).most_common(1)[0][0]
    header = [name.strip() for name in table.header]
    column_names = header[len(header) - width + 1 :]
    corner = header[0] if len(header) == width else ""
    names = {k: name or str(k + 1) for k, name in enumerate(column_names, start=1)}
    spec = ColumnSpec(width, [0], names, table.delimiter, table.decimal_of(list(names)))
    row_names: list[str] = []
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    num_empty = 0
    for block in table.blocks:
        problems = ErrorCollector()
        columns = read_columns(table.path, block, spec, problems)
        problems.check()
        values = np.stack([columns.numbers[k] for k in names], axis=1)
        is_empty = np.isnan(values)
        num_empty += int(np.count_nonzero(is_empty))
        row, column = np.nonzero(~is_empty & (values != 0))
        parts.append((row + len(row_names), column, values[row, column]))
        row_names += columns.cells(0)
    if not parts:
        raise DataError(f"{table.path} has a row of names and no further rows - a matrix was expected")
    row, column, value = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return _Cells(row_names, column_names, row, column, value, num_empty), corner


def _first_of_equal_columns(
    table: Table[NetworkLayout], cells: _Cells, is_usable: NDArray[np.bool_], report: dict[str, int | str]
) -> NDArray[np.bool_]:
    """Which cells are not in a repetition of a column; columns of one name that differ are an error."""
    problems = ErrorCollector()
    first: dict[str, int] = {}
    repeated: list[int] = []
    content: dict[int, bytes] = {}
    counts = Counter(cells.column_names)
    for k, name in enumerate(cells.column_names):
        if not is_usable[k] or counts[name] == 1:
            continue
        content[k] = b"".join(array[cells.column == k].tobytes() for array in (cells.row, cells.value))
        if name not in first:
            first[name] = k
        elif content[k] == content[first[name]]:
            repeated.append(k)
        else:
            problems.add(f"{table.path}:{table.header_line}: '{name}' has two columns that differ - one was expected")
    problems.check()
    if repeated:
        report["columns equal to another of the same name, merged"] = len(repeated)
    return ~np.isin(cells.column, repeated)


def _rows_are_factors(
    table: Table[NetworkLayout], rows: Sequence[str], columns: Sequence[str], corner: str, matrix_rows: str
) -> bool:
    """Whether the rows of a regulatory matrix are the transcription factors."""
    if matrix_rows != AUTO:
        return matrix_rows == FACTORS
    signs: dict[str, bool] = {}  # what speaks for factors in rows (True) or in columns
    proteins = [sum(bool(_PROTEIN.fullmatch(n)) for n in names) > _MOST * len(names) for names in (rows, columns)]
    if proteins[0] != proteins[1]:
        signs["names of proteins"] = proteins[0]
    sets = [{_gene(name) for name in names} for names in (rows, columns)]
    common = len(sets[0] & sets[1])
    is_subset = [common > _MOST * len(names) for names in sets]
    if is_subset[0] != is_subset[1]:
        signs["names that are genes of the other axis, too"] = is_subset[0]
    if _FACTOR_CORNER.fullmatch(corner) or _TARGET_CORNER.fullmatch(corner):
        signs[f"the first cell, '{corner}'"] = bool(_FACTOR_CORNER.fullmatch(corner))
    if len(rows) >= _SIZE_RATIO * len(columns) or len(columns) >= _SIZE_RATIO * len(rows):
        signs["the smaller number"] = len(rows) < len(columns)
    if len(set(signs.values())) == 1:
        return next(iter(signs.values()))
    why = "; ".join(f"{name}: in {'rows' if is_row else 'columns'}" for name, is_row in signs.items())
    raise DataError(
        f"{table.path} is a matrix of {len(rows):,} rows ({_some(rows)}) and {len(columns):,} columns "
        f"({_some(columns)}), and it is not clear which are the transcription factors ({why or 'nothing tells'}) - say "
        f"it by {setting('matrix_rows', FACTORS)} or {setting('matrix_rows', TARGETS)}"
    )


def _gene(name: str) -> str:
    return (name[:-1] if _PROTEIN.fullmatch(name) else name).casefold()


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", .." if len(names) > 3 else "")


def _check_same_genes(table: Table[NetworkLayout], rows: Sequence[str], columns: Sequence[str], kind: str) -> None:
    common = len(set(rows) & set(columns))
    if common * 2 < min(len(set(rows)), len(set(columns))):
        raise DataError(
            f"{table.path} is a matrix whose rows ({_some(rows)}) and columns ({_some(columns)}) name different genes "
            f"- a {kind} network has the same genes in both; a table of measurements is no network, and a matrix of "
            "factors and targets is a regulatory network"
        )
