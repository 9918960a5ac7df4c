"""Spellings of gene names: what else a name may be called, and how a name becomes one gene.

Tables name genes as proteins (`Rad51p`), as deletions (`rad51Δ`), with the id of a database behind the symbol
(`RAD51 (5888)`), and with a taxon, database or version around the id (`4932.YAL001C`, `ENSG00000000419.12`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from dglcell.errors import DataError

_QUOTES: Final = ('""', "''", "“”", "\u2018\u2019", "„“", "«»")
_ORF: Final = r"(?i:Y[A-P][LR]\d{3}[WC](?:-[A-Z])?)"
_RULES: Final = (
    re.compile(rf"([A-Z][a-z]+\d+(?:,\d+)?[A-Za-z]?|{_ORF})p"),  # the protein of a gene
    re.compile(r"(.+?)[-_ ]?[Δ∆]\d*(?:::.*)?"),  # tfc3Δ, his3Δ1, tfc3Δ::KanMX; a Greek letter or a mathematical sign
    re.compile(rf"((?i:[A-Z]{{3}}\d+)|{_ORF})[-_ ](?i:delta)\d*"),  # not PKC-delta, which is a name itself
    re.compile(r"[Δ∆][-_ ]?(.+)"),
    re.compile(r"(.+?)::.+"),  # tfc3::KanMX
    re.compile(r"(.+?)\s*\(([\w.:-]+)\)"),  # symbol and id
    re.compile(r"\d+\.([A-Za-z].*)"),  # taxon of STRING
    re.compile(r"[A-Za-z][A-Za-z0-9_ /.-]*:([^:].*)"),  # database
    re.compile(r"(ENS[A-Z]*\d{11})\.\d+"),  # version
)


def variants(name: str) -> list[str]:
    """Further spellings to try when a name is unknown, the most likely first.

    Examples
    --------
    >>> variants("Rad51p"), variants("tfc3Δ"), variants("ENSG00000000419.12")
    (['Rad51'], ['tfc3'], ['ENSG00000000419'])
    >>> variants("DPM1 (8813)"), variants("4932.YAL001C"), variants("YAL001C")
    (['DPM1', '8813'], ['YAL001C'], [])
    """
    text = _clean(name)
    spellings = {text: None}  # a dictionary keeps the sequence
    waiting = [text]
    while waiting:
        spelling = waiting.pop(0)
        for rule in _RULES:
            match = rule.fullmatch(spelling)
            new = [part for group in match.groups() if (part := _clean(group))] if match else []
            new = [part for part in new if part not in spellings]
            spellings |= dict.fromkeys(new)
            waiting += new
    return [spelling for spelling in spellings if spelling != name]


def resolve(name: str, candidates: Callable[[str], Sequence[str]]) -> str | None:
    """The gene that a name stands for, or one of its `variants` if the name is unknown; None if all are.

    Parameters
    ----------
    name : str
    candidates : callable
        The genes that a spelling may stand for; none if it is unknown.

    Raises
    ------
    DataError
        The name is ambiguous, or its variants stand for different genes; the message names the candidates.

    Examples
    --------
    >>> genes = {"rad51": ["YER095W"], "sbf1": ["YDL056W", "YKL112W"]}
    >>> resolve("Rad51p", lambda name: genes.get(name.lower(), []))
    'YER095W'
    """
    options = [list(candidates(name.strip()))]
    if not options[0]:
        options = [list(genes) for variant in variants(name) if (genes := candidates(variant))]
    if not options or not options[0]:
        return None
    common = set(options[0]).intersection(*options[1:])  # the id in `DPM1 (8813)` settles an ambiguous symbol
    if len(common) == 1:
        return common.pop()
    names = ", ".join(sorted(set().union(*options)))
    raise DataError(f"gene name {name.strip()!r} is ambiguous: {names} - give the systematic id")


def _clean(name: str) -> str:
    """The name with plain spaces, without the quotes and invisible characters around it."""
    text = " ".join(name.replace("\u200b", "").replace("\ufeff", "").split())
    while len(text) > 2 and text[0] + text[-1] in _QUOTES:
        text = text[1:-1].strip()
    return text
