"""Screens united by rules: what is kept, merged, filled in, and what the report says of it."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from dglcell.config import ScreenRules
from dglcell.errors import DataError, DglcellWarning, UsageError
from dglcell.genotypes.merge import ScreenMerger, merge_screens
from dglcell.genotypes.replicates import weighted_means
from dglcell.genotypes.table import GenotypeTable
from tests.cells import tiny_cell

NAN = float("nan")
HEAD = [
    "query_orf",
    "query",
    "array_orf",
    "array",
    "epsilon",
    "sd",
    "p",
    "query_smf",
    "query_smf_sd",
    "array_smf",
    "array_smf_sd",
    "dmf",
    "dmf_sd",
]
ROWS = [
    "G001_sn1 x G002_dma1 y -0.1 0.1 0.01 0.9 0.1 0.8 0.1 0.62 0.1",
    "G002_sn1 y G001_dma1 x -0.4 0.2 0.20 0.8 0.1 0.9 0.1 0.32 0.3",
    "G003_tsq1 z G002_dma1 y 0.2 NaN 0.03 NaN 0.1 0.8 0.1 NaN NaN",
    "G003_damp z G002_dma1 y 0.3 0.1 NaN 0.5 0.1 0.8 0.1 -0.05 0.1",
    "G003_tsa9 z G002_sn1 y 0.4 0.1 0.50 0.6 0.1 0.5 0.1 NaN NaN",
]
SINGLES = (
    "genes,fitness,fitness_std\nG001,0.9,0.1\nG002,0.5,0.1\nG002,0.8,0.2\nG004,0.7,\nG004,0.9,0.1\nG001;G004,0.5,\n"
)


@pytest.fixture
def files(tmp_path):
    pairs, singles = tmp_path / "pairs.tsv", tmp_path / "singles.csv"
    pairs.write_text("\n".join("\t".join(row.split()) for row in [" ".join(HEAD), *ROWS]) + "\n")
    singles.write_text(SINGLES)
    return [pairs, singles]


def genes_of(table):
    return [table.genes[a:b].tolist() for a, b in zip(table.ptr[:-1], table.ptr[1:], strict=True)]


def same(array, expected):
    np.testing.assert_allclose(np.asarray(array), np.array(expected, dtype=np.float32), rtol=2e-6)


def test_all_rows_are_kept_with_their_source_and_alleles(files):
    table, report = merge_screens(tiny_cell(), files)
    assert genes_of(table)[:5] == [[1, 2], [1, 2], [2, 3], [2, 3], [2, 3]]
    assert table.source.tolist() == [0] * 5 + [1] * 6
    assert [s["path"] for s in table.sources] == [str(f) for f in files]
    assert [table.alleles[a:b].tolist() for a, b in zip(table.ptr[:5], table.ptr[1:6], strict=True)] == [
        [0, 0],
        [0, 0],
        [0, 1],
        [0, 2],
        [0, 1],
    ]
    same(table.interaction_std[:5], [0.1, 0.2, NAN, 0.1, 0.1])
    assert np.isnan(table.interaction_std[5:]).all()
    assert table.allele_counts() == {"deletion": 11, "ts": 2, "damp": 1, "other": 0}
    assert report["rows"] == 11 and report["files"][0]["negative fitness values, kept"] == 1
    assert table.sources[0]["report"]["rows in the table"] == 5
    assert "genotypes" in report


def test_alleles_deletion(files):
    table, report = merge_screens(tiny_cell(), files, rules=ScreenRules(alleles="deletion"))
    assert genes_of(table)[:3] == [[1, 2], [1, 2], [1]]
    assert report["files"][0]["rows with an allele other than a deletion, left out"] == 3
    assert report["files"][0]["rows in the table"] == 2
    assert table.sources[0]["rules"] == {"alleles": "deletion"} and report["rule alleles"] == "deletion"


def test_max_p_leaves_out_what_is_above_and_keeps_what_has_none(files):
    table, report = merge_screens(tiny_cell(), files, rules=ScreenRules(max_p=0.03))
    same(table.labels[:, 2], [-0.1, 0.2, 0.3] + [NAN] * 6)
    assert report["files"][0]["rows with a p-value above 0.03, left out"] == 2


def test_negative_fitness_is_set_to_zero_on_request(files):
    table, report = merge_screens(tiny_cell(), files, rules=ScreenRules(clip_fitness=True))
    assert table.labels[3, 0] == 0
    assert report["files"][0]["negative fitness values, set to 0"] == 1
    assert np.isnan(table.labels[2, 0])


def test_replicates_become_their_weighted_mean(files):
    """Of the same alleles and file: reciprocal pairs; ts and DAmP alleles of a gene are two genotypes."""
    table, report = merge_screens(tiny_cell(), files, rules=ScreenRules(replicates="mean"))
    assert genes_of(table) == [[1, 2], [2, 3], [2, 3], [1], [2], [4], [1, 4]]
    assert table.source.tolist() == [0, 0, 0, 1, 1, 1, 1]
    weights = np.array([1 / 0.1**2, 1 / 0.2**2])
    score = (weights * [-0.1, -0.4]).sum() / weights.sum()
    fitness_weights = np.array([1 / 0.1**2, 1 / 0.3**2])
    fitness = (fitness_weights * [0.62, 0.32]).sum() / fitness_weights.sum()
    same(table.labels[0], [fitness, fitness_weights.sum() ** -0.5, score, 0.2])
    same(table.interaction_std[:3], [weights.sum() ** -0.5, NAN, 0.1])
    same(table.labels[1], [NAN, NAN, 0.3, 0.5])  # one of the two has no sd: the plain mean
    same(table.labels[5, :2], [0.8, NAN])
    assert [f["replicates merged into a mean"] for f in report["files"]] == [2, 2]
    assert [f["rows in the table"] for f in report["files"]] == [3, 4]


def test_fitness_is_derived_from_interactions_and_back(files):
    table, report = merge_screens(tiny_cell(), files, rules=ScreenRules(derive_fitness=True))
    same(table.labels[:5, 0], [0.62, 0.32, NAN, -0.05, 0.4 + 0.6 * 0.5])  # row 2: no fitness of that ts allele
    g004 = 0.8  # one without an sd: the plain mean
    same(table.labels[10], [0.5, NAN, 0.5 - 0.9 * g004, NAN])
    assert [f["fitness derived from interaction"] for f in report["files"]] == [1, 0]
    assert [f["interaction derived from fitness"] for f in report["files"]] == [0, 1]


def test_single_mutants_of_another_file_give_the_expected_fitness(tmp_path, files):
    pairs = tmp_path / "epsilon.tsv"
    rows = [
        f"G00{i}\tx\tG00{j}\ty\t{e}\t0.1\t0.1" for i, j, e in ((1, 2, 0.1), (2, 1, -0.2), (1, 3, 0.1), (1, 4, "NaN"))
    ]
    pairs.write_text("\n".join(rows) + "\n")
    table, _ = merge_screens(tiny_cell(), [pairs, files[1]], rules=ScreenRules(derive_fitness=True, replicates="mean"))
    w = np.array([1 / 0.1**2, 1 / 0.2**2])
    g002 = (w * [0.5, 0.8]).sum() / w.sum()
    assert genes_of(table)[:3] == [[1, 2], [1, 3], [1, 4]]
    same(table.labels[:3, 0], [-0.05 + 0.9 * g002, NAN, NAN])  # never a value for what was not measured
    assert np.isnan(table.labels[2]).all()


def test_a_cross_of_two_strains_of_one_gene_is_no_single_mutant(tmp_path):
    """Nor a pair if a third strain is of one of its genes: the fitness is that of more mutations than genes."""
    crosses, singles = tmp_path / "crosses.tsv", tmp_path / "singles.csv"
    lines = ["G001_sn1 x G001_dma1 x 0.1 0.1 0.1", "G001_sn1 x G002_dma2 y -0.2 0.1 0.1"]
    crosses.write_text("\n".join("\t".join(line.split()) for line in lines) + "\n")
    singles.write_text(
        "genes,fitness,gene_interaction\nG001,0.8,\nG002,0.5,\nG001;G001,0.1,\nG001;G002;G002,,-0.3\nG001;G002,0.3,\n"
    )
    table, report = merge_screens(tiny_cell(), [crosses, singles], rules=ScreenRules(derive_fitness=True))
    same(table.labels[:, 0], [NAN, -0.2 + 0.8 * 0.5, 0.8, 0.5, 0.1, NAN, 0.3])
    same(table.labels[-2:, 2], [-0.3, 0.3 - 0.8 * 0.5])
    what = "rows that name a gene twice, not used to derive labels"
    assert [f.get(what) for f in report["files"]] == [1, 2]


def test_unknown_genes_and_rules(files, tmp_path):
    files[0].write_text(files[0].read_text().replace("G003_tsa9", "Q1_tsa9"))
    with pytest.raises(DataError, match=r"pairs.tsv:6: unknown genes: 'Q1' in 1 of 5"):
        merge_screens(tiny_cell(), files, ScreenRules(unknown_genes="error"))
    with pytest.raises(DataError, match=r"pairs.tsv:6: 1 of 5 rows names a gene that the cell lacks"):
        merge_screens(tiny_cell(), files)
    with pytest.warns(DglcellWarning, match="pairs.tsv: 1 of 5 rows is left out, as the cell lacks a gene"):
        table, report = merge_screens(tiny_cell(), files, ScreenRules(unknown_genes="skip"))
    assert len(table) == 10 and report["files"][0]["unknown genes"] == 1
    with pytest.raises(UsageError, match="unknown_genes x - few, skip or error"):
        ScreenMerger(tiny_cell(), files, ScreenRules(unknown_genes="x"))
    with pytest.raises(UsageError, match=r"alleles ts - all or deletion was expected; max_p 2\.0 - at least 0"):
        ScreenMerger(tiny_cell(), files, rules=ScreenRules(alleles="ts", max_p=2))


def test_blocks_give_the_same_table_as_the_whole(files, monkeypatch):
    from dglcell.genotypes import merge as module
    from dglcell.readers.screens.read import read_blocks

    whole, _ = merge_screens(tiny_cell(), files, rules=ScreenRules(clip_fitness=True, max_p=0.3))
    monkeypatch.setattr(module, "read_blocks", functools.partial(read_blocks, size=170))
    union = ScreenMerger(tiny_cell(), files, rules=ScreenRules(clip_fitness=True, max_p=0.3))
    assert len(list(union.blocks())) > 2
    parts = union.table()
    assert parts.fingerprint == whole.fingerprint
    assert parts.sources == whole.sources


def test_means_of_equal_values_are_exact_and_empty_groups_stay_missing():
    mean, std = weighted_means(np.full(3, 0.1), np.array([1e-9, 1.0, 3.0]), np.array([2, 2, 2]), 4)
    assert mean[2] == 0.1 and np.isnan(mean[[0, 1, 3]]).all() and np.isnan(std[[0, 1, 3]]).all()
    mean, std = weighted_means(np.array([1.0, 3.0]), np.array([0.0, 0.1]), np.array([0, 0]), 1)
    assert mean.tolist() == [2.0] and np.isnan(std).all()  # an sd of 0 is no infinite weight
    mean, std = weighted_means(np.array([2.0, 3.0]), np.array([0.0, 0.3]), np.array([0, 1]), 2)
    assert mean.tolist() == [2, 3] and std.tolist() == [0, 0.3]  # a single value keeps its own


def test_a_streamed_screen_is_the_table_and_trains_from_disk(files, monkeypatch, tmp_path):
    """Rows on disk, in memory and never stored: the same table, split, scaler and batches."""
    from dglcell.config import TrainConfig
    from dglcell.genotypes.splits.make import make_split
    from dglcell.io import cell_file
    from dglcell.training.data import TrainingData

    cell = tiny_cell()
    screen = tmp_path / "many.tsv"
    rng = np.random.default_rng(0)
    pairs = [f"G{i:03d};G{j:03d}" for i in range(12) for j in range(i)]
    rows = [f"{p}\t{rng.random():.3f}\t{rng.normal():.3f}" for p in [*pairs, *pairs[:9], "G001", "G002", ""]]
    screen.write_text("\n".join(["genes\tfitness\tgene_interaction", *rows]) + "\n")
    paths = [screen, *files]
    whole, _ = merge_screens(cell, paths)
    union = ScreenMerger(cell, paths)
    cell_file.save(cell, tmp_path / "cell.h5", union)
    assert union.report()["rows"] == len(whole)
    monkeypatch.setattr(cell_file, "IN_MEMORY", 0)
    stored = cell_file.load_screen(tmp_path / "cell.h5")
    names = ("genes", "ptr", "labels", "source", "alleles", "interaction_std", "query")
    assert all(isinstance(getattr(stored, name), np.memmap) for name in names)
    for name in names:
        np.testing.assert_array_equal(np.asarray(getattr(stored, name)), getattr(whole, name))
    assert stored.fingerprint == whole.fingerprint and stored.info() == whole.info()
    assert stored.sources == whole.sources
    for found, expected in zip(stored.joint_keys(stored), whole.joint_keys(whole), strict=True):
        np.testing.assert_array_equal(found, expected)
    config = TrainConfig(hidden=8, layers=1, fm_rank=0)
    data = [TrainingData(cell, t, make_split(t, seed=1), config) for t in (stored, whole)]
    assert data[0].split.hash == data[1].split.hash
    assert data[0].scaler == data[1].scaler
    (_, labels, _), (_, expected, _) = (d.batch(d.train_rows[::-3][:20]) for d in data)
    np.testing.assert_array_equal(labels, expected)
    cell_file.save(cell, tmp_path / "again.h5", stored)
    assert cell_file.load_screen(tmp_path / "again.h5").fingerprint == whole.fingerprint


def test_keys_of_many_deletions_do_not_overflow():
    """The genes of twenty deletions multiply beyond 64 bits; equal sets still have equal keys, others do not."""
    cell = tiny_cell(genes=40)
    rng = np.random.default_rng(0)
    sets = [tuple(sorted(rng.choice(40, 20, replace=False))) for _ in range(60)]
    sets += [(*s[:19], 39) for s in sets[:20] if 39 not in s] + sets[:10]
    table = GenotypeTable.of(cell, np.concatenate(sets), np.arange(len(sets) + 1) * 20)
    order = sorted(set(sets))
    assert table.genotype_keys().tolist() == [order.index(s) for s in sets]
