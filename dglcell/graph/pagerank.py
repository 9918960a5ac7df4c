"""Which genes lie near a gene: diffusion over the networks of a cell, cut to the nearest.

Owns the weights between genes that personalised PageRank gives each gene-gene network, and metabolism. Uses the graph
alone: no label enters. Knows no torch.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.graph.cell import CellGraph
from dglcell.graph.relation import Relation

# A metabolite of more reaction nodes (water, ATP, protons) says nothing about which genes work together.
CURRENCY = 40
_BLOCK = 512  # rows

Floats = NDArray[np.float32]


@dataclasses.dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest genes of every gene in one network.

    Attributes
    ----------
    index : (N_g, K) int32
        Rows of genes; the gene itself is among them.
    weight : (N_g, K) float32
        Not negative; the squares of a row sum to 1. Fewer than K neighbours leave zeros.
    """

    index: NDArray[np.int32]
    weight: Floats

    @classmethod
    def alone(cls, genes: int, nearest: int) -> Self:
        """Every gene its own only neighbour."""
        index = np.repeat(np.arange(genes, dtype=np.int32)[:, None], nearest, axis=1)
        weight = np.zeros((genes, nearest), np.float32)
        weight[:, 0] = 1
        return cls(index, weight)


def networks(cell: CellGraph) -> tuple[str, ...]:
    """Names of the networks of a cell: the gene-gene relations that join two genes, and metabolism."""
    found = [r.name for r in gene_relations(cell)]
    return (*found, schema.METABOLIC) if cell.relations[schema.GPR].num_edges else tuple(found)


@functools.lru_cache(maxsize=1)  # the members of an ensemble ask one after the other
def diffuse(cell: CellGraph, restart: float, nearest: int, names: tuple[str, ...]) -> dict[str, Neighbors]:
    r"""The nearest genes by personalised PageRank, for each of these networks.

    .. math:: P = \alpha\,(I - (1 - \alpha)\, D^{-1/2} A D^{-1/2})^{-1}

    with restart probability alpha; of each row the K largest entries are kept and scaled to length 1 (Gasteiger et al.
    2019, arXiv:1911.05485). A is symmetric (directed relations are taken both ways) without loops; an edge weighs the
    square of its confidence where the relation has any, else 1. Two genes are metabolic neighbours if reaction nodes
    of theirs share a metabolite m, with the weight `sum 1 / d_m^2` over such pairs of nodes, d_m the nodes of m, at
    most 40.

    Parameters
    ----------
    cell : CellGraph
    restart : float
        alpha, in (0, 1]: a walk has about 1 / alpha steps.
    nearest : int
        K, the gene itself included; at most N_g.
    names : tuple of str
        Of those that `networks` gives.

    Returns
    -------
    dict of str to Neighbors
        In the order of `names`. Time grows as the third power of the genes with an edge (seconds for 6,000), memory
        as the second: 4 bytes a pair of genes (`memory`).
    """
    n = cell.num_nodes(schema.GENE)
    return {name: _neighbours(network(cell, name), restart, min(nearest, n)) for name in names}


def memory(cell: CellGraph) -> int:
    """Bytes that `diffuse` needs for a while: the square of the genes, and as much again for what is beside it."""
    return 2 * 4 * cell.num_nodes(schema.GENE) ** 2


def adjacency(relation: Relation, n: int, weight: Floats | None = None) -> Any:
    """(n, n) sparse, symmetric and without a diagonal: the larger weight of both ways, 1 of an edge if None."""
    weight = np.ones(relation.num_edges, np.float32) if weight is None else weight
    one_way = _sparse(weight, relation.src, relation.dst, (n, n))
    return _without_diagonal(one_way.maximum(one_way.T))


def gene_relations(cell: CellGraph) -> list[Relation]:
    """The gene-gene relations that join two different genes."""
    relations = [r for r in cell.forward if r.src_type == r.dst_type == schema.GENE]
    return [r for r in relations if (r.src != r.dst).any()]


def network(cell: CellGraph, name: str) -> Any:
    """(N_g, N_g) sparse, symmetric and without a diagonal: A of `diffuse`."""
    n = cell.num_nodes(schema.GENE)
    if name == schema.METABOLIC:
        return _metabolic(cell, n)
    confidence = cell.relations[name].data.get(schema.CONFIDENCE)
    return adjacency(cell.relations[name], n, None if confidence is None else confidence**2)


def _metabolic(cell: CellGraph, n: int) -> Any:
    gpr, inside = cell.relations[schema.GPR], cell.relations[schema.IN]
    nodes, metabolites = cell.num_nodes(schema.REACTION), cell.num_nodes(schema.METABOLITE)
    degree = np.bincount(inside.src, minlength=metabolites)
    kept = degree[inside.src] <= CURRENCY
    share = (1 / degree[inside.src[kept]]).astype(np.float32)
    takes = _sparse(share, inside.dst[kept], inside.src[kept], (nodes, metabolites))
    catalyses = _sparse(np.ones(gpr.num_edges, np.float32), gpr.src, gpr.dst, (n, nodes))
    reaches = catalyses @ takes
    return _without_diagonal(reaches @ reaches.T)


def _sparse(values: Floats, rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix((values, (rows, columns)), shape=shape)


def _without_diagonal(a: Any) -> Any:
    from scipy.sparse import diags

    a = (a - diags(a.diagonal())).tocsr()
    a.eliminate_zeros()
    return a


def _neighbours(adjacency: Any, restart: float, nearest: int) -> Neighbors:
    alone = Neighbors.alone(adjacency.shape[0], nearest)
    for genes, linked, p in pagerank(adjacency, restart):
        near, found = largest(p, nearest)
        alone.index[genes, : near.shape[1]] = linked[near]
        alone.weight[genes, : near.shape[1]] = found / np.linalg.norm(found, axis=1, keepdims=True)
    return alone


def largest(p: Floats, k: int) -> tuple[NDArray[np.int64], Floats]:
    """Columns and values of the k largest entries of each row, at most as many as there are; the largest first."""
    # Rounded, so that genes alike in the network come by row and not by the last bit.
    near = np.argsort(-p.round(6), axis=1, kind="stable")[:, :k]
    return near, np.take_along_axis(p, near, axis=1)


def pagerank(adjacency: Any, restart: float) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], Floats]]:
    """P of `diffuse`, a block of rows after another: their genes (b,), the genes with an edge (m,), P (b, m).

    Genes without an edge have no row and no column.
    """
    linked = np.flatnonzero(np.diff(adjacency.indptr))
    if len(linked):
        for rows, p in _inverse(adjacency[linked][:, linked], restart):
            yield linked[rows], linked, p


def _inverse(adjacency: Any, restart: float) -> Iterator[tuple[slice, Floats]]:
    """Some rows after others of the dense (n, n); every row of `adjacency` has an entry."""
    from scipy.linalg.lapack import spotrf, spotri
    from scipy.sparse import diags

    n = adjacency.shape[0]
    scale = diags(1 / np.sqrt(np.asarray(adjacency.sum(axis=1)).ravel()), dtype=np.float32)
    system = (scale @ adjacency @ scale).astype(np.float32).toarray()
    system *= restart - 1
    system[np.diag_indices_from(system)] += 1
    # Symmetric, so its transpose is the same in the order that LAPACK overwrites in place.
    factor, failed = spotrf(system.T, lower=True, overwrite_a=True)
    lower, singular = spotri(factor, lower=True, overwrite_c=True)
    if failed or singular:
        raise ArithmeticError(f"no diffusion with restart {restart} (LAPACK {failed}, {singular})")
    for start in range(0, n, _BLOCK):
        rows = slice(start, min(start + _BLOCK, n))
        whole = np.tril(lower[rows], start) + np.tril(lower[:, rows], -start - 1).T
        yield rows, np.maximum(restart * whole, 0, dtype=np.float32)
