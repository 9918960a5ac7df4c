"""Matrices of samples and genes, in which each value is the fitness of a deletion in one sample (strain, line, medium).

DepMap (Meyers et al. 2017, doi:10.1038/ng.3984) and the Fitness Browser (Price et al. 2018,
doi:10.1038/s41586-018-0124-0) give effects and log ratios, with a wild type of 0; values are taken as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, ErrorCollector, setting
from dglcell.readers import text_files
from dglcell.readers.screens.matrix_genes import axes, matrix_table, strains
from dglcell.readers.screens.screen_table import ScreenTable
from dglcell.readers.screens.strains import IsGene, parse_strain
from dglcell.readers.tables.layout import Layout
from dglcell.readers.tables.matrix import Axis, Matrix, open_matrix

SAMPLES: Final = Layout(
    name="matrix of samples and genes",
    reads=f"one sample ({setting('condition')}): each gene is a single deletion, and its value, as it is, the fitness",
    example=",A1BG (1),A1CF (29974)\nACH-000001,-0.1,0.2\nACH-000002,0.1,\n",
    source="DepMap, Fitness Browser",
)


def read_samples(
    matrix: Matrix, condition: str | None, size: int, is_gene: IsGene | None = None
) -> Iterator[ScreenTable]:
    """Read one sample of a matrix of samples and genes, whichever of them has the rows.

    Parameters
    ----------
    matrix : Matrix
    condition : str, optional
        Name of the sample; see `find_sample`. Needed unless there is a single column of values.
    size : int
        Approximate size of a block in bytes.
    is_gene : callable, optional
        Whether the cell graph knows a name.

    Raises
    ------
    DataError
        The name does not fit exactly one sample, or there is text instead of a number.
    """
    rows, columns = matrix.rows(), matrix.columns
    in_rows, in_columns = find_sample(matrix.path, rows, columns, condition)
    chosen = [rows.names[k] for k in in_rows] + [columns.names[k] for k in in_columns]
    shape = f"samples in {'rows' if in_rows else 'columns'}, {axes(rows, columns)}"
    sample = "; ".join(" ".join(filter(None, names)) for names in chosen)
    names = strains(columns if in_rows else rows)
    genes = [parse_strain(name, is_gene=is_gene) for name in names]
    has_name = np.array([bool(name) for name in names], dtype=np.bool_)
    again = open_matrix(matrix.path, size, numeric_names=True)  # its rows were read to the end
    if again is None:
        raise DataError(f"{matrix.path} has changed while it was read - read it again")
    for lines, gene, values in _values(again, rows, columns, in_rows, in_columns):
        is_named, is_known = has_name[gene], np.isfinite(values)
        counts = {
            "values missing": int((~is_known).sum()),
            "values of genes without a name, left out": int((is_known & ~is_named).sum()),
        }
        used = is_known & is_named
        column = (genes, gene[used])
        table = matrix_table(matrix.path, SAMPLES, [column], schema.FITNESS, values[used], lines[used], shape, counts)
        table.report["sample"] = sample
        yield table


_Values = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]  # line numbers, genes, values


def _values(
    matrix: Matrix, rows: Axis, columns: Axis, in_rows: Sequence[int], in_columns: Sequence[int]
) -> Iterator[_Values]:
    """The values of the samples; genes are numbers of rows or columns."""
    if in_rows:
        problems = ErrorCollector()
        for k, row in zip(in_rows, matrix.rows_at([rows.lines[k] for k in in_rows]), strict=True):
            cells = [row[column] for column in columns.lines]
            if matrix.decimal != ".":
                cells = [cell.replace(matrix.decimal, ".") for cell in cells]
            line = np.full(len(cells), rows.lines[k], dtype=np.int64)
            values = text_files.numbers(cells, line, matrix.path, "of a gene", problems)
            problems.check()
            yield line, np.arange(len(columns)), values
        return
    start = 0
    for block in matrix.read([columns.lines[k] for k in in_columns]):
        for k in in_columns:
            yield block.lines, np.arange(start, start + len(block)), block.numbers[columns.lines[k]]
        start += len(block)


def find_sample(path: Path, rows: Axis, columns: Axis, condition: str | None) -> tuple[list[int], list[int]]:
    """The rows, or else the columns, that are the sample of a name; several are repeats of it.

    The name is compared, in this sequence, with the first name of each row and column, with this name without its first
    word (the id of an experiment before its condition, as in `set1IT003 D-Glucose (C)`), and with their other names;
    then again without regard to case; at last, it may be a part of the first name. Only the first two may fit several.

    Raises
    ------
    DataError
        No sample is named, or the name fits none, several different ones, or both rows and columns.
    """
    axes = f"rows: {rows}; columns: {columns}"
    if condition is None:
        if len(columns) == 1:
            return [], [0]
        raise DataError(
            f"{path} is a matrix of samples and genes, but no sample is chosen ({axes}) - give the name of one with "
            f"{setting('condition')}"
        )
    for level in _LEVELS:
        found = [
            [k for k, names in enumerate(axis.names) if level.fits(names, condition.strip())]
            for axis in (rows, columns)
        ]
        in_rows, in_columns = found
        if not in_rows and not in_columns:
            continue
        if (in_rows and in_columns) or (len(in_rows + in_columns) > 1 and not level.may_repeat):
            names = [rows.names[k][0] for k in in_rows] + [columns.names[k][0] for k in in_columns]
            shown = ", ".join(f"'{text_files.shorten(name, 40)}'" for name in names[:5]) + ", .." * (len(names) > 5)
            raise DataError(
                f"{path}: {setting('condition', condition)} fits {len(names):,} names ({shown}) - give the whole name "
                "of one sample"
            )
        return in_rows, in_columns
    raise DataError(f"{path}: {setting('condition', condition)} fits no name ({axes}) - give the name of one sample")


class _Level(NamedTuple):
    """One way to compare a name with those of a sample."""

    compare: Callable[[tuple[str, ...], str], bool]
    ignores_case: bool
    may_repeat: bool

    def fits(self, names: tuple[str, ...], name: str) -> bool:
        if self.ignores_case:
            return self.compare(tuple(map(str.casefold, names)), name.casefold())
        return self.compare(names, name)


_WAYS: Final = (
    (lambda names, name: names[0] == name, True),
    (lambda names, name: names[0].partition(" ")[2].strip() == name, True),
    (lambda names, name: name in names, False),
)
_LEVELS: Final = (
    *(_Level(compare, ignores_case, may_repeat) for ignores_case in (False, True) for compare, may_repeat in _WAYS),
    _Level(lambda names, name: name in names[0], True, False),
)
