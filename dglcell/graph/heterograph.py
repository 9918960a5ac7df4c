"""Plain arrays -> DGL heterographs: the wild-type cell, and the cell that a genotype leaves.

Knows the layout of those graphs and nothing of how deletions are worked out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.graph.relation import Relation

Arrays = Mapping[str, NDArray[Any]]


def heterograph(sizes: Mapping[str, int], relations: Iterable[Relation], node_data: Mapping[str, Arrays]) -> Any:
    """The DGL heterograph of these relations, those without edges included.

    Parameters
    ----------
    sizes : mapping
        Nodes by type.
    relations : iterable of Relation
        Edge ids are the relation's own order.
    node_data : mapping
        Node type to named arrays with one row a node.
    """
    import torch

    from dglcell import _dgl

    kept = list(relations)
    edges = {r.canonical: (torch.from_numpy(r.src.copy()), torch.from_numpy(r.dst.copy())) for r in kept}
    graph = _dgl.load().heterograph(edges, num_nodes_dict=dict(sizes))
    for relation in kept:
        for key, values in relation.data.items():
            graph.edges[relation.name].data[key] = torch.from_numpy(values.copy())
    for node_type, columns in node_data.items():
        for key, values in columns.items():
            graph.nodes[node_type].data[key] = torch.from_numpy(values.copy())
    return graph


def subgraph(
    relations: Iterable[Relation],
    removed: Mapping[str, NDArray[np.bool_]],
    node_data: Mapping[str, Arrays],
    labels: NDArray[np.float32],
) -> Any:
    """What is left of a cell: an ordinary DGL heterograph, relabelled; `dgl.batch` stacks several.

    Original rows and edge ids are kept as `dgl.NID` and `dgl.EID`. Two more node types hold what the deletion is about,
    so that batching keeps it: `schema.DELETED` has one node a deleted gene with its original row and features, and
    `schema.GENOTYPE` one node with `labels` (1, 4); `schema.DELETED_IN` joins them.

    Parameters
    ----------
    relations : iterable of Relation
        Those of the wild type.
    removed : mapping
        Node type to (n,) bool, True = removed.
    node_data : mapping
        Wild-type node data.
    labels : (4,) float32
        In the order of `schema.LABEL_COLUMNS`, NaN = missing.
    """
    from dglcell import _dgl

    dgl = _dgl.load()
    kept = {node_type: np.flatnonzero(~gone) for node_type, gone in removed.items()}
    new_row = {node_type: np.cumsum(~gone) - 1 for node_type, gone in removed.items()}
    deleted = np.flatnonzero(removed[schema.GENE])
    left = [_restrict(r, removed, new_row, dgl.EID) for r in relations]
    to_genotype = np.zeros(len(deleted), dtype=np.int64)
    left.append(Relation(schema.DELETED_IN, schema.DELETED, schema.GENOTYPE, np.arange(len(deleted)), to_genotype, {}))
    data: dict[str, dict[str, NDArray[Any]]] = {
        node_type: {key: values[rows] for key, values in node_data.get(node_type, {}).items()} | {dgl.NID: rows}
        for node_type, rows in kept.items()
    }
    data[schema.DELETED] = {key: values[deleted] for key, values in node_data.get(schema.GENE, {}).items()}
    data[schema.DELETED][dgl.NID] = deleted
    data[schema.GENOTYPE] = {schema.LABEL_DATA: labels.reshape(1, -1)}
    sizes = {node_type: len(rows) for node_type, rows in kept.items()}
    return heterograph(sizes | {schema.DELETED: len(deleted), schema.GENOTYPE: 1}, left, data)


def _restrict(
    relation: Relation, removed: Mapping[str, NDArray[np.bool_]], new_row: Mapping[str, NDArray[np.int64]], edge_id: str
) -> Relation:
    gone = removed[relation.src_type][relation.src] | removed[relation.dst_type][relation.dst]
    edges = np.flatnonzero(~gone)
    data = {key: values[edges] for key, values in relation.data.items()}
    src = new_row[relation.src_type][relation.src[edges]]
    dst = new_row[relation.dst_type][relation.dst[edges]]
    return dataclasses.replace(relation, src=src, dst=dst, data=data | {edge_id: edges})
