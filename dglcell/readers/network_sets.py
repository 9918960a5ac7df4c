"""Cells and lines with several genes -> edges: members of complexes, joined pairwise, and Cytoscape's files."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

import numpy as np

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import network_values
from dglcell.readers.edge_table import PHYSICAL, REGULATORY, EdgeTable
from dglcell.readers.interactor_names import accession, species_of, taxon_of
from dglcell.readers.network_layout import PLAIN, SIF, NetworkLayout
from dglcell.readers.network_rows import Vocabulary, select_taxon
from dglcell.readers.tables.rows import split_rows
from dglcell.readers.tables.table import Table

_PAIR = re.compile(r"(\S.*?) \((.+?)\) (.*\S)")  # of a gene, a type and a gene
_MEMBER = re.compile(r"\[([^\]]*)\]|([^|;,\s(\[]+)(?:\(\d*\))?")
_NO_PROTEIN: Final = (  # start of an id, and what it names
    ("CPX-", "nested complexes"),
    ("URS", "RNAs"),
    ("CHEBI:", "small molecules"),
    ("EBI-", "molecules without an accession"),
)
_LEFT_OUT: Final = {  # types of a SIF line that another kind of network has
    PHYSICAL: re.compile(r"(?i)pd|gene?tic.*|controls-expression-of|regulat.*|activat.*|inhibit.*|repress.*"),
    REGULATORY: re.compile(r"(?i)pp|physical.*|genetic.*|interacts?([ -_]?with)?|in-complex-with|neighbor.*"),
}


def read_members(table: Table[NetworkLayout], taxon: str) -> EdgeTable:
    """Join the members of each complex pairwise.

    Parameters
    ----------
    table : Table
        A row is a complex, with the roles `members` and perhaps `expanded` (nested complexes resolved), `symbols` (a
        name for each member) and `taxon`.
    taxon : str
        Organism to read; empty for the one with most complexes.

    Raises
    ------
    DataError
        No complex is of this organism, or rows have problems.
    """
    taxa = Vocabulary()
    rows: list[tuple[str, str, str]] = []
    codes: list[int] = []
    for columns in table.read_all([*table.columns]):
        cells = [
            columns.cells(table.columns[role]) if role in table.columns else [""] * len(columns)
            for role in ("members", "expanded", "symbols", "taxon")
        ]
        for members, expanded, symbols, organism in zip(*cells, strict=True):
            rows.append((members, expanded, symbols))
            codes.append(taxa.code(taxon_of(organism, PLAIN)))
    ends = np.array(codes, dtype=np.int64)
    species = [species_of(text) for text in taxa.texts]
    selected, organism_report = select_taxon(str(table.path), species, ends, ends, taxon)
    report: dict[str, int | str] = {"complexes": len(rows), **organism_report}
    a: list[str] = []
    b: list[str] = []
    synonyms: dict[str, tuple[str, ...]] = {}
    counts: dict[str, int] = {}
    for k, (members, expanded, symbols) in enumerate(rows):
        if selected is not None and not selected[k]:
            continue
        genes = _proteins(members, expanded, counts)
        names = [name.strip() for name in re.split(r"[;|\s]+", symbols)] if symbols else []
        if len(names) == len(genes):
            synonyms.update({gene: (name,) for gene, name in zip(genes, names, strict=True) if name})
        distinct = list(dict.fromkeys(genes))
        if len(distinct) < 2:
            counts["complexes with fewer than two proteins, no edges"] = (
                counts.get("complexes with fewer than two proteins, no edges", 0) + 1
            )
        for one, two in itertools.combinations(distinct, 2):
            a.append(one)
            b.append(two)
    return EdgeTable(str(table.path), table.layout.name, a, b, None, {**report, **counts}, None, synonyms)


def _proteins(members: str, expanded: str, counts: dict[str, int]) -> list[str]:
    """The accessions of a complex; nested complexes are taken from the expanded list, where there is one."""
    text = expanded if "CPX-" in members and expanded.strip() not in ("", "-") else members
    proteins = []
    for match in _MEMBER.finditer(text):
        for name in re.split(r"[,;|]", match[1] or match[2] or ""):
            noun = next((noun for start, noun in _NO_PROTEIN if name.startswith(start)), "")
            if noun:
                counts[f"{noun} in complexes, left out"] = counts.get(f"{noun} in complexes, left out", 0) + 1
            elif name.strip(" -"):
                proteins.append(accession(name.strip()))
    return proteins


def read_lines(table: Table[NetworkLayout], kind: str) -> EdgeTable:
    """The edges of a SIF file, from the first gene of a line to each of the others; or of names `A (type) B`.

    Parameters
    ----------
    table : Table
    kind : str
        Lines whose type belongs to another kind of network are left out; in regulation, types that are signs give the
        sign.

    Raises
    ------
    DataError
        A line is incomplete, or all lines have types of another kind of network.
    """
    problems = ErrorCollector()
    a: list[str] = []
    b: list[str] = []
    types: list[str] = []
    num_lines = num_single = num_other = 0
    others: dict[str, None] = {}
    pattern = _LEFT_OUT.get(kind)
    for line, cells in _sif_lines(table) if table.layout.rows == SIF else _pairs(table):
        num_lines += 1
        if len(cells) == 2 or not all(cells):
            problems.add(
                f"{table.path}:{line}: '{' '.join(cells)}' - a gene, a type and one or more genes were expected"
            )
        elif len(cells) < 3:
            num_single += 1
        elif pattern is not None and pattern.fullmatch(cells[1]):
            num_other += 1
            others[cells[1]] = None
        else:
            a += [cells[0]] * (len(cells) - 2)
            b += cells[2:]
            types += [cells[1]] * (len(cells) - 2)
    problems.check()
    report: dict[str, int | str] = {"rows": num_lines}
    if num_single:
        report["rows of a single gene, left out"] = num_single
    if num_other:
        report[f"rows of type {', '.join(sorted(others))}, left out"] = num_other
    if num_other and not a:
        found = ", ".join(sorted(others))
        expected = f"other types were expected in a {kind} network"
        raise DataError(f"{table.path} ({table.layout.name}) has rows of type {found} only - {expected}")
    sign = None
    if kind == REGULATORY and any(map(network_values.sign_of, types)):
        sign = np.array([network_values.sign_of(word) or 0.0 for word in types], dtype=np.float32)
    return EdgeTable(str(table.path), table.layout.name, a, b, sign, report)


def _sif_lines(table: Table[NetworkLayout]) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each line, without blank cells at its end."""
    for block in table.blocks:
        for row in split_rows(block.lines(), block.first_line, table.delimiter):
            cells = [cell.strip() for cell in row.cells]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                yield row.line, cells


def _pairs(table: Table[NetworkLayout]) -> Iterator[tuple[int, list[str]]]:
    """Line number, gene, type and gene of each row."""
    for columns in table.read_all(["pair"]):
        cells = columns.cells(table.columns["pair"])
        for line, cell in zip(columns.lines.tolist(), cells, strict=True):
            match = _PAIR.fullmatch(cell)
            yield line, list(match.groups()) if match else [cell, ""]
