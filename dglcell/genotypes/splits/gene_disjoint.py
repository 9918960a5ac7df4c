"""Genes dealt to training, validation and test, so that no gene is in two of them.

Genes stand in a random order; the first `a` of them are the test part's, the next up to `b` the validation part's, the
rest training's. A row belongs to a part that has all of its genes, else to none. Owns the choice of `a` and `b`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dglcell.genotypes.splits.membership import MembershipIndex
from dglcell.genotypes.splits.split import TEST, TRAIN, UNUSED, VAL

_ALL = 20_000_000  # rows times genes up to which every cut is tried
_AROUND = 3

Ranks = NDArray[np.int32]


def partition(
    items: MembershipIndex,
    counted: NDArray[np.bool_],
    keys: NDArray[np.int64] | None,
    test: float,
    val: float,
    rng: np.random.Generator,
) -> NDArray[np.int8] | None:
    """(n,) the part of each row, or None where this order of the genes gives none.

    Parameters
    ----------
    counted : (n,) bool
        Rows whose shares are to be `test` and `val`, of those that are used.
    keys : (n,) int64, optional
        Keys of the rows' gene sets. With them genes come in the order of randomly ordered genotypes, so that some
        genotypes keep their genes together however few they are; without them each gene comes by itself.
    """
    there = np.flatnonzero(items.degrees(counted))
    order = rng.permutation(there)
    if keys is not None:
        turn = rng.permutation(int(keys.max(initial=-1)) + 1)
        turn = np.where(counted, turn[keys], len(turn))
        first = np.full(items.size, len(keys), dtype=np.int64)
        np.minimum.at(first, items.values, np.repeat(turn, items.lengths))
        order = order[np.argsort(first[order], kind="stable")]
    rank = np.full(items.size, len(there), dtype=np.int32)
    rank[order] = np.arange(len(there))
    low, high = items.lowest(rank, len(there)), items.highest(rank, len(there))
    cut = _cut(low[counted], high[counted], len(there), test, val)
    if cut is None:
        return None
    a, b = cut
    part = np.full(len(low), UNUSED, dtype=np.int8)
    part[low >= b] = TRAIN
    part[(low >= a) & (high < b)] = VAL
    part[high < a] = TEST
    return part


def _cut(low: Ranks, high: Ranks, genes: int, test: float, val: float) -> tuple[int, int] | None:
    """The `a` and `b` whose parts come nearest to the shares asked for."""
    below = np.concatenate([[0], np.cumsum(np.bincount(high, minlength=genes))])  # rows whose ranks are all below
    train = len(low) - np.concatenate([[0], np.cumsum(np.bincount(low, minlength=genes))])

    def best_at(b: int) -> tuple[float, float, int]:
        """Distance from the shares asked for, share of both hidden parts, and the `a` that gives them."""
        inside = np.concatenate([[0], np.cumsum(np.bincount(low[high < b], minlength=b))])
        n_test, n_val = below[: b + 1], inside[-1] - inside
        used = train[b] + n_test + n_val
        with np.errstate(divide="ignore", invalid="ignore"):
            off = (np.abs(n_test - test * used) + np.abs(n_val - val * used)) / used
        off[(n_test == 0) | (n_val == 0) | (train[b] == 0)] = np.inf
        a = int(np.argmin(off))
        share = 1.0 if train[b] == 0 else float((n_test[a] + n_val[a]) / used[a]) if np.isfinite(off[a]) else 0.0
        return float(off[a]), share, a

    first, last = 2, genes - 1
    if genes * (len(low) + genes) > _ALL:
        while last - first > 1:  # the more genes are hidden, the larger the share
            middle = (first + last) // 2
            first, last = (middle, last) if best_at(middle)[1] < test + val else (first, middle)
        first, last = max(2, first - _AROUND), min(genes - 1, last + _AROUND)
    cuts = [(*best_at(b)[::2], b) for b in range(first, last + 1)]
    off, a, b = min(cuts, default=(np.inf, 0, 0))
    return (int(a), int(b)) if np.isfinite(off) else None
