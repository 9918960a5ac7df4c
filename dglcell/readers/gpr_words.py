"""Words of gene rules: where a word ends, and whether it is one gene, several, or cannot be told.

Sequence ids with bars: https://www.ncbi.nlm.nih.gov/genbank/fasta_format/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# A bar with white space, a parenthesis or an operator on one side is an operator; any other belongs to a word.
_WORD = r"[^\s()&|]+(?:\|[^\s()&|]+)*(?:\|(?=\s*(?:\Z|\)|&|(?:and|or)(?![^\s()]))))?"
TOKEN: Final = re.compile(rf"\s*(?:([()])|(&&?|\|\||\|)|({_WORD}))", re.IGNORECASE)
_CLOSED = re.compile(r"\[[^\[\]]*\]|\{[^{}]*\}")  # brackets that are closed within a word belong to an id
_SEPARATORS = "|,;+"
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
    offset : int
        Position in the word of the character that is in question, from 0.
    """

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(reason)
        self.offset = offset


@dataclass(frozen=True)
class Vocabulary:
    """What is known of the gene ids of a model; it decides what a bar or a comma within a word means.

    Such a word is one gene if it is listed, or if it starts with the name of a database and a bar (`fig|..`, `gi|..`,
    `lcl|..`, or letters that stand before the bar of two or more different words with digits, and nowhere alone). It
    is an `or` if all its parts are known as genes. Otherwise it is refused, as is any other word with `,`, `;` or `+`
    that is not listed.

    Attributes
    ----------
    listed : frozenset of str
        Gene ids that the file lists.
    alone : frozenset of str
        Words that stand alone in a rule of the model.
    prefixes : frozenset of str
        What stands before the first bar of words, in lower case, where it looks like the name of a database.
    """

    listed: frozenset[str] = frozenset()
    alone: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rules: Iterable[str], listed: Iterable[str] = ()) -> Vocabulary:
        """The vocabulary of all rules of a model."""
        words = {match[3] for rule in rules for match in TOKEN.finditer(rule) if match[3]}
        alone = frozenset(word for word in words if "|" not in word)
        folded_words = {word.casefold() for word in alone}
        tails: dict[str, set[str]] = {}
        for word in words - alone:
            prefix, _, tail = word.casefold().partition("|")
            if prefix.isalpha() and prefix not in folded_words and any(c.isdigit() for c in tail):
                tails.setdefault(prefix, set()).add(tail)
        prefixes = frozenset(prefix for prefix, distinct_tails in tails.items() if len(distinct_tails) > 1)
        return cls(frozenset(listed), alone, prefixes)

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
                advice = "" if character in "<>" else "; parts of a rule stand in parentheses"
                raise WordError(f"'{character}' is not allowed in a gene id{advice}", word.index(character))
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
            raise WordError(
                f"'{word}' may be one gene id or several genes - write white space around the bar if it means 'or', "
                "or list the id among the genes of the model",
                offset,
            )
        raise WordError(f"'{separators[0]}' may mean 'and' or 'or' - write the one that is meant", offset)

    def _has_database(self, word: str) -> bool:
        """Whether a word starts with the name of a database, which does not come again, as in `fig|1|fig|2`."""
        first, *others = word.casefold().split("|")
        return first in _DATABASES | self.prefixes and first not in others
