"""Gene rules: `(A and B) or C` -> tree, truth value, isozyme alternatives.

Owns the grammar and nothing else: it knows no reactions and no files. Written for this project because cobra reads a
malformed rule as an empty one, which means "always on".

Grammar: `and`, `or` in any case, `&`, `&&`, `|`, `||`, parentheses; `and` binds tighter than `or`. Everything else
without white space is a gene id, so ids may hold `-`, `.`, `_`, `:` and start with a digit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from dglcell.errors import DataError

AND: Final = "and"
OR: Final = "or"
_TOKEN = re.compile(r"\s*(?:([()])|(&&?|\|\|?)|([^\s()&|,;]+)|(\S))")
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
        The rule as given.
    position : int
        1-based character at which it stops making sense.
    """

    def __init__(self, rule: str, position: int, reason: str) -> None:
        self.rule, self.position = rule, position
        super().__init__(f"gene rule '{_excerpt(rule, position)}': {reason}")


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
        Operands of an operator, never of the operator's own kind, so `A and (B and C)` is flat.
    """

    kind: str
    gene: str = ""
    children: tuple[Node, ...] = ()

    def genes(self) -> tuple[str, ...]:
        """Every gene of the rule once, sorted."""
        found: set[str] = set()
        stack = [self]
        while stack:
            node = stack.pop()
            stack.extend(node.children)
            if node.gene:
                found.add(node.gene)
        return tuple(sorted(found))


def join(kind: str, children: Collection[Node]) -> Node:
    """`children` under one operator: the same operator below is merged in, a single child stands for itself."""
    flat: list[Node] = []
    for child in children:
        flat.extend(child.children if child.kind == kind else (child,))
    return flat[0] if len(flat) == 1 else Node(kind, children=tuple(flat))


def parse(rule: str) -> Node | None:
    """Read a rule; `None` when it is blank.

    Raises
    ------
    GprError
        A parenthesis without partner, two genes with no operator between them, an operator without an operand,
        empty parentheses, or a character that no rule holds; with its position.
    """
    operands: list[Node] = []
    pending: list[tuple[str, int]] = []  # operators and "(" not yet applied, each with its position
    want_operand = True
    end = len(rule.rstrip())
    for kind, text, position in _tokens(rule):
        if kind == "gene" or text == "(":
            if not want_operand:
                raise GprError(rule, position, f"'and' or 'or' was expected before '{text}' at position {position}")
            if text == "(":
                pending.append((text, position))
            else:
                operands.append(Node("gene", text))
                want_operand = False
        elif want_operand:
            raise GprError(rule, position, f"a gene was expected before '{text}' at position {position}")
        elif text == ")":
            _apply(operands, pending, 0)
            if not pending:
                raise GprError(rule, position, f"')' at position {position} closes nothing")
            pending.pop()
        else:
            _apply(operands, pending, _PRECEDENCE[kind])
            pending.append((kind, position))
            want_operand = True
    if want_operand:
        if not operands and not pending:
            return None
        raise GprError(rule, end, f"it ends at position {end} where a gene was expected")
    _apply(operands, pending, 0)
    if pending:
        position = pending[-1][1]
        raise GprError(rule, position, f"'(' at position {position} is never closed")
    return operands[0]


def evaluate(node: Node | None, knocked_out: Collection[str]) -> bool:
    """Whether the rule still holds without the genes `knocked_out`; an empty rule always does."""
    if node is None:
        return True
    out = set(knocked_out)
    return _fold(node, lambda gene: gene not in out, lambda values: all(values), lambda values: any(values))


def alternatives(rule: str | Node | None, limit: int = DEFAULT_LIMIT) -> tuple[tuple[str, ...], ...]:
    """The rule in disjunctive normal form: one clause of genes for each isozyme alternative.

    Genes repeated in a clause and identical clauses merge; nothing is absorbed: `A or (A and B)` keeps both.

    Parameters
    ----------
    limit : int
        Most alternatives, counted at every step of the expansion, so that a rule with billions fails at once.

    Returns
    -------
    tuple of tuple of str
        Sorted clauses of sorted genes; empty for an empty rule.

    Raises
    ------
    GprError
        The rule is malformed, or has more than `limit` alternatives.
    """
    node = parse(rule) if isinstance(rule, str) else rule
    if node is None:
        return ()
    genes = node.genes()
    bit = {gene: 1 << k for k, gene in enumerate(genes)}  # a clause is an integer with one bit a gene

    def checked(clauses: set[int]) -> set[int]:
        if len(clauses) > limit:
            text = rule if isinstance(rule, str) else to_text(node)
            raise GprError(text, 1, f"it has more than {limit} alternatives - raise --max-alternatives")
        return clauses

    def union(parts: list[set[int]]) -> set[int]:
        merged: set[int] = set()
        for part in parts:
            checked(merged).update(part)
        return checked(merged)

    def product(parts: list[set[int]]) -> set[int]:
        clauses = {0}
        for part in parts:
            grown: set[int] = set()
            for clause in clauses:
                checked(grown).update([clause | other for other in part])
            clauses = checked(grown)
        return clauses

    clauses = _fold(node, lambda gene: {bit[gene]}, product, union)
    return tuple(sorted(tuple(gene for gene in genes if clause & bit[gene]) for clause in clauses))


def to_text(node: Node | None) -> str:
    """A tree as rule text that `parse` reads back to the same tree."""
    if node is None:
        return ""
    text = _fold(
        node,
        lambda gene: gene,
        lambda parts: f"({' and '.join(parts)})",
        lambda parts: f"({' or '.join(parts)})",
    )
    return text[1:-1] if node.children else text


def _tokens(rule: str) -> Iterator[tuple[str, str, int]]:
    """`(kind, text, position)`: kind is `gene`, `and`, `or` or the parenthesis itself."""
    for match in _TOKEN.finditer(rule):
        parenthesis, symbol, word, other = match.groups()
        position = match.start(match.lastindex or 0) + 1
        if other:
            raise GprError(rule, position, f"'{other}' at position {position} has no meaning in a gene rule")
        if parenthesis:
            yield parenthesis, parenthesis, position
        elif symbol:
            yield _SYMBOLS[symbol], symbol, position
        else:
            yield (word.lower() if word.lower() in _PRECEDENCE else "gene"), word, position


def _apply(operands: list[Node], pending: list[tuple[str, int]], precedence: int) -> None:
    """Apply pending operators back to the last `(`, as long as they bind tighter than `precedence`."""
    while pending and pending[-1][0] != "(" and _PRECEDENCE[pending[-1][0]] > precedence:
        kind = pending[-1][0]
        run = [operands.pop()]
        while pending and pending[-1][0] == kind:  # a whole run at once: A or B or C is one node
            pending.pop()
            run.append(operands.pop())
        operands.append(join(kind, run[::-1]))


def _fold(node: Node, leaf: Callable[[str], T], both: Callable[[list[T]], T], either: Callable[[list[T]], T]) -> T:
    """Bottom-up over the tree without recursion, which a deeply nested rule would exhaust."""
    order, stack = [], [node]
    while stack:
        node = stack.pop()
        order.append(node)
        stack.extend(node.children)
    values: list[T] = []
    for node in reversed(order):
        if node.kind == "gene":
            values.append(leaf(node.gene))
            continue
        parts = values[-len(node.children) :]  # the children came right before their parent, in order
        del values[-len(node.children) :]
        values.append(both(parts) if node.kind == AND else either(parts))
    return values[0]


def _excerpt(rule: str, position: int) -> str:
    rule = " ".join(rule.split()) if "\n" in rule else rule
    if len(rule) <= _SHOWN:
        return rule
    start = max(0, min(position - _SHOWN // 2, len(rule) - _SHOWN))
    tail = ".." if start + _SHOWN < len(rule) else ""
    return f"{'..' if start else ''}{rule[start : start + _SHOWN]}{tail}"
