"""Genes and double-mutant queries of the rows of a screen, which a split can hold out from training.

The query genes of a row are stored as a byte (`GenotypeTable.query`), bit k for its k-th gene. Double-mutant queries:
Kuzmin et al. 2018, doi:10.1126/science.aao1729.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools

import numpy as np
from numpy.typing import NDArray

from dglcell import schema

_BITS = np.array([k.bit_count() for k in range(256)])  # number of bits of a byte
_LOWEST = np.array([(k & -k).bit_length() - 1 for k in range(256)])  # position of the lowest bit of a byte


@dataclasses.dataclass(frozen=True)
class MembershipIndex:
    """The items (genes or queries) of each row.

    Attributes
    ----------
    values : (K,) int32
        Items, below `size` and distinct within a row.
    ptr : (n + 1,) int64
        Row i has `values[ptr[i]:ptr[i + 1]]`.
    size : int
        Number of items.

    Examples
    --------
    >>> index = MembershipIndex(np.array([0, 0, 2], np.int32), np.array([0, 1, 3]), 3)  # rows {0} and {0, 2}
    >>> index.degrees(np.array([True, True])).tolist()
    [2, 0, 1]
    >>> index.counts(np.array([False, False, True])).tolist()
    [0, 1]
    """

    values: NDArray[np.int32]
    ptr: NDArray[np.int64]
    size: int

    @classmethod
    def of(
        cls, genes: NDArray[np.int32], ptr: NDArray[np.int64], query: NDArray[np.uint8], kind: str
    ) -> MembershipIndex:
        """The items of genotypes: for the kind `query-pair` double-mutant queries, otherwise genes.

        Parameters
        ----------
        genes, ptr, query
            Genotypes as in `GenotypeTable`.
        kind : str
            Kind of split, one of `schema.SPLITS`.
        """
        if kind != schema.QUERY_PAIR:
            return cls(genes, ptr, int(genes.max(initial=-1)) + 1)
        pairs = query_pairs(genes, ptr, query)
        return cls(*pairs_in_genotypes(genes, ptr, pairs), len(pairs))

    @functools.cached_property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) number of items of each row."""
        return np.diff(self.ptr)

    def counts(self, marked: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(n,) number of marked items of each row; `marked` is (size,)."""
        total = np.zeros(len(self.values) + 1, dtype=np.int32)
        np.cumsum(marked[self.values], out=total[1:])
        return np.diff(total[self.ptr])

    def degrees(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(size,) number of marked rows with each item; `rows` is (n,)."""
        return np.bincount(self.values[np.repeat(rows, self.lengths)], minlength=self.size)

    def lowest(self, rank: NDArray[np.int32], empty: int) -> NDArray[np.int32]:
        """(n,) lowest rank among the items of each row, `empty` for a row without any; `rank` is (size,)."""
        return self._reduce(np.minimum, rank, empty)

    def highest(self, rank: NDArray[np.int32], empty: int) -> NDArray[np.int32]:
        """(n,) highest rank among the items of each row, `empty` for a row without any; `rank` is (size,)."""
        return self._reduce(np.maximum, rank, empty)

    def _reduce(self, function: np.ufunc, rank: NDArray[np.int32], empty: int) -> NDArray[np.int32]:
        has_items = self.lengths > 0
        result = np.full(len(has_items), empty, dtype=np.int32)
        if has_items.any():
            result[has_items] = function.reduceat(rank[self.values], self.ptr[:-1][has_items])
        return result


def query_pairs(genes: NDArray[np.int32], ptr: NDArray[np.int64], query: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(p, 2) distinct double-mutant queries as pairs of gene rows, sorted.

    Parameters
    ----------
    genes, ptr, query
        Genotypes as in `GenotypeTable`.
    """
    rows = np.flatnonzero(_BITS[query] == 2)
    bits, start = query[rows], ptr[rows]
    lower, higher = genes[start + _LOWEST[bits]], genes[start + _LOWEST[bits & (bits - 1)]]
    size = _size(genes)
    return np.stack(np.divmod(np.unique(lower * size + higher), size), axis=1)


def pairs_in_genotypes(
    genes: NDArray[np.int32], ptr: NDArray[np.int64], pairs: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The pairs of genes that are contained in each genotype, whatever its own query.

    Parameters
    ----------
    genes, ptr
        Genotypes as in `GenotypeTable`.
    pairs : (p, 2) int64
        Sorted, the lower gene row first.

    Returns
    -------
    pair_rows : (k,) int32
        Rows of `pairs`.
    ptr : (n + 1,) int64
        Genotype i contains `pair_rows[ptr[i]:ptr[i + 1]]`.
    """
    size = _size(genes)
    keys = pairs[:, 0] * size + pairs[:, 1]
    in_a_pair = np.zeros(size, dtype=np.bool_)
    in_a_pair[pairs.reshape(-1)] = True
    relevant = in_a_pair[genes]  # other genes are in no pair
    genes, ptr = genes[relevant], np.concatenate([[0], np.cumsum(relevant)])[ptr]
    lengths = np.diff(ptr)
    rows_of_hits, hits = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int32)]
    for length in np.unique(lengths[lengths > 1]).tolist():
        rows = np.flatnonzero(lengths == length)
        for i, j in itertools.combinations(range(length), 2):
            key = genes[ptr[rows] + i] * size + genes[ptr[rows] + j]
            candidate = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
            is_pair = keys[candidate] == key
            rows_of_hits.append(rows[is_pair])
            hits.append(candidate[is_pair].astype(np.int32))
    row_of_hit, pair_rows = np.concatenate(rows_of_hits), np.concatenate(hits)
    counts = np.bincount(row_of_hit, minlength=len(lengths))
    return pair_rows[np.argsort(row_of_hit, kind="stable")], np.concatenate([[0], np.cumsum(counts)])


def _size(genes: NDArray[np.int32]) -> np.int64:
    """A number above all gene rows; int64, so that products with it are int64 too."""
    return np.int64(int(genes.max(initial=0)) + 1)
