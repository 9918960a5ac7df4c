"""The reference engine: DGL message functions that follow the equations step by step.

Keeps every message in memory, (E, B, H, D) at a time. Runs on every device that the installed DGL supports.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu

from dglcell import _dgl
from dglcell.engines.dense import DenseStates
from dglcell.engines.operators import ABSENT, SLOPE, Alive, full_precision, normalize
from dglcell.schema import GENE, IN, OF, STOICHIOMETRY


class DglEngine(DenseStates):
    """Graph operators as DGL message passing; see `dglcell.engines.base.Engine` for shapes and meaning.

    Parameters
    ----------
    graph : dgl.DGLGraph
        A cell graph or a `dgl.batch` of perturbed ones. Edge k of relation `of` is edge k of `in`, reversed.
    device : torch.device
    """

    name = "dgl"

    def __init__(self, graph: Any, device: torch.device) -> None:
        self._dgl = _dgl.load()
        self.device = device
        self._graph = graph if graph.device == device else graph.to(device)
        self.num_nodes = {node_type: graph.num_nodes(node_type) for node_type in graph.ntypes}
        self.num_graphs = int(graph.batch_size)

    def gatv2(
        self, relation: str, x_src: Tensor, x_dst: Tensor, a: Tensor, bias: Tensor, alive: Alive | None
    ) -> Tensor:
        """See `Engine.gatv2`."""
        fn = self._dgl.function
        x_src, x_dst = full_precision(x_src), full_precision(x_dst)
        graph = self._graph[relation]
        with graph.local_scope():
            survives = self._surviving(graph, alive)
            if graph.num_edges() == 0:
                return _nothing(x_src, x_dst, survives) + bias
            graph.srcdata["source"], graph.dstdata["target"] = x_src, x_dst
            graph.apply_edges(fn.u_add_v("source", "target", "sum"))
            scores = (leaky_relu(graph.edata.pop("sum"), SLOPE) * a).sum(-1)
            graph.edata["alpha"] = self._softmax(graph, scores, survives).unsqueeze(-1)
            graph.update_all(fn.u_mul_e("source", "alpha", "m"), fn.sum("m", "y"))
            return graph.dstdata["y"] + bias

    def stoich_attention(self, q_m: Tensor, q_r: Tensor, alive: Alive | None) -> Tensor:
        """See `Engine.stoich_attention`."""
        q_m, q_r = full_precision(q_m), full_precision(q_r)
        graph = self._graph[IN]
        with graph.local_scope():
            survives = self._surviving(graph, alive)
            if graph.num_edges() == 0:
                return _nothing(q_m, q_r, survives)
            graph.srcdata["q"], graph.dstdata["q"] = q_m, q_r
            graph.apply_edges(lambda edges: {"score": leaky_relu(edges.src["q"] + edges.dst["q"], SLOPE)})
            return self._softmax(graph, graph.edata["score"], survives)

    def to_reactions(self, x: Tensor, alpha: Tensor | None, alive: Alive | None) -> Tensor:
        """See `Engine.to_reactions`."""
        return self._stoichiometric(IN, x, alpha, alive)

    def to_metabolites(self, u: Tensor, alpha: Tensor | None, alive: Alive | None) -> Tensor:
        """See `Engine.to_metabolites`."""
        return self._stoichiometric(OF, u, alpha, alive)

    def pool(self, values: Tensor, scores: Tensor, alive: Alive | None) -> Tensor:
        """See `Engine.pool`."""
        values, scores = full_precision(values), full_precision(scores)
        present = None if alive is None else alive.get(GENE)
        graph = self._graph
        if self.num_nodes[GENE] == 0:
            return values.sum(0)
        with graph.local_scope():
            if present is not None:
                scores = torch.where(present, scores, ABSENT)
            graph.nodes[GENE].data["score"] = scores
            weights = self._dgl.softmax_nodes(graph, "score", ntype=GENE)
            if present is not None:
                weights = weights * present
            graph.nodes[GENE].data["value"] = weights.unsqueeze(-1) * values
            return self._dgl.sum_nodes(graph, "value", ntype=GENE).flatten(0, 1)

    def bytes_per_genotype(self, hidden: int, heads: int) -> int:
        """See `Engine.bytes_per_genotype`."""
        edges = max(self._graph.num_edges(relation) for relation in self._graph.etypes)
        return 4 * hidden * (5 * edges + 40 * sum(self.num_nodes.values()))

    def _stoichiometric(self, relation: str, x: Tensor, alpha: Tensor | None, alive: Alive | None) -> Tensor:
        """One message step over the incidences: signed stoichiometry is the edge weight."""
        fn = self._dgl.function
        x = full_precision(x)
        graph = self._graph[relation]
        with graph.local_scope():
            survives = self._surviving(graph, alive)
            if graph.num_edges() == 0:
                return _nothing(x, x.new_zeros(graph.num_dst_nodes(), *x.shape[1:]), survives)
            stoichiometry = graph.edata[STOICHIOMETRY].to(x.dtype)[:, None]
            if survives is not None:
                stoichiometry = stoichiometry * survives
            weight = stoichiometry[:, :, None, None]
            graph.edata["weight"] = weight if alpha is None else weight * alpha.unsqueeze(-1)
            graph.edata["size"] = stoichiometry.abs()
            graph.srcdata["x"] = x
            graph.update_all(lambda edges: {"m": edges.data["weight"] * edges.src["x"]}, fn.sum("m", "total"))
            graph.update_all(fn.copy_e("size", "m"), fn.sum("m", "norm"))
            return normalize(graph.dstdata["total"], graph.dstdata["norm"])

    def _surviving(self, graph: Any, alive: Alive | None) -> Tensor | None:
        """(E, B) bool: both ends of the edge survive; None if nothing is lost."""
        if alive is None:
            return None
        source_type, _, target_type = graph.canonical_etypes[0]
        source, target = graph.edges()
        ends = [
            alive[node_type][rows.long()]
            for node_type, rows in ((source_type, source), (target_type, target))
            if node_type in alive
        ]
        if not ends:
            return None
        return ends[0] if len(ends) == 1 else ends[0] & ends[1]

    def _softmax(self, graph: Any, scores: Tensor, survives: Tensor | None) -> Tensor:
        """Softmax of (E, B, H) scores over the surviving in-edges of each node."""
        edge_softmax = self._dgl.nn.functional.edge_softmax
        if survives is None:
            return edge_softmax(graph, scores)
        survives = survives.unsqueeze(-1)
        return edge_softmax(graph, torch.where(survives, scores, ABSENT)) * survives


def _nothing(x_src: Tensor, x_dst: Tensor, survives: Tensor | None) -> Tensor:
    """The result of a relation without edges: zeros in the shape of the targets."""
    genotypes = max(x_src.shape[1], x_dst.shape[1], 1 if survives is None else survives.shape[1])
    return x_dst.new_zeros(x_dst.shape[0], genotypes, *x_dst.shape[2:])
