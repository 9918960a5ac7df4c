"""Interaction tables -> edges by name.

BioGRID tab3, STRING links, STRING actions, or a plain table (`plain_networks`), recognised from content. Gene names
stay as the file has them (STRING's taxon prefix aside); resolving them is the graph builder's part.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from dglcell.errors import DataError, Problems
from dglcell.sources import textio
from dglcell.sources.edge_table import EXPECTED, KINDS, PHYSICAL, REGULATORY, EdgeTable, fields_of
from dglcell.sources.plain_networks import is_matrix, read_columns, read_matrix

_TAXON = re.compile(r"^\d+\.")
_ACTION_COLUMNS = ("item_id_a", "item_id_b", "mode")
_LINK_COLUMNS = ("protein1", "protein2")
_BIOGRID = "Systematic Name Interactor {}"
_BIOGRID_SYMBOL = "Official Symbol Interactor {}"
_BIOGRID_TYPE = "Experimental System Type"


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
        raise DataError(f"{path} has no rows - {EXPECTED[kind]}")
    mark = textio.delimiter(lines[start : start + 20])
    header = _header(lines[start], mark)
    reader = _recognise(header, kind)
    if reader is not None:
        table = reader(path, lines, start, mark, header)
    elif kind == REGULATORY and is_matrix(lines, start, mark):
        table = read_matrix(path, lines, start, mark)
    else:
        table = read_columns(path, lines, start, mark, kind)
    if not table.a:
        raise DataError(f"{path} ({table.layout}) holds no edge - {EXPECTED[kind]}")
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
    rows, at = fields_of(path, lines, start + 1, mark, len(header), problems)
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
