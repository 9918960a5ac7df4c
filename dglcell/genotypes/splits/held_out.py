"""Splits that hold out genes or double-mutant queries from training.

`unseen-gene` and `query-pair` choose items (genes or queries) for test and for validation; every row with such an item
is in that subset. `unseen-all` partitions all genes into the three subsets and leaves rows with genes of two subsets
unused. `split.check_leakage` checks the result independently.
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
_MAX_WORK = 4_000_000  # items processed by all draws together
_MORE_DRAWS = 4  # times as many draws if none gave three subsets
_GOOD_RATIO = 1.1  # the sizes of a draw may deviate this many times more than those of the best one
_POOR_DISTANCE = 0.2  # a draw is poor if its sizes deviate by more than this share
_TOLERANCE = 0.01  # of the size of a subset

Bools = NDArray[np.bool_]
Subsets = NDArray[np.int8]


def hold_out(table: GenotypeTable, kind: str, seed: int, test: float, val: float) -> Subsets:
    """Subsets under `unseen-gene`, `unseen-all` or `query-pair`.

    The result is the first of several random draws with nearly the best sizes, for each number of deletions.

    Parameters
    ----------
    table : GenotypeTable
    kind : str
    seed : int
    test, val : float
        Shares of the labeled gene sets with a deletion; under `query-pair`, of those with a double-mutant query; under
        `unseen-all`, of those that are used.

    Returns
    -------
    (n,) int8
        Subset of each row.

    Raises
    ------
    UsageError
        A fraction is 0, or no draw gives three subsets with labeled rows.
    """
    for name, value in (("test_fraction", test), ("val_fraction", val)):
        if value <= 0:
            raise UsageError(f"{setting(name)} {value} with {setting('split', kind)} - a fraction above 0 was expected")
    items = MembershipIndex.of(table.genes, table.ptr, table.query, kind)
    counted = _first_of_labeled_sets(table) & (items.lengths > 0)
    draws = int(np.clip(_MAX_WORK // max(1, len(items.values)), 1, _DRAWS))
    rng, orders = np.random.default_rng(seed), table.orders[counted]

    def candidates_from(draw: Callable[[], Subsets | None], times: int) -> list[tuple[float, Subsets]]:
        subsets = [subset for subset in (draw() for _ in range(times)) if subset is not None]
        complete = [subset for subset in subsets if not np.setdiff1d((TRAIN, VAL, TEST), subset[counted]).size]
        return [(_distance(subset[counted], orders, test, val), subset) for subset in complete]

    if kind == schema.UNSEEN_ALL:
        candidates = candidates_from(lambda: partition(items, counted, None, test, val, rng), draws)
        # If shuffling genes gives poor sizes, shuffle genotypes, by which genes of many rows come early.
        if not candidates or min(distance for distance, _ in candidates) > _POOR_DISTANCE:
            keys = table.genotype_keys()
            candidates += candidates_from(lambda: partition(items, counted, keys, test, val, rng), max(2, draws))
    else:
        candidates = candidates_from(lambda: _draw_held_out(items, counted, test, val, rng), draws)
        candidates = candidates or candidates_from(
            lambda: _draw_held_out(items, counted, test, val, rng), _MORE_DRAWS * draws
        )
    if not candidates:
        raise UsageError(_explain(table, items, counted, kind))
    smallest = min(distance for distance, _ in candidates)
    return next(subset for distance, subset in candidates if distance <= _GOOD_RATIO * smallest + _TOLERANCE)


def _first_of_labeled_sets(table: GenotypeTable) -> Bools:
    """(n,) bool: one row of each gene set that has a label in any of its rows."""
    keys, rows = table.genotype_keys(), np.arange(len(table))
    labeled = np.zeros(table.num_genotypes, dtype=np.bool_)
    labeled[keys[table.usable()]] = True
    row_of = np.zeros(table.num_genotypes, dtype=np.int64)
    row_of[keys] = rows
    return np.asarray((row_of[keys] == rows) & labeled[keys])


def _distance(subset: Subsets, orders: NDArray[np.int64], test: float, val: float) -> float:
    """Relative deviation of the sizes of test and validation from the requested ones, over the numbers of deletions."""
    orders = np.unique(orders, return_inverse=True)[1]
    counts = np.bincount(orders * len(ASSIGNMENTS) + subset, minlength=(orders.max() + 1) * len(ASSIGNMENTS))
    by_order = counts.reshape(-1, len(ASSIGNMENTS))
    num_used = by_order[:, :UNUSED].sum(axis=1)
    deviation = np.abs(by_order[:, TEST] - test * num_used).sum() + np.abs(by_order[:, VAL] - val * num_used).sum()
    return float(deviation / num_used.sum() / (test + val))


def _draw_held_out(
    items: MembershipIndex, counted: Bools, test: float, val: float, rng: np.random.Generator
) -> Subsets | None:
    total = np.count_nonzero(counted)
    test_items = _choose_items(items, counted, test * total, 2, rng)
    if test_items is None:
        return None
    in_test = items.counts(test_items) > 0
    val_items = _choose_items(items, counted & ~in_test, val * total, 1, rng)
    if val_items is None:
        return None
    subset = np.where(items.counts(val_items) > 0, VAL, TRAIN).astype(np.int8)
    subset[in_test] = TEST
    return subset


def _choose_items(
    items: MembershipIndex, rows: Bools, target: float, reserve: int, rng: np.random.Generator
) -> Bools | None:
    """(size,) bool: random items that together are in about `target` of the marked rows; None if there are none.

    Shuffled items are added one by one, without those that would exceed the target, so that a gene of all rows stays in
    training. At least `reserve` of the rows have none of the items.
    """
    rank = rng.permutation(items.size).astype(np.int32)
    is_chosen = np.zeros(items.size, dtype=np.bool_)
    uncovered, num_covered = rows.copy(), 0
    is_candidate = np.ones(items.size, dtype=np.bool_)
    maximum = int(np.count_nonzero(rows)) - reserve
    while (remaining := min(target, float(maximum)) - num_covered) >= max(1.0, _TOLERANCE * target):
        is_candidate &= (degrees := items.degrees(uncovered)) <= remaining
        is_candidate &= degrees > 0
        if not is_candidate.any():
            break
        # Candidates are added by rank, so a row is covered as soon as its item of the lowest rank is.
        lowest_rank = items.lowest(np.where(is_candidate, rank, items.size).astype(np.int32), items.size)
        cumulative = np.cumsum(np.bincount(lowest_rank[uncovered], minlength=items.size + 1)[:-1])
        next_rank = int(np.searchsorted(cumulative, remaining, side="right"))
        is_chosen |= is_candidate & (rank < next_rank)
        num_covered += int(cumulative[next_rank - 1])
        uncovered &= lowest_rank >= next_rank
        is_candidate &= rank > next_rank  # the next one would exceed the target
    return _add_nearest(items, uncovered, is_chosen, num_covered, target, maximum, rank)


def _add_nearest(
    items: MembershipIndex,
    uncovered: Bools,
    is_chosen: Bools,
    num_covered: int,
    target: float,
    maximum: int,
    rank: NDArray[np.int32],
) -> Bools | None:
    """Add one more item if none is chosen yet, or if that comes nearer to the target."""
    degrees = items.degrees(uncovered)
    candidates = np.flatnonzero((degrees > 0) & (degrees <= maximum - num_covered))
    if not len(candidates):
        return is_chosen if num_covered else None
    distance = np.abs(num_covered + degrees[candidates] - target)
    if num_covered and distance.min() >= target - num_covered:
        return is_chosen
    nearest = candidates[distance <= _GOOD_RATIO * distance.min()]
    is_chosen[nearest[np.argmin(rank[nearest])]] = True
    return is_chosen


def _explain(table: GenotypeTable, items: MembershipIndex, counted: Bools, kind: str) -> str:
    num_sets, split = int(np.count_nonzero(counted)), setting("split", kind)
    if kind == schema.QUERY_PAIR:
        if not items.size:
            return (
                f"{split}: no row of the screen comes from a double-mutant query such as "
                f"YAL015C+YOL043C_tm72 - give such a screen, or use {setting('split', schema.UNSEEN_GENE)}"
            )
        return (
            f"{split}: {items.size} double-mutant queries in {num_sets} labeled genotypes give no test, "
            "validation and training subset - give a screen with more queries, or use "
            f"{setting('split', schema.UNSEEN_GENE)}"
        )
    degrees = items.degrees(counted)
    most_frequent = int(np.argmax(degrees)) if items.size else 0
    note = f", {table.ids[schema.GENE][most_frequent]} is in {degrees[most_frequent]} of them" if num_sets else ""
    alternative = "random" if kind == schema.UNSEEN_GENE else "unseen-gene"
    return (
        f"{split}: {num_sets} labeled genotypes with a deletion give no test, validation and training subset"
        f"{note} - give more rows, or use {setting('split', alternative)}"
    )
