"""Interaction tables -> edges between genes.

BioGRID tab3, STRING links, STRING actions, plain tables and matrices (`edge_table`), recognized by content. Genes are
named as in the file, without the taxon prefix of STRING; the graph builder resolves the names.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, ErrorCollector, setting
from dglcell.readers import text_files
from dglcell.readers.annotations import annotation_format
from dglcell.readers.edge_table import (
    EXPECTED,
    KINDS,
    PHYSICAL,
    REGULATORY,
    RELATION,
    EdgeTable,
    is_matrix,
    read_columns,
    read_matrix,
    split_rows,
)

_TAXON = re.compile(r"^\d+\.")
_ACTION_COLUMNS = ("item_id_a", "item_id_b", "mode")
_BINDING, _ACTION_SCORE = "binding", "score"
_LINK_COLUMNS = ("protein1", "protein2")
_LINK_SCORE = "combined_score"
_HIGHEST_SCORE = 1000
_BIOGRID = "Systematic Name Interactor {}"
_BIOGRID_SYMBOL = "Official Symbol Interactor {}"
_BIOGRID_TYPE = "Experimental System Type"


def read_network(path: Path | str, kind: str = PHYSICAL, mode: str = _BINDING) -> EdgeTable:
    """Read one interaction table: plain or gzip, with columns separated by tab, comma, semicolon or spaces.

    Parameters
    ----------
    kind : str
        `physical`, `regulatory` or `relation`; decides which layouts are tried.
    mode : str
        Rows of STRING actions to read, by their column `mode`.

    Raises
    ------
    DataError
        The file cannot be read or has an unknown layout, rows have the wrong width, or there is text instead of a
        number; all problems with file and line.
    """
    path = Path(path)
    lines = text_files.read_lines(path)
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is none of {KINDS}")
    start = next((k for k, line in enumerate(lines) if line.strip() and not _is_comment(line, kind)), None)
    if start is None:
        raise DataError(f"{path} has no rows - {EXPECTED[kind]}")
    delimiter = text_files.find_delimiter(lines[start : start + 20])
    header = _header(lines[start], delimiter)
    reader = _recognize(header, kind, mode)
    if reader is not None:
        table = reader(path, lines, start, delimiter, header)
    elif kind == RELATION and annotation_format(lines) is not None:
        advice = f"give it as {setting('description')}, {setting('overlap')} or {setting('genes')}"
        raise DataError(f"{path} is a gene annotation - a network was expected; {advice}")
    elif kind == REGULATORY and is_matrix(lines, start, delimiter):
        table = read_matrix(path, lines, start, delimiter)
    else:
        table = read_columns(path, lines, start, delimiter, kind)
    if not table.a:
        raise DataError(f"{path} ({table.layout}) has no edges - {EXPECTED[kind]}")
    return table


Reader = Callable[[Path, list[str], int, str | None, list[str]], EdgeTable]


def _recognize(header: list[str], kind: str, mode: str = "") -> Reader | None:
    """The reader of the database format with this header, or None."""
    if kind != REGULATORY and set(_LINK_COLUMNS) <= set(header):
        return _read_string_links
    if kind != REGULATORY and set(_ACTION_COLUMNS) <= set(header):
        return functools.partial(_read_string_actions, mode=mode)
    if kind == PHYSICAL and {_BIOGRID.format("A"), _BIOGRID.format("B"), _BIOGRID_TYPE} <= set(header):
        return _read_biogrid
    return None


def _header(line: str, delimiter: str | None) -> list[str]:
    return text_files.split(line.lstrip("#"), delimiter)


def _is_comment(line: str, kind: str) -> bool:
    # The header of BioGRID starts with "#" too.
    return line.startswith("#") and _recognize(_header(line, "\t"), kind) is None


def _read_string_actions(
    path: Path, lines: list[str], start: int, delimiter: str | None, header: list[str], mode: str
) -> EdgeTable:
    """Rows of one `mode`. For speed, lines are split only up to the last column that is needed."""
    problems = ErrorCollector()
    columns = [header.index(name) for name in _ACTION_COLUMNS]
    width, mode_column = len(header), columns[2]
    score_column = header.index(_ACTION_SCORE) if _ACTION_SCORE in header else None
    max_splits = max(*columns, score_column or 0) + 1
    a, b, scores, line_numbers, num_rows = [], [], [], [], 0
    other_modes: set[str] = set()
    for line_number, line in enumerate(lines[start + 1 :], start=start + 2):
        fields = line.split(delimiter, max_splits)
        if len(fields) <= mode_column or (delimiter is not None and line.count(delimiter) != width - 1):
            if line.strip():
                excerpt = text_files.quantity(len(line.split(delimiter)), "column")
                problems.add(f"{path}:{line_number}: {excerpt} - {width} were expected, as in the header")
            continue
        num_rows += 1
        if fields[mode_column] != mode:
            other_modes.add(fields[mode_column])
        else:
            a.append(fields[columns[0]])
            b.append(fields[columns[1]])
            line_numbers.append(line_number)
            if score_column is not None:
                scores.append(fields[score_column])
    confidence = None if score_column is None else _confidence(scores, line_numbers, path, _ACTION_SCORE, problems)
    if num_rows and not a:
        modes = ", ".join(sorted(other_modes))
        problems.add(
            f"{path} (STRING actions) has no row of mode {mode} - give one of its modes, {modes}, as "
            f"{setting('string_mode')}"
        )
    problems.check()
    report: dict[str, int | str] = {"rows": num_rows, f"rows of a mode other than {mode}, left out": num_rows - len(a)}
    return EdgeTable(str(path), "STRING actions", _without_taxon(a), _without_taxon(b), None, report, confidence)


def _read_string_links(path: Path, lines: list[str], start: int, delimiter: str | None, header: list[str]) -> EdgeTable:
    problems = ErrorCollector()
    rows, line_numbers = split_rows(path, lines, start + 1, delimiter, len(header), problems)
    i, j = (header.index(name) for name in _LINK_COLUMNS)
    confidence = None
    if _LINK_SCORE in header:
        score_column = header.index(_LINK_SCORE)
        confidence = _confidence([row[score_column] for row in rows], line_numbers, path, _LINK_SCORE, problems)
    problems.check()
    a, b = _without_taxon([row[i] for row in rows]), _without_taxon([row[j] for row in rows])
    return EdgeTable(str(path), "STRING links", a, b, None, {"rows": len(rows)}, confidence)


def _confidence(
    cells: list[str], line_numbers: list[int], path: Path, column: str, problems: ErrorCollector
) -> NDArray[np.float32]:
    """(n,) STRING scores, 0 to 1000, as confidence, 0 to 1."""
    score = text_files.numbers(cells, line_numbers, path, column, problems)
    for k in np.flatnonzero((score < 0) | (score > _HIGHEST_SCORE)):
        problems.add(f"{path}:{line_numbers[k]}: {column} {cells[k]} - 0 to {_HIGHEST_SCORE} was expected")
    return (score / _HIGHEST_SCORE).astype(np.float32)


def _read_biogrid(path: Path, lines: list[str], start: int, delimiter: str | None, header: list[str]) -> EdgeTable:
    """Rows of type physical. Genes have their systematic name or, if BioGRID has none (`-`), the official symbol."""
    problems = ErrorCollector()
    rows, _ = split_rows(path, lines, start + 1, delimiter, len(header), problems)
    problems.check()
    type_column = header.index(_BIOGRID_TYPE)
    physical = [row for row in rows if row[type_column].strip().lower() == "physical"]
    genes: dict[str, list[str]] = {}
    num_symbols = 0
    for end in "AB":
        name_column = header.index(_BIOGRID.format(end))
        symbol_column = (
            header.index(_BIOGRID_SYMBOL.format(end)) if _BIOGRID_SYMBOL.format(end) in header else name_column
        )
        genes[end] = [row[name_column] if row[name_column] not in ("-", "") else row[symbol_column] for row in physical]
        num_symbols += sum(row[name_column] in ("-", "") for row in physical)
    report: dict[str, int | str] = {
        "rows": len(rows),
        "rows of a type other than physical, left out": len(rows) - len(physical),
    }
    if num_symbols:
        report["genes without a systematic name, read by official symbol"] = num_symbols
    return EdgeTable(str(path), "BioGRID tab3", genes["A"], genes["B"], None, report)


def _without_taxon(names: list[str]) -> list[str]:
    return [_TAXON.sub("", name) for name in names]
