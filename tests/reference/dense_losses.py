"""The losses restated from their equations: float64, plain loops over rows, no sorting tricks and no autograd."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

Array = np.ndarray


def mse(predictions: Array, labels: Array) -> float:
    return sum((p - y) ** 2 for p, y in zip(predictions, labels, strict=True)) / len(labels)


def kde_cdf(x: float, labels: Array) -> float:
    """Gaussian kernel density estimate with Scott's bandwidth, integrated up to x."""
    n = len(labels)
    mean = sum(labels) / n
    sd = math.sqrt(sum((y - mean) ** 2 for y in labels) / (n - 1))
    bandwidth = sd * n ** (-1 / 5)
    return sum(0.5 * math.erfc(-(x - y) / bandwidth / math.sqrt(2)) for y in labels) / n


def kde_quantiles(n: int, labels: Array) -> Array:
    """Bisection of the full sum for every level (i - 0.5) / n."""
    span = max(labels) - min(labels)
    out = []
    for i in range(1, n + 1):
        low, high = min(labels) - 5 * span, max(labels) + 5 * span
        for _ in range(100):
            middle = (low + high) / 2
            if kde_cdf(middle, labels) < (i - 0.5) / n:
                low = middle
            else:
                high = middle
        out.append((low + high) / 2)
    return np.array(out)


def dist(predictions: Array, quantiles: Array) -> float:
    return mse(sorted(predictions), sorted(quantiles))


def supcr(z: Array, labels: Array, temperature: float = 0.1) -> float:
    n = len(labels)

    def similarity(i: int, j: int) -> float:
        return float(z[i] @ z[j] / math.sqrt(z[i] @ z[i]) / math.sqrt(z[j] @ z[j])) / temperature

    total = 0.0
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            below = sum(
                math.exp(similarity(i, k))
                for k in range(n)
                if k != i and abs(labels[i] - labels[k]) >= abs(labels[i] - labels[j])
            )
            total += -math.log(math.exp(similarity(i, j)) / below)
    return total / (n * (n - 1))


def cell(z_i: Array, z_w: Array, z_p: Array) -> float:
    return float(np.mean([[(z_i[b, k] - (z_w[k] + z_p[b, k])) ** 2 for k in range(len(z_w))] for b in range(len(z_i))]))


def per_label(term: Callable[[int, Array], float], labels: Array, weights: Sequence[float], least: int = 1) -> float:
    """Average of `term(column, rows)` over the labels with at least `least` rows, by weight."""
    parts = []
    for column, weight in enumerate(weights):
        rows = np.array([i for i in range(len(labels)) if not math.isnan(labels[i, column])], dtype=int)
        if len(rows) >= least and weight > 0:
            parts.append((weight, term(column, rows)))
    return sum(w * v for w, v in parts) / sum(w for w, _ in parts) if parts else 0.0
