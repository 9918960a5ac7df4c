"""The rule for what is left out because its genes are unknown, the same for all inputs.

What is left out is counted and shown with examples of both sides: names of the input that are unknown, and ids of the
cell. From a tenth on it is a warning; if nothing is left, it is an error unless the caller allows it (`allow_empty`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dglcell.errors import ErrorCollector, number_of, setting, warn
from dglcell.readers import text_files

EXAMPLES: Final = ", for example"  # end of the item of a report that gives examples of the item before it
_SHOWN: Final = 5
_ONE_IN: Final = 10


@dataclass(frozen=True)
class LeftOut:
    """What is left out of one input.

    Attributes
    ----------
    source : str
        The input, in messages.
    noun : str
        What the input consists of, in the singular: `edge`, `row`.
    total, count, kept : int
        Numbers of these: all, those with an unknown gene, and those that are used.
    unknown, known : iterables of str
        Names of the input that are unknown, and ids of the cell.
    """

    source: str
    noun: str
    total: int
    count: int
    kept: int
    unknown: Iterable[str]
    known: Iterable[str]

    @property
    def is_much(self) -> bool:
        """Whether a tenth or more has an unknown gene."""
        return self.count > 0 and self.count * _ONE_IN >= self.total

    @property
    def sides(self) -> str:
        """Examples of both sides, for a message."""
        return f"in the file: {examples(self.unknown)}; in the cell: {examples(self.known)}"

    def check(self, problems: ErrorCollector, fits: str, reasons: str = "", allow_empty: bool | None = False) -> None:
        """Add a problem if nothing is left, give a warning if a tenth or more is left out.

        Parameters
        ----------
        problems : ErrorCollector
        fits : str
            What an element must do to be used: `joins two genes of the cell`.
        reasons : str
            Why else elements are left out, with their numbers.
        allow_empty : bool or None
            If nothing is left, give only a warning; None if the caller has no such choice, and no message offers it.
        """
        if self.total and not self.kept:
            details = "; ".join(filter(None, [self.sides if self.count else "", reasons]))
            message = f"{self.source}: no {self.noun} of {self.total:,} {fits} ({details})"
            if allow_empty:
                warn(message)
            else:
                remedy = "name the genes as the cell does" if self.count else "give another file"
                problems.add(f"{message} - {remedy}{or_allow_empty(allow_empty)}")
        elif self.is_much:
            are = "is" if self.count == 1 else "are"
            what = f"{self.count:,} of {number_of(self.total, self.noun)} {are} left out"
            warn(f"{self.source}: {what}, as the cell lacks a gene ({self.sides})")


def or_allow_empty(allow_empty: bool | None) -> str:
    """The end of an error message that offers `allow_empty`; nothing if the caller has no such choice."""
    return "" if allow_empty is None else f", or {setting('allow_empty', True)}"


def examples(names: Iterable[str]) -> str:
    """The first names, and `..` if there are more.

    Examples
    --------
    >>> examples(["b0008", "b0114"]), examples("ABCDEFG")
    ('b0008, b0114', 'A, B, C, D, E, ..')
    """
    first = [text_files.shorten(name) for name in itertools.islice(names, _SHOWN + 1)]
    return ", ".join([*first[:_SHOWN], ".."] if len(first) > _SHOWN else first) or "none"
