"""The errors and warnings of dglcell. Their messages name a setting as Python or as the command line spells it.

A message is one line: what is wrong (value, file, line) - what was expected - what to do.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable

_MARK, _EQUALS = "\x1f", "\x1e"  # control characters, which do not occur in messages otherwise
_MARKED = re.compile(f"{_MARK}([a-z0-9_]+)(?:{_EQUALS}([^{_MARK}]*))?{_MARK}")


def setting(name: str, value: bool | float | str | None = None) -> str:
    """A setting in a message, with or without a value, marked so that `plain` and `with_flags` can spell it.

    Examples
    --------
    >>> message = f"give {setting('fm_rank')}, {setting('split', 'kfold')} or {setting('similarity', False)}"
    >>> plain(message)
    'give fm_rank, split="kfold" or similarity=False'
    >>> with_flags(message)
    'give --fm-rank, --split kfold or --no-similarity'
    """
    if value is None:
        return f"{_MARK}{name}{_MARK}"
    literal = f'"{value}"' if isinstance(value, str) else value
    return f"{_MARK}{name}{_EQUALS}{literal}{_MARK}"


def plain(text: str) -> str:
    """A message with its settings as Python spells them."""
    return _spelt(text, lambda name, literal: name if literal is None else f"{name}={literal}")


def with_flags(text: str) -> str:
    """A message with its settings as the command line spells them."""
    return _spelt(text, _flag_and_value)


def flag(name: str, on: bool = True) -> str:
    """The command-line spelling of a setting: `--batch-size` for `batch_size`, `--no-gate` for `gate=False`."""
    return ("--" if on else "--no-") + name.replace("_", "-")


def _flag_and_value(name: str, literal: str | None) -> str:
    if literal in (None, "True", "False"):
        return flag(name, literal != "False")
    return flag(name) + " " + str(literal).strip('"')


def _spelt(text: str, spell: Callable[[str, str | None], str]) -> str:
    return _MARKED.sub(lambda match: spell(match[1], match[2]), text)


class DglcellError(Exception):
    """Base class of all errors that dglcell raises on purpose.

    Attributes
    ----------
    exit_code : int
        Exit code of the command line.
    template : str
        The message with its settings marked; `str(error)` spells them as Python does.
    """

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(plain(message))
        self.template = message


class UsageError(DglcellError):
    """An option or argument has a value that cannot be used."""

    exit_code = 2


class DataError(DglcellError):
    """The content of an input file is wrong."""


class FormatError(DataError):
    """A file of dglcell's own format is damaged, has another version, or is something else."""


class FingerprintError(DataError):
    """A file belongs to another cell graph."""


class RunError(DglcellError):
    """Training, prediction or evaluation cannot continue."""


class DglcellWarning(UserWarning):
    """A warning whose message may name settings; `template` as in `DglcellError`."""

    def __init__(self, message: str) -> None:
        super().__init__(plain(message))
        self.template = message


def warn(message: str) -> None:
    """Give a `DglcellWarning` that points at the line outside dglcell from which it was called."""
    frame, level, outermost = sys._getframe(), 1, 1
    while frame.f_back is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
            outermost = level
        frame, level = frame.f_back, level + 1
    warnings.warn(DglcellWarning(message), stacklevel=outermost + 1)


def number_of(count: int, noun: str) -> str:
    """A count in a message.

    Examples
    --------
    >>> number_of(1, "row"), number_of(9453, "row")
    ('1 row', '9,453 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


class ErrorCollector:
    """Collects all problems of one input, which are then raised as one error.

    Parameters
    ----------
    error : type of DglcellError
        What `check` raises.
    limit : int
        Number of problems in the message; further ones are counted.
    """

    def __init__(self, error: type[DglcellError] = DataError, limit: int = 5) -> None:
        self._error = error
        self._limit = limit
        self._shown: list[str] = []
        self.count = 0

    def add(self, message: str) -> None:
        """Add one problem."""
        self.count += 1
        if len(self._shown) < self._limit:
            self._shown.append(message)

    def check(self) -> None:
        """Raise one error with the collected problems, if there are any."""
        if not self.count:
            return
        more = self.count - len(self._shown)
        tail = f"; and {more} more" if more else ""
        raise self._error("; ".join(self._shown) + tail)
