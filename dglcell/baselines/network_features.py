"""Features of genotypes from the positions of their genes in the gene-gene networks: spectral, degrees, paths.

They depend on the graph alone, not on labels and not on the sequence of the genes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.baselines.base import Doubles, Rows, pairs_of
from dglcell.graph.pagerank import adjacency, gene_relations

if TYPE_CHECKING:
    from dglcell.genotypes.table import GenotypeTable
    from dglcell.graph.cell import CellGraph

_PAIR_FEATURES = 3  # of each relation: shared neighbors, the same over the degrees, adjacency
_DENSE = 256  # genes up to which all eigenvectors are computed at once


class NetworkFeatures:
    """Features of genotypes from a cell graph.

    Features of a gene are, for each gene-gene relation, its entries in the leading eigenvectors of `D^-1/2 A D^-1/2`,
    without loops and with directed edges taken both ways (Ng, Jordan and Weiss 2002), scaled to mean square 1, and
    `log(1 + degree)`; also the gene features of the graph. Features of a genotype are the sums of these over its genes;
    the sums of their absolute differences and products over its pairs of genes; for each relation, the sums over its
    pairs of `log(1 + c_ij)` with c_ij shared neighbors, of `c_ij / sqrt(d_i d_j)`, and of edges; and the number of
    deleted genes.

    Parameters
    ----------
    cell : CellGraph
    eigenvectors : int
        Largest number for each relation.

    Attributes
    ----------
    genes : (N_g, d) float32
        The features of single genes.
    size : int
        D, the features of a genotype: 3 d + 3 relations + 1.
    """

    def __init__(self, cell: CellGraph, eigenvectors: int = 16) -> None:
        n = cell.num_nodes(schema.GENE)
        self._adjacency = [adjacency(relation, n) for relation in gene_relations(cell)]
        self._degrees = [np.asarray(a.sum(axis=1)).ravel() for a in self._adjacency]
        parts: list[NDArray[Any]] = [np.zeros((n, 0), np.float32)]
        for a, degree in zip(self._adjacency, self._degrees, strict=True):
            parts += [leading_eigenvectors(a, eigenvectors), np.log1p(degree)[:, None]]
        if cell.features is not None:
            parts.append(cell.features)
        self.genes: NDArray[np.float32] = np.concatenate(parts, axis=1).astype(np.float32)
        self.size = 3 * self.genes.shape[1] + _PAIR_FEATURES * len(self._adjacency) + 1

    def __call__(self, table: GenotypeTable) -> NDArray[np.float32]:
        """Features (n, D) of all rows."""
        from scipy.sparse import csr_matrix

        first, second, owner = pairs_of(table.genes, table.ptr)
        single = csr_matrix(
            (np.ones(len(table.genes), np.float32), table.genes, table.ptr), (len(table), len(self.genes))
        )
        gather = csr_matrix(
            (np.ones(len(owner), np.float32), (owner, np.arange(len(owner)))), shape=(len(table), len(owner))
        )
        a, b = self.genes[first], self.genes[second]
        parts = [
            single @ self.genes,
            gather @ np.abs(a - b),
            gather @ (a * b),
            gather @ self._of_pairs(first, second),
            table.orders[:, None],
        ]
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def _of_pairs(self, first: Rows, second: Rows) -> NDArray[np.float32]:
        """(P, 3 relations)."""
        if not len(first):  # scipy cannot index with empty arrays
            return np.zeros((0, _PAIR_FEATURES * len(self._adjacency)), np.float32)
        parts = [np.zeros((len(first), 0))]
        for a, degree in zip(self._adjacency, self._degrees, strict=True):
            rows = a[first]
            shared = np.asarray(rows.multiply(a[second]).sum(axis=1)).ravel()
            scale = np.sqrt(np.maximum(degree[first] * degree[second], 1))
            edge = np.asarray(a[first, second]).ravel()
            parts.append(np.stack([np.log1p(shared), shared / scale, edge], axis=1))
        return np.concatenate(parts, axis=1, dtype=np.float32)


def leading_eigenvectors(adjacency: Any, count: int) -> Doubles:
    """Eigenvectors of the largest eigenvalues of `D^-1/2 A D^-1/2`, `(N, k)`, k = min(count, N - 1).

    Parameters
    ----------
    adjacency : (N, N) sparse
        Symmetric, without negative entries.
    count : int

    Returns
    -------
    (N, k) float64
        Mean square 1; the entry of largest size is positive, so that signs are reproducible.

    Notes
    -----
    `sklearn.manifold.spectral_embedding` spans the same space, but divides it by the roots of the degrees, factorizes
    the Laplacian (4.3 s instead of 0.25 s for 6,604 yeast genes) and warns of every network with an isolated gene.
    `eigsh` needs products with the matrix alone.
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import eigsh

    n = adjacency.shape[0]
    count = min(count, n - 1)
    if count < 1:
        return np.zeros((n, 0))
    scale = diags(1 / np.sqrt(np.maximum(np.asarray(adjacency.sum(axis=1)).ravel(), 1)))
    normal = (scale @ adjacency @ scale).astype(np.float64)
    if n <= max(_DENSE, 2 * count):
        values, vectors = np.linalg.eigh(normal.toarray())
    else:
        values, vectors = eigsh(normal, k=count, which="LA", v0=np.random.default_rng(0).standard_normal(n))
    vectors = vectors[:, np.argsort(-values, kind="stable")[:count]]
    peak = vectors[np.argmax(np.abs(vectors), axis=0), np.arange(count)]
    leading: Doubles = vectors * np.sign(peak) * np.sqrt(n)
    return leading
