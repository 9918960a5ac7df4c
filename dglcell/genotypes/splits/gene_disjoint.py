"""Partition of genes into training, validation and test genes, so that no gene is in two subsets of a split.

The genes are shuffled; genes 0 to a - 1 are test genes, a to b - 1 validation genes, the rest training genes. A row is
in a subset if all its genes are, otherwise it is unused.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dglcell.genotypes.splits.membership import MembershipIndex
from dglcell.genotypes.splits.split import TEST, TRAIN, UNUSED, VAL

_EXHAUSTIVE_LIMIT = 20_000_000  # rows times genes up to which all cuts are tried
_NEIGHBORHOOD = 3

Ranks = NDArray[np.int32]


def partition(
    items: MembershipIndex,
    counted: NDArray[np.bool_],
    keys: NDArray[np.int64] | None,
    test: float,
    val: float,
    rng: np.random.Generator,
) -> NDArray[np.int8] | None:
    """Shuffle the genes and choose the subsets.

    Parameters
    ----------
    items : MembershipIndex
        Genes of the rows.
    counted : (n,) bool
        Rows over which shares are counted; of those used, `test` and `val` should be in test and validation.
    keys : (n,) int64, optional
        Keys of the gene sets of the rows. With keys, genotypes are shuffled, and genes are sorted by the first genotype
        that has them, so that some genotypes have all their genes in one subset even if the subsets are small.
    test, val : float
        Shares of the test and validation subsets.
    rng : numpy.random.Generator

    Returns
    -------
    (n,) int8 or None
        Subset of each row; None if a subset would be empty.
    """
    genes = np.flatnonzero(items.degrees(counted))
    permutation = rng.permutation(genes)
    if keys is not None:
        genotype_rank = rng.permutation(int(keys.max(initial=-1)) + 1)
        genotype_rank = np.where(counted, genotype_rank[keys], len(genotype_rank))
        first_genotype = np.full(items.size, len(keys), dtype=np.int64)
        np.minimum.at(first_genotype, items.values, np.repeat(genotype_rank, items.lengths))
        permutation = permutation[np.argsort(first_genotype[permutation], kind="stable")]
    rank = np.full(items.size, len(genes), dtype=np.int32)
    rank[permutation] = np.arange(len(genes))
    low, high = items.lowest(rank, len(genes)), items.highest(rank, len(genes))
    cut = _best_cut(low[counted], high[counted], len(genes), test, val)
    if cut is None:
        return None
    a, b = cut
    subset = np.full(len(low), UNUSED, dtype=np.int8)
    subset[low >= b] = TRAIN
    subset[(low >= a) & (high < b)] = VAL
    subset[high < a] = TEST
    return subset


def _best_cut(low: Ranks, high: Ranks, num_genes: int, test: float, val: float) -> tuple[int, int] | None:
    """The `a` and `b` with shares of test and validation nearest to `test` and `val`; None if a subset is empty."""
    # Rows with all ranks below each cut, and rows with all ranks from it on.
    num_below = np.concatenate([[0], np.cumsum(np.bincount(high, minlength=num_genes))])
    num_train = len(low) - np.concatenate([[0], np.cumsum(np.bincount(low, minlength=num_genes))])

    def best_at(b: int) -> tuple[float, float, int]:
        """Distance from the requested shares, joint share of test and validation, and the best `a`, for this `b`."""
        num_inside = np.concatenate([[0], np.cumsum(np.bincount(low[high < b], minlength=b))])
        num_test, num_val = num_below[: b + 1], num_inside[-1] - num_inside
        num_used = num_train[b] + num_test + num_val
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = (np.abs(num_test - test * num_used) + np.abs(num_val - val * num_used)) / num_used
        distance[(num_test == 0) | (num_val == 0) | (num_train[b] == 0)] = np.inf
        a = int(np.argmin(distance))
        hidden = float((num_test[a] + num_val[a]) / num_used[a]) if np.isfinite(distance[a]) else 0.0
        share = hidden if num_train[b] else 1.0
        return float(distance[a]), share, a

    lower, upper = 2, num_genes - 1
    if num_genes * (len(low) + num_genes) > _EXHAUSTIVE_LIMIT:
        while upper - lower > 1:  # the share grows with the number of hidden genes
            middle = (lower + upper) // 2
            lower, upper = (middle, upper) if best_at(middle)[1] < test + val else (lower, middle)
        lower, upper = max(2, lower - _NEIGHBORHOOD), min(num_genes - 1, upper + _NEIGHBORHOOD)
    cuts = [(*best_at(b)[::2], b) for b in range(lower, upper + 1)]
    distance, a, b = min(cuts, default=(np.inf, 0, 0))
    return (int(a), int(b)) if np.isfinite(distance) else None
