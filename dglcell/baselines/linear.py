"""Baselines that predict a weighted sum of the training labels: means, and additive ridge regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from dglcell import schema
from dglcell.baselines.base import Doubles, Flags, Floats, Rows, finish, held_out, indicator, pairs_of
from dglcell.genotypes.scaler import Scaler

if TYPE_CHECKING:
    from dglcell.genotypes.table import GenotypeTable
    from dglcell.graph.cell import CellGraph

_PAIR_ORDER = 3  # from this number of deletions on, genotypes can have a pair of genes in common


class Mean:
    """The mean of the training labels, of interactions by number of deletions."""

    name = "mean"

    def fit(self, cell: CellGraph, table: GenotypeTable, rows: Rows, seed: int = 0) -> Self:
        """See `Baseline`."""
        self._scaler = Scaler.fit(table, rows)
        return self

    def predict(self, table: GenotypeTable) -> Floats:
        """See `Baseline`."""
        return finish(np.zeros((len(table), len(schema.LABELS))), self._scaler, table)


class QueryMean:
    """Mean of the training genotypes that have genes, or pairs of genes, in common with a genotype.

    `y_S = sum_t w_t m_t / sum_t w_t` over the genes or pairs t of S that occur in the training rows, with
    `m_t = s_t / (n_t + c)` the mean of their standardized labels, shrunk toward 0, and `w_t = n_t / (n_t + c)`. For a
    genotype with three or more deletions, t are its pairs of genes, as they occur in training genotypes with three or
    more deletions; for a pair, or if no such pair occurs, t are its genes. Without any t, the prediction is the mean of
    all labels. Any gene may be the query: in a triple mutant of a double-mutant query, the query pair was measured
    often, so its weight is the largest.
    """

    name = "query-mean"
    shrinkage = 5.0  # c, in rows

    def fit(self, cell: CellGraph, table: GenotypeTable, rows: Rows, seed: int = 0) -> Self:
        """See `Baseline`."""
        self._scaler = Scaler.fit(table, rows)
        self._num_genes = cell.num_nodes(schema.GENE)
        train = table.take(rows)
        y = self._scaler.transform(train.targets, train.orders)
        known, values = np.isfinite(y).astype(np.float64), np.nan_to_num(y.astype(np.float64))
        genes = indicator(train, self._num_genes).T
        self._genes = self._shrunk(genes @ values, genes @ known)
        high = np.flatnonzero(train.orders >= _PAIR_ORDER)
        keys, owner = self._pairs(train.take(high))
        self._keys, part = np.unique(keys, return_inverse=True)
        sums = np.zeros((2, len(self._keys), y.shape[1]))
        for total, column in zip(sums, (values, known), strict=True):
            np.add.at(total, part, column[high[owner]])
        self._pair_means = self._shrunk(*sums)
        return self

    def predict(self, table: GenotypeTable) -> Floats:
        """See `Baseline`."""
        deleted = indicator(table, self._num_genes)
        total, weight = (deleted @ part for part in self._genes)
        high = np.flatnonzero(table.orders >= _PAIR_ORDER)
        keys, owner = self._pairs(table.take(high))
        place = np.searchsorted(self._keys, keys)
        seen = np.flatnonzero(np.append(self._keys, -1)[place] == keys)
        by_pair = np.zeros((2, len(table), total.shape[1]))
        for shared, part in zip(by_pair, self._pair_means, strict=True):
            np.add.at(shared, high[owner[seen]], part[place[seen]])
        by_gene = by_pair[1] == 0  # no pair of the genotype occurs in the training rows
        total, weight = np.where(by_gene, total, by_pair[0]), np.where(by_gene, weight, by_pair[1])
        return finish(total / np.where(weight > 0, weight, 1), self._scaler, table)

    def _shrunk(self, total: Doubles, count: Doubles) -> tuple[Doubles, Doubles]:
        """Weighted shrunken means `w m` and their weights w."""
        weight = count / (count + self.shrinkage)
        return weight * total / (count + self.shrinkage), weight

    def _pairs(self, table: GenotypeTable) -> tuple[Rows, Rows]:
        """A number for each pair of genes in each genotype, and the genotype's row."""
        first, second, owner = pairs_of(table.genes, table.ptr)
        return np.minimum(first, second) * self._num_genes + np.maximum(first, second), owner


class GeneRidge:
    """Additive ridge regression: one coefficient for each deleted gene, `y = b + sum_{g in S} w_g`.

    `min |y - b - X w|^2 + penalty |w|^2` with the sparse deletion indicator X `(n, N_g)`, for each label on the rows
    that have it (scikit-learn's `Ridge`). The penalty is chosen from `penalties` on a tenth of the training genotypes.
    A gene without a training row has `w_g = 0`.
    """

    name = "gene-ridge"
    penalties = (0.1, 1.0, 10.0, 100.0)

    def fit(self, cell: CellGraph, table: GenotypeTable, rows: Rows, seed: int = 0) -> Self:
        """See `Baseline`."""
        self._scaler = Scaler.fit(table, rows)
        self._num_genes = cell.num_nodes(schema.GENE)
        train = table.take(rows)
        x, y = indicator(train, self._num_genes), self._scaler.transform(train.targets, train.orders)
        held = held_out(train, seed)
        self._weights = np.zeros((self._num_genes + 1, y.shape[1]))
        for k, column in enumerate(y.T):
            known = np.isfinite(column)
            if known.any():
                self._weights[:, k] = self._choose(x[known], column[known].astype(np.float64), held[known])
        return self

    def predict(self, table: GenotypeTable) -> Floats:
        """See `Baseline`."""
        return finish(_linear(indicator(table, self._num_genes), self._weights), self._scaler, table)

    def _choose(self, x: Any, y: Doubles, held: Flags) -> Doubles:
        best = self.penalties[0]
        if held.any() and not held.all():
            fits = [(ridge(x[~held], y[~held], penalty), penalty) for penalty in self.penalties]
            best = min(fits, key=lambda fit: float(np.square(_linear(x[held], fit[0]) - y[held]).sum()))[1]
        return ridge(x, y, best)


def ridge(x: Any, y: Doubles, penalty: float) -> Doubles:
    """Coefficients and constant `(d + 1,)` of ridge regression on sparse x `(n, d)`; the constant is not penalized."""
    from sklearn.linear_model import Ridge
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # conjugate gradients on vectors of this size are slower with more threads
        fit = Ridge(penalty, solver="sparse_cg", tol=1e-8).fit(x, y)
    return np.append(fit.coef_, fit.intercept_)


def _linear(x: Any, weights: Doubles) -> Doubles:
    """`x w + b` with the result of `ridge`, of one fit or one in each column."""
    values: Doubles = x @ weights[:-1] + weights[-1]
    return values
