"""Networks of genes, in any layout of `network_layouts` -> edges between named genes.

Genes are named as in the file, without the taxon prefix of STRING; the graph builder resolves the names.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, ErrorCollector, setting, warn
from dglcell.readers import network_values, text_files
from dglcell.readers.annotations import annotation_layout
from dglcell.readers.edge_table import KINDS, PHYSICAL, REGULATORY, RELATION, EdgeTable
from dglcell.readers.network_layout import MATRIX, MEMBERS, PAIRS, SIF, NetworkLayout, names_of_end
from dglcell.readers.network_layouts import CUSTOM, LAYOUTS, is_header, is_target_first, label_of
from dglcell.readers.network_matrices import read_matrix
from dglcell.readers.network_rows import Rows, read_rows
from dglcell.readers.network_sets import read_lines, read_members
from dglcell.readers.tables.column_map import ColumnMap
from dglcell.readers.tables.table import Table, open_table

_BINDING: Final = "binding"
_NOUNS: Final = {PHYSICAL: "physical network", REGULATORY: "regulatory network", RELATION: "gene-gene network"}
_MISCORE = re.compile(r"(?:^|\|)intact-miscore:([01](?:\.\d+)?)")


def read_network(
    path: Path | str,
    kind: str = PHYSICAL,
    mode: str = _BINDING,
    taxon: str = "",
    matrix_rows: str = "auto",
    maps: Sequence[ColumnMap] = (),
) -> EdgeTable:
    """Read one network, plain or compressed, as text or from a workbook; its layout is found from its content.

    Parameters
    ----------
    kind : str
        `physical`, `regulatory` or `relation`; decides which layouts are expected.
    mode : str
        Rows of STRING actions to read, by their column `mode`.
    taxon : str
        Organism to read, as in the file (`559292`), where a file has several; empty for the one with most rows.
    matrix_rows : str
        What the rows of a regulatory matrix are: `factors`, `targets`, or `auto` to find it from their names.
    maps : sequence of ColumnMap
        Columns that the user names.

    Raises
    ------
    DataError
        The file cannot be read or has an unknown layout, rows have the wrong width, or there is text instead of a
        number; all problems with file and line.
    """
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is none of {KINDS}")
    path = Path(path)
    try:
        table = _open(path, kind, maps)
    except DataError:
        _refuse_annotation(path)
        raise
    return read_table(table, kind, mode, taxon, matrix_rows)


def _open(path: Path, kind: str, maps: Sequence[ColumnMap]) -> Table[NetworkLayout]:
    """The open table. Two names in the first row that are genes of further rows, too (GENE1, GENE2), are an edge."""
    layouts = layouts_of(kind)
    table = open_table(path, layouts, _NOUNS[kind], maps, CUSTOM)
    if table.layout.is_general and len(table.header) == 2:
        first = {name.strip() for name in table.header}
        if first <= {cell.strip() for row in table.first_rows for cell in row}:
            without_header = [layout for layout in layouts if layout.positions]
            return open_table(path, without_header, _NOUNS[kind], maps, CUSTOM)
    return table


def layouts_of(kind: str) -> list[NetworkLayout]:
    """The layouts that are compared with a file that is given as one kind of network."""
    return [layout for layout in LAYOUTS if kind in layout.kinds or not layout.is_general]


def _refuse_annotation(path: Path) -> None:
    """Raise DataError if a file that is no network is a gene annotation."""
    if annotation_layout(path) is not None:
        advice = f"give it as {setting('description')}, {setting('overlap')} or {setting('genes')}"
        raise DataError(f"{path} is a gene annotation - a network was expected; {advice}")


def read_table(
    table: Table[NetworkLayout], kind: str, mode: str = _BINDING, taxon: str = "", matrix_rows: str = "auto"
) -> EdgeTable:
    """The edges of an open table; see `read_network`."""
    if kind not in table.layout.kinds:
        expected = " or ".join(table.layout.kinds)
        raise DataError(
            f"{table.path} is in the layout {table.layout.name}, which is no {_NOUNS[kind]} - it is read as {expected}"
        )
    if table.layout.rows == MATRIX:
        edges = read_matrix(table, kind, matrix_rows)
    elif table.layout.rows == MEMBERS:
        edges = read_members(table, taxon)
    elif table.layout.rows in (SIF, PAIRS):
        edges = read_lines(table, kind)
    else:
        edges = _read_edges(_named(table, kind), kind, mode, taxon)
    if table.sheet:
        edges.report["sheet"] = table.sheet
    if not edges.a:
        _check_empty(table, edges)
    return edges


def _check_empty(table: Table[NetworkLayout], edges: EdgeTable) -> None:
    """A table of a database may have no rows at all; otherwise, a network without edges is an error."""
    if table.layout.is_general or table.layout is CUSTOM or edges.report.get("rows", 1):
        counts = "; ".join(f"{item}: {count}" for item, count in edges.report.items())
        raise DataError(f"{table.path} ({edges.layout}) has no edges ({counts}) - at least one was expected")
    warn(f"{table.path} ({edges.layout}) has a header and no rows - the network is empty")


def _named(table: Table[NetworkLayout], kind: str) -> Table[NetworkLayout]:
    """The table of two columns without its first row, if that names the columns."""
    first = table.first_rows[0] if table.first_rows else []
    if not table.header and (label := _measured(first, table.first_rows[1:])):
        advice = f"give it as {setting('screen')}"
        raise DataError(f"{table.path} is a screen, with a column {label} - a network was expected; {advice}")
    if table.header or "value" not in table.layout.positions or not is_header(first, table.first_rows[1:], kind):
        return table
    if len(first) > 2 and text_files.is_number(first[2]) and first[2].strip() != "0":  # pandas names a column 0
        return table
    table = table.with_header()
    if kind == REGULATORY and is_target_first(first):
        columns = {**table.columns, "gene_1": table.columns["gene_2"], "gene_2": table.columns["gene_1"]}
        table = dataclasses.replace(table, columns=columns)
    return table


def _measured(first: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The name of a column of measurements in a first row with numbers below it; empty if there is none."""
    label = label_of(first)
    below = [row[first.index(label)] for row in rows if len(row) == len(first)] if label else []
    return label if all(map(text_files.is_number, below)) else ""


def _read_edges(table: Table[NetworkLayout], kind: str, mode: str, taxon: str) -> EdgeTable:
    rows = read_rows(table, mode, taxon)
    _check_names(table, rows)
    if table.layout.is_general:
        unread = [name.strip() for k, name in enumerate(table.header) if k not in table.columns.values()]
        if any(unread):
            rows.report["columns not read"] = ", ".join(filter(None, unread))
    if table.header and table.layout.positions:
        rows.report = {"header lines": 1, **rows.report}
    sign, confidence, is_edge = None, None, (rows.a >= 0) & (rows.b >= 0)
    if not is_edge.all():
        rows.report["rows without a gene at one end, left out"] = int(np.count_nonzero(~is_edge))
    if rows.score is not None:
        scale = table.layout.scale
        if network_values.are_fractions(rows.score):
            scale = 1.0
        confidence = network_values.scores(table.path, table.name("score"), rows.score, rows.lines, scale)
    if "miscore" in rows.cells:
        confidence = _miscores(rows)
    for role in ("type", "sign", "value", "confidence"):
        if role not in rows.cells or (role == "type" and not _is_sign_column(rows, kind)):
            continue
        if role == "sign" and kind != REGULATORY:
            rows.report[f"column {table.name(role)}"] = f"signs, which a {kind} network does not have"
            continue
        vocabulary, codes = rows.cells[role]
        decimal = table.decimal_of([table.columns[role]])
        found = network_values.read_value(
            table.path, table.name(role), (vocabulary.texts, codes), rows.lines, kind, role, decimal
        )
        sign = found.sign if found.sign is not None else sign
        confidence = found.confidence if found.confidence is not None else confidence
        if found.is_edge is not None:
            is_edge &= found.is_edge
        rows.report.update(found.report)
    return edge_table(table, rows, is_edge, sign, confidence)


def _check_names(table: Table[NetworkLayout], rows: Rows) -> None:
    """In a list of edges, both cells of a row need a name; in a table of a database, some interactors have none."""
    problems = ErrorCollector()
    if table.layout.is_general or table.layout is CUSTOM:
        for k in np.flatnonzero((rows.a < 0) | (rows.b < 0)):
            problems.add(f"{table.path}:{rows.lines[k]}: an empty gene id - both columns need one")
    problems.check()


def _is_sign_column(rows: Rows, kind: str) -> bool:
    """Whether the types of interaction are signs, such as `activation`."""
    vocabulary, codes = rows.cells["type"]
    used = {vocabulary.texts[k].strip().lower() for k in np.unique(codes).tolist()}
    signs = [network_values.sign_of(word) for word in used]
    return kind == REGULATORY and "sign" not in rows.cells and None not in signs and any(signs)


def _miscores(rows: Rows) -> NDArray[np.float32] | None:
    vocabulary, codes = rows.cells["miscore"]
    matches = [_MISCORE.search(text) for text in vocabulary.texts]
    values = np.array([float(match[1]) if match else np.nan for match in matches], dtype=np.float32)
    confidence = values[codes] if len(values) else np.zeros(0, dtype=np.float32)
    return None if np.isnan(confidence).all() else confidence


def edge_table(
    table: Table[NetworkLayout],
    rows: Rows,
    is_edge: NDArray[np.bool_],
    sign: NDArray[np.float32] | None,
    confidence: NDArray[np.float32] | None,
) -> EdgeTable:
    """The rows that are edges, with names in place of codes."""
    texts = rows.names.texts
    names = np.array([*texts, ""], dtype=object)[:-1]
    a, b = rows.a[is_edge], rows.b[is_edge]
    gene_columns = [table.columns[names_of_end(table.columns, end)[0]] for end in (1, 2)]
    used = set(np.unique(np.concatenate([a, b])).tolist())
    return EdgeTable(
        str(table.path),
        table.layout.name,
        names[a].tolist(),
        names[b].tolist(),
        None if sign is None else sign[is_edge],
        rows.report,
        None if confidence is None else confidence[is_edge],
        {texts[k]: tuple(others) for k, others in rows.synonyms.items() if k in used},
        tuple(table.header[k] for k in gene_columns) if table.header and table.layout.is_general else (),
    )
