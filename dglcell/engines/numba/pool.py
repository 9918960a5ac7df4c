"""Compiled loops of attentional pooling, forward and backward.

Rows `begin:end` of a call; gradients that rows share are added to arrays that the caller has set to 0. Shapes:
`packed`, but `lookup` (N, B), without the wild type. Knows no torch.
"""

from __future__ import annotations

import math

from dglcell.engines.numba.compilation import LOWEST, compiled


@compiled
def pool_forward(begin, end, lookup, values, scores, z, lse):  # type: ignore[no-untyped-def]
    """`z_b = sum_n softmax_n(score) value` over the surviving nodes of each genotype; z (B, h), lse (B,)."""
    width = values.shape[1]
    for b in range(begin, end):
        m = values.dtype.type(LOWEST)
        for n in range(len(lookup)):
            if lookup[n, b] >= 0:
                m = max(m, scores[lookup[n, b]])
        total = values.dtype.type(0.0)
        for d in range(width):
            z[b, d] = 0.0
        for n in range(len(lookup)):
            r = lookup[n, b]
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


@compiled
def pool_backward(begin, end, lookup, values, scores, z, lse, grad, d_values, d_scores):  # type: ignore[no-untyped-def]
    """Gradients of `pool_forward`; both start at 0."""
    width = values.shape[1]
    for b in range(begin, end):
        mean = values.dtype.type(0.0)
        for d in range(width):
            mean += grad[b, d] * z[b, d]
        for n in range(len(lookup)):
            r = lookup[n, b]
            if r < 0:
                continue
            alpha = math.exp(scores[r] - lse[b])
            t = values.dtype.type(0.0)
            for d in range(width):
                t += grad[b, d] * values[r, d]
                d_values[r, d] += alpha * grad[b, d]
            d_scores[r] += alpha * (t - mean)
