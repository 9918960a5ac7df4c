"""Arrays on their way to a device, without making the host wait for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def send(array: NDArray[Any], device: torch.device) -> Tensor:
    """`array` as a tensor on `device`; on the CPU it may share the memory.

    Copies to CUDA go through pinned memory and are only queued: work that is queued later sees them.
    """
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
