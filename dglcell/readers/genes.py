"""Files with genes (annotations, name tables, exports of databases, cross-references, lists of ids) -> `GeneList`."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from dglcell.errors import DataError, ErrorCollector, number_of, setting, warn
from dglcell.readers import gene_cells, text_files
from dglcell.readers.annotations import read_annotation
from dglcell.readers.gene_layouts import CUSTOM, HEADER_NAME, LAYOUTS, ONE_ID, OTHERS, TWO_COLUMNS, GeneLayout
from dglcell.readers.gene_list import GeneList
from dglcell.readers.gene_records import GeneRecords, GenomicInterval, duplicate_message, interval_of
from dglcell.readers.left_out import LeftOut, examples
from dglcell.readers.tables.chunked_text import sheets
from dglcell.readers.tables.column_map import ColumnMap
from dglcell.readers.tables.columns import Columns
from dglcell.readers.tables.layout import normalize
from dglcell.readers.tables.table import Table, open_table

_NOUN: Final = "gene list"
_WARN_SHARE: Final = 0.1  # of rows that are left out
_SHOWN: Final = 5  # names in a message
_MAX_SHARED: Final = 0.1  # names in a name table that are ids of other genes
_MAX_NAMES: Final = 5  # of a gene in a name table, on average
_POSITION: Final = ("chromosome", "first", "last")
_MIN_LIKE: Final = 10  # ids by which a header is told from them
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


class _Row(NamedTuple):
    """One gene as a row of a table describes it."""

    line: int
    ids: list[str]  # the id of the gene, and what stands in other columns of ids
    names: list[str]  # standard names
    aliases: list[str]
    description: str
    interval: GenomicInterval | None


def _read_list(table: Table[GeneLayout], records: GeneRecords, taxon: str | None) -> None:
    """Add the genes of a table to `records`."""
    num_before = records.num_added
    layout, path = table.layout, table.path
    if "attributes" in table.columns:
        read_annotation(table, records)
    else:
        rows: Iterable[_Row] = _rows(table, records, taxon)
        if not table.header and layout in (ONE_ID, TWO_COLUMNS):
            rows = list(rows)
            _refuse_header(table, rows)
        if layout is TWO_COLUMNS:
            rows = _id_first(table, list(rows), records)
        _add_genes(table, rows, records)
    if records.num_added == num_before:
        raise DataError(f"{path} ({layout.name}) has no {layout.content} - one gene per row was expected")
    records.report[f"layout of {path.name}"] = _description_of(table)
    _report_unread(table, records)


def _add_genes(table: Table[GeneLayout], rows: Iterable[_Row], records: GeneRecords) -> None:
    layout, path = table.layout, table.path
    problems = ErrorCollector()
    changed_ids, changed_names = _ChangedNames(path), _ChangedNames(path)
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
    rows = [[*row.ids, *row.names, *row.aliases] for row in _rows(table, records, taxon)]
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


def _rows(table: Table[GeneLayout], records: GeneRecords, taxon: str | None) -> Iterator[_Row]:
    """The rows of a table that are read: of one organism, and of the kinds that the layout keeps."""
    roles = list(table.columns)
    groups = [_id_roles(table), *([role for role in roles if _group(role) == name] for name in ("name", "aliases"))]
    has_position = set(_POSITION) <= set(roles)
    for columns in _of_one_organism(table, records, taxon):
        columns = _of_kept_kinds(table, columns, records)
        blank = [""] * len(columns)
        descriptions = columns.cells(table.columns["description"]) if "description" in roles else blank
        position = [columns.cells(table.columns[role]) for role in _POSITION] if has_position else [blank]
        intervals = map(interval_of, zip(*position, strict=True))
        names = (_names(columns, table, group) for group in groups)
        yield from map(_Row, columns.lines.tolist(), *names, descriptions, intervals)


def _group(role: str) -> str:
    return role.partition("_")[0]


def _names(columns: Columns, table: Table[GeneLayout], roles: Sequence[str]) -> list[list[str]]:
    """The names in some columns of a table, one list per row."""
    lists = [_split(columns, table, role) for role in roles]
    if len(lists) == 1:
        return lists[0]
    return [list(itertools.chain(*parts)) for parts in zip(*lists, strict=True)] if lists else [[]] * len(columns)


def _of_kept_kinds(table: Table[GeneLayout], columns: Columns, records: GeneRecords) -> Columns:
    """The rows of the kinds that the layout keeps; the others are counted."""
    is_kept = np.ones(len(columns), dtype=np.bool_)
    for role, pattern in table.layout.kept.items():
        if role in table.columns:
            column = table.columns[role]
            fits = [re.fullmatch(pattern, value) is not None for value in columns.values[column]]
            is_kept &= np.array(fits, dtype=np.bool_)[columns.codes[column]]
    if is_kept.all():
        return columns
    records.count(table.layout.others, int((~is_kept).sum()))
    return columns.subset(is_kept)


def _split(columns: Columns, table: Table[GeneLayout], role: str) -> list[list[str]]:
    """The names in the cells of a column, one list per row."""
    column, layout = table.columns[role], table.layout
    is_id = _group(role) == "gene"
    names = [_ids_in(v, layout) if is_id else _names_in(v, role, layout) for v in columns.values[column]]
    return [names[code] for code in columns.codes[column].tolist()]


def _id_roles(table: Table[GeneLayout]) -> list[str]:
    """Roles of the columns with ids, the most important one first."""
    roles = [role for role in table.columns if _group(role) == "gene"]
    explicit = [role for role in table.layout.ids if role in roles]
    return explicit or sorted(roles, key=lambda role: table.columns[role])


def _ids_in(cell: str, layout: GeneLayout) -> list[str]:
    if layout.refers:
        return gene_cells.split_names(cell, layout.separators)
    cell = re.sub(rf"^(?:{layout.prefix})", "", cell) if layout.prefix else cell
    return [] if gene_cells.is_blank(cell) else [gene_cells.gene_id(cell)]


def _names_in(cell: str, role: str, layout: GeneLayout) -> list[str]:
    names = gene_cells.split_names(cell, layout.separators)
    return list(filter(None, map(gene_cells.accession, names))) if "xref" in role else names


def _of_one_organism(table: Table[GeneLayout], records: GeneRecords, taxon: str | None) -> Iterator[Columns]:
    """The columns of a table, with the rows of one organism."""
    roles = list(table.columns)
    if "taxon" not in table.columns:
        yield from table.read_all(roles)
        return
    column = table.columns["taxon"]
    blocks: Iterable[Columns] = table.read_all(roles)
    if taxon is None:
        blocks = list(blocks)
        counts = Counter(name for block in blocks for name in block.cells(column))
        taxon, num_rows = counts.most_common(1)[0] if counts else ("", 0)
        if len(counts) > 1:
            others = ", ".join(name for name, _ in counts.most_common(_SHOWN + 1)[1:])
            message = f"{table.path} has genes of {len(counts)} organisms"
            if 2 * num_rows <= counts.total():
                raise DataError(f"{message} ({taxon}, {others}) - give one of them as {setting('taxon')}")
            warn(
                f"{message}: {number_of(num_rows, 'row')} of {counts.total():,} are of {taxon} and are read - give "
                f"another one ({others}) as {setting('taxon')}"
            )
    found: set[str] = set()
    num_read = 0
    for block in blocks:
        names = block.values[column]
        found.update(names)
        is_read = block.codes[column] == (names.index(taxon) if taxon in names else -1)
        num_read += int(is_read.sum())
        if not is_read.all():
            records.count("rows of other organisms, left out", int((~is_read).sum()))
        yield block.subset(is_read)
    if not num_read:
        raise DataError(f"{table.path} has no genes of {taxon} - it has those of {', '.join(sorted(found)[:_SHOWN])}")


def _refuse_header(table: Table[GeneLayout], rows: list[_Row]) -> None:
    """Raise DataError if the first row of a table without a known header looks like names of columns."""
    first, *others = [row.ids[0] for row in rows if row.ids] or [""]
    has_digits = [any(map(str.isdigit, gene)) for gene in others]
    is_unlike = len(others) >= _MIN_LIKE and all(has_digits) and not any(map(str.isdigit, first))
    if is_unlike or re.fullmatch(HEADER_NAME, normalize(first)):
        cells = ", ".join(f"'{name}'" for name in [first, *rows[0].names, *rows[0].aliases])
        raise DataError(
            f"{table.path}:{rows[0].line}: {cells} - genes were expected, not names of columns; name those that are "
            f"meant, for example {setting('columns', f'gene={first}')}"
        )


def _id_first(table: Table[GeneLayout], rows: list[_Row], records: GeneRecords) -> list[_Row]:
    """The rows of a name table without a header, with the column of ids first.

    Ids are those that look alike (`YAL001C`, `YBR002W`).

    Raises
    ------
    DataError
        Both columns hold the same kind of id, so that the table looks like a network.
    """
    pairs = [(row.ids[0], name) for row in rows if row.ids for name in row.names if name != row.ids[0]]
    ids = {gene for gene, _ in pairs}
    names = {name for _, name in pairs}
    likeness = [_likeness(column) for column in (ids, names)]
    is_same_shape = len(names) > 1 and _shapes(ids).most_common(1)[0][0] == _shapes(names).most_common(1)[0][0]
    if names and (
        len(names & ids) > _MAX_SHARED * len(names)
        or len(pairs) > _MAX_NAMES * len(ids)
        or (is_same_shape and min(likeness) > 0.8)
    ):
        raise DataError(
            f"{table.path} looks like a network ({pairs[0][0]}, {pairs[0][1]}) - a {_NOUN} was expected; give it as "
            f"{setting('physical')} or {setting('regulatory')}, or name its columns, for example "
            f"{setting('columns', 'gene=1,name=2')}"
        )
    if likeness[1] > likeness[0] + 0.2 and all(row.names for row in rows):
        records.count(f"names in column 1 and ids in column 2 of {table.path.name}")
        return [row._replace(ids=row.names[:1], names=row.ids, aliases=row.names[1:]) for row in rows]
    return rows


def _shapes(names: Iterable[str]) -> Counter[str]:
    """How many names have the same letters and digits: `A999A` for `Y001C`."""
    return Counter(re.sub(r"[A-Z]", "A", re.sub(r"\d", "9", name)) for name in names)


def _likeness(names: Iterable[str]) -> float:
    """The share of the most common shape among names with digits."""
    shapes = _shapes(names)
    common = max((n for shape, n in shapes.items() if "9" in shape), default=0)
    return common / max(1, shapes.total())


class _ChangedNames:
    """Names that a spreadsheet program has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shown: list[str] = []
        self._count = 0

    def found(self, line: int, name: str) -> bool:
        """Whether a name is a date or a number in the notation of a spreadsheet; then it is counted."""
        kind = gene_cells.spreadsheet_damage(name)
        if kind:
            self._count += 1
            if len(self._shown) < 2 * _SHOWN:
                self._shown.append(f"{line}: '{name}' is {kind}")
        return bool(kind)

    def refuse(self) -> None:
        """Raise DataError if there are any, among ids."""
        if self._count:
            raise DataError(f"{self._message()} - restore the original names, and import the column as text")

    def leave_out(self, records: GeneRecords) -> None:
        """Count and report those among other names of genes."""
        if self._count:
            records.count("names that a spreadsheet program has changed, left out", self._count)
            warn(f"{self._message()} - they are left out; restore the original names")

    def _message(self) -> str:
        more = f"; and {self._count - len(self._shown):,} more" if self._count > len(self._shown) else ""
        return (
            f"{self._path}:{'; '.join(self._shown)}{more}: a spreadsheet program has changed names of genes (SEPT1 to "
            "1-Sep, 2310009E13 to 2.31E+13)"
        )


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
    roles = _id_roles(table)
    return " or ".join(table.name(role) for role in (roles if table.layout.ids else roles[:1]))


def _description_of(table: Table[GeneLayout]) -> str:
    """The layout and, where a header names it, the column of ids, for the report."""
    return f"{table.layout.name} (ids: {_id_column(table)})" if len(table.header) > 1 else table.layout.name


def _report_unread(table: Table[GeneLayout], records: GeneRecords) -> None:
    used = set(table.columns.values())
    unread = [name for k, name in enumerate(table.header) if k not in used and name.strip()]
    if unread:
        records.report[f"columns of {table.path.name} that are not read"] = text_files.shorten(", ".join(unread), 200)
