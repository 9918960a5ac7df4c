"""The optimizer of a run and its learning rates from step to step."""

from __future__ import annotations

import math
from typing import Any

import torch

from dglcell.config import TrainConfig
from dglcell.nn.model import CellModel

_WARM_UP = 0.1  # share of all steps in which the cosine schedule rises


def adamw(model: CellModel, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW; the gene factorization machine has its own learning rate, and penalties in place of weight decay."""
    factorization = [] if model.fm is None else list(model.fm.parameters())
    ids = {id(p) for p in factorization}
    groups: list[dict[str, Any]] = [{"params": [p for p in model.parameters() if id(p) not in ids]}]
    if factorization:
        groups.append({"params": factorization, "lr": config.fm_lr, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, lr=config.lr, weight_decay=config.weight_decay, fused=True)


class LearningRates:
    """`schedule`, plateau or cosine, see `TrainConfig`.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        With the highest learning rate of each group.
    config : TrainConfig
    steps_per_epoch : int
    """

    def __init__(self, optimizer: torch.optim.Optimizer, config: TrainConfig, steps_per_epoch: int) -> None:
        self._optimizer, self._cosine = optimizer, config.schedule == "cosine"
        steps = config.epochs * steps_per_epoch
        self._steps = min(steps, config.max_steps or steps)
        self._highest = [float(group["lr"]) for group in optimizer.param_groups]
        self._plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode="max", factor=config.lr_factor, patience=config.lr_patience, threshold=0.0
        )

    def before_step(self, done: int) -> None:
        """Set the learning rates of the step that follows `done` steps."""
        if not self._cosine:
            return
        share = (done + 0.5) / self._steps
        scale = min(share / _WARM_UP, 0.5 + 0.5 * math.cos(math.pi * min(share, 1.0)))
        for group, highest in zip(self._optimizer.param_groups, self._highest, strict=True):
            group["lr"] = highest * scale

    def after_epoch(self, score: float) -> None:
        """Lower the learning rates if the validation score has stopped improving (plateau schedule only)."""
        if not self._cosine:
            self._plateau.step(score)

    def state_dict(self) -> dict[str, Any]:
        """Plain values for `load_state_dict`."""
        return self._plateau.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._plateau.load_state_dict(state)
