"""What holds of every baseline: any order of deletion, missing labels, genes in any order, and seeds."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from dglcell import baselines
from dglcell.errors import UsageError
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from tests.cells import tiny_cell
from tests.runs import table_of, tiny_table

NETWORK = tiny_cell(features=2)
SCREEN = tiny_table(NETWORK, rows=150, max_order=4)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few epochs of the slow ones tell as much here."""
    init = baselines.EmbeddingBagMLP.__init__
    monkeypatch.setattr(
        baselines.EmbeddingBagMLP, "__init__", lambda self, *a, **k: init(self, *a, **{**k, "epochs": 3})
    )
    init_mf = baselines.MatrixFactorization.__init__
    monkeypatch.setattr(baselines.MatrixFactorization, "__init__", lambda self: init_mf(self, rank=4, epochs=5))


def fitted(name: str, rows: slice = slice(None), table: GenotypeTable = SCREEN, seed: int = 0) -> baselines.Baseline:
    return baselines.make(name).fit(NETWORK, table, np.arange(len(table))[rows], seed)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", baselines.NAMES)
def test_undefined_and_unseen_labels_are_nan(cell: CellGraph, pairs: GenotypeTable, name: str) -> None:
    no_scores = table_of(cell, [(0,), (1,), (0, 1), (2, 3)], np.array([1, 2, 3, 4]))
    predicted = baselines.make(name).fit(cell, no_scores, np.arange(4)).predict(pairs)
    assert predicted.shape == (len(pairs), 2) and predicted.dtype == np.float32
    assert np.isfinite(predicted[:, 0]).all() and np.isnan(predicted[:, 1]).all()


@pytest.mark.parametrize("name", baselines.NAMES)
def test_any_order_of_deletion_and_genes_never_seen(name: str) -> None:
    known = np.flatnonzero([not np.isin([0, 5], SCREEN.genes[a:b]).any() for a, b in itertools.pairwise(SCREEN.ptr)])
    few = SCREEN.take(known[SCREEN.orders[known] <= 2])
    asked = table_of(NETWORK, [(), (0,), (0, 5), (1, 2), (0, 1, 2), (0, 1, 2, 5), (1, 2, 3, 4)], np.ones(7))
    predicted = fitted(name, table=few).predict(asked)
    assert np.isfinite(predicted[:, 0]).all()
    assert np.isnan(predicted[:, 1]).tolist() == [True, True, *[False] * 5]
    assert fitted(name).predict(asked.take([])).shape == (0, 2)


SINGLES = table_of(NETWORK, [(k,) for k in range(12)], np.linspace(0.5, 1.2, 12))
PAIRS = [*itertools.combinations(range(8), 2)]
UNLIKE = {  # a screen and the genotypes to score, of other orders or labels
    "singles alone": (SINGLES, SINGLES),
    "wild type alone": (table_of(NETWORK, [()] * 4, np.array([1.0, 0.9, 1.1, 1.0])), SCREEN),
    "fitness alone": (table_of(NETWORK, PAIRS, np.linspace(0.2, 1.2, len(PAIRS))), SCREEN),
    "interaction alone": (table_of(NETWORK, PAIRS, np.nan, np.linspace(-0.4, 0.2, len(PAIRS))), SCREEN),
    "pairs, then singles": (table_of(NETWORK, PAIRS, np.linspace(0, 1, 28), np.linspace(-0.4, 0.2, 28)), SINGLES),
    "singles, then pairs": (SINGLES, table_of(NETWORK, PAIRS, np.nan)),
}


@pytest.mark.parametrize("screen", UNLIKE)
@pytest.mark.parametrize("name", baselines.NAMES)
def test_screens_of_one_order_or_one_label(name: str, screen: str) -> None:
    table, asked = UNLIKE[screen]
    predicted = fitted(name, table=table).predict(asked)
    has_fitness, has_score = np.isfinite(table.targets).any(0)
    assert (np.isfinite(predicted[:, 0]) == has_fitness).all()
    assert (np.isfinite(predicted[:, 1]) == (has_score & (asked.orders > 1))).all()


@pytest.mark.parametrize("name", baselines.NAMES)
def test_missing_labels_are_not_learnt_from(name: str) -> None:
    hidden = SCREEN.labels.copy()
    hidden[::3] = np.nan
    holed = dataclasses.replace(SCREEN, labels=hidden)
    predicted = fitted(name, table=holed).predict(SCREEN)
    assert np.isfinite(predicted[:, 0]).all() and np.isfinite(predicted[SCREEN.orders > 1, 1]).all()


@pytest.mark.parametrize("name", baselines.NAMES)
def test_only_the_training_rows_are_seen(name: str) -> None:
    changed = SCREEN.labels.copy()
    changed[100:] += 5
    other = dataclasses.replace(SCREEN, labels=changed)
    first, second = (fitted(name, slice(100), table).predict(SCREEN) for table in (SCREEN, other))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(fitted(name, table=other).predict(SCREEN), first, equal_nan=True)


@pytest.mark.parametrize("name", baselines.NAMES)
def test_the_order_of_genes_does_not_matter(name: str) -> None:
    model = fitted(name)
    for order in (2, 3):
        if (name, order) == ("spectral-trees", 3):  # sums of three round by their order, and a tree has thresholds
            continue
        rows = SCREEN.take(np.flatnonzero(SCREEN.orders == order))
        swapped = dataclasses.replace(rows, genes=rows.genes.reshape(-1, order)[:, ::-1].ravel())
        np.testing.assert_allclose(model.predict(swapped), model.predict(rows), atol=1e-5)


@pytest.mark.parametrize("name", baselines.NAMES)
def test_equal_seeds_give_equal_numbers_and_the_global_generators_are_left_alone(name: str) -> None:
    found = []
    for state in (5, 6):
        torch.manual_seed(state)
        np.random.seed(state)
        before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
        found.append(fitted(name, seed=1).predict(SCREEN))
        assert torch.equal(before[0], torch.random.get_rng_state())
        np.testing.assert_array_equal(before[1], np.random.get_state()[1])
    np.testing.assert_array_equal(*found)


def test_names_and_groups() -> None:
    assert set(baselines.QUICK) < set(baselines.NAMES)
    assert baselines.select("all", 1) == baselines.NAMES == baselines.select("default", 1)
    assert "lost-reactions-mlp" not in baselines.select("default", 10**6)
    assert baselines.select("none", 1) == () and baselines.select("quick", 1) == baselines.QUICK
    assert baselines.select("gene-ridge, mean,mean", 1) == ("gene-ridge", "mean")
    with pytest.raises(UsageError, match=r"forest.*mean, query-mean, gene-ridge"):
        baselines.select("mean,forest", 1)
    with pytest.raises(UsageError, match="mean, query-mean"):
        baselines.make("forest")
