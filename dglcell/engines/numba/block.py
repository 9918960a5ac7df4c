"""Compiled loops of LayerNorm, ReLU and dropout, forward and backward.

A call computes rows `begin:end`; gradients that rows share are added to arrays that the caller has set to 0. Shapes:
`packed.delta_states`.
"""

from __future__ import annotations

import math

import numpy as np

from dglcell.engines.numba.compilation import compiled


@compiled
def block_forward(  # type: ignore[no-untyped-def]
    begin, end, node, x, gain, shift, eps, mask, masked, y, more, mean, scale
):
    """`y_p = mask ReLU(gain (x_p - mean_p) scale_p + shift)`, `scale` = 1 / sqrt(variance + eps).

    x, y (P, h); mask (N, h), row `node[p]`, read only if `masked`. With `more` the result is added to y.
    """
    width = x.shape[1]
    zero = x.dtype.type(0.0)
    v = np.empty(width, x.dtype)
    for p in range(begin, end):
        m = zero
        for d in range(width):
            v[d] = x[p, d]
            m += v[d]
        m /= x.dtype.type(width)
        s = zero
        for d in range(width):
            s += (v[d] - m) * (v[d] - m)
        s = x.dtype.type(1.0) / x.dtype.type(math.sqrt(s / x.dtype.type(width) + eps))
        mean[p], scale[p] = m, s
        for d in range(width):
            v[d] = max((v[d] - m) * s * gain[d] + shift[d], zero)
        if masked:
            n = node[p]
            for d in range(width):
                v[d] *= mask[n, d]
        if more:
            for d in range(width):
                y[p, d] += v[d]
        else:
            for d in range(width):
                y[p, d] = v[d]


@compiled
def block_backward(  # type: ignore[no-untyped-def]
    begin, end, node, x, gain, shift, mask, masked, mean, scale, grad, d_x, d_gain, d_shift
):
    """Gradients of `block_forward`; d_gain, d_shift (h,) start at 0."""
    width = x.shape[1]
    zero = x.dtype.type(0.0)
    normal = np.empty(width, x.dtype)
    g = np.empty(width, x.dtype)
    for p in range(begin, end):
        m, s = mean[p], scale[p]
        for d in range(width):
            normal[d] = (x[p, d] - m) * s
        for d in range(width):
            g[d] = grad[p, d] if normal[d] * gain[d] + shift[d] > 0 else zero
        if masked:
            n = node[p]
            for d in range(width):
                g[d] *= mask[n, d]
        for d in range(width):
            d_gain[d] += g[d] * normal[d]
        for d in range(width):
            d_shift[d] += g[d]
        first, second = zero, zero
        for d in range(width):
            g[d] *= gain[d]
            first += g[d]
            second += g[d] * normal[d]
        first /= x.dtype.type(width)
        second /= x.dtype.type(width)
        for d in range(width):
            d_x[p, d] = s * (g[d] - first - normal[d] * second)
