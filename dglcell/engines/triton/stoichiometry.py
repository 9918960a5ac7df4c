"""Triton kernels of the stoichiometric convolution; conventions: `kernels`.

An attention value belongs to a row of a reaction and one of its incidences: values of row p start at `starts[p]`, in
the sequence of the reaction's incidences. `place` is the index of an edge among them. ALPHA tells which rows have
values: 0 none (no attention), 1 those of the targets (metabolite -> reaction), 2 those of the sources (reaction ->
metabolite).
"""

import triton
import triton.language as tl

from dglcell.engines.triton.kernels import block_and_node, cells, heads, lowest_own, place_of, row, rows


@triton.jit
def sum_forward(
    first,
    genotype,
    node,
    ptr,
    src,
    senders,
    amount,
    place,
    starts,
    alpha,
    x,
    y,
    norm,
    num_dst,
    num_src,
    ALPHA: tl.constexpr,
    H: tl.constexpr,
    D: tl.constexpr,
    HP: tl.constexpr,
    DP: tl.constexpr,
    E: tl.constexpr,
    ACC: tl.constexpr,
):
    """`y_p = sum_e S_e alpha_e x_r / sum_e |S_e|` over the surviving in-edges of one row p, and that sum."""
    p = place_of(first, num_dst)
    b = tl.load(genotype + p).to(tl.int64)
    n = tl.load(node + p)
    head = tl.arange(0, HP)
    cell, exists = cells(H, D, HP, DP)
    total = tl.zeros([HP, DP], ACC)
    size = tl.zeros([E], ACC)
    begin = tl.load(ptr + n)
    stop = tl.load(ptr + n + 1)
    for start in range(begin, stop, E):
        e = start + tl.arange(0, E)
        source = tl.load(src + e, mask=e < stop, other=0)
        r = tl.load(senders + b * num_src + source, mask=e < stop, other=-1)
        there = r >= 0
        s = tl.load(amount + e, mask=there, other=0).to(ACC)
        size += tl.abs(s)
        w = tl.broadcast_to(s[:, None], [E, HP])
        if ALPHA == 1:
            w *= heads(alpha, tl.load(starts + p) + e - begin, there, head, H, ACC)
        if ALPHA == 2:
            k = tl.load(starts + r, mask=there, other=0) + tl.load(place + e, mask=there, other=0)
            w *= heads(alpha, k, there, head, H, ACC)
        total += tl.sum(w[:, :, None] * rows(x, r, there, cell, exists, H * D, ACC), axis=0)
    whole = tl.sum(size, axis=0)
    at = p.to(tl.int64)
    tl.store(y + at * (H * D) + cell, tl.where(whole > 0, total / tl.where(whole > 0, whole, 1), 0), mask=exists)
    tl.store(norm + at, whole)


@triton.jit(do_not_specialize=["genotypes"])
def sum_backward(
    by_degree,
    heavy,
    ptr,
    dst,
    senders,
    receivers,
    amount,
    place,
    starts,
    alpha,
    x,
    norm,
    grad,
    d_x,
    part_x,
    d_alpha,
    part_alpha,
    num_dst,
    num_src,
    num_edges,
    genotypes,
    BLOCK: tl.constexpr,
    ALPHA: tl.constexpr,
    H: tl.constexpr,
    D: tl.constexpr,
    HP: tl.constexpr,
    DP: tl.constexpr,
    E: tl.constexpr,
    ACC: tl.constexpr,
):
    """Gradients of `x` and `alpha` from the out-edges of one node; `d_alpha` and `part_alpha` start at 0.

    With ALPHA = 2, the values of a reaction row that genotypes share get one part per genotype, (genotypes, E, H).
    """
    block, n = block_and_node(by_degree, num_src, heavy)
    head = tl.arange(0, HP)
    cell, exists = cells(H, D, HP, DP)
    shared = tl.zeros([HP, DP], ACC)
    begin = tl.load(ptr + n)
    stop = tl.load(ptr + n + 1)
    for b in range(block * BLOCK, tl.minimum(block * BLOCK + BLOCK, genotypes)):
        base = tl.zeros([], tl.int64) + b
        r = tl.load(senders + base * num_src + n)
        if r >= 0:
            x_r = row(x, r, cell, exists, H * D, ACC)
            d = tl.zeros([HP, DP], ACC)
            for start in range(begin, stop, E):
                e = start + tl.arange(0, E)
                target = tl.load(dst + e, mask=e < stop, other=0)
                p = tl.load(receivers + base * num_dst + target, mask=e < stop, other=-1)
                reads = p >= lowest_own(base, num_dst)
                if tl.max(reads.to(tl.int32), axis=0) > 0:
                    whole = tl.load(norm + p, mask=reads, other=0).to(ACC)
                    s = tl.load(amount + e, mask=reads, other=0).to(ACC)
                    s = tl.where(whole > 0, s / tl.where(whole > 0, whole, 1), 0)
                    g = rows(grad, p, reads, cell, exists, H * D, ACC)
                    w = tl.broadcast_to(s[:, None], [E, HP])
                    if ALPHA > 0:
                        if ALPHA == 1:
                            k = tl.load(starts + p, mask=reads, other=0) + tl.load(place + e, mask=reads, other=0)
                        else:
                            k = tl.load(starts + r) + e - begin
                        w *= heads(alpha, k, reads, head, H, ACC)
                        d_w = s[:, None] * tl.sum(g * x_r[None], axis=2)
                        stored = reads[:, None] & (head < H)[None]
                        if ALPHA == 2:  # a genotype's own row is stored in d_alpha, a shared row in part_alpha
                            at_edge = (base * num_edges + e)[:, None] * H + head[None]
                            own = r + e[:, None] * 0 >= num_src
                            tl.store(part_alpha + at_edge, d_w, mask=stored & ~own)
                            stored = stored & own
                        tl.store(d_alpha + k.to(tl.int64)[:, None] * H + head[None], d_w, mask=stored)
                    d += tl.sum(w[:, :, None] * g, axis=0)
            if r >= num_src:
                tl.store(d_x + r.to(tl.int64) * (H * D) + cell, d, mask=exists)
            else:
                shared += d
    at_part = block * num_src + n
    tl.store(part_x + at_part.to(tl.int64) * (H * D) + cell, shared, mask=exists)
