"""The stoichiometric operators with hand-written gradients: tensors in, Triton kernels, tensors out."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
import triton
from torch import Tensor
from torch.autograd.function import once_differentiable

from dglcell.engines.triton import launcher, stoich_attention, stoichiometry
from dglcell.engines.triton.functions import merge
from dglcell.engines.triton.launcher import accumulator, block_of, head_sizes, launch, warps
from dglcell.engines.triton.rows import DeviceEdges, DeviceRows

NOBODYS, RECEIVERS, SENDERS = 0, 1, 2  # the rows that attention values belong to: ALPHA in `stoichiometry`
_INCIDENCES = 16  # incidences of a reaction in a tile without features


@dataclasses.dataclass(frozen=True, eq=False)
class Incidences:
    """Signed incidences of one direction.

    Attributes
    ----------
    edges : DeviceEdges
    into_amount, out_amount : Tensor (E,)
        Stoichiometry, by target and by source.
    into_place, out_place : Tensor (E,) int32
        Index of the incidence among those of its reaction.
    owner : int
        `RECEIVERS` if the targets are reactions, `SENDERS` if the sources are.
    """

    edges: DeviceEdges
    into_amount: Tensor
    out_amount: Tensor
    into_place: Tensor
    out_place: Tensor
    owner: int


class _Softmax(torch.autograd.Function):
    """Stoichiometric attention: (P_m, H), (P_r, H) -> (K, H)."""

    @staticmethod
    def forward(
        ctx: Any,
        q_m: Tensor,
        q_r: Tensor,
        incidences: Incidences,
        starts: tuple[Tensor, int],
        ends: tuple[DeviceRows, DeviceRows, DeviceRows],
    ) -> Tensor:
        senders, entering, receivers = ends
        q_m, q_r = q_m.contiguous(), q_r.contiguous()
        acc, dtype = accumulator(q_m.dtype)
        alpha = q_m.new_empty(starts[1], q_m.shape[1], dtype=dtype)
        side = incidences.edges.into
        launch(
            stoich_attention.stoich_forward,
            (len(receivers),),
            *(side.by_degree, *receivers.genotype_and_node, side.ptr, side.other, senders.lookup, entering.lookup),
            *(starts[0], q_m, q_r, alpha, receivers.num_nodes, senders.num_nodes),
            **_sizes(q_m),
            ACC=acc,
        )
        ctx.incidences, ctx.start, ctx.ends = incidences, starts[0], ends
        ctx.save_for_backward(q_m, q_r, alpha)
        return alpha

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        q_m, q_r, alpha = ctx.saved_tensors
        senders, entering, receivers = ctx.ends
        block, blocks = block_of(len(receivers.lookup))
        heads = q_m.shape[1]
        d_score, d_m, d_r = torch.empty_like(alpha), torch.empty_like(q_m), torch.empty_like(q_r)
        part_m = alpha.new_empty(blocks, senders.num_nodes, heads)
        part_r = alpha.new_empty(blocks, receivers.num_nodes, heads)
        counts = receivers.num_nodes, senders.num_nodes, len(receivers.lookup)
        common = {**_sizes(q_m), "BLOCK": block, "ACC": accumulator(q_m.dtype)[0]}
        into, out = ctx.incidences.edges.into, ctx.incidences.edges.out
        launch(
            stoich_attention.stoich_backward_target,
            (blocks * receivers.num_nodes,),
            *(
                into.by_degree,
                into.heavy,
                into.ptr,
                into.other,
                senders.lookup,
                entering.lookup,
                receivers.lookup,
                ctx.start,
            ),
            *(q_m, q_r, alpha, grad.contiguous(), d_score, d_r, part_r, *counts),
            **common,
        )
        launch(
            stoich_attention.stoich_backward_source,
            (blocks * senders.num_nodes,),
            *(out.by_degree, out.heavy, out.ptr, out.other, senders.lookup, receivers.lookup),
            *(ctx.incidences.out_place, ctx.start, d_score, d_m, part_m, *counts),
            **common,
        )
        return merge(d_m, part_m), merge(d_r, part_r), None, None, None


class _WeightedMean(torch.autograd.Function):
    """`y_p = sum_e S_e alpha_e x / sum_e |S_e|`: (P_src, H, D), (K, H) or None -> (P, H, D)."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, alpha: Tensor | None, incidences: Incidences, start: Tensor | None, ends: Any
    ) -> Tensor:
        senders, _, receivers = ends
        x = x.contiguous()
        acc, dtype = accumulator(x.dtype)
        y = x.new_empty(len(receivers), *x.shape[1:], dtype=dtype)
        norm = y.new_empty(len(receivers))
        ctx.whose = NOBODYS if alpha is None else incidences.owner
        alpha = norm if alpha is None else alpha.contiguous()  # a placeholder that is not read
        start = incidences.into_place if start is None else start
        side = incidences.edges.into
        sizes = head_sizes(*x.shape[1:])
        launch(
            stoichiometry.sum_forward,
            (len(receivers),),
            *(
                side.by_degree,
                *receivers.genotype_and_node,
                side.ptr,
                side.other,
                senders.lookup,
                incidences.into_amount,
            ),
            *(incidences.into_place, start, alpha, x, y, norm, receivers.num_nodes, senders.num_nodes),
            **sizes,
            ALPHA=ctx.whose,
            ACC=acc,
            num_warps=warps(sizes, launcher.FORWARD_WARPS),
        )
        ctx.incidences, ctx.start, ctx.ends = incidences, start, (senders, receivers)
        ctx.save_for_backward(x, alpha, norm)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x, alpha, norm = ctx.saved_tensors
        senders, receivers = ctx.ends
        block, blocks = block_of(len(receivers.lookup))
        side, num_edges = ctx.incidences.edges.out, len(ctx.incidences.out_amount)
        d_x, d_alpha = torch.empty_like(x), torch.zeros_like(alpha)
        part_x = norm.new_empty(blocks, senders.num_nodes, *x.shape[1:])
        parts = len(receivers.lookup) if ctx.whose == SENDERS else 0
        part_alpha = norm.new_zeros(parts, num_edges, x.shape[1])
        sizes = head_sizes(*x.shape[1:])
        launch(
            stoichiometry.sum_backward,
            (blocks * senders.num_nodes,),
            *(
                side.by_degree,
                side.heavy,
                side.ptr,
                side.other,
                senders.lookup,
                receivers.lookup,
                ctx.incidences.out_amount,
            ),
            *(ctx.incidences.out_place, ctx.start, alpha, x, norm, grad.contiguous(), d_x, part_x),
            *(d_alpha, part_alpha, receivers.num_nodes, senders.num_nodes, num_edges, len(receivers.lookup)),
            **sizes,
            ALPHA=ctx.whose,
            BLOCK=block,
            ACC=accumulator(x.dtype)[0],
            num_warps=warps(sizes, launcher.BACKWARD_WARPS),
        )
        if ctx.whose == SENDERS:
            merge(d_alpha, part_alpha)
        return merge(d_x, part_x), None if ctx.whose == NOBODYS else d_alpha, None, None, None


def softmax(
    q_m: Tensor,
    q_r: Tensor,
    incidences: Incidences,
    starts: tuple[Tensor, int],
    ends: tuple[DeviceRows, DeviceRows, DeviceRows],
) -> Tensor:
    """Stoichiometric attention, as `dglcell.engines.base.Engine.stoich_attention`.

    Parameters
    ----------
    q_m, q_r : Tensor (P_m, H), (P_r, H)
    incidences : Incidences
        Metabolite -> reaction.
    starts : (Tensor (P,), int)
        Where the incidences of every reaction row after the layer start, and their number K.
    ends : tuple of DeviceRows
        Rows of the metabolites, rows of the reactions before the layer, rows of the reactions after it.

    Returns
    -------
    Tensor (K, H)
    """
    alpha: Tensor = _Softmax.apply(q_m, q_r, incidences, starts, ends)  # type: ignore[no-untyped-call]
    return alpha


def weighted_mean(
    x: Tensor,
    alpha: Tensor | None,
    incidences: Incidences,
    start: Tensor | None,
    ends: tuple[DeviceRows, DeviceRows, DeviceRows],
) -> Tensor:
    """``y_p = sum_e S_e alpha_e x / sum_e |S_e|`` over surviving incidences; 0 where there is none.

    Parameters
    ----------
    x : Tensor (P_src, H, D)
    alpha : Tensor (K, H) or None
        Result of `softmax`; None for 1.
    incidences : Incidences
    start : Tensor (P,) or None
        Where the values of every reaction row start in `alpha`.
    ends : tuple of DeviceRows
        Rows of the sources, rows of the targets before the layer (not read), rows of the targets after it.

    Returns
    -------
    Tensor (P, H, D)
        float64 for float64, else float32.
    """
    y: Tensor = _WeightedMean.apply(x, alpha, incidences, start, ends)  # type: ignore[no-untyped-call]
    return y


def _sizes(q: Tensor) -> dict[str, int]:
    return {"H": q.shape[1], "HP": triton.next_power_of_2(q.shape[1]), "E": _INCIDENCES}
