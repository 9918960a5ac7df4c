"""Delta states: the wild type's rows once, and in addition only the rows that a deletion changes ("packed rows").

Before the first layer all genotypes share one state, and a layer changes a row only if something that it reads was lost
or changed. So a node type's states are rows (P, h): first all N of the wild type, then one for every affected pair of
node and genotype. A lookup table says which row stands for a node of a genotype. Exact, in training too, because
dropout masks are shared (`dglcell.nn.dropout`).
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dglcell.engines.node_masks import NodeMasks
from dglcell.engines.packed.affected_nodes import Sparse, follow, pack, unpack
from dglcell.schema import CATALYSED_BY, NODE_TYPES, OF

PackedRows = TypeVar("PackedRows")


@dataclasses.dataclass(frozen=True, eq=False)
class Rows:
    """The rows of one node type.

    Attributes
    ----------
    genotype : (P,) int32
        0 for the wild type, b + 1 for genotype b.
    node : (P,) int32
        The first N rows are 0 .. N - 1 of the wild type.
    lookup : (B + 1, N) int32
        Row that stands for a node of a genotype; -1 for a lost node.
    known : int
        Number of first rows that need not be computed: 0, or N if the wild type's states are known already.
    """

    genotype: NDArray[np.int32]
    node: NDArray[np.int32]
    lookup: NDArray[np.int32]
    known: int = 0

    @classmethod
    def shared(cls, num_nodes: int, dead: NDArray[np.bool_] | None = None) -> Rows:
        """The wild type's rows only, used for every genotype; `dead` (B, N) or None without genotypes."""
        node = np.arange(num_nodes, dtype=np.int32)
        lookup = node[None].copy() if dead is None else np.where(dead, np.int32(-1), node)
        if dead is not None:
            lookup = np.concatenate([node[None], lookup])
        return cls(np.zeros(num_nodes, dtype=np.int32), node, lookup)

    @classmethod
    def changed(cls, changed: NDArray[np.bool_], dead: NDArray[np.bool_]) -> Rows:
        """The wild type's rows, and separate rows for the surviving nodes that changed; both (B, N)."""
        base = cls.shared(changed.shape[1], dead)
        node, genotype = np.nonzero((changed & ~dead).T)  # by node: genotypes that read the same neighbors are adjacent
        base.lookup[genotype + 1, node] = changed.shape[1] + np.arange(len(node), dtype=np.int32)
        return cls(
            np.concatenate([base.genotype, (genotype + 1).astype(np.int32)]),
            np.concatenate([base.node, node.astype(np.int32)]),
            base.lookup,
        )

    def __len__(self) -> int:
        return len(self.node)

    @functools.cached_property
    def by_node(self) -> NDArray[np.int32]:
        """(N, B + 1) `lookup` with the genotypes of a node side by side."""
        return np.ascontiguousarray(self.lookup.T)

    @property
    def index(self) -> Tensor:
        """(P,) int64 node of every row."""
        return torch.from_numpy(self.node).long()

    def within(self, other: Rows) -> NDArray[np.int32]:
        """(P,) for each row the row of `other` that stands for the same node and genotype."""
        rows: NDArray[np.int32] = other.lookup[self.genotype, self.node]
        return rows


@dataclasses.dataclass(frozen=True, eq=False)
class Layer(Generic[PackedRows]):
    """Rows before and after one layer, by node type; `PackedRows` is their type, on the host or on a device.

    `known` holds the wild type's states after the layer if they need not be computed.
    """

    before: Mapping[str, PackedRows]
    after: Mapping[str, PackedRows]
    known: Mapping[str, Tensor] | None = None

    def ends(self, relation: str, source: str, target: str) -> tuple[PackedRows, PackedRows, PackedRows]:
        """Rows of the sources, rows of the targets before the layer, rows of the targets after it.

        `catalysed_by` and `of` read reactions after the same layer; every other relation reads states before it.
        """
        senders = self.after if relation in (CATALYSED_BY, OF) else self.before
        return senders[source], self.before[target], self.after[target]


def plan(
    relations: Mapping[str, tuple[str, str, Sparse]],
    num_nodes: Mapping[str, int],
    alive: NodeMasks,
    layers: int,
    wild: Sequence[Mapping[str, Tensor]] | None = None,
) -> list[Layer[Rows]]:
    """The rows of every layer of a pass.

    Parameters
    ----------
    relations : mapping
        As for `dglcell.engines.packed.affected_nodes.follow`.
    num_nodes : mapping
    alive : NodeMasks
        Of B genotypes.
    layers : int
    wild : sequence, optional
        The wild type's states after every layer, if they are known already.
    """
    lost = {t: pack(alive.lost[t], num_nodes[t]) for t in NODE_TYPES}
    dead = {t: unpack(lost[t], alive.genotypes) for t in NODE_TYPES}
    rows = {t: Rows.shared(num_nodes[t], dead[t]) for t in NODE_TYPES}
    per_layer: list[Layer[Rows]] = []
    for number, changed in enumerate(follow(relations, lost, layers)):
        after = {t: Rows.changed(unpack(changed[t], alive.genotypes), dead[t]) for t in NODE_TYPES}
        if wild is not None:
            after = {t: dataclasses.replace(after[t], known=num_nodes[t]) for t in NODE_TYPES}
        per_layer.append(Layer(rows, after, None if wild is None else wild[number]))
        rows = after
    return per_layer


def cuts(rows: Rows, edges: Sparse, parts: int) -> NDArray[np.int64]:
    """(parts + 1,) boundaries that divide the rows to be computed into parts with about the same number of in-edges."""
    work = np.cumsum(np.diff(edges.ptr)[rows.node[rows.known :]] + 4)
    total = int(work[-1]) if len(work) else 0
    inner = rows.known + np.searchsorted(work, total * np.arange(1, parts) / parts)
    boundaries: NDArray[Any] = np.concatenate([[rows.known], inner, [len(rows)]]).astype(np.int64)
    return boundaries
