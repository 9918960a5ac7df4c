"""What a set of deleted genes takes out of a cell graph, for many genotypes at once.

Rules: a deleted gene leaves; a reaction node survives iff all genes of its alternative are present; a metabolite leaves
when it had reactions and none survives; an edge survives iff both its ends do. The last one holds for every relation: a
gpr edge or an incidence goes with its reaction node, and a reaction node that survives keeps its genes and metabolites.
Knows no files and no DGL.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.graph.relation import Relation

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, repr=False)
class Perturbation:
    """The nodes that B genotypes lose, ragged: rows of genotype b are `x[x_ptr[b]:x_ptr[b + 1]]`, ascending.

    Attributes
    ----------
    genes, reactions, metabolites : (K,) int64
        Wild-type rows of the lost nodes of each type; lost genes are the deleted ones.
    groups : (K,) int64
        Whole reactions lost: groups of which no node survives (rows of `CellGraph.group_names`).
    joint : (K,) bool
        Of `groups`: True where none of the genotype's deletions alone loses the reaction.
    gene_ptr, reaction_ptr, metabolite_ptr, group_ptr : (B + 1,) int64
        Offsets.
    """

    genes: Index
    gene_ptr: Index
    reactions: Index
    reaction_ptr: Index
    metabolites: Index
    metabolite_ptr: Index
    groups: Index
    group_ptr: Index
    joint: Mask

    def __len__(self) -> int:
        return len(self.gene_ptr) - 1

    def __repr__(self) -> str:
        counts = (len(self.genes), len(self.reactions), len(self.metabolites))
        lost = ", ".join(f"{n:,} {t}{'s' * (n != 1)}" for t, n in zip(schema.NODE_TYPES, counts, strict=True))
        return f"Perturbation of {len(self):,} genotypes: {lost} lost in all"

    @property
    def order(self) -> Index:
        """(B,) number of deleted genes."""
        return np.diff(self.gene_ptr)

    def lost(self, node_type: str) -> tuple[Index, Index]:
        """Rows and offsets of the lost nodes of one type."""
        table = {
            schema.GENE: (self.genes, self.gene_ptr),
            schema.REACTION: (self.reactions, self.reaction_ptr),
            schema.METABOLITE: (self.metabolites, self.metabolite_ptr),
        }
        return table[node_type]

    def removed(self, node_type: str, num_nodes: int) -> Mask:
        """(B, num_nodes) bool, True where genotype b lost the node."""
        rows, ptr = self.lost(node_type)
        mask = np.zeros((len(self), num_nodes), dtype=bool)
        mask[np.repeat(np.arange(len(self)), np.diff(ptr)), rows] = True
        return mask


@dataclasses.dataclass(frozen=True, repr=False)
class Masks:
    """Perturbations as masks over the one wild-type graph; True = removed.

    Attributes
    ----------
    nodes : dict of str to (B, n) bool
        By node type.
    edges : dict of str to (B, E) bool
        By relation, reverse relations included, in edge order.
    perturbed_index : (K,) int64
        Wild-type rows of the deleted genes.
    ptr : (B + 1,) int64
        Genotype b deletes `perturbed_index[ptr[b]:ptr[b + 1]]`.
    """

    nodes: dict[str, Mask]
    edges: dict[str, Mask]
    perturbed_index: Index
    ptr: Index

    def __len__(self) -> int:
        return len(self.ptr) - 1

    def __repr__(self) -> str:
        nodes = ", ".join(f"{t} {mask.shape[1]:,}" for t, mask in self.nodes.items())
        return f"Masks of {len(self):,} genotypes over nodes ({nodes}) and {len(self.edges)} relations; True = removed"


class Rules:
    """Who needs whom: the sparse 0/1 matrices behind `knock_out`.

    Parameters
    ----------
    gpr : Relation
        gene -> reaction.
    incidences : Relation
        metabolite -> reaction.
    reaction_group : (N_r,) int64
        Reaction of the metabolic model that each node belongs to.
    sizes : mapping
        Nodes by type.
    """

    def __init__(self, gpr: Relation, incidences: Relation, reaction_group: Index, sizes: Mapping[str, int]) -> None:
        self._gpr, self._incidences, self._group = gpr, incidences, reaction_group
        self._genes, self._reactions, self._metabolites = (sizes[t] for t in schema.NODE_TYPES)
        self._groups = int(reaction_group.max(initial=-1)) + 1

    @functools.cached_property
    def _users(self) -> Any:
        """(N_g, N_r): reaction nodes that need a gene."""
        return _ones(self._gpr.src, self._gpr.dst, (self._genes, self._reactions))

    @functools.cached_property
    def _parts(self) -> Any:
        """(N_r, N_m): metabolites of a reaction node."""
        return _ones(self._incidences.dst, self._incidences.src, (self._reactions, self._metabolites))

    @functools.cached_property
    def _members(self) -> Any:
        """(N_r, groups): the reaction that a node belongs to."""
        return _ones(np.arange(self._reactions), self._group, (self._reactions, self._groups))

    @functools.cached_property
    def _alone(self) -> Any:
        """(N_g, groups): reactions that a gene's deletion alone loses."""
        hits = self._users @ self._members
        groups, ptr = _exhausted(hits, np.bincount(self._members.indices, minlength=1))
        return _ones(np.repeat(np.arange(self._genes), np.diff(ptr)), groups, (self._genes, self._groups))

    def knock_out(self, genes: Index, ptr: Index) -> Perturbation:
        """Work out everything that the genotypes lose.

        Parameters
        ----------
        genes : (K,) int64
            Gene rows, ascending and distinct within a genotype.
        ptr : (B + 1,) int64
            Offsets into `genes`.
        """
        from scipy.sparse import csr_matrix

        ones = np.ones(len(genes), dtype=np.int32)
        deleted = csr_matrix((ones, genes, ptr), shape=(len(ptr) - 1, self._genes))
        lost = deleted @ self._users  # counts deleted genes of each alternative: one is enough
        lost.sort_indices()
        lost.data[:] = 1
        metabolites, metabolite_ptr = _exhausted(lost @ self._parts, np.bincount(self._parts.indices, minlength=1))
        groups, group_ptr = _exhausted(lost @ self._members, np.bincount(self._members.indices, minlength=1))
        return Perturbation(
            np.asarray(genes, dtype=np.int64),
            np.asarray(ptr, dtype=np.int64),
            lost.indices.astype(np.int64),
            lost.indptr.astype(np.int64),
            metabolites,
            metabolite_ptr,
            groups,
            group_ptr,
            self._jointly(deleted, groups, group_ptr),
        )

    def _jointly(self, deleted: Any, groups: Index, ptr: Index) -> Mask:
        """Which lost groups no deletion of their genotype loses alone."""
        alone = deleted @ self._alone
        rows, found = (np.repeat(np.arange(len(p) - 1), np.diff(p)) for p in (ptr, alone.indptr))
        mask: Mask = np.isin(rows * self._groups + groups, found * self._groups + alone.indices, invert=True)
        return mask


def masks(lost: Perturbation, sizes: Mapping[str, int], relations: Iterable[Relation]) -> Masks:
    """Spread a perturbation over the wild-type nodes and edges."""
    nodes = {node_type: lost.removed(node_type, n) for node_type, n in sizes.items()}
    return Masks(nodes, {r.name: _edge_mask(lost, r) for r in relations}, lost.genes, lost.gene_ptr)


def _edge_mask(lost: Perturbation, relation: Relation) -> Mask:
    """(B, E) bool, True where an end of the edge is lost; touches those edges alone."""
    mask = np.zeros((len(lost), relation.num_edges), dtype=bool)
    for end, node_type in (("src", relation.src_type), ("dst", relation.dst_type)):
        rows, ptr = lost.lost(node_type)
        edges, counts = relation.edges_at(end, rows)
        owner = np.repeat(np.arange(len(lost)), np.diff(ptr))
        mask[np.repeat(owner, counts), edges] = True
    return mask


def _ones(row: Index, column: Index, shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix((np.ones(len(row), dtype=np.int32), (row, column)), shape=shape)


def _exhausted(hits: Any, total: NDArray[np.intp]) -> tuple[Index, Index]:
    """Columns of a count matrix whose count reaches the column's total, ragged by row."""
    hits.sort_indices()
    rows = np.repeat(np.arange(hits.shape[0]), np.diff(hits.indptr))
    gone = hits.data == total[hits.indices]
    ptr = np.zeros(hits.shape[0] + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows[gone], minlength=hits.shape[0]), out=ptr[1:])
    return hits.indices[gone].astype(np.int64), ptr
