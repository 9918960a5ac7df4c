"""Genome annotations (GFF3, GTF) -> genes with their names, descriptions and positions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import unquote

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import gene_cells
from dglcell.readers.gene_layout import GeneLayout
from dglcell.readers.gene_layouts import ANNOTATIONS, GTF
from dglcell.readers.gene_records import GeneRecords, GenomicInterval, interval_of
from dglcell.readers.tables.table import Table, open_table

_ROLES: Final = ("chromosome", "type", "first", "last", "attributes")
_ALIASES: Final = ("Alias", "gene_synonym", "old_locus_tag")
_REFERENCES: Final = ("Dbxref", "dbxref", "db_xref")
_DESCRIPTIONS: Final = ("description", "product", "Note", "display")
_GTF_PAIR: Final = re.compile(r"""(\w+)\s+(?:"([^"]*)"|([^\s;"]+))""")

_Attributes: TypeAlias = Mapping[str, Sequence[str]]
_Parser: TypeAlias = Callable[[str], dict[str, list[str]]]


@dataclass
class _Feature:
    """A gene as features other than genes describe it."""

    place: str
    standard: str
    aliases: set[str]
    description: str
    interval: GenomicInterval | None


def annotation_layout(path: Path) -> GeneLayout | None:
    """The layout of a gene annotation (`SGD_features.tab`, GFF3, GTF); None for another file."""
    try:
        return open_table(path, ANNOTATIONS, "gene annotation").layout
    except DataError:
        return None


def read_annotation(table: Table[GeneLayout], records: GeneRecords) -> None:
    """Add the genes of a genome annotation to `records`.

    Rows of type gene are read. If there are none, the genes that other rows name by `locus_tag` or `gene_id` are read.
    UniProt accessions of other rows, such as those of coding sequences, become names of their genes.

    Raises
    ------
    DataError
        Rows do not have 9 columns, or genes have no id; all of a block are listed.
    """
    parse = _gtf_attributes if table.layout is GTF else _gff_attributes
    names = _Names()
    for columns in table.read_all(_ROLES):
        problems = ErrorCollector()
        chromosome, kind, first, last, attributes = (columns.cells(table.columns[role]) for role in _ROLES)
        for k, text in enumerate(attributes):
            place = f"{table.path}:{columns.lines[k]}"
            interval = interval_of([chromosome[k], first[k], last[k]])
            if kind[k] == "gene":
                names.add_gene(parse(text), place, interval, records, problems)
            else:
                records.count(table.layout.others)
                names.add_other(text, parse, place, interval)
        problems.check()
    names.finish(records)


class _Names:
    """Genes of an annotation so far, and what rows other than genes say about them."""

    def __init__(self) -> None:
        self._genes: set[str] = set()
        self._gene_of: dict[str, str] = {}  # by the ID of a row
        self._parents: dict[str, str] = {}
        self._accessions: list[tuple[str, str]] = []  # gene or parent, accession
        self._features: dict[str, _Feature] = {}

    def add_gene(
        self,
        attributes: _Attributes,
        place: str,
        interval: GenomicInterval | None,
        records: GeneRecords,
        problems: ErrorCollector,
    ) -> None:
        identifier = gene_cells.gene_id(_first(attributes, "ID"))
        gene = gene_cells.gene_id(_first(attributes, "locus_tag") or _first(attributes, "gene_id")) or identifier
        if not gene:
            problems.add(f"{place}: a gene without ID=, locus_tag= or gene_id= - every gene needs one")
            return
        if gene in self._genes:  # GFF3 repeats a feature that has several pieces
            records.count("further pieces of a gene, merged")
        self._genes.add(gene)
        self._gene_of[_first(attributes, "ID")] = gene
        standard, aliases = _names_of(gene, attributes, attributes.get("Name", ()), identifier)
        records.add(gene, place, standard, sorted(aliases), _description(attributes), interval)

    def add_other(self, text: str, parse: _Parser, place: str, interval: GenomicInterval | None) -> None:
        has_accession = "UniProt" in text
        if self._genes and not has_accession and "Parent" not in text:
            return
        attributes = parse(text)
        gene = gene_cells.gene_id(_first(attributes, "locus_tag") or _first(attributes, "gene_id"))
        parent = _first(attributes, "Parent")
        if parent and "ID" in attributes:
            self._parents[attributes["ID"][0]] = parent
        if has_accession and (gene or parent):
            references = [*_references(attributes), *attributes.get("protein_id", ())]
            self._accessions += [(gene or parent, name) for r in references if (name := gene_cells.accession(r))]
        if gene and not self._genes:
            standard, aliases = _names_of(gene, attributes)
            feature = self._features.setdefault(gene, _Feature(place, standard, set(), "", interval))
            feature.aliases |= aliases
            feature.description = feature.description or _description(attributes)
            feature.interval = _hull(feature.interval, interval)

    def finish(self, records: GeneRecords) -> None:
        if not self._genes and self._features:
            for gene, feature in self._features.items():
                names = feature.standard, sorted(feature.aliases), feature.description
                records.add(gene, feature.place, *names, feature.interval)
            records.count("genes of features other than gene", len(self._features))
        for owner, name in self._accessions:
            for _ in range(len(self._parents)):
                if owner in self._gene_of or owner not in self._parents:
                    break
                owner = self._parents[owner]
            gene = self._gene_of.get(owner, gene_cells.gene_id(owner))
            if gene in records.ids:
                records.add_names(gene, [name])


def _first(attributes: _Attributes, key: str) -> str:
    return next(iter(attributes.get(key, ())), "")


def _references(attributes: _Attributes) -> list[str]:
    return [reference for key in _REFERENCES for reference in attributes.get(key, ())]


def _names_of(gene: str, attributes: _Attributes, symbols: Iterable[str] = (), other: str = "") -> tuple[str, set[str]]:
    """The standard name of a gene, which may be empty, and its other names."""
    symbols = [*attributes.get("gene", ()), *attributes.get("gene_name", ()), *symbols]
    standard = next((name for name in symbols if name != gene), "")
    accessions = map(gene_cells.accession, _references(attributes))
    aliases = (name for key in _ALIASES for name in attributes.get(key, ()))
    return standard, {*symbols, other, *aliases, *accessions} - {gene, standard, ""}


def _description(attributes: _Attributes) -> str:
    return ", ".join(dict.fromkeys(text for key in _DESCRIPTIONS for text in attributes.get(key, ())))


def _hull(first: GenomicInterval | None, second: GenomicInterval | None) -> GenomicInterval | None:
    if first is None or second is None or first.chromosome != second.chromosome:
        return first or second
    return GenomicInterval(first.chromosome, min(first.first, second.first), max(first.last, second.last))


def _gff_attributes(column: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for pair in column.split(";"):
        key, equals, value = pair.partition("=")
        if equals and value.strip():
            values[key.strip()] = [unquote(item).strip() for item in value.split(",")]
    return values


def _gtf_attributes(column: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for key, quoted, plain in _GTF_PAIR.findall(column):
        if value := (quoted or plain).strip():
            values.setdefault(key, []).append(value)
    return values
