"""Genotypes as the model reads them: index tensors on one device."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from dglcell.ops.survivors import Lost, Survivors
from dglcell.ops.transfer import send
from dglcell.schema import GENE, METABOLITE, NODE_TYPES, REACTION


@dataclasses.dataclass(frozen=True, eq=False)
class Batch:
    """What each of B genotypes loses, ragged: genotype b has entries `ptr[b]:ptr[b + 1]`.

    Attributes
    ----------
    host : mapping
        For each node type the rows that are lost (K,) and their ptr (B + 1,), as arrays on the host. For genes these
        are the deletions.
    groups, group_ptr : Tensor
        Reactions of the metabolic model of which no node survives, as `CellGraph.reaction_group` numbers them.
    joint : Tensor of bool
        Of `groups`: True where none of the genotype's deletions alone loses the reaction.
    num_nodes : mapping
        Nodes of each type in the wild-type graph.
    """

    host: Mapping[str, Lost]
    groups: Tensor
    group_ptr: Tensor
    joint: Tensor
    num_nodes: Mapping[str, int]

    @classmethod
    def from_perturbation(cls, perturbation: Any, cell: Any, device: torch.device | str = "cpu") -> Self:
        """Move a `dglcell.graph.perturb.Perturbation` of a `CellGraph` to a device."""
        p, device = perturbation, torch.device(device)

        def tensor(values: Any) -> Tensor:
            return send(np.asarray(values, dtype=np.int64), device)

        ragged = {
            GENE: (p.genes, p.gene_ptr),
            REACTION: (p.reactions, p.reaction_ptr),
            METABOLITE: (p.metabolites, p.metabolite_ptr),
        }
        host = {t: (np.asarray(rows, np.int64), np.asarray(ptr, np.int64)) for t, (rows, ptr) in ragged.items()}
        sizes = {node_type: int(cell.num_nodes(node_type)) for node_type in NODE_TYPES}
        joint = send(np.asarray(p.joint, dtype=np.bool_), device)
        return cls(host, tensor(p.groups), tensor(p.group_ptr), joint, sizes)

    def __len__(self) -> int:
        """Number of genotypes."""
        return len(self.group_ptr) - 1

    @functools.cached_property
    def lost(self) -> dict[str, tuple[Tensor, Tensor]]:
        """`host` as tensors on the device."""
        device = self.groups.device
        return {t: (send(rows, device), send(ptr, device)) for t, (rows, ptr) in self.host.items()}

    def alive(self, start: int = 0, stop: int | None = None) -> Survivors:
        """Survivors of genotypes `start:stop`."""
        stop = len(self) if stop is None else stop
        part = {
            node_type: (rows[ptr[start] : ptr[stop]], ptr[start : stop + 1] - ptr[start])
            for node_type, (rows, ptr) in self.host.items()
        }
        return Survivors(part, self.num_nodes, self.groups.device)
