"""Models on network features: a module's signal in genes never seen, and a ridge that is the one it says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dglcell import baselines
from dglcell.baselines import spectral
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.training.metrics import pearson


@pytest.mark.parametrize("name", ["spectral-ridge", "spectral-trees"])
def test_a_module_speaks_for_genes_never_seen(modular: CellGraph, module_pairs: GenotypeTable, name: str) -> None:
    unseen = module_pairs.genes.reshape(-1, 2).max(1) >= 64  # 4 genes of each module
    train, test = np.flatnonzero(~unseen), np.flatnonzero(unseen)
    y = module_pairs.targets[:, 1]
    found = {
        model: pearson(baselines.make(model).fit(modular, module_pairs, train).predict(module_pairs)[test, 1], y[test])
        for model in (name, "gene-ridge")
    }
    assert found[name] > 0.7 and (found["gene-ridge"] or 0) < 0.2


def test_moments_give_the_ridge_of_standardised_columns() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 4)) * [1, 5, 0, 0.1] + [0, 3, 7, -1]
    y, weight = rng.standard_normal(50) + x[:, 1], rng.integers(1, 4, 50).astype(float)
    moments, second = spectral.Moments(4), spectral.Moments(4)
    moments.add(x[:20], y[:20], weight[:20])
    second.add(x[20:], y[20:], weight[20:])
    found = (moments + second).ridge(3.0)

    rows = np.repeat(np.arange(50), weight.astype(int))
    a, b = x[rows], y[rows]
    z = (a - a.mean(0)) / np.where(a.std(0) > 0, a.std(0), 1)
    w = np.linalg.solve(z.T @ z + 3 * np.eye(4), z.T @ (b - b.mean()))
    np.testing.assert_allclose(
        found[0] + x @ found[1:], b.mean() + ((x - a.mean(0)) / np.where(a.std(0) > 0, a.std(0), 1)) @ w
    )
    assert found[3] == 0  # the constant column
    error = (weight * (y - found[0] - x @ found[1:]) ** 2).sum()
    assert (moments + second).error(found) == pytest.approx(error)
    assert not spectral.Moments(4).ridge(3.0).any()


@pytest.mark.parametrize("name", ["spectral-ridge", "spectral-trees"])
def test_blocks_do_not_change_the_numbers(
    modular: CellGraph, module_pairs: GenotypeTable, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(spectral.SpectralTrees, "trees", 5)
    rows = np.arange(500)
    whole = baselines.make(name).fit(modular, module_pairs, rows).predict(module_pairs)
    monkeypatch.setattr(spectral, "_PAIRS", 77)
    parts = baselines.make(name).fit(modular, module_pairs, rows).predict(module_pairs)
    np.testing.assert_allclose(parts, whole, atol=1e-4)


def test_the_penalty_is_the_one_that_predicts(
    modular: CellGraph, module_pairs: GenotypeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal needs a small one, pure noise on few rows the largest, which leaves the mean alone."""
    monkeypatch.setattr(spectral.SpectralRidge, "penalties", (1.0, 1e12))
    labels = module_pairs.labels.copy()
    labels[:, 2] = np.random.default_rng(3).standard_normal(len(labels))
    noise = dataclasses.replace(module_pairs, labels=labels)
    rows = np.random.default_rng(4).permutation(len(module_pairs))[:300]
    found = [baselines.make("spectral-ridge").fit(modular, t, rows).predict(t)[:, 1] for t in (module_pairs, noise)]
    assert found[0].std() > 0.2 and found[1].std() < 1e-4


def test_trees_learn_from_no_more_rows_than_they_say(
    modular: CellGraph, module_pairs: GenotypeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    features = spectral.SpectralTrees._all
    monkeypatch.setattr(spectral.SpectralTrees, "largest", 200)
    monkeypatch.setattr(spectral.SpectralTrees, "_all", lambda self, t: seen.append(len(t)) or features(self, t))
    baselines.make("spectral-trees").fit(modular, module_pairs, np.arange(1000))
    assert seen == [200]
