"""Cells and genotypes that benchmarks run on: synthetic heavy-tailed ones of a chosen size, and random deletions."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.graph.cell import CellGraph
from dglcell.graph.relation import Relation

Index = NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Counts:
    """How many there are of everything.

    Attributes
    ----------
    genes, reactions, metabolites : int
        Nodes.
    physical, regulatory : int
        Stored edges, one self-loop a gene included; physical ones are stored both ways.
    gpr, incidences : int
        Stored edges, one way.
    enzymes : int
        Genes that catalyse anything.
    """

    genes: int
    physical: int
    regulatory: int
    reactions: int
    metabolites: int
    gpr: int
    incidences: int
    enzymes: int

    def scaled(self, genes: int) -> Counts:
        """The same proportions with another number of genes."""
        share = genes / self.genes
        return Counts(*(max(2, round(getattr(self, field.name) * share)) for field in dataclasses.fields(self)))


NOTE = Counts(
    6607, 144_211, 16_095, 4881, 2534, 5450, 20_960, 1161
)  # edges as the design note of the model counts them
YEAST = dataclasses.replace(NOTE, genes=6604, physical=291_614, regulatory=17_911)  # BioGRID and YEASTRACT


def synthetic(counts: Counts, seed: int = 0) -> CellGraph:
    """A random cell with these counts; degrees are heavy-tailed as in real networks."""
    rng = np.random.default_rng(seed)
    weight = _heavy_tailed(rng, counts.genes)
    loops = np.arange(counts.genes)
    a, b = _distinct(rng, weight, weight, (counts.physical - counts.genes) // 2, undirected=True)
    physical = np.concatenate([a, b, loops]), np.concatenate([b, a, loops])
    c, d = _distinct(rng, weight, weight, counts.regulatory - counts.genes)
    regulatory = np.concatenate([c, loops]), np.concatenate([d, loops])
    enzymes, even = np.full(counts.enzymes, 1 / counts.enzymes), np.full(counts.reactions, 1 / counts.reactions)
    metabolites = _distinct(rng, _heavy_tailed(rng, counts.metabolites), even, counts.incidences, loops=True)
    amounts = rng.choice([-2.0, -1.0, 1.0, 2.0], counts.incidences).astype(np.float32)
    return CellGraph(
        {
            schema.GENE: [f"g{i:05d}" for i in range(counts.genes)],
            schema.REACTION: [f"r{i:05d}" for i in range(counts.reactions)],
            schema.METABOLITE: [f"m{i:05d}" for i in range(counts.metabolites)],
        },
        [
            Relation.of(schema.PHYSICAL, schema.GENE, schema.GENE, *physical, undirected=True),
            Relation.of(schema.REGULATORY, schema.GENE, schema.GENE, *regulatory),
            Relation.of(schema.GPR, *schema.ENDS[schema.GPR], *_distinct(rng, enzymes, even, counts.gpr, loops=True)),
            Relation.of(schema.IN, *schema.ENDS[schema.IN], *metabolites, data={schema.STOICHIOMETRY: amounts}),
        ],
        reaction_group=np.arange(counts.reactions) // 2,
        group_names=[f"R{i:05d}" for i in range(counts.reactions // 2 + 1)],
    )


def double_deletions(genes: int, n: int, rng: np.random.Generator) -> tuple[Index, Index]:
    """`n` random pairs of genes as ragged rows, ascending within a pair: (2 n,) and (n + 1,)."""
    a = rng.integers(0, genes, n)
    b = (a + rng.integers(1, genes, n)) % genes
    pairs = np.stack([np.minimum(a, b), np.maximum(a, b)], axis=1)
    return pairs.reshape(-1), np.arange(n + 1) * 2


def _heavy_tailed(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    weight = np.minimum(rng.pareto(1.2, n) + 1, 300)
    return weight / weight.sum()


def _distinct(
    rng: np.random.Generator,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    n: int,
    undirected: bool = False,
    loops: bool = False,
) -> tuple[Index, Index]:
    """`n` distinct pairs whose ends are drawn with probabilities `a` and `b`; without `loops` the ends differ."""
    found = np.empty((0, 2), dtype=np.int64)
    while len(found) < n:
        drawn = np.stack([rng.choice(len(a), n, p=a), rng.choice(len(b), n, p=b)], axis=1)
        if not loops:
            drawn = drawn[drawn[:, 0] != drawn[:, 1]]
        found = np.unique(np.concatenate([found, np.sort(drawn, axis=1) if undirected else drawn]), axis=0)
    found = found[rng.permutation(len(found))[:n]]
    return found[:, 0], found[:, 1]
