"""Free memory, and how many genotypes can be computed together in it."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from dglcell.engines.base import Engine

_CPU_BUDGET = 3 << 30  # more memory than this gives no speed on a CPU
_SHARE = 0.5  # share of the free memory; gradients, optimizer and other processes need the rest


def free_memory(device: torch.device) -> int:
    """Bytes that a computation on `device` could still allocate; 4 GiB where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):  # not Linux
        return 4 << 30
    return min(available, _cgroup_headroom(available))


def _cgroup_headroom(default: int) -> int:
    """Free memory below the limit of a container; `default` without a limit."""
    root = Path("/sys/fs/cgroup")
    try:
        return int((root / "memory.max").read_text()) - int((root / "memory.current").read_text())
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return default


def auto_chunk(engine: Engine, batch: int, layers: int, hidden: int, heads: int) -> int:
    """How many genotypes to compute together in one pass through the graph (`chunk="auto"`).

    Parameters
    ----------
    engine : Engine
    batch : int
        Genotypes in a step; their layer inputs are kept, whatever the chunk.
    layers, hidden, heads : int
        Of the model.

    Returns
    -------
    int
        Between 1 and `batch`. The result of a step does not depend on it.
    """
    layer_inputs = batch * layers * sum(engine.num_nodes.values()) * hidden * 4
    budget = _SHARE * free_memory(engine.device) - layer_inputs
    if engine.device.type == "cpu":
        budget = min(budget, _CPU_BUDGET)
    layer = max(1, engine.bytes_per_genotype(hidden, heads))
    if not engine.recompute and batch * layers * layer <= budget:
        return batch
    chunks = max(1 if engine.recompute else 2, math.ceil(batch * layer / max(1, budget)))
    return max(1, math.ceil(batch / chunks))
