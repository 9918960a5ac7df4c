"""Compiled loops of graph attention, forward and backward.

A call computes rows `begin:end`; gradients that rows share are added to arrays that the caller has set to 0. The
backward loop recomputes scores instead of storing messages. Shapes: `packed.delta_states`, but `lookup` (N, B + 1), in
which the genotypes of a node are adjacent in memory; the width D of a head is a multiple of a vector's lanes.
"""

from __future__ import annotations

import math

import numpy as np

from dglcell.engines.numba.compilation import LOWEST, compiled, inlined
from dglcell.engines.numba.vectors import (
    BYTES,
    exponentials,
    larger,
    load,
    prefetch,
    splat,
    store,
    total,
    where_positive,
)
from dglcell.engines.operators import SLOPE

_FAR = 4 << 20  # bytes of source rows that no second-level cache holds, so that they are prefetched


@compiled
def gat_forward(begin, end, genotype, node, target, ptr, src, lookup, x_src, x_dst, a, bias, y, lse):  # type: ignore[no-untyped-def]
    """`y_p = sum_e softmax_e(a . LeakyReLU(x_src + x_dst)) x_src + bias` and the log-sum-exp of the scores.

    Row p is node `node[p]` of `genotype[p]`; it receives as row `target[p]` of `x_dst`. y (P, H, D), lse (P, H).
    """
    heads, width = a.shape
    zero = a.dtype.type(0.0)
    row = np.empty(_longest(ptr), np.int32)
    alpha = np.zeros(_room(ptr), a.dtype)
    far = x_src.size * x_src.itemsize > _FAR
    for p in range(begin, end):
        count = _surviving(ptr, src, lookup, node[p], genotype[p], row)
        if far:
            _fetch(x_src, row, count)
        for h in range(heads):
            _scores(alpha, row, count, h, x_src, x_dst, target[p], a)
            highest = a.dtype.type(LOWEST)
            for k in range(count):
                highest = max(highest, alpha[k])
            exponentials(alpha, count, highest)
            weight = zero
            for k in range(count):
                weight += alpha[k]
            lse[p, h] = highest + math.log(weight) if count > 0 else zero
            inverse = splat(a.dtype.type(1.0) / weight if count > 0 else zero)
            for d in range(0, width, BYTES // a.itemsize):
                s = splat(zero)
                for k in range(count):
                    s = s + splat(alpha[k]) * load(x_src, (row[k], h, d))
                store(y, (p, h, d), s * inverse + load(bias, (h, d)))


@compiled
def gat_backward(  # type: ignore[no-untyped-def]
    begin, end, genotype, node, target, ptr, src, lookup, x_src, x_dst, a, bias, y, lse, grad, d_src, d_dst, d_a, d_bias
):
    """Gradients of `gat_forward`; d_src, d_dst, d_a, d_bias start at 0.

    d_dst still lacks its factor a, which is the same for all its rows.
    """
    heads, width = a.shape
    zero, slope = a.dtype.type(0.0), a.dtype.type(SLOPE)
    row = np.empty(_longest(ptr), np.int32)
    alpha = np.zeros(_room(ptr), a.dtype)
    d_score = np.zeros(_room(ptr), a.dtype)
    far = x_src.size * x_src.itemsize > _FAR
    for p in range(begin, end):
        q = target[p]
        count = _surviving(ptr, src, lookup, node[p], genotype[p], row)
        if far:
            _fetch(x_src, row, count)
            _fetch(d_src, row, count)
        for h in range(heads):
            _scores(alpha, row, count, h, x_src, x_dst, q, a)
            exponentials(alpha, count, lse[p, h])
            mean = splat(zero)
            for d in range(0, width, BYTES // a.itemsize):
                g = load(grad, (p, h, d))
                mean = mean + g * (load(y, (p, h, d)) - load(bias, (h, d)))
                store(d_bias, (h, d), load(d_bias, (h, d)) + g)
                for k in range(count):
                    t = total(g * load(x_src, (row[k], h, d)))
                    d_score[k] = t if d == 0 else d_score[k] + t
            average = total(mean)
            for k in range(count):
                d_score[k] = alpha[k] * (d_score[k] - average)
            for d in range(0, width, BYTES // a.itemsize):
                x, factor, g = load(x_dst, (q, h, d)), load(a, (h, d)), load(grad, (p, h, d))
                sum_a = splat(zero)
                sum_dst = splat(zero)
                for k in range(count):
                    at = (row[k], h, d)
                    v = load(x_src, at) + x
                    s = where_positive(v, splat(d_score[k]), splat(slope * d_score[k]))
                    sum_a = sum_a + s * v
                    sum_dst = sum_dst + s
                    store(d_src, at, load(d_src, at) + splat(alpha[k]) * g + factor * s)
                store(d_a, (h, d), load(d_a, (h, d)) + sum_a)
                store(d_dst, (q, h, d), load(d_dst, (q, h, d)) + sum_dst)


@inlined
def _longest(ptr):  # type: ignore[no-untyped-def]
    """The largest number of in-edges."""
    longest = 0
    for n in range(len(ptr) - 1):
        longest = max(longest, ptr[n + 1] - ptr[n])
    return longest


@inlined
def _room(ptr):  # type: ignore[no-untyped-def]
    """That number in whole vectors."""
    return (_longest(ptr) + BYTES) // BYTES * BYTES


@inlined
def _surviving(ptr, src, lookup, n, b, row):  # type: ignore[no-untyped-def]
    """Write the rows of the surviving sources of node n of genotype b; returns their number."""
    count = 0
    for e in range(ptr[n], ptr[n + 1]):
        r = lookup[src[e], b]
        if r >= 0:
            row[count] = r
            count += 1
    return count


@inlined
def _fetch(x, row, count):  # type: ignore[no-untyped-def]
    """Prefetch rows of x."""
    for k in range(count):
        for d in range(0, x.shape[1] * x.shape[2], BYTES // x.itemsize):
            prefetch(x, (row[k], 0, d))


@inlined
def _scores(score, row, count, h, x_src, x_dst, q, a):  # type: ignore[no-untyped-def]
    """`a . LeakyReLU(x_src + x_dst)` of head h, for `count` source rows."""
    slope = splat(a.dtype.type(SLOPE))
    for d in range(0, a.shape[1], BYTES // a.itemsize):
        x, factor = load(x_dst, (q, h, d)), load(a, (h, d))
        for k in range(count):
            v = load(x_src, (row[k], h, d)) + x
            s = total(factor * larger(v, slope * v))
            score[k] = s if d == 0 else score[k] + s
