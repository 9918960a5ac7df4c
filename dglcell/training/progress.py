"""What a display may hear of a training run. The loop talks to this protocol and to nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from dglcell.training.loop import RunSummary


class Progress(Protocol):
    """Listener of a run; every method is called from the training thread and should return at once."""

    def start(self, epochs: int, first_epoch: int, steps_per_epoch: int, about: Mapping[str, Any]) -> None:
        """The run begins at `first_epoch` (above 1 when resumed); `about` says device, engine, rows and parameters."""

    def step(self, epoch: int, step: int, losses: Mapping[str, float], genotypes_per_second: float) -> None:
        """Step `step` (from 1) of an epoch is done; `losses` are total and terms, on a GPU those of an earlier step."""

    def epoch(self, record: Mapping[str, Any]) -> None:
        """An epoch is validated and stored; `record` is its line of `metrics.jsonl`."""

    def done(self, summary: RunSummary) -> None:
        """The run has ended by itself."""


class NullProgress:
    """Hears everything, says nothing."""

    def start(self, epochs: int, first_epoch: int, steps_per_epoch: int, about: Mapping[str, Any]) -> None:
        """See `Progress.start`."""

    def step(self, epoch: int, step: int, losses: Mapping[str, float], genotypes_per_second: float) -> None:
        """See `Progress.step`."""

    def epoch(self, record: Mapping[str, Any]) -> None:
        """See `Progress.epoch`."""

    def done(self, summary: RunSummary) -> None:
        """See `Progress.done`."""
