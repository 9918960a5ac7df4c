"""How Triton kernels are launched: tile sizes, warps, the device."""

from __future__ import annotations

import contextlib
from typing import Any

import torch
import triton
import triton.language as tl

# Chosen from the compiler's register counts for sm_90, not from timings: with a tile of 1,024 values on one warp, many
# programs run at once and hide each other's memory latency; the backward passes hold more values and need four warps.
TILE = 1024
FORWARD_WARPS = 1
BACKWARD_WARPS = 4
_MOST_EDGES = 32
# Genotypes that a backward program visits one after the other: few, so that a node with thousands of edges is spread
# over many programs, but not so few that the parts need more memory than a state.
_FEWEST_GENOTYPES = 4
_MOST_BLOCKS = 64


def launch(kernel: Any, grid: tuple[int, ...], *arguments: Any, **options: Any) -> None:
    """Queue a kernel on the device of its first argument, a tensor; nothing for an empty grid."""
    if 0 in grid:
        return
    device = arguments[0].device
    with torch.cuda.device(device) if device.type == "cuda" else contextlib.nullcontext():
        kernel[grid](*arguments, **options, enable_fp_fusion=True)


def accumulator(dtype: torch.dtype) -> tuple[Any, torch.dtype]:
    """The type of sums, for Triton and for torch: float64 for float64, else float32."""
    return (tl.float64, torch.float64) if dtype == torch.float64 else (tl.float32, torch.float32)


def head_sizes(heads: int, width: int) -> dict[str, int]:
    """H, D, the powers of two that hold them, and the edges in a tile."""
    padded = triton.next_power_of_2(heads), triton.next_power_of_2(width)
    edges = max(2, min(_MOST_EDGES, TILE // (padded[0] * padded[1])))
    return {"H": heads, "D": width, "HP": padded[0], "DP": padded[1], "E": edges}


def warps(sizes: dict[str, int], base: int) -> int:
    """Warps of a program: `base` for a tile of `TILE` values, more for a wider one."""
    return min(8, base * max(1, sizes["E"] * sizes["HP"] * sizes["DP"] // TILE))


def block_of(genotypes: int) -> tuple[int, int]:
    """Genotypes in a block of a backward pass, and the number of blocks."""
    size = max(_FEWEST_GENOTYPES, triton.cdiv(genotypes, _MOST_BLOCKS))
    return size, triton.cdiv(genotypes, size)
