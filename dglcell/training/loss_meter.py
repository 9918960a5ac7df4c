"""The losses of an epoch: their running means, the latest values for the display, and a check that all are finite.

Reading a number waits for the device that computes it. On a CPU every step is read. A GPU would idle meanwhile, so it
is read every 32 steps; until then a flag on the device prevents a step with a loss that is not finite, and all later
steps, from changing the weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from dglcell.errors import RunError, setting
from dglcell.training.trainer import Trainer

_EVERY = {"cpu": 1, "cuda": 32}  # steps between two readings


class LossMeter:
    """Losses and gradient norms of the steps of one epoch.

    Parameters
    ----------
    trainer : Trainer
    epoch : int
        The current epoch.

    Attributes
    ----------
    seen : int
        Genotypes so far.
    latest : dict
        Total, data loss, penalty and terms (`Losses.divide`) of the last step that was read. The first step always is.
    """

    def __init__(self, trainer: Trainer, epoch: int) -> None:
        self.seen = 0
        self.latest: dict[str, float] = {}
        self._trainer, self._epoch = trainer, epoch
        self._every = _EVERY[trainer.device.type]
        self._totals: dict[str, float] = {}
        self._unread: list[tuple[int, int, Tensor]] = []  # step, genotypes, its losses and its gradient norm
        self._broken = torch.zeros((), dtype=torch.bool, device=trainer.device)

    def add(self, losses: Mapping[str, Tensor], norm: Tensor, genotypes: int) -> None:
        """Add a step, after its backward pass and before its weights change.

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
            As `read`, which is called every few steps.
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
        """Read the steps since the last reading.

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
            latest = dict(zip(self._totals, values, strict=True))
            for name, value in latest.items():
                self._totals[name] += value * genotypes
            self.latest = self._trainer.data.losses.divide(latest)
        self._unread.clear()

    def means(self) -> dict[str, float]:
        """Mean over the genotypes of the epoch so far: total, data loss, penalty and terms."""
        self.read()
        return self._trainer.data.losses.divide({name: total / self.seen for name, total in self._totals.items()})


def require_finite(what: str, value: float, trainer: Trainer, epoch: int, step: int) -> None:
    """Stop the training (RunError) where a number is not finite."""
    if math.isfinite(value):
        return
    best = trainer.position.best_epoch
    weights = f"the weights of epoch {best} are kept" if best else "no epoch was finished"
    raise RunError(
        f"the {what} is {value} in epoch {epoch} at step {step}: training stopped, {weights} - "
        f"try a lower {setting('lr')} ({trainer.lr:g}) or {setting('grad_clip')} ({trainer.config.grad_clip:g})"
    )
