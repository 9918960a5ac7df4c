"""The errors a user can meet, and the exit code of each.

A message is one line: what is wrong (value, file, line) - what was expected - what to do.
"""

from __future__ import annotations


class DglcellError(Exception):
    """Any failure that dglcell explains itself; `exit_code` is what the command line returns."""

    exit_code = 1


class UsageError(DglcellError):
    """An option or argument has a value that cannot be used."""

    exit_code = 2


class DataError(DglcellError):
    """The content of an input file is wrong."""


class FormatError(DataError):
    """A file of dglcell's own is damaged, foreign, or from a newer version."""


class FingerprintError(DataError):
    """Two files that should describe the same cell do not."""


class RunError(DglcellError):
    """Training, prediction or evaluation could not go on."""


class ErrorCollector:
    """Collects everything wrong with one input before a single error names it all.

    Parameters
    ----------
    error : type of DglcellError
        What `check` raises.
    limit : int
        ErrorCollector spelt out in the message; the rest is counted.
    """

    def __init__(self, error: type[DglcellError] = DataError, limit: int = 5) -> None:
        self._error = error
        self._limit = limit
        self._shown: list[str] = []
        self.count = 0

    def add(self, message: str) -> None:
        """Note one problem."""
        self.count += 1
        if len(self._shown) < self._limit:
            self._shown.append(message)

    def check(self) -> None:
        """Raise the collected problems as one error, if there are any."""
        if not self.count:
            return
        more = self.count - len(self._shown)
        tail = f"; and {more} more" if more else ""
        raise self._error("; ".join(self._shown) + tail)
