"""Additive ridge regression on the deleted genes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from dglcell import schema
from dglcell.baselines.base import Doubles, Flags, Floats, Rows, finish, held_out, indicator
from dglcell.genotypes.scaler import Scaler

if TYPE_CHECKING:
    from dglcell.genotypes.table import GenotypeTable
    from dglcell.graph.cell import CellGraph


class GeneRidge:
    """Additive ridge regression: one coefficient a deleted gene, `y = b + sum_{g in S} w_g`.

    `min |y - b - X w|^2 + penalty |w|^2` with the deletion indicator X `(n, N_g)`, sparse, each label on its own rows.
    The penalty is chosen from `penalties` on a tenth of the training genotypes. A gene without a training row has
    `w_g = 0`.
    """

    name = "gene-ridge"
    penalties = (0.1, 1.0, 10.0, 100.0)

    def fit(self, cell: CellGraph, table: GenotypeTable, rows: Rows, seed: int = 0) -> Self:
        """See `Baseline`."""
        self._scaler = Scaler.fit(table, rows)
        self._num_genes = cell.num_nodes(schema.GENE)
        train = table.take(rows)
        x, y = self._with_constant(train), self._scaler.transform(train.targets, train.orders)
        held = held_out(train, seed)
        self._weights = np.zeros((self._num_genes + 1, y.shape[1]))
        for k in range(y.shape[1]):
            known = np.isfinite(y[:, k])
            self._weights[:, k] = self._choose(x[known], y[known, k], held[known])
        return self

    def predict(self, table: GenotypeTable) -> Floats:
        """See `Baseline`."""
        return finish(self._with_constant(table) @ self._weights, self._scaler, table)

    def _choose(self, x: Any, y: Floats, held: Flags) -> Doubles:
        best = self.penalties[0]
        if held.any() and not held.all():
            fits = [(ridge(x[~held], y[~held], penalty), penalty) for penalty in self.penalties]
            best = min(fits, key=lambda fit: float(np.square(x[held] @ fit[0] - y[held]).sum()))[1]
        return ridge(x, y, best)

    def _with_constant(self, table: GenotypeTable) -> Any:
        """(n, N_g + 1) sparse, the last column all 1."""
        from scipy.sparse import hstack

        return hstack([indicator(table, self._num_genes), np.ones((len(table), 1))], format="csr")


def ridge(x: Any, y: Floats, penalty: float) -> Doubles:
    """Normal equations of sparse x `(n, d)` by conjugate gradients; the last column, the constant, is not penalised."""
    from scipy.sparse import diags
    from scipy.sparse.linalg import cg

    squares = np.full(x.shape[1], penalty)
    squares[-1] = 1e-8
    normal = (x.T @ x + diags(squares)).tocsr()
    scale = 1 / normal.diagonal()
    solution: Doubles = cg(normal, x.T @ y.astype(np.float64), rtol=1e-8, maxiter=2000, M=diags(scale))[0]
    return solution
