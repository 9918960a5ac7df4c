"""Gene rules of a libsbml model: fbc gene product associations, or GENE_ASSOCIATION notes in older files.

fbc: Olivier and Bergmann 2018, doi:10.1515/jib-2017-0082.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dglcell.errors import ErrorCollector
from dglcell.readers import gpr

_NOTE = re.compile(r"GENE[ _]ASSOCIATION\s*:(.*?)</", re.DOTALL)
_ESCAPED = re.compile(r"__(\d+)__")


@dataclass(frozen=True)
class GeneRule:
    """The rule of one reaction.

    Attributes
    ----------
    node : gpr.Node
        The rule as a tree; gene ids without SBML prefix.
    text : str
        The rule as written in the file.
    location : str
        `file:line` of the reaction.
    """

    node: gpr.Node
    text: str
    location: str


def read_rules(path: Path, model: Any) -> dict[str, GeneRule]:
    """The gene rules of a libsbml model by reaction id; reactions without a rule are left out.

    Parameters
    ----------
    path : Path
        For error messages.
    model : libsbml.Model

    Raises
    ------
    DataError
        Rules are malformed; the message gives the file, line and reaction of each.
    """
    problems = ErrorCollector()
    rules: dict[str, GeneRule] = {}
    for reaction in model.getListOfReactions():
        reaction_id = plain_id(reaction.getIdAttribute(), "R_")
        location = f"{path}:{reaction.getLine()}"
        try:
            node, text = _rule(reaction)
        except gpr.GprError as error:
            problems.add(f"{location}: reaction {reaction_id}: {error} - correct the rule")
            continue
        if node is not None:
            rules[reaction_id] = GeneRule(node, text, location)
    problems.check()
    return rules


def _rule(reaction: Any) -> tuple[gpr.Node | None, str]:
    """The rule of a reaction and its text, from fbc or, if there is none, from GENE_ASSOCIATION in the notes."""
    plugin = reaction.getPlugin("fbc")
    association = plugin.getGeneProductAssociation() if plugin is not None else None
    if association is not None:
        tree = association.getAssociation()
        if tree is None:
            raise gpr.GprError("", 1, "its gene product association is empty")
        node = _from_tree(tree)
        return node, gpr.to_text(node)
    note = _NOTE.search(reaction.getNotesString() or "")
    text = html.unescape(note.group(1)).strip() if note else ""
    parsed = gpr.parse(text)
    return (None if parsed is None else _with_plain_ids(parsed)), text


def _from_tree(tree: Any) -> gpr.Node:
    if tree.isGeneProductRef():
        return gpr.Node("gene", gene_id(tree.getGeneProduct()))
    kind = gpr.AND if tree.isFbcAnd() else gpr.OR
    children = [_from_tree(child) for child in tree.getListOfAssociations()]
    if not children:
        raise gpr.GprError("", 1, f"an '{kind}' of its gene product association has no genes")
    return gpr.join(kind, children)


def _with_plain_ids(node: gpr.Node) -> gpr.Node:
    if node.gene:
        return gpr.Node("gene", gene_id(node.gene))
    return gpr.Node(node.kind, children=tuple(_with_plain_ids(child) for child in node.children))


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
    identifier = _ESCAPED.sub(lambda match: chr(int(match.group(1))), identifier)
    return identifier.removeprefix(prefix)


def gene_id(identifier: str) -> str:
    """A gene id without its SBML escapes and the prefix `G_`."""
    return plain_id(identifier.replace("__SBML_DOT__", "."), "G_")
