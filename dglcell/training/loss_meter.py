"""The losses of an epoch as it runs: summed, shown, and watched for what is not finite.

To read a number is to wait for the device that computes it. A CPU is read at every step; a GPU would stand still each
time, so it is read now and then, and a flag on it keeps a step that is not finite, and all after it, from the weights
until then. Knows no models.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from dglcell.errors import RunError
from dglcell.training.trainer import Trainer

_EVERY = {"cpu": 1, "cuda": 32}  # steps between two readings


class LossMeter:
    """Losses and gradient norms of the steps of one epoch.

    Parameters
    ----------
    trainer : Trainer
    epoch : int
        The one that runs.

    Attributes
    ----------
    seen : int
        Genotypes so far.
    latest : dict
        Total and terms of the last step that was read; the first step is.
    """

    def __init__(self, trainer: Trainer, epoch: int) -> None:
        self.seen = 0
        self.latest: dict[str, float] = {}
        self._trainer, self._epoch = trainer, epoch
        self._every = _EVERY[trainer.device.type]
        self._totals: dict[str, float] = {}
        self._unread: list[tuple[int, int, Tensor]] = []  # step, genotypes, its numbers and its gradient norm
        self._broken = torch.zeros((), dtype=torch.bool, device=trainer.device)

    def add(self, losses: Mapping[str, Tensor], norm: Tensor, genotypes: int) -> None:
        """Note a step, after its backward pass and before its weights change.

        Parameters
        ----------
        losses : mapping
            The total, `loss`, first, then its terms; scalars on the trainer's device.
        norm : Tensor
            Of the gradient.
        genotypes : int

        Raises
        ------
        RunError
            As `read`, where it is time to.
        """
        numbers = torch.stack([value.detach().double() for value in (*losses.values(), norm)])
        first = not self._totals
        self._totals = self._totals or dict.fromkeys(losses, 0.0)
        self._unread.append((self._trainer.position.step + 1, genotypes, numbers))
        self.seen += genotypes
        if self._every > 1:
            self._broken |= ~(numbers[0].isfinite() & numbers[-1].isfinite())
            self._trainer.optimizer.found_inf = self._broken.float()  # type: ignore[attr-defined]
        if first or len(self._unread) >= self._every:
            self.read()

    def read(self) -> None:
        """Take over what was computed since the last time.

        Raises
        ------
        RunError
            A loss or a gradient norm is not finite; the first such step is named.
        """
        if not self._unread:
            return
        table = torch.stack([numbers for _, _, numbers in self._unread]).tolist()
        for (step, genotypes, _), (*values, norm) in zip(self._unread, table, strict=True):
            require_finite("loss", values[0], self._trainer, self._epoch, step)
            require_finite("gradient norm", norm, self._trainer, self._epoch, step)
            self.latest = dict(zip(self._totals, values, strict=True))
            for name, value in self.latest.items():
                self._totals[name] += value * genotypes
        self._unread.clear()

    def means(self) -> dict[str, float]:
        """Total and terms of the epoch so far, by genotype; reads what is left."""
        self.read()
        return {name: total / self.seen for name, total in self._totals.items()}


def require_finite(what: str, value: float, trainer: Trainer, epoch: int, step: int) -> None:
    """Stop the training (RunError) where a number is not finite."""
    if math.isfinite(value):
        return
    best = trainer.position.best_epoch
    kept = f"the weights of epoch {best} are kept" if best else "no epoch was finished"
    raise RunError(
        f"the {what} is {value} in epoch {epoch} at step {step}: training stopped, {kept} - "
        f"try a lower --lr ({trainer.lr:g}) or --grad-clip ({trainer.config.grad_clip:g})"
    )
