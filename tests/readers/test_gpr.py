"""Gene rules against truth tables: the parser and the isozyme alternatives."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dglcell.errors import DataError
from dglcell.readers import gpr
from tests.work import lines_of

# Rule, and the same as a Python function of the genes present.
TRUTH = {
    "A": lambda p: "A" in p,
    "A and B": lambda p: {"A", "B"} <= p,
    "A or B": lambda p: bool({"A", "B"} & p),
    "A or B and C": lambda p: "A" in p or {"B", "C"} <= p,  # and binds tighter
    "A and B or C": lambda p: {"A", "B"} <= p or "C" in p,
    "(A or B) and C": lambda p: bool({"A", "B"} & p) and "C" in p,
    "(A and B) or (C and (D or E))": lambda p: {"A", "B"} <= p or ("C" in p and bool({"D", "E"} & p)),
    "((((A)))and(B))": lambda p: {"A", "B"} <= p,
    "A AND B Or C": lambda p: {"A", "B"} <= p or "C" in p,
    "A aNd (B oR C)": lambda p: "A" in p and bool({"B", "C"} & p),
    "A & B | C": lambda p: {"A", "B"} <= p or "C" in p,
    "A&&B||C": lambda p: {"A", "B"} <= p or "C" in p,
    "A and A": lambda p: "A" in p,
    "A or (A and B)": lambda p: "A" in p,
    "(A or B) and (A or C)": lambda p: "A" in p or {"B", "C"} <= p,
    " \tA\n and\r\nB ": lambda p: {"A", "B"} <= p,
    "((A or B) and (C or D)) and ((A or E) or (B and D))": lambda p: (
        bool({"A", "B"} & p) and bool({"C", "D"} & p) and (bool({"A", "E"} & p) or {"B", "D"} <= p)
    ),
}


@pytest.mark.parametrize("rule", TRUTH)
def test_truth_table(rule):
    clauses = [set(clause) for clause in gpr.alternatives(gpr.parse(rule))]
    for n in range(6):
        for knocked_out in itertools.combinations("ABCDE", n):
            present = set("ABCDE") - set(knocked_out)
            expected = TRUTH[rule](present)
            # A reaction survives iff one of its alternatives has all its genes.
            assert any(clause <= present for clause in clauses) is expected
            assert gpr.is_met(gpr.parse(rule), set(knocked_out)) is expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("", ()),
        (" \n ", ()),
        ("A", (("A",),)),
        ("B and A and B", (("A", "B"),)),
        ("(A and B) or (B and A)", (("A", "B"),)),
        ("A or (A and B)", (("A",), ("A", "B"))),  # not absorbed
        ("(A or B) and (A or C)", (("A",), ("A", "B"), ("A", "C"), ("B", "C"))),
        ("(A and B) or (C and (D or E))", (("A", "B"), ("C", "D"), ("C", "E"))),
        ("a or A", (("A",), ("a",))),  # ids keep their case
    ],
)
def test_alternatives(rule, expected):
    assert gpr.alternatives(gpr.parse(rule)) == expected


@pytest.mark.parametrize(
    "gene", ["YAL038W-A", "b0001", "10090.1", "HGNC:5", "STM_1.2", "and1", "ORF", "origin", "\u03b1-2"]
)
def test_ids_that_look_odd(gene):
    rule = gpr.parse(f"({gene} and X) or {gene}")
    assert gpr.alternatives(rule) == tuple(sorted([(gene,), tuple(sorted((gene, "X")))]))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("fig|1.16.peg.12 or fig|1.16.peg.3", (("fig|1.16.peg.12",), ("fig|1.16.peg.3",))),
        ("(fig|1.peg.1)and(GI|16128336|ref|NP_414885.1|)", (("GI|16128336|ref|NP_414885.1|", "fig|1.peg.1"),)),
        ("gi|2| or gi|3|", (("gi|2|",), ("gi|3|",))),
        ("eco|b0001 & C", (("C", "eco|b0001"),)),
        ("x|1 or X|2", (("X|2",), ("x|1",))),
        ("A |B", (("A",), ("B",))),
        ("A| B", (("A",), ("B",))),
        ("(A)|(B)", (("A",), ("B",))),
        ("A || B&C", (("A",), ("B", "C"))),
        ("A|B or A and B", (("A",), ("A", "B"), ("B",))),  # both are known as genes
        ("9167? or gene#1 or b-1' or lcl@2/3", (("9167?",), ("b-1'",), ("gene#1",), ("lcl@2/3",))),
        ("A[m] and B", (("A[m]", "B"),)),
    ],
)
def test_bars_and_odd_characters_within_ids(rule, expected):
    assert gpr.alternatives(gpr.parse(rule)) == expected


@pytest.mark.parametrize(
    ("rule", "position", "what"),
    [
        ("(A and B", 1, "has no matching"),
        ("(A and (B or C)", 1, "has no matching"),
        ("A and B)", 8, "has no matching"),
        ("A B", 3, "'and' or 'or' was expected before 'B'"),
        ("A (B)", 3, "'and' or 'or' was expected before '('"),
        ("A and", 5, "expected at its end"),
        ("A or  ", 4, "expected at its end"),
        ("and", 1, "a gene was expected before 'and'"),
        ("OR A", 1, "a gene was expected before 'OR'"),
        ("A and or B", 7, "a gene was expected before 'or'"),
        ("()", 2, "a gene was expected before ')'"),
        ("A or ()", 7, "a gene was expected before ')'"),
        ("A, B", 2, "',' may mean 'and' or 'or' - write the one that is meant"),
        ("A or B; C", 7, "';' may mean"),
        ("A+B", 2, "'+' may mean"),
        ("A|B", 2, "'A|B' may be one gene id or several genes - write white space around the bar if it means 'or'"),
        ("fig|1.peg.2|fig|1.peg.3", 4, "may be one gene id or several genes"),
        ("aceE|aceF", 5, "may be one gene id or several genes"),
        ("[A and B] or C", 1, "'[' is not allowed in a gene id - write parentheses"),
        ("A and B}", 8, "'}' is not allowed"),
        ("A < B", 3, "'<' is not allowed"),
        ("A and !B", 7, "a rule has no 'not'"),
        ("(", 1, "expected at its end"),
        ("A not B", 3, "'and' or 'or' was expected before 'not'"),
    ],
)
def test_malformed(rule, position, what):
    with pytest.raises(gpr.GprError, match="gene rule") as caught:
        gpr.parse(rule)
    assert isinstance(caught.value, DataError)
    assert caught.value.position == position
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_long_malformed_rule_is_shown_around_its_fault():
    rule = " or ".join(f"g{k}" for k in range(500)) + " and or " + " or ".join(f"h{k}" for k in range(500))
    with pytest.raises(gpr.GprError) as caught:
        gpr.parse(rule)
    assert "g499 and or h0" in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "rule",
    [
        " and ".join(f"(a{k} or b{k})" for k in range(40)),
        " or ".join(f"a{k}" for k in range(10_001)),
        f"({' or '.join(f'a{k}' for k in range(9000))}) and ({' or '.join(f'b{k}' for k in range(9000))})",
    ],
)
def test_too_many_alternatives_fail_at_once(rule):
    def refused():
        with pytest.raises(gpr.GprError, match="more than 10000 alternatives - raise max_alternatives"):
            gpr.alternatives(gpr.parse(rule))

    _, lines = lines_of(refused)
    assert lines < 2_000_000  # a few for each gene of the rule, none for the alternatives beyond the limit


def test_the_limit_is_inclusive():
    rule = "(a or b) and (c or d) and (e or f)"
    assert len(gpr.alternatives(gpr.parse(rule), 8)) == 8
    with pytest.raises(gpr.GprError, match="more than 7"):
        gpr.alternatives(gpr.parse(rule), 7)


def test_many_factors_over_few_genes_do_not_explode():
    assert gpr.alternatives(gpr.parse(" and ".join(["(A or B)"] * 200))) == (("A",), ("A", "B"), ("B",))


def test_deep_nesting_needs_no_recursion():
    assert gpr.alternatives(gpr.parse("(" * 20_000 + "A" + ")" * 20_000)) == (("A",),)
    rule = "A"
    for k in range(3000):
        rule = f"({rule} {'and' if k % 2 else 'or'} B{k})"
    assert f"({gpr.to_text(gpr.parse(rule))})" == rule


def test_an_empty_rule_has_no_tree():
    assert gpr.parse("") is None
    assert gpr.to_text(None) == ""
    assert gpr.alternatives(None) == ()
    assert gpr.is_met(None, {"A"})


genes = st.sampled_from(["A", "B", "C", "D", "E-1"])
trees = st.recursive(
    genes.map(lambda gene: gpr.Node("gene", gene)),
    lambda children: st.builds(
        gpr.join, st.sampled_from([gpr.AND, gpr.OR]), st.lists(children, min_size=2, max_size=3)
    ),
    max_leaves=10,
)


@given(trees, st.sets(genes))
def test_text_and_alternatives_of_any_tree(tree, knocked_out):
    text = gpr.to_text(tree)
    assert gpr.parse(text) == tree
    assert gpr.parse(text.upper()) == gpr.parse(text)

    def holds(node):  # a restatement by recursion
        if node.kind == "gene":
            return node.gene not in knocked_out
        return (all if node.kind == gpr.AND else any)(holds(child) for child in node.children)

    clauses = gpr.alternatives(tree)
    assert clauses == tuple(sorted({tuple(sorted(set(clause))) for clause in clauses}))
    assert any(not knocked_out & set(clause) for clause in clauses) is holds(tree)
    assert gpr.is_met(tree, knocked_out) is holds(tree)


@given(trees, st.randoms(use_true_random=False))
def test_operators_in_every_spelling(tree, random):
    def spelt(node):
        if node.kind == "gene":
            return random.choice([node.gene, f"({node.gene})", f" {node.gene}\t"])
        spellings = ["{} and {}", "{}  AND\n{}", "{}&{}", "{} &&{}"] if node.kind == gpr.AND else None
        text, *others = map(spelt, node.children)
        for other in others:
            text = random.choice(spellings or ["{} or {}", "{}\nOr {}", "{}||{}", "{} | {}"]).format(text, other)
        return f"({text})"

    assert gpr.alternatives(gpr.parse(spelt(tree))) == gpr.alternatives(tree)


@given(st.text(alphabet="AB ()&|andor,", max_size=25))
def test_any_text_parses_or_says_why(text):
    try:
        node = gpr.parse(text)
    except gpr.GprError as error:
        assert 0 <= error.position <= len(text)
    else:
        assert gpr.parse(gpr.to_text(node)) == node
