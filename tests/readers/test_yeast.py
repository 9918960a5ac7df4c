"""The public yeast files: what they hold, and how much work it is to read them."""

from __future__ import annotations

import functools
import gzip

import numpy as np
import pytest

from dglcell.errors import DataError
from dglcell.readers import genes, gpr, models, networks
from dglcell.readers.annotation_networks import read_overlaps
from dglcell.readers.edge_table import KINDS, PHYSICAL
from dglcell.readers.screens import read
from tests.work import lines_of

read_physical = functools.partial(networks.read_network, kind=PHYSICAL)
# At most so many lines of Python for a row of the file: what makes a long file slow, on any machine.
LINES = {
    "genes": (genes.read_genes, "SGD_features.tab.gz", 60),
    "biogrid": (read_physical, "biogrid_physical.tsv.gz", 25),
    "string": (read_physical, "4932.protein.actions.v11.0.txt.gz", 12),
    "costanzo": (read.read_screen, "sgadata_costanzo2009_intermediateCutoff_101120.txt.gz", 2),
}


@pytest.mark.parametrize("name", LINES)
def test_a_row_takes_a_few_lines_of_python(yeast, name):
    reader, file, limit = LINES[name]
    with gzip.open(yeast / file, "rt") as rows:
        length = sum(1 for _ in rows)
    _, lines = lines_of(lambda: reader(yeast / file))
    assert lines < limit * length


def test_a_reaction_takes_a_few_hundred_lines_of_python():
    model, lines = lines_of(lambda: models.read_model(models.textbook_path()))
    assert lines < 400 * len(model.reactions)


def test_model_counts(yeast_files):
    model = yeast_files.model
    assert (len(model.reactions), len(model.metabolites), len(model.genes)) == (4131, 2806, 1161)
    assert set(model.genes) <= set(yeast_files.genes.ids)


def test_rules_and_directions_expand_to_the_known_numbers(yeast_files):
    assigned = spontaneous = links = incidences = 0
    metabolites: set[str] = set()
    for reaction in yeast_files.model.reactions:
        directions = 2 if reaction.lower < 0 < reaction.upper else 1
        clauses = gpr.alternatives(reaction.rule)
        assigned += directions * len(clauses)
        links += directions * sum(map(len, clauses))
        incidences += directions * len(clauses) * len(reaction.stoichiometry)
        if clauses:
            metabolites |= reaction.stoichiometry.keys()
        else:
            spontaneous += directions
    assert (assigned, assigned + spontaneous) == (4881, 7122)
    assert (len(metabolites), incidences, links) == (2534, 20960, 5450)


def test_genes_and_names(yeast_files):
    assert len(yeast_files.genes.ids) == 6604
    assert yeast_files.genes.resolve("cdc24") == "YAL041W"
    with pytest.raises(DataError, match="ambiguous"):
        yeast_files.genes.resolve(next(name for name, found in yeast_files.genes.aliases.items() if len(found) > 1))


def test_overlaps(yeast):
    table = read_overlaps(yeast / "SGD_features.tab.gz")
    assert (len(table), table.report["genes with coordinates"]) == (576, 6604)
    assert ("YAL068W-A", "YAL069W") in zip(table.a, table.b, strict=True)  # 538 to 792, 335 to 649


def test_networks(yeast_files):
    known = set(yeast_files.genes.ids)
    assert (
        len(yeast_files.biogrid),
        sum(a == b for a, b in zip(yeast_files.biogrid.a, yeast_files.biogrid.b, strict=True)),
    ) == (
        59377,
        1117,
    )
    assert (yeast_files.string.layout, yeast_files.string.report["rows"]) == ("STRING actions", 769_028)
    both = [
        *zip(yeast_files.biogrid.a, yeast_files.biogrid.b, strict=True),
        *zip(yeast_files.string.a, yeast_files.string.b, strict=True),
    ]
    assert len({tuple(sorted(pair)) for pair in both if pair[0] != pair[1] and known.issuperset(pair)}) == 142_505
    assert (yeast_files.yeastract.layout, len(yeast_files.yeastract)) == ("regulatory matrix", 11_486)
    edges = {
        pair for pair in zip(yeast_files.yeastract.a, yeast_files.yeastract.b, strict=True) if known.issuperset(pair)
    }
    assert (len(edges), sum(a == b for a, b in edges)) == (11_307 + 43, 43)


def test_costanzo_2010(yeast_files):
    screen = yeast_files.costanzo
    assert (screen.layout, len(screen)) == ("Costanzo 2010, 7 columns", 163_160)
    assert screen.report["strain suffixes _tsq removed"] == 28_538
    assert screen.report["strain suffixes _damp removed"] == 11_196
    assert not any("_" in gene for genotype in screen.genotypes for gene in genotype)
    assert np.isnan(screen.labels[:, :2]).all()
    assert (np.abs(screen.labels[:, 2]) >= 0.0799).all()
    assert (screen.labels[:, 3] <= 0.0501).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_kind_is_named(yeast, kind):
    for name in ("sgadata_costanzo2009_intermediateCutoff_101120.txt.gz", "strain_ids_and_single_mutant_fitness.xlsx"):
        with pytest.raises(DataError, match=f"{name}.* expected"):
            networks.read_network(yeast / name, kind)
    with pytest.raises(DataError, match="is no screen of a known layout"):
        read.read_screen(yeast / "biogrid_physical.tsv.gz")


def test_other_screens(yeast):
    """Layout, rows, rows by order, fitness values, interactions, strains that are no deletion."""
    expected = {
        "scored_triple_test_small_digenic.txt.gz": ("SGA score output, 12 columns", [0, 0, 5826, 4606], 10432, 5826),
        "scored_triple_test_small_trigenic.txt.gz": (
            "trigenic score output",
            [0, 0, 5826, 4606],
            10432,
            5826,
        ),
        "strain_ids_and_single_mutant_fitness.xlsx": ("single-mutant fitness", [0, 10859], 10277, 0),
        "GO_0006281_training_data_2016_0": ("DCell", [0, 0, 8783], 0, 8783),
        "GO_0006281_testing_data_2016_0": ("DCell", [0, 0, 2868], 0, 2868),
    }
    for name, (layout, orders, fitness, interactions) in expected.items():
        screen = read.read_screen(yeast / name)
        assert (screen.layout, np.bincount(np.diff(screen.ptr)).tolist()) == (layout, orders)
        assert np.isfinite(screen.labels).sum(axis=0)[[0, 2]].tolist() == [fitness, interactions]
        if name.startswith("scored_triple_test"):  # whose strains name it as the control locus
            assert b"YDL227C" in gzip.decompress((yeast / name).read_bytes())
            assert "YDL227C" not in screen.names


def test_the_digenic_and_the_trigenic_file_tell_the_same(yeast):
    """Both hold the same rows; their pairs' scores agree to the digits given, their triples' are raw in both."""
    scores = []
    for kind in ("digenic", "trigenic"):
        screen = read.read_screen(yeast / f"scored_triple_test_small_{kind}.txt.gz", raw_scores=True)
        by_genotype = {frozenset(g): label for g, label in zip(screen.genotypes, screen.labels, strict=True)}
        scores.append(by_genotype)
    shared = [key for key in scores[0] if key in scores[1]]
    assert len(shared) > 10_000
    difference = np.array([scores[0][key][2] - scores[1][key][2] for key in shared])
    assert np.nanmedian(np.abs(difference)) < 1e-4
    fitness = np.array([scores[0][key][0] - scores[1][key][0] for key in shared])
    assert np.nanmedian(np.abs(fitness)) < 1e-4
