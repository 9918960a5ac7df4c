"""Cells whose labels are known by construction."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dglcell import schema
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.graph.relation import Relation
from tests.runs import table_of


@pytest.fixture(scope="module")
def cell() -> CellGraph:
    """16 genes and no network: a..h in pairs (ab, cd, ..) are isozymes of a reaction each, the others catalyse one."""
    genes = [f"g{i:02d}" for i in range(16)]
    nodes, group, edges = [], [], []
    for reaction, alternatives in enumerate([*[[2 * k, 2 * k + 1] for k in range(4)], *[[k] for k in range(8, 16)]]):
        for number, gene in enumerate(alternatives):
            edges.append((gene, len(nodes)))
            nodes.append(f"R{reaction:02d}/{number + 1}/forward")
            group.append(reaction)
    gpr = Relation.of(schema.GPR, *schema.ENDS[schema.GPR], [g for g, _ in edges], [r for _, r in edges])
    ids = {schema.GENE: genes, schema.REACTION: nodes}
    return CellGraph(ids, [gpr], reaction_group=group, group_names=[f"R{k:02d}" for k in range(12)])


@pytest.fixture(scope="module")
def pairs(cell: CellGraph) -> GenotypeTable:
    """All singles and pairs; every gene costs something of its own, a jointly lost reaction costs 1 more."""
    genotypes = [(g,) for g in range(16)] + list(itertools.combinations(range(16), 2))
    cost = np.linspace(-0.5, 0.5, 16)
    joint = np.array([len(g) == 2 and g[1] < 8 and g[0] // 2 == g[1] // 2 for g in genotypes])
    return table_of(cell, genotypes, np.array([1 + sum(cost[list(g)]) for g in genotypes]), -1.0 * joint)


MODULES, SIZE = 4, 20


@pytest.fixture(scope="module")
def modular() -> CellGraph:
    """80 genes in 4 physical modules, gene g in module g % 4; half the pairs within a module are edges, few others."""
    rng = np.random.default_rng(0)
    n = MODULES * SIZE
    a, b = np.triu_indices(n, 1)
    kept = rng.random(len(a)) < np.where(a % MODULES == b % MODULES, 0.5, 0.01)
    a, b = a[kept], b[kept]
    loops = np.arange(n)
    ends = np.concatenate([a, b, loops]), np.concatenate([b, a, loops])
    physical = Relation.of(schema.PHYSICAL, schema.GENE, schema.GENE, *ends, undirected=True)
    regulatory = Relation.of(schema.REGULATORY, schema.GENE, schema.GENE, [0, 1, 2], [1, 0, 3])
    return CellGraph({schema.GENE: [f"g{i:02d}" for i in range(n)]}, [physical, regulatory])


@pytest.fixture(scope="module")
def module_pairs(modular: CellGraph) -> GenotypeTable:
    """All pairs of `modular`: those within a module interact, by -1, with a little noise."""
    genotypes = list(itertools.combinations(range(MODULES * SIZE), 2))
    same = np.array([a % MODULES == b % MODULES for a, b in genotypes])
    noise = 0.1 * np.random.default_rng(1).standard_normal(len(genotypes))
    return table_of(modular, genotypes, np.full(len(genotypes), np.nan), noise - same)
