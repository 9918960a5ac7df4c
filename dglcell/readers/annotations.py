"""Gene annotations -> ids, names, descriptions and coordinates: the formats SGD_features.tab and GFF3.

SGD_features.tab: downloads.yeastgenome.org; GFF3: github.com/The-Sequence-Ontology/Specifications.
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
_SGD_COORDINATES = slice(8, 11)
_SGD_DESCRIPTION = 15
_GFF_COLUMNS = 9
_GFF_DESCRIPTIONS = ("description", "product", "Note", "display")
_GFF_ID = re.compile(r"^(gene|GeneID|locus)[:-]", re.IGNORECASE)


class GenomicInterval(NamedTuple):
    """Bases `first` to `last` of a chromosome, counted from 1, both included, on either strand."""

    chromosome: str
    first: int
    last: int


class GeneRecords:
    """The genes of one or more annotation files, collected line by line.

    Attributes
    ----------
    ids : set of str
        Systematic ids.
    standard, aliases : dict of str to set of str
        Case-folded standard name, or alias, to the ids that have it.
    report : dict
        Counts of what was read and left out.
    descriptions : dict of str to str
    intervals : dict of str to list of GenomicInterval
        By id; a gene in several pieces has several intervals.
    num_added : int
        Number of genes and further pieces of genes so far.
    problems : ErrorCollector
        Genes that are listed twice, in two spellings.
    """

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.standard: dict[str, set[str]] = defaultdict(set)
        self.aliases: dict[str, set[str]] = defaultdict(set)
        self.report: dict[str, int | str] = {}
        self.descriptions: dict[str, str] = {}
        self.intervals: dict[str, list[GenomicInterval]] = defaultdict(list)
        self.num_added = 0
        self.problems = ErrorCollector()
        self._first: dict[str, tuple[str, str]] = {}  # by case-folded id: the id and its place

    def add(
        self,
        gene: str,
        place: str,
        standard: str = "",
        aliases: Iterable[str] = (),
        description: str = "",
        interval: GenomicInterval | None = None,
    ) -> None:
        """Add a gene, or a further piece of one.

        An id that differs from an earlier one in upper and lower case alone is added to `problems`.

        Parameters
        ----------
        gene : str
            Systematic id.
        place : str
            Where it is listed, as `file:line`.
        standard : str
            Standard name, or empty.
        aliases : iterable of str
            Other names.
        description : str
        interval : GenomicInterval, optional
        """
        self.num_added += 1
        self.ids.add(gene)
        first, first_place = self._first.setdefault(gene.casefold(), (gene, place))
        if first != gene:
            self.problems.add(same_gene_message(place, gene, first, first_place))
        if description:
            self.descriptions[gene] = description
        if interval is not None:
            self.intervals[gene].append(interval)
        if standard:
            self.standard[standard.casefold()].add(gene)
        for name in aliases:
            if name:
                self.aliases[name.casefold()].add(gene)

    def count(self, item: str, n: int = 1) -> None:
        """Add `n` to an item of the report."""
        self.report[item] = int(self.report.get(item, 0)) + n


def annotation_format(lines: Sequence[str]) -> str | None:
    """The annotation format of a file, `GFF3` or `SGD_features.tab`; None for another file, such as a list of ids."""
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    if lines[0].startswith("##gff-version") or (rows and _is_gff(rows[0])):
        return GFF
    if any(fields[1] == "ORF" for line in rows if len(fields := line.split("\t")) >= _SGD_COLUMNS):
        return SGD
    return None


def _is_gff(line: str) -> bool:
    fields = line.split("\t")
    return len(fields) == _GFF_COLUMNS and fields[3].isdigit() and fields[4].isdigit() and fields[6] in set("+-.?")


def read_sgd(path: Path, rows: list[tuple[int, str]], records: GeneRecords) -> None:
    """Add the rows of type ORF to `records`.

    Parameters
    ----------
    rows : list of (int, str)
        Line numbers and lines.

    Raises
    ------
    DataError
        Rows have too few columns, no systematic name, or one that occurs twice; all of them are listed.
    """
    problems = ErrorCollector()
    first_lines: dict[str, int] = {}
    for line_number, line in rows:
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) < _SGD_COLUMNS:
            num_columns = text_files.quantity(len(fields), "column")
            problems.add(f"{path}:{line_number}: {num_columns} - at least {_SGD_COLUMNS} were expected")
        elif fields[1] != "ORF":
            records.count("features other than ORF, left out")
        elif not fields[3]:
            problems.add(f"{path}:{line_number}: an ORF without a systematic name in column 4 - every ORF needs one")
        elif fields[3] in first_lines:
            problems.add(duplicate_message(path, line_number, fields[3], first_lines[fields[3]]))
        else:
            first_lines[fields[3]] = line_number
            description = fields[_SGD_DESCRIPTION] if len(fields) > _SGD_DESCRIPTION else ""
            aliases = (alias.strip() for alias in fields[5].split("|"))
            interval = _interval(fields[_SGD_COORDINATES])
            records.add(fields[3], f"{path}:{line_number}", fields[4], aliases, description, interval)
    problems.check()


def read_gff(path: Path, lines: list[str], records: GeneRecords) -> None:
    """Add the rows of type gene, up to the sequences of the file, to `records`.

    Parameters
    ----------
    path : Path
        For error messages.
    lines : list of str
        All lines of the file.
    records : GeneRecords
        Genes are added to it.

    Raises
    ------
    DataError
        Rows do not have 9 columns, or genes have no id; all of them are listed.
    """
    problems = ErrorCollector()
    genes: set[str] = set()
    for line_number, line in enumerate(lines, start=1):
        if line.startswith("##FASTA") or line.startswith(">"):
            break
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != _GFF_COLUMNS:
            num_columns = text_files.quantity(len(fields), "column")
            problems.add(f"{path}:{line_number}: {num_columns} - GFF3 has {_GFF_COLUMNS}, tab-separated")
            continue
        if fields[2] != "gene":
            records.count("features other than gene, left out")
            continue
        attributes = _attributes(fields[8])
        identifier = _GFF_ID.sub("", attributes.get("ID", [""])[0])
        gene = (attributes.get("locus_tag") or attributes.get("gene_id") or [identifier])[0]
        if not gene:
            problems.add(f"{path}:{line_number}: a gene without ID=, locus_tag= or gene_id= - every gene needs one")
            continue
        if gene in genes:  # GFF3 repeats a feature that has several pieces
            records.count("further pieces of a gene, merged")
        genes.add(gene)
        symbols = [*attributes.get("gene", []), *attributes.get("Name", [])]
        standard = next((name for name in symbols if name != gene), "")
        aliases = {*symbols, identifier, *attributes.get("Alias", []), *attributes.get("gene_synonym", [])}
        descriptions = (text for key in _GFF_DESCRIPTIONS for text in attributes.get(key, []))
        interval = _interval([fields[0], *fields[3:5]])
        description = ", ".join(dict.fromkeys(descriptions))
        names = sorted(aliases - {gene, standard})
        records.add(gene, f"{path}:{line_number}", standard, names, description, interval)
    problems.check()


def _interval(coordinates: Sequence[str]) -> GenomicInterval | None:
    """The interval of (chromosome, start, stop), None if incomplete; on the reverse strand, SGD has start > stop."""
    if len(coordinates) < 3 or not coordinates[0] or not all(field.isdigit() for field in coordinates[1:]):
        return None
    first, last = sorted(int(field) for field in coordinates[1:])
    return GenomicInterval(coordinates[0], first, last)


def _attributes(column: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for pair in column.split(";"):
        key, equals, value = pair.partition("=")
        if equals and value.strip():
            values[key.strip()] = [unquote(item).strip() for item in value.split(",")]
    return values


def duplicate_message(path: Path, line_number: int, gene: str, first_line: int) -> str:
    """Error message for a gene that a file lists twice."""
    return f"{path}:{line_number}: duplicate gene id '{gene}', first at line {first_line} - name each gene once"


def same_gene_message(place: str, gene: str, first: str, first_place: str) -> str:
    """Error message for a gene that is listed in two spellings, of which the other one stands at `first_place`."""
    return f"{place}: the same gene twice, '{gene}' and, at {first_place}, '{first}' - give each gene one spelling"
