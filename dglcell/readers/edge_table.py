"""Edges of one interaction file, and the readers of plain tables: two columns of genes, and 0/1 matrices.

Formats that a database defines (BioGRID, STRING) are read in `networks`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import text_files

PHYSICAL: Final = "physical"
REGULATORY: Final = "regulatory"
RELATION: Final = "relation"
KINDS: Final = (PHYSICAL, REGULATORY, RELATION)

EXPECTED = {
    PHYSICAL: "two columns of gene ids, BioGRID tab3, STRING links or STRING actions was expected",
    REGULATORY: "two columns (transcription factor, target) with an optional sign, or a 0/1 matrix with targets in "
    "rows was expected",
    RELATION: "two columns of gene ids, STRING links or STRING actions was expected",
}
_SIGNS = {
    **dict.fromkeys(("+", "1", "+1", "1.0", "activator", "activation", "activates", "positive", "up"), 1.0),
    **dict.fromkeys(
        ("-", "-1", "-1.0", "repressor", "repression", "inhibition", "represses", "negative", "down"), -1.0
    ),
    **dict.fromkeys(("", "0", "0.0", "?", "+-", "-+", ".", "dual", "unknown", "na", "nan", "none"), 0.0),
}
_CELL_VALUES = {"0": 0, "1": 1, "-1": -1, "0.0": 0, "1.0": 1, "-1.0": -1, "+1": 1, "": 0}
_HEADER_WORD = (
    r"(?:genes?|proteins?|ids?|names?|systematic|standard|orfs?|source|targets?|from|to|nodes?|interactors?|tfs?|"
    r"regulators?|regulated|transcription|factors?|symbol|locus|tag|query|array|entity|item|left|right|partner)"
)
_HEADER_NAME = re.compile(
    rf"{_HEADER_WORD}+[abxyij12]?{_HEADER_WORD}*"
)  # gene_a, systematic_name_a, protein1, gene_1_id
_TARGET_WORD = re.compile(r"target|regulated|^gene|^orf")
_FACTOR_WORD = re.compile(r"tf|regulator|factor|source|from")


@dataclass(frozen=True, repr=False)
class EdgeTable:
    """Edges of one file, one per row, with duplicates and self-edges.

    Attributes
    ----------
    path : str
        The file.
    layout : str
        Format of the file, for example `BioGRID tab3`.
    a, b : list of str
        Genes at the two ends of each edge; in a regulatory table, the transcription factor and its target.
    sign : (E,) float32, optional
        +1 activation, -1 repression, 0 unknown; None if the file has no signs.
    report : dict
        Counts of rows read and rows left out, by reason.
    confidence : (E,) float32, optional
        Between 0 and 1: the STRING score divided by 1000, or the similarity or overlap of two genes. NaN where a
        cell is empty; None if the file has no scores.
    """

    path: str
    layout: str
    a: list[str]
    b: list[str]
    sign: NDArray[np.float32] | None = None
    report: dict[str, int | str] = field(default_factory=dict)
    confidence: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.a)

    def __repr__(self) -> str:
        extra = [name for name in ("sign", "confidence") if getattr(self, name) is not None]
        more = f" with {' and '.join(extra)}" if extra else ""
        return f"EdgeTable: {len(self):,} edges{more} from {Path(self.path).name} ({self.layout})"


def split_rows(
    path: Path, lines: Sequence[str], start: int, delimiter: str | None, width: int, problems: ErrorCollector
) -> tuple[list[list[str]], list[int]]:
    """Split rows into fields, beginning with the line of index `start`, and give their line numbers.

    Blank lines and comments (`#`) are skipped; rows without exactly `width` fields are added to `problems`.

    Parameters
    ----------
    path : Path
        For error messages.
    lines : sequence of str
        All lines of the file.
    start : int
        Index of the first line to read.
    delimiter : str or None
        None for runs of white space.
    width : int
        Number of columns.
    problems : ErrorCollector

    Returns
    -------
    rows : list of list of str
    line_numbers : list of int
    """
    rows, line_numbers = [], []
    for line_number, line in enumerate(lines[start:], start=start + 1):
        if not line or line.isspace() or line[0] == "#":
            continue
        fields = line.split(delimiter)
        if len(fields) != width:
            num_columns = text_files.quantity(len(fields), "column")
            problems.add(f"{path}:{line_number}: {num_columns} - {width} were expected, as in the first row")
            continue
        rows.append(fields)
        line_numbers.append(line_number)
    return rows, line_numbers


def read_columns(path: Path, lines: list[str], start: int, delimiter: str | None, kind: str) -> EdgeTable:
    """Read two columns of genes and, in a regulatory table, an optional third column with the sign.

    A first row of column names (`gene_a`, `target`, ..) is recognized as the header. In a regulatory table the
    transcription factor comes first, unless the header says that the target does.

    Parameters
    ----------
    path : Path
        For error messages.
    lines : list of str
        All lines of the file.
    start : int
        Index of the first line that is not a comment.
    delimiter : str or None
        None for runs of white space.
    kind : str
        `physical`, `regulatory` or `relation`.

    Raises
    ------
    DataError
        There is another number of columns, an empty gene id, or an unknown sign; all problems with file and line.
    """
    header = text_files.split(lines[start], delimiter)
    width = len(header)
    allowed = (2, 3) if kind == REGULATORY else (2,)
    if width not in allowed:
        excerpt = text_files.shorten(lines[start])
        raise DataError(f"{path}:{start + 1}: {text_files.quantity(width, 'column')} ('{excerpt}') - {EXPECTED[kind]}")
    problems = ErrorCollector()
    rows, line_numbers = split_rows(path, lines, start, delimiter, width, problems)
    cells = [[cell.strip().strip('"') for cell in row] for row in rows]
    report: dict[str, int | str] = {}
    target_first = False
    if _is_header(header, cells):
        report["header lines"] = 1
        cells, line_numbers = cells[1:], line_numbers[1:]
        target_first = kind == REGULATORY and is_target_first(header)
    for row, line_number in zip(cells, line_numbers, strict=True):
        if not row[0] or not row[1]:
            problems.add(f"{path}:{line_number}: an empty gene id - both columns need one")
    sign = parse_signs(path, [row[2] for row in cells], line_numbers, problems) if width == 3 else None
    problems.check()
    report["rows"] = len(cells)
    a, b = [row[0] for row in cells], [row[1] for row in cells]
    layout = "two columns" if sign is None else "two columns and a sign"
    return EdgeTable(str(path), layout, b if target_first else a, a if target_first else b, sign, report)


def is_target_first(names: Sequence[str]) -> bool:
    """Whether the names of two columns say that the target comes before its transcription factor."""
    return bool(_TARGET_WORD.search(names[0].lower()) and _FACTOR_WORD.search(names[1].lower()))


def _is_header(header: list[str], rows: list[list[str]]) -> bool:
    """Whether the first row is a header: it has usual column names, which do not occur as genes below."""
    names = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in header[:2]]
    if not all(_HEADER_NAME.fullmatch(name) for name in names):
        return False
    ids = {cell for row in rows[1:] for cell in row[:2]}
    return ids.isdisjoint(header[:2])


def parse_signs(path: Path, cells: list[str], line_numbers: list[int], problems: ErrorCollector) -> NDArray[np.float32]:
    """(n,) signs as +1, -1 or 0; a cell that is not a sign is added to `problems`.

    Parameters
    ----------
    path : Path
        For error messages.
    cells : list of str, n
    line_numbers : list of int, n
    problems : ErrorCollector
    """
    sign = np.zeros(len(cells), dtype=np.float32)
    for k, cell in enumerate(cells):
        value = _SIGNS.get(cell.lower())
        if value is None:
            problems.add(f"{path}:{line_numbers[k]}: sign '{text_files.shorten(cell)}' - +, -, 1, -1 or 0 was expected")
        else:
            sign[k] = value
    return sign


def is_matrix(lines: list[str], start: int, delimiter: str | None) -> bool:
    """Whether most cells to the right of the first column are 0 or 1.

    Parameters
    ----------
    lines : list of str
        All lines of the file.
    start : int
        Index of the first line that is not a comment.
    delimiter : str or None
        None for runs of white space.
    """
    cells = [cell.strip() for line in lines[start + 1 : start + 50] for cell in line.split(delimiter)[1:]]
    return sum(cell in _CELL_VALUES for cell in cells) * 2 > len(cells)


def read_matrix(path: Path, lines: list[str], start: int, delimiter: str | None) -> EdgeTable:
    """Read a regulatory matrix: targets in rows, transcription factors in columns; a non-zero cell is an edge.

    Parameters
    ----------
    path : Path
        For error messages.
    lines : list of str
        All lines of the file.
    start : int
        Index of the first line that is not a comment.
    delimiter : str or None
        None for runs of white space.

    Raises
    ------
    DataError
        A factor has two columns, a row has another width, or a cell is not 0, 1 or -1; all problems with file and line.
    """
    problems = ErrorCollector()
    header = text_files.split(lines[start], delimiter)
    width = max((len(line.split(delimiter)) for line in lines[start + 1 : start + 3]), default=0)
    factors = header if len(header) == width - 1 else header[1:]  # the header may omit the corner cell
    rows, line_numbers = split_rows(path, lines, start + 1, delimiter, len(factors) + 1, problems)
    repeated_factors = sorted({name for name in factors if factors.count(name) > 1})
    if repeated_factors:
        problems.add(
            f"{path}:{start + 1}: factor '{repeated_factors[0]}' has two columns - one column per factor was expected"
        )
    a, b, sign = [], [], []
    for row, line_number in zip(rows, line_numbers, strict=True):
        target = row[0].strip().strip('"')
        for k, cell in enumerate(row[1:]):
            if cell == "0":
                continue
            value = _CELL_VALUES.get(cell.strip())
            if value is None:
                excerpt = text_files.shorten(cell)
                problems.add(f"{path}:{line_number}: '{excerpt}' in column {factors[k]} - 0 or 1 was expected")
            elif value:
                a.append(factors[k])
                b.append(target)
                sign.append(value)
    problems.check()
    report: dict[str, int | str] = {"rows": len(rows), "factors": len(factors)}
    signs = np.array(sign, dtype=np.float32) if -1 in sign else None
    return EdgeTable(str(path), "regulatory matrix", a, b, signs, report)
