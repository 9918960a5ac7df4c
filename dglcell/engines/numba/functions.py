"""The compiled loops as differentiable functions of tensors; plain arrays describe the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from dglcell.engines.numba import memory, threads
from dglcell.engines.numba.attention import gat_backward, gat_forward
from dglcell.engines.numba.block import block_backward, block_forward
from dglcell.engines.numba.linear import linear_backward, linear_forward
from dglcell.engines.numba.sums import pool_backward, pool_forward, sum_backward, sum_forward
from dglcell.engines.numba.vectors import BYTES
from dglcell.engines.operators import Norm
from dglcell.engines.packed.affected_nodes import Sparse
from dglcell.engines.packed.delta_states import Rows

_Array = NDArray[Any]


def attention(
    x_src: Tensor, x_dst: Tensor, a: Tensor, bias: Tensor, edges: Sparse, senders: Rows, target: _Array, receivers: Rows
) -> Tensor:
    """`attention.gat_forward`: (P_src, H, D), (P_dst, H, D), (H, D), (H, D) -> (P, H, D)."""
    width = a.shape[1]
    if rest := -width % (BYTES // a.element_size()):  # pad to whole vectors with zeros, which do not change the result
        x_src, x_dst, a, bias = (functional.pad(x, (0, rest)) for x in (x_src, x_dst, a, bias))
    y: Tensor = _Attention.apply(x_src, x_dst, a, bias, edges, senders, target, receivers)  # type: ignore[no-untyped-call]
    return y[..., :width]


def weighted_mean(
    x: Tensor, weight: Tensor, edges: Sparse, size: _Array, at: _Array, senders: Rows, receivers: Rows
) -> Tensor:
    """`sums.sum_forward`: (P_src, H, D), (K, H) -> (P, H, D)."""
    y: Tensor = _Sum.apply(x, weight, edges, size, at, senders, receivers)  # type: ignore[no-untyped-call]
    return y


def pool(values: Tensor, scores: Tensor, lookup: _Array) -> Tensor:
    """`sums.pool_forward`: (P, h), (P,) -> (B, h)."""
    z: Tensor = _Pool.apply(values, scores, lookup)  # type: ignore[no-untyped-call]
    return z


def block(x: Tensor, norm: Norm, mask: Tensor | None, rows: Rows, onto: Tensor | None) -> Tensor:
    """`block.block_forward`: (P, h), mask (N, h) -> (P, h), added to `onto` in place if there is one."""
    y: Tensor = _Block.apply(x, norm.weight, norm.bias, norm.eps, mask, rows, onto)  # type: ignore[no-untyped-call]
    return y


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`linear.linear_forward`: (P, k), (m, k), (m,) -> (P, m); torch's own if a width does not fill whole vectors."""
    lanes = BYTES // x.element_size()
    if weight.shape[0] % lanes or weight.shape[1] % lanes:
        return functional.linear(x, weight, bias)
    y: Tensor = _Linear.apply(x, weight, weight.new_zeros(len(weight)) if bias is None else bias)  # type: ignore[no-untyped-call]
    return y


def _arrays(*tensors: Tensor) -> list[_Array]:
    return [t.detach().contiguous().numpy() for t in tensors]


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x_src: Tensor,
        x_dst: Tensor,
        a: Tensor,
        bias: Tensor,
        edges: Sparse,
        senders: Rows,
        target: _Array,
        receivers: Rows,
    ) -> Tensor:
        y = memory.empty(x_src, len(receivers), *a.shape)
        lse = memory.empty(x_src, len(receivers), len(a))
        ctx.cuts = threads.by_edges(receivers, edges)
        ctx.layout = receivers.genotype, receivers.node, target, edges.ptr, edges.src, senders.by_node
        threads.run(gat_forward, ctx.cuts, *ctx.layout, *_arrays(x_src, x_dst, a, bias, y, lse))
        ctx.save_for_backward(x_src, x_dst, a, bias, y, lse)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x_src, x_dst, a, bias, y, lse = ctx.saved_tensors
        gradients = threads.zeros(ctx.cuts, x_src, x_dst, a, bias)
        threads.run(
            gat_backward, ctx.cuts, *ctx.layout, *_arrays(x_src, x_dst, a, bias, y, lse, grad), gradients=gradients
        )
        d_src, d_dst, d_a, d_bias = map(threads.add_up, gradients)
        return d_src, d_dst.mul_(a), d_a, d_bias, None, None, None, None


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, edges: Sparse, size: _Array, at: _Array, senders: Rows, receivers: Rows
    ) -> Tensor:
        y = memory.empty(x, len(receivers), *x.shape[1:])
        norm = memory.empty(x, len(receivers))
        ctx.cuts = threads.by_edges(receivers, edges)
        ctx.layout = receivers.genotype, receivers.node, edges.ptr, edges.src, senders.by_node, at
        size = size.astype(norm.numpy().dtype)
        values, weights = _arrays(x, weight)
        threads.run(sum_forward, ctx.cuts, *ctx.layout, weights, size, values, y.numpy(), norm.numpy())
        ctx.save_for_backward(x, weight, norm)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x, weight, norm = ctx.saved_tensors
        gradients = threads.zeros(ctx.cuts, x)
        needs_weight = bool(ctx.needs_input_grad[1])
        d_weight = torch.zeros_like(weight)
        values, weights, norms, grads = _arrays(x, weight, norm, grad)
        args = *ctx.layout, weights, values, norms, grads, needs_weight, d_weight.numpy()
        threads.run(sum_backward, ctx.cuts, *args, gradients=gradients)
        return threads.add_up(gradients[0]), d_weight if needs_weight else None, None, None, None, None, None


class _Pool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, scores: Tensor, lookup: _Array) -> Tensor:
        z, lse = values.new_empty(len(lookup), values.shape[1]), values.new_empty(len(lookup))
        ctx.cuts = threads.even(len(lookup))
        ctx.lookup = np.ascontiguousarray(lookup.T)
        threads.run(pool_forward, ctx.cuts, ctx.lookup, *_arrays(values, scores, z, lse))
        ctx.save_for_backward(values, scores, z, lse)
        return z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        values, scores, z, lse = ctx.saved_tensors
        gradients = threads.zeros(ctx.cuts, values, scores)
        threads.run(pool_backward, ctx.cuts, ctx.lookup, *_arrays(values, scores, z, lse, grad), gradients=gradients)
        return threads.add_up(gradients[0]), threads.add_up(gradients[1]), None


class _Block(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        gain: Tensor,
        shift: Tensor,
        eps: float,
        mask: Tensor | None,
        rows: Rows,
        onto: Tensor | None,
    ) -> Tensor:
        y = memory.empty(x, *x.shape) if onto is None else onto.detach()  # the same memory: nobody else reads it
        mean, scale = memory.empty(x, len(x)), memory.empty(x, len(x))
        drop = x.new_empty(0, x.shape[1]) if mask is None else mask
        ctx.cuts, ctx.node, ctx.masked = threads.even(len(x), rows.known), rows.node, mask is not None
        arguments = *_arrays(x, gain, shift), eps, *_arrays(drop), ctx.masked
        threads.run(block_forward, ctx.cuts, ctx.node, *arguments, y.numpy(), onto is not None, *_arrays(mean, scale))
        ctx.save_for_backward(x, gain, shift, drop, mean, scale)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x, gain, shift, drop, mean, scale = ctx.saved_tensors
        d_x = memory.empty(x, *x.shape)
        gradients = threads.zeros(ctx.cuts, gain, shift)
        arguments = *_arrays(x, gain, shift, drop), ctx.masked, *_arrays(mean, scale, grad, d_x)
        threads.run(block_backward, ctx.cuts, ctx.node, *arguments, gradients=gradients)
        return d_x, *map(threads.add_up, gradients), None, None, None, grad if ctx.needs_input_grad[6] else None


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        y = memory.empty(x, len(x), len(weight))
        threads.run(linear_forward, threads.even(len(x)), *_arrays(x, weight.T, bias, y))
        ctx.save_for_backward(x, weight)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x, weight = ctx.saved_tensors
        cuts = threads.even(len(x))
        d_x = None
        if ctx.needs_input_grad[0]:
            d_x = memory.empty(x, *x.shape)
            threads.run(linear_forward, cuts, *_arrays(grad, weight, x.new_zeros(x.shape[1]), d_x))
        gradients = threads.zeros(cuts, weight.T, weight[:, 0])
        threads.run(linear_backward, cuts, *_arrays(x, grad), gradients=gradients)
        return d_x, threads.add_up(gradients[0]).T, threads.add_up(gradients[1])
