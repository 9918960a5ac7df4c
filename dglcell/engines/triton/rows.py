"""Rows and edges as tensors on a device, built from arrays on the host without waiting for the device."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np
import torch
import triton
from numpy.typing import NDArray
from torch import Tensor

from dglcell.engines.node_masks import NodeMasks, send
from dglcell.engines.packed import affected_nodes
from dglcell.engines.packed.affected_nodes import Sparse
from dglcell.engines.packed.delta_states import Layer
from dglcell.engines.triton import kernels
from dglcell.engines.triton.launcher import launch
from dglcell.schema import NODE_TYPES

_HEAVY = 128  # edges of a node with which backward passes start


@dataclasses.dataclass(frozen=True, eq=False)
class Side:
    """Edges grouped by the nodes of one end.

    Attributes
    ----------
    ptr : Tensor (N + 1,) int32
        Edges of node n are `ptr[n]:ptr[n + 1]`.
    other : Tensor (E,) int32
        The node at the other end.
    by_degree : Tensor (N,) int32
        Nodes, those with most edges first: the longest programs start first.
    heavy : int
        Number of nodes with so many edges that a backward pass starts with them.
    edge : (E,) int64
        Edge ids, on the host.
    """

    ptr: Tensor
    other: Tensor
    by_degree: Tensor
    heavy: int
    edge: NDArray[np.int64]

    @classmethod
    def of(cls, edges: Sparse, device: torch.device) -> Side:
        """Copy to a device."""
        degree = np.diff(edges.ptr)
        by_degree = np.argsort(-degree, kind="stable").astype(np.int32)
        ptr, src = send(edges.ptr.astype(np.int32), device), send(edges.src, device)
        return cls(ptr, src, send(by_degree, device), int((degree >= _HEAVY).sum()), edges.edge)

    def values(self, by_edge: NDArray[np.generic]) -> Tensor:
        """Edge values (E,), given by edge id, in the sequence of these edges."""
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


_TILE = 1024  # entries of a lookup table that a program of `list_rows` reads


@dataclasses.dataclass(frozen=True, eq=False)
class DeviceRows:
    """The rows of one node type, as `dglcell.engines.packed.delta_states.Rows`, but sorted by genotype.

    Attributes
    ----------
    lookup : Tensor (B + 1, N) int32
        Row that stands for a node of a genotype; -1 for a lost node.
    copies : (N,) int64
        On the host: number of rows of each node, including the wild type's.
    """

    lookup: Tensor
    copies: NDArray[np.int64]

    @classmethod
    def wild(cls, num_nodes: int, device: torch.device) -> DeviceRows:
        """The wild type alone."""
        lookup = torch.arange(num_nodes, dtype=torch.int32, device=device)[None]
        return cls(lookup, np.ones(num_nodes, dtype=np.int64))

    @classmethod
    def shared(cls, dead: Tensor) -> DeviceRows:
        """The wild type's rows only, used for every genotype; `dead` (B, N) bool."""
        node = torch.arange(dead.shape[1], dtype=torch.int32, device=dead.device)[None]
        return cls(torch.cat([node, node.masked_fill(dead, -1)]), np.ones(dead.shape[1], dtype=np.int64))

    def with_own(self, changed: affected_nodes.Bits) -> DeviceRows:
        """These rows of `shared`, and separate rows for the nodes that changed: bits (N,) x B set in `changed`."""
        copies = 1 + affected_nodes.count(changed)
        own = unpack(send(changed.view(np.int64), self.lookup.device), len(self.lookup) - 1)
        place = own.view(-1).cumsum(0, dtype=torch.int32).view(own.shape) + (own.shape[1] - 1)
        lookup = torch.cat([self.lookup[:1], torch.where(own, place, self.lookup[1:])])
        return DeviceRows(lookup, copies)

    def __len__(self) -> int:
        return int(self.copies.sum())

    @property
    def num_nodes(self) -> int:
        """N."""
        return self.lookup.shape[1]

    @functools.cached_property
    def genotype_and_node(self) -> tuple[Tensor, Tensor]:
        """Genotype (0 the wild type) and node of every row, (P,) int32 each."""
        genotype, node = self.lookup.new_empty(2, len(self))
        grid = len(self.lookup), triton.cdiv(self.num_nodes, _TILE)
        launch(kernels.list_rows, grid, self.lookup, genotype, node, self.num_nodes, N=_TILE)
        return genotype, node

    @functools.cached_property
    def index(self) -> Tensor:
        """(P,) int64 node of every row."""
        return self.genotype_and_node[1].long()

    def within(self, other: DeviceRows) -> Tensor:
        """(P,) for each row the row of `other` that stands for the same node and genotype."""
        genotype, node = self.genotype_and_node
        return other.lookup.view(-1).index_select(0, genotype * self.num_nodes + node)

    def starts(self, degree: Tensor, host_degree: NDArray[np.int64]) -> tuple[Tensor, int]:
        """(P,) where the in-edges of every row start if they are concatenated over the rows, and their number."""
        of_rows = degree.index_select(0, self.genotype_and_node[1])
        return of_rows.cumsum(0) - of_rows, int(host_degree @ self.copies)


def unpack(bits: Tensor, genotypes: int) -> Tensor:
    """Words (N, W) int64 with one bit per genotype as (B, N) bool."""
    shifts = torch.arange(64, dtype=torch.int64, device=bits.device)
    dense = (bits.t()[:, None] >> shifts[:, None]) & 1
    return (dense.flatten(0, 1)[:genotypes] != 0).contiguous()


def plan_on(
    relations: Mapping[str, tuple[str, str, Sparse]],
    num_nodes: Mapping[str, int],
    alive: NodeMasks,
    layers: int,
    device: torch.device,
) -> list[Layer[DeviceRows]]:
    """The rows of every layer of a pass, as `dglcell.engines.packed.delta_states.plan`, on `device`.

    The number of rows is counted on the host, so nothing is ever read back.
    """
    lost = {t: affected_nodes.pack(alive.lost[t], num_nodes[t]) for t in NODE_TYPES}
    shared = {}
    for t in NODE_TYPES:
        dead = unpack(send(lost[t].view(np.int64), device), alive.genotypes)
        shared[t] = DeviceRows.shared(dead)
    rows: Mapping[str, DeviceRows] = shared
    per_layer: list[Layer[DeviceRows]] = []
    for changed in affected_nodes.follow(relations, lost, layers):
        after = {t: shared[t].with_own(changed[t]) for t in NODE_TYPES}
        per_layer.append(Layer(rows, after))
        rows = after
    return per_layer
