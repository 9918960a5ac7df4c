"""Genotypes as the model reads them: index tensors on one device."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor

from dglcell.nn.tokens import Tokens
from dglcell.schema import GENE, METABOLITE, NODE_TYPES, REACTION


@dataclasses.dataclass(frozen=True, eq=False)
class Batch:
    """What each of B genotypes loses, ragged: genotype b has entries `ptr[b]:ptr[b + 1]`.

    Attributes
    ----------
    lost : dict of str to (Tensor, Tensor)
        For each node type the rows that are lost (K,) and their ptr (B + 1,). For genes these are the deletions.
    num_nodes : mapping
        Nodes of each type in the wild-type graph.
    perturbation : Perturbation
        What all this was made from, on the CPU.
    """

    lost: dict[str, tuple[Tensor, Tensor]]
    num_nodes: Mapping[str, int]
    perturbation: Any

    @classmethod
    def from_perturbation(cls, perturbation: Any, cell: Any, device: torch.device | str = "cpu") -> Self:
        """Move a `dglcell.graph.perturb.Perturbation` of a `CellGraph` to a device."""

        def tensor(values: Any) -> Tensor:
            return torch.as_tensor(values, dtype=torch.int64).to(device)

        p = perturbation
        lost = {
            GENE: (tensor(p.genes), tensor(p.gene_ptr)),
            REACTION: (tensor(p.reactions), tensor(p.reaction_ptr)),
            METABOLITE: (tensor(p.metabolites), tensor(p.metabolite_ptr)),
        }
        sizes = {node_type: int(cell.num_nodes(node_type)) for node_type in NODE_TYPES}
        return cls(lost, sizes, p)

    def __len__(self) -> int:
        """Number of genotypes."""
        return len(self.perturbation)

    def tokens(self, lost_reactions: bool = True) -> Tokens:
        """What the set encoder sees, with or without the lost reactions."""
        return Tokens.of(self.perturbation, self.lost[GENE][0].device, lost_reactions)

    def alive(self, start: int = 0, stop: int | None = None) -> dict[str, Tensor]:
        """Survivors of genotypes `start:stop`: node type -> (N, B) bool."""
        stop = len(self) if stop is None else stop
        masks = {}
        for node_type, (rows, ptr) in self.lost.items():
            alive = torch.ones(self.num_nodes[node_type], stop - start, dtype=torch.bool, device=rows.device)
            counts = ptr[start : stop + 1].diff()
            genotypes = torch.repeat_interleave(torch.arange(stop - start, device=rows.device), counts)
            alive[rows[ptr[start] : ptr[stop]], genotypes] = False
            masks[node_type] = alive
        return masks
