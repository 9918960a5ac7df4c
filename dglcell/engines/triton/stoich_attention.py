"""Triton kernels of stoichiometric attention; conventions: `kernels` and `stoichiometry`."""

import triton
import triton.language as tl

from dglcell.engines.triton.kernels import LOWEST, SLOPE, block_and_node, heads, lowest_own, place_of


@triton.jit
def stoich_forward(
    first,
    genotype,
    node,
    ptr,
    src,
    senders,
    entering,
    starts,
    q_m,
    q_r,
    alpha,
    num_dst,
    num_src,
    H: tl.constexpr,
    HP: tl.constexpr,
    E: tl.constexpr,
    ACC: tl.constexpr,
):
    """Softmax over the surviving metabolites of one reaction row of `LeakyReLU(q_m + q_r)`; 0 for a lost one."""
    p = place_of(first, num_dst)
    b = tl.load(genotype + p).to(tl.int64)
    n = tl.load(node + p)
    head = tl.arange(0, HP)
    q = tl.load(entering + b * num_dst + n).to(tl.int64)
    own = tl.load(q_r + q * H + head, mask=head < H, other=0).to(ACC)
    begin = tl.load(ptr + n)
    stop = tl.load(ptr + n + 1)
    m = tl.full([HP], LOWEST, ACC)
    total = tl.zeros([HP], ACC)
    for start in range(begin, stop, E):
        e = start + tl.arange(0, E)
        r = tl.load(senders + b * num_src + tl.load(src + e, mask=e < stop, other=0), mask=e < stop, other=-1)
        v = heads(q_m, r, r >= 0, head, H, ACC) + own[None]
        score = tl.where((r >= 0)[:, None], tl.where(v > 0, v, v * SLOPE), LOWEST)
        highest = tl.maximum(m, tl.max(score, axis=0))
        w = tl.where((r >= 0)[:, None], tl.exp(score - highest[None]), 0)
        total = total * tl.exp(m - highest) + tl.sum(w, axis=0)
        m = highest
    some = tl.where(total > 0, total, 1)
    to = tl.load(starts + p)
    for start in range(begin, stop, E):
        e = start + tl.arange(0, E)
        r = tl.load(senders + b * num_src + tl.load(src + e, mask=e < stop, other=0), mask=e < stop, other=-1)
        v = heads(q_m, r, r >= 0, head, H, ACC) + own[None]
        w = tl.exp(tl.where((r >= 0)[:, None], tl.where(v > 0, v, v * SLOPE) - m[None], LOWEST)) / some[None]
        k = (to + e - begin).to(tl.int64)
        tl.store(alpha + k[:, None] * H + head[None], w, mask=(e < stop)[:, None] & (head < H)[None])


@triton.jit(do_not_specialize=["genotypes"])
def stoich_backward_target(
    by_degree,
    heavy,
    ptr,
    src,
    senders,
    entering,
    receivers,
    starts,
    q_m,
    q_r,
    alpha,
    grad,
    d_score,
    d_r,
    part_r,
    num_dst,
    num_src,
    genotypes,
    BLOCK: tl.constexpr,
    H: tl.constexpr,
    HP: tl.constexpr,
    E: tl.constexpr,
    ACC: tl.constexpr,
):
    """Gradient of every score of one reaction, and from these the gradient of `q_r`."""
    block, n = block_and_node(by_degree, num_dst, heavy)
    head = tl.arange(0, HP)
    shared = tl.zeros([HP], ACC)
    begin = tl.load(ptr + n)
    stop = tl.load(ptr + n + 1)
    for b in range(block * BLOCK, tl.minimum(block * BLOCK + BLOCK, genotypes)):
        base = tl.zeros([], tl.int64) + b
        p = tl.load(receivers + base * num_dst + n)
        if p >= lowest_own(base, num_dst):
            q = tl.load(entering + base * num_dst + n)
            own = tl.load(q_r + q.to(tl.int64) * H + head, mask=head < H, other=0).to(ACC)
            to = tl.load(starts + p)
            mean = tl.zeros([HP], ACC)
            for start in range(begin, stop, E):
                e = start + tl.arange(0, E)
                w = heads(alpha, to + e - begin, e < stop, head, H, ACC)
                mean += tl.sum(w * heads(grad, to + e - begin, e < stop, head, H, ACC), axis=0)
            d = tl.zeros([HP], ACC)
            for start in range(begin, stop, E):
                e = start + tl.arange(0, E)
                r = tl.load(
                    senders + base * num_src + tl.load(src + e, mask=e < stop, other=0), mask=e < stop, other=-1
                )
                k = to + e - begin
                d_s = heads(grad, k, e < stop, head, H, ACC) - mean[None]
                d_s *= heads(alpha, k, e < stop, head, H, ACC)
                v = heads(q_m, r, r >= 0, head, H, ACC) + own[None]
                d_s = tl.where(v > 0, d_s, d_s * SLOPE)
                stored = (e < stop)[:, None] & (head < H)[None]
                tl.store(d_score + k.to(tl.int64)[:, None] * H + head[None], d_s, mask=stored)
                d += tl.sum(d_s, axis=0)
            if q >= num_dst:
                tl.store(d_r + q.to(tl.int64) * H + head, d, mask=head < H)
            else:
                shared += d
    at_part = block * num_dst + n
    tl.store(part_r + at_part.to(tl.int64) * H + head, shared, mask=head < H)


@triton.jit(do_not_specialize=["genotypes"])
def stoich_backward_source(
    by_degree,
    heavy,
    ptr,
    dst,
    senders,
    receivers,
    place,
    starts,
    d_score,
    d_m,
    part_m,
    num_dst,
    num_src,
    genotypes,
    BLOCK: tl.constexpr,
    H: tl.constexpr,
    HP: tl.constexpr,
    E: tl.constexpr,
    ACC: tl.constexpr,
):
    """Gradient of `q_m` from the scores of one metabolite's incidences."""
    block, n = block_and_node(by_degree, num_src, heavy)
    head = tl.arange(0, HP)
    shared = tl.zeros([HP], ACC)
    stop = tl.load(ptr + n + 1)
    begin = tl.load(ptr + n)
    for b in range(block * BLOCK, tl.minimum(block * BLOCK + BLOCK, genotypes)):
        base = tl.zeros([], tl.int64) + b
        r = tl.load(senders + base * num_src + n)
        if r >= 0:
            d = tl.zeros([HP], ACC)
            for start in range(begin, stop, E):
                e = start + tl.arange(0, E)
                target = tl.load(dst + e, mask=e < stop, other=0)
                p = tl.load(receivers + base * num_dst + target, mask=e < stop, other=-1)
                reads = p >= lowest_own(base, num_dst)
                k = tl.load(starts + p, mask=reads, other=0) + tl.load(place + e, mask=reads, other=0)
                d += tl.sum(heads(d_score, k, reads, head, H, ACC), axis=0)
            if r >= num_src:
                tl.store(d_m + r.to(tl.int64) * H + head, d, mask=head < H)
            else:
                shared += d
    at_part = block * num_src + n
    tl.store(part_m + at_part.to(tl.int64) * H + head, shared, mask=head < H)
