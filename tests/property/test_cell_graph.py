"""Properties of the cell graph on random small cells that are built from files."""

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dglcell import schema
from dglcell.genotypes.splits.make import make_split
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.build import build
from dglcell.io.cell_file import load, save
from dglcell.readers.features import read_features
from dglcell.readers.genes import read_genes
from dglcell.readers.networks import read_network
from tests.cells import random_genotypes, tiny_cell
from tests.records import toy_model

GENES = [f"Y{i}W" for i in range(1, 10)]  # Y9W stays out of every network and rule
CONNECTED = GENES[:-1]
gene = st.sampled_from(CONNECTED)
pairs = st.lists(st.tuples(gene, gene), min_size=1, max_size=25)
signed = st.lists(st.tuples(gene, gene, st.sampled_from("+-")), min_size=1, max_size=25)
rule = st.recursive(
    gene, lambda r: st.builds("({} {} {})".format, r, st.sampled_from(["and", "OR", "or"]), r), max_leaves=5
)
reactions = st.lists(
    st.tuples(
        st.sampled_from([(-1.0, 1.0), (0.0, 1.0), (-1.0, 0.0), (0.0, 0.0)]),
        st.dictionaries(st.sampled_from(["m1", "m2", "m3", "m4"]), st.sampled_from([-2.0, -1.0, 0.5, 1.0]), min_size=1),
        st.one_of(rule, st.just("")),
    ),
    max_size=5,
)
features = st.dictionaries(st.sampled_from(GENES[1:]), st.floats(-2, 2, width=16), min_size=1)  # Y1W never has a row


@dataclasses.dataclass
class Inputs:
    """Rows of the files of one cell."""

    genes: list[str]
    physical: list[str]
    regulatory: list[str]
    reactions: list[tuple]
    features: list[str]

    def shuffled(self, seed):
        rng = np.random.default_rng(seed)
        return Inputs(*([rows[k] for k in rng.permutation(len(rows))] for rows in dataclasses.astuple(self)))

    def build(self, keep_unassigned=True):
        with tempfile.TemporaryDirectory() as folder:
            files = {name: Path(folder) / name for name in ("genes", "physical", "regulatory", "features")}
            for name, path in files.items():
                path.write_text("\n".join(getattr(self, name)) + "\n")
            return build(
                toy_model(self.reactions, CONNECTED),
                read_genes(files["genes"]),
                [read_network(files["physical"], "physical")],
                [read_network(files["regulatory"], "regulatory")],
                features=read_features(files["features"]),
                keep_unassigned=keep_unassigned,
                allow_empty=True,  # a network may hold self-edges only, and a model no gene rule
            )


inputs = st.builds(
    lambda physical, regulatory, reactions, features: Inputs(
        list(GENES),
        [f"{a}\t{b}" for a, b in physical],
        [f"{a}\t{b}\t{s}" for a, b, s in regulatory],
        [(f"r{k}", *bounds, parts, text) for k, (bounds, parts, text) in enumerate(reactions)],
        [f"{g}\t{x}" for g, x in features.items()],
    ),
    pairs,
    signed,
    reactions,
    features,
)
few = settings(max_examples=30)


@few
@given(inputs, st.integers(0, 99))
def test_the_order_of_the_rows_in_the_files_does_not_matter(given_rows, seed):
    cell, other = given_rows.build(), given_rows.shuffled(seed).build()
    assert other.fingerprints == cell.fingerprints
    other.require_equal(cell)
    assert other.ids == cell.ids
    for name, relation in cell.relations.items():
        assert other.relations[name].src.tolist() == relation.src.tolist()
        assert other.relations[name].dst.tolist() == relation.dst.tolist()


@few
@given(inputs)
def test_duplicate_edges_merge(given_rows):
    twice = dataclasses.replace(
        given_rows, physical=given_rows.physical * 2, regulatory=given_rows.regulatory + given_rows.regulatory[:1]
    )
    turned = [f"{b}\t{a}" for a, b in (line.split("\t") for line in given_rows.physical)]
    cell = given_rows.build()
    assert twice.build().fingerprints == cell.fingerprints
    assert dataclasses.replace(given_rows, physical=turned).build().fingerprints == cell.fingerprints


@few
@given(inputs)
def test_edge_counts_are_those_of_the_sets(given_rows):
    cell = given_rows.build()
    contacts = {frozenset(line.split("\t")) for line in given_rows.physical}
    distinct = sum(len(pair) == 2 for pair in contacts)
    arcs = {tuple(line.split("\t")[:2]) for line in given_rows.regulatory}
    arcs = {(a, b) for a, b in arcs if a != b}
    info = cell.info()
    assert info["pairs"] == {schema.PHYSICAL: distinct, schema.REGULATORY: len(arcs)}
    assert info["edges"][schema.PHYSICAL] == 2 * distinct + len(GENES)
    assert info["edges"][schema.REGULATORY] == len(arcs) + len(GENES)


@few
@given(inputs)
def test_an_isolated_gene_takes_only_its_loops_and_a_gene_without_features_is_marked(given_rows):
    cell = given_rows.build()
    masks = cell.masks([("Y9W",)])
    assert sum(int(mask.sum()) for mask in masks.edges.values()) == 2
    assert sum(int(mask.sum()) for mask in masks.nodes.values()) == 1
    listed = {line.split("\t")[0] for line in given_rows.features}
    assert {g for g, has in zip(cell.ids["gene"], cell.has_features, strict=True) if has} == listed
    assert not cell.features[~cell.has_features].any()
    assert not cell.has_features[0]


@few
@given(inputs, st.lists(st.lists(st.sampled_from(GENES), max_size=4), min_size=1, max_size=6))
def test_a_reaction_survives_iff_its_rule_does(given_rows, genotypes):
    """The whole reaction, over all its alternatives: rule text evaluated by Python itself."""
    cell = given_rows.build()
    lost = cell.knock_out(*cell.indices(genotypes))
    for b, genotype in enumerate(genotypes):
        gone = {cell.group_names[g] for g in lost.groups[lost.group_ptr[b] : lost.group_ptr[b + 1]]}
        present = {g: g not in genotype for g in GENES}
        for name, _, _, _, text in given_rows.reactions:
            holds = not text or eval(text.replace("OR", "or"), {}, present)
            assert (name in gone) == (not holds), (text, genotype)


@few
@given(inputs)
def test_an_empty_relation_works(given_rows):
    cell = given_rows.build()
    bare = build(genes=read_genes_from(GENES), self_loops=False)
    assert bare.relations[schema.PHYSICAL].num_edges == 0
    assert bare.masks([("Y1W",), ()]).edges[schema.PHYSICAL].shape == (2, 0)
    assert bare.fingerprints["ids"] != cell.fingerprints["ids"] or not cell.ids["metabolite"]


@few
@given(st.integers(0, 10_000), st.integers(0, 4), st.booleans(), st.booleans())
def test_a_stored_cell_is_the_same_cell(seed, width, loops, regulatory):
    cell = tiny_cell(seed, features=width, self_loops=loops, regulatory=regulatory)
    with tempfile.TemporaryDirectory() as folder:
        save(cell, Path(folder) / "cell.h5")
        load(Path(folder) / "cell.h5").require_equal(cell)


@few
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_masks_do_not_depend_on_the_order_of_genes_or_genotypes(seed, n):
    cell = tiny_cell(seed, reactions=9)
    rng = np.random.default_rng(seed)
    genotypes = random_genotypes(cell, n, seed=seed)
    order = rng.permutation(n)
    masks = cell.masks(genotypes)
    other = cell.masks([list(rng.permutation(genotypes[k])) for k in order])
    for key, mask in masks.nodes.items():
        assert (mask[order] == other.nodes[key]).all()
    for key, mask in masks.edges.items():
        assert (mask[order] == other.edges[key]).all()


@few
@given(st.integers(0, 10_000), st.integers(30, 80))
def test_a_split_never_leaks_and_ignores_row_order(seed, n):
    cell = tiny_cell()
    table = GenotypeTable.of(cell, *cell.indices(random_genotypes(cell, n, 3, seed)), np.ones((n, 4)))
    split = make_split(table, seed=seed, test_fraction=0.2, val_fraction=0.2)
    keys = table.genotype_keys()
    parts = [set(keys[split.rows(name)].tolist()) for name in ("train", "val", "test")]
    assert sum(map(len, parts)) == table.num_genotypes
    order = np.random.default_rng(seed).permutation(n)
    again = make_split(table.take(order), seed=seed, test_fraction=0.2, val_fraction=0.2)
    assert again.subset.tolist() == split.subset[order].tolist()


def read_genes_from(ids):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "genes"
        path.write_text("\n".join(ids) + "\n")
        return read_genes(path)
