"""Words of gene rules: where a word ends, and whether it is one gene, several, or cannot be told.

Sequence ids with bars: https://www.ncbi.nlm.nih.gov/genbank/fasta_format/.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

# A bar with white space, a parenthesis or an operator on one side is an operator; any other belongs to a word.
_WORD = r"[^\s()&|]+(?:\|[^\s()&|]+)*(?:\|(?=\s*(?:\Z|\)|&|(?:and|or)(?![^\s()]))))?"
TOKEN: Final = re.compile(rf"\s*(?:([()])|(&&?|\|\||\|)|({_WORD}))", re.IGNORECASE)
_CLOSED = re.compile(r"\[[^\[\]]*\]|\{[^{}]*\}")  # brackets that are closed within a word belong to an id
_SEPARATORS = "|,;+"
_DIGITS = 3  # at least, after the bar of an id of a database that is not known here
_DATABASES: Final = frozenset(  # what stands before a bar in ids of sequence and model databases
    (
        *("bbm", "bbs", "dbj", "emb", "fig", "gb", "gi", "gim", "gnl", "gp", "jgi", "kb", "lcl", "nbr", "oth", "pat"),
        *("pdb", "pgp", "pir", "prf", "ref", "sp", "tpd", "tpe", "tpg", "tr"),
    )
)


class WordError(ValueError):
    """A word of a rule cannot be a gene, or may be several.

    Attributes
    ----------
    advice : str
        What to do.
    offset : int
        Position in the word of the character that is in question, from 0.
    """

    def __init__(self, reason: str, advice: str = "correct the rule", offset: int = 0) -> None:
        super().__init__(reason)
        self.advice, self.offset = advice, offset


@dataclass(frozen=True)
class Vocabulary:
    """What is known of the gene ids of a model; it decides what a bar or a comma within a word means.

    Such a word is one gene if it is listed, or if the name of a database stands before its first bar: a known one
    (`fig|..`, `gi|..`, `lcl|..`), or letters that are nowhere a gene, either of one case before something with three
    digits (`eco|b0001`), or in two or more different words. A word with bars is an `or` if all its parts are known as
    genes. Otherwise it is refused, as is any other word with `,`, `;` or `+` that is not listed.

    Attributes
    ----------
    listed : frozenset of str
        Gene ids that the file lists.
    alone : frozenset of str
        Words that stand alone in a rule of the model.
    databases : frozenset of str
        What looks like the name of a database before the first bar of words, in lower case.
    """

    listed: frozenset[str] = frozenset()
    alone: frozenset[str] = frozenset()
    databases: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rules: Iterable[str], listed: Collection[str] = ()) -> Vocabulary:
        """The vocabulary of all rules of a model."""
        words = {match[3] for rule in rules for match in TOKEN.finditer(rule) if match[3]}
        alone = frozenset(word for word in words if "|" not in word)
        genes = {word.casefold() for word in (*alone, *listed)}
        tails: dict[str, set[str]] = {}
        databases: set[str] = set()
        for word in words - alone:
            prefix, _, tail = word.partition("|")
            num_digits = sum(character.isdigit() for character in tail)
            if prefix.isalpha() and prefix.casefold() not in genes and num_digits:
                tails.setdefault(prefix.casefold(), set()).add(tail.casefold())
                if num_digits >= _DIGITS and prefix in (prefix.lower(), prefix.upper()):
                    databases.add(prefix.casefold())
        databases |= {prefix for prefix, distinct_tails in tails.items() if len(distinct_tails) > 1}
        return cls(frozenset(listed), alone, frozenset(databases))

    def genes_of(self, word: str) -> list[str]:
        """The genes that a word of a rule stands for: the word itself, or its parts if its bars mean `or`.

        Raises
        ------
        WordError
            The word cannot be a gene or may be several; the message says why, and what to do.

        Examples
        --------
        >>> Vocabulary().genes_of("fig|1219067.16.peg.12")
        ['fig|1219067.16.peg.12']
        >>> Vocabulary(alone=frozenset({"b0001", "b0002"})).genes_of("b0001|b0002")
        ['b0001', 'b0002']
        """
        if word in self.listed:
            return [word]
        if word[0] in "!~":
            raise WordError(f"'{word[0]}': a rule has no 'not'")
        remainder = _CLOSED.sub("", word)
        for character in "<>[]{}":
            if character in remainder:
                advice = "correct the rule" if character in "<>" else "write parentheses around a part of a rule"
                raise WordError(f"'{character}' is not allowed in a gene id", advice, word.index(character))
        separators = [character for character in _SEPARATORS if character in word]
        if not separators:
            return [word]
        if "|" in word and self._has_database(word):
            return [word]
        parts = word.split("|")
        if all(part in self.listed or (part in self.alone and separators == ["|"]) for part in parts):
            return parts
        offset = word.index(separators[0])
        if separators[0] == "|":
            advice = "write white space around the bar if it means 'or', or list the id among the genes of the model"
            raise WordError(f"'{word}' may be one gene id or several genes", advice, offset)
        raise WordError(f"'{separators[0]}' may mean 'and' or 'or'", "write the one that is meant", offset)

    def _has_database(self, word: str) -> bool:
        """Whether a word starts with the name of a database, which does not come again, as in `fig|1|fig|2`."""
        first, *others = word.casefold().split("|")
        return first in _DATABASES | self.databases and first not in others
