"""Splits that hide something from training: genes, or double-mutant queries.

`unseen-gene` and `query-pair` hide items (genes; queries) and put every row that holds a hidden one into the part that
it is hidden for. `unseen-all` deals all genes to the three parts and leaves out the rows between them. Owns the choice
of what is hidden; `leaks` checks it on its own.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import UsageError, setting
from dglcell.genotypes.splits.gene_disjoint import partition
from dglcell.genotypes.splits.membership import MembershipIndex
from dglcell.genotypes.splits.split import ASSIGNMENTS, TEST, TRAIN, UNUSED, VAL
from dglcell.genotypes.table import GenotypeTable

_DRAWS = 8
_WORK = 4_000_000  # items that all draws together go through
_MORE = 4  # times as many draws where none gave three parts
_NEAR = 1.1  # a draw this near to the best in size is as good as it
_FAR = 0.2  # a draw this far from the sizes asked for is a bad one
_TOLERANCE = 0.01  # of a part's size

Bools = NDArray[np.bool_]
Parts = NDArray[np.int8]


def hold_out(table: GenotypeTable, kind: str, seed: int, test: float, val: float) -> Parts:
    """(n,) the part of each row under `unseen-gene`, `unseen-all` or `query-pair`.

    The fractions are shares of the labelled gene sets that the split can use: those with a deletion, under `query-pair`
    those that hold a query, under `unseen-all` without the unused ones. Of several draws one is kept whose parts have
    nearly the best sizes, order by order.

    Raises
    ------
    UsageError
        Nothing can be hidden such that all three parts have a labelled row.
    """
    for name, value in (("test_fraction", test), ("val_fraction", val)):
        if value <= 0:
            raise UsageError(f"{setting(name)} {value} with {setting('split', kind)} - a fraction above 0 was expected")
    items = MembershipIndex.of(table, kind)
    counted = _one_row_a_labelled_set(table) & (items.lengths > 0)
    draws = int(np.clip(_WORK // max(1, len(items.values)), 1, _DRAWS))
    rng, orders = np.random.default_rng(seed), table.orders[counted]

    def kept(draw: Callable[[], Parts | None], times: int) -> list[tuple[float, Parts]]:
        drawn = [part for part in (draw() for _ in range(times)) if part is not None]
        whole = [part for part in drawn if not np.setdiff1d((TRAIN, VAL, TEST), part[counted]).size]
        return [(_distance(part[counted], orders, test, val), part) for part in whole]

    if kind == schema.UNSEEN_ALL:
        found = kept(lambda: partition(items, counted, None, test, val, rng), draws)
        # Where genes dealt one by one do badly, genotype by genotype, which prefers genes of many rows, is tried too.
        if not found or min(distance for distance, _ in found) > _FAR:
            keys = table.genotype_keys()
            found += kept(lambda: partition(items, counted, keys, test, val, rng), max(2, draws))
    else:
        found = kept(lambda: _cover(items, counted, test, val, rng), draws)
        found = found or kept(lambda: _cover(items, counted, test, val, rng), _MORE * draws)
    if not found:
        raise UsageError(_why_not(table, items, counted, kind))
    best = min(distance for distance, _ in found)
    return next(part for distance, part in found if distance <= _NEAR * best + _TOLERANCE)


def _one_row_a_labelled_set(table: GenotypeTable) -> Bools:
    """(n,) one row of each gene set that has a label in any of its rows."""
    keys, rows = table.genotype_keys(), np.arange(len(table))
    labelled = np.zeros(table.num_genotypes, dtype=np.bool_)
    labelled[keys[table.usable()]] = True
    row_of = np.zeros(table.num_genotypes, dtype=np.int64)
    row_of[keys] = rows
    return np.asarray((row_of[keys] == rows) & labelled[keys])


def _distance(part: Parts, orders: NDArray[np.int64], test: float, val: float) -> float:
    """How far the sizes of the test and validation parts are from those asked for, relative, over the orders."""
    orders = np.unique(orders, return_inverse=True)[1]
    counts = np.bincount(orders * len(ASSIGNMENTS) + part, minlength=(orders.max() + 1) * len(ASSIGNMENTS))
    by_order = counts.reshape(-1, len(ASSIGNMENTS))
    used = by_order[:, :UNUSED].sum(axis=1)
    off = np.abs(by_order[:, TEST] - test * used).sum() + np.abs(by_order[:, VAL] - val * used).sum()
    return float(off / used.sum() / (test + val))


def _cover(items: MembershipIndex, counted: Bools, test: float, val: float, rng: np.random.Generator) -> Parts | None:
    total = np.count_nonzero(counted)
    of_test = _choose(items, counted, test * total, 2, rng)
    if of_test is None:
        return None
    in_test = items.counts(of_test) > 0
    of_val = _choose(items, counted & ~in_test, val * total, 1, rng)
    if of_val is None:
        return None
    part = np.where(items.counts(of_val) > 0, VAL, TRAIN).astype(np.int8)
    part[in_test] = TEST
    return part


def _choose(items: MembershipIndex, rows: Bools, target: float, leave: int, rng: np.random.Generator) -> Bools | None:
    """(size,) items at random that together are in about `target` of the marked rows, in all but `leave` at most.

    One after the other in random order; an item that would lead too far is passed over, so that a gene of every row
    stays in training. None if there is no such choice.
    """
    rank = rng.permutation(items.size).astype(np.int32)
    chosen = np.zeros(items.size, dtype=np.bool_)
    left, covered = rows.copy(), 0
    open_ = np.ones(items.size, dtype=np.bool_)
    most = int(np.count_nonzero(rows)) - leave
    while (room := min(target, float(most)) - covered) >= max(1.0, _TOLERANCE * target):
        open_ &= (degrees := items.degrees(left)) <= room
        open_ &= degrees > 0
        if not open_.any():
            break
        # With the open items taken in the order of their ranks, a row is covered at the lowest rank among its own.
        first = items.lowest(np.where(open_, rank, items.size).astype(np.int32), items.size)
        gain = np.cumsum(np.bincount(first[left], minlength=items.size + 1)[:-1])
        taken = int(np.searchsorted(gain, room, side="right"))
        chosen |= open_ & (rank < taken)
        covered += int(gain[taken - 1])
        left &= first >= taken
        open_ &= rank > taken  # the next one leads too far
    return _round_up(items, left, chosen, covered, target, most, rank)


def _round_up(
    items: MembershipIndex, left: Bools, chosen: Bools, covered: int, target: float, most: int, rank: NDArray[np.int32]
) -> Bools | None:
    """One more item, where nothing is chosen yet or it leads nearer to the target."""
    degrees = items.degrees(left)
    possible = np.flatnonzero((degrees > 0) & (degrees <= most - covered))
    if not len(possible):
        return chosen if covered else None
    off = np.abs(covered + degrees[possible] - target)
    if covered and off.min() >= target - covered:
        return chosen
    near = possible[off <= _NEAR * off.min()]
    chosen[near[np.argmin(rank[near])]] = True
    return chosen


def _why_not(table: GenotypeTable, items: MembershipIndex, counted: Bools, kind: str) -> str:
    sets, split = int(np.count_nonzero(counted)), setting("split", kind)
    if kind == schema.QUERY_PAIR:
        if not items.size:
            return (
                f"{split}: no row of the screen comes from a double-mutant query such as "
                f"YAL015C+YOL043C_tm72 - give such a screen, or use {setting('split', schema.UNSEEN_GENE)}"
            )
        return (
            f"{split}: {items.size} double-mutant queries in {sets} labelled genotypes give no test, "
            "validation and training subset - give a screen with more queries, or use "
            f"{setting('split', schema.UNSEEN_GENE)}"
        )
    degrees = items.degrees(counted)
    most = int(np.argmax(degrees)) if items.size else 0
    where = f", {table.ids[schema.GENE][most]} is in {degrees[most]} of them" if sets else ""
    other = "random" if kind == schema.UNSEEN_GENE else "unseen-gene"
    return (
        f"{split}: {sets} labelled genotypes with a deletion give no test, validation and training subset"
        f"{where} - give more rows, or use {setting('split', other)}"
    )
