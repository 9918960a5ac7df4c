"""Progress of a training run: bars and a growing table in a terminal, one line per epoch elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from dglcell import schema
from dglcell.cli import console
from dglcell.cli.text import duration
from dglcell.training.progress import Progress

_GAP = "  "  # between two columns
_TERMS = ("mse", "dist", "supcr", "cell")


@contextlib.contextmanager
def display() -> Iterator[Progress]:
    """Shows the progress of a training run (`training.progress.Progress`).

    It is live in a terminal. If drawing fails, a warning is printed, plain lines follow, and training continues.
    """
    lines = Lines()
    if not console.is_live():
        yield lines
        return
    screen = Fallback(lines)
    try:
        yield screen
    finally:
        screen.close()


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:.4g}"


def _correlation(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _losses(losses: Mapping[str, float]) -> list[str]:
    """`data loss 0.8512`, with its terms if it has several, and `penalty 5.4321` if there is one."""
    terms = [f"{name} {_number(losses[name])}" for name in _TERMS if name in losses]
    text = f"data loss {_number(losses['data_loss'])}" + (f" ({', '.join(terms)})" if len(terms) > 1 else "")
    return [text, *([f"penalty {_number(losses['penalty'])}"] if losses["penalty"] else [])]


def _validation(record: Mapping[str, Any]) -> dict[str, float | None]:
    """Pearson correlation of each label that occurs in validation rows."""
    metrics = {label: record["val"][label] for label in schema.LABELS if label in record["val"]}
    return {label: m["pearson"] for label, m in metrics.items() if m["n"]}


def _rate(genotypes_per_second: float) -> str:
    return f"{genotypes_per_second:,.0f} genotypes/s"


def _about(about: Mapping[str, Any]) -> str:
    rows = about["rows"]
    model = f"model {about['member']} of {about['ensemble']}, " if about["ensemble"] > 1 else ""
    unused = f", {rows['unused']:,} unused" if rows["unused"] else ""
    return (
        f"{model}training on {about['device']} with the engine {about['engine']}: {about['parameters']:,} parameters, "
        f"{rows['train']:,} training, {rows['val']:,} validation, {rows['test']:,} test{unused} rows "
        f"({about['split']} split)"
    )


class Clock:
    """Time left, estimated from the epochs since the start.

    Parameters
    ----------
    epochs, first : int
        Number of epochs of a model, and the epoch that begins now.
    models : int
        Number of models still to be trained, this one included.
    """

    def __init__(self, epochs: int, first: int, models: int = 1) -> None:
        self._epochs, self._first, self._models, self._started = epochs, first, models, time.perf_counter()

    def left(self, epoch: float) -> str:
        """Time left after `epoch` epochs of this model, which may be a fraction."""
        since = epoch - self._first + 1
        if since <= 0:
            return "?"
        epochs = max(0.0, self._epochs - epoch) + (self._models - 1) * self._epochs
        return duration((time.perf_counter() - self._started) / since * epochs)


class Lines:
    """Plain lines on stderr."""

    def prepare(self, epochs: int, first_epoch: int, about: Mapping[str, Any]) -> None:
        """Start the clock, as `start` does before it prints."""
        self._epochs = epochs
        self._clock = Clock(epochs, first_epoch, about["ensemble"] - about["member"] + 1)

    def start(self, epochs: int, first_epoch: int, steps_per_epoch: int, about: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        self.prepare(epochs, first_epoch, about)
        console.say(_about(about))

    def step(self, epoch: int, step: int, losses: Mapping[str, float], genotypes_per_second: float) -> None:
        """See `training.progress.Progress`."""
        console.say(f"  step {step}: {', '.join((*_losses(losses), _rate(genotypes_per_second)))}", level=1)

    def epoch(self, record: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        scores = ", ".join(f"{label} {_correlation(r)}" for label, r in _validation(record).items())
        parts = [*_losses(record["train"]), f"validation Pearson: {scores or '-'}"]
        parts += [_rate(record["genotypes_per_second"]), f"{self._clock.left(record['epoch'])} left"]
        saved = " (weights saved)" if record["best"] else ""
        console.say(f"epoch {record['epoch']}/{self._epochs}: {', '.join(parts)}{saved}")

    def done(self, summary: Any) -> None:
        """See `training.progress.Progress`."""
        console.say(_end(summary))


def _end(summary: Any) -> str:
    reasons = {
        "epochs": f"trained for {summary.epochs} epochs",
        "patience": f"stopped early after {summary.epochs} epochs, as validation no longer improved",
        "max_steps": f"stopped after {summary.steps:,} steps (max_steps)",
    }
    return f"{reasons.get(summary.reason, summary.reason)}; the weights are those of epoch {summary.best_epoch}"


class Live:
    """Two bars, for epochs and for steps, below a table with a row for every finished epoch."""

    def __init__(self) -> None:
        from dglcell.cli import bars

        self._bars, self._redraw = bars.Bars(), bars.REDRAW
        self._columns: dict[str, int] = {}
        self._drawn = 0.0
        self._bars.start()

    def start(self, epochs: int, first_epoch: int, steps_per_epoch: int, about: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        self._clock = Clock(epochs, first_epoch, about["ensemble"] - about["member"] + 1)
        self._epochs, self._steps, self._columns = epochs, steps_per_epoch, {}
        for task in self._bars.task_ids:
            self._bars.remove_task(task)
        self._bars.console.print(_about(about))
        self._epoch_bar = self._bars.add("epoch", first_epoch - 1, epochs)
        self._step_bar = self._bars.add("step", 0, steps_per_epoch)

    def step(self, epoch: int, step: int, losses: Mapping[str, float], genotypes_per_second: float) -> None:
        """See `training.progress.Progress`."""
        left = f"{self._clock.left(epoch - 1 + step / self._steps)} left"
        self._bars.move(self._epoch_bar, epoch - 1, self._epochs, _losses(losses))
        self._bars.move(self._step_bar, step, self._steps, (left, _rate(genotypes_per_second)))
        self._draw()

    def epoch(self, record: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        self._row(_columns(record, self._epochs), "bold" if record["best"] else None)
        left = f"{self._clock.left(record['epoch'])} left"
        self._bars.move(self._epoch_bar, record["epoch"], self._epochs, _losses(record["train"]))
        self._bars.move(self._step_bar, self._steps, self._steps, (left, _rate(record["genotypes_per_second"])))
        self._draw(at_once=True)

    def done(self, summary: Any) -> None:
        """See `training.progress.Progress`."""
        self._bars.console.print(_end(summary))

    def close(self) -> None:
        """Take the bars off the screen and show the cursor again."""
        self._bars.stop()

    def _draw(self, at_once: bool = False) -> None:
        now = time.perf_counter()
        if at_once or now - self._drawn >= self._redraw:
            self._drawn = now
            self._bars.refresh()

    def _row(self, cells: Mapping[str, str], style: str | None) -> None:
        """Print a row of the table, under a new header if its columns differ from those of the row before."""
        from rich.text import Text

        widths = {name: max(len(name), len(cell), self._columns.get(name, 0)) for name, cell in cells.items()}
        shown = _fitting(widths, self._bars.console.width - 1)
        if shown != self._columns:
            if not self._columns:
                self._bars.console.print(Text("r: Pearson correlation on validation rows, *: weights saved", "dim"))
            self._columns = shown
            self._print(_GAP.join(name.rjust(width) for name, width in shown.items()), "underline")
        self._print(_GAP.join(cells[name].rjust(width) for name, width in shown.items()), style)

    def _print(self, line: str, style: str | None) -> None:
        from rich.text import Text

        self._bars.console.print(Text(line, style=style or ""), no_wrap=True, overflow="ignore", crop=False)


# Columns by importance; in a narrow window the last ones are left out.
_IMPORTANCE = ("epoch", "data loss", "r", "penalty", "*", "genotypes/s", "time", "term", "learning rate")


def _columns(record: Mapping[str, Any], epochs: int) -> dict[str, str]:
    """The cells of the row of an epoch, from left to right."""
    losses = record["train"]
    cells = {"epoch": f"{record['epoch']}/{epochs}", "data loss": _number(losses["data_loss"])}
    if losses["penalty"]:
        cells["penalty"] = _number(losses["penalty"])
    for label, r in _validation(record).items():
        cells["r " + label.removeprefix("gene_").replace("_", " ")] = _correlation(r)
    cells |= {"*": "*" if record["best"] else "", "genotypes/s": f"{record['genotypes_per_second']:,.0f}"}
    cells["time"] = duration(record["seconds"])
    terms = [name for name in _TERMS if name in losses]
    cells |= {name: _number(losses[name]) for name in terms} if len(terms) > 1 else {}
    return cells | {"learning rate": f"{record['lr']:.2e}"}


def _importance(column: str) -> int:
    kind = "r" if column.startswith("r ") else "term" if column in _TERMS else column
    return _IMPORTANCE.index(kind)


def _fitting(widths: Mapping[str, int], room: int) -> dict[str, int]:
    """The most important columns that fit into a line, from left to right, with their widths."""
    shown = list(widths)
    while len(shown) > 1 and sum(widths[name] for name in shown) + len(_GAP) * (len(shown) - 1) > room:
        shown.remove(max(reversed(shown), key=_importance))
    return {name: widths[name] for name in shown}


class Fallback:
    """The live display; plain lines after drawing has failed.

    Parameters
    ----------
    lines : Lines
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._live: Live | None = None
        try:
            self._live = Live()
        except Exception as error:
            self._give_up(error)

    def start(self, epochs: int, first_epoch: int, steps_per_epoch: int, about: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        self._lines.prepare(epochs, first_epoch, about)
        self._pass_on("start", epochs, first_epoch, steps_per_epoch, about)

    def step(self, epoch: int, step: int, losses: Mapping[str, float], genotypes_per_second: float) -> None:
        """See `training.progress.Progress`."""
        self._pass_on("step", epoch, step, losses, genotypes_per_second)

    def epoch(self, record: Mapping[str, Any]) -> None:
        """See `training.progress.Progress`."""
        self._pass_on("epoch", record)

    def done(self, summary: Any) -> None:
        """See `training.progress.Progress`."""
        self._pass_on("done", summary)

    def close(self) -> None:
        """End the live display, if there still is one."""
        if self._live is not None:
            try:
                self._live.close()
            except Exception as error:
                self._give_up(error)
            self._live = None

    def _pass_on(self, event: str, *arguments: Any) -> None:
        if self._live is not None:
            try:
                getattr(self._live, event)(*arguments)
                return
            except Exception as error:  # an error in drawing must not end hours of training
                self._give_up(error)
        getattr(self._lines, event)(*arguments)

    def _give_up(self, error: Exception) -> None:
        live, self._live = self._live, None
        if live is not None:
            with contextlib.suppress(Exception):
                live.close()
        console.display_failed(error, "continuing with plain lines")
