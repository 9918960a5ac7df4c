"""The events of a training run, for a display or a log. The training loop calls this protocol and prints nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


@dataclasses.dataclass(frozen=True)
class RunSummary:
    """How the training of one member ended.

    Attributes
    ----------
    path : Path
        The run folder.
    reason : str
        `epochs`, `patience` or `max_steps`.
    epochs, steps : int
        Total number, including those before a resume.
    best_epoch : int
        The epoch whose weights were kept.
    validation : dict
        Validation metrics of that epoch: `loss`, and per label as `metrics.compare`.
    seconds : float
        Wall time of this member, without the preparation that the members share.
    """

    path: Path
    reason: str
    epochs: int
    steps: int
    best_epoch: int
    validation: dict[str, Any]
    seconds: float


class Progress(Protocol):
    """Listener of a run. Every method is called from the training thread and should return at once."""

    def start(self, epochs: int, first_epoch: int, steps_per_epoch: int, about: Mapping[str, Any]) -> None:
        """Training begins at `first_epoch` (above 1 when resumed); `about` has device, engine, rows and parameters.

        An ensemble starts once for each of its models: `about["member"]` of `about["ensemble"]`.
        """

    def step(self, epoch: int, step: int, losses: Mapping[str, float], genotypes_per_second: float) -> None:
        """Step `step` (from 1) of an epoch is done; `losses` as `Losses.divide`, on a GPU those of an earlier step."""

    def epoch(self, record: Mapping[str, Any]) -> None:
        """An epoch is validated and saved; `record` is its line of `metrics.jsonl`."""

    def done(self, summary: RunSummary) -> None:
        """Training has ended without an error."""


class NullProgress:
    """Ignores every event; a base class for listeners that need only some of them."""

    def start(self, epochs: int, first_epoch: int, steps_per_epoch: int, about: Mapping[str, Any]) -> None:
        """See `Progress.start`."""

    def step(self, epoch: int, step: int, losses: Mapping[str, float], genotypes_per_second: float) -> None:
        """See `Progress.step`."""

    def epoch(self, record: Mapping[str, Any]) -> None:
        """See `Progress.epoch`."""

    def done(self, summary: RunSummary) -> None:
        """See `Progress.done`."""
