"""Arrays -> DGL heterographs of the wild type and of genotypes.

DGL: Wang et al. 2019, arXiv:1909.01315.
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
    """A DGL heterograph with all relations, also those without edges.

    Parameters
    ----------
    sizes : mapping
        Number of nodes by type.
    relations : iterable of Relation
        Edge ids are the positions of edges in the relation.
    node_data : mapping
        By node type, arrays by name with one row per node.

    Returns
    -------
    dgl.DGLGraph
    """
    import torch

    from dglcell import _dgl

    relations_list = list(relations)
    edges = {r.canonical: (torch.from_numpy(r.src.copy()), torch.from_numpy(r.dst.copy())) for r in relations_list}
    graph = _dgl.load().heterograph(edges, num_nodes_dict=dict(sizes))
    for relation in relations_list:
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
    """The DGL heterograph of the remaining nodes and edges, with new row numbers; `dgl.batch` joins several.

    Original rows and edge ids are in `dgl.NID` and `dgl.EID`. Two further node types hold the genotype, also in a batch
    of graphs: `schema.DELETED` has one node per deleted gene with its original row and features, `schema.GENOTYPE` has
    one node with `labels` (1, 4), and `schema.DELETED_IN` connects them.

    Parameters
    ----------
    relations : iterable of Relation
        Relations of the wild type.
    removed : mapping
        By node type, (n,) bool, True = removed.
    node_data : mapping
        Node data of the wild type.
    labels : (4,) float32
        Values of `schema.LABEL_COLUMNS`, NaN = missing.
    """
    from dglcell import _dgl

    dgl = _dgl.load()
    remaining_rows = {node_type: np.flatnonzero(~is_removed) for node_type, is_removed in removed.items()}
    new_row = {node_type: np.cumsum(~is_removed) - 1 for node_type, is_removed in removed.items()}
    deleted = np.flatnonzero(removed[schema.GENE])
    remaining_relations = [_restrict_relation(r, removed, new_row, dgl.EID) for r in relations]
    to_genotype = np.zeros(len(deleted), dtype=np.int64)
    genes = np.arange(len(deleted))
    remaining_relations.append(Relation(schema.DELETED_IN, schema.DELETED, schema.GENOTYPE, genes, to_genotype, {}))
    data: dict[str, dict[str, NDArray[Any]]] = {
        node_type: {key: values[rows] for key, values in node_data.get(node_type, {}).items()} | {dgl.NID: rows}
        for node_type, rows in remaining_rows.items()
    }
    data[schema.DELETED] = {key: values[deleted] for key, values in node_data.get(schema.GENE, {}).items()}
    data[schema.DELETED][dgl.NID] = deleted
    data[schema.GENOTYPE] = {schema.LABEL_DATA: labels.reshape(1, -1)}
    sizes = {node_type: len(rows) for node_type, rows in remaining_rows.items()}
    return heterograph(sizes | {schema.DELETED: len(deleted), schema.GENOTYPE: 1}, remaining_relations, data)


def _restrict_relation(
    relation: Relation, removed: Mapping[str, NDArray[np.bool_]], new_row: Mapping[str, NDArray[np.int64]], edge_id: str
) -> Relation:
    is_removed = removed[relation.src_type][relation.src] | removed[relation.dst_type][relation.dst]
    edges = np.flatnonzero(~is_removed)
    data = {key: values[edges] for key, values in relation.data.items()}
    src = new_row[relation.src_type][relation.src[edges]]
    dst = new_row[relation.dst_type][relation.dst[edges]]
    return dataclasses.replace(relation, src=src, dst=dst, data=data | {edge_id: edges})
