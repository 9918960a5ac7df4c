"""Interaction files that no program's header gives away: two columns, with a sign or without, and regulatory matrices.

Owns the words that head such columns and the spellings of a sign; knows no named format.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.edge_table import EXPECTED, REGULATORY, EdgeTable, fields_of

_SIGNS = {
    **dict.fromkeys(("+", "1", "+1", "1.0", "activator", "activation", "activates", "positive", "up"), 1.0),
    **dict.fromkeys(
        ("-", "-1", "-1.0", "repressor", "repression", "inhibition", "represses", "negative", "down"), -1.0
    ),
    **dict.fromkeys(("", "0", "0.0", "?", "+-", "-+", ".", "dual", "unknown", "na", "nan", "none"), 0.0),
}
_MATRIX = {"0": 0, "1": 1, "-1": -1, "0.0": 0, "1.0": 1, "-1.0": -1, "+1": 1, "": 0}
_WORD = (
    r"(?:genes?|proteins?|ids?|names?|systematic|standard|orfs?|source|targets?|from|to|nodes?|interactors?|tfs?|"
    r"regulators?|regulated|transcription|factors?|symbol|locus|tag|query|array|entity|item|left|right|partner)"
)
_HEADER_NAME = re.compile(rf"{_WORD}+[abxyij12]?{_WORD}*")  # gene_a, systematic_name_a, protein1, gene_1_id
_TARGET_WORD = re.compile(r"target|regulated|^gene|^orf")
_FACTOR_WORD = re.compile(r"tf|regulator|factor|source|from")


def read_columns(path: Path, lines: list[str], start: int, mark: str | None, kind: str) -> EdgeTable:
    """Two columns, and in a regulatory table a third with the sign; with or without a header."""
    first = text_files.split(lines[start], mark)
    width = len(first)
    allowed = (2, 3) if kind == REGULATORY else (2,)
    if width not in allowed:
        shown = text_files.shorten(lines[start])
        raise DataError(f"{path}:{start + 1}: {text_files.counted(width, 'column')} ('{shown}') - {EXPECTED[kind]}")
    problems = ErrorCollector()
    rows, at = fields_of(path, lines, start, mark, width, problems)
    cleaned = [[cell.strip().strip('"') for cell in row] for row in rows]
    report: dict[str, int | str] = {}
    swap = False
    if _is_header(first, cleaned):
        report["header lines"] = 1
        cleaned, at = cleaned[1:], at[1:]
        swap = kind == REGULATORY and is_target_first(first)
    for row, number in zip(cleaned, at, strict=True):
        if not row[0] or not row[1]:
            problems.add(f"{path}:{number}: an empty gene id - both columns need one")
    sign = signs(path, [row[2] for row in cleaned], at, problems) if width == 3 else None
    problems.check()
    report["rows"] = len(cleaned)
    a, b = [row[0] for row in cleaned], [row[1] for row in cleaned]
    layout = "two columns" if sign is None else "two columns and a sign"
    return EdgeTable(str(path), layout, b if swap else a, a if swap else b, sign, report)


def is_target_first(names: Sequence[str]) -> bool:
    """Whether the names of two columns say that the target stands before its factor."""
    return bool(_TARGET_WORD.search(names[0].lower()) and _FACTOR_WORD.search(names[1].lower()))


def _is_header(first: list[str], rows: list[list[str]]) -> bool:
    """Both names are words that head columns, and neither comes up again as a gene."""
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in first[:2]]
    if not all(_HEADER_NAME.fullmatch(name) for name in plain):
        return False
    ids = {cell for row in rows[1:] for cell in row[:2]}
    return ids.isdisjoint(first[:2])


def signs(path: Path, cells: list[str], at: list[int], problems: ErrorCollector) -> NDArray[np.float32]:
    """+1, -1 or 0 of each cell; other words go to `problems`, with the line number in `at`."""
    sign = np.zeros(len(cells), dtype=np.float32)
    for k, cell in enumerate(cells):
        value = _SIGNS.get(cell.lower())
        if value is None:
            problems.add(f"{path}:{at[k]}: '{text_files.shorten(cell)}' as sign - +, -, 1, -1 or 0 was expected")
        else:
            sign[k] = value
    return sign


def is_matrix(lines: list[str], start: int, mark: str | None) -> bool:
    """Most cells right of the first column are 0 or 1."""
    cells = [cell.strip() for line in lines[start + 1 : start + 50] for cell in line.split(mark)[1:]]
    return sum(cell in _MATRIX for cell in cells) * 2 > len(cells)


def read_matrix(path: Path, lines: list[str], start: int, mark: str | None) -> EdgeTable:
    """Targets in rows, factors in columns; a non-zero cell is an edge factor -> target."""
    problems = ErrorCollector()
    header = text_files.split(lines[start], mark)
    width = max((len(line.split(mark)) for line in lines[start + 1 : start + 3]), default=0)
    factors = header if len(header) == width - 1 else header[1:]  # the corner cell may be left out
    rows, at = fields_of(path, lines, start + 1, mark, len(factors) + 1, problems)
    doubled = sorted({name for name in factors if factors.count(name) > 1})
    if doubled:
        problems.add(f"{path}:{start + 1}: factor '{doubled[0]}' heads two columns - each factor may have one")
    a, b, sign = [], [], []
    for row, number in zip(rows, at, strict=True):
        target = row[0].strip().strip('"')
        for k, cell in enumerate(row[1:]):
            if cell == "0":
                continue
            value = _MATRIX.get(cell.strip())
            if value is None:
                shown = text_files.shorten(cell)
                problems.add(f"{path}:{number}: '{shown}' in column {factors[k]} - 0 or 1 was expected")
            elif value:
                a.append(factors[k])
                b.append(target)
                sign.append(value)
    problems.check()
    report: dict[str, int | str] = {"rows": len(rows), "factors": len(factors)}
    signed = np.array(sign, dtype=np.float32) if -1 in sign else None
    return EdgeTable(str(path), "regulatory matrix", a, b, signed, report)
