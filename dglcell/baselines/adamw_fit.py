"""Gradient descent for the baselines that need it, and how many epochs of it.

The epochs, where they are chosen, are chosen on training rows held out from the descent; knows no labels beyond those.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor, nn

from dglcell.baselines.base import Rows
from dglcell.engines.device import one_thread


@dataclasses.dataclass(frozen=True)
class AdamWFit:
    """AdamW in random batches, on one thread.

    Attributes
    ----------
    epochs : int
        At most.
    batch_size : int
    lr, weight_decay : float
    patience : int
        Epochs without a smaller held-out error after which to stop.
    """

    epochs: int
    batch_size: int
    lr: float
    weight_decay: float = 0.0
    patience: int = 4

    @property
    def unguided(self) -> int:
        """Epochs to run where no held-out error tells how many: half of those allowed, and one at least."""
        return max(1, self.epochs // 2)

    @one_thread()
    def run(
        self,
        net: nn.Module,
        loss: Callable[[Tensor], Tensor],
        rows: Rows,
        error: Callable[[], float] | None = None,
    ) -> tuple[float, int]:
        """Train `net`, in place.

        Parameters
        ----------
        net : nn.Module
        loss : callable
            Row numbers of a batch (int64) -> scalar.
        rows : (n,) int64
            Those to train on.
        error : callable, optional
            Held-out error after an epoch; without it, all epochs are run.

        Returns
        -------
        error : float
            The smallest one; infinite if it was never a number.
        epoch : int
            Where it was reached, `unguided` if nowhere; the last one without `error`.
        """
        optimiser = torch.optim.AdamW(net.parameters(), lr=self.lr, weight_decay=self.weight_decay)
        known = torch.from_numpy(rows)
        best, kept = float("inf"), None
        for epoch in range(1, self.epochs + 1):
            for batch in torch.split(known[torch.randperm(len(known))], self.batch_size) if len(known) else ():
                optimiser.zero_grad()
                loss(batch).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            if error is None:
                continue
            found = error()
            if found < best:
                best, kept = found, epoch
            elif kept is not None and epoch - kept >= self.patience:
                break
        if error is None:
            return best, self.epochs
        return best, self.unguided if kept is None else kept
