"""The compiled kernels as differentiable functions of tensors; plain arrays say which rows there are."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from dglcell.ops import numba_kernels as kernels
from dglcell.ops import packed
from dglcell.ops.block import Norm
from dglcell.ops.packed import Rows
from dglcell.ops.sparse import Sparse

_Array = NDArray[Any]


def attention(
    x_src: Tensor, x_dst: Tensor, a: Tensor, edges: Sparse, lookup: _Array, target: _Array, made: Rows
) -> Tensor:
    """`numba_kernels.gat_forward`: (P_src, H, D), (P_dst, H, D), (H, D) -> (P, H, D)."""
    y: Tensor = _Attention.apply(x_src, x_dst, a, edges, lookup, target, made)  # type: ignore[no-untyped-call]
    return y


def weighted_mean(
    x: Tensor, weight: Tensor, edges: Sparse, size: _Array, at: _Array, lookup: _Array, made: Rows
) -> Tensor:
    """`numba_kernels.sum_forward`: (P_src, H, D), (K, H) -> (P, H, D)."""
    y: Tensor = _Sum.apply(x, weight, edges, size, at, lookup, made)  # type: ignore[no-untyped-call]
    return y


def pool(values: Tensor, scores: Tensor, lookup: _Array) -> Tensor:
    """`numba_kernels.pool_forward`: (P, h), (P,) -> (B, h)."""
    z: Tensor = _Pool.apply(values, scores, lookup)  # type: ignore[no-untyped-call]
    return z


def block(x: Tensor, norm: Norm, mask: Tensor | None, node: _Array) -> Tensor:
    """`numba_kernels.block_forward`: (P, h), mask (N, h) -> (P, h)."""
    y: Tensor = _Block.apply(x, norm.weight, norm.bias, norm.eps, mask, node)  # type: ignore[no-untyped-call]
    return y


def _arrays(*tensors: Tensor) -> list[_Array]:
    return [t.detach().contiguous().numpy() for t in tensors]


def _parts() -> int:
    """Parts that a kernel's rows are split into: the threads that torch may use."""
    given = torch.get_num_threads()
    threads = min(given, numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]  # set when numba loads
    numba.set_num_threads(threads)
    if torch.get_num_threads() != given:  # starting numba's OpenMP threads sets the number for the whole process
        torch.set_num_threads(given)
    return int(threads)


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x_src: Tensor, x_dst: Tensor, a: Tensor, edges: Sparse, lookup: _Array, target: _Array, made: Rows
    ) -> Tensor:
        y = x_src.new_empty(len(made), *a.shape)
        lse = x_src.new_empty(len(made), len(a))
        where = packed.cuts(made, edges, _parts()), made.genotype, made.node, target, edges.ptr, edges.src, lookup
        kernels.gat_forward(*where, *_arrays(x_src, x_dst, a), y.numpy(), lse.numpy())
        ctx.where = where
        ctx.save_for_backward(x_src, x_dst, a, y, lse)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x_src, x_dst, a, y, lse = ctx.saved_tensors
        parts = len(ctx.where[0]) - 1
        made = [torch.zeros(parts, *x.shape, dtype=x.dtype) for x in (x_src, x_dst, a)]
        kernels.gat_backward(*ctx.where, *_arrays(x_src, x_dst, a, y, lse, grad), *_arrays(*made))
        d_src, d_dst, d_a = (d.sum(0) for d in made)
        return d_src, d_dst.mul_(a), d_a, None, None, None, None


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, edges: Sparse, size: _Array, at: _Array, lookup: _Array, made: Rows
    ) -> Tensor:
        y = x.new_empty(len(made), *x.shape[1:])
        norm = x.new_empty(len(made))
        where = packed.cuts(made, edges, _parts()), made.genotype, made.node, edges.ptr, edges.src, lookup, at
        size = size.astype(norm.numpy().dtype)
        values, weights = _arrays(x, weight)
        kernels.sum_forward(*where, weights, size, values, y.numpy(), norm.numpy())
        ctx.where = where
        ctx.save_for_backward(x, weight, norm)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x, weight, norm = ctx.saved_tensors
        d_x = torch.zeros(len(ctx.where[0]) - 1, *x.shape, dtype=x.dtype)
        wanted = bool(ctx.needs_input_grad[1])
        d_weight = torch.zeros_like(weight)
        values, weights, norms, grads = _arrays(x, weight, norm, grad)
        kernels.sum_backward(*ctx.where, weights, values, norms, grads, wanted, d_weight.numpy(), d_x.numpy())
        return d_x.sum(0), d_weight if wanted else None, None, None, None, None, None


class _Pool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, scores: Tensor, lookup: _Array) -> Tensor:
        z, lse = values.new_empty(len(lookup), values.shape[1]), values.new_empty(len(lookup))
        _parts()
        kernels.pool_forward(lookup, *_arrays(values, scores), z.numpy(), lse.numpy())
        ctx.lookup = lookup
        ctx.save_for_backward(values, scores, z, lse)
        return z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        values, scores, z, lse = ctx.saved_tensors
        parts = min(_parts(), max(1, len(ctx.lookup)))
        cuts = np.linspace(0, len(ctx.lookup), parts + 1).astype(np.int64)
        made = [torch.zeros(parts, *x.shape, dtype=x.dtype) for x in (values, scores)]
        kernels.pool_backward(cuts, ctx.lookup, *_arrays(values, scores, z, lse, grad), *_arrays(*made))
        return made[0].sum(0), made[1].sum(0), None


class _Block(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, gain: Tensor, shift: Tensor, eps: float, mask: Tensor | None, node: _Array
    ) -> Tensor:
        y = torch.empty_like(x)
        mean, scale = x.new_empty(len(x)), x.new_empty(len(x))
        cuts = np.linspace(0, len(x), _parts() + 1).astype(np.int64)
        drop = x.new_empty(0, x.shape[1]) if mask is None else mask
        given = _arrays(x, gain, shift)
        kernels.block_forward(
            cuts, node, *given, eps, *_arrays(drop), mask is not None, y.numpy(), mean.numpy(), scale.numpy()
        )
        ctx.cuts, ctx.node, ctx.masked = cuts, node, mask is not None
        ctx.save_for_backward(x, gain, shift, drop, mean, scale)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x, gain, shift, drop, mean, scale = ctx.saved_tensors
        d_x = torch.empty_like(x)
        made = [torch.zeros(len(ctx.cuts) - 1, len(gain), dtype=x.dtype) for _ in range(2)]
        kernels.block_backward(
            *(ctx.cuts, ctx.node, *_arrays(x, gain, shift, drop), ctx.masked),
            *_arrays(mean, scale, grad, d_x, *made),
        )
        return d_x, made[0].sum(0), made[1].sum(0), None, None, None
