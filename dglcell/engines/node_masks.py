"""The surviving nodes of each genotype, stored as its lost nodes; and copies of host arrays on a device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


Lost = tuple[NDArray[np.int64], NDArray[np.int64]]  # rows (K,) and ptr (B + 1,)


class NodeMasks(Mapping[str, Tensor]):
    """Node type -> (N, B) bool, True = survives; each mask is computed on first use.

    Parameters
    ----------
    lost : mapping
        Node type -> the lost rows (K,) and their ptr (B + 1,): genotype b loses `rows[ptr[b]:ptr[b + 1]]`. On the
        host, so that engines can plan from it without waiting for a device.
    num_nodes : mapping
    device : torch.device
        Device of the masks.
    """

    def __init__(self, lost: Mapping[str, Lost], num_nodes: Mapping[str, int], device: torch.device) -> None:
        self.lost = lost
        self.num_nodes = num_nodes
        self.device = device
        self.genotypes = min(len(ptr) - 1 for _, ptr in lost.values())
        self._masks: dict[str, Tensor] = {}

    def __getitem__(self, node_type: str) -> Tensor:
        if node_type not in self._masks:
            rows, ptr = self.lost[node_type]
            alive = torch.ones(self.num_nodes[node_type], self.genotypes, dtype=torch.bool, device=self.device)
            alive.view(-1)[send(rows * self.genotypes + genotype_of(ptr), self.device)] = False
            self._masks[node_type] = alive
        return self._masks[node_type]

    def __iter__(self) -> Iterator[str]:
        return iter(self.lost)

    def __len__(self) -> int:
        return len(self.lost)


def genotype_of(ptr: NDArray[np.int64]) -> NDArray[np.int64]:
    """The genotype of every entry of a ragged array."""
    return np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
