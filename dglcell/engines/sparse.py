"""Edges of one relation sorted by target, as arrays on the host."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray


@dataclasses.dataclass(frozen=True, eq=False)
class Sparse:
    """Edges of one relation by target: the in-edges of i are `ptr[i]:ptr[i + 1]`.

    Attributes
    ----------
    ptr : (N_dst + 1,) int64
    src : (E,) int32
    edge : (E,) int64
        Edge ids of the relation.
    """

    ptr: NDArray[np.int64]
    src: NDArray[np.int32]
    edge: NDArray[np.int64]

    @classmethod
    def of(cls, src: NDArray[np.int64], dst: NDArray[np.int64], num_dst: int) -> Sparse:
        """Sort edges by target; ties keep the order of their ids."""
        order = np.argsort(dst, kind="stable")
        ptr = np.zeros(num_dst + 1, dtype=np.int64)
        np.cumsum(np.bincount(dst, minlength=num_dst), out=ptr[1:])
        return cls(ptr, src[order].astype(np.int32), order)

    @property
    def places(self) -> NDArray[np.int64]:
        """(E,) by edge id: the place of the edge among those of its target."""
        place = np.empty(len(self.edge), dtype=np.int64)
        place[self.edge] = np.arange(len(self.edge)) - np.repeat(self.ptr[:-1], np.diff(self.ptr))
        return place
