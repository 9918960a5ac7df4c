"""MLPs on bags of items: what they learn that a sum cannot, and when the epochs are chosen."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from dglcell import baselines
from dglcell.baselines import embedding_bag
from dglcell.baselines.base import AdamWFit, held_out
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from tests.runs import table_of


def test_lost_reaction_items_tell_alone_from_jointly(cell):
    table = table_of(cell, [(0, 1), (0, 8), (8, 9), ()], np.ones(4))
    items, ptr, size = baselines.lost_reactions(cell, table)
    bags = [sorted(items[a:b].tolist()) for a, b in itertools.pairwise(ptr)]
    assert size == 24
    assert bags == [[0], [4, 12 + 4], [4, 5, 12 + 4, 12 + 5], []]


@pytest.mark.parametrize("items", [baselines.lost_reactions, baselines.deleted_genes])
def test_mlps_learn_what_no_sum_over_genes_can(cell, pairs, items):
    mlp = baselines.EmbeddingBagMLP("mlp", items, first_relu=items is baselines.lost_reactions, epochs=60, lr=1e-2)
    predicted = mlp.fit(cell, pairs, np.arange(len(pairs))).predict(pairs)[:, 1]
    joint = pairs.targets[:, 1] == -1
    assert joint.sum() == 4 and (predicted[joint] < -0.7).all()
    assert np.nanmean(np.abs(predicted[~joint])) < 0.1
    ridge = baselines.make("gene-ridge").fit(cell, pairs, np.arange(len(pairs))).predict(pairs)[:, 1]
    assert (ridge[joint] > -0.5).all()


@pytest.mark.parametrize("items", [baselines.lost_reactions, baselines.deleted_genes])
def test_another_seed_gives_other_numbers(cell: CellGraph, pairs: GenotypeTable, items) -> None:
    fits = [baselines.EmbeddingBagMLP("mlp", items, False, epochs=3).fit(cell, pairs, np.arange(60), s) for s in (1, 2)]
    assert not np.array_equal(*(f.predict(pairs) for f in fits), equal_nan=True)


def test_a_long_screen_chooses_its_epochs_and_learns_from_all_rows(
    cell: CellGraph, pairs: GenotypeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding_bag, "LARGE", len(pairs))
    runs: list[tuple[int, bool, int]] = []
    run = AdamWFit.run

    def spied(self, net, loss, rows, error=None):
        found = run(self, net, loss, rows, error)
        runs.append((len(rows), error is not None, found[1] if error else self.epochs))
        return found

    monkeypatch.setattr(AdamWFit, "run", spied)
    large = embedding_bag.LargeScreen(AdamWFit(epochs=9, batch_size=32, lr=1e-2))
    make = lambda: baselines.EmbeddingBagMLP("mlp", baselines.deleted_genes, False, epochs=2, large=large)  # noqa: E731
    make().fit(cell, pairs, np.arange(len(pairs)))
    (first, chosen, best), (second, again, epochs) = runs
    assert (first, second) == (len(pairs) - len(pairs) // 10, len(pairs)) and chosen and not again
    assert epochs == best <= 9
    runs.clear()
    make().fit(cell, pairs, np.arange(len(pairs) - 1))
    assert runs == [(len(pairs) - 1, False, 2)]


@pytest.mark.parametrize("spoil", ["few genotypes", "unlabelled ones held out"])
def test_a_long_screen_of_which_nothing_can_be_held_out(
    cell: CellGraph, pairs: GenotypeTable, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    """Epochs are chosen by labelled rows, or without any are half of those allowed; never by an error over no rows."""
    runs: list[tuple[int, bool, int]] = []
    run = AdamWFit.run

    def spied(self, net, loss, rows, error=None):
        runs.append((len(rows), error is not None, self.epochs))
        return run(self, net, loss, rows, error)

    monkeypatch.setattr(AdamWFit, "run", spied)
    monkeypatch.setattr(embedding_bag, "LARGE", 20)
    table = table_of(cell, [(0, 1), (2, 3), (4,), (5,)] * 10, np.arange(40.0))
    if spoil == "unlabelled ones held out":
        held = held_out(pairs, 0)
        labels = pairs.labels.copy()
        labels[held] = np.nan
        table = dataclasses.replace(pairs, labels=labels)
    large = embedding_bag.LargeScreen(AdamWFit(epochs=9, batch_size=32, lr=1e-2))
    mlp = baselines.EmbeddingBagMLP("mlp", baselines.deleted_genes, False, epochs=2, large=large)
    mlp.fit(cell, table, np.arange(len(table)))
    if spoil == "few genotypes":
        assert runs == [(40, False, 4)]
    else:
        labelled = int(table.usable().sum())
        assert [(n, error) for n, error, _ in runs] == [(labelled - labelled // 10, True), (labelled, False)]


def test_genes_of_unlabelled_rows_alone_are_never_seen(cell: CellGraph, pairs: GenotypeTable) -> None:
    labels = pairs.labels.copy()
    labels[[bool((g >= 12).any()) for g in np.split(pairs.genes, pairs.ptr[1:-1])]] = np.nan
    holed = dataclasses.replace(pairs, labels=labels)
    asked = table_of(cell, [(12,), (13,), (14, 15), (12, 14)], np.ones(4))
    mlp = baselines.EmbeddingBagMLP("mlp", baselines.deleted_genes, False, epochs=2, fill=True)
    predicted = mlp.fit(cell, holed, np.arange(len(holed))).predict(asked)[:, 0]
    assert predicted[0] == predicted[1] and predicted[2] == predicted[3]


def test_genes_never_seen_are_average_ones(cell: CellGraph, pairs: GenotypeTable) -> None:
    rows = np.flatnonzero([g[-1] < 12 for g in np.split(pairs.genes, pairs.ptr[1:-1])])
    asked = table_of(cell, [(12,), (13,), (14, 15), (12, 14)], np.ones(4))
    predicted = {}
    for fill in (True, False):
        mlp = baselines.EmbeddingBagMLP("mlp", baselines.deleted_genes, False, epochs=2, fill=fill)
        predicted[fill] = mlp.fit(cell, pairs, rows).predict(asked)[:, 0]
    assert predicted[True][0] == predicted[True][1] and predicted[True][2] == predicted[True][3]
    assert predicted[False][0] != predicted[False][1]


def test_the_large_network_sees_sums_and_products() -> None:
    import torch

    torch.manual_seed(0)
    net = embedding_bag._Net(6, 4, False, embedding_bag.LargeScreen(AdamWFit(1, 1, 1.0), penalty=0.5))
    seen: list[torch.Tensor] = []
    net.first.register_forward_hook(lambda module, args, out: seen.append(args[0]))
    e = net.vectors.weight.detach()
    _, penalty = net(torch.tensor([1, 2, 0, 3, 5, 4]), torch.tensor([0, 2, 5, 6]))
    pair = torch.cat([e[1] + e[2], e[1] * e[2]])
    triple = torch.cat([e[0] + e[3] + e[5], e[0] * e[3] + e[0] * e[5] + e[3] * e[5]])
    single, none = torch.cat([e[4], torch.zeros(4)]), torch.zeros(8)
    torch.testing.assert_close(seen[0], torch.stack([pair, triple, single, none]))
    torch.testing.assert_close(penalty, 0.5 * e.square().sum() / 4)
    assert 0.05 < e.std() < 0.2
