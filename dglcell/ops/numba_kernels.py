"""Compiled loops of the fused CPU engine: attention, stoichiometry and pooling over packed rows.

Each kernel splits its rows into parts of about equal work, one a thread. Backward kernels recompute scores instead of
storing messages, and give every thread its own gradient buffer, so there are no atomics and the result depends on the
number of threads alone. Compiled once and cached on disk. Shapes: `packed`. Knows no torch.

`m`, `l` are the running maximum and sum of the online softmax (Milakov and Gimelshein 2018, arXiv:1805.02867).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from dglcell.ops.attention import SLOPE

# Sums may be reordered (SIMD); infinities and NaN keep their meaning, so that a diverging run is noticed.
_FLAGS = {"reassoc", "contract", "nsz"}
_LOWEST = -1e30

_compiled: Callable[..., Any] = numba.njit(parallel=True, fastmath=_FLAGS, cache=True, nogil=True)
_serial: Callable[..., Any] = numba.njit(cache=True, nogil=True)


@_serial
def spread(ptr, src, touched, out):  # type: ignore[no-untyped-def]
    """Give every target the bits of its sources: (N_src, W) and (N_dst, W) uint64, one bit a genotype."""
    for n in range(len(ptr) - 1):
        for e in range(ptr[n], ptr[n + 1]):
            for w in range(touched.shape[1]):
                out[n, w] |= touched[src[e], w]


@_serial
def count_bits(bits):  # type: ignore[no-untyped-def]
    """Bits that are set in each row: (N, W) uint64 -> (N,) int64; pairs, then fours, then bytes are added in place."""
    ones, twos, fours = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
    out = np.zeros(len(bits), np.int64)
    for n in range(len(bits)):
        for w in range(bits.shape[1]):
            v = bits[n, w]
            v -= (v >> np.uint64(1)) & ones
            v = (v & twos) + ((v >> np.uint64(2)) & twos)
            v = (v + (v >> np.uint64(4))) & fours
            out[n] += np.int64((v * np.uint64(0x0101010101010101)) >> np.uint64(56))
    return out


@_compiled
def gat_forward(cuts, genotype, node, target, ptr, src, lookup, x_src, x_dst, a, y, lse):  # type: ignore[no-untyped-def]
    """`y_p = sum_e softmax_e(a . LeakyReLU(x_src + x_dst)) x_src` and the log-sum-exp of the scores.

    Row p is node `node[p]` of `genotype[p]`; it receives as row `target[p]` of `x_dst`. y (P, H, D), lse (P, H).
    """
    heads, width = a.shape
    slope = a.dtype.type(SLOPE)
    longest = 0
    for n in range(len(ptr) - 1):
        longest = max(longest, ptr[n + 1] - ptr[n])
    for part in numba.prange(len(cuts) - 1):
        row = np.empty(longest, np.int32)
        alpha = np.empty((heads, longest), a.dtype)
        for p in range(cuts[part], cuts[part + 1]):
            b, n, q = genotype[p], node[p], target[p]
            count = 0
            for e in range(ptr[n], ptr[n + 1]):
                r = lookup[b, src[e]]
                if r >= 0:
                    row[count] = r
                    count += 1
            for k in range(count):
                r = row[k]
                for h in range(heads):
                    s = a.dtype.type(0.0)
                    for d in range(width):
                        v = x_src[r, h, d] + x_dst[q, h, d]
                        s += a[h, d] * max(v, slope * v)
                    alpha[h, k] = s
            for h in range(heads):
                lse[p, h] = _softmax(alpha[h, :count])
                for d in range(width):
                    y[p, h, d] = 0.0
            for k in range(count):
                r = row[k]
                for h in range(heads):
                    w = alpha[h, k]
                    for d in range(width):
                        y[p, h, d] += w * x_src[r, h, d]


@numba.njit(fastmath=_FLAGS, cache=True, nogil=True)
def _softmax(scores):  # type: ignore[no-untyped-def]
    """In place; the log-sum-exp, 0 of nothing."""
    highest = scores.dtype.type(_LOWEST)
    for k in range(len(scores)):
        highest = max(highest, scores[k])
    total = scores.dtype.type(0.0)
    for k in range(len(scores)):
        scores[k] = math.exp(scores[k] - highest)
        total += scores[k]
    if total <= 0:
        return scores.dtype.type(0.0)
    inverse = scores.dtype.type(1.0) / total
    for k in range(len(scores)):
        scores[k] *= inverse
    return highest + math.log(total)


@_compiled
def gat_backward(  # type: ignore[no-untyped-def]
    cuts, genotype, node, target, ptr, src, lookup, x_src, x_dst, a, y, lse, grad, d_src, d_dst, d_a
):
    """Gradients of `gat_forward`; d_src, d_dst, d_a have a leading axis of parts and start at 0.

    d_dst is still without its factor a, the same for all its rows.
    """
    heads, width = a.shape
    slope = a.dtype.type(SLOPE)
    for part in numba.prange(len(cuts) - 1):
        mean = np.empty(heads, a.dtype)
        for p in range(cuts[part], cuts[part + 1]):
            b, n, q = genotype[p], node[p], target[p]
            for h in range(heads):
                t = a.dtype.type(0.0)
                for d in range(width):
                    t += grad[p, h, d] * y[p, h, d]
                mean[h] = t
            for e in range(ptr[n], ptr[n + 1]):
                r = lookup[b, src[e]]
                if r < 0:
                    continue
                for h in range(heads):
                    s = a.dtype.type(0.0)
                    t = a.dtype.type(0.0)
                    for d in range(width):
                        x = x_src[r, h, d]
                        v = x + x_dst[q, h, d]
                        s += a[h, d] * max(v, slope * v)
                        t += grad[p, h, d] * x
                    alpha = math.exp(s - lse[p, h])
                    d_score = alpha * (t - mean[h])
                    d_low = d_score * slope
                    # Two loops and not one: each touches few enough arrays for the compiler to vectorise it.
                    for d in range(width):
                        v = x_src[r, h, d] + x_dst[q, h, d]
                        g = d_score if v > 0 else d_low
                        d_a[part, h, d] += g * v
                        d_dst[part, q, h, d] += g
                    for d in range(width):
                        v = x_src[r, h, d] + x_dst[q, h, d]
                        g = d_score if v > 0 else d_low
                        d_src[part, r, h, d] += alpha * grad[p, h, d] + a[h, d] * g


@_compiled
def sum_forward(cuts, genotype, node, ptr, src, lookup, at, weight, size, x, y, norm):  # type: ignore[no-untyped-def]
    """`y_p = sum_e w_e x_r / sum_e |S_e|` over the surviving in-edges of row p, and that sum.

    `at` (P + 1,): where row p's weights start, one weight a head for each of its in-edges, lost ones included.
    """
    heads, width = x.shape[1], x.shape[2]
    for part in numba.prange(len(cuts) - 1):
        for p in range(cuts[part], cuts[part + 1]):
            b, n = genotype[p], node[p]
            for h in range(heads):
                for d in range(width):
                    y[p, h, d] = 0.0
            total = x.dtype.type(0.0)
            for k in range(ptr[n + 1] - ptr[n]):
                e = ptr[n] + k
                r = lookup[b, src[e]]
                if r < 0:
                    continue
                total += size[e]
                for h in range(heads):
                    w = weight[at[p] + k, h]
                    for d in range(width):
                        y[p, h, d] += w * x[r, h, d]
            norm[p] = total
            if total > 0:
                inverse = x.dtype.type(1.0) / total
                for h in range(heads):
                    for d in range(width):
                        y[p, h, d] *= inverse


@_compiled
def sum_backward(  # type: ignore[no-untyped-def]
    cuts, genotype, node, ptr, src, lookup, at, weight, x, norm, grad, wanted, d_weight, d_x
):
    """Gradients of `sum_forward`; d_x has a leading axis of parts, both start at 0. d_weight is filled if `wanted`."""
    heads, width = x.shape[1], x.shape[2]
    for part in numba.prange(len(cuts) - 1):
        for p in range(cuts[part], cuts[part + 1]):
            if norm[p] <= 0:
                continue
            b, n = genotype[p], node[p]
            inverse = x.dtype.type(1.0) / norm[p]
            for k in range(ptr[n + 1] - ptr[n]):
                r = lookup[b, src[ptr[n] + k]]
                if r < 0:
                    continue
                for h in range(heads):
                    w = weight[at[p] + k, h] * inverse
                    t = x.dtype.type(0.0)
                    for d in range(width):
                        t += grad[p, h, d] * x[r, h, d]
                        d_x[part, r, h, d] += w * grad[p, h, d]
                    if wanted:
                        d_weight[at[p] + k, h] = t * inverse


@_compiled
def pool_forward(lookup, values, scores, z, lse):  # type: ignore[no-untyped-def]
    """`z_b = sum_n softmax_n(score) value` over the surviving nodes of each genotype; z (B, h), lse (B,)."""
    width = values.shape[1]
    for b in numba.prange(len(lookup)):
        m = values.dtype.type(_LOWEST)
        for n in range(lookup.shape[1]):
            if lookup[b, n] >= 0:
                m = max(m, scores[lookup[b, n]])
        total = values.dtype.type(0.0)
        for d in range(width):
            z[b, d] = 0.0
        for n in range(lookup.shape[1]):
            r = lookup[b, n]
            if r >= 0:
                w = math.exp(scores[r] - m)
                total += w
                for d in range(width):
                    z[b, d] += w * values[r, d]
        lse[b] = 0.0
        if total > 0:
            lse[b] = m + math.log(total)
            for d in range(width):
                z[b, d] /= total


@_compiled
def pool_backward(cuts, lookup, values, scores, z, lse, grad, d_values, d_scores):  # type: ignore[no-untyped-def]
    """Gradients of `pool_forward`; both have a leading axis of parts and start at 0."""
    width = values.shape[1]
    for part in numba.prange(len(cuts) - 1):
        for b in range(cuts[part], cuts[part + 1]):
            mean = values.dtype.type(0.0)
            for d in range(width):
                mean += grad[b, d] * z[b, d]
            for n in range(lookup.shape[1]):
                r = lookup[b, n]
                if r < 0:
                    continue
                alpha = math.exp(scores[r] - lse[b])
                t = values.dtype.type(0.0)
                for d in range(width):
                    t += grad[b, d] * values[r, d]
                    d_values[part, r, d] += alpha * grad[b, d]
                d_scores[part, r] += alpha * (t - mean)


@_compiled
def block_forward(cuts, node, x, gain, shift, eps, mask, masked, y, mean, scale):  # type: ignore[no-untyped-def]
    """`y_p = mask ReLU(gain (x_p - mean_p) scale_p + shift)`, `scale` = 1 / sqrt(variance + eps), row by row.

    x, y (P, h); mask (N, h), row `node[p]`, read only if `masked`.
    """
    width = x.shape[1]
    zero = x.dtype.type(0.0)
    for part in numba.prange(len(cuts) - 1):
        for p in range(cuts[part], cuts[part + 1]):
            m = zero
            for d in range(width):
                m += x[p, d]
            m /= x.dtype.type(width)
            s = zero
            for d in range(width):
                s += (x[p, d] - m) * (x[p, d] - m)
            s = x.dtype.type(1.0) / x.dtype.type(math.sqrt(s / x.dtype.type(width) + eps))
            mean[p], scale[p] = m, s
            for d in range(width):
                y[p, d] = max((x[p, d] - m) * s * gain[d] + shift[d], zero)
            if masked:
                n = node[p]
                for d in range(width):
                    y[p, d] *= mask[n, d]


@_compiled
def block_backward(  # type: ignore[no-untyped-def]
    cuts, node, x, gain, shift, mask, masked, mean, scale, grad, d_x, d_gain, d_shift
):
    """Gradients of `block_forward`; d_gain, d_shift (parts, h) start at 0."""
    width = x.shape[1]
    zero = x.dtype.type(0.0)
    for part in numba.prange(len(cuts) - 1):
        normal = np.empty(width, x.dtype)
        g = np.empty(width, x.dtype)
        for p in range(cuts[part], cuts[part + 1]):
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
                d_gain[part, d] += g[d] * normal[d]
            for d in range(width):
                d_shift[part, d] += g[d]
            first, second = zero, zero
            for d in range(width):
                g[d] *= gain[d]
                first += g[d]
                second += g[d] * normal[d]
            first /= x.dtype.type(width)
            second /= x.dtype.type(width)
            for d in range(width):
                d_x[p, d] = s * (g[d] - first - normal[d] * second)
