"""pandas DataFrames -> the same records as from files, by the same rules and with the same messages.

Messages count rows from 1: `data frame:3` is the third row.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.edge_table import REGULATORY, EdgeTable, is_target_first, parse_signs
from dglcell.readers.features import FeatureTable, check_features
from dglcell.readers.screens import genotype_table
from dglcell.readers.screens.screen_table import ScreenTable
from dglcell.readers.tables.chunked_text import Block

if TYPE_CHECKING:
    from pandas import DataFrame

SOURCE: Final = "data frame"
_PATH = Path(SOURCE)


def genotypes_of_frame(frame: DataFrame, labels: bool = True) -> ScreenTable:
    """Genotypes and labels from a data frame, as `read_screen` reads them from a genotype table.

    Parameters
    ----------
    frame : pandas.DataFrame
        A column `genes` (text joined by `;`, or a list of names in each row) or columns `gene_1`, `gene_2`, ..; label
        columns `schema.LABEL_COLUMNS`; further columns and the index are ignored.
    labels : bool
        Read the labels, not only the genes.

    Raises
    ------
    DataError
        There are no columns of genes or both kinds, two columns of one name, no rows, or text instead of a number.
    """
    names = [str(name).strip().lower() for name in frame.columns]
    columns = [k for k, name in enumerate(names) if genotype_table.is_used(name, labels)]
    if not any(genotype_table.is_gene_column(names[k]) for k in columns):
        excerpt = text_files.shorten(", ".join(map(str, frame.columns)), 60)
        raise DataError(f"{SOURCE}: no column of genes in '{excerpt}' - {genotype_table.EXPECTED} was expected")
    header = genotype_table.Header.of_names(SOURCE, [names[k] for k in columns])
    if not len(frame):
        raise DataError(f"{SOURCE} has no rows - one genotype per row was expected")
    cells = frame.iloc[:, columns].copy()
    cells.columns = range(len(columns))
    for k, name in enumerate(header.names):
        if genotype_table.is_gene_column(name):
            cells[k] = [_gene_cell(value) for value in cells[k]]
    text = cells.to_csv(sep=header.delimiter, header=False, index=False, lineterminator="\n")
    return header.read(_PATH, Block(1, text.encode()))


def edges_of_frame(frame: DataFrame, kind: str) -> EdgeTable:
    """Edges from a data frame with two columns of gene names and, in a regulatory network, an optional sign.

    Raises
    ------
    DataError
        There is another number of columns, no row, an empty name, or an unknown sign.
    """
    allowed = (2, 3) if kind == REGULATORY else (2,)
    if frame.shape[1] not in allowed:
        num_columns = text_files.quantity(frame.shape[1], "column")
        expected = (
            "two columns (transcription factor, target) with an optional sign"
            if kind == REGULATORY
            else "two columns of genes"
        )
        raise DataError(f"{SOURCE}: {num_columns} in a {kind} network - {expected} was expected")
    if not len(frame):
        raise DataError(f"{SOURCE} has no rows - two genes per row were expected")
    a, b, *sign = ([_cell(value) for value in frame.iloc[:, k]] for k in range(frame.shape[1]))
    problems = ErrorCollector()
    for number, ends in enumerate(zip(a, b, strict=True), start=1):
        if not all(ends):
            problems.add(f"{SOURCE}:{number}: an empty gene id - both columns need one")
    values = parse_signs(_PATH, sign[0], list(range(1, len(a) + 1)), problems) if sign else None
    problems.check()
    if kind == REGULATORY and is_target_first([str(name) for name in frame.columns]):
        a, b = b, a
    return EdgeTable(SOURCE, SOURCE, a, b, values, {"rows": len(a)})


def features_of_frame(frame: DataFrame) -> FeatureTable:
    """Gene features from a data frame with genes in its index and numbers in its columns.

    Raises
    ------
    DataError
        A column is not numeric, a gene is empty or occurs twice, or a number is missing or infinite.
    """
    try:
        with np.errstate(over="ignore"):
            x = frame.to_numpy(dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{SOURCE}: features hold text ({error}) - genes in the index and numbers in all columns were expected"
        ) from error
    if not x.size:
        raise DataError(
            f"{SOURCE}: features of shape {x.shape} - one row per gene and at least one column were expected"
        )
    ids = [_cell(value) for value in frame.index]
    return check_features(SOURCE, SOURCE, ids, x, [f"{SOURCE}:{k}" for k in range(1, len(ids) + 1)])


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    import pandas

    return "" if pandas.isna(value) else str(value)


def _gene_cell(value: Any) -> str:
    """One gene, or a list of genes joined by `;` as in a genotype table."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return genotype_table.SEPARATOR.join(_cell(gene) for gene in value)
    return _cell(value)
