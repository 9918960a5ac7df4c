"""The fused CUDA engine: Triton kernels over packed rows that keep no messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dglcell.engines.node_masks import NodeMasks, send
from dglcell.engines.operators import Norm, full_precision
from dglcell.engines.packed.delta_states import Layer
from dglcell.engines.packed.engine import PackedEngine
from dglcell.engines.triton import block, functions, incidences
from dglcell.engines.triton.incidences import RECEIVERS, SENDERS, Incidences
from dglcell.engines.triton.rows import DeviceEdges, DeviceRows, plan_on
from dglcell.schema import GENE, IN, OF


class TritonEngine(PackedEngine):
    """Graph operators as Triton kernels; see `dglcell.engines.base.Engine` for meaning.

    Accepts bfloat16 and float16 without conversion: kernels read the half type and sum in float32. Under
    Triton's interpreter (`TRITON_INTERPRET=1`) it runs on the CPU, for tests.

    Parameters
    ----------
    graph : dgl.DGLGraph
        Of a `CellGraph`.
    device : torch.device
        A CUDA device.
    """

    def __init__(self, graph: Any, device: torch.device) -> None:
        super().__init__(graph, device)
        self._edges = {
            relation: DeviceEdges.of(edges, self._out_edges[relation][2], device)
            for relation, (_, _, edges) in self._in_edges.items()
        }
        whole = {t: DeviceRows.wild(n, device) for t, n in self.num_nodes.items()}
        self._wild = Layer(whole, whole)
        self._incidences = {IN: self._signed(IN, RECEIVERS), OF: self._signed(OF, SENDERS)}
        self._degree = np.diff(self._in_edges[IN][2].ptr)
        self._device_degree = send(self._degree, device)

    def plan(
        self, alive: NodeMasks, layers: int, wild: Sequence[Mapping[str, Tensor]] | None = None
    ) -> Sequence[Layer[DeviceRows]]:
        """See `Engine.plan`."""
        return plan_on(self._in_edges, self.num_nodes, alive, layers, self.device)

    def carry(self, x: Tensor, node_type: str, plan: Layer[DeviceRows] | None) -> Tensor:
        """See `Engine.carry`."""
        if plan is None:
            return x
        out = functions.carry(x.reshape(len(x), -1), plan.before[node_type], plan.after[node_type])
        return out.view(len(out), *x.shape[1:])

    def gatv2(
        self, relation: str, x_src: Tensor, x_dst: Tensor, a: Tensor, bias: Tensor, plan: Layer[DeviceRows] | None
    ) -> Tensor:
        """See `Engine.gatv2`."""
        edges, ends = self._edges[relation], self._ends(relation, plan)
        return (functions.attention(x_src.squeeze(1), x_dst.squeeze(1), a, edges, ends) + bias).unsqueeze(1)

    def stoich_attention(self, q_m: Tensor, q_r: Tensor, plan: Layer[DeviceRows] | None) -> Tensor:
        """See `Engine.stoich_attention`; one row for each incidence of each reaction row, (K, 1, H)."""
        ends = self._ends(IN, plan)
        q_m, q_r = full_precision(q_m).squeeze(1), full_precision(q_r).squeeze(1)
        alpha = incidences.softmax(q_m, q_r, self._incidences[IN], self._starts(ends[2]), ends)
        return alpha.unsqueeze(1)

    def to_reactions(self, x: Tensor, alpha: Tensor | None, plan: Layer[DeviceRows] | None) -> Tensor:
        """See `Engine.to_reactions`."""
        return self._mean(IN, x, alpha, plan)

    def to_metabolites(self, u: Tensor, alpha: Tensor | None, plan: Layer[DeviceRows] | None) -> Tensor:
        """See `Engine.to_metabolites`."""
        return self._mean(OF, u, alpha, plan)

    def pool(self, values: Tensor, scores: Tensor, plan: Layer[DeviceRows] | None) -> Tensor:
        """See `Engine.pool`."""
        lookup = self._wild.after[GENE].lookup if plan is None else plan.after[GENE].lookup[1:]
        return functions.pool(values.squeeze(1), scores.squeeze(1), lookup)

    def block(
        self,
        x: Tensor,
        norm: Norm,
        mask: Tensor | None,
        node_type: str,
        plan: Layer[DeviceRows] | None,
        onto: Tensor | None = None,
    ) -> Tensor:
        """See `Engine.block`."""
        y = block.block(x, norm, mask, self.rows(node_type, plan))
        return y if onto is None else onto + y

    def _mean(self, relation: str, x: Tensor, alpha: Tensor | None, plan: Layer[DeviceRows] | None) -> Tensor:
        """Weighted mean over surviving incidences."""
        ends = self._ends(relation, plan)
        shape = x.shape
        x = x.squeeze(1)
        start = None
        if alpha is None:
            x = x.reshape(len(x), 1, shape[2:].numel())  # one weight for all heads: one wide row
        else:
            alpha = alpha.squeeze(1)
            start, _ = self._starts(ends[2] if relation == IN else ends[0])
        out = incidences.weighted_mean(x, alpha, self._incidences[relation], start, ends)
        return out.view(len(out), *shape[1:])

    def _starts(self, reactions: DeviceRows) -> tuple[Tensor, int]:
        """Where the incidences of every reaction row start, and their number."""
        return reactions.starts(self._device_degree, self._degree)

    def _signed(self, relation: str, owner: int) -> Incidences:
        edges = self._edges[relation]
        place = self._in_edges[IN][2].places.astype(np.int32)
        amount = self._stoichiometry
        return Incidences(
            edges,
            edges.into.values(amount),
            edges.out.values(amount),
            edges.into.values(place),
            edges.out.values(place),
            owner,
        )
