"""Rows of a table of genes: the names in its columns, of one organism and of the kinds that its layout keeps."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from dglcell.errors import DataError, number_of, setting, warn
from dglcell.readers import gene_cells
from dglcell.readers.gene_layout import GeneLayout
from dglcell.readers.gene_records import GeneRecords, GenomicInterval, interval_of
from dglcell.readers.interactor_names import species_of
from dglcell.readers.tables.columns import Columns
from dglcell.readers.tables.table import Table

_POSITION: Final = ("chromosome", "first", "last")
_SHOWN: Final = 5  # organisms in a message


class GeneRow(NamedTuple):
    """One gene as a row of a table describes it."""

    line: int
    ids: list[str]  # the id of the gene, and what stands in other columns of ids
    names: list[str]  # standard names
    aliases: list[str]
    description: str
    interval: GenomicInterval | None


def gene_rows(table: Table[GeneLayout], records: GeneRecords, taxon: str | None) -> Iterator[GeneRow]:
    """The rows of a table that are read: of one organism, and of the kinds that the layout keeps."""
    roles = list(table.columns)
    groups = [id_roles(table), *([role for role in roles if _group(role) == name] for name in ("name", "aliases"))]
    has_position = set(_POSITION) <= set(roles)
    for columns in _of_one_organism(table, records, taxon):
        columns = _of_kept_kinds(table, columns, records)
        blank = [""] * len(columns)
        descriptions = columns.cells(table.columns["description"]) if "description" in roles else blank
        position = [columns.cells(table.columns[role]) for role in _POSITION] if has_position else [blank]
        intervals = map(interval_of, zip(*position, strict=True))
        names = (_names(columns, table, group) for group in groups)
        yield from map(GeneRow, columns.lines.tolist(), *names, descriptions, intervals)


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


def id_roles(table: Table[GeneLayout]) -> list[str]:
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
        counts = Counter(species_of(name) for block in blocks for name in block.cells(column))
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
        is_species = np.array([species_of(name) == species_of(taxon) for name in names], dtype=np.bool_)
        is_read = is_species[block.codes[column]]
        num_read += int(is_read.sum())
        if not is_read.all():
            records.count(f"rows of organisms other than {taxon}, left out", int((~is_read).sum()))
        yield block.subset(is_read)
    if not num_read:
        organisms = ", ".join(sorted(found)[:_SHOWN])
        raise DataError(f"{table.path} has no genes of {setting('taxon', taxon)} - it has those of {organisms}")
