"""Splits that hide genes or double-mutant queries: promise, size, and screens that are small or odd."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dglcell import schema
from dglcell.errors import DataError, UsageError
from dglcell.genotypes.splits.make import make_split
from dglcell.genotypes.splits.split import SUBSETS
from dglcell.genotypes.table import GenotypeTable
from tests.cells import tiny_cell
from tests.split_promises import genotypes_of, table_of_triples, violations

HIDING = ("unseen-gene", "unseen-all", "query-pair")
CELL = tiny_cell(genes=60)


def pairs(n=600, genes=60, seed=0):
    rng = np.random.default_rng(seed)
    every = rng.permutation(list(itertools.combinations(range(genes), 2)))[:n]
    return GenotypeTable.of(CELL, every.reshape(-1), np.arange(n + 1) * 2, np.ones((n, 4)))


def triples(queries=12, arrays=30, seed=0):
    """A trigenic screen: each double query and its two controls against the arrays, and all single mutants."""
    rng = np.random.default_rng(seed)
    genes = rng.permutation(60)
    rows = [((), (int(g),)) for g in genes]
    for a, b in genes[: 2 * queries].reshape(-1, 2).tolist():
        for c in genes[2 * queries :][:arrays].tolist():
            rows += [((a, b), (c,)), ((a,), (c,)), ((b,), (c,))]
    return table_of_triples(CELL, rows)


def screen(kind, seed=0):
    return triples(seed=seed) if kind == "query-pair" else pairs(seed=seed)


@pytest.mark.parametrize("kind", HIDING)
@pytest.mark.parametrize("seed", range(3))
def test_the_promise_is_kept(kind, seed):
    table = screen(kind)
    split = make_split(table, kind, seed=seed)
    assert split.kind == kind and violations(table, split) == []
    assert all(split.counts[name] for name in SUBSETS)
    assert (split.counts["unused"] > 0) == (kind == "unseen-all")


@pytest.mark.parametrize("kind", HIDING)
def test_the_seed_decides_and_the_order_of_the_rows_does_not(kind):
    table = screen(kind)
    hashes = [make_split(table, kind, seed=seed).hash for seed in (0, 1, 2, 0)]
    assert hashes[0] == hashes[3] and len(set(hashes)) > 1
    order = np.random.default_rng(1).permutation(len(table))
    twice = np.concatenate([order, order[:100]])
    assert make_split(table.take(twice), kind).subset.tolist() == make_split(table, kind).subset[twice].tolist()


@pytest.mark.parametrize(("test", "val"), [(0.1, 0.1), (0.2, 0.05), (0.05, 0.3)])
def test_parts_have_the_sizes_asked_for(test, val):
    table = pairs(1500)
    for kind in ("unseen-gene", "unseen-all"):
        counts = make_split(table, kind, test_fraction=test, val_fraction=val).counts
        used = sum(counts[name] for name in SUBSETS)
        assert counts["test"] / used == pytest.approx(test, abs=0.02), kind
        assert counts["val"] / used == pytest.approx(val, abs=0.02), kind
        assert used == len(table) - counts["unused"]


def test_sizes_count_the_labelled_gene_sets():
    table = pairs(1000)
    table.labels[200:] = np.nan
    part = make_split(table, "unseen-gene", test_fraction=0.2).subset[:200]
    assert np.mean(part == 2) == pytest.approx(0.2, abs=0.02)
    assert np.mean(part == 1) == pytest.approx(0.1, abs=0.02)


def test_unseen_all_leaves_out_no_more_than_the_rows_between_parts():
    table = pairs(1500)
    split = make_split(table, "unseen-all")
    genes = {name: set(table.take(split.rows(name)).genes.tolist()) for name in SUBSETS}
    for genotype, part in zip(genotypes_of(table), split.subset.tolist(), strict=True):
        assert (part == 3) == (not any(genotype <= own for own in genes.values()))
    assert split.counts["unused"] < 0.65 * len(table)


def test_a_single_deletion_of_a_hidden_gene_is_hidden_too():
    rows = [*itertools.combinations(range(20), 2), *((g,) for g in range(20)), ()]
    table = GenotypeTable.of(CELL, *CELL.indices(rows), np.ones((len(rows), 4)))
    split = make_split(table, "unseen-gene")
    test = set(table.take(split.rows("test")).genes.tolist()) - set(table.take(split.rows("train")).genes.tolist())
    assert 0 < len(test) < 20
    for gene in test:
        assert split.subset[rows.index((gene,))] > 0
    assert split.subset[-1] == 0  # the wild type has nothing to hide


def test_a_query_in_another_place_is_hidden_too():
    """{1, 2} as a control's pair, as a double mutant, and within other triples, goes where the query goes."""
    rows = [((a, a + 1), (c,)) for a in range(1, 13, 2) for c in range(20, 30)]
    rows += [((a,), (a + 1,)) for a in range(1, 13, 2)] + [((), (a, a + 1)) for a in range(1, 13, 2)]
    rows += [((40, 41), (a,)) for a in range(1, 13)] + [((a,), (c,)) for a in range(1, 13) for c in range(20, 30)]
    table = table_of_triples(CELL, rows)
    split = make_split(table, "query-pair", test_fraction=0.2, val_fraction=0.2)
    assert violations(table, split) == []
    holding = 0
    for genotype, part in zip(genotypes_of(table), split.subset.tolist(), strict=True):
        held = [a for a in range(1, 13, 2) if {a, a + 1} <= genotype]
        if held:
            holding += 1
            assert part == split.subset[rows.index(((held[0], held[0] + 1), (20,)))]
    assert holding == 6 * 12
    assert (split.subset[-120:] == 0).all()  # controls, of hidden queries too


def test_a_gene_of_more_rows_than_a_part_may_have_stays_in_training():
    rows = [(0, g) for g in range(1, 51)]
    table = GenotypeTable.of(CELL, *CELL.indices(rows), np.ones((50, 4)))
    split = make_split(table, "unseen-gene")
    assert split.counts == {"train": 40, "val": 5, "test": 5, "unused": 0}


def disjoint(order, n):
    return [((), tuple(range(order * k, order * k + order))) for k in range(n)]


SCREENS = {
    "only single deletions": disjoint(1, 20),
    "only triples": disjoint(3, 20),
    "ten rows": disjoint(2, 10),
    "three rows": disjoint(2, 3),
    "two rows": disjoint(2, 2),
    "one row": disjoint(2, 1),
    "one genotype": disjoint(2, 1) * 10,
    "one gene everywhere": [((), (0, g)) for g in range(1, 21)],
    "wild types": [((), ())] * 5,
    "three queries": [((a, a + 1), (c,)) for a in (0, 2, 4) for c in range(10, 15)],
    "two queries": [((a, a + 1), (c,)) for a in (0, 2) for c in range(10, 15)],
    "a query everywhere": [((0, 1), (c,)) for c in range(10, 20)],
    "every order": [*disjoint(1, 9), *disjoint(2, 9), *disjoint(3, 9), ((), ())],
}
NO_QUERY = "no row of the screen comes from a double-mutant query"
NO_PARTS = "give no test, validation and training subset.* - give "
EMPTY = (
    r"leaves the subset (train|val|test) without a labeled row \(\d+ gene sets\) - "
    r"(change the split|raise \1_fraction) or give more rows"
)
REFUSED = {
    ("three rows", "random"): EMPTY,
    ("three rows", "kfold"): EMPTY,
    ("two rows", "random"): EMPTY,
    ("two rows", "kfold"): EMPTY,
    ("two rows", "unseen-gene"): NO_PARTS,
    ("two rows", "unseen-all"): NO_PARTS,
    ("one row", "random"): EMPTY,
    ("one row", "kfold"): EMPTY,
    ("one row", "unseen-gene"): NO_PARTS,
    ("one row", "unseen-all"): NO_PARTS,
    ("one genotype", "random"): EMPTY,
    ("one genotype", "kfold"): EMPTY,
    ("one genotype", "unseen-gene"): NO_PARTS,
    ("one genotype", "unseen-all"): NO_PARTS,
    ("one gene everywhere", "unseen-all"): r"G000 is in 20 of them - give more rows, or use split=\"unseen-gene\"",
    ("wild types", "random"): EMPTY,
    ("wild types", "kfold"): EMPTY,
    ("wild types", "unseen-gene"): NO_PARTS,
    ("wild types", "unseen-all"): NO_PARTS,
    ("two queries", "unseen-all"): NO_PARTS,
    ("two queries", "query-pair"): "2 double-mutant queries in 10 labeled genotypes " + NO_PARTS,
    ("a query everywhere", "unseen-all"): NO_PARTS,
    ("a query everywhere", "query-pair"): "1 double-mutant queries in 10 labeled genotypes " + NO_PARTS,
    **{
        (name, "query-pair"): NO_QUERY
        for name in SCREENS
        if name not in ("three queries", "two queries", "a query everywhere")
    },
}


@pytest.mark.parametrize("kind", [kind for kind in schema.SPLITS if kind != "file"])
@pytest.mark.parametrize("name", SCREENS)
def test_small_and_odd_screens_give_a_sound_split_or_say_why_not(name, kind):
    table = table_of_triples(CELL, SCREENS[name])
    for seed in range(3):
        if (name, kind) in REFUSED:
            with pytest.raises(UsageError, match=REFUSED[name, kind]) as error:
                make_split(table, kind, seed=seed)
            assert "\n" not in str(error.value)
            continue
        split = make_split(table, kind, seed=seed)
        assert violations(table, split) == [] and all(split.counts[part] for part in SUBSETS)


@pytest.mark.parametrize("kind", [kind for kind in schema.SPLITS if kind != "file"])
def test_screens_with_few_labels_or_none(kind):
    table = screen(kind)
    labelled = np.random.default_rng(0).permutation(len(table))[: len(table) // 20]
    sparse = np.full((len(table), 4), np.nan, np.float32)
    sparse[labelled, 0] = 1.0
    few = table_with(table, sparse)
    split = make_split(few, kind)
    assert violations(few, split) == []
    assert all(few.usable()[split.rows(part)].any() for part in SUBSETS)
    with pytest.raises(
        DataError, match=r"no row of the screen has a fitness or an interaction \(\d+ rows\) - at least one"
    ):
        make_split(table_with(table, np.full((len(table), 4), np.nan)), kind)


def table_with(table, labels):
    return GenotypeTable.of(CELL, table.genes, table.ptr, labels, query=table.query)


@pytest.mark.parametrize("kind", HIDING)
@pytest.mark.parametrize("name", ["test", "val"])
def test_a_part_of_size_zero_is_refused(kind, name):
    with pytest.raises(UsageError, match=rf'{name}_fraction 0.0 with split="{kind}" - a fraction above 0'):
        make_split(screen(kind), kind, **{f"{name}_fraction": 0.0})


def test_a_large_screen_is_cut_as_a_small_one_is(monkeypatch):
    """With too many genes to try every cut the best is found by bisection."""
    table = pairs(1500)
    every = make_split(table, "unseen-all").counts
    monkeypatch.setattr("dglcell.genotypes.splits.gene_disjoint._EXHAUSTIVE_LIMIT", 0)
    some = make_split(table, "unseen-all").counts
    used = [sum(counts[name] for name in SUBSETS) for counts in (every, some)]
    for name in SUBSETS:
        assert some[name] / used[1] == pytest.approx(every[name] / used[0], abs=0.02)


def test_genotypes_without_a_common_gene_are_all_used():
    """Genes dealt one by one would hardly ever leave a triple whole."""
    table = table_of_triples(CELL, disjoint(3, 20))
    for seed in range(3):
        counts = make_split(table, "unseen-all", seed=seed).counts
        assert counts == {"train": 16, "val": 2, "test": 2, "unused": 0}
