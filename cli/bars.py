"""Progress bars on stderr that fit the window: in a narrow one, texts are left out, then bars; no number is cut.

Imported only in a terminal, since importing rich takes a tenth of a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from rich.console import Console, RenderableType
from rich.progress import Progress, Task, TaskID
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dglcell.cli.text import duration

REDRAW = 0.25  # seconds between two drawings
_WIDEST_BAR, _NARROWEST_BAR = 40, 6
_MARGIN = 3  # columns left free, so that the bars do not wrap when a terminal writes `^C` behind them


class Bars(Progress):
    """One line per task: its name, a bar, `done/total`, and as many of its texts as fit into the window.

    There is no drawing thread: an error in drawing is raised by `refresh`.
    """

    def __init__(self) -> None:
        self._window = Console(stderr=True, highlight=False)
        super().__init__(console=self._window, auto_refresh=False, transient=True, redirect_stdout=False)

    def add(self, name: str, completed: float = 0, total: float | None = None, count: bool = True) -> TaskID:
        """Add a line and draw it; with `count=False` it has no `done/total`."""
        return self.add_task(name, completed=int(completed), total=total, texts=(), count=count)

    def move(self, task: TaskID, completed: float, total: float | None = None, texts: Sequence[str] = ()) -> None:
        """Update a line, which `refresh` draws; the most important of `texts` comes first."""
        self.update(task, completed=completed, total=total, texts=tuple(texts))

    def make_tasks_table(self, tasks: Iterable[Task]) -> Table:
        """All lines, for the current width of the window."""
        lines = [task for task in tasks if task.visible]
        counts = [f"{t.completed:,.0f}/{t.total:,.0f}" if t.fields["count"] and t.total else "" for t in lines]
        room = self._window.width - _MARGIN - max(map(len, counts), default=0)
        names = max((len(task.description) + 1 for task in lines), default=0)
        names = names if names <= room else 0
        texts = [_fitting(task.fields["texts"], room - names - 1) for task in lines]
        bar = min(_WIDEST_BAR, room - names - 1 - max((len(text) + 1 for text in texts if text), default=0))
        columns: list[list[RenderableType]] = [[Text(task.description) for task in lines]] if names else []
        if bar >= _NARROWEST_BAR:
            columns.append([ProgressBar(task.total, task.completed, width=bar) for task in lines])
        columns += [[Text(count, justify="right") for count in counts]] if any(counts) else []
        columns += [[Text(text) for text in texts]] if any(texts) else []
        table = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
        for _ in columns:
            table.add_column(no_wrap=True, overflow="crop")
        for row in zip(*columns, strict=True):
            table.add_row(*row)
        return table


class Counter(Bars):
    """One bar for a count of finished items.

    Parameters
    ----------
    noun : str
        Name of the items, in the plural.
    """

    def __init__(self, noun: str) -> None:
        super().__init__()
        self._task, self._started, self._drawn = self.add(noun), time.perf_counter(), 0.0
        self.start()

    def step(self, done: int, total: int) -> None:
        """Show that `done` of `total` items are finished."""
        now = time.perf_counter()
        if now - self._drawn >= REDRAW or done >= total:
            self._drawn = now
            left = f"{duration((now - self._started) / done * (total - done))} left" if done else ""
            self.move(self._task, done, total, (left,))
            self.refresh()


class Whole(Bars):
    """One bar for a job of several stages, with the time left for the whole job.

    Parameters
    ----------
    name : str
        Name of the job.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._task, self._started, self._drawn = self.add(name, total=100, count=False), time.perf_counter(), 0.0
        self._stage = ""
        self.start()

    def step(self, share: float, stage: str) -> None:
        """Show that a `share` of the time, from 0 to 1, has passed, and the name of the current `stage`."""
        now = time.perf_counter()
        if now - self._drawn >= REDRAW or stage != self._stage:
            self._drawn, self._stage = now, stage
            left = f"{duration((now - self._started) * (1 - share) / share)} left" if share > 0 else ""
            self.move(self._task, 100 * share, 100, (f"{share:.0%}", *filter(None, (left, stage))))
            self.refresh()


def _fitting(texts: Sequence[str], room: int) -> str:
    """The texts, joined; the last ones are left out if they do not fit."""
    for number in range(len(texts), 0, -1):
        line = ", ".join(texts[:number])
        if len(line) <= room:
            return line
    return ""
