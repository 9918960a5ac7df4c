"""The part of a DGL heterograph that engines read, for machines without DGL."""

from __future__ import annotations

import types
from typing import Any

import torch

from dglcell.graph.cell import CellGraph


class PlainGraph:
    """Edges and edge data of a cell graph.

    Parameters
    ----------
    cell : CellGraph
    """

    batch_size = 1

    def __init__(self, cell: CellGraph) -> None:
        self._cell = cell
        self.ntypes = list(cell.ids)
        self.canonical_etypes = [relation.canonical for relation in cell.relations.values()]
        self.edges = _Edges(cell)

    def num_nodes(self, node_type: str) -> int:
        """Nodes of one type."""
        return int(self._cell.num_nodes(node_type))

    def batch_num_nodes(self, node_type: str) -> torch.Tensor:
        """The one graph's nodes."""
        return torch.tensor([self.num_nodes(node_type)])


class _Edges:
    def __init__(self, cell: CellGraph) -> None:
        self._relations = cell.relations

    def __call__(self, etype: str) -> tuple[torch.Tensor, torch.Tensor]:
        relation = self._relations[etype]
        return torch.as_tensor(relation.src), torch.as_tensor(relation.dst)

    def __getitem__(self, etype: str) -> Any:
        data = {name: torch.as_tensor(values) for name, values in self._relations[etype].data.items()}
        return types.SimpleNamespace(data=data)
