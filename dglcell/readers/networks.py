"""Interaction tables -> edges by name.

BioGRID tab3, STRING links, STRING actions, a plain table (`plain_networks`) or a gene annotation (`descriptions`,
`overlaps`), recognised from content. Gene names stay as the file has them (STRING's taxon prefix aside); resolving them
is the graph builder's part.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.annotations import annotation
from dglcell.readers.descriptions import read_descriptions
from dglcell.readers.edge_table import EXPECTED, KINDS, PHYSICAL, REGULATORY, RELATION, EdgeTable, fields_of
from dglcell.readers.overlaps import read_overlaps
from dglcell.readers.plain_networks import is_matrix, read_columns, read_matrix

_TAXON = re.compile(r"^\d+\.")
_ACTION_COLUMNS = ("item_id_a", "item_id_b", "mode")
_BINDING, _ACTION_SCORE = "binding", "score"
_OVERLAP = "overlap"
_LINK_COLUMNS = ("protein1", "protein2")
_LINK_SCORE = "combined_score"
_HIGHEST_SCORE = 1000
_BIOGRID = "Systematic Name Interactor {}"
_BIOGRID_SYMBOL = "Official Symbol Interactor {}"
_BIOGRID_TYPE = "Experimental System Type"


def read_network(path: Path | str, kind: str = PHYSICAL, mode: str = _BINDING) -> EdgeTable:
    """Read one interaction table, plain or gzip; tab, comma, semicolon or space between its columns.

    Parameters
    ----------
    kind : str
        `physical`, `regulatory` or `relation`: which layouts make sense.
    mode : str
        Which rows of STRING actions are read; of a gene annotation `overlap` joins genes that overlap, any other word
        those with similar descriptions.

    Raises
    ------
    DataError
        A file that cannot be read or is none of the layouts, rows of the wrong width, text where a number belongs: all
        at once, with file and line.
    """
    path = Path(path)
    lines = text_files.read_lines(path)
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is none of {KINDS}")
    start = next((k for k, line in enumerate(lines) if line.strip() and not _is_comment(line, kind)), None)
    if start is None:
        raise DataError(f"{path} has no rows - {EXPECTED[kind]}")
    mark = text_files.delimiter(lines[start : start + 20])
    header = _header(lines[start], mark)
    reader = _recognise(header, kind, mode)
    if reader is not None:
        table = reader(path, lines, start, mark, header)
    elif kind == RELATION and annotation(lines) is not None:
        return read_overlaps(path) if mode == _OVERLAP else read_descriptions(path)
    elif kind == REGULATORY and is_matrix(lines, start, mark):
        table = read_matrix(path, lines, start, mark)
    else:
        table = read_columns(path, lines, start, mark, kind)
    if not table.a:
        raise DataError(f"{path} ({table.layout}) holds no edge - {EXPECTED[kind]}")
    return table


Reader = Callable[[Path, list[str], int, str | None, list[str]], EdgeTable]


def _recognise(header: list[str], kind: str, mode: str = "") -> Reader | None:
    """The reader of a layout that its header gives away, where it makes sense for the kind."""
    if kind != REGULATORY and set(_LINK_COLUMNS) <= set(header):
        return _read_string_links
    if kind != REGULATORY and set(_ACTION_COLUMNS) <= set(header):
        return functools.partial(_read_string_actions, wanted=mode)
    if kind == PHYSICAL and {_BIOGRID.format("A"), _BIOGRID.format("B"), _BIOGRID_TYPE} <= set(header):
        return _read_biogrid
    return None


def _header(line: str, mark: str | None) -> list[str]:
    return text_files.split(line.lstrip("#"), mark)


def _is_comment(line: str, kind: str) -> bool:
    # BioGRID's header starts with "#" too.
    return line.startswith("#") and _recognise(_header(line, "\t"), kind) is None


def _read_string_actions(
    path: Path, lines: list[str], start: int, mark: str | None, header: list[str], wanted: str
) -> EdgeTable:
    """Rows of one `mode`. Hundreds of thousands of rows: only those that are kept are cut in full."""
    problems = ErrorCollector()
    ends = [header.index(name) for name in _ACTION_COLUMNS]
    width, mode = len(header), ends[2]
    score = header.index(_ACTION_SCORE) if _ACTION_SCORE in header else None
    cut = max(*ends, score or 0) + 1
    a, b, scores, at, rows = [], [], [], [], 0
    others: set[str] = set()
    for number, line in enumerate(lines[start + 1 :], start=start + 2):
        fields = line.split(mark, cut)
        if len(fields) <= mode or (mark is not None and line.count(mark) != width - 1):
            if line.strip():
                found = text_files.counted(len(line.split(mark)), "column")
                problems.add(f"{path}:{number}: {found} - {width} were expected, as in the header")
            continue
        rows += 1
        if fields[mode] != wanted:
            others.add(fields[mode])
        else:
            a.append(fields[ends[0]])
            b.append(fields[ends[1]])
            at.append(number)
            if score is not None:
                scores.append(fields[score])
    confidence = None if score is None else _confidence(scores, at, path, _ACTION_SCORE, problems)
    if rows and not a:
        found = ", ".join(sorted(others))
        problems.add(f"{path} (STRING actions) has no row of mode {wanted} - it has {found}; name a --relation so")
    problems.check()
    report: dict[str, int | str] = {"rows": rows, f"rows of another mode than {wanted}, left out": rows - len(a)}
    return EdgeTable(str(path), "STRING actions", _without_taxon(a), _without_taxon(b), None, report, confidence)


def _read_string_links(path: Path, lines: list[str], start: int, mark: str | None, header: list[str]) -> EdgeTable:
    problems = ErrorCollector()
    rows, at = fields_of(path, lines, start + 1, mark, len(header), problems)
    i, j = (header.index(name) for name in _LINK_COLUMNS)
    confidence = None
    if _LINK_SCORE in header:
        k = header.index(_LINK_SCORE)
        confidence = _confidence([row[k] for row in rows], at, path, _LINK_SCORE, problems)
    problems.check()
    a, b = _without_taxon([row[i] for row in rows]), _without_taxon([row[j] for row in rows])
    return EdgeTable(str(path), "STRING links", a, b, None, {"rows": len(rows)}, confidence)


def _confidence(
    cells: list[str], at: list[int], path: Path, column: str, problems: ErrorCollector
) -> NDArray[np.float32]:
    """STRING's scores, 0 to 1000, as confidence."""
    score = text_files.numbers(cells, at, path, column, problems)
    for k in np.flatnonzero((score < 0) | (score > _HIGHEST_SCORE)):
        problems.add(f"{path}:{at[k]}: {column} {cells[k]} - 0 to {_HIGHEST_SCORE} was expected")
    return (score / _HIGHEST_SCORE).astype(np.float32)


def _read_biogrid(path: Path, lines: list[str], start: int, mark: str | None, header: list[str]) -> EdgeTable:
    """Rows of type physical, by systematic name; by official symbol where BioGRID has none (`-`)."""
    problems = ErrorCollector()
    rows, _ = fields_of(path, lines, start + 1, mark, len(header), problems)
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


def _without_taxon(names: list[str]) -> list[str]:
    return [_TAXON.sub("", name) for name in names]
