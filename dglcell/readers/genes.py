"""Gene lists -> systematic ids and the names that stand for them.

SGD_features.tab, GFF3 or one id a line, recognised from content. Owns name resolution; knows no graph.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.annotations import (
    GFF,
    SGD,
    GeneRecords,
    GenomicInterval,
    annotation,
    duplicate,
    read_gff,
    read_sgd,
)

_EXPECTED = "SGD_features.tab, GFF3 or one gene id a line was expected"
_HEADERS = {
    *("gene", "genes", "id", "ids", "gene_id", "gene_ids", "geneid", "orf", "orfs"),
    *("systematic_name", "locus_tag"),
}


@dataclass(frozen=True, repr=False)
class GeneList:
    """Genes and their names.

    Attributes
    ----------
    ids : tuple of str
        Systematic ids, sorted and distinct.
    aliases : dict
        Case-folded name to the ids it may stand for, sorted. A standard name wins over an alias of another gene; a name
        that is itself a systematic id is not listed.
    report : dict
        What was read and left out.
    descriptions : dict
        Id to what the file says of the gene in words; genes without a word are left out.
    places : dict
        Id to where the gene lies, piece by piece; genes that the file does not place are left out.
    """

    ids: tuple[str, ...]
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    report: Mapping[str, int | str] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Sequence[GenomicInterval]] = field(default_factory=dict)

    def __repr__(self) -> str:
        shown = ", ".join(self.ids[:3]) + (", .." if len(self.ids) > 3 else "")
        return f"GeneList: {len(self.ids):,} genes ({shown}), {len(self.aliases):,} names and aliases"

    @functools.cached_property
    def _by_fold(self) -> dict[str, tuple[str, ...]]:
        folded: dict[str, list[str]] = defaultdict(list)
        for gene in self.ids:
            folded[gene.casefold()].append(gene)
        return {name: tuple(genes) for name, genes in folded.items()}

    @functools.cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.ids)

    def candidates(self, name: str) -> tuple[str, ...]:
        """The genes that a systematic id, standard name or alias may stand for, whatever its case."""
        key = name.casefold()
        return self._by_fold.get(key) or self.aliases.get(key, ())

    def resolve(self, name: str) -> str | None:
        """The gene that a systematic id, standard name or alias stands for, whatever its case; None if unknown.

        Raises
        ------
        DataError
            The name is ambiguous; the message names the candidates.
        """
        name = name.strip()
        if name in self._known:
            return name
        found = self.candidates(name)
        if len(found) > 1:
            raise DataError(f"gene name '{name}' is ambiguous: {', '.join(found)} - give the systematic id")
        return found[0] if found else None

    def with_added(self, ids: Iterable[str]) -> GeneList:
        """The list with more systematic ids, without names."""
        merged = tuple(sorted({*self.ids, *ids}))
        return dataclasses.replace(self, ids=merged)


def read_genes(paths: Path | str | Sequence[Path | str]) -> GeneList:
    """Read one gene list, or several and unite them.

    SGD_features.tab: rows of type ORF, column 4 the systematic name, 5 the standard name, 6 aliases joined by `|`, 9 to
    11 chromosome, start and stop, 16 a description. GFF3: rows of type `gene`; the id is `locus_tag`, `gene_id` or
    `ID`, names come from `gene`, `Name`, `Alias`, `gene_synonym`, descriptions from `description`, `product`, `Note`,
    `display`. Else one id a line; lines that start with `#` are comments.

    Raises
    ------
    DataError
        A file that cannot be read, is none of these, holds no gene, or names one twice (with the lines).
    """
    names = GeneRecords()
    for path in [paths] if isinstance(paths, (str, Path)) else paths:
        _read_one(Path(path), names)
    taken = {gene.casefold() for gene in names.ids}
    aliases = {
        name: tuple(sorted(names.standard.get(name) or names.other[name]))
        for name in sorted({*names.standard, *names.other} - taken)
    }
    names.report["genes"] = len(names.ids)
    names.report["names and aliases"] = len(aliases)
    ambiguous = sum(len(found) > 1 for found in aliases.values())
    if ambiguous:
        names.report["ambiguous names (an error only where one is used)"] = ambiguous
    return GeneList(tuple(sorted(names.ids)), aliases, dict(names.report), names.descriptions, dict(names.places))


def _read_one(path: Path, names: GeneRecords) -> None:
    lines = text_files.read_lines(path)
    rows = [(number, line) for number, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")]
    first = rows[0][1] if rows else ""
    before = names.added
    layout = annotation(lines)
    if layout == GFF:
        missing = "rows of type gene with an ID"
        read_gff(path, lines, names)
    elif layout == SGD:
        missing = "rows of type ORF"
        read_sgd(path, rows, names)
    elif "\t" in first or "<" in first or first.startswith((">", "{")) or len(first.split()) > 1:
        raise DataError(f"{path} is not a gene list (it begins with '{text_files.shorten(first)}') - {_EXPECTED}")
    else:
        layout, missing = "one id a line", "gene ids"
        _read_plain(path, rows, names)
    if names.added == before:
        raise DataError(f"{path} ({layout}) has no {missing} - {_EXPECTED}")
    names.report[f"layout of {path.name}"] = layout


def _read_plain(path: Path, rows: list[tuple[int, str]], names: GeneRecords) -> None:
    problems = ErrorCollector()
    first: dict[str, int] = {}
    for k, (number, line) in enumerate(rows):
        gene = line.strip().strip('"')
        if k == 0 and gene.lower().replace(" ", "_") in _HEADERS:
            names.count("header lines")
        elif len(gene.split()) != 1 or "," in gene:
            problems.add(f"{path}:{number}: '{text_files.shorten(gene)}' is not one gene id - {_EXPECTED}")
        elif gene in first:
            problems.add(duplicate(path, number, gene, first[gene]))
        else:
            first[gene] = number
            names.add(gene, "", ())
    problems.check()
