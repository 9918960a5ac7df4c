"""Which genes diffusion finds near a gene, against a dense restatement."""

import numpy as np
import pytest

from dglcell import schema
from dglcell.graph.cell import CellGraph
from dglcell.graph.pagerank import CURRENCY, diffuse, networks
from dglcell.graph.relation import Relation
from tests.cells import tiny_cell

GENE = schema.GENE


def adjacency_of(cell, name):
    """Dense and slow: loops over edges, reactions and metabolites."""
    n = cell.num_nodes(GENE)
    a = np.zeros((n, n))
    if name != schema.METABOLIC:
        r = cell.relations[name]
        weight = r.data.get(schema.CONFIDENCE, np.ones(r.num_edges)) ** 2
        for s, d, w in zip(r.src, r.dst, weight, strict=True):
            if s != d:
                a[s, d] = a[d, s] = max(a[s, d], w)
        return a
    gpr, inside = cell.relations[schema.GPR], cell.relations[schema.IN]
    for m in range(cell.num_nodes(schema.METABOLITE)):
        nodes = inside.dst[inside.src == m]
        if len(nodes) > CURRENCY:
            continue
        for first in nodes:
            for second in nodes:
                for g in gpr.src[gpr.dst == first]:
                    for h in gpr.src[gpr.dst == second]:
                        a[g, h] += (g != h) / len(nodes) ** 2
    return a


def pagerank(a, alpha):
    degree = a.sum(1)
    root = np.sqrt(np.outer(degree, degree))
    s = np.divide(a, root, out=np.zeros_like(a), where=root > 0)
    return alpha * np.linalg.inv(np.eye(len(a)) - (1 - alpha) * s)


def as_matrix(neighbours):
    found = np.zeros((len(neighbours.index),) * 2)
    for gene, (index, weight) in enumerate(zip(neighbours.index, neighbours.weight, strict=True)):
        np.add.at(found[gene], index, weight)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_nearest_by_personalised_pagerank(seed):
    cell = tiny_cell(seed, genes=20, reactions=9, metabolites=9)
    physical = cell.relations[schema.PHYSICAL]
    confidence = np.random.default_rng(seed).random(physical.num_edges).astype(np.float32)
    physical.data[schema.CONFIDENCE] = confidence
    found = diffuse(cell, 0.1, 7, networks(cell))
    assert tuple(found) == networks(cell) == (schema.PHYSICAL, schema.REGULATORY, schema.METABOLIC)
    for name, neighbours in found.items():
        assert neighbours.index.shape == neighbours.weight.shape == (20, 7)
        p = pagerank(adjacency_of(cell, name), 0.1)
        length = np.linalg.norm(np.sort(p, axis=1)[:, -7:], axis=1, keepdims=True)
        kept = np.where(neighbours.weight > 0, np.take_along_axis(p, neighbours.index, 1), 0) / length
        np.testing.assert_allclose(neighbours.weight, kept, atol=2e-6)  # each weight is its gene's ..
        np.testing.assert_allclose(
            neighbours.weight, np.sort(p, axis=1)[:, :-8:-1] / length, atol=2e-6
        )  # .. and highest
        assert all(
            len(set(row[w > 0])) == (w > 0).sum() for row, w in zip(neighbours.index, neighbours.weight, strict=True)
        )


def test_a_gene_without_an_edge_is_its_own_neighbour():
    found = as_matrix(diffuse(tiny_cell(), 0.1, 5, (schema.PHYSICAL,))[schema.PHYSICAL])
    np.testing.assert_array_equal(found[-1], np.eye(12)[-1])


def test_alpha_1_stays_and_more_neighbors_than_genes_are_all():
    cell = tiny_cell()
    np.testing.assert_allclose(
        as_matrix(diffuse(cell, 1.0, 50, (schema.PHYSICAL,))[schema.PHYSICAL]), np.eye(12), atol=1e-7
    )
    assert diffuse(cell, 0.1, 50, (schema.PHYSICAL,))[schema.PHYSICAL].index.shape == (12, 12)


def test_empty_networks_are_left_out():
    cell = tiny_cell(regulatory=False, metabolism=False)
    assert networks(cell) == (schema.PHYSICAL,)


@pytest.mark.parametrize(("nodes", "linked"), [(CURRENCY, True), (CURRENCY + 1, False)])
def test_a_metabolite_of_many_reactions_joins_no_genes(nodes, linked):
    rows = np.arange(nodes)
    ids = {GENE: [f"G{i}" for i in rows], schema.REACTION: [f"R{i}/1/forward" for i in rows], schema.METABOLITE: ["m"]}
    relations = [
        Relation.of(schema.PHYSICAL, GENE, GENE, undirected=True),
        Relation.of(schema.GPR, *schema.ENDS[schema.GPR], rows, rows),
        Relation.of(
            schema.IN,
            *schema.ENDS[schema.IN],
            np.zeros(nodes, int),
            rows,
            data={schema.STOICHIOMETRY: np.ones(nodes, np.float32)},
        ),
    ]
    cell = CellGraph({k: sorted(v) for k, v in ids.items()}, relations, rows, [f"R{i}" for i in rows])
    found = as_matrix(diffuse(cell, 0.1, nodes, (schema.METABOLIC,))[schema.METABOLIC])
    assert (found[0, 1] > 0) == linked
