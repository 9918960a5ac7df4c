"""Memory that operators write to, kept from step to step.

The system hands out large blocks page by page, each cleared first, and takes them back when they are freed, which
takes a sixth of the time of a batch. Here a block whose tensor is gone serves the next one of about its size.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

_SMALL = 256 << 10  # bytes; what is smaller the allocator keeps by itself
_SLACK = 8  # a block has an eighth more than is asked for: the next batch needs a little more or less
_AGE = 2000  # a block is dropped that so many requests have left unused, about ten training steps


@dataclasses.dataclass(eq=False)
class _Block:
    """`user()` is None once nothing refers to the array that a tensor was made of."""

    memory: NDArray[Any]
    user: Callable[[], Any]
    used: int


_blocks: list[_Block] = []
_clock = itertools.count()
_lock = threading.Lock()


def _unlock() -> None:
    """A forked process has not the thread that may have held the lock."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


def empty(like: Tensor, *shape: int) -> Tensor:
    """An undefined tensor of this shape, of the type of another one, on the CPU."""
    size = math.prod(shape) * like.element_size()
    if size < _SMALL:
        return like.new_empty(shape)
    with _lock:
        block, now = _free(size), next(_clock)
        if block is None:
            block = _Block(torch.empty(size + size // _SLACK, dtype=torch.uint8).numpy(), lambda: None, now)
            _blocks[:] = [b for b in _blocks if b.user() is not None or now - b.used < _AGE]
            _blocks.append(block)
        array = block.memory[:size].view(like.detach().numpy().dtype).reshape(shape)
        block.user, block.used = weakref.ref(array), now
    return torch.from_numpy(array)


def _free(size: int) -> _Block | None:
    """The smallest block for so many bytes that nobody uses; none of more than twice the size."""
    fitting = [b for b in _blocks if size <= b.memory.size <= 2 * size and b.user() is None]
    return min(fitting, key=lambda b: b.memory.size, default=None)
