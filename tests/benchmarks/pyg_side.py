"""The same model in PyTorch Geometric, as its documentation builds one: a `HeteroData`, its subgraphs, `HeteroConv`.

Same depth, width, heads, relations, blocks (convolution, LayerNorm, ReLU, dropout), pooling and head as `CellModel`
with `difference`: with its weights (`copy_weights`) the predictions are equal. What PyG's own way of working cannot
avoid is left as it is (one subgraph a genotype, `Batch.from_data_list`); what a careful user would do is done: node
states are gathered from one table through `n_id`, the genes' MLP runs once a step, mean weights that no deletion
changes are worked out beforehand, edges are sorted by target, and the wild type runs once a step.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import relu
from torch_geometric import EdgeIndex
from torch_geometric.data import Batch, HeteroData
from torch_geometric.nn import GATv2Conv, HeteroConv, SimpleConv
from torch_geometric.nn.aggr import AttentionalAggregation
from torch_geometric.utils import scatter

from dglcell.config import ModelConfig
from dglcell.graph.cell import CellGraph
from dglcell.graph.knockouts import Perturbation
from dglcell.nn.mlp import head, preprocessor
from dglcell.nn.model import CellModel
from dglcell.schema import CATALYSED_BY, GENE, GPR, IN, LABELS, METABOLITE, NODE_TYPES, OF, REACTION, STOICHIOMETRY

EdgeType = tuple[str, str, str]
_IN: EdgeType = (METABOLITE, IN, REACTION)
_OF: EdgeType = (REACTION, OF, METABOLITE)
_GPR: EdgeType = (GENE, GPR, REACTION)
_CATALYSED_BY: EdgeType = (REACTION, CATALYSED_BY, GENE)


def hetero_data(cell: CellGraph) -> HeteroData:
    """The wild-type cell; `n_id` says which node of it a node of a subgraph is."""
    data = HeteroData()
    for node_type in NODE_TYPES:
        data[node_type].num_nodes = cell.num_nodes(node_type)
        data[node_type].n_id = torch.arange(cell.num_nodes(node_type))
    for relation in cell.relations.values():
        order = np.lexsort((relation.src, relation.dst))
        store = data[relation.canonical]
        store.edge_index = torch.from_numpy(np.stack([relation.src[order], relation.dst[order]]))
        if STOICHIOMETRY in relation.data:
            store.edge_weight = torch.from_numpy(relation.data[STOICHIOMETRY][order])
    # A reaction that survives keeps all its metabolites, so its mean never changes.
    data[_IN].edge_weight = _mean_weights(data[_IN], cell.num_nodes(REACTION))
    return data


def collate(data: HeteroData, lost: Perturbation, compressed: bool = False) -> Batch:
    """One subgraph a genotype, stacked; `compressed` makes its edges `EdgeIndex`es, which have CSC pointers."""
    kept = {t: torch.from_numpy(~lost.removed(t, data[t].num_nodes)) for t in NODE_TYPES}
    batch = Batch.from_data_list([data.subgraph({t: kept[t][b] for t in NODE_TYPES}) for b in range(len(lost))])
    batch[_OF].edge_weight = _mean_weights(batch[_OF], batch[METABOLITE].num_nodes)
    if compressed:
        for source, name, target in batch.edge_types:
            store = batch[source, name, target]
            size = batch[source].num_nodes, batch[target].num_nodes
            store.edge_index = EdgeIndex(store.edge_index, sparse_size=size, sort_order="col")
    return batch


def _mean_weights(store: Any, num_targets: int) -> Tensor:
    """Stoichiometry over the sum of its absolute values at the target."""
    target = store.edge_index[1]
    total = scatter(store.edge_weight.abs(), target, dim_size=num_targets, reduce="sum")
    return store.edge_weight / total[target]


class Block(nn.Module):
    """A convolution for `HeteroConv`, with the LayerNorm, ReLU and dropout that follow it."""

    def __init__(self, conv: nn.Module, hidden: int, dropout: float) -> None:
        super().__init__()
        self.conv, self.norm, self.dropout = conv, nn.LayerNorm(hidden), nn.Dropout(dropout)

    def forward(self, x: Any, edge_index: Tensor) -> Tensor:
        return self.dropout(relu(self.norm(self.conv(x, edge_index))))


class Layer(nn.Module):
    """Genes and metabolites to reactions, reactions to metabolites, genes and reactions to genes."""

    def __init__(self, gene_relations: tuple[str, ...], config: ModelConfig, last: bool) -> None:
        super().__init__()
        h, heads, dropout = config.hidden, config.heads, config.dropout

        def attention() -> Block:
            return Block(GATv2Conv(h, h // heads, heads, add_self_loops=False), h, dropout)

        to_genes = {(GENE, name, GENE): attention() for name in gene_relations}
        with warnings.catch_warnings():  # it misses, in each part of the layer, the node types that the other updates
            warnings.filterwarnings("ignore", "There exist node types")
            self.to_reactions = HeteroConv({_GPR: attention()})
            self.to_genes = HeteroConv({**to_genes, _CATALYSED_BY: attention()}, aggr="sum")
        self.weight = nn.Linear(h, h, bias=False)
        self.stoichiometric = SimpleConv(aggr="sum")
        self.in_norm, self.dropout = nn.LayerNorm(h), nn.Dropout(dropout)
        self.of_norm = None if last else nn.LayerNorm(h)
        self.of_bias = None if last else nn.Parameter(torch.zeros(h))

    def forward(self, x: dict[str, Tensor], batch: Any) -> dict[str, Tensor]:
        edges = batch.edge_index_dict
        u = self.stoichiometric((self.weight(x[METABOLITE]), x[REACTION]), edges[_IN], batch[_IN].edge_weight)
        reactions = self.to_reactions(x, edges)[REACTION] + self.dropout(relu(self.in_norm(u)))
        metabolites = x[METABOLITE]
        if self.of_norm is not None:
            y = self.stoichiometric((u, metabolites), edges[_OF], batch[_OF].edge_weight) + self.of_bias
            metabolites = self.dropout(relu(self.of_norm(y)))
        genes = self.to_genes({GENE: x[GENE], REACTION: reactions}, edges)[GENE]
        return {GENE: genes, REACTION: reactions, METABOLITE: metabolites}


class PygModel(nn.Module):
    """`CellModel` with variant `difference`, without gene features."""

    def __init__(self, config: ModelConfig, cell: CellGraph) -> None:
        super().__init__()
        h = config.hidden
        relations = tuple(name for name, r in cell.relations.items() if r.src_type == r.dst_type == GENE)
        self.embeddings = nn.ParameterDict({t: nn.Parameter(torch.randn(cell.num_nodes(t), h)) for t in NODE_TYPES})
        self.preprocess = preprocessor(h, h, config.dropout)
        self.layers = nn.ModuleList(Layer(relations, config, n == config.layers - 1) for n in range(config.layers))
        gate = nn.Sequential(nn.Linear(h, max(1, h // 2)), nn.ReLU(), nn.Linear(max(1, h // 2), 1))
        self.pool = AttentionalAggregation(gate, nn.Sequential(nn.Linear(h, h), nn.ReLU()))
        self.head = head(h, h, len(LABELS), config.dropout)

    def inputs(self) -> dict[str, Tensor]:
        """States of the wild type before the first layer: (N, h) of each node type."""
        return {**self.embeddings, GENE: self.preprocess(self.embeddings[GENE])}

    def encode(self, inputs: dict[str, Tensor], batch: Any) -> Tensor:
        """Pooled genes of each graph of a batch: (B, h)."""
        x = {t: inputs[t].index_select(0, batch[t].n_id) for t in NODE_TYPES}
        for layer in self.layers:
            x = layer(x, batch)
        return self.pool(x[GENE], batch[GENE].batch, dim_size=batch.num_graphs)


@torch.no_grad()
def copy_weights(model: CellModel, into: PygModel) -> None:
    """Give the PyG model the weights of ours; each has a place, and the other way round (strict)."""
    found: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        found[_name(name)] = value.unsqueeze(0) if name.endswith("_block.a") else value
    into.load_state_dict(found, strict=True)


def _name(ours: str) -> str:
    """What PyG's side calls a weight of ours."""
    parts = ours.split(".")
    if parts[0] == "pool":
        return ".".join(["pool", "gate_nn" if parts[1] == "gate" else "nn.0", *parts[2:]])
    if parts[0] == "heads":
        return ".".join(["head", *parts[2:]])
    if parts[0] != "layers":
        return ours
    place, kind = ".".join(parts[:2]), parts[2]
    if kind == "stoichiometric":
        return f"{place}.of_bias" if parts[3] == "bias" else f"{place}.weight.weight"
    relation = parts[3].removesuffix("_block")
    if relation in (IN, OF):
        return f"{place}.{relation}_norm.{parts[4]}"
    ends = {GPR: _GPR, CATALYSED_BY: _CATALYSED_BY}.get(relation, (GENE, relation, GENE))
    block = f"{place}.{'to_reactions' if relation == GPR else 'to_genes'}.convs.<{'___'.join(ends)}>"
    if kind == "norms":
        return f"{block}.norm.{parts[4]}"
    weight = ".".join(parts[4:]).replace("source.", "lin_l.").replace("target.", "lin_r.")
    return f"{block}.conv.{'att' if weight == 'a' else weight}"
