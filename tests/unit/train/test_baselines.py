"""Baselines: what each can and cannot learn, and that none depends on the order of genes or minds missing labels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dglcell import schema
from dglcell.errors import UsageError
from dglcell.genotypes.dataset import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.graph.relation import Relation
from dglcell.train import baselines

FITNESS, INTERACTION = (schema.LABEL_COLUMNS.index(name) for name in schema.LABELS)


@pytest.fixture(scope="module")
def cell():
    """16 genes: a..h in pairs (ab, cd, ..) are isozymes of a reaction each, the others alone catalyse one each."""
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


def _table(cell, genotypes, fitness, interaction=None):
    labels = np.full((len(genotypes), 4), np.nan)
    labels[:, FITNESS] = fitness
    labels[:, INTERACTION] = np.nan if interaction is None else interaction
    ptr = np.cumsum([0, *map(len, genotypes)])
    return GenotypeTable.of(cell, [g for genotype in genotypes for g in genotype], ptr, labels)


@pytest.fixture(scope="module")
def pairs(cell):
    """All singles and pairs; every gene costs something of its own, a jointly lost reaction costs 1 more."""
    genotypes = [(g,) for g in range(16)] + list(itertools.combinations(range(16), 2))
    cost = np.linspace(-0.5, 0.5, 16)
    joint = np.array([len(g) == 2 and g[1] < 8 and g[0] // 2 == g[1] // 2 for g in genotypes])
    return _table(cell, genotypes, [1 + sum(cost[list(g)]) for g in genotypes], -1.0 * joint)


def test_mean_is_that_of_the_training_rows_by_order(cell):
    table = _table(cell, [(0,), (1,), (0, 1), (0, 2), (0, 1, 2)], [1, 3, 5, np.nan, 100], [0, 0, 2, 4, 100])
    predicted = baselines.make("mean").fit(cell, table, np.arange(4)).predict(table)
    np.testing.assert_allclose(predicted[:, 0], 3)
    np.testing.assert_allclose(predicted[:, 1], [np.nan, np.nan, 3, 3, 3])


@pytest.mark.parametrize("name", baselines.NAMES)
def test_undefined_and_unseen_labels_are_nan(cell, pairs, name):
    no_scores = _table(cell, [(0,), (1,), (0, 1), (2, 3)], [1, 2, 3, 4])
    predicted = baselines.make(name).fit(cell, no_scores, np.arange(4)).predict(pairs)
    assert predicted.shape == (len(pairs), 2) and predicted.dtype == np.float32
    assert np.isfinite(predicted[:, 0]).all() and np.isnan(predicted[:, 1]).all()


def test_ridge_recovers_additive_effects(cell, pairs):
    rows = np.arange(len(pairs))
    ridge = baselines.make("gene-ridge").fit(cell, pairs, rows[::2])
    predicted = ridge.predict(pairs)[:, 0]
    np.testing.assert_allclose(predicted, pairs.targets[:, 0], atol=0.02)
    unseen = _table(cell, [(0,), (1,), (2,)], [1.0, 2.0, 9.0])
    model = baselines.GeneRidge().fit(cell, unseen, np.arange(2))
    np.testing.assert_allclose(model.predict(unseen)[2, 0], 1.5, atol=1e-6)  # a gene never seen: the constant


def test_ridge_minimises_its_objective(cell, pairs):
    rng = np.random.default_rng(0)
    x, y = (rng.random((40, 6)) < 0.5).astype(float), rng.standard_normal(40).astype(np.float32)
    x[:, -1] = 1
    from scipy.sparse import csr_matrix

    penalty = np.diag([3.0] * 5 + [1e-8])
    expected = np.linalg.solve(x.T @ x + penalty, x.T @ y)
    np.testing.assert_allclose(baselines._ridge(csr_matrix(x), y, 3.0), expected, atol=1e-5)


def test_lost_reaction_items_tell_alone_from_jointly(cell):
    table = _table(cell, [(0, 1), (0, 8), (8, 9), ()], np.ones(4))
    items, ptr, size = baselines.lost_reactions(cell, table)
    bags = [sorted(items[a:b].tolist()) for a, b in itertools.pairwise(ptr)]
    assert size == 24
    assert bags == [[0], [4, 12 + 4], [4, 5, 12 + 4, 12 + 5], []]


@pytest.mark.parametrize("items", [baselines.lost_reactions, baselines.deleted_genes])
def test_mlps_learn_what_no_sum_over_genes_can(cell, pairs, items):
    mlp = baselines.BagMlp("mlp", items, first_relu=items is baselines.lost_reactions, epochs=60, lr=1e-2)
    predicted = mlp.fit(cell, pairs, np.arange(len(pairs))).predict(pairs)[:, 1]
    joint = pairs.targets[:, 1] == -1
    assert joint.sum() == 4 and (predicted[joint] < -0.7).all()
    assert np.nanmean(np.abs(predicted[~joint])) < 0.1
    ridge = baselines.make("gene-ridge").fit(cell, pairs, np.arange(len(pairs))).predict(pairs)[:, 1]
    assert (ridge[joint] > -0.5).all()


@pytest.mark.parametrize("name", ["embedding-mlp", "lost-reactions-mlp"])
def test_mlps_are_deterministic_and_leave_the_global_generator_alone(cell, pairs, name):
    import torch

    maker = {"embedding-mlp": (baselines.deleted_genes, False), "lost-reactions-mlp": (baselines.lost_reactions, True)}
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    fits = [baselines.BagMlp(name, *maker[name], epochs=3).fit(cell, pairs, np.arange(60), s) for s in (1, 1, 2)]
    assert torch.equal(before, torch.random.get_rng_state())
    first, second, other = (f.predict(pairs) for f in fits)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other, equal_nan=True)


def test_missing_labels_are_not_learnt_from(cell, pairs):
    labels = pairs.labels.copy()
    labels[::3, FITNESS] = np.nan
    holed = GenotypeTable.of(cell, pairs.genes, pairs.ptr, labels)
    for name in baselines.NAMES:
        fitted = (
            baselines.make(name)
            if "mlp" not in name
            else baselines.BagMlp(name, baselines.lost_reactions, True, epochs=2)
        )
        assert np.isfinite(fitted.fit(cell, holed, np.arange(len(holed))).predict(holed)[:, 0]).all()


def test_bags_of_any_rows(cell):
    items, ptr = np.arange(6), np.array([0, 2, 2, 6])
    bag, offsets = baselines._bags(items, ptr, [2, 1, 0, 1])
    assert bag.tolist() == [2, 3, 4, 5, 0, 1] and offsets.tolist() == [0, 4, 4, 6]


def test_unknown_name():
    with pytest.raises(UsageError, match="mean, gene-ridge"):
        baselines.make("forest")
