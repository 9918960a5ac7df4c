"""Triton kernels of attentional pooling and of the gradient of `carry`; conventions: `kernels`."""

import triton
import triton.language as tl

from dglcell.engines.triton.kernels import LOWEST, lowest_own


@triton.jit
def pool_forward(
    lookup,
    values,
    scores,
    highest,
    totals,
    sums,
    num_nodes,
    chunk,
    W: tl.constexpr,
    WP: tl.constexpr,
    N: tl.constexpr,
    ACC: tl.constexpr,
):
    """Softmax sum over one chunk of one genotype's nodes, relative to the chunk's highest score.

    `highest` and `totals` (B, C), `sums` (B, C, W) of C chunks; the caller combines the chunks.
    """
    b = tl.program_id(0).to(tl.int64)
    c = tl.program_id(1)
    cell = tl.arange(0, WP)
    m = tl.full([], LOWEST, ACC)
    total = tl.zeros([], ACC)
    z = tl.zeros([WP], ACC)
    stop = tl.minimum(c * chunk + chunk, num_nodes)
    for start in range(c * chunk, stop, N):
        n = start + tl.arange(0, N)
        r = tl.load(lookup + b * num_nodes + n, mask=n < stop, other=-1)
        there = r >= 0
        score = tl.load(scores + r, mask=there, other=0).to(ACC)
        score = tl.where(there, score, LOWEST)
        top = tl.maximum(m, tl.max(score, axis=0))
        w = tl.where(there, tl.exp(score - top), 0)
        at = r.to(tl.int64)[:, None] * W + cell[None]
        v = tl.load(values + at, mask=there[:, None] & (cell < W)[None], other=0).to(ACC)
        shrink = tl.exp(m - top)
        total = total * shrink + tl.sum(w, axis=0)
        z = z * shrink + tl.sum(w[:, None] * v, axis=0)
        m = top
    at_chunk = b * tl.num_programs(1) + c
    tl.store(highest + at_chunk, m)
    tl.store(totals + at_chunk, total)
    tl.store(sums + at_chunk * W + cell, z, mask=cell < W)


@triton.jit(do_not_specialize=["genotypes"])
def pool_backward(
    lookup,
    values,
    scores,
    lse,
    mean,
    grad,
    d_values,
    d_scores,
    part_values,
    part_scores,
    num_nodes,
    genotypes,
    BLOCK: tl.constexpr,
    W: tl.constexpr,
    WP: tl.constexpr,
    N: tl.constexpr,
    ACC: tl.constexpr,
):
    """Gradients of a tile of N nodes from a block of genotypes; `mean = grad . z`."""
    block = tl.program_id(1)
    n = tl.program_id(0) * N + tl.arange(0, N)
    cell = tl.arange(0, WP)
    shared = tl.zeros([N, WP], ACC)
    shared_score = tl.zeros([N], ACC)
    for b in range(block * BLOCK, tl.minimum(block * BLOCK + BLOCK, genotypes)):
        base = tl.zeros([], tl.int64) + b
        r = tl.load(lookup + base * num_nodes + n, mask=n < num_nodes, other=-1)
        there = r >= 0
        g = tl.load(grad + base * W + cell, mask=cell < W, other=0).to(ACC)
        at = r.to(tl.int64)[:, None] * W + cell[None]
        v = tl.load(values + at, mask=there[:, None] & (cell < W)[None], other=0).to(ACC)
        score = tl.load(scores + r, mask=there, other=0).to(ACC)
        alpha = tl.where(there, tl.exp(score - tl.load(lse + b)), 0)
        d_v = alpha[:, None] * g[None]
        d_s = alpha * (tl.sum(v * g[None], axis=1) - tl.load(mean + b))
        own = r >= num_nodes
        tl.store(d_values + at, d_v, mask=own[:, None] & (cell < W)[None])
        tl.store(d_scores + r, d_s, mask=own)
        shared += tl.where(own[:, None], 0, d_v)
        shared_score += tl.where(own, 0, d_s)
    at_part = (tl.zeros([], tl.int64) + block) * num_nodes + n
    inside = n < num_nodes
    tl.store(part_values + at_part[:, None] * W + cell[None], shared, mask=inside[:, None] & (cell < W)[None])
    tl.store(part_scores + at_part, shared_score, mask=inside)


@triton.jit(do_not_specialize=["genotypes"])
def carry_backward(
    entering,
    receivers,
    grad,
    d_x,
    part,
    num_nodes,
    genotypes,
    BLOCK: tl.constexpr,
    W: tl.constexpr,
    WP: tl.constexpr,
    ACC: tl.constexpr,
):
    """Gradient of one node's rows before a layer, from the rows after it that were copied from them."""
    block = tl.program_id(0) // num_nodes
    n = tl.program_id(0) % num_nodes
    cell = tl.arange(0, WP)
    shared = tl.zeros([WP], ACC)
    for b in range(block * BLOCK, tl.minimum(block * BLOCK + BLOCK, genotypes)):
        base = tl.zeros([], tl.int64) + b
        p = tl.load(receivers + base * num_nodes + n)
        if p >= lowest_own(base, num_nodes):
            q = tl.load(entering + base * num_nodes + n)
            g = tl.load(grad + p.to(tl.int64) * W + cell, mask=cell < W, other=0).to(ACC)
            if q >= num_nodes:
                tl.store(d_x + q.to(tl.int64) * W + cell, g, mask=cell < W)
            else:
                shared += g
    at_part = block * num_nodes + n
    tl.store(part + at_part.to(tl.int64) * W + cell, shared, mask=cell < W)
