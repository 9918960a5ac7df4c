"""What a split can hide from training, row by row: genes, or double-mutant queries.

Ragged arrays alone; knows not what becomes of them.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.genotypes.splits.queries import held_pairs, query_pairs
from dglcell.genotypes.table import GenotypeTable


@dataclasses.dataclass(frozen=True)
class MembershipIndex:
    """The items of each row.

    Attributes
    ----------
    values : (K,) int32
        MembershipIndex, below `size`, distinct within a row.
    ptr : (n + 1,) int64
        Row i has `values[ptr[i]:ptr[i + 1]]`.
    size : int
    """

    values: NDArray[np.int32]
    ptr: NDArray[np.int64]
    size: int

    @classmethod
    def of(cls, table: GenotypeTable, kind: str) -> MembershipIndex:
        """The query pairs that each row holds under `query-pair`, else its genes."""
        genes, ptr = table.genes, table.ptr
        if kind != schema.QUERY_PAIR:
            return cls(genes, ptr, int(genes.max(initial=-1)) + 1)
        pairs = query_pairs(genes, ptr, table.query)
        return cls(*held_pairs(genes, ptr, pairs), len(pairs))

    @functools.cached_property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) items of each row."""
        return np.diff(self.ptr)

    def counts(self, marked: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(n,) marked items of each row; `marked` is (size,)."""
        total = np.zeros(len(self.values) + 1, dtype=np.int32)
        np.cumsum(marked[self.values], out=total[1:])
        return np.diff(total[self.ptr])

    def degrees(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(size,) of the marked rows, how many each item is in; `rows` is (n,)."""
        return np.bincount(self.values[np.repeat(rows, self.lengths)], minlength=self.size)

    def lowest(self, rank: NDArray[np.int32], empty: int) -> NDArray[np.int32]:
        """(n,) lowest rank among the items of each row, `empty` for a row without any; `rank` is (size,)."""
        return self._reduce(np.minimum, rank, empty)

    def highest(self, rank: NDArray[np.int32], empty: int) -> NDArray[np.int32]:
        """(n,) highest rank, likewise."""
        return self._reduce(np.maximum, rank, empty)

    def _reduce(self, function: np.ufunc, rank: NDArray[np.int32], empty: int) -> NDArray[np.int32]:
        filled = self.lengths > 0
        found = np.full(len(filled), empty, dtype=np.int32)
        if filled.any():
            found[filled] = function.reduceat(rank[self.values], self.ptr[:-1][filled])
        return found
