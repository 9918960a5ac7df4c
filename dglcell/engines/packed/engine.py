"""Shared by the fused engines: edges by both ends, and the packed rows that an operator reads and computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from dglcell.engines.packed.affected_nodes import Sparse
from dglcell.engines.packed.delta_states import Layer, PackedRows
from dglcell.schema import IN, NODE_TYPES, STOICHIOMETRY


class PackedEngine:
    """The bookkeeping part of `dglcell.engines.base.Engine` for packed rows; only one graph, no `dgl.batch`.

    States are (P, 1, ..): packed rows instead of nodes, see `dglcell.engines.packed.delta_states`. A subclass sets
    `_wild`.

    Parameters
    ----------
    graph : dgl.DGLGraph
        Of a `CellGraph`, on the CPU. Only its edges and stoichiometry are copied.
    device : torch.device
    """

    name = "fused"
    recompute = False
    _wild: Layer[Any]

    def __init__(self, graph: Any, device: torch.device) -> None:
        self.device = device
        self.num_nodes = {node_type: graph.num_nodes(node_type) for node_type in NODE_TYPES}
        self.num_graphs = int(graph.batch_size)
        self._in_edges: dict[str, tuple[str, str, Sparse]] = {}
        self._out_edges: dict[str, tuple[str, str, Sparse]] = {}
        for source, relation, target in graph.canonical_etypes:
            src, dst = (ends.long().numpy() for ends in graph.edges(etype=relation))
            self._in_edges[relation] = source, target, Sparse.of(src, dst, self.num_nodes[target])
            self._out_edges[relation] = source, target, Sparse.of(dst, src, self.num_nodes[source])
        self._stoichiometry = graph.edges[IN].data[STOICHIOMETRY].numpy()

    def rows(self, node_type: str, plan: Layer[Any] | None) -> Tensor | None:
        """(P,) node of every row after a layer; None for the wild type, whose rows are the nodes."""
        return None if plan is None else plan.after[node_type].index

    def complete(self, x: Tensor, node_type: str, plan: Layer[Any] | None) -> Tensor:
        """See `Engine.complete`: rows of the wild type that were not computed are filled in."""
        if plan is not None and plan.known is not None:
            x[: self.num_nodes[node_type]] = plan.known[node_type]
        return x

    def wild_type(self, states: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
        """See `Engine.wild_type`: the first rows of every node type."""
        return {node_type: x[: self.num_nodes[node_type]] for node_type, x in states.items()} or None

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """See `Engine.linear`."""
        return linear(x, weight, bias)

    def bytes_per_genotype(self, hidden: int, heads: int) -> int:
        """See `Engine.bytes_per_genotype`."""
        return 4 * 7 * hidden * sum(self.num_nodes.values())

    def _ends(self, relation: str, plan: Layer[PackedRows] | None) -> tuple[Any, Any, Any]:
        """Rows of the sources, rows of the targets before the layer, rows of the targets after it."""
        source, target, _ = self._in_edges[relation]
        return (plan or self._wild).ends(relation, source, target)
