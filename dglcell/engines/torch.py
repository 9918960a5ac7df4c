"""The engine for every device: gather and scatter over CSC and CSR arrays, no DGL in the computation."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu

from dglcell.engines import operators, segments
from dglcell.engines.dense import DenseStates
from dglcell.engines.operators import SLOPE, Alive, full_precision, normalize
from dglcell.engines.segments import Edges
from dglcell.schema import GENE, IN, STOICHIOMETRY


class TorchEngine(DenseStates):
    """Graph operators on index arrays; see `dglcell.engines.base.Engine` for shapes and meaning.

    Parameters
    ----------
    graph : dgl.DGLGraph
        A cell graph or a `dgl.batch` of perturbed ones, on the CPU. Only its edges and stoichiometry are copied.
    device : torch.device
    """

    name = "torch"

    def __init__(self, graph: Any, device: torch.device) -> None:
        self.device = device
        self.num_nodes = {node_type: graph.num_nodes(node_type) for node_type in graph.ntypes}
        self.num_graphs = int(graph.batch_size)
        self._ends: dict[str, tuple[str, str]] = {}
        self._edges: dict[str, Edges] = {}
        for source_type, relation, target_type in graph.canonical_etypes:
            src, dst = (ends.long().to(device) for ends in graph.edges(etype=relation))
            sizes = self.num_nodes[source_type], self.num_nodes[target_type]
            self._ends[relation] = source_type, target_type
            self._edges[relation], permutation = Edges.sort(src, dst, *sizes)
            if relation == IN:
                self._stoichiometry = graph.edges[IN].data[STOICHIOMETRY].to(device)[permutation]
        self._genes = _memberships(graph.batch_num_nodes(GENE).to(device))

    def gatv2(
        self, relation: str, x_src: Tensor, x_dst: Tensor, a: Tensor, bias: Tensor, alive: Alive | None
    ) -> Tensor:
        """See `Engine.gatv2`."""
        x_src, x_dst = full_precision(x_src), full_precision(x_dst)
        edges = self._edges[relation]
        scores = segments.scores(x_src, x_dst, a, edges)
        alpha = segments.softmax(scores, self._surviving(relation, alive), edges)
        return segments.weighted_sum(alpha, x_src, edges) + bias

    def stoich_attention(self, q_m: Tensor, q_r: Tensor, alive: Alive | None) -> Tensor:
        """See `Engine.stoich_attention`."""
        edges = self._edges[IN]
        q_m, q_r = full_precision(q_m), full_precision(q_r)
        scores = leaky_relu(q_m.index_select(0, edges.src) + q_r.index_select(0, edges.dst), SLOPE)
        return segments.softmax(scores, self._surviving(IN, alive), edges)

    def to_reactions(self, x: Tensor, alpha: Tensor | None, alive: Alive | None) -> Tensor:
        """See `Engine.to_reactions`."""
        weight, size = self._weights(x.dtype, alpha, alive)
        edges = self._edges[IN]
        return normalize(segments.weighted_sum(weight, full_precision(x), edges), edges.sum(size))

    def to_metabolites(self, u: Tensor, alpha: Tensor | None, alive: Alive | None) -> Tensor:
        """See `Engine.to_metabolites`."""
        weight, size = self._weights(u.dtype, alpha, alive)
        edges, permutation = self._edges[IN].reverse
        total = segments.weighted_sum(weight.index_select(0, permutation), full_precision(u), edges)
        return normalize(total, edges.sum(size.index_select(0, permutation)))

    def pool(self, values: Tensor, scores: Tensor, alive: Alive | None) -> Tensor:
        """See `Engine.pool`."""
        present = None if alive is None else alive.get(GENE)
        if self.num_graphs == 1:
            return operators.pool(values, scores, present)
        alpha = segments.softmax(full_precision(scores).unsqueeze(-1), present, self._genes)
        return segments.weighted_sum(alpha, full_precision(values).unsqueeze(2), self._genes).flatten(0, 2)

    def bytes_per_genotype(self, hidden: int, heads: int) -> int:
        """See `Engine.bytes_per_genotype`."""
        edges = max(len(edges.src) for edges in self._edges.values())
        nodes = sum(self.num_nodes.values())
        return 4 * (8 * heads * edges + 40 * hidden * nodes)

    def _weights(self, dtype: torch.dtype, alpha: Tensor | None, alive: Alive | None) -> tuple[Tensor, Tensor]:
        """Signed weight (E, B, H) and size ``|S|`` (E, B) of every incidence; 0 for a lost one."""
        stoichiometry = self._stoichiometry.to(torch.promote_types(dtype, torch.float32))[:, None]
        survives = self._surviving(IN, alive)
        if survives is not None:
            stoichiometry = stoichiometry * survives
        weight = stoichiometry.unsqueeze(-1)
        return weight if alpha is None else weight * alpha, stoichiometry.abs()

    def _surviving(self, relation: str, alive: Alive | None) -> Tensor | None:
        """(E, B) bool: both ends of the edge survive; None if nothing is lost."""
        if alive is None:
            return None
        edges = self._edges[relation]
        source_type, target_type = self._ends[relation]
        source, target = alive.get(source_type), alive.get(target_type)
        if source is None:
            return None if target is None else target.index_select(0, edges.dst)
        survives = source.index_select(0, edges.src)
        return survives if target is None else survives & target.index_select(0, edges.dst)


def _memberships(sizes: Tensor) -> Edges:
    """Every gene of a batch as an edge to its graph."""
    graphs = torch.repeat_interleave(torch.arange(len(sizes), device=sizes.device), sizes)
    genes = torch.arange(len(graphs), device=sizes.device)
    return Edges.sort(genes, graphs, len(genes), len(sizes))[0]
