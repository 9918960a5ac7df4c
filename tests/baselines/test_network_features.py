"""Features of genotypes: against sums written out, and eigenvectors against a dense solver."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from dglcell import schema
from dglcell.baselines.network_features import NetworkFeatures, leading_eigenvectors
from dglcell.graph.cell import CellGraph
from tests.cells import tiny_cell
from tests.runs import table_of

CELL = tiny_cell(features=2)
GENOTYPES = [(), (3,), (1, 4), (0, 2, 5, 7), (1, 2, 3), (10, 11)]
TABLE = table_of(CELL, GENOTYPES, np.ones(len(GENOTYPES)))


def _dense(cell: CellGraph, name: str) -> np.ndarray:
    a = np.zeros((cell.num_nodes(schema.GENE),) * 2)
    a[cell.relations[name].src, cell.relations[name].dst] = 1
    a = np.maximum(a, a.T)
    np.fill_diagonal(a, 0)
    return a


def test_features_are_the_documented_sums() -> None:
    features = NetworkFeatures(CELL, 3)
    x, genes = features(TABLE), features.genes.astype(np.float64)
    assert x.shape == (len(GENOTYPES), features.size) and genes.shape == (12, 2 * (3 + 1) + 2)
    np.testing.assert_array_equal(genes[:, -2:], CELL.features)
    networks = [_dense(CELL, name) for name in (schema.PHYSICAL, schema.REGULATORY)]
    for row, genotype in zip(x, GENOTYPES, strict=True):
        pairs = list(itertools.combinations(genotype, 2))
        expected = [genes[list(genotype)].sum(0)]
        expected.append(sum((np.abs(genes[i] - genes[j]) for i, j in pairs), np.zeros(genes.shape[1])))
        expected.append(sum((genes[i] * genes[j] for i, j in pairs), np.zeros(genes.shape[1])))
        for a in networks:
            shared = [a[i] @ a[j] for i, j in pairs]
            scale = [np.sqrt(max(1, a[i].sum() * a[j].sum())) for i, j in pairs]
            expected.append([np.log1p(shared).sum(), np.divide(shared, scale).sum(), sum(a[i, j] for i, j in pairs)])
        np.testing.assert_allclose(row, np.concatenate([*expected, [len(genotype)]]), rtol=1e-4, atol=1e-5)


def test_degrees_are_of_the_network_without_loops() -> None:
    genes = NetworkFeatures(CELL, 3).genes
    np.testing.assert_allclose(genes[:, 3], np.log1p(_dense(CELL, schema.PHYSICAL).sum(1)), rtol=1e-6)
    np.testing.assert_allclose(genes[:, 7], np.log1p(_dense(CELL, schema.REGULATORY).sum(1)), rtol=1e-6)


@pytest.mark.parametrize("n", [40, 400])  # by a dense solver, and by Lanczos
def test_eigenvectors_are_the_leading_ones_and_have_a_fixed_sign(n: int) -> None:
    rng = np.random.default_rng(0)
    a = np.triu(rng.random((n, n)) < 0.1, 1).astype(float)
    a += a.T
    a[:, 5] = a[5, :] = 0  # an isolated gene
    found = leading_eigenvectors(csr_matrix(a), 4)
    scale = 1 / np.sqrt(np.maximum(a.sum(1), 1))
    normal = a * np.outer(scale, scale)
    values, vectors = np.linalg.eigh(normal)
    np.testing.assert_allclose(normal @ found, found * values[::-1][:4], atol=1e-6)
    np.testing.assert_allclose(np.abs(found), np.abs(vectors[:, ::-1][:, :4]) * np.sqrt(n), atol=1e-5)
    assert (found[np.abs(found).argmax(0), range(4)] > 0).all()
    np.testing.assert_array_equal(found, leading_eigenvectors(csr_matrix(a), 4))


def test_rows_without_a_pair_have_features_of_single_genes() -> None:
    cell = tiny_cell(features=2)
    features = NetworkFeatures(cell, 3)
    table = table_of(cell, [(0,), (), (3,), (0, 3)], np.ones(4))
    found, d = features(table.take([0, 1, 2])), features.genes.shape[1]
    assert found.shape == (3, features.size) and found.dtype == np.float32
    np.testing.assert_array_equal(found, features(table)[:3])
    np.testing.assert_array_equal(found[[0, 2], :d], features.genes[[0, 3]])
    assert not found[:, d:-1].any() and not found[1].any() and found[0, -1] == 1


def test_a_cell_without_networks_has_the_order_alone() -> None:
    cell = tiny_cell(regulatory=False, self_loops=False)
    bare = CellGraph({schema.GENE: cell.ids[schema.GENE]}, [])
    features = NetworkFeatures(bare)
    np.testing.assert_array_equal(features(TABLE), TABLE.orders[:, None])
    assert NetworkFeatures(cell, 3).size == 3 * 4 + 3 + 1  # the empty relation has no columns
