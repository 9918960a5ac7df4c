"""Output of the commands: results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

import click

from dglcell.errors import DglcellWarning, with_flags

_verbosity = 0
_LEAST_TEXT = 8  # characters; a column of text is folded to this width, not to less


def configure(verbosity: int) -> None:
    """Set how much is printed (-1 quiet, 0 normal, 1 verbose), and print warnings as single lines."""
    global _verbosity  # one process runs one command
    _verbosity = verbosity
    warnings.showwarning = _show_warning
    logger = logging.getLogger("dglcell")
    logger.handlers = [_LogLines()]
    logger.setLevel(logging.INFO)
    if verbosity < 1:
        for library in ("cobra", "torch", "dgl", "matplotlib", "optlang", "openpyxl"):
            warnings.filterwarnings("ignore", module=rf"{library}(\.|$)")


class _LogLines(logging.Handler):
    """Prints log records of dglcell as lines of progress."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


def verbosity() -> int:
    """-1 quiet, 0 normal, 1 verbose."""
    return _verbosity


def is_live() -> bool:
    """Whether bars may be drawn on stderr: a terminal that can move its cursor, and not `--quiet`."""
    return _verbosity >= 0 and sys.stderr.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


def display_failed(error: BaseException, instead: str) -> None:
    """Put the terminal back as it was before a live display, and print one warning."""
    while hasattr(sys.stderr, "rich_proxied_file"):  # a display that could not be closed
        sys.stderr = sys.stderr.rich_proxied_file
    with contextlib.suppress(OSError):
        sys.stderr.write("\x1b[?25h")  # show the cursor
    say(f"dglcell: warning: the live display failed ({type(error).__name__}: {error}); {instead}")
    if _verbosity > 0:
        import traceback

        traceback.print_exception(error, file=sys.stderr)


def say(message: str, level: int = 0) -> None:
    """Print a line of progress on stderr, unless the verbosity is below `level`."""
    if _verbosity >= level:
        _write(message)


def _write(line: str) -> None:
    """Print a line on stderr. While bars are drawn, they replace `sys.stderr`, so that the line appears above them."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def error(message: str, prefix: str = "dglcell: error: ") -> None:
    """Print one line on stderr, whatever the verbosity."""
    _write(prefix + " ".join(message.split()))


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
        _write(f"dglcell: warning: {' '.join(text.split())}{where}")


def result(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON document on stdout; undefined numbers are null."""
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
    """Print a table on stdout: aligned in a terminal, tab-separated when piped.

    If the window is too narrow, every row becomes a block of `column  value` lines, so that no number is cut.
    """
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
    from rich.text import Text

    screen = Console(highlight=False)
    numeric = [bool(k) and all(_is_number(row[k]) for row in rows) for k in range(len(columns))]
    layout = _layout(columns, rows, numeric, screen.width)
    if layout is None:
        _blocks(columns, rows, title)
        return
    gap, widths = layout
    style: dict[str, Any] = {"box": box.SIMPLE_HEAD, "show_edge": False, "pad_edge": False}
    grid = Table(title=title, title_justify="left", title_style="bold", padding=(0, gap - 1, 0, 0), **style)
    for name, width, is_number in zip(columns, widths, numeric, strict=True):
        grid.add_column(name, justify="right" if is_number else "left", overflow="fold", width=width)
    for row in rows:
        grid.add_row(*(Text(_broken(cell, width)) for cell, width in zip(row, widths, strict=True)))
    if not title:
        screen.print()  # between two tables
    screen.print(grid)


def _layout(
    columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool], room: int
) -> tuple[int, list[int]] | None:
    """The space between columns and their widths; None where the room is not enough for all numbers.

    Text is broken between its parts where it must be, and inside a part only where nothing else helps.
    """
    whole, parts, least = [], [], []
    for index, name in enumerate(columns):
        cells = [row[index] for row in rows]
        head = max(len(word) for word in ([name] if numeric[index] else name.split()))
        whole.append(max([len(name), *map(len, cells)]))
        parts.append(max([head, *(len(part.rstrip()) for cell in cells for part in _parts(cell))]))
        least.append(max(head, min(parts[-1], _LEAST_TEXT)))
        if numeric[index]:
            parts[-1] = least[-1] = whole[-1]
    for gap, smallest in ((2, parts), (1, parts), (2, least), (1, least)):
        spare = room - sum(smallest) - gap * (len(columns) - 1)
        if spare < 0:
            continue
        widths = list(smallest)
        for index in sorted(range(len(columns)), key=lambda k: whole[k] - smallest[k]):
            more = min(spare, whole[index] - widths[index])
            widths[index], spare = widths[index] + more, spare - more
        return gap, widths
    return None


def _parts(text: str) -> list[str]:
    """Text divided after spaces, and after `_`, `-` and `/` between two words."""
    return re.split(r"(?<=\s)|(?<=[A-Za-z]{2}[_/-])(?=[A-Za-z]{2})", text)


def _broken(text: str, width: int) -> str:
    """The text in lines of at most this width, broken between its parts; a part that is longer is divided."""
    lines: list[str] = [""]
    for part in _parts(text):
        if len(lines[-1] + part.rstrip()) <= width:
            lines[-1] += part
        else:
            lines += (part[k : k + width] for k in range(0, len(part.rstrip()), width))
    return "\n".join(line.rstrip() for line in lines if line)


def _blocks(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None) -> None:
    """Print a table that does not fit the window: one block of lines per row."""
    width = max(map(len, columns))
    for line in [title] if title else []:
        click.echo(line)
    for row in rows:
        click.echo("")
        for name, cell in zip(columns, row, strict=True):
            click.echo(f"{name.ljust(width)}  {cell}")


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
    """A callback `(done, total)` that draws a bar in a terminal, and does nothing elsewhere.

    If drawing fails, a warning is printed and the work continues without a bar.
    """
    with _drawn(lambda bars: bars.Counter(noun)) as draw:
        yield draw


@contextlib.contextmanager
def whole(name: str) -> Iterator[Callable[[float, str], None]]:
    """As `counter`, for a job of several stages: the callback is `(share of the time, stage)`, a share from 0 to 1."""
    with _drawn(lambda bars: bars.Whole(name)) as draw:
        yield draw


@contextlib.contextmanager
def _drawn(make: Callable[[Any], Any]) -> Iterator[Callable[..., None]]:
    if not is_live():
        yield lambda *arguments: None
        return
    bar: Any = None

    def draw(*arguments: Any) -> None:
        nonlocal bar
        try:
            if bar is not None:
                bar.step(*arguments)
        except Exception as error:
            _close(bar, error)
            bar = None

    try:
        from dglcell.cli import bars

        bar = make(bars)
    except Exception as error:
        _close(bar, error)
    try:
        yield draw
    finally:
        _close(bar)


def _close(bar: Any, error: Exception | None = None) -> None:
    """End a bar; `error` is the reason if it failed."""
    try:
        if bar is not None:
            bar.stop()
    except Exception as failure:
        error = error or failure
    if error is not None:
        display_failed(error, "continuing without it")


def graph_rows(info: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The counts of a cell graph (`CellGraph.info`) as rows of a table."""
    rows: list[tuple[str, Any]] = [(f"{name} nodes", n) for name, n in info["nodes"].items()]
    for name, n in info["edges"].items():
        pairs = f" ({info['pairs'][name]:,} distinct pairs)" if name in info["pairs"] else ""
        rows.append((f"{name} edges", f"{n:,}{pairs}"))
    return rows + [(f"fingerprint, {name}", value) for name, value in info["fingerprints"].items()]
