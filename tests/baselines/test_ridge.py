"""Per-gene ridge: what it recovers and what it minimises."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from dglcell import baselines
from dglcell.baselines.ridge import ridge
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from tests.runs import table_of


def test_additive_effects_are_recovered(cell: CellGraph, pairs: GenotypeTable) -> None:
    fitted = baselines.make("gene-ridge").fit(cell, pairs, np.arange(len(pairs))[::2])
    np.testing.assert_allclose(fitted.predict(pairs)[:, 0], pairs.targets[:, 0], atol=0.02)
    unseen = table_of(cell, [(0,), (1,), (2,)], np.array([1.0, 2.0, 9.0]))
    model = baselines.GeneRidge().fit(cell, unseen, np.arange(2))
    np.testing.assert_allclose(model.predict(unseen)[2, 0], 1.5, atol=1e-6)  # a gene never seen: the constant


def test_the_objective_is_minimised() -> None:
    rng = np.random.default_rng(0)
    x, y = (rng.random((40, 6)) < 0.5).astype(float), rng.standard_normal(40).astype(np.float32)
    x[:, -1] = 1
    penalty = np.diag([3.0] * 5 + [1e-8])
    expected = np.linalg.solve(x.T @ x + penalty, x.T @ y)
    np.testing.assert_allclose(ridge(csr_matrix(x), y, 3.0), expected, atol=1e-5)
