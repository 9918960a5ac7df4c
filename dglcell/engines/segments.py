"""Sums, softmax and scores over the edges of one relation, on plain tensors, with hand-written gradients.

Edges are sorted by target (CSC), so sums run over contiguous rows. Scores and gradients visit the edges in blocks that
fit the cache and are recomputed in the backward pass: nothing of size edges x width is ever kept.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import embedding_bag, leaky_relu, linear

from dglcell.engines.operators import ABSENT, SLOPE

# Size of one (edges, B, H, D) temporary that fits the caches of a CPU core, or keeps a GPU busy.
_BLOCK_BYTES = {"cpu": 8 << 20, "cuda": 256 << 20}
_MIN_BLOCK = 256  # edges


@dataclasses.dataclass(frozen=True, eq=False)
class Edges:
    """Edges of one relation, sorted by target.

    Attributes
    ----------
    src, dst : Tensor (E,) int64
        `dst` ascends.
    ptr : Tensor (N_dst + 1,) int64
        Edges of target i are `ptr[i]:ptr[i + 1]`.
    num_src, num_dst : int
    """

    src: Tensor
    dst: Tensor
    ptr: Tensor
    num_src: int
    num_dst: int

    @classmethod
    def sort(cls, src: Tensor, dst: Tensor, num_src: int, num_dst: int) -> tuple[Edges, Tensor]:
        """Sort edges by target, stably; also the permutation (E,): sorted edge k is the original `permutation[k]`."""
        permutation = torch.argsort(dst, stable=True)
        ptr = torch.zeros(num_dst + 1, dtype=torch.int64, device=dst.device)
        ptr[1:] = torch.bincount(dst, minlength=num_dst).cumsum(0)
        return cls(src[permutation], dst[permutation], ptr, num_src, num_dst), permutation

    @functools.cached_property
    def reverse(self) -> tuple[Edges, Tensor]:
        """The same edges with source and target exchanged, and their permutation."""
        return Edges.sort(self.dst, self.src, self.num_dst, self.num_src)

    @functools.cached_property
    def _arange(self) -> Tensor:
        return torch.arange(len(self.src), device=self.src.device)

    def blocks(self, row_bytes: int) -> Iterator[slice]:
        """Runs of edges whose temporaries, of `row_bytes` per edge, stay within the budget of the device."""
        size = max(_MIN_BLOCK, _BLOCK_BYTES.get(self.src.device.type, 64 << 20) // max(1, row_bytes))
        for start in range(0, len(self.src), size):
            yield slice(start, min(start + size, len(self.src)))

    def sum(self, values: Tensor) -> Tensor:
        """Sum of edge values over the in-edges of each target: (E, ...) -> (N_dst, ...)."""
        flat = values.flatten(1)
        out = flat.new_zeros(self.num_dst, flat.shape[1])
        if flat.is_cuda:
            out.index_add_(0, self.dst, flat)
        elif (
            flat.numel()
        ):  # embedding_bag is the one segment sum of torch that is both parallel and vectorized on a CPU
            out = embedding_bag(self._arange, flat, self.ptr, mode="sum", include_last_offset=True)
        return out.view(self.num_dst, *values.shape[1:])

    def maximum(self, values: Tensor) -> Tensor:
        """Largest edge value over the in-edges of each target, 0 for none: (E, B, H) -> (N_dst, B, H)."""
        flat = values.flatten(1)
        out = flat.new_zeros(self.num_dst, flat.shape[1])
        out.scatter_reduce_(0, self.dst[:, None].expand_as(flat), flat, "amax", include_self=False)
        return out.view(self.num_dst, *values.shape[1:])


def _width(*sizes: int) -> int:
    """The broadcast size of sizes that are 1 or equal."""
    return max(sizes)


def _fold(x: Tensor, like: Tensor) -> Tensor:
    """Sum `x` over the axes in which `like` has size 1."""
    axes = [axis for axis in range(1, x.dim()) if like.shape[axis] == 1 and x.shape[axis] != 1]
    return x.sum(axes, keepdim=True) if axes else x


class _Scratch:
    """One buffer for all blocks: new memory for every temporary would cost more time than the arithmetic."""

    def __init__(self) -> None:
        self._buffer: Tensor | None = None

    def __call__(self, like: Tensor, rows: int) -> Tensor:
        if self._buffer is None:  # the first block is the largest
            self._buffer = like.new_empty(rows, *like.shape[1:])
        return self._buffer[:rows]


class _Gather:
    """Combines the source and target rows of blocks of edges, in scratch memory."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges
        self._source, self._target = _Scratch(), _Scratch()

    def __call__(self, x_src: Tensor, x_dst: Tensor, block: slice, combine: Any = torch.add) -> Tensor:
        """``combine(x_src[src], x_dst[dst])``; valid until the next call."""
        src, dst = self._edges.src[block], self._edges.dst[block]
        source = torch.index_select(x_src, 0, src, out=self._source(x_src, len(src)))
        target = torch.index_select(x_dst, 0, dst, out=self._target(x_dst, len(dst)))
        if source.shape[1] < target.shape[1]:
            source, target = target, source
        return combine(source, target, out=source)


class _Scores(torch.autograd.Function):
    """``score_e = a . LeakyReLU(x_src[src_e] + x_dst[dst_e])`` per genotype and head; see `scores`."""

    @staticmethod
    def forward(ctx: Any, x_src: Tensor, x_dst: Tensor, a: Tensor, edges: Edges) -> Tensor:
        ctx.save_for_backward(x_src, x_dst, a)
        ctx.edges = edges
        heads, width = a.shape
        genotypes = _width(x_src.shape[1], x_dst.shape[1])
        out = x_src.new_empty(len(edges.src), genotypes, heads)
        mix = _block_diagonal(a)
        gather = _Gather(edges)
        for block in edges.blocks(genotypes * heads * width * x_src.element_size()):
            total = leaky_relu(gather(x_src, x_dst, block), SLOPE, inplace=True)
            out[block] = linear(total.view(-1, heads * width), mix).view(-1, genotypes, heads)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x_src, x_dst, a = ctx.saved_tensors
        edges: Edges = ctx.edges
        heads, width = a.shape
        d_src, d_dst = torch.zeros_like(x_src), torch.zeros_like(x_dst)
        d_mix = a.new_zeros(heads, heads * width)
        gather = _Gather(edges)
        scratch = _Scratch()
        for block in edges.blocks(grad.shape[1] * heads * width * x_src.element_size()):
            total, g = gather(x_src, x_dst, block), grad[block]
            d_total = torch.mul(g.unsqueeze(-1), a, out=scratch(total, len(g)))
            torch.ops.aten.leaky_relu_backward.grad_input(d_total, total, SLOPE, False, grad_input=d_total)
            leaky_relu(total, SLOPE, inplace=True)
            d_mix += g.reshape(-1, heads).t() @ total.view(-1, heads * width)
            d_src.index_add_(0, edges.src[block], _fold(d_total, x_src))
            d_dst.index_add_(0, edges.dst[block], _fold(d_total, x_dst))
        d_a = torch.stack([d_mix.view(heads, heads, width)[h, h] for h in range(heads)])
        return d_src, d_dst, d_a, None


class _Softmax(torch.autograd.Function):
    """Softmax over the surviving in-edges of each target; see `softmax`."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, survives: Tensor | None, edges: Edges) -> Tensor:
        if survives is not None:
            scores = torch.where(survives.unsqueeze(-1), scores, ABSENT)
        alpha = (scores - edges.maximum(scores).index_select(0, edges.dst)).exp_()
        if survives is not None:
            alpha *= survives.unsqueeze(-1)
        total = edges.sum(alpha).clamp_min_(1)  # the largest surviving score adds exp(0), so below 1 none survives
        alpha /= total.index_select(0, edges.dst)
        ctx.save_for_backward(alpha)
        ctx.edges = edges
        return alpha

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (alpha,) = ctx.saved_tensors
        weighted = alpha * grad
        weighted -= alpha * ctx.edges.sum(weighted).index_select(0, ctx.edges.dst)
        return weighted, None, None


class _WeightedSum(torch.autograd.Function):
    """``y_i = sum over in-edges e of i of w_e x[src_e]``; see `weighted_sum`."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, x: Tensor, edges: Edges) -> Tensor:
        ctx.save_for_backward(weight, x)
        ctx.edges = edges
        return _send(weight, x, edges)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        weight, x = ctx.saved_tensors
        edges: Edges = ctx.edges
        d_weight = d_x = None
        if ctx.needs_input_grad[0]:
            d_weight = torch.empty_like(weight)
            gather = _Gather(edges)
            for block in edges.blocks(grad.shape[1:].numel() * grad.element_size()):
                d_weight[block] = _fold(gather(x, grad, block, torch.mul).sum(-1), weight)
        if ctx.needs_input_grad[1]:
            backward, permutation = edges.reverse
            d_x = _fold(_send(weight.index_select(0, permutation), grad.contiguous(), backward), x)
        return d_weight, d_x, None


def _send(weight: Tensor, x: Tensor, edges: Edges) -> Tensor:
    """(E, B, H), (N_src, B, H, D) -> (N_dst, B, H, D); sizes of 1 broadcast."""
    if weight.shape[2] == 1:  # one weight for all heads: one wide row instead of several narrow ones
        out = _send_heads(weight, x.flatten(2).unsqueeze(2), edges)
        return out.view(*out.shape[:2], *x.shape[2:])
    return _send_heads(weight, x, edges)


def _send_heads(weight: Tensor, x: Tensor, edges: Edges) -> Tensor:
    genotypes = _width(weight.shape[1], x.shape[1])
    out = x.new_zeros(edges.num_dst, genotypes, *x.shape[2:])
    if x.is_cuda:
        for block in edges.blocks(genotypes * x.shape[2:].numel() * x.element_size()):
            out.index_add_(0, edges.dst[block], weight[block].unsqueeze(-1) * x.index_select(0, edges.src[block]))
        return out
    if not out.numel() or not len(edges.src):
        return out
    for b in range(genotypes):
        for h in range(x.shape[2]):
            rows = x[:, b if x.shape[1] > 1 else 0, h].contiguous()
            w = weight[:, b if weight.shape[1] > 1 else 0, h].contiguous()
            out[:, b, h] = embedding_bag(
                edges.src, rows, edges.ptr, mode="sum", include_last_offset=True, per_sample_weights=w
            )
    return out


def _block_diagonal(a: Tensor) -> Tensor:
    """(H, D) -> (H, H * D): a matrix product then does all heads at once."""
    rows: Tensor = torch.block_diag(*a.unsqueeze(1))  # type: ignore[no-untyped-call]
    return rows


def scores(x_src: Tensor, x_dst: Tensor, a: Tensor, edges: Edges) -> Tensor:
    """``a . LeakyReLU_0.2(x_src[src] + x_dst[dst])`` of every edge.

    Parameters
    ----------
    x_src, x_dst : Tensor (N_src, B, H, D), (N_dst, B, H, D)
    a : Tensor (H, D)
    edges : Edges

    Returns
    -------
    Tensor (E, B, H)
    """
    result: Tensor = _Scores.apply(x_src, x_dst, a, edges)  # type: ignore[no-untyped-call]
    return result


def softmax(edge_scores: Tensor, survives: Tensor | None, edges: Edges) -> Tensor:
    """Softmax of (E, B, H) scores over the surviving in-edges of each target; `survives` is (E, B) or None."""
    if survives is not None and survives.shape[1] > edge_scores.shape[1]:
        edge_scores = edge_scores.expand(-1, survives.shape[1], -1)
    result: Tensor = _Softmax.apply(edge_scores, survives, edges)  # type: ignore[no-untyped-call]
    return result


def weighted_sum(weight: Tensor, x: Tensor, edges: Edges) -> Tensor:
    """``y_i = sum_e w_e x[src_e]`` over the in-edges of i.

    Parameters
    ----------
    weight : Tensor (E, B, H)
        B and H may be 1.
    x : Tensor (N_src, B, H, D)
    edges : Edges

    Returns
    -------
    Tensor (N_dst, B, H, D)
    """
    result: Tensor = _WeightedSum.apply(weight, x, edges)  # type: ignore[no-untyped-call]
    return result
