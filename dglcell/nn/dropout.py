"""Dropout that a step shares between the wild type and every genotype."""

from __future__ import annotations

import torch
from torch import Tensor


class StepDropout:
    """One dropout mask for each layer and block, drawn on first use and kept for the step.

    The mask has shape (N, 1, h), so ``z_w - z_i`` shows the deletion and not the noise of dropout, rows that a deletion
    does not affect stay equal to the wild type's, and neither chunks nor recomputation of a checkpointed layer change
    the result. Create a new object for every step.

    Parameters
    ----------
    p : float
        Probability of dropping a feature of a node, in [0, 1).
    """

    def __init__(self, p: float) -> None:
        self.p = p
        self._masks: dict[str, Tensor] = {}

    def mask(self, key: str, like: Tensor, num_nodes: int) -> Tensor | None:
        """Factors (N, 1, h), each 0 or ``1 / (1 - p)``; None if nothing is dropped.

        Parameters
        ----------
        key : str
            Layer and block.
        like : Tensor (.., h)
            With the width, type and device of the mask.
        num_nodes : int
            N.
        """
        if self.p == 0:
            return None
        if key not in self._masks:
            width = like.shape[-1]
            keep = _keep(self.p, num_nodes * width, like.device).view(num_nodes, 1, width)
            self._masks[key] = keep.to(like.dtype).mul_(1 / (1 - self.p))
        return self._masks[key]


def _keep(p: float, number: int, device: torch.device) -> Tensor:
    """(number,) bool, False with probability p to 16 bits; each random word, the expensive part, gives four values."""
    words = torch.empty(-(-number // 4), dtype=torch.int64, device=device).random_(-(2**63), None)
    return words.view(torch.int16)[:number] >= min(round(p * 2**16), 2**16 - 1) - 2**15
