"""Threads for the compiled loops: each part of the rows runs in its own thread, as many as torch may use.

Every part has its own gradient arrays, so there are no atomics and results depend only on the number of threads.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dglcell.engines.numba import memory
from dglcell.engines.packed import delta_states
from dglcell.engines.packed.affected_nodes import Sparse
from dglcell.engines.packed.delta_states import Rows


def by_edges(rows: Rows, edges: Sparse) -> NDArray[np.int64]:
    """(parts + 1,) boundaries between the rows to be computed; all parts have about the same number of in-edges."""
    return delta_states.cuts(rows, edges, torch.get_num_threads())


def even(rows: int, first: int = 0) -> NDArray[np.int64]:
    """(parts + 1,) boundaries between rows `first:rows`; a part is empty only if there are no rows."""
    parts = min(torch.get_num_threads(), max(1, rows - first))
    return np.linspace(first, rows, parts + 1).astype(np.int64)


def run(loop: Callable[..., Any], cuts: NDArray[np.int64], *args: Any, gradients: tuple[Tensor, ...] = ()) -> None:
    """Call `loop(begin, end, *args, *gradients)` for every part.

    Parameters
    ----------
    loop : callable
        Compiled, without the GIL.
    cuts : (parts + 1,)
    args : any
        The same for all parts.
    gradients : tuple of Tensor (parts, ..)
        Each part gets one of them.
    """

    def part(k: int) -> None:
        loop(cuts[k], cuts[k + 1], *args, *(m[k].numpy() for m in gradients))

    parts = len(cuts) - 1
    if parts == 1:
        return part(0)
    others = [_threads(os.getpid(), parts - 1).submit(part, k) for k in range(1, parts)]
    part(0)
    for other in others:
        other.result()


def zeros(cuts: NDArray[np.int64], *like: Tensor) -> tuple[Tensor, ...]:
    """Gradients (parts, ..) of these tensors, all 0."""
    return tuple(memory.empty(x, len(cuts) - 1, *x.shape).zero_() for x in like)


def add_up(gradients: Tensor) -> Tensor:
    """Sum over the parts."""
    return gradients[0] if len(gradients) == 1 else gradients.sum(0)


@functools.cache
def _threads(process: int, threads: int) -> ThreadPoolExecutor:
    """One thread pool per process; a forked process starts its own."""
    return ThreadPoolExecutor(threads, thread_name_prefix="dglcell")
