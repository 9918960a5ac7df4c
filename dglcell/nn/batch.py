"""Genotypes as input of the model: index tensors on one device, and the token sets of the set encoder.

Computed on the CPU, so that no size has to be read back from a GPU.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dglcell.engines.node_masks import Lost, NodeMasks, send
from dglcell.schema import NODE_TYPES

MAX_LOST = 32  # up to this number, each lost reaction is a token of its own
_SMALL = 4  # sets up to this size share a bucket: another bucket would cost more than the padding
GENE_TYPE, ALONE_TYPE, JOINT_TYPE = range(3)

_Index = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, eq=False)
class Bucket:
    """Sets of about one size, padded to the largest of them.

    Attributes
    ----------
    index : Tensor (b, T) int64
        Token at each place; arbitrary where `present` is False.
    present : Tensor (b, T) of bool
    """

    index: Tensor
    present: Tensor


@dataclasses.dataclass(frozen=True, eq=False)
class Tokens:
    """The tokens of B genotypes, K in total: deleted genes first, then lost reactions.

    Most sets are small and a few are large, so attention runs in buckets of sets of about one size, and everything else
    on the K tokens without padding.

    Attributes
    ----------
    genes : Tensor (K_g,)
        Gene of each gene token.
    groups, types : Tensor (R,)
        Lost reactions, numbered as in `CellGraph.reaction_group`, and `ALONE_TYPE` or `JOINT_TYPE`.
    merged : (Tensor (R,), Tensor (R,)) or None
        Token of each lost reaction and its share in it; None if every lost reaction is a token of its own.
    reactions : int
        Reaction tokens, K - K_g.
    buckets : tuple of Bucket
    place : Tensor (K,)
        Place of each token in the concatenated buckets.
    row : Tensor (B,)
        Row of each genotype in the concatenated buckets, counted from 1; 0 for an empty set.
    counts : Tensor (B, 2)
        Deleted genes and lost reactions.
    """

    genes: Tensor
    groups: Tensor
    types: Tensor
    merged: tuple[Tensor, Tensor] | None
    reactions: int
    buckets: tuple[Bucket, ...]
    place: Tensor
    row: Tensor
    counts: Tensor

    @classmethod
    def of(cls, perturbation: Any, device: torch.device | str = "cpu", lost_reactions: bool = True) -> Self:
        """Tokens of a `dglcell.graph.knockouts.Perturbation`.

        Parameters
        ----------
        perturbation : Perturbation
        device : torch.device or str
        lost_reactions : bool
            False omits the lost reactions and their number.
        """

        def tensor(values: NDArray[Any]) -> Tensor:
            return send(np.ascontiguousarray(values), torch.device(device))

        p = perturbation
        lost = np.diff(p.group_ptr) if lost_reactions else np.zeros(len(p), np.int64)
        groups, joint = (p.groups, p.joint) if lost_reactions else (p.groups[:0], p.joint[:0])
        own = np.where(lost > MAX_LOST, 1, lost)
        merged = None
        if (lost > MAX_LOST).any():
            starts = np.repeat(np.cumsum(own) - own, lost)
            within = np.arange(len(groups)) - np.repeat(np.cumsum(lost) - lost, lost)
            many = np.repeat(lost > MAX_LOST, lost)
            token = starts + np.where(many, 0, within)
            merged = tensor(token), tensor(np.where(many, 1 / np.repeat(lost, lost), 1.0))
        counts = p.order
        owner = np.concatenate([np.repeat(np.arange(len(p)), n) for n in (counts, own)])
        buckets, place, row = _lay_out(owner, len(p))
        return cls(
            tensor(p.genes.astype(np.int64)),
            tensor(groups.astype(np.int64)),
            tensor(np.where(joint, JOINT_TYPE, ALONE_TYPE)),
            merged,
            int(own.sum()),
            tuple(Bucket(tensor(index), tensor(present)) for index, present in buckets),
            tensor(place),
            tensor(row),
            tensor(np.stack([counts, lost], axis=1)),
        )


def _lay_out(owner: _Index, sets: int) -> tuple[list[tuple[_Index, NDArray[np.bool_]]], _Index, _Index]:
    """Buckets (index, present), the place of each token and the row of each set; `owner` (K,) is a token's set."""
    counts = np.bincount(owner, minlength=sets)
    tokens = np.argsort(owner, kind="stable")
    start = np.cumsum(counts) - counts
    size = np.ceil(np.log2(np.maximum(counts, _SMALL))).astype(np.int64)  # up to 4, 5-8, 9-16, ..
    buckets, place, row = [], np.empty(len(owner), np.int64), np.zeros(sets, np.int64)
    places, rows = 0, 1
    for level in np.unique(size):
        members = np.flatnonzero((size == level) & (counts > 0))
        if not len(members):
            continue
        width = int(counts[members].max())
        present = np.arange(width) < counts[members, None]
        index = np.zeros(present.shape, np.int64)
        index[present] = tokens[(start[members, None] + np.arange(width))[present]]
        place[index[present]] = places + np.flatnonzero(present)
        row[members] = rows + np.arange(len(members))
        buckets.append((index, present))
        places, rows = places + present.size, rows + len(members)
    return buckets, place, row


@dataclasses.dataclass(frozen=True, eq=False)
class Batch:
    """The lost nodes of B genotypes, in the forms that the parts of the model need.

    Attributes
    ----------
    perturbation : Perturbation
        On the host; see `dglcell.graph.knockouts`.
    num_nodes : mapping
        Nodes of each type in the wild-type graph.
    device : torch.device
        Of all tensors.
    cell : CellGraph or None
        Needed for `singles` and `structural_lethality`.
    """

    perturbation: Any
    num_nodes: Mapping[str, int]
    device: torch.device
    cell: Any = None

    @classmethod
    def from_perturbation(cls, perturbation: Any, cell: Any, device: torch.device | str = "cpu") -> Self:
        """From a `dglcell.graph.knockouts.Perturbation` of a `CellGraph`."""
        sizes = {node_type: int(cell.num_nodes(node_type)) for node_type in NODE_TYPES}
        return cls(perturbation, sizes, torch.device(device), cell)

    def __len__(self) -> int:
        """Number of genotypes."""
        return len(self.perturbation)

    def host(self, node_type: str) -> Lost:
        """Lost rows of one node type (K,) and their ptr (B + 1,), on the host."""
        rows, ptr = self.perturbation.lost(node_type)
        return np.asarray(rows, np.int64), np.asarray(ptr, np.int64)

    @functools.cached_property
    def lost(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Lost rows of each node type (K,) and their ptr (B + 1,); for genes these are the deletions."""
        host = {t: self.host(t) for t in NODE_TYPES}
        return {t: (send(rows, self.device), send(ptr, self.device)) for t, (rows, ptr) in host.items()}

    @functools.cached_property
    def distinct(self) -> tuple[Tensor, Tensor]:
        """The genes that any genotype deletes (R,), ascending, and the place of each deletion (K,) among them."""
        genes, place = np.unique(self.perturbation.genes, return_inverse=True)
        return send(genes.astype(np.int64), self.device), send(place.astype(np.int64), self.device)

    @functools.cached_property
    def singles(self) -> Batch:
        """The single deletions of the genes of `distinct`, in the same sequence."""
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
        """(B, 2) float32, 1 if structurally lethal: by one of the deletions alone; only by all of them together."""
        p = self.perturbation
        lethal = self.cell.structurally_lethal(p)
        single = self.cell.structurally_lethal(self.singles.perturbation)[np.unique(p.genes, return_inverse=True)[1]]
        alone = np.zeros(len(p), dtype=bool)
        alone[np.repeat(np.arange(len(p)), p.order)[single]] = True
        return send(np.stack([alone, lethal & ~alone], axis=1).astype(np.float32), self.device)

    def tokens(self, lost_reactions: bool = True) -> Tokens:
        """Input of the set encoder, with or without the lost reactions."""
        return Tokens.of(self.perturbation, self.device, lost_reactions)

    def alive(self, start: int = 0, stop: int | None = None) -> NodeMasks:
        """NodeMasks of genotypes `start:stop`."""
        stop = len(self) if stop is None else stop
        lost = {}
        for node_type in NODE_TYPES:
            rows, ptr = self.host(node_type)
            lost[node_type] = rows[ptr[start] : ptr[stop]], ptr[start : stop + 1] - ptr[start]
        return NodeMasks(lost, self.num_nodes, self.device)
