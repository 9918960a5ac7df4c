"""Gene lists -> systematic ids and the names that stand for them.

SGD_features.tab, GFF3 or one id a line, recognised from content. Owns name resolution; knows no graph.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from dglcell.errors import DataError, Problems
from dglcell.sources import textio

_EXPECTED = "SGD_features.tab, GFF3 or one gene id a line was expected"
_SGD, _GFF = "SGD_features.tab", "GFF3"
_SGD_COLUMNS = 6
_SGD_DESCRIPTION = 15
_GFF_COLUMNS = 9
_GFF_DESCRIPTIONS = ("description", "product", "Note", "display")
_GFF_ID = re.compile(r"^(gene|GeneID|locus)[:-]", re.IGNORECASE)
_HEADERS = {
    *("gene", "genes", "id", "ids", "gene_id", "gene_ids", "geneid", "orf", "orfs"),
    *("systematic_name", "locus_tag"),
}


@dataclass(frozen=True)
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
    """

    ids: tuple[str, ...]
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    report: Mapping[str, int | str] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)

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


class _Names:
    """What the readers below gather from every file."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.standard: dict[str, set[str]] = defaultdict(set)
        self.other: dict[str, set[str]] = defaultdict(set)
        self.report: dict[str, int | str] = {}
        self.descriptions: dict[str, str] = {}
        self.added = 0

    def add(self, gene: str, standard: str, others: Iterable[str], description: str = "") -> None:
        self.added += 1
        self.ids.add(gene)
        if description:
            self.descriptions[gene] = description
        if standard:
            self.standard[standard.casefold()].add(gene)
        for name in others:
            if name:
                self.other[name.casefold()].add(gene)

    def count(self, what: str, n: int = 1) -> None:
        self.report[what] = int(self.report.get(what, 0)) + n


def read_genes(paths: Path | str | Sequence[Path | str]) -> GeneList:
    """Read one gene list, or several and unite them.

    SGD_features.tab: rows of type ORF, column 4 the systematic name, 5 the standard name, 6 aliases joined by `|`, 16 a
    description. GFF3: rows of type `gene`; the id is `locus_tag`, `gene_id` or `ID`, names come from `gene`, `Name`,
    `Alias`, `gene_synonym`, descriptions from `description`, `product`, `Note`, `display`. Else one id a line; lines
    that start with `#` are comments.

    Raises
    ------
    DataError
        A file that cannot be read, is none of these, holds no gene, or names one twice (with the lines).
    """
    names = _Names()
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
    return GeneList(tuple(sorted(names.ids)), aliases, dict(names.report), names.descriptions)


def annotation(lines: Sequence[str]) -> str | None:
    """`GFF3` or `SGD_features.tab` if the lines of a file have such a layout, which says more of a gene than its id."""
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    if lines[0].startswith("##gff-version") or (rows and _is_gff(rows[0])):
        return _GFF
    if any(fields[1] == "ORF" for line in rows if len(fields := line.split("\t")) >= _SGD_COLUMNS):
        return _SGD
    return None


def _read_one(path: Path, names: _Names) -> None:
    lines = textio.read_lines(path)
    rows = [(number, line) for number, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")]
    first = rows[0][1] if rows else ""
    before = names.added
    layout = annotation(lines)
    if layout == _GFF:
        missing = "rows of type gene with an ID"
        _read_gff(path, lines, names)
    elif layout == _SGD:
        missing = "rows of type ORF"
        _read_sgd(path, rows, names)
    elif "\t" in first or "<" in first or first.startswith((">", "{")) or len(first.split()) > 1:
        raise DataError(f"{path} is not a gene list (it begins with '{textio.shorten(first)}') - {_EXPECTED}")
    else:
        layout, missing = "one id a line", "gene ids"
        _read_plain(path, rows, names)
    if names.added == before:
        raise DataError(f"{path} ({layout}) has no {missing} - {_EXPECTED}")
    names.report[f"layout of {path.name}"] = layout


def _is_gff(line: str) -> bool:
    fields = line.split("\t")
    return len(fields) == _GFF_COLUMNS and fields[3].isdigit() and fields[4].isdigit() and fields[6] in set("+-.?")


def _read_sgd(path: Path, rows: list[tuple[int, str]], names: _Names) -> None:
    problems = Problems()
    first: dict[str, int] = {}
    for number, line in rows:
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) < _SGD_COLUMNS:
            problems.add(
                f"{path}:{number}: {textio.counted(len(fields), 'column')} - at least {_SGD_COLUMNS} were expected"
            )
        elif fields[1] != "ORF":
            names.count("features other than ORF, left out")
        elif not fields[3]:
            problems.add(f"{path}:{number}: an ORF without a systematic name in column 4 - every ORF needs one")
        elif fields[3] in first:
            problems.add(_duplicate(path, number, fields[3], first[fields[3]]))
        else:
            first[fields[3]] = number
            description = fields[_SGD_DESCRIPTION] if len(fields) > _SGD_DESCRIPTION else ""
            names.add(fields[3], fields[4], (alias.strip() for alias in fields[5].split("|")), description)
    problems.check()


def _read_gff(path: Path, lines: list[str], names: _Names) -> None:
    problems = Problems()
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if line.startswith("##FASTA") or line.startswith(">"):
            break
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != _GFF_COLUMNS:
            problems.add(
                f"{path}:{number}: {textio.counted(len(fields), 'column')} - GFF3 has {_GFF_COLUMNS}, tab-separated"
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
        names.add(gene, standard, sorted(others - {gene, standard}), ", ".join(dict.fromkeys(described)))
    problems.check()


def _attributes(column: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for part in column.split(";"):
        key, equals, value = part.partition("=")
        if equals and value.strip():
            values[key.strip()] = [unquote(item).strip() for item in value.split(",")]
    return values


def _read_plain(path: Path, rows: list[tuple[int, str]], names: _Names) -> None:
    problems = Problems()
    first: dict[str, int] = {}
    for k, (number, line) in enumerate(rows):
        gene = line.strip().strip('"')
        if k == 0 and gene.lower().replace(" ", "_") in _HEADERS:
            names.count("header lines")
        elif len(gene.split()) != 1 or "," in gene:
            problems.add(f"{path}:{number}: '{textio.shorten(gene)}' is not one gene id - {_EXPECTED}")
        elif gene in first:
            problems.add(_duplicate(path, number, gene, first[gene]))
        else:
            first[gene] = number
            names.add(gene, "", ())
    problems.check()


def _duplicate(path: Path, number: int, gene: str, first: int) -> str:
    return f"{path}:{number}: duplicate gene id '{gene}', first at line {first} - name each gene once"
