"""Gene features -> ids and a matrix of numbers.

HDF5 with datasets `ids` and `x`; a text table: id, then numbers, with or without a header; or a gene annotation, whose
descriptions `descriptions` turns into numbers. Knows no graph.
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
from dglcell.readers.annotations import annotation
from dglcell.readers.descriptions import summarise_descriptions

_EXPECTED = "HDF5 with datasets 'ids' and 'x', a table of id and numbers, SGD_features.tab or GFF3 was expected"


@dataclass(frozen=True, repr=False)
class FeatureTable:
    """Feature rows of genes.

    Attributes
    ----------
    path, layout : str
        The file and the format it was recognised as.
    ids : tuple of str
        Genes as the file names them, distinct.
    x : (n, d) float32
        Finite numbers.
    report : dict
        What was read.
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
    """Read gene features, the layout recognised from content.

    Raises
    ------
    DataError
        A file that cannot be read, no such layout, datasets that do not fit together, an id twice, or a value that is
        no finite number (with the line, or the id in HDF5).
    """
    path = Path(path)
    if path.is_file() and _is_hdf5(path):
        layout, ids, x, where = _read_hdf5(path)
    else:
        layout, ids, x, where = _read_table(path)
    return check_features(str(path), layout, ids, x, where)


def check_features(
    path: str, layout: str, ids: Sequence[str], x: NDArray[np.float32], where: Sequence[str]
) -> FeatureTable:
    """A feature table, or one DataError for every empty or repeated id and number that is not finite, by `where`."""
    problems = ErrorCollector()
    first: dict[str, str] = {}
    for gene, place in zip(ids, where, strict=True):
        if not gene:
            problems.add(f"{place}: an empty gene id - every row needs one")
        elif gene in first:
            problems.add(f"{place}: duplicate gene id '{gene}', first at {first[gene]} - give each gene one row")
        first.setdefault(gene, place)
    for k in np.flatnonzero(~np.isfinite(x).all(axis=1)):
        problems.add(f"{where[k]}: a feature of '{ids[k]}' is missing or not finite - fill it in or leave the gene out")
    problems.check()
    return FeatureTable(path, layout, tuple(ids), x, {"rows": len(ids), "columns": int(x.shape[1])})


Parts = tuple[str, list[str], NDArray[np.float32], list[str]]  # layout, ids, x, where each row stands


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(4) == b"\x89HDF"


def _read_hdf5(path: Path) -> Parts:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if not {"ids", "x"} <= set(file):
                found = ", ".join(sorted(file)) or "nothing"
                raise DataError(f"{path}: HDF5 with {found} - datasets 'ids' and 'x' were expected")
            raw, values = file["ids"][()], file["x"][()]
    except DataError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        why = text_files.shorten(str(error), 80)
        raise DataError(f"{path}: HDF5 that cannot be read ({why}) - write the file again") from error
    values = np.asarray(values)
    if np.ndim(raw) != 1 or values.ndim != 2 or len(raw) != len(values) or not values.size:
        shapes = f"ids {np.shape(raw)}, x {values.shape}"
        raise DataError(f"{path}: {shapes} - ids (n,) and x (n, d) were expected, n and d at least 1")
    if not (np.issubdtype(values.dtype, np.number) or values.dtype == np.bool_):
        raise DataError(f"{path}: dataset x holds {values.dtype} - numbers were expected")
    ids = [_text(path, item) for item in raw]
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite there, and refused by the caller
        x = values.astype(np.float32)
    return "HDF5", ids, x, [f"{path} row {k}" for k in range(len(ids))]


def _text(path: Path, item: Any) -> str:
    if isinstance(item, bytes):
        return item.decode("utf-8", errors="replace").strip()
    if isinstance(item, str):
        return item.strip()
    raise DataError(f"{path}: dataset ids holds {type(item).__name__} - text was expected")


def _read_table(path: Path) -> Parts:
    lines = text_files.read_lines(path)
    if annotation(lines) is not None:
        ids, described = summarise_descriptions(path)
        return "gene descriptions", ids, described, [str(path)] * len(ids)
    kept = [(k, line) for k, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")]
    mark = text_files.delimiter([line for _, line in kept])
    rows = [(number, text_files.split(line, mark)) for number, line in kept]
    if rows and not any(text_files.is_number(cell, missing=False) for cell in rows[0][1][1:]):
        header, rows = rows[0][1], rows[1:]
    else:
        header = []
    if not rows or len(rows[0][1]) < 2:
        shown = text_files.shorten(lines[0])
        raise DataError(f"{path}: no rows of an id and numbers (it begins with '{shown}') - {_EXPECTED}")
    width = len(rows[0][1])
    names = header if len(header) == width else ["id", *(str(k) for k in range(1, width))]
    problems = ErrorCollector()
    good = [(number, row) for number, row in rows if len(row) == width]
    for number, row in rows:
        if len(row) != width:
            problems.add(
                f"{path}:{number}: {text_files.counted(len(row), 'column')} - {width} were expected, as in the first row"
            )
    at = [number for number, _ in good]
    x = np.empty((len(good), width - 1), dtype=np.float32)
    for k in range(1, width):
        with np.errstate(over="ignore"):
            x[:, k - 1] = text_files.numbers([row[k] for _, row in good], at, path, names[k], problems)
    problems.check()
    return "table", [row[0] for _, row in good], x, [f"{path}:{number}" for number in at]
