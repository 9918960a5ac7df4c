"""The distribution of a label as a Gaussian kernel density estimate, and its quantiles for any batch size.

A batch of n labeled genotypes needs n quantiles, and n changes from batch to batch; so the distribution function is
tabulated once and inverted on the table.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]

_STEPS = 16  # table points per bandwidth: with quintic pieces the error is 3e-12 of probability
_REACH = 8  # bandwidths from a label beyond which its kernel is 0 or 1 in float64
_TERMS = 8  # terms of the Taylor series that moves a label to the nearest table point, at most 1/32 bandwidth away


class LabelDistribution:
    r"""F, the distribution function of a Gaussian kernel density estimate with Scott's bandwidth, and its inverse.

    .. math:: F(x) = \frac1N \sum_j \Phi\!\left(\frac{x - y_j}{b}\right), \qquad b = N^{-1/5}\,\mathrm{sd}(y)

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
        self._x, derivatives = self._tabulate()
        # Forced to be monotone despite rounding, so that a level always lies within its piece.
        self._cdf = np.maximum.accumulate(derivatives[:, 0])
        derivatives[:, 0] = self._cdf
        self._piecewise = BPoly.from_derivatives(self._x, derivatives)
        self._cache: dict[int, NDArray[np.float64]] = {}

    @classmethod
    def fit(cls, labels: FloatArray) -> LabelDistribution | None:
        """The distribution of labels `(N,)` without NaN; None with fewer than 2 distinct values."""
        labels = np.asarray(labels, np.float64)
        values, counts = np.unique(labels[~np.isnan(labels)], return_counts=True)
        return cls(values, counts) if len(values) >= 2 else None

    def quantiles(self, n: int) -> NDArray[np.float64]:
        """The `n` quantiles at (i - 0.5) / n, i = 1 .. n, ascending."""
        if n not in self._cache:
            self._cache[n] = self._invert((np.arange(n) + 0.5) / n)
        return self._cache[n]

    def cdf(self, x: FloatArray) -> NDArray[np.float64]:
        """F at `x (n,)`."""
        inside = self._piecewise(np.clip(x, self._x[0], self._x[-1]))
        return np.asarray(inside, np.float64)

    def _tabulate(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        r"""Table points x (G,), and F, F', F'' there (G, 3).

        Points are the multiples of bandwidth / 16 within 8 bandwidths of a label, so a distant outlier adds only the
        points around itself. For a label y at a distance d, in bandwidths, from its nearest point p,

        .. math:: \Phi((x - y) / b) = \sum_k \frac{(-d)^k}{k!} \Phi^{(k)}((x - p) / b)

        and the sum over labels is one short convolution over the points for every k, whatever the number of labels.
        """
        step = self.bandwidth / _STEPS
        origin = self._values[0]
        nearest = np.round((self._values - origin) / step).astype(np.int64)
        points = _within_reach(np.unique(nearest), _REACH * _STEPS)
        position = np.searchsorted(points, nearest)
        away = (self._values - origin - nearest * step) / self.bandwidth
        kernels = _normal_derivatives(_TERMS + 2)
        table = np.zeros((len(points), 3))
        moment = self._weights
        for k in range(_TERMS):
            weights = np.bincount(position, moment, minlength=len(points))
            if k == 0:
                table[:, 0] = np.cumsum(weights)  # the kernel of F is stored without its step from 0 to 1
            for n in range(3):  # F and its first two derivatives
                table[:, n] += np.convolve(weights, kernels[k + n], mode="same") / self.bandwidth**n
            moment = moment * -away / (k + 1)
        return origin + points * step, table

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


def _within_reach(occupied: NDArray[np.int64], reach: int) -> NDArray[np.int64]:
    """All integers at most `reach` from one of the ascending `occupied`."""
    starts = np.concatenate([[True], np.diff(occupied) > 2 * reach])
    ends = np.concatenate([starts[1:], [True]])
    pieces = zip(occupied[starts], occupied[ends], strict=True)
    return np.unique(np.concatenate([np.arange(low - reach, high + reach + 1) for low, high in pieces]))


def _normal_derivatives(count: int) -> list[NDArray[np.float64]]:
    """The normal distribution function minus a step at 0, and its derivatives, on the table's spacing."""
    from scipy.special import ndtr

    u = np.arange(-_REACH * _STEPS, _REACH * _STEPS + 1) / _STEPS
    derivatives = [ndtr(u) - (u >= 0), np.exp(-0.5 * u * u) / np.sqrt(2 * np.pi)]
    for n in range(count - 2):
        derivatives.append(-u * derivatives[-1] - n * derivatives[-2])
    return derivatives
