"""pandas DataFrames -> the same records as from files, by the same rules and with the same messages.

Messages count rows from 1: `data frame:3` is the third row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dglcell.errors import DataError, ErrorCollector, number_of
from dglcell.readers import networks, text_files
from dglcell.readers.edge_table import EdgeTable
from dglcell.readers.features import FeatureTable, check_features
from dglcell.readers.network_layout import MATRIX
from dglcell.readers.screens.screen_layouts import LAYOUTS, ScreenLayout
from dglcell.readers.screens.screen_reader import ScreenReader
from dglcell.readers.screens.screen_table import ScreenTable
from dglcell.readers.screens.strains import SEPARATOR, IsGene
from dglcell.readers.tables.chunked_text import Block
from dglcell.readers.tables.columns import columns_of_rows
from dglcell.readers.tables.table import Table

if TYPE_CHECKING:
    from pandas import DataFrame

SOURCE: Final = "data frame"
_SAMPLE: Final = 50  # rows by which a layout is recognized
_PATH = Path(SOURCE)


def genotypes_of_frame(
    frame: DataFrame, labels: bool = True, unlabeled: bool | None = True, is_gene: IsGene | None = None
) -> ScreenTable:
    """Genotypes and labels from a data frame, as `read_screen` reads them from a table with such a header.

    Parameters
    ----------
    frame : pandas.DataFrame
        A column `genes` (text joined by `;`, or a list of names in each row) or columns `gene_1`, `gene_2`, ..; label
        columns `schema.LABEL_COLUMNS`; or the columns of any layout of a screen. Further columns and the index are
        ignored. A row without genes is the wild type.
    labels : bool
        Read the labels, not only the genes.
    unlabeled : bool, optional
        Whether there need not be a column of labels. `None` means no, and that the caller has no such choice.
    is_gene : callable, optional
        Whether the cell graph knows a name. An id that it knows is not split.

    Raises
    ------
    DataError
        There are no columns of genes or both kinds, two columns of one meaning, no label, no rows, or text instead of a
        number.
    """
    table = _table(tuple(map(str, frame.columns)))
    if not len(frame):
        raise DataError(f"{SOURCE} has no rows - one genotype per row was expected")
    problems = ErrorCollector()
    reader = ScreenReader(table, is_gene=is_gene, labels=labels, unlabeled=unlabeled)
    rows = [[_gene_cell(value) for value in row] for row in frame.itertuples(index=False, name=None)]
    columns = columns_of_rows(_PATH, rows, range(1, len(rows) + 1), reader.spec, problems)
    return reader.screen(columns, problems)


def edges_of_frame(frame: DataFrame, kind: str) -> EdgeTable:
    """Edges from a data frame, as `read_network` reads them from a table with these columns.

    Parameters
    ----------
    frame : pandas.DataFrame
        Two columns of gene names, with a weight or, in a regulatory network, a sign as third; columns that are named
        as in one of the known layouts; or a matrix with genes in its index and its columns.
    kind : str

    Raises
    ------
    DataError
        The columns are of no known layout, there is no row, an empty name, or an unknown sign.
    """
    if not len(frame):
        raise DataError(f"{SOURCE} has no rows - two genes per row were expected")
    layouts = networks.layouts_of(kind)
    names = ["" if isinstance(name, int) else str(name).strip() for name in frame.columns]
    if _is_matrix(frame):
        rows = [
            ["", *names],
            *([index, *row] for index, row in zip(map(_cell, frame.index), _cells(frame), strict=True)),
        ]
        layouts, names = [layout for layout in layouts if layout.rows == MATRIX], []
    else:
        rows = _cells(frame)
    for layout in layouts:
        columns = layout.match_header(names) if layout.columns else None
        header: tuple[str, ...] = tuple(names) if columns is not None else ()
        columns = columns or (layout.match_rows(rows[:_SAMPLE]) if layout.positions else None)
        if columns is not None:
            text = io.StringIO()
            csv.writer(text, delimiter="\t", lineterminator="\n").writerows(rows)
            first_line = 0 if layout.rows == MATRIX else 1
            blocks = iter([Block(first_line, text.getvalue().encode())])
            width = len(rows[0])
            table = Table(_PATH, layout, columns, header, width, "\t", rows[:_SAMPLE], blocks, first_line)
            return networks.read_table(table, kind)
    excerpt = text_files.shorten(", ".join(map(str, frame.columns)), 60)
    raise DataError(
        f"{SOURCE}: {number_of(frame.shape[1], 'column')} ({excerpt}) of no known layout in a {kind} network - two "
        "columns of genes, with a weight or, in a regulatory network, a sign as third were expected, or a matrix with "
        "genes in index and columns"
    )


def _cells(frame: DataFrame) -> list[list[str]]:
    return [[_cell(value) for value in row] for row in frame.itertuples(index=False, name=None)]


def _is_matrix(frame: DataFrame) -> bool:
    """Whether all cells are numbers, and the index holds names."""
    from pandas.api.types import is_numeric_dtype

    return all(map(is_numeric_dtype, frame.dtypes)) and not is_numeric_dtype(frame.index)


def features_of_frame(frame: DataFrame) -> FeatureTable:
    """Gene features from a data frame with genes in its index and numbers in its columns.

    Raises
    ------
    DataError
        A column is not numeric, a gene is empty or occurs twice, or a number is missing or infinite.
    """
    text = [str(name) for k, name in enumerate(frame.columns) if not _is_numeric(frame.iloc[:, k])]
    if text:
        columns = f"{'column' if len(text) == 1 else 'columns'} {text_files.shorten(', '.join(text), 200)}"
        raise DataError(
            f"{SOURCE}: features hold text in {columns} - genes in the index and numbers in all columns were expected"
        )
    with np.errstate(over="ignore"):
        x = frame.to_numpy(dtype=np.float32)
    if not x.size:
        raise DataError(
            f"{SOURCE}: features of shape {x.shape} - one row per gene and at least one column were expected"
        )
    ids = [_cell(value) for value in frame.index]
    return check_features(SOURCE, SOURCE, ids, x, [f"{SOURCE}:{k}" for k in range(1, len(ids) + 1)])


def _table(header: tuple[str, ...]) -> Table[ScreenLayout]:
    """A table of the layout of a screen, without rows."""
    for layout in LAYOUTS:
        columns = layout.match_header(header) if layout.columns else None
        if columns is not None:
            return Table(_PATH, layout, columns, header, len(header), "\t", [], iter(()), 0)
    excerpt = text_files.shorten(", ".join(header), 60)
    raise DataError(f"{SOURCE}: no column of genes in '{excerpt}' - columns 'genes' or 'gene_1', .. were expected")


def _is_numeric(column: Any) -> bool:
    try:
        column.to_numpy(dtype=np.float32)
    except (ValueError, TypeError):
        return False
    return True


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    import pandas

    return "" if pandas.isna(value) else str(value)


def _gene_cell(value: Any) -> str:
    """One gene, or a list of genes, each of which ends in `;` and so is not split."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "".join(_cell(gene) + SEPARATOR for gene in value)
    return _cell(value)
