"""What the commands say: results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

import click

from dglcell.errors import DglcellWarning, with_flags

_verbosity = 0


def configure(verbosity: int) -> None:
    """Set how much is said (-1 quiet, 0 normal, 1 verbose) and print library warnings as single lines."""
    global _verbosity  # one process runs one command
    _verbosity = verbosity
    warnings.showwarning = _show_warning
    logger = logging.getLogger("dglcell")
    logger.handlers = [_Said()]
    logger.setLevel(logging.INFO)
    if verbosity < 1:
        for library in ("cobra", "torch", "dgl", "matplotlib", "optlang", "openpyxl"):
            warnings.filterwarnings("ignore", module=rf"{library}(\.|$)")


class _Said(logging.Handler):
    """What the library has to say, as lines of progress."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


def verbosity() -> int:
    """-1 quiet, 0 normal, 1 verbose."""
    return _verbosity


def say(message: str, level: int = 0) -> None:
    """A line of progress on stderr, unless the verbosity is below `level`."""
    if _verbosity >= level:
        click.echo(message, err=True)


def error(message: str, prefix: str = "dglcell: error: ") -> None:
    """One line on stderr, whatever the verbosity."""
    click.echo(prefix + " ".join(message.split()), err=True)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if issubclass(category, DeprecationWarning | FutureWarning) and _verbosity < 1:
        return
    if _verbosity >= 0:
        where = f" ({filename}:{lineno})" if _verbosity > 0 else ""
        text = with_flags(message.template) if isinstance(message, DglcellWarning) else str(message)
        click.echo(f"dglcell: warning: {' '.join(text.split())}{where}", err=True)


def result(value: Mapping[str, Any]) -> None:
    """A JSON document alone on stdout; undefined numbers are null."""
    click.echo(json.dumps(_clean(value), indent=2))


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> None:
    """A table on stdout: aligned in a terminal, tab-separated when piped."""
    rows = [[_cell(v) for v in row] for row in rows]
    if not sys.stdout.isatty():
        if title:
            click.echo(f"# {title}")
        for row in ([*columns], *rows):
            click.echo("\t".join(row))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    grid = Table(*columns, title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for index in range(len(columns)):
        if index and all(_is_number(row[index]) for row in rows):
            grid.columns[index].justify = "right"
    for row in rows:
        grid.add_row(*row)
    Console().print(grid)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _is_number(text: str) -> bool:
    return (
        text == "-"
        or text.replace(",", "").replace(".", "").replace("-", "").replace("e", "").replace("+", "").isdigit()
    )


@contextlib.contextmanager
def counter(noun: str) -> Iterator[Callable[[int, int], None]]:
    """A callback `(done, total)` that draws a bar where there is a terminal, and nothing where there is none."""
    if _verbosity < 0 or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(noun), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(noun, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def graph_rows(info: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The counts of a cell graph (`CellGraph.info`) as rows of a table."""
    rows: list[tuple[str, Any]] = [(f"{name} nodes", n) for name, n in info["nodes"].items()]
    for name, n in info["edges"].items():
        pairs = f" ({info['pairs'][name]:,} distinct pairs)" if name in info["pairs"] else ""
        rows.append((f"{name} edges", f"{n:,}{pairs}"))
    return rows + [(f"fingerprint, {name}", value) for name, value in info["fingerprints"].items()]
