"""What the gene rules of a metabolic model mean, the same for every file format.

Rules of text are parsed once and compared with cobra's reading of them. Then placeholders (`Unknown`, `SPONTANEOUS`),
which are no genes, are taken out of the trees, and compartments (`YOR347C[m]`) off the genes. All of it is counted.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dglcell.errors import ErrorCollector
from dglcell.readers import gpr
from dglcell.readers.gpr_words import Vocabulary
from dglcell.readers.text_files import shorten

_PLACEHOLDERS = """
unknown unassigned not_assigned unannotated undefined not_known not_available missing tbd
spontaneous spontan nonenzymatic non_enzymatic orphan
gap gapfill gap_fill gapfilled gap_filled gapfilling gap_filling
none null nan na n/a n.a. 0 no_assignment no_gene no_genes nogene no_gene_associated no_association _ ? ?? ???
"""
PLACEHOLDERS: Final = frozenset(_PLACEHOLDERS.split())
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|[A-Za-z]+);")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_LETTER = re.compile(r"(?<=.)_[a-z]\Z")
_BRACKET = re.compile(r"(?<=.)\[[A-Za-z]\w*\]\Z")
_READ_BY_COBRA = re.compile(r"[A-Za-z0-9_.'\":/\\=-]+")
_COMPARED = 1000  # alternatives of a rule that are compared with cobra's
_EXAMPLES = 3


@dataclass(frozen=True)
class RuleText:
    """A gene rule as it stands in a file, and where: `file:line`, or the file."""

    text: str
    location: str


@dataclass(frozen=True)
class GeneRules:
    """The gene rules of a model.

    Attributes
    ----------
    trees : dict
        Rule of each reaction that has one.
    genes : tuple of str
        The genes that the file lists come first, then those that occur only in rules.
    gene_of : dict
        Gene for each gene id of the file; placeholders have none.
    report : dict
        Counts, with examples, of what was changed.
    """

    trees: dict[str, gpr.Node]
    genes: tuple[str, ...]
    gene_of: dict[str, str]
    report: dict[str, int | str]


def parse_texts(
    texts: Mapping[str, RuleText], listed: Collection[str], problems: ErrorCollector
) -> tuple[dict[str, gpr.Node], int]:
    """Parse the rules of a model, by reaction id, and compare them with cobra's reading.

    Parameters
    ----------
    listed : collection of str
        Gene ids that the file lists.
    problems : ErrorCollector
        Receives rules that are malformed, and those that cobra reads as another rule.

    Returns
    -------
    trees : dict
        Rules that are not blank.
    num_unread : int
        Number of rules that cobra cannot read.
    """
    trees: dict[str, gpr.Node] = {}
    cleaned_texts = {reaction: _clean(rule.text) for reaction, rule in texts.items()}
    vocabulary = Vocabulary.of(cleaned_texts.values(), [*listed, *PLACEHOLDERS])
    num_unread = 0
    for reaction, text in cleaned_texts.items():
        location = texts[reaction].location
        if is_placeholder(text):
            trees[reaction] = gpr.Node("gene", text.strip())
            continue
        try:
            tree = gpr.parse(text, vocabulary)
        except gpr.GprError as error:
            problems.add(f"{location}: reaction {reaction}: {error.template}")
            continue
        if tree is None:
            continue
        trees[reaction] = tree
        cobra_tree = _read_by_cobra(text)
        if cobra_tree is None or not all(_READ_BY_COBRA.fullmatch(gene) for gene in tree.genes()):
            num_unread += 1
        elif not _are_equal(tree, cobra_tree):
            problems.add(
                f"{location}: reaction {reaction}: gene rule '{shorten(text, 80)}' is read as "
                f"'{shorten(gpr.to_text(tree), 80)}' here, and as '{shorten(gpr.to_text(cobra_tree), 80)}' by cobra - "
                "write parentheses, and 'and' and 'or' throughout"
            )
    return trees, num_unread


def settle(trees: Mapping[str, gpr.Node], listed: Iterable[str] = (), compartments: Collection[str] = ()) -> GeneRules:
    """Take placeholders and compartments out of the rules of a model.

    A placeholder stands for something that no deletion removes: `A and Unknown` is `A`, and `A or Unknown` is no rule.
    A suffix `[m]` of a gene is a compartment; so is `_m` if the model has a compartment `m` (or all genes end in a
    letter like this), and the file does not list the gene.

    Parameters
    ----------
    trees : mapping
        Rules by reaction id.
    listed : iterable of str
        Gene ids that the file lists.
    compartments : collection of str
        Ids of the compartments of the model.

    Examples
    --------
    >>> rules = settle({"PYK": gpr.parse("YAL038W_c or YOR347C[m]"), "LEAK": gpr.parse("Unknown")}, (), ["c", "m"])
    >>> gpr.to_text(rules.trees["PYK"]), "LEAK" in rules.trees, rules.genes
    ('YAL038W or YOR347C', False, ('YAL038W', 'YOR347C'))
    """
    listed = tuple(listed)
    in_rules = {gene for tree in trees.values() for gene in tree.genes()}
    suffixes = _suffixes(in_rules - set(listed), compartments)
    gene_of: dict[str, str] = {}
    for gene in (*listed, *sorted(in_rules - set(listed))):
        if not is_placeholder(gene):
            gene_of[gene] = _without_compartment(gene, () if gene in listed else suffixes)
    dropped = sorted((in_rules | set(listed)) - gene_of.keys())
    renamed = sorted(gene for gene, name in gene_of.items() if name != gene)
    changed = {*dropped, *renamed}
    settled: dict[str, gpr.Node] = {}
    num_with_placeholders = num_without_rule = 0
    for reaction, tree in trees.items():
        touched = changed.intersection(tree.genes()) if changed else set()
        new_tree = _settled(tree, gene_of) if touched else tree
        num_with_placeholders += not touched <= gene_of.keys()
        num_without_rule += new_tree is None
        if new_tree is not None:
            settled[reaction] = new_tree
    barred = [gene for gene in gene_of if "|" in gene]
    report: dict[str, int | str] = {
        "rules with placeholders, which are no genes": _counted(num_with_placeholders, dropped),
        "reactions without a rule because of placeholders": num_without_rule,
        "genes without their compartment suffix": _counted(len(renamed), renamed),
        "gene ids with a bar, each one gene": _counted(len(barred), barred),
    }
    genes = tuple(dict.fromkeys(gene_of.values()))
    return GeneRules(settled, genes, gene_of, {key: value for key, value in report.items() if value})


def _suffixes(genes: Collection[str], compartments: Collection[str]) -> tuple[str, ...]:
    """Suffixes of genes that are compartments: `_c` of a compartment `c`.

    If all genes end in a letter in this way, or in brackets, the other letters are compartments, too, although the
    model does not list them.
    """
    suffixes = {f"_{compartment}" for compartment in compartments if compartment[:1].isalpha()}
    named = [gene for gene in genes if not is_placeholder(gene)]
    letters = {gene[-2:] for gene in named if _LETTER.search(gene)}
    if letters & suffixes and all(_LETTER.search(gene) or _BRACKET.search(gene) for gene in named):
        suffixes |= letters
    return tuple(sorted(suffixes))


def is_placeholder(word: str) -> bool:
    """Whether a word in the place of a gene says that there is none or that it is unknown.

    Examples
    --------
    >>> [is_placeholder(word) for word in ("SPONTANEOUS", "No gene", "s0001", "GAPDH")]
    [True, True, False, False]
    """
    return re.sub(r"[\s_-]+", "_", word.strip().casefold()) in PLACEHOLDERS


def _clean(text: str) -> str:
    """A rule without HTML: entities and line breaks."""
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    return _BREAK.sub(" ", text) if "<" in text else text


def _without_compartment(gene: str, suffixes: tuple[str, ...]) -> str:
    bare = _BRACKET.sub("", gene)
    suffix = next((suffix for suffix in suffixes if bare == gene and gene.endswith(suffix)), "")
    return bare.removesuffix(suffix) or gene


def _settled(tree: gpr.Node, gene_of: Mapping[str, str]) -> gpr.Node | None:
    """A tree with the genes of the cell; None if it holds whatever is deleted."""

    def leaf(gene: str) -> gpr.Node | None:
        return gpr.Node("gene", gene_of[gene]) if gene in gene_of else None

    def conjunction(children: list[gpr.Node | None]) -> gpr.Node | None:
        needed = [child for child in children if child is not None]
        return gpr.join(gpr.AND, needed) if needed else None

    def disjunction(children: list[gpr.Node | None]) -> gpr.Node | None:
        needed = [child for child in children if child is not None]
        return gpr.join(gpr.OR, needed) if len(needed) == len(children) else None

    return gpr.fold(tree, leaf, conjunction, disjunction)


def _read_by_cobra(text: str) -> gpr.Node | None:
    """The rule as cobra reads it; None if it cannot."""
    from cobra.core.gene import GPR

    try:
        body: Any = GPR.from_string(" ".join(text.split())).body
        return gpr.from_ast(body)
    except Exception:  # cobra lets errors of Python's own parser through, of any kind
        return None


def _are_equal(tree: gpr.Node, other: gpr.Node) -> bool:
    if tree == other:
        return True
    if tree.genes() != other.genes():
        return False
    try:
        return gpr.alternatives(tree, _COMPARED) == gpr.alternatives(other, _COMPARED)
    except gpr.GprError:  # too many to compare; the genes are the same
        return True


def _counted(count: int, examples: Collection[str]) -> int | str:
    """A count with examples, for the report."""
    if not count:
        return 0
    shown = ", ".join(list(examples)[:_EXAMPLES])
    return f"{count} ({shown}{', ..' if len(examples) > _EXAMPLES else ''})"
