"""Source records made by hand, for tests that build a graph without files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dglcell.config import ScreenRules
from dglcell.genotypes.merge import merge_screens
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.readers import gpr
from dglcell.readers.edge_table import EdgeTable
from dglcell.readers.gene_list import GeneList
from dglcell.readers.metabolic_model import MetabolicModel, ReactionRecord
from dglcell.readers.screens.screen_table import ScreenTable

# id, lower, upper, stoichiometry, rule
TOY = (
    ("both", -10.0, 10.0, {"m1": -1.0, "m2": 0.5}, "(g1 and g2) or g3"),
    ("onward", 0.0, 10.0, {"m2": -1.0, "m3": 1.0}, "g1 and (g4 or g5)"),
    ("back", -10.0, 0.0, {"m3": -2.0, "m4": 1.0}, "g6"),
    ("blocked", 0.0, 0.0, {"m4": -1.0, "m1": 1.0}, "g6 or g6 or (g6 and g1)"),
    ("leak", 0.0, 10.0, {"m5": 1.0}, ""),
)


def toy_model(
    reactions: Iterable[tuple[str, float, float, dict[str, float], str]] = TOY, genes: Sequence[str] | None = None
) -> MetabolicModel:
    """A metabolic model of a few reactions."""
    records = tuple(ReactionRecord(id, id, lower, upper, s, gpr.parse(rule)) for id, lower, upper, s, rule in reactions)
    metabolites = tuple(dict.fromkeys(m for r in records for m in r.stoichiometry))
    return MetabolicModel(records, metabolites, tuple(genes or [f"g{i}" for i in range(1, 7)]), path="toy.xml")


def gene_list(n: int = 8, aliases: dict[str, tuple[str, ...]] | None = None) -> GeneList:
    """Genes g1 to g{n}."""
    return GeneList(tuple(sorted(f"g{i}" for i in range(1, n + 1))), aliases or {})


def edge_table(pairs: Sequence[tuple[str, str]], sign: Sequence[float] | None = None) -> EdgeTable:
    """An edge table as a reader would give it."""
    values = None if sign is None else np.array(sign, dtype=np.float32)
    return EdgeTable("edges.tsv", "two columns", [a for a, _ in pairs], [b for _, b in pairs], values)


def screen(
    genotypes: Sequence[tuple[str, ...]], labels: Sequence[Sequence[float]] | None = None, path: str = __file__
) -> ScreenTable:
    """A screen as a reader would give it; rows stand in lines 2, 3, .. of `path`, which must exist."""
    values = np.full((len(genotypes), 4), np.nan, dtype=np.float32)
    if labels is not None:
        values[:] = labels
    return ScreenTable.of(path, "genotype table", genotypes, values, np.arange(2, len(genotypes) + 2))


def table_of(
    cell: CellGraph, screens: Sequence[ScreenTable | Path], unknown: str = "error"
) -> tuple[GenotypeTable, dict[str, Any]]:
    """The table of some screens, and the report; no rule but what an unknown gene does."""
    return merge_screens(cell, screens, ScreenRules(unknown_genes=unknown))
