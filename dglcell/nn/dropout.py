"""Dropout that a step shares between the wild type and every genotype."""

from __future__ import annotations

import torch
from torch import Tensor


class StepDropout:
    """One dropout mask a (layer, block), drawn when first asked for and kept for the step.

    The mask has shape (N, 1, h), so ``z_w - z_i`` carries the deletion and not noise, rows that a deletion does not
    reach stay equal to the wild type's, and neither chunks nor recomputation of a checkpointed layer change the
    result. Make a new one for every step.

    Parameters
    ----------
    p : float
        Probability of dropping a feature of a node, in [0, 1).
    """

    def __init__(self, p: float) -> None:
        self.p = p
        self._masks: dict[str, Tensor] = {}

    def __call__(self, key: str, x: Tensor, num_nodes: int, rows: Tensor | None = None) -> Tensor:
        """`x` with the mask of `key` applied and the kept features scaled by ``1 / (1 - p)``.

        Parameters
        ----------
        key : str
        x : Tensor (N, B, h)
            Or (P, 1, h), packed.
        num_nodes : int
            N.
        rows : Tensor (P,), optional
            Node of each packed row.
        """
        if self.p == 0:
            return x
        if key not in self._masks:
            keep = torch.rand(num_nodes, 1, x.shape[2], device=x.device) >= self.p
            self._masks[key] = keep.to(x.dtype) / (1 - self.p)
        mask = self._masks[key]
        return x * (mask if rows is None else mask.index_select(0, rows))
