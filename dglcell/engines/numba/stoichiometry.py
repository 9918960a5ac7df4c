"""Compiled loops of the stoichiometric weighted mean, forward and backward.

Rows `begin:end` of a call; gradients that rows share are added to arrays that the caller has set to 0. Shapes:
`packed`, but `lookup` (N, B + 1): the genotypes of a node are neighbours in memory. Knows no torch.
"""

from __future__ import annotations

from dglcell.engines.numba.compilation import compiled


@compiled
def sum_forward(begin, end, genotype, node, ptr, src, lookup, at, weight, size, x, y, norm):  # type: ignore[no-untyped-def]
    """`y_p = sum_e w_e x_r / sum_e |S_e|` over the surviving in-edges of row p, and that sum.

    `at` (P + 1,): where row p's weights start, one weight a head for each of its in-edges, lost ones included.
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
    begin, end, genotype, node, ptr, src, lookup, at, weight, x, norm, grad, wanted, d_weight, d_x
):
    """Gradients of `sum_forward`; d_x (P_src, H, D) and d_weight start at 0; d_weight is filled if `wanted`."""
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
                if wanted:
                    d_weight[at[p] + k, h] = t * inverse
