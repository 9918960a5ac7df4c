"""A training run on the screen: a live panel in a terminal, one line an epoch where there is none."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from dglcell import schema
from dglcell.cli import console

_REFRESH = 4  # per second


@contextlib.contextmanager
def display() -> Iterator[Any]:
    """A listener of a training run (`training.progress.Progress`)."""
    if console.verbosity() < 0 or not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), refresh_per_second=_REFRESH, transient=False) as live:
        yield Panel(live)


class _Clock:
    """Time left, from the time that the epochs since the start took."""

    def __init__(self, epochs: int, first: int) -> None:
        self._epochs, self._first, self._started = epochs, first, time.perf_counter()

    def left(self, done: float) -> str:
        """`done` epochs of all are done, a fraction included."""
        since = done - self._first + 1
        if since <= 0:
            return "?"
        seconds = (time.perf_counter() - self._started) / since * max(0.0, self._epochs - done)
        return _duration(seconds)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def _losses(losses: Mapping[str, float]) -> str:
    if len(losses) <= 2:  # the total is the only term
        return f"loss {losses['loss']:.4f}"
    terms = ", ".join(f"{name} {value:.4f}" for name, value in losses.items() if name != "loss")
    return f"loss {losses['loss']:.4f} ({terms})"


def _validation(record: Mapping[str, Any]) -> str:
    metrics = {label: record["val"][label] for label in schema.LABELS if label in record["val"]}
    parts = [f"{label} {_r(m['pearson'])}" for label, m in metrics.items() if m["n"]]
    return "validation Pearson: " + (", ".join(parts) or "-") + (" *" if record["best"] else "")


def _r(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _about(about: Mapping[str, Any]) -> str:
    rows = about["rows"]
    which = f"model {about['member']} of {about['ensemble']}, " if about["ensemble"] > 1 else ""
    unused = f", {rows['unused']:,} unused" if rows["unused"] else ""
    return (
        f"{which}training on {about['device']} with the engine {about['engine']}: {about['parameters']:,} parameters, "
        f"{rows['train']:,} training, {rows['val']:,} validation, {rows['test']:,} test{unused} rows "
        f"({about['split']} split)"
    )


class Lines:
    """Plain lines on stderr."""

    def start(self, epochs: int, first_epoch: int, steps_per_epoch: int, about: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        self._epochs, self._clock = epochs, _Clock(epochs, first_epoch)
        console.say(_about(about))

    def step(self, epoch: int, step: int, losses: Mapping[str, float], genotypes_per_second: float) -> None:
        """See `training.progress.Progress`."""
        console.say(f"  step {step}: {_losses(losses)}, {genotypes_per_second:,.0f} genotypes/s", level=1)

    def epoch(self, record: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        console.say(
            f"epoch {record['epoch']}/{self._epochs}: {_losses(record['train'])}, {_validation(record)}, "
            f"{record['genotypes_per_second']:,.0f} genotypes/s, {self._clock.left(record['epoch'])} left"
        )

    def done(self, summary: Any) -> None:
        """See `training.progress.Progress`."""
        console.say(f"stopped by {summary.reason}; the weights of epoch {summary.best_epoch} are kept")


class Panel(Lines):
    """The same, live: the current epoch moves, finished ones scroll by."""

    def __init__(self, live: Any) -> None:
        self._live = live

    def start(self, epochs: int, first_epoch: int, steps_per_epoch: int, about: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        self._epochs, self._steps, self._clock = epochs, steps_per_epoch, _Clock(epochs, first_epoch)
        self._live.console.print(_about(about), highlight=False)

    def step(self, epoch: int, step: int, losses: Mapping[str, float], genotypes_per_second: float) -> None:
        """See `training.progress.Progress`."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        done = epoch - 1 + step / self._steps
        text = (
            f"epoch {epoch}/{self._epochs}, step {step}/{self._steps}: {_losses(losses)}, "
            f"{genotypes_per_second:,.0f} genotypes/s, {self._clock.left(done)} left"
        )
        self._live.update(Group(ProgressBar(total=self._epochs, completed=done, width=60), Text(text)))

    def epoch(self, record: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        line = f"epoch {record['epoch']}: {_losses(record['train'])}, {_validation(record)}"
        self._live.console.print(line, highlight=False, style="bold" if record["best"] else None)

    def done(self, summary: Any) -> None:
        """See `training.progress.Progress`."""
        from rich.text import Text

        self._live.update(Text(f"stopped by {summary.reason}; the weights of epoch {summary.best_epoch} are kept"))
