"""Genotypes as the model reads them: index tensors on one device."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from dglcell.engines.node_masks import Lost, NodeMasks, send
from dglcell.nn.tokens import Tokens
from dglcell.schema import NODE_TYPES


@dataclasses.dataclass(frozen=True, eq=False)
class Batch:
    """What each of B genotypes loses, as the parts of the model ask for it.

    Attributes
    ----------
    perturbation : Perturbation
        On the host; see `dglcell.graph.knockouts`.
    num_nodes : mapping
        Nodes of each type in the wild-type graph.
    device : torch.device
        Where everything else is made.
    cell : CellGraph or None
        For what a model asks beyond the perturbation: `singles`, `structural_lethality`.
    """

    perturbation: Any
    num_nodes: Mapping[str, int]
    device: torch.device
    cell: Any = None

    @classmethod
    def from_perturbation(cls, perturbation: Any, cell: Any, device: torch.device | str = "cpu") -> Self:
        """Of a `dglcell.graph.knockouts.Perturbation` of a `CellGraph`."""
        sizes = {node_type: int(cell.num_nodes(node_type)) for node_type in NODE_TYPES}
        return cls(perturbation, sizes, torch.device(device), cell)

    def __len__(self) -> int:
        """Number of genotypes."""
        return len(self.perturbation)

    def host(self, node_type: str) -> Lost:
        """The rows of one node type that are lost (K,) and their ptr (B + 1,), on the host."""
        rows, ptr = self.perturbation.lost(node_type)
        return np.asarray(rows, np.int64), np.asarray(ptr, np.int64)

    @functools.cached_property
    def lost(self) -> dict[str, tuple[Tensor, Tensor]]:
        """For each node type the rows that are lost (K,) and their ptr (B + 1,); for genes these are the deletions."""
        host = {t: self.host(t) for t in NODE_TYPES}
        return {t: (send(rows, self.device), send(ptr, self.device)) for t, (rows, ptr) in host.items()}

    @functools.cached_property
    def distinct(self) -> tuple[Tensor, Tensor]:
        """The genes that any genotype deletes (R,), ascending, and of each deletion (K,) the place among them."""
        genes, place = np.unique(self.perturbation.genes, return_inverse=True)
        return send(genes.astype(np.int64), self.device), send(place.astype(np.int64), self.device)

    @functools.cached_property
    def singles(self) -> Batch:
        """The distinct genes that any genotype deletes, each on its own, in the order of `distinct`."""
        genes = np.unique(self.perturbation.genes)
        return dataclasses.replace(self, perturbation=self.cell.knock_out(genes, np.arange(len(genes) + 1)))

    @functools.cached_property
    def pairs(self) -> tuple[Tensor, Tensor, Tensor]:
        """Rows of the genotypes with two deletions (P,), and where in `singles` the first and the second are."""
        p = self.perturbation
        pairs = np.flatnonzero(p.order == 2)
        place = np.unique(p.genes, return_inverse=True)[1]
        start = p.gene_ptr[pairs]
        pairs, first, second = (np.asarray(x, np.int64) for x in (pairs, place[start], place[start + 1]))
        return send(pairs, self.device), send(first, self.device), send(second, self.device)

    @functools.cached_property
    def structural_lethality(self) -> Tensor:
        """(B, 2) float32, 1 where growth stands still: by one deletion alone; only by all together."""
        p = self.perturbation
        still = self.cell.structurally_lethal(p)
        single = self.cell.structurally_lethal(self.singles.perturbation)[np.unique(p.genes, return_inverse=True)[1]]
        alone = np.zeros(len(p), dtype=bool)
        alone[np.repeat(np.arange(len(p)), p.order)[single]] = True
        return send(np.stack([alone, still & ~alone], axis=1).astype(np.float32), self.device)

    def tokens(self, lost_reactions: bool = True) -> Tokens:
        """What the set encoder sees, with or without the lost reactions."""
        return Tokens.of(self.perturbation, self.device, lost_reactions)

    def alive(self, start: int = 0, stop: int | None = None) -> NodeMasks:
        """NodeMasks of genotypes `start:stop`."""
        stop = len(self) if stop is None else stop
        part = {}
        for node_type in NODE_TYPES:
            rows, ptr = self.host(node_type)
            part[node_type] = rows[ptr[start] : ptr[stop]], ptr[start : stop + 1] - ptr[start]
        return NodeMasks(part, self.num_nodes, self.device)
