"""The errors and warnings a user can meet, and how their messages name a setting.

A message is one line: what is wrong (value, file, line) - what was expected - what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_MARK, _EQUALS = "\x1f", "\x1e"  # control characters that no message holds otherwise
_MARKED = re.compile(f"{_MARK}([a-z0-9_]+)(?:{_EQUALS}([^{_MARK}]*))?{_MARK}")


def setting(name: str, value: bool | str | None = None) -> str:
    """A setting in a message, with or without a value, marked so that each reader sees their own spelling of it.

    Examples
    --------
    >>> plain(f"give {setting('fm_rank')}, {setting('split', 'kfold')} or {setting('similarity', False)}")
    'give fm_rank, split="kfold" or similarity=False'
    >>> with_flags(f"give {setting('fm_rank')}, {setting('split', 'kfold')} or {setting('similarity', False)}")
    'give --fm-rank, --split kfold or --no-similarity'
    """
    return f"{_MARK}{name}{_MARK}" if value is None else f"{_MARK}{name}{_EQUALS}{value}{_MARK}"


def plain(text: str) -> str:
    """A message with its settings as Python spells them."""
    return _spelt(text, _python)


def with_flags(text: str) -> str:
    """A message with its settings as the command line spells them."""
    return _spelt(text, flag)


def flag(name: str, value: str | None = None) -> str:
    """The command-line spelling of a setting: `batch_size` -> `--batch-size`."""
    spelt = name.replace("_", "-")
    if value in ("True", "False"):
        return f"--{spelt}" if value == "True" else f"--no-{spelt}"
    return f"--{spelt}" if value is None else f"--{spelt} {value}"


def _python(name: str, value: str | None) -> str:
    if value is None:
        return name
    return f"{name}={value}" if value in ("True", "False") else f'{name}="{value}"'


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
