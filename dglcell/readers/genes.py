"""Files with genes (annotations, name tables, exports of databases, cross-references, lists of ids) -> `GeneList`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from dglcell.errors import DataError, ErrorCollector, number_of, setting, warn
from dglcell.readers import gene_cells, text_files
from dglcell.readers.annotations import read_annotation
from dglcell.readers.changed_names import ChangedNames
from dglcell.readers.gene_layout import GeneLayout
from dglcell.readers.gene_layouts import CUSTOM, LAYOUTS, ONE_ID, OTHERS, TWO_COLUMNS
from dglcell.readers.gene_list import GeneList
from dglcell.readers.gene_records import GeneRecords, duplicate_message
from dglcell.readers.gene_rows import GeneRow, gene_rows, id_roles
from dglcell.readers.left_out import LeftOut, examples
from dglcell.readers.name_tables import refuse_header, with_id_first
from dglcell.readers.tables.chunked_text import sheets
from dglcell.readers.tables.column_map import ColumnMap
from dglcell.readers.tables.table import Table, open_table

_NOUN: Final = "gene list"
_WARN_SHARE: Final = 0.1  # of rows that are left out
_SHOWN: Final = 5  # names in a message
_START: Final = 4096  # bytes
_SEQUENCES: Final = {">": "sequences (FASTA)", "LOCUS ": "a GenBank record", "@": "sequences (FASTQ)"}


def read_genes(
    paths: Path | str | Sequence[Path | str], taxon: str | None = None, maps: Sequence[ColumnMap] = ()
) -> GeneList:
    """Read one gene list, or the union of several.

    The layouts are those of `gene_layouts`. Tables of cross-references, such as `dbxref.tab` of SGD, give further names
    to the genes of the other files.

    Parameters
    ----------
    paths : path or sequence of paths
    taxon : str, optional
        NCBI taxonomy id of the genes to read from a file with genes of several organisms; by default that of most rows.
    maps : sequence of ColumnMap
        Columns that the user names: `gene`, `name`, `aliases`, `description`.

    Raises
    ------
    DataError
        A file cannot be read, has no known layout or no gene, lists a gene twice, be it in upper and in lower case, or
        holds names that a spreadsheet program has turned into dates or numbers; with file and line.
    """
    sources = [paths] if isinstance(paths, (str, Path)) else paths
    tables = [_open(Path(path), maps) for path in sources]
    lists = [table for table in tables if not table.layout.refers] or [table for table in tables if table.layout.alone]
    records = GeneRecords()
    for table in lists:
        _read_list(table, records, taxon)
    records.problems.check()
    for table in tables:
        if table not in lists:
            _read_references(table, records, taxon)
    return _gene_list(records)


def _open(path: Path, maps: Sequence[ColumnMap]) -> Table[GeneLayout]:
    first = next(line for line in next(next(sheets(path, _START)).blocks).lines() if line.strip())
    for start, kind in _SEQUENCES.items():
        if first.startswith(start):
            raise DataError(f"{path} looks like {kind} - a {_NOUN} was expected")
    try:
        return open_table(path, LAYOUTS, _NOUN, maps, CUSTOM)
    except DataError as error:
        kind, option = _other_kind(path)
        if not kind:
            raise
        advice = f"; give it as {setting(option)}" if option else ""
        raise DataError(f"{path} looks like {kind} - a {_NOUN} was expected{advice}") from error


def _other_kind(path: Path) -> tuple[str, str]:
    """What a file that is no gene list is, and the setting to which it belongs; empty where unknown."""
    try:
        layout = open_table(path, OTHERS, _NOUN).layout
    except DataError:
        return "", ""
    return layout.name, layout.option


def _read_list(table: Table[GeneLayout], records: GeneRecords, taxon: str | None) -> None:
    """Add the genes of a table to `records`."""
    num_before = records.num_added
    layout, path = table.layout, table.path
    if "attributes" in table.columns:
        read_annotation(table, records)
    else:
        rows: Iterable[GeneRow] = gene_rows(table, records, taxon)
        if not table.header and layout in (ONE_ID, TWO_COLUMNS):
            rows = list(rows)
            refuse_header(table, rows)
        if layout is TWO_COLUMNS:
            rows = with_id_first(table, list(rows), records)
        _add_genes(table, rows, records)
    if records.num_added == num_before:
        raise DataError(f"{path} ({layout.name}) has no {layout.content} - one gene per row was expected")
    records.report[f"layout of {path.name}"] = _description_of(table)
    _report_unread(table, records)


def _add_genes(table: Table[GeneLayout], rows: Iterable[GeneRow], records: GeneRecords) -> None:
    layout, path = table.layout, table.path
    problems = ErrorCollector()
    changed_ids, changed_names = ChangedNames(path), ChangedNames(path)
    first_lines: dict[str, int] = {}
    num_rows = num_nameless = 0
    for row in rows:
        num_rows += 1
        if not row.ids:
            num_nameless += 1
            if layout.once:
                problems.add(f"{path}:{row.line}: no gene id in column {_id_column(table)} - every gene needs one")
            continue
        gene = row.ids[0]
        names = [name for name in row.names if not changed_names.found(row.line, name)]
        standard = next((name for name in names if name != gene), "")
        if changed_ids.found(row.line, gene):
            continue
        if len(gene.split()) != 1 or ";" in gene or re.search(r",(?!\d+\w?$)", gene):
            problems.add(
                f"{path}:{row.line}: '{text_files.shorten(gene)}' is not one gene id - one per row was expected"
            )
        elif gene in first_lines and layout.once:
            problems.add(duplicate_message(path, row.line, gene, first_lines[gene]))
        else:
            if first_lines.setdefault(gene, row.line) != row.line:
                records.count("further rows of a gene, merged")
            is_new = row.interval not in records.intervals.get(gene, ())
            description = "" if gene_cells.is_blank(row.description) else row.description
            aliases = {*row.ids, *names, *row.aliases} - {gene, standard}
            interval = row.interval if is_new else None
            records.add(gene, f"{path}:{row.line}", standard, sorted(aliases), description, interval)
    changed_ids.refuse()
    problems.check()
    changed_names.leave_out(records)
    if num_nameless:
        records.count("rows without a gene id, left out", num_nameless)
    if num_nameless >= _WARN_SHARE * num_rows > 0:
        warn(f"{path}: {num_nameless:,} of {number_of(num_rows, 'row')} have no gene id and are left out")


def _read_references(table: Table[GeneLayout], records: GeneRecords, taxon: str | None) -> None:
    """Add the names of a table of cross-references to the genes of `records`."""
    path, layout = table.path, table.layout
    if not records.ids:
        raise DataError(
            f"{path} ({layout.name}) has names of genes that another file lists - give both files as {setting('genes')}"
        )
    rows = [[*row.ids, *row.names, *row.aliases] for row in gene_rows(table, records, taxon)]
    num_rows = len(rows)
    for _ in range(2):  # the second time by names that other rows gave
        genes = _gene_list(records)
        rows = [names for names in rows if not _add_names(names, genes, records)]
    unknown = [names[0] for names in rows if names]
    if len(rows) == num_rows:
        sides = f"in the file: {examples(unknown)}; in the gene list: {examples(genes.ids)}"
        raise DataError(
            f"{path} ({layout.name}) names no gene of the gene list ({sides}) - the same genes were expected"
        )
    if rows:
        records.count("rows of other genes, left out", len(rows))
    LeftOut(str(path), "row", num_rows, len(rows), num_rows - len(rows), unknown, genes.ids).check(ErrorCollector(), "")
    records.report[f"layout of {path.name}"] = _description_of(table)
    _report_unread(table, records)


def _add_names(names: Sequence[str], genes: GeneList, records: GeneRecords) -> bool:
    """Add names of one gene to the gene that the first of them with a single meaning stands for; False if none has."""
    candidates = (genes.candidates(name) for name in names)
    gene = next((found[0] for found in candidates if len(found) == 1), None)
    if gene is not None:
        records.add_names(gene, {*names} - {gene})
    return gene is not None


def _gene_list(records: GeneRecords) -> GeneList:
    folded_ids = {gene.casefold() for gene in records.ids}
    aliases = {
        name: tuple(sorted(records.standard.get(name) or records.aliases[name]))
        for name in sorted({*records.standard, *records.aliases} - folded_ids)
    }
    report = {**records.report, "genes": len(records.ids), "names and aliases": len(aliases)}
    num_ambiguous = sum(len(candidates) > 1 for candidates in aliases.values())
    if num_ambiguous:
        report["ambiguous names (an error only if used)"] = num_ambiguous
    return GeneList(tuple(sorted(records.ids)), aliases, report, records.descriptions, dict(records.intervals))


def _id_column(table: Table[GeneLayout]) -> str:
    roles = id_roles(table)
    return " or ".join(table.name(role) for role in (roles if table.layout.ids else roles[:1]))


def _description_of(table: Table[GeneLayout]) -> str:
    """The layout and, where a header names it, the column of ids, for the report; and the sheet of a workbook."""
    layout = f"{table.layout.name} (ids: {_id_column(table)})" if len(table.header) > 1 else table.layout.name
    return f"{layout}, sheet {table.sheet}" if table.sheet else layout


def _report_unread(table: Table[GeneLayout], records: GeneRecords) -> None:
    used = set(table.columns.values())
    unread = [name for k, name in enumerate(table.header) if k not in used and name.strip()]
    if unread:
        records.report[f"columns of {table.path.name} that are not read"] = text_files.shorten(", ".join(unread), 200)
