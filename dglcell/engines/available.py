"""Whether the fused engine can run here, and if not why: asked when an engine is chosen, and by `dglcell doctor`."""

from __future__ import annotations

import functools
import importlib
import importlib.util

import torch

_CAPABILITY = (8, 0)  # Ampere: the first with bfloat16, and the oldest that current Triton supports


@functools.cache
def numba_problem() -> str | None:
    """Why compiled loops cannot run on the CPU; None if they can."""
    try:
        importlib.import_module("numba")
    except (ImportError, OSError) as error:  # a numpy that is too new for it, a library that does not load
        return f"numba does not load: {_line(error)}"
    return None


@functools.cache
def triton_problem(device: torch.device) -> str | None:
    """Why Triton kernels cannot run on a CUDA device; None if they can.

    The first call launches a small kernel, because Triton also needs a C compiler and Python's headers.
    """
    if not torch.cuda.is_available():
        return "no CUDA device answers"
    if importlib.util.find_spec("triton") is None:
        return "Triton is not installed; it comes with CUDA builds of PyTorch, or pip install 'dglcell[kernels]'"
    found = torch.cuda.get_device_capability(device)
    if found < _CAPABILITY:
        return f"compute capability {found[0]}.{found[1]}, {_CAPABILITY[0]}.{_CAPABILITY[1]} or later was expected"
    if (problem := numba_problem()) is not None:
        return problem  # it plans which rows a batch needs
    try:
        from dglcell.engines.triton.rows import DeviceRows

        DeviceRows.wild(2, device).index.sum().item()
    except Exception as error:  # whatever Triton, its compiler or the driver raise
        return f"Triton cannot launch a kernel: {_line(error)}"
    return None


def fused_problem(device: torch.device) -> str | None:
    """Why the fused engine cannot run on a device; None if it can."""
    return triton_problem(device) if device.type == "cuda" else numba_problem()


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
