"""Compiled loops of linear maps, forward and backward.

For products as thin as those of a layer, (rows x 64) @ (64 x 64), which take torch's library two to three times as long
on some machines. A call computes rows `begin:end`; gradients that rows share are added to arrays that the caller has
set to 0. The width m is a multiple of a vector's lanes.
"""

from __future__ import annotations

from dglcell.engines.numba.compilation import compiled, inlined
from dglcell.engines.numba.vectors import BYTES, WIDE, load, load_like, splat, splat_like, splat_wide, store

_ROWS = 6  # rows at a time: 6 x 4 sums and 4 vectors of weights fit into 32 registers
_BLOCK = 64  # rows of both factors of a weight's gradient that stay in the first-level cache


@compiled
def linear_forward(begin, end, x, weight, bias, y):  # type: ignore[no-untyped-def]
    """`y_p = x_p weight + bias`: x (P, k), weight (k, m), bias (m,), y (P, m)."""
    lanes = BYTES // x.itemsize
    width = weight.shape[1]
    whole = width // (WIDE * lanes) * (WIDE * lanes)
    zero = x.dtype.type(0.0)
    for p in range(begin, end, _ROWS):
        for d in range(0, whole, WIDE * lanes):
            _tile(x, weight, bias, y, p, end, d, splat_wide(zero))
        for d in range(whole, width, lanes):
            _tile(x, weight, bias, y, p, end, d, splat(zero))


@compiled
def linear_backward(begin, end, x, grad, d_weight, d_bias):  # type: ignore[no-untyped-def]
    """Gradients of the weights, `d_weight = sum_p x_p^T grad_p`, (k, m), and of the bias, (m,); both start at 0.

    That of x is `linear_forward` of `grad` with the transposed weight.
    """
    lanes = BYTES // x.itemsize
    depth, width = d_weight.shape
    whole = width // (WIDE * lanes) * (WIDE * lanes)
    zero = x.dtype.type(0.0)
    for first in range(begin, end, _BLOCK):
        last = min(first + _BLOCK, end)
        for k in range(0, depth, _ROWS):
            for d in range(0, whole, WIDE * lanes):
                _outer(x, grad, d_weight, first, last, k, d, splat_wide(zero))
            for d in range(whole, width, lanes):
                _outer(x, grad, d_weight, first, last, k, d, splat(zero))
        for d in range(0, width, lanes):
            s = load(d_bias, (d,))
            for p in range(first, last):
                s = s + load(grad, (p, d))
            store(d_bias, (d,), s)


@inlined
def _tile(x, weight, bias, y, p, end, d, like):  # type: ignore[no-untyped-def]
    """Up to six rows from p and as many columns from d as `like` has."""
    a0 = load_like(bias, (d,), like)
    if p + _ROWS > end:
        for q in range(p, end):
            a = a0
            for k in range(weight.shape[0]):
                a = a + splat_like(x[q, k], like) * load_like(weight, (k, d), like)
            store(y, (q, d), a)
        return
    a1, a2, a3, a4, a5 = a0, a0, a0, a0, a0
    for k in range(weight.shape[0]):
        w = load_like(weight, (k, d), like)
        a0 = a0 + splat_like(x[p, k], like) * w
        a1 = a1 + splat_like(x[p + 1, k], like) * w
        a2 = a2 + splat_like(x[p + 2, k], like) * w
        a3 = a3 + splat_like(x[p + 3, k], like) * w
        a4 = a4 + splat_like(x[p + 4, k], like) * w
        a5 = a5 + splat_like(x[p + 5, k], like) * w
    store(y, (p, d), a0)
    store(y, (p + 1, d), a1)
    store(y, (p + 2, d), a2)
    store(y, (p + 3, d), a3)
    store(y, (p + 4, d), a4)
    store(y, (p + 5, d), a5)


@inlined
def _outer(x, grad, out, first, last, k, d, like):  # type: ignore[no-untyped-def]
    """Add the products of some rows to up to six rows of `out` from k and as many columns from d as `like` has."""
    if k + _ROWS > len(out):
        for j in range(k, len(out)):
            a = load_like(out, (j, d), like)
            for p in range(first, last):
                a = a + splat_like(x[p, j], like) * load_like(grad, (p, d), like)
            store(out, (j, d), a)
        return
    a0, a1, a2 = load_like(out, (k, d), like), load_like(out, (k + 1, d), like), load_like(out, (k + 2, d), like)
    a3, a4, a5 = load_like(out, (k + 3, d), like), load_like(out, (k + 4, d), like), load_like(out, (k + 5, d), like)
    for p in range(first, last):
        g = load_like(grad, (p, d), like)
        a0 = a0 + splat_like(x[p, k], like) * g
        a1 = a1 + splat_like(x[p, k + 1], like) * g
        a2 = a2 + splat_like(x[p, k + 2], like) * g
        a3 = a3 + splat_like(x[p, k + 3], like) * g
        a4 = a4 + splat_like(x[p, k + 4], like) * g
        a5 = a5 + splat_like(x[p, k + 5], like) * g
    store(out, (k, d), a0)
    store(out, (k + 1, d), a1)
    store(out, (k + 2, d), a2)
    store(out, (k + 3, d), a3)
    store(out, (k + 4, d), a4)
    store(out, (k + 5, d), a5)
