"""Personalized PageRank between genes, in each gene-gene network of a cell and in its metabolism, without labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.graph.cell import CellGraph
from dglcell.graph.relation import Relation

# A metabolite with more reaction nodes (water, ATP, protons) does not tell which genes work together.
CURRENCY = 40
_BLOCK = 512  # rows

Floats = NDArray[np.float32]


@dataclasses.dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest genes of every gene in one network.

    Attributes
    ----------
    index : (N_g, K) int32
        Gene rows, among them the gene itself.
    weight : (N_g, K) float32
        Not negative; the squares of each row sum to 1. A gene with fewer than K neighbors has zeros at the end.
    """

    index: NDArray[np.int32]
    weight: Floats

    @classmethod
    def alone(cls, genes: int, topk: int) -> Self:
        """Neighbors in a network without edges: each gene has only itself."""
        index = np.repeat(np.arange(genes, dtype=np.int32)[:, None], topk, axis=1)
        weight = np.zeros((genes, topk), np.float32)
        weight[:, 0] = 1
        return cls(index, weight)

    def set_rows(self, genes: NDArray[np.int64], neighbors: NDArray[np.int64], weight: Floats) -> None:
        """Set the neighbors of `genes` (b,) to the first K of their nearest genes (b, k), with weights of norm 1."""
        neighbors, weight = neighbors[:, : self.index.shape[1]], weight[:, : self.index.shape[1]]
        self.index[genes, : neighbors.shape[1]] = neighbors
        self.weight[genes, : neighbors.shape[1]] = weight / np.linalg.norm(weight, axis=1, keepdims=True)


def networks(cell: CellGraph) -> tuple[str, ...]:
    """Names of the networks of a cell: gene-gene relations that have an edge between two genes, and `metabolic`."""
    names = [relation.name for relation in gene_relations(cell)]
    return (*names, schema.METABOLIC) if cell.relations[schema.GPR].num_edges else tuple(names)


def diffuse(cell: CellGraph, alpha: float, topk: int, names: Sequence[str]) -> dict[str, Neighbors]:
    """The nearest genes of each gene by `PageRank`, in each network (Gasteiger et al. 2019, arXiv:1911.05485).

    The weights are the K largest entries of each row of P, scaled to norm 1.

    Parameters
    ----------
    cell : CellGraph
    alpha : float
        Restart probability, in (0, 1]; a walk has about 1 / alpha steps.
    topk : int
        K, the gene itself included; at most N_g.
    names : sequence of str
        Names from `networks`.

    Returns
    -------
    dict of str to Neighbors
        By network. Time grows with the third power of the number of genes with an edge (seconds for 6,000 genes),
        memory with the second power, 4 bytes per pair of genes (`memory`).
    """
    n = cell.num_nodes(schema.GENE)
    neighbors = {name: Neighbors.alone(n, min(topk, n)) for name in names}
    for name in names:
        for block in PageRank(network(cell, name), alpha).nearest(topk):
            neighbors[name].set_rows(*block)
    return neighbors


def memory(cell: CellGraph) -> int:
    """Peak memory of `diffuse` in bytes: two matrices of all pairs of genes."""
    return 2 * 4 * cell.num_nodes(schema.GENE) ** 2


def adjacency(relation: Relation, n: int, weight: Floats | None = None) -> Any:
    """(n, n) sparse, symmetric, zero diagonal: the larger weight of both directions; 1 for each edge if None."""
    weight = np.ones(relation.num_edges, np.float32) if weight is None else weight
    one_way = _sparse(weight, relation.src, relation.dst, (n, n))
    return _without_diagonal(one_way.maximum(one_way.T))


def gene_relations(cell: CellGraph) -> list[Relation]:
    """The gene-gene relations that have an edge between two different genes."""
    relations = [r for r in cell.forward if r.src_type == r.dst_type == schema.GENE]
    return [r for r in relations if (r.src != r.dst).any()]


def network(cell: CellGraph, name: str) -> Any:
    """(N_g, N_g) sparse, symmetric, zero diagonal: the weights of the edges of a network.

    The weight of an edge is the square of its confidence, or 1 in a relation without confidence; directed edges count
    in both directions. In the network `metabolic`, two genes are neighbors if their reaction nodes share a metabolite
    m; the weight is the sum of `1 / d_m^2` over these pairs of nodes, where d_m is the number of nodes of m.
    Metabolites with more than 40 nodes are ignored.
    """
    n = cell.num_nodes(schema.GENE)
    if name == schema.METABOLIC:
        return _metabolic(cell, n)
    confidence = cell.relations[name].data.get(schema.CONFIDENCE)
    return adjacency(cell.relations[name], n, None if confidence is None else confidence**2)


def _metabolic(cell: CellGraph, n: int) -> Any:
    gpr, inside = cell.relations[schema.GPR], cell.relations[schema.IN]
    nodes, metabolites = cell.num_nodes(schema.REACTION), cell.num_nodes(schema.METABOLITE)
    degree = np.bincount(inside.src, minlength=metabolites)
    specific = degree[inside.src] <= CURRENCY
    share = (1 / degree[inside.src[specific]]).astype(np.float32)
    of_reactions = _sparse(share, inside.dst[specific], inside.src[specific], (nodes, metabolites))
    of_genes = _sparse(np.ones(gpr.num_edges, np.float32), gpr.src, gpr.dst, (n, nodes)) @ of_reactions
    return _without_diagonal(of_genes @ of_genes.T)


def _sparse(values: Floats, rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix((values, (rows, columns)), shape=shape)


def _without_diagonal(a: Any) -> Any:
    from scipy.sparse import diags

    a = (a - diags(a.diagonal())).tocsr()
    a.eliminate_zeros()
    return a


class PageRank:
    r"""Personalized PageRank of one network; it takes 4 bytes per pair of genes with an edge.

    .. math:: P = \alpha\,(I - (1 - \alpha)\, D^{-1/2} A D^{-1/2})^{-1}

    with the restart probability alpha and the weights A from `network`.

    Parameters
    ----------
    adjacency : sparse (N_g, N_g)
    alpha : float
        Restart probability alpha.

    Attributes
    ----------
    linked : (m,) int64
        Genes with an edge; others have no row and column in P.
    """

    def __init__(self, adjacency: Any, alpha: float) -> None:
        self.linked = np.flatnonzero(np.diff(adjacency.indptr))
        self._alpha = alpha
        self._lower = _inverse(adjacency[self.linked][:, self.linked], alpha)

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return self._lower.nbytes

    def nearest(self, k: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], Floats]]:
        """Blocks of genes (b,), for each the k genes with the largest P (b, k), fewer in a small network, and P."""
        for genes, p in self.blocks():
            # Rounded, so that genes with equal P are sorted by row and not by the last bit.
            columns = np.argsort(-p.round(6), axis=1, kind="stable")[:, :k]
            yield genes, self.linked[columns], np.take_along_axis(p, columns, axis=1)

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], Floats]]:
        """Rows of P in blocks: their genes (b,), and P (b, m) for the genes `linked`."""
        for start in range(0, len(self.linked), _BLOCK):
            rows = slice(start, min(start + _BLOCK, len(self.linked)))
            whole = np.tril(self._lower[rows], start) + np.tril(self._lower[:, rows], -start - 1).T
            yield self.linked[rows], np.maximum(self._alpha * whole, 0, dtype=np.float32)


def _inverse(adjacency: Any, alpha: float) -> Floats:
    """Lower triangle of the dense inverse (m, m), without the factor alpha; no row of `adjacency` is empty."""
    from scipy.linalg.lapack import spotrf, spotri
    from scipy.sparse import diags

    if not adjacency.shape[0]:
        return np.zeros((0, 0), np.float32)
    scale = diags(1 / np.sqrt(np.asarray(adjacency.sum(axis=1)).ravel()), dtype=np.float32)
    system = (scale @ adjacency @ scale).astype(np.float32).toarray()
    system *= alpha - 1
    system[np.diag_indices_from(system)] += 1
    # The matrix is symmetric; its transpose has the memory layout that LAPACK can overwrite.
    factor, failed = spotrf(system.T, lower=True, overwrite_a=True)
    lower, singular = spotri(factor, lower=True, overwrite_c=True)
    if failed or singular:
        raise ArithmeticError(f"no PageRank with alpha {alpha} (LAPACK {failed}, {singular})")
    return lower
