"""Genes as they are collected from one or more files: ids, names, descriptions and positions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from dglcell.errors import ErrorCollector


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
        self.add_names(gene, aliases)

    def add_names(self, gene: str, aliases: Iterable[str]) -> None:
        """Add other names of a gene."""
        for name in aliases:
            if name:
                self.aliases[name.casefold()].add(gene)

    def count(self, item: str, n: int = 1) -> None:
        """Add `n` to an item of the report."""
        self.report[item] = int(self.report.get(item, 0)) + n


def interval_of(coordinates: Sequence[str]) -> GenomicInterval | None:
    """The interval of (chromosome, start, stop), None if incomplete; on the reverse strand, SGD has start > stop."""
    if len(coordinates) < 3 or not coordinates[0] or not all(field.isdigit() for field in coordinates[1:]):
        return None
    first, last = sorted(int(field) for field in coordinates[1:])
    return GenomicInterval(coordinates[0], first, last)


def duplicate_message(path: Path, line_number: int, gene: str, first_line: int) -> str:
    """Error message for a gene that a file lists twice."""
    return f"{path}:{line_number}: duplicate gene id '{gene}', first at line {first_line} - name each gene once"


def same_gene_message(place: str, gene: str, first: str, first_place: str) -> str:
    """Error message for a gene that is listed in two spellings, of which the other one stands at `first_place`."""
    return f"{place}: the same gene twice, '{gene}' and, at {first_place}, '{first}' - give each gene one spelling"
