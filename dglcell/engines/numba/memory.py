"""Memory for the results of operators, reused from step to step.

The operating system clears every page of a large block before handing it out and takes it back when it is freed, which
takes a sixth of the time of a batch. Here a block whose tensor is gone is reused for the next one of about its size.
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

_SMALL = 256 << 10  # bytes; smaller blocks are kept by the allocator itself
_SLACK = 8  # a block is an eighth larger than requested: the next batch may need a little more
_AGE = 2000  # a block is dropped after this number of requests without use, about ten training steps


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
    """A forked process lacks the thread that may have held the lock."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


def empty(like: Tensor, *shape: int) -> Tensor:
    """An uninitialized tensor of this shape on the CPU, with the type of `like`."""
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
    """The smallest unused block of `size` to twice `size` bytes, or None."""
    fitting = [b for b in _blocks if size <= b.memory.size <= 2 * size and b.user() is None]
    return min(fitting, key=lambda b: b.memory.size, default=None)
