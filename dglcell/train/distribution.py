"""The distribution of a label as a Gaussian kernel density estimate, and its quantiles for any batch size.

A batch of n labelled genotypes needs n quantiles, and n changes from batch to batch; so the distribution function is
tabulated once and inverted on the table. Knows nothing of torch or of losses.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]

_STEPS = 16  # table points per bandwidth: with quintic pieces the error is 3e-12 of probability
_REACH = 8  # bandwidths from a label beyond which its kernel is 0 or 1 in float64
_BLOCK = 1 << 22  # kernel evaluations held at a time


class LabelDistribution:
    """F, the distribution function of a Gaussian kernel density estimate with Scott's bandwidth, and its inverse.

    .. math:: F(x) = \\frac1N \\sum_j \\Phi\\!\\left(\\frac{x - y_j}{b}\\right), \\qquad b = N^{-1/5}\\,\\mathrm{sd}(y)

    The sd has N - 1 in its denominator (as in scipy's `gaussian_kde`).

    Parameters
    ----------
    values, counts : arrays, (U,)
        Distinct labels, ascending, U >= 2, and how often each occurs. Use `fit` for plain labels.
    """

    def __init__(self, values: FloatArray, counts: NDArray[np.integer]) -> None:
        from scipy.interpolate import BPoly

        self._values = np.asarray(values, np.float64)
        self._weights = counts / counts.sum()
        n = int(counts.sum())
        variance = float(self._weights @ (self._values - self._weights @ self._values) ** 2) * n / (n - 1)
        self.bandwidth = n ** (-0.2) * variance**0.5
        self._x = self._grid()
        derivatives = self._tabulate(self._x)
        # Clamped to be monotone to the last bit, so that a level is always bracketed by its piece.
        self._cdf = np.maximum.accumulate(derivatives[:, 0])
        derivatives[:, 0] = self._cdf
        self._piecewise = BPoly.from_derivatives(self._x, derivatives)
        self._cache: dict[int, NDArray[np.float64]] = {}

    @classmethod
    def fit(cls, labels: FloatArray) -> LabelDistribution | None:
        """The distribution of labels `(N,)`, NaN left out; None with fewer than 2 distinct values."""
        labels = np.asarray(labels, np.float64)
        values, counts = np.unique(labels[~np.isnan(labels)], return_counts=True)
        return cls(values, counts) if len(values) >= 2 else None

    def quantiles(self, n: int) -> NDArray[np.float64]:
        """The `n` quantiles at (i - 0.5) / n, i = 1 .. n, ascending."""
        if n not in self._cache:
            self._cache[n] = self._invert((np.arange(n) + 0.5) / n)
        return self._cache[n]

    def cdf(self, x: FloatArray) -> NDArray[np.float64]:
        """F at `x (n,)`, summed over all labels."""
        return self._tabulate(np.asarray(x, np.float64))[:, 0]

    def _grid(self) -> NDArray[np.float64]:
        """Multiples of bandwidth / 16 within reach of a label; a far outlier adds its own stretch and no more."""
        step = self.bandwidth / _STEPS
        origin = self._values[0]
        occupied = np.unique(np.round((self._values - origin) / step).astype(np.int64))
        reach = _REACH * _STEPS
        starts = np.concatenate([[True], np.diff(occupied) > 2 * reach])
        ends = np.concatenate([starts[1:], [True]])
        pieces = [
            np.arange(low - reach, high + reach + 1) for low, high in zip(occupied[starts], occupied[ends], strict=True)
        ]
        grid: NDArray[np.float64] = origin + np.unique(np.concatenate(pieces)) * step
        return grid

    def _tabulate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """F, F' and F'' at `x (n,)` -> (n, 3)."""
        from scipy.special import ndtr

        out = np.empty((len(x), 3))
        rows = max(1, _BLOCK // len(self._values))
        for start in range(0, len(x), rows):
            u = (x[start : start + rows, None] - self._values) / self.bandwidth
            kernel = np.exp(-0.5 * u * u) / np.sqrt(2 * np.pi)
            block = out[start : start + rows]
            block[:, 0] = ndtr(u) @ self._weights
            block[:, 1] = kernel @ self._weights / self.bandwidth
            block[:, 2] = (-u * kernel) @ self._weights / self.bandwidth**2
        return out

    def _invert(self, levels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bisection within the table's piece that brackets each level."""
        piece = np.clip(np.searchsorted(self._cdf, levels), 1, len(self._x) - 1)
        low, high = self._x[piece - 1], self._x[piece]
        for _ in range(60):
            middle = 0.5 * (low + high)
            below = self._piecewise(middle) < levels
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        quantiles: NDArray[np.float64] = np.maximum.accumulate(0.5 * (low + high))
        return quantiles
