"""Triton kernels of a block (`operators.block`), one pass forward and one backward; conventions: `kernels`.

Only the input is kept; statistics are recomputed in the backward pass. Gradients of the norm's weights are summed by a
fixed number of programs, each over its own rows, and added up outside the kernel.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from dglcell.engines.operators import Norm
from dglcell.engines.triton.launcher import TILE, accumulator, launch

_MOST_PROGRAMS = 1024  # programs of the backward pass: several for every multiprocessor of a large GPU


@triton.jit
def normalized(x, p, num_rows, W: tl.constexpr, WP: tl.constexpr, eps, ACC: tl.constexpr):
    """The rows p (R,) scaled to mean 0 and variance 1, the factor 1 / sd, and which values exist: (R, WP), (R,)."""
    cell = tl.arange(0, WP)
    exists = (p < num_rows)[:, None] & (cell < W)[None]
    v = tl.load(x + p.to(tl.int64)[:, None] * W + cell[None], mask=exists, other=0).to(ACC)
    v = tl.where(exists, v - (tl.sum(v, axis=1) / W)[:, None], 0)
    scale = 1 / tl.sqrt(tl.sum(v * v, axis=1) / W + eps)
    return v * scale[:, None], scale, exists


@triton.jit(do_not_specialize=["num_rows"])
def block_forward(
    x,
    weight,
    bias,
    mask,
    node,
    y,
    num_rows,
    eps,
    MASKED: tl.constexpr,
    PACKED: tl.constexpr,
    W: tl.constexpr,
    WP: tl.constexpr,
    R: tl.constexpr,
    ACC: tl.constexpr,
):
    """R rows of the block."""
    p = tl.program_id(0) * R + tl.arange(0, R)
    cell = tl.arange(0, WP)
    v, _, exists = normalized(x, p, num_rows, W, WP, eps, ACC)
    gamma = tl.load(weight + cell, mask=cell < W, other=0).to(ACC)
    beta = tl.load(bias + cell, mask=cell < W, other=0).to(ACC)
    out = v * gamma[None] + beta[None]
    out = tl.where(out < 0, 0, out)  # NaN stays NaN
    at = p.to(tl.int64)[:, None] * W + cell[None]
    if MASKED:
        n = p
        if PACKED:
            n = tl.load(node + p, mask=p < num_rows, other=0)
        out *= tl.load(mask + n.to(tl.int64)[:, None] * W + cell[None], mask=exists, other=0).to(ACC)
    tl.store(y + at, out, mask=exists)


@triton.jit(do_not_specialize=["num_rows", "tiles"])
def block_backward(
    x,
    weight,
    bias,
    mask,
    node,
    grad,
    d_x,
    part_weight,
    part_bias,
    num_rows,
    tiles,
    eps,
    MASKED: tl.constexpr,
    PACKED: tl.constexpr,
    W: tl.constexpr,
    WP: tl.constexpr,
    R: tl.constexpr,
    ACC: tl.constexpr,
):
    """Gradients of every `num_programs`-th tile of R rows."""
    cell = tl.arange(0, WP)
    gamma = tl.load(weight + cell, mask=cell < W, other=0).to(ACC)
    beta = tl.load(bias + cell, mask=cell < W, other=0).to(ACC)
    d_gamma = tl.zeros([WP], ACC)
    d_beta = tl.zeros([WP], ACC)
    for tile in range(tl.program_id(0), tiles, tl.num_programs(0)):
        p = tile * R + tl.arange(0, R)
        v, scale, exists = normalized(x, p, num_rows, W, WP, eps, ACC)
        at = p.to(tl.int64)[:, None] * W + cell[None]
        g = tl.load(grad + at, mask=exists, other=0).to(ACC)
        if MASKED:
            n = p
            if PACKED:
                n = tl.load(node + p, mask=p < num_rows, other=0)
            g *= tl.load(mask + n.to(tl.int64)[:, None] * W + cell[None], mask=exists, other=0).to(ACC)
        g = tl.where(v * gamma[None] + beta[None] > 0, g, 0)
        d_gamma += tl.sum(g * v, axis=0)
        d_beta += tl.sum(g, axis=0)
        g *= gamma[None]
        across = (tl.sum(g, axis=1) / W)[:, None] + v * (tl.sum(g * v, axis=1) / W)[:, None]
        tl.store(d_x + at, (g - across) * scale[:, None], mask=exists)
    at_part = tl.program_id(0) * W + cell
    tl.store(part_weight + at_part, d_gamma, mask=cell < W)
    tl.store(part_bias + at_part, d_beta, mask=cell < W)


class _Block(torch.autograd.Function):
    """Rows (P, W), weights (W,), a mask (N, W) or None and the rows' nodes (P,) or None -> (P, W)."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float, mask: Tensor | None, rows: Tensor | None
    ) -> Tensor:
        x, weight, bias = x.contiguous(), weight.contiguous(), bias.contiguous()
        acc, dtype = accumulator(x.dtype)
        y = torch.empty_like(x, dtype=dtype)
        width = x.shape[1]
        padded = triton.next_power_of_2(width)
        ctx.sizes = {"W": width, "WP": padded, "R": max(1, TILE // padded), "ACC": acc}
        ctx.sizes |= {"MASKED": mask is not None, "PACKED": mask is not None and rows is not None}
        mask = x if mask is None else mask  # placeholders that are not read
        rows = x if rows is None else rows
        ctx.save_for_backward(x, weight, bias, mask, rows)
        ctx.eps = eps
        grid = (triton.cdiv(len(x), ctx.sizes["R"]),)
        launch(block_forward, grid, x, weight, bias, mask, rows, y, len(x), eps, **ctx.sizes)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x, weight, bias, mask, rows = ctx.saved_tensors
        tiles = triton.cdiv(len(x), ctx.sizes["R"])
        programs = min(_MOST_PROGRAMS, tiles)
        d_x = torch.empty_like(x)
        parts = x.new_empty(2, programs, x.shape[1], dtype=accumulator(x.dtype)[1])
        arguments = x, weight, bias, mask, rows, grad.contiguous(), d_x, *parts, len(x), tiles, ctx.eps
        launch(block_backward, (programs,), *arguments, **ctx.sizes)
        d_weight, d_bias = parts.sum(1)
        return d_x, d_weight, d_bias, None, None, None


def block(x: Tensor, norm: Norm, mask: Tensor | None, rows: Tensor | None) -> Tensor:
    """As `dglcell.engines.operators.block`, for packed rows (P, 1, h); float64 for float64, else float32."""
    flat = None if mask is None else mask.flatten(1).contiguous()
    y: Tensor = _Block.apply(x.squeeze(1), norm.weight, norm.bias, norm.eps, flat, rows)  # type: ignore[no-untyped-call]
    return y.unsqueeze(1)
