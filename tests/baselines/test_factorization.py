"""Matrix factorization: its formula, what it recovers, and what it says of genes that it never saw."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from dglcell import baselines, schema
from dglcell.baselines import factorization
from dglcell.baselines.base import AdamWFit
from dglcell.baselines.factorization import _Bags, _Factors
from dglcell.graph.cell import CellGraph
from dglcell.training.metrics import pearson
from tests.cells import tiny_cell
from tests.runs import table_of

CELL = CellGraph({schema.GENE: [f"g{i:03d}" for i in range(80)]}, [])


def low_rank(rng: np.random.Generator, genotypes: list[tuple[int, ...]]) -> np.ndarray:
    """Rank 2 with one negative eigenvalue, and small biases."""
    u, b = rng.standard_normal((80, 2)), 0.3 * rng.standard_normal(80)
    matrix = np.outer(u[:, 0], u[:, 0]) - np.outer(u[:, 1], u[:, 1])
    return np.array([sum(b[list(g)]) + sum(matrix[i, j] for i, j in itertools.combinations(g, 2)) for g in genotypes])


@pytest.mark.parametrize("order", [2, 3])
def test_a_planted_low_rank_matrix_is_recovered(order: int) -> None:
    rng = np.random.default_rng(order)
    genotypes = list({tuple(sorted(rng.choice(80, order, replace=False).tolist())) for _ in range(2500)})
    y = low_rank(rng, genotypes)
    table = table_of(CELL, genotypes, np.full(len(y), np.nan), y)
    train, test = np.arange(len(y))[:-400], np.arange(len(y))[-400:]
    found = {
        model.name: pearson(model.fit(CELL, table, train).predict(table)[test, 1], y[test])
        for model in (baselines.MatrixFactorization(rank=8, lr=1e-2), baselines.GeneRidge())
    }
    assert found["matrix-factorization"] > 0.9 and found["gene-ridge"] < 0.6


def test_the_formula_is_the_sum_over_pairs() -> None:
    torch.manual_seed(0)
    factors = _Factors(12, 3).double()
    with torch.no_grad():
        factors.genes.normal_()
        factors.mu.fill_(0.7)
    genotypes = [(), (3,), (1, 4), (0, 2, 5, 7), (1, 2, 3)]
    table = table_of(tiny_cell(), genotypes, np.ones(5))
    found, squares = (part.detach().numpy() for part in factors(_Bags(table, np.arange(5))))
    u, v, b = (part.detach().numpy() for part in factors.genes.split([3, 3, 1], 1))
    expected = [0.7 + sum(b[i, 0] for i in g) + sum(u[i] @ v[j] for i in g for j in g if i != j) for g in genotypes]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    sizes = (u**2).sum(1) + (v**2).sum(1) + 0.2 * b[:, 0] ** 2
    np.testing.assert_allclose(squares, [sizes[list(g)].sum() for g in genotypes], rtol=1e-12)


@pytest.mark.parametrize("spoil", ["nothing held out", "no error is a number"])
def test_without_a_held_out_error_it_is_still_fitted(spoil: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the epochs and the larger penalty, on all rows."""
    genotypes = list(itertools.combinations(range(8), 2))
    y = np.linspace(-1, 1, len(genotypes))
    runs: list[tuple[int, int]] = []
    run = AdamWFit.run

    def spied(self, net, loss, rows, error=None):
        if error is None:
            runs.append((len(rows), self.epochs))
        return run(self, net, loss, rows, None if error is None else lambda: float("nan"))

    monkeypatch.setattr(AdamWFit, "run", spied)
    if spoil == "nothing held out":
        monkeypatch.setattr(factorization, "held_out", lambda table, seed: np.zeros(len(table), dtype=bool))
    for epochs in (1, 5):
        table = table_of(CELL, genotypes, y)
        baselines.MatrixFactorization(rank=4, epochs=epochs).fit(CELL, table, np.arange(len(y)))
    assert runs == [(len(y), 1), (len(y), 2)]


def test_a_gene_never_seen_adds_nothing() -> None:
    rng = np.random.default_rng(0)
    genotypes = list(itertools.combinations(range(30), 2))
    y = rng.standard_normal(len(genotypes))
    table = table_of(CELL, genotypes, y)
    model = baselines.MatrixFactorization(rank=4, epochs=5).fit(CELL, table, np.arange(len(y)))
    asked = table_of(CELL, [(3,), (3, 40), (3, 41, 50), (), (60, 61)], np.ones(5))
    predicted = model.predict(asked)[:, 0]
    np.testing.assert_allclose(predicted[1:3], predicted[0], rtol=1e-6)
    assert predicted[3] == predicted[4] != predicted[0]
