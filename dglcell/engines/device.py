"""The device that the setting `device` means here, the precision it can compute in, and how many threads on a CPU."""

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
        Not a device, or CUDA is asked for and not there.
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
    """bfloat16 arithmetic for `bf16`, nothing for `fp32`.

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
    """torch on one thread, and back: on cells and batches this small threads wait for each other longer than they work.

    Sums depend on the number of threads too.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
