"""Means and ridge regression: of which rows, what is minimised, and what is said of genes that no row has."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from dglcell import baselines
from dglcell.baselines.linear import ridge
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from tests.cells import tiny_cell
from tests.runs import table_of

CELL = tiny_cell()
NONE = np.nan


def test_mean_is_that_of_the_training_rows_by_order() -> None:
    table = table_of(
        CELL, [(0,), (1,), (0, 1), (0, 2), (0, 1, 2)], np.array([1, 3, 5, NONE, 100]), np.array([0, 0, 2, 4, 100])
    )
    predicted = baselines.make("mean").fit(CELL, table, np.arange(4)).predict(table)
    np.testing.assert_allclose(predicted[:, 0], 3)
    np.testing.assert_allclose(predicted[:, 1], [NONE, NONE, 3, 3, 3])


def query_mean(genotypes: list[tuple[int, ...]], y: list[float], asked: list[tuple[int, ...]]) -> np.ndarray:
    table = table_of(CELL, genotypes, np.full(len(y), NONE), np.array(y))
    model = baselines.QueryMean()
    model.shrinkage = 1e-9
    return model.fit(CELL, table, np.arange(len(y))).predict(table_of(CELL, asked, np.ones(len(asked))))[:, 1]


def test_a_pair_has_the_mean_of_its_genes_means() -> None:
    found = query_mean([(0, 1), (0, 2), (0, 3), (4, 5), (4, 6)], [1, 2, 3, 7, 9], [(0, 4), (0, 7), (7, 8), (1, 4)])
    np.testing.assert_allclose(found, [(2 + 8) / 2, 2, 22 / 5, (1 + 8) / 2], rtol=1e-5)


def test_a_triple_has_the_mean_of_its_pairs_where_they_are_known() -> None:
    genotypes = [(0, 1, 2), (0, 1, 3), (0, 4, 5), (6, 7, 8)]
    found = query_mean(genotypes, [1, 3, 8, 4], [(0, 1, 4), (0, 1, 9), (0, 6, 10), (9, 10, 11)])
    pair_01, pair_04, gene_0, gene_6 = 2, 8, 4, 4
    np.testing.assert_allclose(found, [(pair_01 + pair_04) / 2, pair_01, (gene_0 + gene_6) / 2, 4], rtol=1e-5)


def test_pairs_of_double_mutants_do_not_speak_for_triples() -> None:
    """Their genes do: 0 and 1 by +1 standard deviation, 6 by -1, of triples with the mean 2 and the sd 1."""
    found = query_mean([(0, 1), (6, 7), (2, 3, 4), (2, 3, 5)], [9, 1, 1, 3], [(0, 1, 6)])
    np.testing.assert_allclose(found, [2 + 1 / 3], rtol=1e-5)


def test_what_was_measured_often_weighs_more() -> None:
    often = [(0, k) for k in range(1, 9)]
    table = table_of(CELL, [*often, (9, 10), (10, 11)], np.full(10, NONE), np.array([1.0] * 8 + [0, -4]))
    asked = table_of(CELL, [(0, 9), (0, 11)], np.ones(2))
    predicted = baselines.make("query-mean").fit(CELL, table, np.arange(10)).predict(asked)[:, 1]
    mean, c = 0.4, baselines.QueryMean.shrinkage
    weights = 8 / (8 + c), 1 / (1 + c)
    shrunk = 8 * 0.6 / (8 + c), (0 - mean) / (1 + c)
    assert predicted[0] == pytest.approx(mean + np.dot(weights, shrunk) / sum(weights), abs=1e-5)
    assert 0.4 < predicted[0] < 0.8 and predicted[1] < predicted[0]


def test_ridge_recovers_additive_effects(cell: CellGraph, pairs: GenotypeTable) -> None:
    fitted = baselines.make("gene-ridge").fit(cell, pairs, np.arange(len(pairs))[::2])
    np.testing.assert_allclose(fitted.predict(pairs)[:, 0], pairs.targets[:, 0], atol=0.02)
    unseen = table_of(cell, [(0,), (1,), (2,)], np.array([1.0, 2.0, 9.0]))
    model = baselines.GeneRidge().fit(cell, unseen, np.arange(2))
    np.testing.assert_allclose(model.predict(unseen)[2, 0], 1.5, atol=1e-6)  # a gene never seen: the constant
    assert len(model.predict(unseen.take([]))) == 0


@pytest.mark.parametrize("n", [40, 4])  # more rows than genes, and fewer
def test_ridge_minimises_its_objective(n: int) -> None:
    rng = np.random.default_rng(0)
    x, y = (rng.random((n, 5)) < 0.5).astype(float), rng.standard_normal(n)
    with_constant = np.column_stack([x, np.ones(n)])
    penalty = np.diag([3.0] * 5 + [0.0])
    expected = np.linalg.solve(with_constant.T @ with_constant + penalty, with_constant.T @ y)
    np.testing.assert_allclose(ridge(csr_matrix(x), y, 3.0), expected, atol=1e-6)
