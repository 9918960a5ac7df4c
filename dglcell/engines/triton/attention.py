"""Triton kernels of graph attention (GATv2, Brody et al., arXiv:2105.14491); conventions: `kernels`."""

import triton
import triton.language as tl

from dglcell.engines.triton.kernels import LOWEST, SLOPE, block_and_node, cells, heads, lowest_own, place_of, row, rows


@triton.jit
def gat_forward(
    first,
    genotype,
    node,
    ptr,
    src,
    senders,
    entering,
    x_src,
    x_dst,
    a,
    y,
    lse,
    num_dst,
    num_src,
    H: tl.constexpr,
    D: tl.constexpr,
    HP: tl.constexpr,
    DP: tl.constexpr,
    E: tl.constexpr,
    ACC: tl.constexpr,
):
    """`y_p = sum_e softmax_e(a . LeakyReLU(x_src + x_dst)) x_src` of one row p, and the scores' log-sum-exp.

    `senders` and `entering` are the lookup tables of the sources' rows and of the targets' rows before the layer.
    """
    p = place_of(first, num_dst)
    b = tl.load(genotype + p).to(tl.int64)
    n = tl.load(node + p)
    q = tl.load(entering + b * num_dst + n)
    head = tl.arange(0, HP)
    cell, exists = cells(H, D, HP, DP)
    received = row(x_dst, q, cell, exists, H * D, ACC)
    vector = row(a, q * 0, cell, exists, H * D, ACC)
    m = tl.full([HP], LOWEST, ACC)
    total = tl.zeros([HP], ACC)
    y_p = tl.zeros([HP, DP], ACC)
    stop = tl.load(ptr + n + 1)
    for start in range(tl.load(ptr + n), stop, E):
        e = start + tl.arange(0, E)
        source = tl.load(src + e, mask=e < stop, other=0)
        r = tl.load(senders + b * num_src + source, mask=e < stop, other=-1)
        there = r >= 0
        x = rows(x_src, r, there, cell, exists, H * D, ACC)
        v = x + received[None]
        score = tl.sum(vector[None] * tl.where(v > 0, v, v * SLOPE), axis=2)
        score = tl.where(there[:, None], score, LOWEST)
        highest = tl.maximum(m, tl.max(score, axis=0))
        shrink = tl.exp(m - highest)
        w = tl.where(there[:, None], tl.exp(score - highest[None]), 0)
        total = total * shrink + tl.sum(w, axis=0)
        y_p = y_p * shrink[:, None] + tl.sum(w[:, :, None] * x, axis=0)
        m = highest
    some = tl.where(total > 0, total, 1)
    at = p.to(tl.int64)
    tl.store(y + at * (H * D) + cell, y_p / some[:, None], mask=exists)
    tl.store(lse + at * H + head, tl.where(total > 0, m + tl.log(some), 0), mask=head < H)


@triton.jit(do_not_specialize=["genotypes"])
def gat_backward_target(
    by_degree,
    heavy,
    ptr,
    src,
    senders,
    entering,
    receivers,
    x_src,
    x_dst,
    a,
    y,
    lse,
    grad,
    d_dst,
    mean,
    part_dst,
    part_a,
    num_dst,
    num_src,
    genotypes,
    BLOCK: tl.constexpr,
    H: tl.constexpr,
    D: tl.constexpr,
    HP: tl.constexpr,
    DP: tl.constexpr,
    E: tl.constexpr,
    ACC: tl.constexpr,
):
    """Gradients of `x_dst` and `a` from the in-edges of one node, and `mean = grad . y` for `gat_backward_source`."""
    block, n = block_and_node(by_degree, num_dst, heavy)
    head = tl.arange(0, HP)
    cell, exists = cells(H, D, HP, DP)
    vector = row(a, n * 0, cell, exists, H * D, ACC)
    shared = tl.zeros([HP, DP], ACC)
    d_a = tl.zeros([HP, DP], ACC)
    start_n = tl.load(ptr + n)
    stop = tl.load(ptr + n + 1)
    for b in range(block * BLOCK, tl.minimum(block * BLOCK + BLOCK, genotypes)):
        base = tl.zeros([], tl.int64) + b
        p = tl.load(receivers + base * num_dst + n)
        if p >= lowest_own(base, num_dst):
            q = tl.load(entering + base * num_dst + n)
            received = row(x_dst, q, cell, exists, H * D, ACC)
            g = row(grad, p, cell, exists, H * D, ACC)
            mean_p = tl.sum(g * row(y, p, cell, exists, H * D, ACC), axis=1)
            at = p.to(tl.int64) * H + head
            lse_p = tl.load(lse + at, mask=head < H, other=0)
            tl.store(mean + at, mean_p, mask=head < H)
            d = tl.zeros([HP, DP], ACC)
            for start in range(start_n, stop, E):
                e = start + tl.arange(0, E)
                source = tl.load(src + e, mask=e < stop, other=0)
                r = tl.load(senders + base * num_src + source, mask=e < stop, other=-1)
                there = r >= 0
                x = rows(x_src, r, there, cell, exists, H * D, ACC)
                v = x + received[None]
                leaky = tl.where(v > 0, v, v * SLOPE)
                score = tl.sum(vector[None] * leaky, axis=2)
                alpha = tl.where(there[:, None], tl.exp(score - lse_p[None]), 0)
                d_score = alpha * (tl.sum(g[None] * x, axis=2) - mean_p[None])
                d_a += tl.sum(d_score[:, :, None] * leaky, axis=0)
                d += tl.sum(d_score[:, :, None] * tl.where(v > 0, vector[None], vector[None] * SLOPE), axis=0)
            if q >= num_dst:
                tl.store(d_dst + q.to(tl.int64) * (H * D) + cell, d, mask=exists)
            else:
                shared += d
    at_part = block * num_dst + n
    tl.store(part_dst + at_part.to(tl.int64) * (H * D) + cell, shared, mask=exists)
    tl.store(part_a + at_part.to(tl.int64) * (H * D) + cell, d_a, mask=exists)


@triton.jit(do_not_specialize=["genotypes"])
def gat_backward_source(
    by_degree,
    heavy,
    ptr,
    dst,
    senders,
    entering,
    receivers,
    x_src,
    x_dst,
    a,
    lse,
    mean,
    grad,
    d_src,
    part_src,
    num_dst,
    num_src,
    genotypes,
    BLOCK: tl.constexpr,
    H: tl.constexpr,
    D: tl.constexpr,
    HP: tl.constexpr,
    DP: tl.constexpr,
    E: tl.constexpr,
    ACC: tl.constexpr,
):
    """Gradient of `x_src` from the out-edges of one node.

    Along an edge, a genotype reads this node once, for its own row of the target. A genotype that shares the target's
    row with the wild type has nothing to read.
    """
    block, n = block_and_node(by_degree, num_src, heavy)
    head = tl.arange(0, HP)
    cell, exists = cells(H, D, HP, DP)
    vector = row(a, n * 0, cell, exists, H * D, ACC)
    shared = tl.zeros([HP, DP], ACC)
    start_n = tl.load(ptr + n)
    stop = tl.load(ptr + n + 1)
    for b in range(block * BLOCK, tl.minimum(block * BLOCK + BLOCK, genotypes)):
        base = tl.zeros([], tl.int64) + b
        r = tl.load(senders + base * num_src + n)
        if r >= 0:
            x = row(x_src, r, cell, exists, H * D, ACC)
            d = tl.zeros([HP, DP], ACC)
            for start in range(start_n, stop, E):
                e = start + tl.arange(0, E)
                target = tl.load(dst + e, mask=e < stop, other=0)
                p = tl.load(receivers + base * num_dst + target, mask=e < stop, other=-1)
                reads = p >= lowest_own(base, num_dst)
                if tl.max(reads.to(tl.int32), axis=0) > 0:
                    q = tl.load(entering + base * num_dst + target, mask=reads, other=0)
                    g = rows(grad, p, reads, cell, exists, H * D, ACC)
                    v = x[None] + rows(x_dst, q, reads, cell, exists, H * D, ACC)
                    score = tl.sum(vector[None] * tl.where(v > 0, v, v * SLOPE), axis=2)
                    lse_p = heads(lse, p, reads, head, H, ACC)
                    alpha = tl.where(reads[:, None], tl.exp(score - lse_p), 0)
                    d_score = alpha * (tl.sum(g * x[None], axis=2) - heads(mean, p, reads, head, H, ACC))
                    leak = tl.where(v > 0, vector[None], vector[None] * SLOPE)
                    d += tl.sum(alpha[:, :, None] * g + d_score[:, :, None] * leak, axis=0)
            if r >= num_src:
                tl.store(d_src + r.to(tl.int64) * (H * D) + cell, d, mask=exists)
            else:
                shared += d
    at_part = block * num_src + n
    tl.store(part_src + at_part.to(tl.int64) * (H * D) + cell, shared, mask=exists)
