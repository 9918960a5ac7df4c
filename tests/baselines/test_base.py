"""The parts that baselines share."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import nn

from dglcell.baselines import base
from dglcell.baselines.base import AdamWFit
from tests.cells import random_genotypes, tiny_cell
from tests.runs import table_of, tiny_table

CELL = tiny_cell()


def test_pairs_are_those_of_each_genotype() -> None:
    genotypes = [(), (3,), (1, 4), (0, 2, 5, 7), (1, 2, 3), (2, 4)]
    table = table_of(CELL, genotypes, np.ones(len(genotypes)))
    found = list(zip(*(part.tolist() for part in base.pairs_of(table.genes, table.ptr)), strict=True))
    expected = [(a, b, owner) for owner, g in enumerate(genotypes) for a, b in itertools.combinations(g, 2)]
    assert sorted(found) == sorted(expected)
    assert all(len(part) == 0 for part in base.pairs_of(table.genes[:0], table.ptr[:1]))


def test_items_of_any_rows() -> None:
    positions, offsets = base.ragged(np.array([0, 2, 2, 6]), np.array([2, 1, 0, 1]))
    assert positions.tolist() == [2, 3, 4, 5, 0, 1] and offsets.tolist() == [0, 4, 4, 6]


def test_blocks_cover_all_rows_once_and_stay_small() -> None:
    table = table_of(CELL, random_genotypes(CELL, 200, 6), np.ones(200))
    found = list(base.blocks(table, 20))
    assert [start for start, _ in found] == [0, *(stop for _, stop in found[:-1])] and found[-1][1] == 200
    cost = [sum(max(1, k * (k - 1) // 2) for k in table.orders[a:b]) for a, b in found]
    assert max(cost) <= 20 and len(found) < sum(cost) / 5
    assert list(base.blocks(table, 1))[:2] == [(0, 1), (1, 2)]  # one row at least
    assert list(base.blocks(table.take([]), 20)) == []


def test_a_tenth_is_held_out_by_gene_set() -> None:
    table = tiny_table(CELL, rows=100)
    twice = table.take(np.repeat(np.arange(100), 2))
    held = base.held_out(twice, 3)
    keys = twice.genotype_keys()
    assert len(np.unique(keys[held])) == twice.num_genotypes // 10
    assert not np.isin(keys[held], keys[~held]).any()
    assert not np.array_equal(held, base.held_out(twice, 4))
    assert not base.held_out(twice.take(np.arange(9)), 3).any()


def test_rows_of_one_gene_set_become_their_mean() -> None:
    y = np.array([1.0, 5.0, np.nan, 3.0, np.nan])
    table = table_of(CELL, [(2, 4), (1,), (1,), (4, 2), (3,)], y)
    found = base.Distinct.of(table, y)
    genes = [tuple(found.table.genes[a:b]) for a, b in itertools.pairwise(found.table.ptr)]
    assert dict(zip(genes, zip(found.y, found.weight, strict=True), strict=True)) == {(2, 4): (2, 2), (1,): (5, 1)}


def adamw(errors: list[float] | None, rows: int = 10, epochs: int = 9) -> tuple[float, int, int]:
    net = nn.Linear(1, 1)
    batches: list[torch.Tensor] = []

    def loss(batch: torch.Tensor) -> torch.Tensor:
        batches.append(batch)
        return net.weight.square().sum()

    series = iter(errors or [])
    fit = AdamWFit(epochs, batch_size=4, lr=0.1, patience=2)
    outcome = fit.run(net, loss, np.arange(rows) + 5, (lambda: next(series)) if errors else None)
    if rows:
        assert sorted(torch.cat(batches[:3]).tolist()) == list(range(5, 15))
    return (*outcome, len(batches))


def test_adamw_stops_when_the_held_out_error_no_longer_falls() -> None:
    assert adamw([3.0, 1.0, 2.0, 2.0, 0.0]) == (1.0, 2, 3 * 4)
    assert adamw([3.0, 1.0, 2.0, 0.5, 0.7, 0.6, 9.0]) == (0.5, 4, 3 * 6)


def test_an_error_that_is_never_a_number_chooses_half_of_the_epochs() -> None:
    nan = float("nan")
    assert adamw([nan] * 9)[:2] == (float("inf"), 4)
    assert adamw([nan, 2.0, nan, nan, 1.0])[:2] == (2.0, 2)
    assert adamw([nan], epochs=1)[:2] == (float("inf"), 1)
    assert adamw([nan, nan, nan, nan, 1.0, 2.0, 2.0])[:2] == (1.0, 5)


def test_adamw_without_an_error_runs_all_epochs() -> None:
    assert adamw(None)[1:] == (9, 3 * 9)
    assert adamw(None, rows=0)[1:] == (9, 0)


def test_adamw_on_one_thread_and_then_the_callers_own() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    seen: list[int] = []
    net = nn.Linear(1, 1)
    try:
        AdamWFit(1, 4, 0.1).run(net, lambda b: seen.append(torch.get_num_threads()) or net.bias.sum(), np.arange(3))
        assert seen == [1] and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
