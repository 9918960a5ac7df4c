"""How well predictions match measured labels: correlation and error, overall and by number of deletions.

Labels are on their original scale; correlations are scipy's. An undefined number is None (JSON null).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema

Metrics = dict[str, float | int | None]
FloatArray = NDArray[np.floating]

_CONSTANT = 1e-6  # spread over largest value below which float32 numbers count as one and the same


def pearson(predicted: FloatArray, measured: FloatArray) -> float | None:
    """Pearson correlation of two arrays `(n,)`; None with fewer than 2 rows or if one array is constant."""
    from scipy.stats import pearsonr

    return _correlation(pearsonr, predicted, measured)


def spearman(predicted: FloatArray, measured: FloatArray) -> float | None:
    """Rank correlation of two arrays `(n,)`, ties at their mean rank; None as for `pearson`."""
    from scipy.stats import spearmanr

    return _correlation(spearmanr, predicted, measured)


def compare(predicted: FloatArray, measured: FloatArray) -> Metrics:
    """All metrics of one label over the rows with both a prediction and a measurement.

    Parameters
    ----------
    predicted, measured : array, (n,)
        In the label's own unit; NaN where missing.

    Returns
    -------
    dict
        `pearson`, `spearman`, `mse`, `mae`, `n` (rows compared).
    """
    both = ~(np.isnan(predicted) | np.isnan(measured))
    p, m = np.asarray(predicted[both], np.float64), np.asarray(measured[both], np.float64)
    error = p - m
    return {
        "pearson": pearson(p, m),
        "spearman": spearman(p, m),
        "mse": float(np.mean(error**2)) if len(p) else None,
        "mae": float(np.mean(np.abs(error))) if len(p) else None,
        "n": len(p),
    }


def by_order(predicted: FloatArray, measured: FloatArray, orders: NDArray[np.integer]) -> dict[str, dict[str, Metrics]]:
    """Metrics of every label over all rows and for each number of deletions.

    Parameters
    ----------
    predicted, measured : array, (n, 2)
        Columns as `schema.LABELS`.
    orders : array, (n,)
        Number of deleted genes.

    Returns
    -------
    dict
        `{"all" | "order_k": {label: metrics}}`.
    """
    groups: dict[str, NDArray[Any]] = {"all": np.ones(len(orders), bool)}
    groups |= {f"order_{k}": orders == k for k in np.unique(orders)}
    return {
        name: {label: compare(predicted[rows, c], measured[rows, c]) for c, label in enumerate(schema.LABELS)}
        for name, rows in groups.items()
    }


def _correlation(statistic: Callable[..., Any], predicted: FloatArray, measured: FloatArray) -> float | None:
    """One of scipy's correlations, in float64; None where scipy would warn and return NaN."""
    x, y = np.asarray(predicted, np.float64), np.asarray(measured, np.float64)
    if len(x) < 2 or _is_constant(x) or _is_constant(y):
        return None
    return float(statistic(x, y).statistic)


def _is_constant(values: FloatArray) -> bool:
    return bool(values.std() <= _CONSTANT * np.abs(values).max())
