"""The fused CPU engine: compiled loops over packed rows (`packed.delta_states`) that keep no messages."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import leaky_relu

from dglcell.engines import segments
from dglcell.engines.node_masks import NodeMasks
from dglcell.engines.numba import functions
from dglcell.engines.numba.attention import gat_backward
from dglcell.engines.operators import SLOPE, Norm, full_precision
from dglcell.engines.packed import delta_states
from dglcell.engines.packed.affected_nodes import Sparse
from dglcell.engines.packed.delta_states import Layer, Rows
from dglcell.engines.packed.engine import PackedEngine
from dglcell.schema import GENE, IN, OF

_Array = NDArray[Any]
_LOG = logging.getLogger(__name__)


class NumbaEngine(PackedEngine):
    """Graph operators as compiled loops; see `dglcell.engines.base.Engine` for meaning.

    Parameters
    ----------
    graph : dgl.DGLGraph
        Of a `CellGraph`.
    device : torch.device
        The CPU.
    """

    def __init__(self, graph: Any, device: torch.device) -> None:
        if not _compiled_before():
            _LOG.info("compiling the fused engine for this machine: about ten seconds, once")
        super().__init__(graph, device)
        whole = {t: Rows.shared(n) for t, n in self.num_nodes.items()}
        self._wild = Layer(whole, whole)

    def plan(
        self, alive: NodeMasks, layers: int, wild: Sequence[Mapping[str, Tensor]] | None = None
    ) -> Sequence[Layer[Rows]]:
        """See `Engine.plan`."""
        return delta_states.plan(self._in_edges, self.num_nodes, alive, layers, wild)

    def carry(self, x: Tensor, node_type: str, plan: Layer[Rows] | None) -> Tensor:
        """See `Engine.carry`."""
        if plan is None:
            return x
        return x.index_select(0, _tensor(plan.after[node_type].within(plan.before[node_type])).long())

    def gatv2(
        self, relation: str, x_src: Tensor, x_dst: Tensor, a: Tensor, bias: Tensor, plan: Layer[Rows] | None
    ) -> Tensor:
        """See `Engine.gatv2`."""
        senders, entering, receivers = self._ends(relation, plan)
        edges = self._in_edges[relation][2]
        x_src, x_dst = full_precision(x_src), full_precision(x_dst)
        x_src, x_dst = x_src.squeeze(1), x_dst.squeeze(1)
        target = receivers.within(entering)
        return functions.attention(x_src, x_dst, a, bias, edges, senders, target, receivers).unsqueeze(1)

    def stoich_attention(self, q_m: Tensor, q_r: Tensor, plan: Layer[Rows] | None) -> Tensor:
        """See `Engine.stoich_attention`; one row for each incidence of each reaction row, (K, 1, H)."""
        senders, entering, receivers = self._ends(IN, plan)
        edges = _Incidences(receivers, self._in_edges[IN][2])
        source = _tensor(senders.lookup[receivers.genotype[edges.owner], edges.src]).long()
        q_r = q_r.index_select(0, _tensor(receivers.within(entering)).long())
        owner = _tensor(edges.owner)
        scores = leaky_relu(q_m.index_select(0, source) + q_r.index_select(0, owner), SLOPE)
        ends = segments.Edges(source, owner, _tensor(edges.start), len(senders), len(receivers))
        return segments.softmax(full_precision(scores), None, ends)

    def to_reactions(self, x: Tensor, alpha: Tensor | None, plan: Layer[Rows] | None) -> Tensor:
        """See `Engine.to_reactions`."""
        senders, _, receivers = self._ends(IN, plan)
        # The wild type's states may be known, but not the messages from its reactions to metabolites.
        receivers = dataclasses.replace(receivers, known=0)
        edges = self._in_edges[IN][2]
        size = self._stoichiometry[edges.edge]
        if alpha is None:
            return self._sum(IN, x, _tensor(size)[:, None].to(x.dtype), edges.ptr[receivers.node], senders, receivers)
        incidences = _Incidences(receivers, edges)
        weight = alpha.squeeze(1) * _tensor(size[incidences.place])[:, None].to(x.dtype)
        return self._sum(IN, x, weight, incidences.start, senders, receivers)

    def to_metabolites(self, u: Tensor, alpha: Tensor | None, plan: Layer[Rows] | None) -> Tensor:
        """See `Engine.to_metabolites`."""
        senders, _, receivers = self._ends(OF, plan)
        edges = self._in_edges[OF][2]
        size = self._stoichiometry[edges.edge]
        if alpha is None:
            return self._sum(OF, u, _tensor(size)[:, None].to(u.dtype), edges.ptr[receivers.node], senders, receivers)
        # alpha belongs to a reaction row and the place of the metabolite among its incidences.
        incidences = _Incidences(receivers, edges)
        row = senders.lookup[receivers.genotype[incidences.owner], incidences.src]
        start = _Incidences(senders, self._in_edges[IN][2]).start
        place = np.where(row >= 0, start[row] + self._in_edges[IN][2].places[edges.edge[incidences.place]], 0)
        weight = alpha.squeeze(1).index_select(0, _tensor(place))
        weight = weight * _tensor(size[incidences.place])[:, None].to(u.dtype)
        return self._sum(OF, u, weight, incidences.start, senders, receivers)

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """See `Engine.linear`."""
        x = full_precision(x)
        return functions.linear(x.flatten(0, 1), weight, bias).view(*x.shape[:2], len(weight))

    def block(
        self,
        x: Tensor,
        norm: Norm,
        mask: Tensor | None,
        node_type: str,
        plan: Layer[Rows] | None,
        onto: Tensor | None = None,
    ) -> Tensor:
        """See `Engine.block`."""
        flat = full_precision(x).squeeze(1)
        rows = (plan or self._wild).after[node_type]
        drop = None if mask is None else full_precision(mask).squeeze(1)
        onto = None if onto is None else onto.squeeze(1)
        return functions.block(flat, norm, drop, rows, onto).unsqueeze(1)

    def pool(self, values: Tensor, scores: Tensor, plan: Layer[Rows] | None) -> Tensor:
        """See `Engine.pool`."""
        lookup = self._wild.after[GENE].lookup if plan is None else plan.after[GENE].lookup[1:]
        return functions.pool(full_precision(values).squeeze(1), full_precision(scores).squeeze(1), lookup)

    def _sum(self, relation: str, x: Tensor, weight: Tensor, at: _Array, senders: Rows, receivers: Rows) -> Tensor:
        """Weighted mean over surviving incidences; `weight` (K, 1 or H)."""
        x = full_precision(x).squeeze(1)
        shape = x.shape[1:]
        if weight.shape[1] == 1:
            x = x.reshape(len(x), 1, shape.numel())  # one weight for all heads: one wide row
        edges = self._in_edges[relation][2]
        size = np.abs(self._stoichiometry[edges.edge])
        out = functions.weighted_mean(x, weight, edges, size, at, senders, receivers)
        return out.view(len(receivers), 1, *shape)


class _Incidences:
    """The in-edges of packed rows, concatenated.

    Attributes
    ----------
    start : (P + 1,) int64
        In-edges of row p are `start[p]:start[p + 1]`.
    owner : (K,) int64
        Row of each in-edge.
    place : (K,) int64
        Its index in the relation's `Sparse`.
    src : (K,) int32
        Its source node.
    """

    def __init__(self, rows: Rows, edges: Sparse) -> None:
        degree = np.diff(edges.ptr)[rows.node]
        self.start = np.concatenate([[0], np.cumsum(degree)])
        self.owner = np.repeat(np.arange(len(rows)), degree)
        self.place = np.arange(self.start[-1]) + np.repeat(edges.ptr[rows.node] - self.start[:-1], degree)
        self.src = edges.src[self.place]


def _tensor(array: _Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))


def _compiled_before() -> bool:
    """Whether the compiler's cache holds the loops."""
    name = f"{gat_backward.py_func.__module__.rpartition('.')[2]}.{gat_backward.py_func.__name__}"
    return any(Path(gat_backward.stats.cache_path).glob(f"{name}-*"))
