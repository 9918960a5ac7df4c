"""Rows of several genes -> edges: the members of complexes, joined pairwise, and the lines of SIF files."""

from __future__ import annotations

import itertools
import re
from typing import Final

import numpy as np

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import network_values
from dglcell.readers.edge_table import PHYSICAL, REGULATORY, EdgeTable
from dglcell.readers.interactor_names import STRAINS, accession, taxon_of
from dglcell.readers.network_layouts import PLAIN, NetworkLayout
from dglcell.readers.network_rows import Vocabulary, select_taxon
from dglcell.readers.tables.rows import split_rows
from dglcell.readers.tables.table import Table

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
    species = [STRAINS.get(text, text) for text in taxa.texts]
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
        names = [name.strip() for name in re.split(r"[;|]", symbols)] if symbols else []
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


def read_sif(table: Table[NetworkLayout], kind: str) -> EdgeTable:
    """The edges of a SIF file: from the first gene of a line to each of the others.

    Parameters
    ----------
    table : Table
    kind : str
        Lines whose type belongs to another kind of network are left out; in regulation, types that are signs give the
        sign.

    Raises
    ------
    DataError
        A line has two columns, or all lines have types of another kind of network.
    """
    problems = ErrorCollector()
    a: list[str] = []
    b: list[str] = []
    types: list[str] = []
    num_lines = num_single = num_other = 0
    others: dict[str, None] = {}
    pattern = _LEFT_OUT.get(kind)
    for block in table.blocks:
        for row in split_rows(block.lines(), block.first_line, table.delimiter):
            cells = [cell.strip() for cell in row.cells]
            while cells and not cells[-1]:
                cells.pop()
            num_lines += 1
            if row.problem or len(cells) == 2 or not all(cells):
                problem = row.problem or f"{len(cells)} columns - a gene, a type and one or more genes were expected"
                problems.add(f"{table.path}:{row.line}: {problem}")
            elif len(cells) < 3:
                num_single += 1
            elif pattern is not None and pattern.fullmatch(cells[1]):
                num_other += 1
                others[cells[1]] = None
            else:
                for target in cells[2:]:
                    a.append(cells[0])
                    b.append(target)
                    types.append(cells[1].lower())
    problems.check()
    report: dict[str, int | str] = {"rows": num_lines}
    if num_single:
        report["rows of a single gene, left out"] = num_single
    if num_other:
        report[f"rows of type {', '.join(sorted(others))}, left out"] = num_other
    if num_other and not a:
        raise DataError(
            f"{table.path} (SIF) has rows of type {', '.join(sorted(others))} only - other types were expected in a "
            f"{kind} network"
        )
    sign = None
    if kind == REGULATORY and any(network_values.SIGNS.get(word) for word in types):
        sign = np.array([network_values.SIGNS.get(word, 0.0) for word in types], dtype=np.float32)
    return EdgeTable(str(table.path), table.layout.name, a, b, sign, report)
