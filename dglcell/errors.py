"""The errors and warnings a user can meet, and how their messages name a setting.

A message is one line: what is wrong (value, file, line) - what was expected - what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_MARK, _EQUALS = "\x1f", "\x1e"  # control characters that no message holds otherwise
_MARKED = re.compile(f"{_MARK}([a-z0-9_]+)(?:{_EQUALS}([^{_MARK}]*))?{_MARK}")


def setting(name: str, value: bool | float | str | None = None) -> str:
    """A setting in a message, with or without a value, marked so that each reader sees their own spelling of it.

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
    """The command-line spelling of a setting: `batch_size` -> `--batch-size`; of a switch also its opposite."""
    return ("--" if on else "--no-") + name.replace("_", "-")


def _flag_and_value(name: str, literal: str | None) -> str:
    if literal in (None, "True", "False"):
        return flag(name, literal != "False")
    return flag(name) + " " + str(literal).strip('"')


def _spelt(text: str, spell: Callable[[str, str | None], str]) -> str:
    return _MARKED.sub(lambda match: spell(match[1], match[2]), text)


class DglcellError(Exception):
    """Any failure that dglcell explains itself.

    Attributes
    ----------
    exit_code : int
        What the command line returns.
    template : str
        The message with its settings still marked; `str` spells them as Python does.
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
    """A file of dglcell's own is damaged, foreign, or of another version."""


class FingerprintError(DataError):
    """Two files that should describe the same cell do not."""


class RunError(DglcellError):
    """Training, prediction or evaluation could not go on."""


class DglcellWarning(UserWarning):
    """A warning whose message names settings; `template` as in `DglcellError`."""

    def __init__(self, message: str) -> None:
        super().__init__(plain(message))
        self.template = message


class ErrorCollector:
    """Collects everything wrong with one input before a single error names it all.

    Parameters
    ----------
    error : type of DglcellError
        What `check` raises.
    limit : int
        Problems spelt out in the message; the rest is counted.
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
