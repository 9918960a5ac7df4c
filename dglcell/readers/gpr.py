"""Gene-protein-reaction rules: `(A and B) or C` -> tree and isozyme alternatives.

`and` joins the subunits of a complex, `or` joins isozymes. A malformed rule is an error. (The parser of cobra reads it
as an empty rule, with which the reaction is always active.)

Grammar: `and`, `or` in any case, `&`, `&&`, `|`, `||`, parentheses; `and` has precedence over `or`. Any other word
is a gene id, which may contain characters such as `-`, `.`, `_`, `:`, `#`, `?` and start with a digit. A bar between
two words, as in `fig|1219067.16.peg.12`, is part of an id or an `or`: see `Vocabulary`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from dglcell.errors import DataError, setting
from dglcell.readers.gpr_words import TOKEN, Vocabulary, WordError

AND: Final = "and"
OR: Final = "or"
_SYMBOLS = {"&": AND, "&&": AND, "|": OR, "||": OR}
_PRECEDENCE = {OR: 1, AND: 2}
_SHOWN = 80
DEFAULT_LIMIT: Final = 10_000

T = TypeVar("T")


class GprError(DataError):
    """A gene rule cannot be read.

    Attributes
    ----------
    rule : str
        The rule.
    position : int
        Position of the first invalid character, from 1.
    """

    def __init__(self, rule: str, position: int, reason: str, advice: str = "correct the rule") -> None:
        self.rule, self.position = rule, position
        super().__init__(f"gene rule '{_excerpt(rule, position)}': {reason} - {advice}")


@dataclass(frozen=True, slots=True)
class Node:
    """A gene, or an `and` / `or` over at least two children.

    Attributes
    ----------
    kind : str
        `gene`, `and` or `or`.
    gene : str
        The gene id of a leaf, else empty.
    children : tuple of Node
        Operands of an operator. Nested equal operators are merged, so `A and (B and C)` has three children.
    """

    kind: str
    gene: str = ""
    children: tuple[Node, ...] = ()

    def genes(self) -> tuple[str, ...]:
        """The distinct genes of the rule, sorted."""
        genes: set[str] = set()
        stack = [self]
        while stack:
            node = stack.pop()
            stack.extend(node.children)
            if node.gene:
                genes.add(node.gene)
        return tuple(sorted(genes))


def join(kind: str, children: Collection[Node]) -> Node:
    """A node with operator `kind`; children with the same operator are merged, and a single child is returned as is.

    Parameters
    ----------
    kind : str
        `and` or `or`.
    children : collection of Node
    """
    flat: list[Node] = []
    for child in children:
        flat.extend(child.children if child.kind == kind else (child,))
    return flat[0] if len(flat) == 1 else Node(kind, children=tuple(flat))


def parse(rule: str, vocabulary: Vocabulary | None = None) -> Node | None:
    """Parse a rule; `None` if it is blank.

    Parameters
    ----------
    vocabulary : Vocabulary, optional
        Decides about bars and commas within words; by default that of the rule itself.

    Raises
    ------
    GprError
        There is an unmatched parenthesis, a missing operator between genes, an operator without an operand, an empty
        pair of parentheses, or a word that cannot be a gene or may be several; the message gives the position.

    Examples
    --------
    >>> node = parse("b0001 and (b0002 or b0003)")
    >>> node.kind, node.genes()
    ('and', ('b0001', 'b0002', 'b0003'))
    >>> parse("b0001 and")
    Traceback (most recent call last):
    dglcell.readers.gpr.GprError: gene rule 'b0001 and': a gene was expected at its end - correct the rule
    """
    operands: list[Node] = []
    operators: list[tuple[str, int]] = []  # operators and "(" that are not applied yet, with their positions
    expects_operand = True
    end = len(rule.rstrip())
    for kind, text, position in _tokens(rule, vocabulary or Vocabulary.of([rule])):
        if kind == "gene" or text == "(":
            if not expects_operand:
                raise GprError(rule, position, f"'and' or 'or' was expected before '{text}' at position {position}")
            if text == "(":
                operators.append((text, position))
            else:
                operands.append(Node("gene", text))
                expects_operand = False
        elif expects_operand:
            raise GprError(rule, position, f"a gene was expected before '{text}' at position {position}")
        elif text == ")":
            _apply(operands, operators, 0)
            if not operators:
                raise GprError(rule, position, f"')' at position {position} has no matching '('")
            operators.pop()
        else:
            _apply(operands, operators, _PRECEDENCE[kind])
            operators.append((kind, position))
            expects_operand = True
    if expects_operand:
        if not operands and not operators:
            return None
        raise GprError(rule, end, "a gene was expected at its end")
    _apply(operands, operators, 0)
    if operators:
        position = operators[-1][1]
        raise GprError(rule, position, f"'(' at position {position} has no matching ')'")
    return operands[0]


def from_ast(body: ast.AST | None) -> Node | None:
    """The rule of a cobra reaction, `reaction.gpr.body`, as a tree; `None` if it is empty."""
    if isinstance(body, ast.BoolOp):
        kind = AND if isinstance(body.op, ast.And) else OR
        return join(kind, [child for child in map(from_ast, body.values) if child is not None])
    if body is None:
        return None
    if not isinstance(body, ast.Name):
        raise TypeError(f"{type(body).__name__} in a gene rule - genes, 'and' and 'or' were expected")
    return Node("gene", body.id)


def alternatives(node: Node | None, limit: int = DEFAULT_LIMIT) -> tuple[tuple[str, ...], ...]:
    """A rule in disjunctive normal form: one clause of genes for each isozyme alternative.

    Repeated genes in a clause and identical clauses are merged, but there is no absorption: `A or (A and B)` keeps both
    clauses.

    Parameters
    ----------
    node : Node, optional
        The rule; `None` has no alternatives.
    limit : int
        Largest number of alternatives. It is checked at every step of the expansion, so that a rule with billions of
        alternatives fails at once.

    Returns
    -------
    tuple of tuple of str
        Sorted clauses of sorted genes; empty for an empty rule.

    Raises
    ------
    GprError
        The rule has more than `limit` alternatives.

    Examples
    --------
    >>> alternatives(parse("(A and B) or C"))
    (('A', 'B'), ('C',))
    >>> alternatives(parse("A and (B or C)"))
    (('A', 'B'), ('A', 'C'))
    """
    if node is None:
        return ()
    genes = node.genes()
    bit = {gene: 1 << k for k, gene in enumerate(genes)}  # a clause is an integer with one bit per gene

    def check_limit(clauses: set[int]) -> set[int]:
        if len(clauses) > limit:
            raise GprError(
                to_text(node), 1, f"it has more than {limit} alternatives", f"raise {setting('max_alternatives')}"
            )
        return clauses

    def union(operands: list[set[int]]) -> set[int]:
        merged: set[int] = set()
        for operand in operands:
            check_limit(merged).update(operand)
        return check_limit(merged)

    def product(operands: list[set[int]]) -> set[int]:
        clauses = {0}
        for operand in operands:
            products: set[int] = set()
            for clause in clauses:
                check_limit(products).update([clause | factor for factor in operand])
            clauses = check_limit(products)
        return clauses

    clauses = fold(node, lambda gene: {bit[gene]}, product, union)
    return tuple(sorted(tuple(gene for gene in genes if clause & bit[gene]) for clause in clauses))


def is_met(node: Node | None, deleted: Collection[str]) -> bool:
    """Whether a rule holds without the deleted genes; a reaction without a rule needs no gene.

    Parameters
    ----------
    deleted : set of str

    Examples
    --------
    >>> rule = parse("(A and B) or C")
    >>> is_met(rule, {"A"}), is_met(rule, {"A", "C"})
    (True, False)
    """
    return node is None or fold(node, lambda gene: gene not in deleted, all, any)


def to_text(node: Node | None) -> str:
    """A tree as text, for people to read."""
    if node is None:
        return ""
    text = fold(
        node,
        lambda gene: gene,
        lambda operands: f"({' and '.join(operands)})",
        lambda operands: f"({' or '.join(operands)})",
    )
    return text[1:-1] if node.children else text


def _tokens(rule: str, vocabulary: Vocabulary) -> Iterator[tuple[str, str, int]]:
    """`(kind, text, position)`: kind is `gene`, `and`, `or` or the parenthesis itself."""
    for match in TOKEN.finditer(rule):
        parenthesis, symbol, word = match.groups()
        position = match.start(match.lastindex or 0) + 1
        if parenthesis:
            yield parenthesis, parenthesis, position
        elif symbol:
            yield _SYMBOLS[symbol], symbol, position
        elif word.lower() in _PRECEDENCE:
            yield word.lower(), word, position
        else:
            try:
                genes = vocabulary.genes_of(word)
            except WordError as error:
                at = position + error.offset
                raise GprError(rule, at, f"position {at}: {error}", error.advice) from error
            for number, gene in enumerate(genes):
                if number:
                    yield OR, "|", position
                yield "gene", gene, position


def _apply(operands: list[Node], operators: list[tuple[str, int]], precedence: int) -> None:
    """Apply the operators after the last `(` that have a higher precedence than `precedence`."""
    while operators and operators[-1][0] != "(" and _PRECEDENCE[operators[-1][0]] > precedence:
        kind = operators[-1][0]
        terms = [operands.pop()]
        while operators and operators[-1][0] == kind:  # A or B or C is one node
            operators.pop()
            terms.append(operands.pop())
        operands.append(join(kind, terms[::-1]))


def fold(
    node: Node, leaf: Callable[[str], T], conjunction: Callable[[list[T]], T], disjunction: Callable[[list[T]], T]
) -> T:
    """Evaluate the tree from the leaves up, without recursion, as rules may be nested deeper than Python allows."""
    nodes, stack = [], [node]
    while stack:
        node = stack.pop()
        nodes.append(node)
        stack.extend(node.children)
    values: list[T] = []
    for node in reversed(nodes):
        if node.kind == "gene":
            values.append(leaf(node.gene))
            continue
        operands = values[-len(node.children) :]  # the last values are those of the children
        del values[-len(node.children) :]
        values.append(conjunction(operands) if node.kind == AND else disjunction(operands))
    return values[0]


def _excerpt(rule: str, position: int) -> str:
    rule = " ".join(rule.split()) if "\n" in rule else rule
    if len(rule) <= _SHOWN:
        return rule
    start = max(0, min(position - _SHOWN // 2, len(rule) - _SHOWN))
    ending = ".." if start + _SHOWN < len(rule) else ""
    return f"{'..' if start else ''}{rule[start : start + _SHOWN]}{ending}"
