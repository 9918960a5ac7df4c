"""A split that was tampered with does not pass, whatever its kind."""

from __future__ import annotations

import numpy as np
import pytest

from dglcell import schema
from dglcell.errors import DataError
from dglcell.genotypes.splits.make import make_split
from dglcell.genotypes.splits.split import Split, check_leakage
from tests.cells import tiny_cell
from tests.split_promises import table_of_triples, violations

CELL = tiny_cell(genes=40)


def a_screen():
    """Six double queries and their controls; the first rows are there twice."""
    rows = [((a, a + 1), (c,)) for a in range(0, 12, 2) for c in range(20, 40)]
    rows += [((a,), (c,)) for a in range(12) for c in range(20, 40)]
    return table_of_triples(CELL, rows + rows[:30])


@pytest.mark.parametrize("kind", [kind for kind in schema.SPLITS if kind != "file"])
def test_a_row_alone_in_another_part_is_found(kind):
    table = a_screen()
    split = make_split(table, kind)
    check_leakage(table, split)
    changed = split.subset.copy()
    changed[0] = (changed[0] + 1) % 4
    with pytest.raises(DataError, match="1 gene sets are in two subsets of the split"):
        check_leakage(table, Split(changed, kind))


@pytest.mark.parametrize("kind", ["unseen-gene", "unseen-all", "query-pair"])
@pytest.mark.parametrize(("taken", "given"), [("test", "train"), ("test", "val"), ("val", "train"), ("train", "test")])
def test_a_genotype_moved_whole_breaks_the_promise(kind, taken, given):
    table = a_screen()
    split = make_split(table, kind, test_fraction=0.2, val_fraction=0.2)
    keys, found = table.genotype_keys(), 0
    for key in np.unique(keys[split.rows(taken)])[:40]:
        changed = split.subset.copy()
        changed[keys == key] = ("train", "val", "test").index(given)
        bad = Split(changed, kind)
        if violations(table, bad):
            found += 1
            with pytest.raises(DataError, match=rf"the split leaks: \d+ rows? of \w+ ha.* again for split=.{kind}"):
                check_leakage(table, bad)
        else:
            check_leakage(table, bad)
    assert found


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("unseen-gene", "1 row of test has no gene that is new to train and val - split"),
        ("unseen-all", "1 row of test has a gene that is also in train and val - split"),
        (
            "query-pair",
            "2 rows of test have no double-mutant query that is new to train and val - split",
        ),
    ],
)
def test_what_leaks_is_counted_and_named(kind, message):
    table = table_of_triples(CELL, [((0, 1), (5,)), ((0, 1), (6,)), ((2, 3), (5,)), ((2,), (8,)), ((4,), (9,))])
    with pytest.raises(DataError, match=f"the split leaks: {message}"):
        check_leakage(table, Split(np.array([2, 0, 0, 1, 2], np.int8), kind))


@pytest.mark.parametrize("kind", ["unseen-gene", "unseen-all", "query-pair"])
def test_a_wild_type_in_test_hides_nothing(kind):
    table = table_of_triples(CELL, [((), ()), ((0, 1), (5,)), ((2, 3), (6,))])
    with pytest.raises(DataError, match="1 row of test"):
        check_leakage(table, Split(np.array([2, 0, 1], np.int8), kind))


def test_a_split_of_another_length_or_with_other_codes():
    table = a_screen()
    with pytest.raises(DataError, match=r"the split has 3 rows, the screen 390 - split the screen again"):
        check_leakage(table, Split(np.zeros(3, np.int8)))
    with pytest.raises(DataError, match="other than 0 to 3"):
        check_leakage(table, Split(np.full(len(table), 4, np.int8)))


@pytest.mark.parametrize("kind", ["unseen-gene", "unseen-all", "query-pair"])
def test_a_split_that_was_chosen_wrongly_is_not_handed_out(kind, monkeypatch):
    table = a_screen()
    by_chance = make_split(table, "random").subset
    monkeypatch.setattr("dglcell.genotypes.splits.make.hold_out", lambda *arguments: by_chance)
    with pytest.raises(DataError, match="the split leaks"):
        make_split(table, kind)
