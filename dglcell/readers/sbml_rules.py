"""Gene rules of a libsbml model: fbc gene product associations, or GENE_ASSOCIATION notes in older files.

fbc: Olivier and Bergmann 2018, doi:10.1515/jib-2017-0082.
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from dglcell.errors import ErrorCollector
from dglcell.readers import gene_rules, gpr
from dglcell.readers.gene_rules import GeneRules, RuleText
from dglcell.readers.text_files import shorten

_ESCAPED = re.compile(r"__(\d+)__")
_BREAK = re.compile(r"<(?:[\w.-]+:)?br\b[^>]*>", re.IGNORECASE)
_INLINE = re.compile(r"</?(?:[\w.-]+:)?(?:a|b|i|em|strong|span|font|tt|code|sub|sup)(?:\s[^>]*)?/?>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_RULE = re.compile(r"\s*(?:GENE[ _]ASSOCIATIONS?|GPR_ASSOCIATION)\s*:(.*)", re.DOTALL | re.IGNORECASE)
# A further note on a line of its own within the same paragraph. A gene id may have a colon, but no space after it.
_NEXT_NOTE: Final = re.compile(
    r"\n\s*(?:[A-Za-z][\w /-]*:(?=\s|\Z)|(?:PROTEIN|GENE|GPR)[ _]?\w*:|SUBSYSTEM:|EC[ _]?NUMBER:|AUTHORS:)",
    re.IGNORECASE,
)


def read_rules(path: Path, model: Any, gene_products: Iterable[str]) -> GeneRules:
    """The gene rules of a libsbml model.

    An fbc association counts before notes. Notes count once if they agree; several that differ are an error, since
    programs differ in which one they take.

    Parameters
    ----------
    path : Path
        For error messages.
    model : libsbml.Model
    gene_products : iterable of str
        Ids of the genes that the model lists, without prefix and escapes.

    Raises
    ------
    DataError
        Rules are malformed, or a reaction has several; the message gives the file, line and reaction of each.
    """
    problems = ErrorCollector()
    listed = tuple(gene_products)
    trees: dict[str, gpr.Node] = {}
    texts: dict[str, RuleText] = {}
    for reaction in model.getListOfReactions():
        reaction_id = plain_id(reaction.getIdAttribute(), "R_")
        location = f"{path}:{reaction.getLine()}"
        try:
            association = _association(reaction)
            if association is not None:
                trees[reaction_id] = _from_association(association)
            elif text := _only_rule(_notes(reaction)):
                texts[reaction_id] = RuleText(text, location)
        except gpr.GprError as error:
            problems.add(f"{location}: reaction {reaction_id}: {error}")
    parsed, num_unread = gene_rules.parse_texts(texts, listed, problems)
    problems.check()
    trees |= {reaction: _with_plain_ids(tree) for reaction, tree in parsed.items()}
    compartments = [compartment.getIdAttribute() for compartment in model.getListOfCompartments()]
    rules = gene_rules.settle(trees, listed, {*compartments, *(plain_id(name, "C_") for name in compartments)})
    if num_unread:
        rules.report["rules that cobra cannot read, read here"] = num_unread
    return rules


def _association(reaction: Any) -> Any:
    """The fbc association of a reaction; None if it has none. GprError if it is empty."""
    plugin = reaction.getPlugin("fbc")
    association = plugin.getGeneProductAssociation() if plugin is not None else None
    if association is None:
        return None
    if association.getAssociation() is None:
        raise gpr.GprError("", 1, "its gene product association is empty")
    return association.getAssociation()


def _from_association(association: Any) -> gpr.Node:
    if association.isGeneProductRef():
        return gpr.Node("gene", gene_id(association.getGeneProduct()))
    kind = gpr.AND if association.isFbcAnd() else gpr.OR
    children = [_from_association(child) for child in association.getListOfAssociations()]
    if not children:
        raise gpr.GprError("", 1, f"an '{kind}' of its gene product association has no genes")
    return gpr.join(kind, children)


def _notes(reaction: Any) -> list[str]:
    """The texts of the GENE_ASSOCIATION notes of a reaction that are not blank; each once."""
    notes = reaction.getNotesString() or ""
    if "ASSOCIATION" not in notes.upper():
        return []
    notes = _INLINE.sub("", _BREAK.sub("\n", notes))
    rules: dict[str, None] = {}
    for paragraph in _TAG.split(notes):
        lines = html.unescape(paragraph)
        starts = [0, *(match.start() for match in _NEXT_NOTE.finditer(lines)), len(lines)]
        for start, end in pairwise(starts):
            if note := _RULE.fullmatch(lines[start:end]):
                rules[" ".join(note[1].split())] = None
    return [text for text in rules if text]


def _only_rule(texts: list[str]) -> str:
    """The one rule of a reaction, empty if there is none; GprError if several rules differ."""
    if len(texts) > 1:
        distinct = {gpr.alternatives(gpr.parse(text)) for text in texts}
        if len(distinct) > 1:
            shown = " and ".join(f"'{shorten(text, 60)}'" for text in texts[:2])
            reason = f"it is one of {len(texts)} GENE_ASSOCIATION notes that differ ({shown})"
            raise gpr.GprError(
                texts[0], 1, f"{reason}, and programs differ in which one they take", "leave one of them"
            )
    return texts[0] if texts else ""


def _with_plain_ids(tree: gpr.Node) -> gpr.Node:
    """The tree with gene ids without SBML prefixes and escapes."""
    if all(gene_id(gene) == gene for gene in tree.genes()):
        return tree
    return gpr.fold(
        tree,
        lambda gene: gpr.Node("gene", gene_id(gene)),
        lambda children: gpr.join(gpr.AND, children),
        lambda children: gpr.join(gpr.OR, children),
    )


def plain_id(identifier: str, prefix: str) -> str:
    """An SBML id without its escapes (`__45__` is `-`) and its prefix, as in cobra.

    Parameters
    ----------
    identifier : str
        Id in the SBML file.
    prefix : str
        `M_`, `R_` or `G_`.

    Examples
    --------
    >>> plain_id("R_EX_glc__45__D", "R_")
    'EX_glc-D'
    """
    return _ESCAPED.sub(_character, identifier).removeprefix(prefix)


def gene_id(identifier: str) -> str:
    """A gene id without its SBML escapes and the prefix `G_`."""
    return plain_id(identifier.replace("__SBML_DOT__", "."), "G_")


def _character(match: re.Match[str]) -> str:
    number = int(match[1])
    return chr(number) if number <= sys.maxunicode else match[0]
