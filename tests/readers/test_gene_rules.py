"""What rules mean: placeholders, compartments, and rules that cobra reads otherwise."""

from __future__ import annotations

import itertools

import pytest

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import gene_rules, gpr
from dglcell.readers.gene_rules import RuleText


def parsed(listed=(), **texts):
    problems = ErrorCollector()
    trees, num_unread = gene_rules.parse_texts(
        {name: RuleText(text, f"m.json: {name}") for name, text in texts.items()}, listed, problems
    )
    problems.check()
    return {name: gpr.to_text(tree) for name, tree in trees.items()}, num_unread


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("Unknown", ""),
        ("No gene", ""),
        ("n/a", ""),
        ("-", ""),
        ("A and Unknown", "A"),
        ("A or Unknown", ""),
        ("(A or SPONTANEOUS) and B", "B"),
        ("(A and orphan) or (B and gap)", "A or B"),
        ("A and (none or (B and C))", "A"),
        ("orphan2 and s0001 and GAPDH", "orphan2 and s0001 and GAPDH"),
        ("A and (B and Unassigned)", "A and B"),
    ],
)
def test_placeholders(rule, expected):
    """A rule with placeholders holds iff the rule holds in which each is a gene that is never deleted."""
    problems = ErrorCollector()
    trees, _ = gene_rules.parse_texts({"r": RuleText(rule, "m.xml:1")}, (), problems)
    problems.check()
    rules = gene_rules.settle(trees)
    tree = rules.trees.get("r")
    assert gpr.to_text(tree) == expected
    assert rules.genes == tuple(sorted(gene for gene in trees["r"].genes() if not gene_rules.is_placeholder(gene)))
    for n in range(4):
        for deleted in itertools.combinations(rules.genes, n):
            assert gpr.is_met(tree, set(deleted)) is gpr.is_met(trees["r"], set(deleted))


def test_placeholders_are_counted_with_examples():
    trees = {"p": gpr.parse("A and Unknown"), "q": gpr.parse("Unknown or GAP"), "r": gpr.parse("A")}
    rules = gene_rules.settle(trees, ["A", "Unknown"])
    assert rules.report == {
        "rules with placeholders, which are no genes": "2 (GAP, Unknown)",
        "reactions without a rule because of placeholders": 1,
    }
    assert rules.trees == {"p": gpr.parse("A"), "r": gpr.parse("A")}
    assert (rules.genes, rules.gene_of) == (("A",), {"A": "A"})


@pytest.mark.parametrize(
    ("gene", "listed", "expected"),
    [
        ("YAL038W_c", (), "YAL038W"),
        ("YAL038W_c", ("YAL038W_c",), "YAL038W_c"),
        ("YAL038W[c]", ("YAL038W[c]",), "YAL038W"),
        ("YAL038W[mito]", (), "YAL038W"),
        ("YAL038W_x", (), "YAL038W_x"),  # no compartment of the model
        ("gene_1", (), "gene_1"),  # `1` is a compartment, but no letter
        ("gene[1]", (), "gene[1]"),
        ("_c", (), "_c"),
    ],
)
def test_compartments(gene, listed, expected):
    rules = gene_rules.settle({"r": gpr.Node("gene", gene)}, listed, ["c", "m", "1"])
    assert rules.trees["r"] == gpr.Node("gene", expected)
    assert (rules.genes, rules.gene_of) == ((expected,), {gene: expected})


def test_rules_without_placeholders_and_compartments_are_the_same_objects():
    trees = {"r": gpr.parse("(A and B) or C")}
    assert gene_rules.settle(trees).trees["r"] is trees["r"]


def test_bars_are_understood_from_the_other_rules_of_the_model():
    texts = {"p": "b0001|b0002", "q": "b0001", "r": "b0002 and b0003"}
    assert parsed(**texts)[0]["p"] == "b0001 or b0002"
    with pytest.raises(DataError, match=r"m.json: p: reaction p: .*'b0001.b0002' may be one gene id or several genes"):
        parsed(p="b0001|b0002", q="b0001")
    assert parsed(["b0001|b0002"], **texts)[0]["p"] == "b0001|b0002"
    with pytest.raises(DataError, match="may be one gene id"):
        parsed(p="pfk|a1")
    assert parsed(p="pfk|a1", q="pfk|a2")[0] == {"p": "pfk|a1", "q": "pfk|a2"}
    with pytest.raises(DataError, match="may be one gene id"):
        parsed(p="pfk|a1", q="pfk|a2", r="pfk")
    assert parsed(p="sgd|YAL038W")[0]["p"] == "sgd|YAL038W"
    with pytest.raises(DataError, match="may be one gene id"):
        parsed(p="pfkA|b1723")


@pytest.mark.filterwarnings("ignore:Malformed gene_reaction_rule")
def test_rules_that_cobra_cannot_read_are_counted():
    rules, num_unread = parsed(p="a#1 and b", q="A[m] or B", r="a And b", s="A and B", t="A or B", u="", v=" ")
    assert (rules["p"], rules["q"], rules["r"]) == ("a#1 and b", "A[m] or B", "a and b")
    assert num_unread == 3
    assert "u" not in rules
    assert "v" not in rules


def test_a_rule_that_cobra_reads_otherwise_is_an_error():
    with pytest.raises(DataError, match=r"reaction p: .*'A and B . C' is read as '.A and B. or C' here, and as"):
        parsed(p="A and B | C")
    assert parsed(p="(A and B) | C")[0]["p"] == "(A and B) or C"


def test_all_malformed_rules_are_told_at_once_with_their_reason():
    with pytest.raises(DataError) as caught:
        parsed(p="(A and B", q="A;B", r="A B", s="A and", t="[A and B] or C", u="!A", v="A+B", w="A <= B")
    message = str(caught.value)
    assert "reaction p: gene rule '(A and B': '(' at position 1 has no matching ')'" in message
    assert "reaction q: gene rule 'A;B': position 2: ';' may mean 'and' or 'or' - write the one" in message
    assert "reaction r: gene rule 'A B': 'and' or 'or' was expected before 'B' at position 3" in message
    assert "reaction s: gene rule 'A and': a gene was expected at its end - correct the rule" in message
    assert "'[' is not allowed in a gene id - write parentheses around a part of a rule" in message
    assert "and 3 more" in message


@pytest.mark.parametrize(
    ("rules", "genes"),
    [
        ("A1_c or B1_m", ("A1", "B1")),
        ("A1_c or B1[m]", ("A1", "B1")),
        ("A1_c or B1_m or Unknown", ()),
        ("A1_c or B1_m or C1", ("A1", "B1_m", "C1")),
        ("A1_x or B1_m", ("A1_x", "B1_m")),
    ],
)
def test_suffixes_of_compartments_are_taken_off_all_genes_or_off_those_that_the_model_names(rules, genes):
    settled = gene_rules.settle({"R": gpr.parse(rules)}, (), ["c"])
    assert tuple(sorted(settled.trees["R"].genes() if "R" in settled.trees else ())) == genes
