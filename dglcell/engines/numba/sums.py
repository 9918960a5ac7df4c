"""Compiled loops of weighted sums, forward and backward: attentional pooling and the stoichiometric mean.

A call computes rows `begin:end`; gradients that rows share are added to arrays that the caller has set to 0.
"""

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


@compiled
def sum_forward(begin, end, genotype, node, ptr, src, lookup, at, weight, size, x, y, norm):  # type: ignore[no-untyped-def]
    """`y_p = sum_e w_e x_r / sum_e |S_e|` over the surviving in-edges of row p, and that sum.

    `at` (P + 1,): where row p's weights start, one per head for each of its in-edges, including lost ones.
    """
    heads, width = x.shape[1], x.shape[2]
    for p in range(begin, end):
        b, n = genotype[p], node[p]
        for h in range(heads):
            for d in range(width):
                y[p, h, d] = 0.0
        total = x.dtype.type(0.0)
        for k in range(ptr[n + 1] - ptr[n]):
            e = ptr[n] + k
            r = lookup[src[e], b]
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


@compiled
def sum_backward(  # type: ignore[no-untyped-def]
    begin, end, genotype, node, ptr, src, lookup, at, weight, x, norm, grad, needs_weight, d_weight, d_x
):
    """Gradients of `sum_forward`; d_x (P_src, H, D) and d_weight start at 0; d_weight is filled if `needs_weight`."""
    heads, width = x.shape[1], x.shape[2]
    for p in range(begin, end):
        if norm[p] <= 0:
            continue
        b, n = genotype[p], node[p]
        inverse = x.dtype.type(1.0) / norm[p]
        for k in range(ptr[n + 1] - ptr[n]):
            r = lookup[src[ptr[n] + k], b]
            if r < 0:
                continue
            for h in range(heads):
                w = weight[at[p] + k, h] * inverse
                t = x.dtype.type(0.0)
                for d in range(width):
                    t += grad[p, h, d] * x[r, h, d]
                    d_x[r, h, d] += w * grad[p, h, d]
                if needs_weight:
                    d_weight[at[p] + k, h] = t * inverse
