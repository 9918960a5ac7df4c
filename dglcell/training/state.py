"""Progress of a run, and `resume.pt`: everything that training needs to continue as if it had never stopped.

The file holds plain numbers, strings, lists, dicts and tensors, so that `torch.load(weights_only=True)` reads it:
nothing is ever unpickled. A digest over all of it is stored with it, because a damaged tensor would otherwise go
unnoticed.
"""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from dglcell import schema
from dglcell.config import TrainConfig
from dglcell.errors import FormatError, UsageError, setting
from dglcell.hashing import sha256
from dglcell.io.atomic import replacing

State = dict[str, Any]


@dataclasses.dataclass
class TrainProgress:
    """Progress of a run.

    Attributes
    ----------
    epoch, step : int
        Whole epochs and optimizer steps done.
    best_score : float or None
        Best validation score so far; None before the first.
    best_epoch : int
    history : list of dict
        The lines of `metrics.jsonl`.
    """

    epoch: int = 0
    step: int = 0
    best_score: float | None = None
    best_epoch: int = 0
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    @classmethod
    def after(cls, history: list[dict[str, Any]]) -> Self:
        """Progress of a run that has written these lines, at least one."""
        best = next((record for record in reversed(history) if record["best"]), history[-1])
        return cls(history[-1]["epoch"], history[-1]["step"], best["score"], best["epoch"], history)

    def stopped_by(self, config: TrainConfig) -> str | None:
        """`epochs`, `max_steps` or `patience` where that ends the run here, else None."""
        if self.epoch >= config.epochs:
            return "epochs"
        if config.max_steps is not None and self.step >= config.max_steps:
            return "max_steps"
        return "patience" if self.epoch - self.best_epoch >= config.patience else None


def save(path: Path, state: State) -> None:
    """Write `state` whole or not at all; an existing file is replaced."""
    stored = {"format_version": schema.RUN_VERSION, "digest": _digest(state), "state": state}
    with replacing(path) as temporary:
        torch.save(stored, temporary)


def load(path: Path) -> State:
    """Read a state back onto the CPU.

    Raises
    ------
    UsageError
        There is no such file, so nothing to resume.
    FormatError
        The file is damaged, or of another format version.
    """
    if not Path(path).is_file():
        raise UsageError(
            f"{path}: no such file - there is nothing to resume; leave {setting('resume')} out to start a run"
        )
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        version, digest, state = stored["format_version"], stored["digest"], stored["state"]
        intact = digest == _digest(state)
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        reason = str(error).strip().split("\n")[0]
        raise FormatError(f"{path} is damaged or not a training state of dglcell ({reason}) - train again") from error
    if version != schema.RUN_VERSION:
        raise FormatError(
            f"{path} has format version {version}, this dglcell reads {schema.RUN_VERSION} - "
            "use the dglcell that wrote it, or train again"
        )
    if not intact:
        raise FormatError(f"{path} is damaged: its content does not match its checksum - train again")
    return dict(state)


def _digest(state: Any) -> str:
    return sha256(*_walk(state))


def _walk(value: Any) -> Iterator[str | Any]:
    """Leaves of nested dicts and lists, preceded by the keys and lengths on the way to them; tensors as arrays."""
    if isinstance(value, dict):
        yield f"dict {len(value)}"
        for key in value:
            yield repr(key)
            yield from _walk(value[key])
    elif isinstance(value, list | tuple):
        yield f"list {len(value)}"
        for item in value:
            yield from _walk(item)
    elif isinstance(value, Tensor):
        yield value.detach().cpu().numpy()
    else:
        yield repr(value)
