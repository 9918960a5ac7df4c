"""Every kind of split on random screens: the promise is kept or the screen refused, in any order of the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dglcell.errors import DglcellError
from dglcell.genotypes.splits.make import make_split
from dglcell.genotypes.splits.split import SUBSETS, Split, check_leakage
from tests.cells import tiny_cell
from tests.split_promises import table_of_triples, violations

GENES = 14
CELL = tiny_cell(genes=GENES)
KINDS = ("random", "kfold", "unseen-gene", "unseen-all", "query-pair")
GENOTYPE = st.tuples(
    st.lists(st.integers(0, GENES - 1), max_size=2, unique=True),
    st.lists(st.integers(0, GENES - 1), max_size=2, unique=True),
)
ROWS = st.lists(st.tuples(GENOTYPE, st.booleans()), min_size=1, max_size=60)
SEEDS = st.integers(0, 1000)
SETTINGS = settings(max_examples=80)


def table_of(rows):
    labels = np.full((len(rows), 4), np.nan)
    labels[[has for _, has in rows], 0] = 1.0
    return table_of_triples(CELL, [genes for genes, _ in rows], labels)


@pytest.mark.parametrize("kind", KINDS)
@given(rows=ROWS, seed=SEEDS, fraction=st.sampled_from([0.1, 0.25]))
@SETTINGS
def test_the_promise_is_kept_or_the_screen_is_refused(kind, rows, seed, fraction):
    table = table_of(rows)
    try:
        split = make_split(table, kind, seed=seed, test_fraction=fraction, val_fraction=fraction)
    except DglcellError as error:
        assert "\n" not in str(error) and " - " in str(error)
        return
    assert violations(table, split) == []
    assert all(table.usable()[split.rows(name)].any() for name in SUBSETS)
    assert sum(split.counts.values()) == len(table)


@pytest.mark.parametrize("kind", KINDS)
@given(rows=ROWS, seed=SEEDS)
@SETTINGS
def test_the_order_of_the_rows_does_not_matter(kind, rows, seed):
    table, order = table_of(rows), np.random.default_rng(seed).permutation(len(rows))
    outcomes = []
    for taken in (np.arange(len(rows)), order):
        try:
            outcomes.append(make_split(table.take(taken), kind, seed=seed).subset)
        except DglcellError as error:
            outcomes.append(str(error))
    if isinstance(outcomes[0], str):
        assert outcomes[1] == outcomes[0]
    else:
        assert outcomes[1].tolist() == outcomes[0][order].tolist()


@pytest.mark.parametrize("kind", KINDS)
@given(rows=ROWS, seed=SEEDS)
@SETTINGS
def test_the_leak_check_agrees_with_the_promise_on_any_parts(kind, rows, seed):
    table = table_of(rows)
    split = Split(np.random.default_rng(seed).integers(0, 4, table.num_genotypes).astype(np.int8), kind)
    split = Split(split.subset[table.genotype_keys()], kind)
    try:
        check_leakage(table, split)
        sound = True
    except DglcellError:
        sound = False
    assert sound == (violations(table, split) == [])
