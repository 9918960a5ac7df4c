"""Gene features -> ids and a matrix of numbers.

HDF5 with datasets `ids` and `x`; a table of id and numbers (text or workbook), with or without a header; or a gene
annotation, whose descriptions are turned into numbers (`annotation_networks.description_features`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import compression, text_files
from dglcell.readers.annotation_networks import description_features
from dglcell.readers.annotations import annotation_layout
from dglcell.readers.tables.column_map import ColumnMap
from dglcell.readers.tables.columns import ColumnSpec, read_columns
from dglcell.readers.tables.layout import Layout
from dglcell.readers.tables.table import Table, open_table


@dataclass(frozen=True, kw_only=True)
class FeatureLayout(Layout):
    """A table of genes and numbers, with any names of columns."""

    wide_titles: bool = False

    def match_header(self, header: Sequence[str]) -> dict[str, int] | None:
        """The first column as that of the genes, if none of the others is called by a number."""
        is_header = bool(header) and not any(text_files.is_number(name, missing=False) for name in header[1:])
        return {"gene": 0} if is_header else None


LAYOUTS: Final = (
    FeatureLayout(
        name="table of features",
        reads="gene in the first column, numbers in all others; with or without a header",
        example="gene,length,expression\nYAL001C,3573,0.21\nYAL002W,3825,0.35\n",
        columns={"gene": ".*"},
        positions={"gene": 0},
        cells={"gene": r"[^>{<]*"},
        widths=range(2, 1 << 20),
    ),
)
CUSTOM: Final = FeatureLayout(name="columns as given", reads="", example="", columns={"gene": ""})


@dataclass(frozen=True, repr=False)
class FeatureTable:
    """Feature rows of genes.

    Attributes
    ----------
    path, layout : str
        The file and its format.
    ids : tuple of str
        Distinct genes, named as in the file.
    x : (n, d) float32
        Finite numbers.
    report : dict
        Counts of rows and columns.
    """

    path: str
    layout: str
    ids: tuple[str, ...]
    x: NDArray[np.float32]
    report: dict[str, int | str] = field(default_factory=dict)

    def __repr__(self) -> str:
        size = f"{self.x.shape[0]:,} genes x {self.x.shape[1]:,} columns"
        return f"FeatureTable: {size} from {Path(self.path).name} ({self.layout})"


def read_features(path: Path | str, maps: Sequence[ColumnMap] = ()) -> FeatureTable:
    """Read gene features; the format is recognized by content.

    Parameters
    ----------
    path : Path
    maps : sequence of ColumnMap
        The column `gene`, if the user names it; by default the first one.

    Raises
    ------
    DataError
        The file cannot be read, its format is unknown, its datasets do not match, an id occurs twice, or a value is not
        a finite number; the message gives the line, or the row in HDF5.
    """
    path = Path(path)
    if path.is_file() and compression.first_bytes(path, 4) == b"\x89HDF":
        layout, ids, x, origins = _read_hdf5(path)
    else:
        layout, ids, x, origins = _read_table(path, maps)
    return check_features(str(path), layout, ids, x, origins)


def check_features(
    path: str, layout: str, ids: Sequence[str], x: NDArray[np.float32], origins: Sequence[str]
) -> FeatureTable:
    """A checked feature table from ids and numbers.

    Parameters
    ----------
    path, layout : str
        See `FeatureTable`.
    ids : sequence of str, n
    x : (n, d) float32
    origins : sequence of str, n
        Source of each row (`file:line`), for error messages.

    Raises
    ------
    DataError
        An id is empty or repeated, or a number is not finite; all problems at once.
    """
    problems = ErrorCollector()
    first_origins: dict[str, str] = {}
    for gene, origin in zip(ids, origins, strict=True):
        if not gene:
            problems.add(f"{origin}: an empty gene id - every row needs one")
        elif gene in first_origins:
            problems.add(
                f"{origin}: duplicate gene id '{gene}', first at {first_origins[gene]} - give each gene one row"
            )
        first_origins.setdefault(gene, origin)
    for k in np.flatnonzero(~np.isfinite(x).all(axis=1)).tolist():
        problems.add(
            f"{origins[k]}: a feature of '{ids[k]}' is missing or not finite - fill it in or leave the gene out"
        )
    problems.check()
    return FeatureTable(path, layout, tuple(ids), x, {"rows": len(ids), "columns": int(x.shape[1])})


_Content = tuple[str, list[str], NDArray[np.float32], list[str]]  # layout, ids, x, file and line of each row


def _read_hdf5(path: Path) -> _Content:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if {"obs", "var", "X"} <= set(file):
                raise DataError(
                    f"{path} is an AnnData file (.h5ad) - a table of genes and numbers was expected; write the matrix "
                    "with `adata.to_df().T.to_csv(FILE)`, or the genes' own numbers with `adata.var.to_csv(FILE)`"
                )
            if not {"ids", "x"} <= set(file):
                names = ", ".join(sorted(file)) or "nothing"
                raise DataError(f"{path}: HDF5 file with {names} - datasets 'ids' and 'x' were expected")
            raw_ids, values = file["ids"][()], file["x"][()]
    except DataError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        reason = text_files.shorten(str(error), 80)
        raise DataError(f"{path}: HDF5 file cannot be read ({reason}) - write the file again") from error
    values = np.asarray(values)
    if np.ndim(raw_ids) != 1 or values.ndim != 2 or len(raw_ids) != len(values) or not values.size:
        shapes = f"ids {np.shape(raw_ids)}, x {values.shape}"
        raise DataError(f"{path}: {shapes} - ids (n,) and x (n, d) were expected, n and d at least 1")
    if not (np.issubdtype(values.dtype, np.number) or values.dtype == np.bool_):
        raise DataError(f"{path}: dataset x holds {values.dtype} - numbers were expected")
    ids = [_text(path, item) for item in raw_ids]
    with np.errstate(over="ignore"):  # a value beyond float32 becomes infinite, which the caller refuses
        x = values.astype(np.float32)
    return "HDF5", ids, x, [f"{path} row {k}" for k in range(len(ids))]


def _text(path: Path, item: Any) -> str:
    if isinstance(item, bytes):
        return item.decode("utf-8", errors="replace").strip()
    if isinstance(item, str):
        return item.strip()
    raise DataError(f"{path}: dataset ids holds {type(item).__name__} - text was expected")


def _read_table(path: Path, maps: Sequence[ColumnMap]) -> _Content:
    """A table of an id and numbers, or the descriptions of a gene annotation."""
    if annotation_layout(path) is not None:
        ids, x = description_features(path)
        return "gene descriptions", ids, x, [str(path)] * len(ids)
    table = open_table(path, LAYOUTS, "feature table", maps, CUSTOM)
    gene = table.columns["gene"] if table.layout is CUSTOM else 0  # also where the header has no cell for row names
    columns = [column for column in range(table.width) if column != gene]
    _refuse_text(table, columns)
    names = {column: _column_name(table, column) for column in columns}
    spec = ColumnSpec(table.width, [gene], names, table.delimiter, table.decimal_of(columns))
    problems = ErrorCollector()
    blocks = [read_columns(path, block, spec, problems) for block in table.blocks]
    problems.check()
    ids = [name for block in blocks for name in block.cells(gene)]
    if not ids:
        raise DataError(f"{path} has a header and no rows - an id and numbers in each row were expected")
    with np.errstate(over="ignore"):  # a value beyond float32 becomes infinite, which the caller refuses
        x = np.concatenate([np.stack([b.numbers[k] for k in columns], axis=1) for b in blocks]).astype(np.float32)
    return "table", ids, x, [f"{path}:{line}" for block in blocks for line in block.lines.tolist()]


def _refuse_text(table: Table[FeatureLayout], columns: Sequence[int]) -> None:
    """Raise DataError for columns of text, by the first rows."""
    text: dict[str, str] = {}
    for column in columns:
        cells = [row[column].strip() for row in table.first_rows if len(row) == table.width]
        words = [cell for cell in cells if not text_files.is_number(cell.replace(",", "."))]
        if len(words) * 2 > len(cells):
            text[_column_name(table, column)] = words[0]
    if text:
        shown = ", ".join(f"{name} ('{text_files.shorten(word, 20)}')" for name, word in text.items())
        columns_of_text = "column" if len(text) == 1 else "columns"
        raise DataError(
            f"{table.path}: text in {columns_of_text} {text_files.shorten(shown, 200)} - a gene id and numbers were "
            "expected; leave these columns out, or turn them into numbers"
        )


def _column_name(table: Table[FeatureLayout], column: int) -> str:
    return table.header[column].strip() if table.header and table.header[column].strip() else str(column)
