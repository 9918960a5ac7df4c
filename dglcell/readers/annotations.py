"""Gene annotations -> ids, names, descriptions and places: the layouts SGD_features.tab and GFF3.

Owns their columns and attributes, and what is gathered of a gene; which name wins is `genes`' part.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from dglcell.errors import ErrorCollector
from dglcell.readers import text_files

SGD, GFF = "SGD_features.tab", "GFF3"
_SGD_COLUMNS = 6
_SGD_PLACE = slice(8, 11)
_SGD_DESCRIPTION = 15
_GFF_COLUMNS = 9
_GFF_DESCRIPTIONS = ("description", "product", "Note", "display")
_GFF_ID = re.compile(r"^(gene|GeneID|locus)[:-]", re.IGNORECASE)


class GenomicInterval(NamedTuple):
    """Where a gene lies: bases `first` to `last` of a chromosome, counted from 1, both included, on either strand."""

    chromosome: str
    first: int
    last: int


class GeneRecords:
    """What the readers of gene lists gather from every file."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.standard: dict[str, set[str]] = defaultdict(set)
        self.other: dict[str, set[str]] = defaultdict(set)
        self.report: dict[str, int | str] = {}
        self.descriptions: dict[str, str] = {}
        self.places: dict[str, list[GenomicInterval]] = defaultdict(list)
        self.added = 0

    def add(
        self,
        gene: str,
        standard: str,
        others: Iterable[str],
        description: str = "",
        place: GenomicInterval | None = None,
    ) -> None:
        """A gene, or a further piece of one."""
        self.added += 1
        self.ids.add(gene)
        if description:
            self.descriptions[gene] = description
        if place is not None:
            self.places[gene].append(place)
        if standard:
            self.standard[standard.casefold()].add(gene)
        for name in others:
            if name:
                self.other[name.casefold()].add(gene)

    def count(self, what: str, n: int = 1) -> None:
        """So many more of what the report names."""
        self.report[what] = int(self.report.get(what, 0)) + n


def annotation(lines: Sequence[str]) -> str | None:
    """`GFF3` or `SGD_features.tab` if the lines of a file have such a layout, which says more of a gene than its id."""
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    if lines[0].startswith("##gff-version") or (rows and _is_gff(rows[0])):
        return GFF
    if any(fields[1] == "ORF" for line in rows if len(fields := line.split("\t")) >= _SGD_COLUMNS):
        return SGD
    return None


def _is_gff(line: str) -> bool:
    fields = line.split("\t")
    return len(fields) == _GFF_COLUMNS and fields[3].isdigit() and fields[4].isdigit() and fields[6] in set("+-.?")


def read_sgd(path: Path, rows: list[tuple[int, str]], names: GeneRecords) -> None:
    """Rows of type ORF, by line number; all that is wrong with them is raised at once."""
    problems = ErrorCollector()
    first: dict[str, int] = {}
    for number, line in rows:
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) < _SGD_COLUMNS:
            problems.add(
                f"{path}:{number}: {text_files.counted(len(fields), 'column')} - at least {_SGD_COLUMNS} were expected"
            )
        elif fields[1] != "ORF":
            names.count("features other than ORF, left out")
        elif not fields[3]:
            problems.add(f"{path}:{number}: an ORF without a systematic name in column 4 - every ORF needs one")
        elif fields[3] in first:
            problems.add(duplicate(path, number, fields[3], first[fields[3]]))
        else:
            first[fields[3]] = number
            description = fields[_SGD_DESCRIPTION] if len(fields) > _SGD_DESCRIPTION else ""
            aliases = (alias.strip() for alias in fields[5].split("|"))
            names.add(fields[3], fields[4], aliases, description, _place(fields[_SGD_PLACE]))
    problems.check()


def read_gff(path: Path, lines: list[str], names: GeneRecords) -> None:
    """Rows of type gene, up to the sequences; all that is wrong with them is raised at once."""
    problems = ErrorCollector()
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if line.startswith("##FASTA") or line.startswith(">"):
            break
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != _GFF_COLUMNS:
            problems.add(
                f"{path}:{number}: {text_files.counted(len(fields), 'column')} - GFF3 has {_GFF_COLUMNS}, tab-separated"
            )
            continue
        if fields[2] != "gene":
            names.count("features other than gene, left out")
            continue
        values = _attributes(fields[8])
        identifier = _GFF_ID.sub("", values.get("ID", [""])[0])
        gene = (values.get("locus_tag") or values.get("gene_id") or [identifier])[0]
        if not gene:
            problems.add(f"{path}:{number}: a gene without ID=, locus_tag= or gene_id= - every gene needs one")
            continue
        if gene in seen:  # GFF3 repeats a feature that lies in several pieces
            names.count("further pieces of a gene, merged")
        seen.add(gene)
        called = [*values.get("gene", []), *values.get("Name", [])]
        standard = next((name for name in called if name != gene), "")
        others = {*called, identifier, *values.get("Alias", []), *values.get("gene_synonym", [])}
        described = (word for key in _GFF_DESCRIPTIONS for word in values.get(key, []))
        place = _place([fields[0], *fields[3:5]])
        names.add(gene, standard, sorted(others - {gene, standard}), ", ".join(dict.fromkeys(described)), place)
    problems.check()


def _place(fields: Sequence[str]) -> GenomicInterval | None:
    """Of chromosome, start and stop, which lies below the start on the strand that is read backwards."""
    if len(fields) < 3 or not fields[0] or not all(field.isdigit() for field in fields[1:]):
        return None
    first, last = sorted(int(field) for field in fields[1:])
    return GenomicInterval(fields[0], first, last)


def _attributes(column: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for part in column.split(";"):
        key, equals, value = part.partition("=")
        if equals and value.strip():
            values[key.strip()] = [unquote(item).strip() for item in value.split(",")]
    return values


def duplicate(path: Path, number: int, gene: str, first: int) -> str:
    """What is said of a gene that a file names twice."""
    return f"{path}:{number}: duplicate gene id '{gene}', first at line {first} - name each gene once"
