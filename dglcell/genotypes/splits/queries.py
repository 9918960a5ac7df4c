"""Double-mutant queries of a screen, and which genotypes hold both genes of one.

The query strain of a row is a byte beside it (`GenotypeTable.query`): bit k for its k-th gene (Kuzmin et al. 2018,
doi:10.1126/science.aao1729). Owns what that byte means; knows no tables and no splits.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

_BITS = np.array([k.bit_count() for k in range(256)])  # set in a byte
_LOWEST = np.array([(k & -k).bit_length() - 1 for k in range(256)])  # place of the lowest bit of a byte


def query_pairs(genes: NDArray[np.int32], ptr: NDArray[np.int64], query: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(p, 2) distinct pairs of gene rows that are a double-mutant query of some row, sorted."""
    rows = np.flatnonzero(_BITS[query] == 2)
    bits, start = query[rows], ptr[rows]
    first, second = genes[start + _LOWEST[bits]], genes[start + _LOWEST[bits & (bits - 1)]]
    size = _size(genes)
    return np.stack(np.divmod(np.unique(first * size + second), size), axis=1)


def held_pairs(
    genes: NDArray[np.int32], ptr: NDArray[np.int64], pairs: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Which of some pairs of genes each genotype holds, whatever its own query.

    Parameters
    ----------
    genes, ptr
        Genotypes as in `GenotypeTable`.
    pairs : (p, 2) int64
        Sorted, the lower gene row first.

    Returns
    -------
    held : (k,) int32
        Rows of `pairs`, genotype by genotype.
    ptr : (n + 1,) int64
        Genotype i holds `held[ptr[i]:ptr[i + 1]]`.
    """
    size = _size(genes)
    keys = pairs[:, 0] * size + pairs[:, 1]
    paired = np.zeros(size, dtype=np.bool_)
    paired[pairs.reshape(-1)] = True
    kept = paired[genes]  # the other genes cannot matter
    genes, ptr = genes[kept], np.concatenate([[0], np.cumsum(kept)])[ptr]
    lengths = np.diff(ptr)
    owners, found = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int32)]
    for length in np.unique(lengths[lengths > 1]).tolist():
        rows = np.flatnonzero(lengths == length)
        for i, j in itertools.combinations(range(length), 2):
            key = genes[ptr[rows] + i] * size + genes[ptr[rows] + j]
            at = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
            hit = keys[at] == key
            owners.append(rows[hit])
            found.append(at[hit].astype(np.int32))
    owner, held = np.concatenate(owners), np.concatenate(found)
    counts = np.bincount(owner, minlength=len(lengths))
    return held[np.argsort(owner, kind="stable")], np.concatenate([[0], np.cumsum(counts)])


def _size(genes: NDArray[np.int32]) -> np.int64:
    """A number above every gene row; int64, so that products with it are."""
    return np.int64(int(genes.max(initial=0)) + 1)
