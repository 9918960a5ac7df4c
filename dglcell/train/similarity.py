"""Which genes behave alike, learned from training rows: a network of its own beside those that the cell has.

Owns what two genes have in common in the networks, as numbers, and how alike such genes were in the training rows.
Reads no row that is not for training. Knows no torch.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.genotypes.dataset import GenotypeTable
from dglcell.graph import diffusion
from dglcell.graph.cell import CellGraph
from dglcell.graph.diffusion import Neighbours

_CANDIDATES = 100  # nearest genes in each network
_LEAST = 1000  # candidates with a training label in common: fewer say nothing
_BACKGROUND = 0.8  # this share of the candidates is no more alike than any two genes
_ENTRIES = 1e7  # of profiles, taken together

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def learn(
    cell: CellGraph, table: GenotypeTable, values: Floats, restart: float, nearest: int, names: tuple[str, ...]
) -> Neighbours:
    r"""The genes that are expected to behave most like each gene.

    The covariance of two genes i, k over the contexts C (the other deletions of a genotype; none in a single one) in
    which both were measured,

    .. math:: s_{ik} = \operatorname{mean}_C\; y_{C \cup i}\, y_{C \cup k}

    is regressed by boosted trees on where i and k lie in the networks: personalised PageRank
    :math:`P_{ik} / \sqrt{P_{ii} P_{kk}}`, the edge between them, the smaller and the larger degree, for each network.
    So the prediction holds for genes without a training row, and learns which network, and which closeness in it,
    tells what. Pairs are those of the 100 nearest genes in any network. What the prediction exceeds its 80 % quantile
    by is the weight of an edge; each gene keeps its largest, and itself with the weight of the largest. Learning a
    kernel from pairwise targets: Cristianini et al. 2001, "On kernel-target alignment", NeurIPS 14; the trees: Friedman
    2001, doi:10.1214/aos/1013203451.

    Parameters
    ----------
    cell : CellGraph
    table : GenotypeTable
        Training rows alone.
    values : (n,)
        A standardised label of each, NaN where missing.
    restart : float
        As in `diffusion.diffuse`.
    nearest : int
        K, the gene itself included; at most N_g.
    names : tuple of str
        The networks, of `diffusion.networks`.

    Returns
    -------
    Neighbours
        Every gene alone if fewer than 1,000 pairs were measured in a common context. Takes twice the time of `diffuse`
        and that of the trees (half a minute for yeast on one core).
    """
    n = cell.num_nodes(schema.GENE)
    alone = Neighbours.alone(n, min(nearest, n))
    pairs = _candidates(cell, restart, names)
    mean, count = _covariances(table, values, n, pairs)
    known = count > 0
    if np.count_nonzero(known) < _LEAST:
        return alone
    from sklearn.ensemble import HistGradientBoostingRegressor

    x = _features(cell, restart, names, pairs)
    trees = HistGradientBoostingRegressor(
        max_iter=150, learning_rate=0.08, min_samples_leaf=200, l2_regularization=10.0, random_state=0
    ).set_params(early_stopping=False)
    alike = trees.fit(x[known], mean[known], count[known]).predict(x)
    return _neighbours(pairs, alike - np.quantile(alike, _BACKGROUND), alone)


@dataclasses.dataclass(frozen=True)
class _Pairs:
    """Pairs of genes, `first < second`, both (P,), by first and then second."""

    first: Rows
    second: Rows


def _candidates(cell: CellGraph, restart: float, names: tuple[str, ...]) -> _Pairs:
    n = cell.num_nodes(schema.GENE)
    keys = np.zeros(0, np.int64)
    for name in names:
        found = [keys]
        for genes, linked, p in diffusion.pagerank(diffusion.network(cell, name), restart):
            near, weight = diffusion.largest(p, _CANDIDATES)
            a, b = np.broadcast_arrays(genes[:, None], linked[near])
            kept = (weight > 0) & (a != b)
            found.append(np.minimum(a, b)[kept] * n + np.maximum(a, b)[kept])
        keys = np.unique(np.concatenate(found))
    return _Pairs(keys // n, keys % n)


def _features(cell: CellGraph, restart: float, names: tuple[str, ...], pairs: _Pairs) -> Floats:
    """(P, 4 R): closeness, edge, smaller and larger degree, network after network."""
    columns: list[NDArray[Any]] = []
    for name in names:
        a = diffusion.network(cell, name)
        degree = np.log1p(np.diff(a.indptr))[np.stack([pairs.first, pairs.second])]
        edge = np.asarray(a[pairs.first, pairs.second]).ravel()
        columns += [_closeness(a, restart, pairs), edge, degree.min(axis=0), degree.max(axis=0)]
    return np.stack(columns, axis=1).astype(np.float32)


def _closeness(adjacency: Any, restart: float, pairs: _Pairs) -> NDArray[np.float64]:
    n = adjacency.shape[0]
    found, own = np.zeros(len(pairs.first)), np.ones(n)
    for genes, linked, p in diffusion.pagerank(adjacency, restart):
        place = np.full(n, -1)
        place[linked] = np.arange(len(linked))
        own[genes] = p[np.arange(len(genes)), place[genes]]
        row = np.full(n, -1)
        row[genes] = np.arange(len(genes))
        here = np.flatnonzero((row[pairs.first] >= 0) & (place[pairs.second] >= 0))
        found[here] = p[row[pairs.first[here]], place[pairs.second[here]]]
    return found / np.sqrt(own[pairs.first] * own[pairs.second])


def _covariances(table: GenotypeTable, values: Floats, n: int, pairs: _Pairs) -> tuple[Floats, Floats]:
    """(P,) mean product of the values of two genes in a common context, and the number of these contexts."""
    y = profiles(table, values, n)
    pattern = y.copy()
    pattern.data = np.ones_like(y.data)
    total, count = np.zeros(len(pairs.first), np.float32), np.zeros(len(pairs.first), np.float32)
    has = np.diff(y.indptr) > 0
    known = np.flatnonzero(has[pairs.first] & has[pairs.second])
    block = max(1, int(_ENTRIES * np.count_nonzero(has) / max(1, y.nnz)))
    for start in range(0, len(known), block):
        k = known[start : start + block]
        a, b = pairs.first[k], pairs.second[k]
        total[k] = np.asarray(y[a].multiply(y[b]).sum(axis=1)).ravel()
        count[k] = np.asarray(pattern[a].multiply(pattern[b]).sum(axis=1)).ravel()
    return total / np.maximum(count, 1), count


def profiles(table: GenotypeTable, values: Floats, n: int) -> Any:
    """(n, contexts) sparse: of each gene the mean value in each context, the set of the other deletions of a row."""
    from scipy.sparse import csr_matrix

    rows = np.flatnonzero(np.isfinite(values) & (table.orders > 0))
    genes, contexts, found, contexts_so_far = [], [], [], 0
    for order in np.unique(table.orders[rows]):
        of_order = rows[table.orders[rows] == order]
        sets = table.genes[table.ptr[of_order][:, None] + np.arange(order)]
        others = np.concatenate([np.delete(sets, place, axis=1) for place in range(order)])
        which = np.unique(others, axis=0, return_inverse=True)[1].ravel() if order > 1 else np.zeros(len(sets), int)
        genes.append(sets.T.ravel())
        contexts.append(contexts_so_far + which)
        found.append(np.tile(values[of_order], order))
        contexts_so_far += int(which.max()) + 1
    if not genes:
        return csr_matrix((n, 1), dtype=np.float32)
    where = (np.concatenate(genes), np.concatenate(contexts))
    total = csr_matrix((np.concatenate(found), where), shape=(n, contexts_so_far))
    times = csr_matrix((np.ones(len(where[0]), np.float32), where), shape=(n, contexts_so_far))
    total.data /= times.data  # the same entries in the same order
    return total


def _neighbours(pairs: _Pairs, weight: NDArray[Any], alone: Neighbours) -> Neighbours:
    """Of each gene the pairs of largest weight above 0, and itself; `alone` is overwritten."""
    kept = weight > 0
    gene = np.concatenate([pairs.first[kept], pairs.second[kept]])
    other = np.concatenate([pairs.second[kept], pairs.first[kept]])
    weight = np.tile(weight[kept], 2)
    order = np.lexsort((other, -weight, gene))
    gene, other, weight = gene[order], other[order], weight[order]
    first = np.searchsorted(gene, np.arange(len(alone.index)))
    place = np.arange(len(gene)) - first[gene] + 1
    alone.weight[gene[place == 1], 0] = weight[place == 1]
    near = place < alone.index.shape[1]
    alone.index[gene[near], place[near]] = other[near]
    alone.weight[gene[near], place[near]] = weight[near]
    alone.weight[:] /= np.linalg.norm(alone.weight, axis=1, keepdims=True)
    return alone
