"""Means: of which rows, and what is said of genes that no row has."""

from __future__ import annotations

import numpy as np
import pytest

from dglcell import baselines
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
