"""Ridge regression and boosted trees on the positions of the deleted genes in the gene-gene networks.

They use the position of a gene in the networks and not its identity, so they also predict genes without a training
row. No messages are passed, and nothing is learned about the networks themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.baselines.base import Distinct, Doubles, Floats, Rows, blocks, finish, held_out
from dglcell.baselines.network_features import NetworkFeatures
from dglcell.genotypes.scaler import Scaler

if TYPE_CHECKING:
    from dglcell.genotypes.table import GenotypeTable
    from dglcell.graph.cell import CellGraph

_PAIRS = 32_768  # of genes at a time: bounds the memory of features


class SpectralRidge:
    """Ridge regression on `NetworkFeatures`, standardized.

    `min sum_n c_n (y_n - b - x_n w)^2 + penalty |w|^2` with c_n rows of genotype n, solved from second moments. These
    are summed block by block, so that the features of a large screen are never all in memory. The penalty is chosen on
    a tenth of the training genotypes.
    """

    name = "spectral-ridge"
    penalties = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)
    eigenvectors = 32

    def fit(self, cell: CellGraph, table: GenotypeTable, rows: Rows, seed: int = 0) -> Self:
        """See `Baseline`."""
        self._scaler, self._features = Scaler.fit(table, rows), NetworkFeatures(cell, self.eigenvectors)
        train = table.take(rows)
        y = self._scaler.transform(train.targets, train.orders)
        self._weights = np.stack([self._fit(Distinct.of(train, column), seed) for column in y.T], axis=1)
        return self

    def predict(self, table: GenotypeTable) -> Floats:
        """See `Baseline`."""
        values = np.zeros((len(table), len(schema.LABELS)))
        for start, stop in blocks(table, _PAIRS):
            x = self._features(table.take(np.arange(start, stop)))
            values[start:stop] = x @ self._weights[1:] + self._weights[0]
        return finish(values, self._scaler, table)

    def _fit(self, data: Distinct, seed: int) -> Doubles:
        held = held_out(data.table, seed)
        training, validation = (Moments(self._features.size) for _ in range(2))
        for start, stop in blocks(data.table, _PAIRS):
            rows = np.arange(start, stop)
            x = self._features(data.table.take(rows)).astype(np.float64)
            for moments, part in ((training, ~held[rows]), (validation, held[rows])):
                moments.add(x[part], data.y[rows[part]], data.weight[rows[part]])
        penalty = self.penalties[-1]
        if held.any():
            penalty = min(self.penalties, key=lambda p: validation.error(training.ridge(p)))
        return (training + validation).ridge(penalty)


class Moments:
    """Weighted second moments of `[1, x, y]`, all that a linear fit and its squared error need.

    Parameters
    ----------
    size : int
        Columns of x.
    """

    def __init__(self, size: int) -> None:
        self.matrix = np.zeros((size + 2, size + 2))

    def add(self, x: Doubles, y: Doubles, weight: Doubles) -> None:
        """Add rows x `(n, size)`, y `(n,)`, each counted `weight` times."""
        z = np.column_stack([np.ones(len(x)), x, y])
        self.matrix += z.T @ (z * weight[:, None])

    def __add__(self, other: Moments) -> Moments:
        both = Moments(len(self.matrix) - 2)
        both.matrix = self.matrix + other.matrix
        return both

    def ridge(self, penalty: float) -> Doubles:
        """Constant and coefficients (1 + size,), the penalty on standardized columns; a constant column has 0."""
        n, sums = self.matrix[0, 0], self.matrix[0, 1:]
        if not n:
            return np.zeros(len(self.matrix) - 1)
        centered = self.matrix[1:, 1:] - np.outer(sums, sums) / n
        square = np.diag(self.matrix)[1:-1]
        spread = np.diag(centered)[:-1]
        scale = np.where(spread > 1e-9 * square, np.sqrt(n / np.maximum(spread, 1e-300)), 0.0)
        normal = centered[:-1, :-1] * np.outer(scale, scale) + penalty * np.eye(len(scale))
        w = scale * np.linalg.solve(normal, scale * centered[:-1, -1])
        mean = sums / n
        return np.concatenate([[mean[-1] - mean[:-1] @ w], w])

    def error(self, weights: Doubles) -> float:
        """Sum of squared errors of a fit with these weights."""
        residual = np.append(-weights, 1.0)
        return float(residual @ self.matrix @ residual)


class SpectralTrees:
    """Gradient-boosted regression trees on `NetworkFeatures` (Friedman 2001, doi:10.1214/aos/1013203451).

    Histogram-based (scikit-learn). The number of trees is chosen on a tenth of the training genotypes. With more than
    `largest` training genotypes, a random sample of that size is used, because all features must be in memory.
    """

    name = "spectral-trees"
    eigenvectors = 16
    largest = 200_000
    trees = 200

    def fit(self, cell: CellGraph, table: GenotypeTable, rows: Rows, seed: int = 0) -> Self:
        """See `Baseline`."""
        self._scaler, self._features = Scaler.fit(table, rows), NetworkFeatures(cell, self.eigenvectors)
        train = table.take(rows)
        y = self._scaler.transform(train.targets, train.orders)
        self._forests = [self._fit(Distinct.of(train, column), seed) for column in y.T]
        return self

    def predict(self, table: GenotypeTable) -> Floats:
        """See `Baseline`."""
        values = np.zeros((len(table), len(schema.LABELS)))
        for start, stop in blocks(table, _PAIRS):
            x = self._features(table.take(np.arange(start, stop)))
            for k, forest in enumerate(self._forests):
                values[start:stop, k] = forest.predict(x) if forest is not None else 0.0
        return finish(values, self._scaler, table)

    def _fit(self, data: Distinct, seed: int) -> Any:
        """Trees, or None without a row."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        rows = np.arange(len(data.y))
        if not len(rows):
            return None
        if len(rows) > self.largest:
            rows = np.sort(np.random.default_rng(seed).choice(len(rows), self.largest, replace=False))
        forest = HistGradientBoostingRegressor(
            max_iter=self.trees,
            learning_rate=0.1,
            max_leaf_nodes=63,
            min_samples_leaf=50 if len(rows) >= 10_000 else 10,
            early_stopping=len(rows) >= 100,
            validation_fraction=0.1,
            n_iter_no_change=40,
            random_state=seed,
        )
        return forest.fit(self._all(data.table.take(rows)), data.y[rows], sample_weight=data.weight[rows])

    def _all(self, table: GenotypeTable) -> NDArray[np.float32]:
        """Features (n, D), computed block by block."""
        x = np.empty((len(table), self._features.size), np.float32)
        for start, stop in blocks(table, _PAIRS):
            x[start:stop] = self._features(table.take(np.arange(start, stop)))
        return x
