"""Graph attention, pooling and carried rows with hand-written gradients: tensors in, Triton kernels, tensors out.

Gradients of rows that genotypes share come in parts, one for each block of genotypes, and are added up here.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
from torch import Tensor
from torch.autograd.function import once_differentiable

from dglcell.engines.triton import attention as attention_kernels
from dglcell.engines.triton import launcher
from dglcell.engines.triton import pool as pool_kernels
from dglcell.engines.triton.launcher import accumulator, block_of, head_sizes, launch, warps
from dglcell.engines.triton.rows import DeviceEdges, DeviceRows

_CHUNK = 256  # nodes that one program of the pooling sums, so that a single genotype also has enough programs
_POOL_NODES = 16


def merge(own: Tensor, parts: Tensor) -> Tensor:
    """`own` with the sum of `parts` (G, N, ...) as its first N rows, in place."""
    own[: parts.shape[1]] = parts.sum(0)
    return own


class _Attention(torch.autograd.Function):
    """`attention` with its gradient: (P_src, H, D), (P_dst, H, D), (H, D) -> (P, H, D) in float32 or float64."""

    @staticmethod
    def forward(
        ctx: Any,
        x_src: Tensor,
        x_dst: Tensor,
        a: Tensor,
        edges: DeviceEdges,
        ends: tuple[DeviceRows, DeviceRows, DeviceRows],
    ) -> Tensor:
        senders, entering, receivers = ends
        x_src, x_dst, a = x_src.contiguous(), x_dst.contiguous(), a.contiguous()
        acc, dtype = accumulator(x_src.dtype)
        y = x_src.new_empty(len(receivers), *a.shape, dtype=dtype)
        lse = y.new_empty(y.shape[:2])
        sizes = head_sizes(*a.shape)
        side = edges.into
        launch(
            attention_kernels.gat_forward,
            (len(receivers),),
            *(side.by_degree, *receivers.genotype_and_node, side.ptr, side.other, senders.lookup, entering.lookup),
            *(x_src, x_dst, a, y, lse, receivers.num_nodes, senders.num_nodes),
            **sizes,
            ACC=acc,
            num_warps=warps(sizes, launcher.FORWARD_WARPS),
        )
        ctx.edges, ctx.ends = edges, ends
        ctx.save_for_backward(x_src, x_dst, a, y, lse)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x_src, x_dst, a, y, lse = ctx.saved_tensors
        senders, entering, receivers = ctx.ends
        tables = senders.lookup, entering.lookup, receivers.lookup
        grad, mean = grad.contiguous(), torch.empty_like(lse)
        block, blocks = block_of(len(receivers.lookup))
        d_src, d_dst = torch.empty_like(x_src), torch.empty_like(x_dst)
        part_dst, part_a = y.new_empty(2, blocks, receivers.num_nodes, *a.shape)
        part_src = y.new_empty(blocks, senders.num_nodes, *a.shape)
        sizes = head_sizes(*a.shape)
        common = {**sizes, "BLOCK": block, "ACC": accumulator(x_src.dtype)[0]}
        common["num_warps"] = warps(sizes, launcher.BACKWARD_WARPS)
        counts = receivers.num_nodes, senders.num_nodes, len(receivers.lookup)
        into, out = ctx.edges.into, ctx.edges.out
        launch(
            attention_kernels.gat_backward_target,
            (blocks * receivers.num_nodes,),
            *(into.by_degree, into.heavy, into.ptr, into.other, *tables, x_src, x_dst, a, y, lse, grad),
            *(d_dst, mean, part_dst, part_a, *counts),
            **common,
        )
        launch(
            attention_kernels.gat_backward_source,
            (blocks * senders.num_nodes,),
            *(out.by_degree, out.heavy, out.ptr, out.other, *tables, x_src, x_dst, a, lse, mean, grad),
            *(d_src, part_src, *counts),
            **common,
        )
        return merge(d_src, part_src), merge(d_dst, part_dst), part_a.sum((0, 1)).to(a.dtype), None, None


class _Pool(torch.autograd.Function):
    """`pool` with its gradient: (P, W), (P,) and a lookup table (B, N) -> (B, W)."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, scores: Tensor, lookup: Tensor) -> Tensor:
        values, scores, lookup = values.contiguous(), scores.contiguous(), lookup.contiguous()
        (genotypes, nodes), width = lookup.shape, values.shape[1]
        chunks = max(1, triton.cdiv(nodes, _CHUNK))
        acc, dtype = accumulator(values.dtype)
        sums = values.new_empty(genotypes, chunks, width, dtype=dtype)
        highest, total = sums.new_empty(2, genotypes, chunks)
        launch(
            pool_kernels.pool_forward,
            (genotypes, chunks),
            *(lookup, values, scores, highest, total, sums, nodes, _CHUNK),
            **_pool_sizes(width),
            ACC=acc,
        )
        top = highest.amax(1)
        scale = torch.exp(highest - top[:, None])
        whole = (scale * total).sum(1)
        some = torch.where(whole > 0, whole, 1)
        z = (scale[:, :, None] * sums).sum(1) / some[:, None]
        lse = torch.where(whole > 0, top + some.log(), 0)
        ctx.save_for_backward(values, scores, lookup, z, lse)
        return z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        values, scores, lookup, z, lse = ctx.saved_tensors
        (genotypes, nodes), width = lookup.shape, values.shape[1]
        block, blocks = block_of(genotypes)
        d_values, d_scores = torch.empty_like(values), torch.empty_like(scores)
        part_values, part_scores = z.new_empty(blocks, nodes, width), z.new_empty(blocks, nodes)
        grad = grad.contiguous()
        launch(
            pool_kernels.pool_backward,
            (triton.cdiv(nodes, _POOL_NODES), blocks),
            *(lookup, values, scores, lse, (grad * z).sum(-1), grad),
            *(d_values, d_scores, part_values, part_scores, nodes, genotypes),
            **_pool_sizes(width),
            BLOCK=block,
            ACC=accumulator(values.dtype)[0],
        )
        return merge(d_values, part_values), merge(d_scores, part_scores), None


class _Carry(torch.autograd.Function):
    """Copy rows (P_before, W) before a layer to the rows (P, W) after it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, entering: DeviceRows, receivers: DeviceRows) -> Tensor:
        ctx.ends, ctx.shape = (entering, receivers), x.shape
        return x.index_select(0, receivers.within(entering))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        entering, receivers = ctx.ends
        width = grad.shape[1]
        block, blocks = block_of(len(receivers.lookup))
        acc, dtype = accumulator(grad.dtype)
        d_x, grad = grad.new_empty(ctx.shape), grad.contiguous()
        parts = grad.new_empty(blocks, receivers.num_nodes, width, dtype=dtype)
        launch(
            pool_kernels.carry_backward,
            (blocks * receivers.num_nodes,),
            *(entering.lookup, receivers.lookup, grad, d_x, parts, receivers.num_nodes, len(receivers.lookup)),
            **{"BLOCK": block, "W": width, "WP": triton.next_power_of_2(width), "ACC": acc},
        )
        return merge(d_x, parts), None, None


def attention(
    x_src: Tensor,
    x_dst: Tensor,
    a: Tensor,
    edges: DeviceEdges,
    ends: tuple[DeviceRows, DeviceRows, DeviceRows],
) -> Tensor:
    """GATv2 over packed rows, as `dglcell.engines.base.Engine.gatv2`.

    Parameters
    ----------
    x_src, x_dst : Tensor (P_src, H, D), (P_dst, H, D)
        Half types are read without conversion.
    a : Tensor (H, D)
    edges : DeviceEdges
    ends : tuple of DeviceRows
        Rows of the sources, rows of the targets before the layer, rows of the targets after it.

    Returns
    -------
    Tensor (P, H, D)
        float64 for float64, else float32.
    """
    y: Tensor = _Attention.apply(x_src, x_dst, a, edges, ends)  # type: ignore[no-untyped-call]
    return y


def pool(values: Tensor, scores: Tensor, lookup: Tensor) -> Tensor:
    """Attention-weighted sums over the rows that stand for each genotype's nodes.

    Parameters
    ----------
    values : Tensor (P, W)
    scores : Tensor (P,)
    lookup : Tensor (B, N) int32
        -1 for a lost node.

    Returns
    -------
    Tensor (B, W)
        0 for a genotype without nodes.
    """
    z: Tensor = _Pool.apply(values, scores, lookup)  # type: ignore[no-untyped-call]
    return z


def carry(x: Tensor, entering: DeviceRows, receivers: DeviceRows) -> Tensor:
    """Rows (P_before, W) before a layer, copied to the rows (P, W) after it."""
    out: Tensor = _Carry.apply(x, entering, receivers)  # type: ignore[no-untyped-call]
    return out


def _pool_sizes(width: int) -> dict[str, int]:
    return {"W": width, "WP": triton.next_power_of_2(width), "N": _POOL_NODES}
