"""Interaction tables -> edges by name.

Two columns, BioGRID tab3, STRING links, STRING actions, or a regulatory matrix, recognised from content. Gene names
stay as the file has them (STRING's taxon prefix aside); resolving them is the graph builder's part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, Problems
from dglcell.sources import textio

PHYSICAL: Final = "physical"
REGULATORY: Final = "regulatory"
RELATION: Final = "relation"
KINDS: Final = (PHYSICAL, REGULATORY, RELATION)

_EXPECTED = {
    PHYSICAL: "two columns of gene ids, BioGRID tab3, STRING links or STRING actions was expected",
    REGULATORY: "two columns (factor, target) with an optional sign, or a 0/1 matrix with targets in rows was expected",
    RELATION: "two columns of gene ids or STRING links was expected",
}
_TAXON = re.compile(r"^\d+\.")
_ACTION_COLUMNS = ("item_id_a", "item_id_b", "mode")
_LINK_COLUMNS = ("protein1", "protein2")
_BIOGRID = "Systematic Name Interactor {}"
_BIOGRID_SYMBOL = "Official Symbol Interactor {}"
_BIOGRID_TYPE = "Experimental System Type"
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


@dataclass(frozen=True)
class EdgeTable:
    """Edges of one file, in file order, duplicates and self-edges included.

    Attributes
    ----------
    path : str
        The file.
    layout : str
        The format it was recognised as.
    a, b : list of str
        The two ends; in a regulatory table the factor and its target.
    sign : (E,) float32, optional
        +1 activates, -1 represses, 0 unknown; None when the file has no signs.
    report : dict
        What was read and left out.
    """

    path: str
    layout: str
    a: list[str]
    b: list[str]
    sign: NDArray[np.float32] | None = None
    report: dict[str, int | str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.a)


def read_network(path: Path | str, kind: str = PHYSICAL) -> EdgeTable:
    """Read one interaction table, plain or gzip; tab, comma, semicolon or space between its columns.

    Parameters
    ----------
    kind : str
        `physical`, `regulatory` or `relation`: which layouts make sense.

    Raises
    ------
    DataError
        A file that cannot be read or is none of the layouts, rows of the wrong width, text where a number belongs: all
        at once, with file and line.
    """
    path = Path(path)
    lines = textio.read_lines(path)
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is none of {KINDS}")
    start = next((k for k, line in enumerate(lines) if line.strip() and not _is_comment(line, kind)), None)
    if start is None:
        raise DataError(f"{path} has no rows - {_EXPECTED[kind]}")
    mark = textio.delimiter(lines[start : start + 20])
    header = _header(lines[start], mark)
    reader = _recognise(header, kind)
    if reader is not None:
        table = reader(path, lines, start, mark, header)
    elif kind == REGULATORY and _is_matrix(lines, start, mark):
        table = _read_matrix(path, lines, start, mark)
    else:
        table = _read_columns(path, lines, start, mark, kind)
    if not table.a:
        raise DataError(f"{path} ({table.layout}) holds no edge - {_EXPECTED[kind]}")
    return table


Reader = Callable[[Path, list[str], int, str | None, list[str]], EdgeTable]


def _recognise(header: list[str], kind: str) -> Reader | None:
    """The reader of a layout that its header gives away, where it makes sense for the kind."""
    if kind != REGULATORY and set(_LINK_COLUMNS) <= set(header):
        return _read_string_links
    if kind == PHYSICAL and set(_ACTION_COLUMNS) <= set(header):
        return _read_string_actions
    if kind == PHYSICAL and {_BIOGRID.format("A"), _BIOGRID.format("B"), _BIOGRID_TYPE} <= set(header):
        return _read_biogrid
    return None


def _header(line: str, mark: str | None) -> list[str]:
    return textio.split(line.lstrip("#"), mark)


def _is_comment(line: str, kind: str) -> bool:
    # BioGRID's header starts with "#" too.
    return line.startswith("#") and _recognise(_header(line, "\t"), kind) is None


def _fields(
    path: Path, lines: Sequence[str], start: int, mark: str | None, width: int, problems: Problems
) -> tuple[list[list[str]], list[int]]:
    """Rows from line index `start` on with exactly `width` fields, and their line numbers; others are problems."""
    rows, numbers = [], []
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line or line.isspace() or line[0] == "#":
            continue
        fields = line.split(mark)
        if len(fields) != width:
            problems.add(
                f"{path}:{number}: {textio.counted(len(fields), 'column')} - {width} were expected, as in the first row"
            )
            continue
        rows.append(fields)
        numbers.append(number)
    return rows, numbers


def _read_string_actions(path: Path, lines: list[str], start: int, mark: str | None, header: list[str]) -> EdgeTable:
    """Rows with `mode` = binding. Hundreds of thousands of rows: only those that are kept are cut in full."""
    problems = Problems()
    ends = [header.index(name) for name in _ACTION_COLUMNS]
    width, mode = len(header), ends[2]
    cut = max(ends) + 1
    a, b, rows = [], [], 0
    for number, line in enumerate(lines[start + 1 :], start=start + 2):
        fields = line.split(mark, cut)
        if len(fields) <= mode or (mark is not None and line.count(mark) != width - 1):
            if line.strip():
                found = textio.counted(len(line.split(mark)), "column")
                problems.add(f"{path}:{number}: {found} - {width} were expected, as in the header")
            continue
        rows += 1
        if fields[mode] == "binding":
            a.append(fields[ends[0]])
            b.append(fields[ends[1]])
    problems.check()
    report: dict[str, int | str] = {"rows": rows, "rows of another mode than binding, left out": rows - len(a)}
    return EdgeTable(str(path), "STRING actions", _without_taxon(a), _without_taxon(b), None, report)


def _read_string_links(path: Path, lines: list[str], start: int, mark: str | None, header: list[str]) -> EdgeTable:
    problems = Problems()
    rows, at = _fields(path, lines, start + 1, mark, len(header), problems)
    i, j = (header.index(name) for name in _LINK_COLUMNS)
    if "combined_score" in header:
        k = header.index("combined_score")
        textio.numbers([row[k] for row in rows], at, path, "combined_score", problems)
    problems.check()
    a, b = _without_taxon([row[i] for row in rows]), _without_taxon([row[j] for row in rows])
    return EdgeTable(str(path), "STRING links", a, b, None, {"rows": len(rows)})


def _read_biogrid(path: Path, lines: list[str], start: int, mark: str | None, header: list[str]) -> EdgeTable:
    """Rows of type physical, by systematic name; by official symbol where BioGRID has none (`-`)."""
    problems = Problems()
    rows, _ = _fields(path, lines, start + 1, mark, len(header), problems)
    problems.check()
    kind = header.index(_BIOGRID_TYPE)
    kept = [row for row in rows if row[kind].strip().lower() == "physical"]
    named: dict[str, list[str]] = {}
    fallbacks = 0
    for end in "AB":
        name = header.index(_BIOGRID.format(end))
        symbol = header.index(_BIOGRID_SYMBOL.format(end)) if _BIOGRID_SYMBOL.format(end) in header else name
        named[end] = [row[name] if row[name] not in ("-", "") else row[symbol] for row in kept]
        fallbacks += sum(row[name] in ("-", "") for row in kept)
    report: dict[str, int | str] = {"rows": len(rows), "rows not physical, left out": len(rows) - len(kept)}
    if fallbacks:
        report["ends without a systematic name, read by official symbol"] = fallbacks
    return EdgeTable(str(path), "BioGRID tab3", named["A"], named["B"], None, report)


def _read_columns(path: Path, lines: list[str], start: int, mark: str | None, kind: str) -> EdgeTable:
    """Two columns, and in a regulatory table a third with the sign; with or without a header."""
    first = textio.split(lines[start], mark)
    width = len(first)
    allowed = (2, 3) if kind == REGULATORY else (2,)
    if width not in allowed:
        shown = textio.shorten(lines[start])
        raise DataError(f"{path}:{start + 1}: {textio.counted(width, 'column')} ('{shown}') - {_EXPECTED[kind]}")
    problems = Problems()
    rows, at = _fields(path, lines, start, mark, width, problems)
    cleaned = [[cell.strip().strip('"') for cell in row] for row in rows]
    report: dict[str, int | str] = {}
    swap = False
    if _is_header(first, cleaned):
        report["header lines"] = 1
        cleaned, at = cleaned[1:], at[1:]
        names = [name.lower() for name in first]
        swap = kind == REGULATORY and bool(_TARGET_WORD.search(names[0]) and _FACTOR_WORD.search(names[1]))
    for row, number in zip(cleaned, at, strict=True):
        if not row[0] or not row[1]:
            problems.add(f"{path}:{number}: an empty gene id - both columns need one")
    sign = _signs(path, [row[2] for row in cleaned], at, problems) if width == 3 else None
    problems.check()
    report["rows"] = len(cleaned)
    a, b = [row[0] for row in cleaned], [row[1] for row in cleaned]
    layout = "two columns" if sign is None else "two columns and a sign"
    return EdgeTable(str(path), layout, b if swap else a, a if swap else b, sign, report)


def _is_header(first: list[str], rows: list[list[str]]) -> bool:
    """Both names are words that head columns, and neither comes up again as a gene."""
    plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in first[:2]]
    if not all(_HEADER_NAME.fullmatch(name) for name in plain):
        return False
    ids = {cell for row in rows[1:] for cell in row[:2]}
    return ids.isdisjoint(first[:2])


def _signs(path: Path, cells: list[str], at: list[int], problems: Problems) -> NDArray[np.float32]:
    sign = np.zeros(len(cells), dtype=np.float32)
    for k, cell in enumerate(cells):
        value = _SIGNS.get(cell.lower())
        if value is None:
            problems.add(f"{path}:{at[k]}: '{textio.shorten(cell)}' as sign - +, -, 1, -1 or 0 was expected")
        else:
            sign[k] = value
    return sign


def _is_matrix(lines: list[str], start: int, mark: str | None) -> bool:
    """Most cells right of the first column are 0 or 1."""
    cells = [cell.strip() for line in lines[start + 1 : start + 50] for cell in line.split(mark)[1:]]
    return sum(cell in _MATRIX for cell in cells) * 2 > len(cells)


def _read_matrix(path: Path, lines: list[str], start: int, mark: str | None) -> EdgeTable:
    """Targets in rows, factors in columns; a non-zero cell is an edge factor -> target."""
    problems = Problems()
    header = textio.split(lines[start], mark)
    width = max((len(line.split(mark)) for line in lines[start + 1 : start + 3]), default=0)
    factors = header if len(header) == width - 1 else header[1:]  # the corner cell may be left out
    rows, at = _fields(path, lines, start + 1, mark, len(factors) + 1, problems)
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
                shown = textio.shorten(cell)
                problems.add(f"{path}:{number}: '{shown}' in column {factors[k]} - 0 or 1 was expected")
            elif value:
                a.append(factors[k])
                b.append(target)
                sign.append(value)
    problems.check()
    report: dict[str, int | str] = {"rows": len(rows), "factors": len(factors)}
    signed = np.array(sign, dtype=np.float32) if -1 in sign else None
    return EdgeTable(str(path), "regulatory matrix", a, b, signed, report)


def _without_taxon(names: list[str]) -> list[str]:
    return [_TAXON.sub("", name) for name in names]
