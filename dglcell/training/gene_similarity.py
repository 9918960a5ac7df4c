"""The network `similarity`: which genes have similar effects, learned from the training rows and the networks.

The PageRank of the networks, which takes most of the time, is computed once for this and for the neighbors that
`pagerank.diffuse` would return.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dglcell import schema
from dglcell.engines.memory import free_memory
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph import pagerank
from dglcell.graph.cell import CellGraph
from dglcell.graph.pagerank import Neighbors, PageRank

_CANDIDATES = 100  # nearest genes in each network
_LEAST = 1000  # candidates with a training label in common: fewer say nothing
_BACKGROUND = 0.8  # this share of the candidates is no more alike than any two genes
_ROOM = 4  # a PageRank matrix is kept in memory only if this many of its size would fit into the free memory

_ENTRIES = 1e7  # entries of sparse profiles that are multiplied at a time
_DENSER = 1000  # multiplications of a dense product in the time of one entry of a sparse row
_COLUMNS = 4096  # contexts in a block of a dense product

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def learn(
    cell: CellGraph, table: GenotypeTable, values: Floats, alpha: float, topk: int, names: Sequence[str]
) -> dict[str, Neighbors]:
    r"""The nearest genes in each network, as from `pagerank.diffuse`, and those expected to have similar effects.

    The covariance of two genes i, k over the contexts C (the other deletions of a genotype; none for a single
    deletion) in which both were measured,

    .. math:: s_{ik} = \operatorname{mean}_C\; y_{C \cup i}\, y_{C \cup k}

    is predicted by boosted trees from the positions of i and k in the networks: for each network personalized PageRank
    :math:`P_{ik} / \sqrt{P_{ii} P_{kk}}`, the edge between them, the smaller and the larger degree. The trees learn
    which networks are informative, and predict genes without a training row as well. Pairs are those of a gene and its
    100 nearest in any network. The weight of an edge is the amount by which the prediction exceeds its 80 % quantile;
    each gene keeps its edges of largest weight, and itself with the weight of the largest. For genes with training rows
    the network is fitted to these rows, as all weights of a model are. The result does not depend on the number of
    threads. Learning a kernel from pairwise targets: Cristianini et al. 2001, "On kernel-target alignment", NeurIPS 14;
    the trees: Friedman 2001, doi:10.1214/aos/1013203451.

    Parameters
    ----------
    cell : CellGraph
    table : GenotypeTable
        Training rows alone.
    values : (n,)
        One standardized label of each row, NaN where missing.
    alpha : float
        As in `pagerank.diffuse`.
    topk : int
        K, the gene itself included; at most N_g.
    names : sequence of str
        The networks, of `pagerank.networks`.

    Returns
    -------
    dict of str to Neighbors
        By network, first `names`, then `schema.SIMILARITY`; in the latter every gene has no neighbor but itself if
        fewer than 1,000 pairs were measured in a common context. Run time: that of `diffuse` on one core and half a
        minute for the trees (yeast); twice that of `diffuse` if memory does not hold the PageRank of all networks.
    """
    from threadpoolctl import threadpool_limits

    n = cell.num_nodes(schema.GENE)
    width = min(topk, n)
    in_networks = {name: Neighbors.alone(n, width) for name in names}
    with threadpool_limits(1):  # sums must not depend on the number of threads
        pairs, ranks = _candidates(cell, alpha, in_networks)
        learned = _learn(cell, table, values, alpha, pairs, ranks, Neighbors.alone(n, width))
    return {**in_networks, schema.SIMILARITY: learned}


def _learn(
    cell: CellGraph,
    table: GenotypeTable,
    values: Floats,
    alpha: float,
    pairs: _Pairs,
    ranks: dict[str, PageRank | None],
    alone: Neighbors,
) -> Neighbors:
    mean, count = _covariances(table, values, cell.num_nodes(schema.GENE), pairs)
    measured = count > 0
    if np.count_nonzero(measured) < _LEAST:
        return alone
    from sklearn.ensemble import HistGradientBoostingRegressor

    x = _features(cell, alpha, ranks, pairs)
    trees = HistGradientBoostingRegressor(
        max_iter=150,
        learning_rate=0.08,
        min_samples_leaf=200,
        l2_regularization=10.0,
        early_stopping=False,
        random_state=0,
    )
    covariance = trees.fit(x[measured], mean[measured], count[measured]).predict(x).round(6)
    return _strongest(pairs, covariance - np.quantile(covariance, _BACKGROUND), alone)


def memory(cell: CellGraph, networks: int) -> int:
    """Bytes that `learn` needs in addition to `pagerank.memory`: about 300 for each pair of genes."""
    return 300 * _CANDIDATES // 2 * cell.num_nodes(schema.GENE) * networks


@dataclasses.dataclass(frozen=True)
class _Pairs:
    """Pairs of genes, `first < second`, both (P,), sorted by first and then second."""

    first: Rows
    second: Rows


def _candidates(
    cell: CellGraph, alpha: float, in_networks: dict[str, Neighbors]
) -> tuple[_Pairs, dict[str, PageRank | None]]:
    """Pairs of a gene and its nearest in any network; the networks' PageRank, None if memory is too small for it.

    Also fills in the neighbors in each network.
    """
    n = cell.num_nodes(schema.GENE)
    keys = np.zeros(0, np.int64)
    ranks: dict[str, PageRank | None] = {}
    for name, neighbors_there in in_networks.items():
        rank = PageRank(pagerank.network(cell, name), alpha)
        parts = [keys]
        for genes, neighbors, weight in rank.nearest(max(_CANDIDATES, neighbors_there.index.shape[1])):
            neighbors_there.set_rows(genes, neighbors, weight)
            neighbors, weight = neighbors[:, :_CANDIDATES], weight[:, :_CANDIDATES]
            a, b = np.broadcast_arrays(genes[:, None], neighbors)
            distinct = (weight > 0) & (a != b)
            parts.append(np.minimum(a, b)[distinct] * n + np.maximum(a, b)[distinct])
        keys = np.unique(np.concatenate(parts))
        ranks[name] = rank if _ROOM * rank.nbytes < free_memory(torch.device("cpu")) else None
    return _Pairs(keys // n, keys % n), ranks


def _features(cell: CellGraph, alpha: float, ranks: dict[str, PageRank | None], pairs: _Pairs) -> Floats:
    """(P, 4 R): closeness, edge, smaller and larger degree, network after network; empties `ranks`."""
    x = np.empty((len(pairs.first), 4 * len(ranks)), np.float32)
    for column, name in enumerate(list(ranks)):
        a = pagerank.network(cell, name)
        degree = np.log1p(np.diff(a.indptr))
        first, second = degree[pairs.first], degree[pairs.second]
        edge = np.asarray(a[pairs.first, pairs.second]).ravel()
        closeness = _closeness(ranks.pop(name) or PageRank(a, alpha), len(degree), pairs)
        for offset, values in enumerate((closeness, edge, np.minimum(first, second), np.maximum(first, second))):
            x[:, 4 * column + offset] = values.round(5)  # trees split ties where the last bits differ
    return x


def _closeness(rank: PageRank, n: int, pairs: _Pairs) -> NDArray[np.float64]:
    """(P,) personalized PageRank between the genes of a pair, scaled to 1 for a gene and itself."""
    between, own = np.zeros(len(pairs.first)), np.ones(n)
    column = np.full(n, -1)
    column[rank.linked] = np.arange(len(rank.linked))
    for genes, p in rank.blocks():
        own[genes] = p[np.arange(len(genes)), column[genes]]
        row = np.full(n, -1)
        row[genes] = np.arange(len(genes))
        here = np.flatnonzero((row[pairs.first] >= 0) & (column[pairs.second] >= 0))
        between[here] = p[row[pairs.first[here]], column[pairs.second[here]]]
    return between / np.sqrt(own[pairs.first] * own[pairs.second])


def _covariances(table: GenotypeTable, values: Floats, n: int, pairs: _Pairs) -> tuple[Floats, Floats]:
    """(P,) mean product of the values of two genes in a common context, and the number of these contexts."""
    y = _profiles(table, values, n)
    pattern = y.copy()
    pattern.data = np.ones_like(y.data)
    total, count = np.zeros(len(pairs.first), np.float32), np.zeros(len(pairs.first), np.float32)
    has = np.flatnonzero(np.diff(y.indptr))
    row = np.full(n, -1)
    row[has] = np.arange(len(has))
    known = np.flatnonzero((row[pairs.first] >= 0) & (row[pairs.second] >= 0))
    a, b = row[pairs.first[known]], row[pairs.second[known]]
    # A product of dense matrices does 1,000 multiplications in the time of one entry of a sparse row.
    products = _dense if len(known) * y.nnz * _DENSER > len(has) ** 3 * y.shape[1] else _sparse
    total[known], count[known] = products(y[has], a, b), products(pattern[has], a, b)
    return (total / np.maximum(count, 1)).astype(np.float32), count.round()


def _sparse(y: Any, a: Rows, b: Rows) -> Floats:
    """Scalar products of rows a and b of a sparse matrix, pair by pair."""
    products = np.empty(len(a), np.float32)
    block = max(1, int(_ENTRIES * y.shape[0] / max(1, y.nnz)))
    for start in range(0, len(a), block):
        k = slice(start, start + block)
        products[k] = np.asarray(y[a[k]].multiply(y[b[k]]).sum(axis=1)).ravel()
    return products


def _dense(y: Any, a: Rows, b: Rows) -> Floats:
    """The same from the products of all pairs of rows, summed over blocks of columns."""
    whole = np.zeros((y.shape[0], y.shape[0]), np.float32)
    columns = y.tocsc()
    for start in range(0, y.shape[1], _COLUMNS):
        block = columns[:, start : start + _COLUMNS].toarray()
        whole += block @ block.T
    return np.asarray(whole[a, b])


def _profiles(table: GenotypeTable, values: Floats, n: int) -> Any:
    """(n, contexts) sparse: the mean value of each gene in each context, the other deletions of a row."""
    from scipy.sparse import csr_matrix

    rows = np.flatnonzero(np.isfinite(values) & (table.orders > 0))
    genes, contexts, measured, contexts_so_far = [], [], [], 0
    for order in np.unique(table.orders[rows]):
        of_order = rows[table.orders[rows] == order]
        sets = table.genes[table.ptr[of_order][:, None] + np.arange(order)]
        others = np.concatenate([np.delete(sets, place, axis=1) for place in range(order)])
        numbers = _set_numbers(others, n)
        genes.append(sets.T.ravel())
        contexts.append(contexts_so_far + numbers)
        measured.append(np.tile(values[of_order], order))
        contexts_so_far += int(numbers.max()) + 1
    if not genes:
        return csr_matrix((n, 1), dtype=np.float32)
    entries = (np.concatenate(genes), np.concatenate(contexts))
    total = csr_matrix((np.concatenate(measured), entries), shape=(n, contexts_so_far))
    times = csr_matrix((np.ones(len(entries[0]), np.float32), entries), shape=(n, contexts_so_far))
    total.data /= times.data  # both matrices store the same entries in the same sequence
    return total


def _set_numbers(sets: NDArray[np.int32], n: int) -> Rows:
    """(m,) number of each row of `sets (m, k)`: equal rows have the same number, counted from 0 without gaps."""
    if sets.shape[1] == 0:
        return np.zeros(len(sets), np.int64)
    if n ** sets.shape[1] > np.iinfo(np.int64).max:
        return np.unique(sets, axis=0, return_inverse=True)[1].ravel()
    keys = np.zeros(len(sets), np.int64)
    for column in sets.T:
        keys = keys * n + column
    return np.unique(keys, return_inverse=True)[1]


def _strongest(pairs: _Pairs, weight: NDArray[Any], alone: Neighbors) -> Neighbors:
    """For each gene the pairs with the largest weights above 0, and itself; `alone` is overwritten."""
    edges = weight > 0
    gene = np.concatenate([pairs.first[edges], pairs.second[edges]])
    other = np.concatenate([pairs.second[edges], pairs.first[edges]])
    weight = np.tile(weight[edges], 2)
    sorting = np.lexsort((other, -weight, gene))
    gene, other, weight = gene[sorting], other[sorting], weight[sorting]
    first = np.searchsorted(gene, np.arange(len(alone.index)))
    place = np.arange(len(gene)) - first[gene] + 1
    alone.weight[gene[place == 1], 0] = weight[place == 1]
    is_stored = place < alone.index.shape[1]
    alone.index[gene[is_stored], place[is_stored]] = other[is_stored]
    alone.weight[gene[is_stored], place[is_stored]] = weight[is_stored]
    alone.weight[:] /= np.linalg.norm(alone.weight, axis=1, keepdims=True)
    return alone
