"""The settings `device` and `precision` on this machine, and computation on a single CPU thread."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from dglcell.config import TrainConfig
from dglcell.errors import UsageError, setting


def resolve(name: str) -> torch.device:
    """`auto` is the first CUDA device where there is one, else the CPU.

    Raises
    ------
    UsageError
        Not a device, or a CUDA device that this machine or PyTorch lacks.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    TrainConfig.require(device=name)
    device = torch.device(name)
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            why = "this PyTorch is built without CUDA" if torch.version.cuda is None else f"{count} CUDA devices answer"
            raise UsageError(
                f"{setting('device', name)}: {why} - give {setting('device', 'cpu')} or auto; see `dglcell doctor`"
            )
    return device


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[object]:
    """A context with bfloat16 arithmetic for `bf16`, and without effect for `fp32`.

    Raises
    ------
    UsageError
        bf16 on a CPU.
    """
    if precision == "fp32":
        return contextlib.nullcontext()
    if device.type != "cuda":
        raise UsageError(f"{setting('precision', precision)} on {device.type} - a CUDA device was expected; give fp32")
    return torch.autocast(device.type, torch.bfloat16)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch uses one thread: on small cells and batches, threads wait for each other longer than they work.

    Sums also depend on the number of threads.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
