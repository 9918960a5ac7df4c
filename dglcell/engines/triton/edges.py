"""Edges of one relation on a device, by target and by source, as Triton kernels read them."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dglcell.engines.sparse import Sparse
from dglcell.engines.transfer import send

_HEAVY = 128  # edges


@dataclasses.dataclass(frozen=True, eq=False)
class Side:
    """Edges grouped by the nodes of one end.

    Attributes
    ----------
    ptr : Tensor (N + 1,) int32
        Edges of node n are `ptr[n]:ptr[n + 1]`.
    other : Tensor (E,) int32
        The node at the other end.
    order : Tensor (N,) int32
        Nodes, those with most edges first: the longest programs start first.
    heavy : int
        Nodes with so many edges that a backward pass starts with them.
    edge : (E,) int64
        Edge ids, on the host.
    """

    ptr: Tensor
    other: Tensor
    order: Tensor
    heavy: int
    edge: NDArray[np.int64]

    @classmethod
    def of(cls, edges: Sparse, device: torch.device) -> Side:
        """Copy to a device."""
        degree = np.diff(edges.ptr)
        order = np.argsort(-degree, kind="stable").astype(np.int32)
        ptr, src = send(edges.ptr.astype(np.int32), device), send(edges.src, device)
        return cls(ptr, src, send(order, device), int((degree >= _HEAVY).sum()), edges.edge)

    def values(self, by_edge: NDArray[np.generic]) -> Tensor:
        """Edge values (E,), by edge id, in this order."""
        return send(by_edge[self.edge], self.ptr.device)


@dataclasses.dataclass(frozen=True, eq=False)
class DeviceEdges:
    """In-edges of the targets and out-edges of the sources."""

    into: Side
    out: Side

    @classmethod
    def of(cls, into: Sparse, out: Sparse, device: torch.device) -> DeviceEdges:
        """Copy both to a device; `out` is the relation with its ends exchanged."""
        return cls(Side.of(into, device), Side.of(out, device))
