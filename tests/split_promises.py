"""What each kind of split promises, restated with sets and loops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dglcell.genotypes.splits.split import TEST, TRAIN, VAL, Split
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph


def genotypes_of(table: GenotypeTable) -> list[frozenset[int]]:
    return [frozenset(table.genes[a:b].tolist()) for a, b in zip(table.ptr[:-1], table.ptr[1:], strict=True)]


def queries_of(table: GenotypeTable) -> set[frozenset[int]]:
    """Double-mutant queries of all rows."""
    found = set()
    for start, bits in zip(table.ptr[:-1], table.query.tolist(), strict=True):
        query = frozenset(int(table.genes[start + k]) for k in range(8) if bits >> k & 1)
        if len(query) == 2:
            found.add(query)
    return found


def violations(table: GenotypeTable, split: Split) -> list[str]:
    """Everything in a split that is against its promise."""
    genotypes, parts, queries = genotypes_of(table), split.subset.tolist(), queries_of(table)
    of_set: dict[frozenset[int], set[int]] = {}
    for genotype, part in zip(genotypes, parts, strict=True):
        of_set.setdefault(genotype, set()).add(part)
    found = [f"{sorted(genotype)} straddles" for genotype, places in of_set.items() if len(places) > 1]
    for part, others in ((TEST, (TRAIN, VAL)), (VAL, (TRAIN,))):
        known = [genotype for genotype, places in of_set.items() if places & set(others)]
        genes = frozenset().union(*known)
        for genotype, places in of_set.items():
            if part not in places:
                continue
            kept = {
                "unseen-gene": bool(genotype - genes),
                "unseen-all": bool(genotype) and not genotype & genes,
                "query-pair": any(q <= genotype and not any(q <= other for other in known) for q in queries),
            }.get(split.kind, True)
            if not kept:
                found.append(f"{sorted(genotype)} in part {part}")
    return found


def table_of_triples(
    cell: CellGraph, rows: Iterable[tuple[Sequence[int], Sequence[int]]], labels: np.ndarray | None = None
) -> GenotypeTable:
    """A table from (genes of the query strain, genes of the array strain), all labelled unless `labels` are given."""
    genes: list[int] = []
    ptr, query = [0], []
    for of_query, of_array in rows:
        genotype = sorted({*of_query, *of_array})
        query.append(sum(1 << k for k, gene in enumerate(genotype) if gene in of_query))
        genes += genotype
        ptr.append(len(genes))
    values = np.ones((len(query), 4)) if labels is None else labels
    return GenotypeTable.of(cell, genes, ptr, values, query=query)
