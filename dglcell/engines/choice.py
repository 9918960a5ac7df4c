"""Which engine computes on a device, and whether the fused engine can run there; also used by `dglcell doctor`."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import Any

import torch

from dglcell import _dgl
from dglcell.config import TrainConfig
from dglcell.engines.base import Engine
from dglcell.errors import UsageError, setting

_CAPABILITY = (8, 0)  # Ampere: the first with bfloat16, and the oldest that current Triton supports


def choose(name: str, device: torch.device | str) -> tuple[str, str]:
    """The engine that the setting `engine` means on a device, and why.

    Parameters
    ----------
    name : str
        `auto`, `dgl`, `torch` or `fused`.
    device : torch.device or str

    Returns
    -------
    (name, reason) : tuple of str

    Raises
    ------
    UsageError
        An engine that cannot run on the device, or an unknown name.
    """
    device = torch.device(device)
    cuda = device.type == "cuda"
    TrainConfig.require(engine=name)
    option, advice = setting("engine", name), f"give {setting('engine', 'torch')} or auto"
    if name == "dgl":
        if cuda and not _dgl.has_cuda():
            raise UsageError(f"{option} on CUDA - a DGL built with CUDA was expected; {advice}")
        return "dgl", "asked for"
    if name == "torch":
        return "torch", "asked for"
    problem = fused_problem(device)
    if problem is None:
        if name == "fused":
            return "fused", "asked for"
        return "fused", "Triton kernels, made for CUDA" if cuda else "compiled loops, the fastest on a CPU"
    if name == "fused":
        raise UsageError(f"{option} on {'CUDA' if cuda else 'the CPU'}: {problem} - {advice}")
    return "torch", f"runs on any device; fused does not run here: {problem}"


def make_engine(name: str, graph: Any, device: torch.device | str) -> Engine:
    """Bind an engine to a heterograph.

    Parameters
    ----------
    name : str
        `auto`, `dgl`, `torch` or `fused`; see `choose`.
    graph : dgl.DGLGraph
        Of a `CellGraph`, or a `dgl.batch` of perturbed ones; on the CPU.
    device : torch.device or str
        Where to compute.

    Returns
    -------
    Engine

    Raises
    ------
    UsageError
        As `choose`.
    """
    chosen, _ = choose(name, device)
    if chosen == "dgl":
        from dglcell.engines.dgl import DglEngine

        return DglEngine(graph, torch.device(device))
    if chosen == "fused" and torch.device(device).type == "cuda":
        from dglcell.engines.triton.engine import TritonEngine

        return TritonEngine(graph, torch.device(device))
    if chosen == "fused":
        from dglcell.engines.numba.engine import NumbaEngine

        return NumbaEngine(graph, torch.device(device))
    from dglcell.engines.torch import TorchEngine

    return TorchEngine(graph, torch.device(device))


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
    capability = torch.cuda.get_device_capability(device)
    if capability < _CAPABILITY:
        needed = ".".join(map(str, _CAPABILITY))
        return f"compute capability {capability[0]}.{capability[1]}, {needed} or later was expected"
    if (problem := numba_problem()) is not None:
        return problem  # numba plans which rows a batch needs
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
