"""A command in a pseudo-terminal of a given size, and what its user would see."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence

import pyte

_ERASE = "\r\x1b[2K"  # rich takes the last frame off the screen
_LIMIT = 150.0  # seconds


@dataclasses.dataclass
class Session:
    """A command that has ended.

    Attributes
    ----------
    code : int
    raw : str
        Everything that it wrote.
    columns, rows : int
        Of the window.
    """

    code: int
    raw: str
    columns: int
    rows: int

    @property
    def lines(self) -> list[str]:
        """All lines that the user can read after the end, those that have scrolled away included."""
        return self._screen(self.raw)

    @property
    def frames(self) -> list[list[str]]:
        """What stood on the screen, each time that something was about to be drawn over it."""
        screen, stream = _new(self.columns, self.rows)
        frames = []
        for part in re.split(f"(?={re.escape(_ERASE)})", self.raw):
            stream.feed(part)
            frames.append([line.rstrip() for line in screen.display])
        return frames

    @property
    def cursor_is_shown(self) -> bool:
        """Whether the last word on the cursor was to show it."""
        shown, hidden = self.raw.rfind("\x1b[?25h"), self.raw.rfind("\x1b[?25l")
        return shown >= hidden

    def _screen(self, text: str) -> list[str]:
        screen, stream = _new(self.columns, self.rows)
        stream.feed(text)
        above = ["".join(line[x].data for x in range(self.columns)).rstrip() for line in screen.history.top]
        lines = [*above, *(line.rstrip() for line in screen.display)]
        while lines and not lines[-1]:
            lines.pop()
        return lines


def _new(columns: int, rows: int) -> tuple[pyte.HistoryScreen, pyte.Stream]:
    screen = pyte.HistoryScreen(columns, rows, history=100_000)
    return screen, pyte.Stream(screen)


def run(
    arguments: Sequence[str],
    columns: int,
    rows: int = 24,
    press: tuple[str, Callable[[str], bool]] | None = None,
    **environment: str,
) -> Session:
    """Run `python ARGUMENTS` in a window; `press` types its keys once its test holds of what was written so far."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    inherited = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**inherited, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONUTF8": "1", **environment},
        start_new_session=True,
        preexec_fn=_own_terminal,
    )
    os.close(slave)
    raw, deadline = b"", time.monotonic() + _LIMIT
    try:
        while time.monotonic() < deadline:
            if not select.select([master], [], [], 0.2)[0]:
                continue
            try:
                chunk = os.read(master, 65536)
            except OSError:  # the last one who could write has ended
                break
            if not chunk:
                break
            raw += chunk
            if press is not None and press[1](raw.decode(errors="replace")):
                os.write(master, press[0].encode())
                press = None
        code = process.wait(max(1.0, deadline - time.monotonic()))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        with contextlib.suppress(OSError):
            os.close(master)
    return Session(code, raw.decode(errors="replace"), columns, rows)


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # Ctrl-C reaches who has the terminal
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it
