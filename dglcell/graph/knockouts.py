"""The nodes that gene deletions remove from a cell graph, for many genotypes at once.

Deleted genes are removed. A reaction node is removed if any gene of its alternative is deleted, a metabolite if it
has reaction nodes and all of them are removed, an edge if one of its ends is removed. So a remaining reaction node has
all its genes and metabolites.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import number_of
from dglcell.graph.relation import Relation

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, repr=False)
class Perturbation:
    """The nodes that B genotypes lose. Rows of genotype b are `x[x_ptr[b]:x_ptr[b + 1]]`, ascending.

    Attributes
    ----------
    genes, reactions, metabolites : (K,) int64
        Wild-type rows of the lost nodes of each type; lost genes are the deleted ones.
    groups : (K,) int64
        Reactions that are lost completely, with all their nodes (rows of `CellGraph.group_names`).
    joint : (K,) bool
        For each of `groups`, True if no single deletion of the genotype is enough to lose the reaction.
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
        return f"Perturbation of {number_of(len(self), 'genotype')}: {lost} lost in total"

    @property
    def order(self) -> Index:
        """(B,) numbers of deleted genes."""
        return np.diff(self.gene_ptr)

    def lost(self, node_type: str) -> tuple[Index, Index]:
        """Rows (K,) and offsets (B + 1,) of the lost nodes of one type."""
        table = {
            schema.GENE: (self.genes, self.gene_ptr),
            schema.REACTION: (self.reactions, self.reaction_ptr),
            schema.METABOLITE: (self.metabolites, self.metabolite_ptr),
        }
        return table[node_type]

    def removed(self, node_type: str, num_nodes: int) -> Mask:
        """(B, num_nodes) bool, True where genotype b loses the node.

        Parameters
        ----------
        node_type : str
        num_nodes : int
            Number of nodes of this type in the wild type.
        """
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
        By relation, reverse relations included; columns are edge ids.
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
        genotypes = number_of(len(self), "genotype")
        return f"Masks of {genotypes} over nodes ({nodes}) and {len(self.edges)} relations; True = removed"


class KnockoutRules:
    """Sparse 0/1 matrices of the dependences between nodes, and the knockout of genes by matrix products.

    Parameters
    ----------
    gpr : Relation
        gene -> reaction.
    incidences : Relation
        metabolite -> reaction.
    reaction_group : (N_r,) int64
        Reaction of the metabolic model to which each node belongs.
    sizes : mapping
        Number of nodes by type.
    """

    def __init__(self, gpr: Relation, incidences: Relation, reaction_group: Index, sizes: Mapping[str, int]) -> None:
        self._gpr, self._incidences, self._group = gpr, incidences, reaction_group
        self._genes, self._reactions, self._metabolites = (sizes[t] for t in schema.NODE_TYPES)
        self._groups = int(reaction_group.max(initial=-1)) + 1

    @functools.cached_property
    def _reactions_of_gene(self) -> Any:
        """(N_g, N_r): reaction nodes that need each gene."""
        return _incidence_matrix(self._gpr.src, self._gpr.dst, (self._genes, self._reactions))

    @functools.cached_property
    def _metabolites_of_reaction(self) -> Any:
        """(N_r, N_m): metabolites of each reaction node."""
        return _incidence_matrix(self._incidences.dst, self._incidences.src, (self._reactions, self._metabolites))

    @functools.cached_property
    def _groups_of_reaction(self) -> Any:
        """(N_r, groups): the reaction to which each node belongs."""
        return _incidence_matrix(np.arange(self._reactions), self._group, (self._reactions, self._groups))

    @functools.cached_property
    def _groups_of_gene(self) -> Any:
        """(N_g, groups): reactions that are lost when only this gene is deleted."""
        lost_counts = self._reactions_of_gene @ self._groups_of_reaction
        groups, ptr = _exhausted(lost_counts, np.bincount(self._groups_of_reaction.indices, minlength=1))
        return _incidence_matrix(np.repeat(np.arange(self._genes), np.diff(ptr)), groups, (self._genes, self._groups))

    def knock_out(self, genes: Index, ptr: Index) -> Perturbation:
        """The nodes that genotypes lose.

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
        lost_nodes = deleted @ self._reactions_of_gene  # number of deleted genes of each alternative; one is enough
        lost_nodes.sort_indices()
        lost_nodes.data[:] = 1
        metabolites, metabolite_ptr = _exhausted(
            lost_nodes @ self._metabolites_of_reaction, np.bincount(self._metabolites_of_reaction.indices, minlength=1)
        )
        groups, group_ptr = _exhausted(
            lost_nodes @ self._groups_of_reaction, np.bincount(self._groups_of_reaction.indices, minlength=1)
        )
        return Perturbation(
            np.asarray(genes, dtype=np.int64),
            np.asarray(ptr, dtype=np.int64),
            lost_nodes.indices.astype(np.int64),
            lost_nodes.indptr.astype(np.int64),
            metabolites,
            metabolite_ptr,
            groups,
            group_ptr,
            self._jointly(deleted, groups, group_ptr),
        )

    def _jointly(self, deleted: Any, groups: Index, ptr: Index) -> Mask:
        """(K,) bool, True for lost groups that no single deletion of the genotype loses."""
        single_losses = deleted @ self._groups_of_gene
        genotype, single_genotype = (np.repeat(np.arange(len(p) - 1), np.diff(p)) for p in (ptr, single_losses.indptr))
        mask: Mask = np.isin(
            genotype * self._groups + groups, single_genotype * self._groups + single_losses.indices, invert=True
        )
        return mask


def masks(perturbation: Perturbation, sizes: Mapping[str, int], relations: Iterable[Relation]) -> Masks:
    """Masks over the nodes and edges of the wild-type graph, from the lost nodes of genotypes.

    Parameters
    ----------
    perturbation : Perturbation
    sizes : mapping
        Number of nodes by type.
    relations : iterable of Relation
        Relations of the wild type.
    """
    nodes = {node_type: perturbation.removed(node_type, n) for node_type, n in sizes.items()}
    return Masks(
        nodes, {r.name: _edge_mask(perturbation, r) for r in relations}, perturbation.genes, perturbation.gene_ptr
    )


def _edge_mask(perturbation: Perturbation, relation: Relation) -> Mask:
    """(B, E) bool, True where an end of the edge is lost."""
    mask = np.zeros((len(perturbation), relation.num_edges), dtype=bool)
    for end, node_type in (("src", relation.src_type), ("dst", relation.dst_type)):
        rows, ptr = perturbation.lost(node_type)
        edges, counts = relation.edges_at(end, rows)
        genotype = np.repeat(np.arange(len(perturbation)), np.diff(ptr))
        mask[np.repeat(genotype, counts), edges] = True
    return mask


def _incidence_matrix(row: Index, column: Index, shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix((np.ones(len(row), dtype=np.int32), (row, column)), shape=shape)


def _exhausted(counts: Any, total: NDArray[np.intp]) -> tuple[Index, Index]:
    """For each row of a sparse count matrix, the columns with a count equal to the total of the column, and offsets."""
    counts.sort_indices()
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    is_exhausted = counts.data == total[counts.indices]
    ptr = np.zeros(counts.shape[0] + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows[is_exhausted], minlength=counts.shape[0]), out=ptr[1:])
    return counts.indices[is_exhausted].astype(np.int64), ptr
