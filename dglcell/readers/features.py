"""Gene features -> ids and a matrix of numbers.

HDF5 with datasets `ids` and `x`; a text table of id and numbers, with or without a header; or a gene annotation, whose
descriptions are turned into numbers (`annotation_networks.description_features`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.annotation_networks import description_features
from dglcell.readers.annotations import annotation_format

_EXPECTED = "HDF5 with datasets 'ids' and 'x', a table of id and numbers, SGD_features.tab or GFF3 was expected"


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


def read_features(path: Path | str) -> FeatureTable:
    """Read gene features; the format is recognized by content.

    Raises
    ------
    DataError
        The file cannot be read, its format is unknown, its datasets do not match, an id occurs twice, or a value is not
        a finite number; the message gives the line, or the row in HDF5.
    """
    path = Path(path)
    if path.is_file() and _is_hdf5(path):
        layout, ids, x, origins = _read_hdf5(path)
    else:
        layout, ids, x, origins = _read_table(path)
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


Table = tuple[str, list[str], NDArray[np.float32], list[str]]  # layout, ids, x, file and line of each row


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(4) == b"\x89HDF"


def _read_hdf5(path: Path) -> Table:
    import h5py

    try:
        with h5py.File(path, "r") as file:
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


def _read_table(path: Path) -> Table:
    lines = text_files.read_lines(path)
    if annotation_format(lines) is not None:
        ids, x = description_features(path)
        return "gene descriptions", ids, x, [str(path)] * len(ids)
    numbered = [(k, line) for k, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")]
    delimiter = text_files.find_delimiter([line for _, line in numbered])
    rows = [(line_number, text_files.split(line, delimiter)) for line_number, line in numbered]
    if rows and not any(text_files.is_number(cell, missing=False) for cell in rows[0][1][1:]):
        header, rows = rows[0][1], rows[1:]
    else:
        header = []
    if not rows or len(rows[0][1]) < 2:
        excerpt = text_files.shorten(lines[0])
        raise DataError(f"{path} has no rows with an id and numbers (it starts with '{excerpt}') - {_EXPECTED}")
    width = len(rows[0][1])
    names = header if len(header) == width else ["id", *(str(k) for k in range(1, width))]
    problems = ErrorCollector()
    complete = [(line_number, row) for line_number, row in rows if len(row) == width]
    for line_number, row in rows:
        if len(row) != width:
            num_columns = text_files.quantity(len(row), "column")
            problems.add(f"{path}:{line_number}: {num_columns} - {width} were expected, as in the first row")
    line_numbers = [line_number for line_number, _ in complete]
    x = np.empty((len(complete), width - 1), dtype=np.float32)
    for k in range(1, width):
        with np.errstate(over="ignore"):
            x[:, k - 1] = text_files.numbers([row[k] for _, row in complete], line_numbers, path, names[k], problems)
    problems.check()
    return "table", [row[0] for _, row in complete], x, [f"{path}:{line_number}" for line_number in line_numbers]
