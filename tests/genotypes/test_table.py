import numpy as np
import pytest

from dglcell import schema
from dglcell.errors import DataError, FingerprintError, UsageError
from dglcell.genotypes.gene_index import encode_genes
from dglcell.genotypes.table import GenotypeTable
from dglcell.hashing import file_sha256
from tests.cells import random_genotypes, tiny_cell
from tests.records import screen, table_of

NAN = float("nan")


def rows_of(table):
    return [table.genes[a:b].tolist() for a, b in zip(table.ptr[:-1], table.ptr[1:], strict=True)]


def test_names_become_sorted_distinct_rows():
    cell = tiny_cell()
    table, _ = table_of(cell, [screen([("G005", "g002"), (), ("alpha", "G000", "G003")], np.ones((3, 4)))])
    assert rows_of(table) == [[2, 5], [], [0, 3]]
    assert table.orders.tolist() == [2, 0, 2]
    assert (table.genes.dtype, table.ptr.dtype, table.labels.dtype, table.source.dtype) == (
        np.int32,
        np.int64,
        np.float32,
        np.int16,
    )
    assert table.ids_fingerprint == cell.fingerprints["ids"]


def test_screens_unite_in_order_and_remember_their_file(tmp_path):
    (tmp_path / "a.tsv").write_text("genes\tfitness\nG001\t1\n")
    (tmp_path / "b.tsv").write_text("genes\tfitness\nG002\t1\n\t1\n")
    table, report = table_of(tiny_cell(), [tmp_path / "a.tsv", tmp_path / "b.tsv"])
    assert table.source.tolist() == [0, 1, 1]
    assert [s["path"] for s in table.sources] == [str(tmp_path / "a.tsv"), str(tmp_path / "b.tsv")]
    assert table.sources[1]["sha256"] == file_sha256(tmp_path / "b.tsv")
    assert table.sources[1]["layout"] == "genotype table"
    assert (report["rows"], report["genotypes"]) == (3, 3)


def test_interactions_below_order_two_are_missing_and_counted():
    labels = [[1.0, 0.1, 0.2, 0.03]] * 3
    table, report = table_of(tiny_cell(), [screen([(), ("G001",), ("G001", "G002")], labels)])
    assert np.isnan(table.labels[:2, 2:]).all()
    assert np.isfinite(table.labels[:2, :2]).all()
    assert np.isfinite(table.labels[2]).all()
    assert report["files"][0]["interactions of fewer than two deletions, left out"] == 2


def test_a_pair_of_names_of_one_gene_is_a_single_deletion():
    genotypes, labels = [("alpha", "G000"), ("G001", "G002")], [[NAN, NAN, 0.5, NAN]] * 2
    table, report = table_of(tiny_cell(), [screen(genotypes, labels)])
    assert table.orders.tolist() == [1, 2]
    assert table.usable().tolist() == [False, True]
    assert report["files"][0]["rows that name a gene twice, merged"] == 1


def test_unknown_genes_stop_with_names_line_and_counts():
    genotypes = [("G001",), ("Q1", "G002"), ("Q2",), ("Q1",), *((f"Z{i}",) for i in range(6))]
    with pytest.raises(DataError) as error:
        table_of(tiny_cell(), [screen(genotypes)])
    assert ":3: unknown genes: 'Q1', 'Q2', 'Z0', 'Z1', 'Z2' and 3 more in 9 of 10 genotypes" in str(error.value)


def test_unknown_genes_are_skipped_and_counted_on_request():
    labels = np.arange(12).reshape(3, 4)
    table, report = table_of(
        tiny_cell(), [screen([("G001",), ("Q1", "G002"), ("G004", "G003")], labels)], unknown="skip"
    )
    assert rows_of(table) == [[1], [3, 4]]
    assert table.labels[:, 0].tolist() == [0, 8]
    assert report["files"][0]["rows with an unknown gene, left out"] == 1
    assert report["files"][0]["unknown genes"] == 1
    with pytest.raises(UsageError, match=r"unknown.genes"):
        table_of(tiny_cell(), [], unknown="drop")


def test_ambiguous_names_are_an_error_even_when_skipping():
    with pytest.raises(DataError, match="ambiguous: G000, G001"):
        table_of(tiny_cell(), [screen([("twice",)])], unknown="skip")


def test_gene_rows_keeps_the_place_of_incomplete_genotypes():
    found = encode_genes(tiny_cell(), [("G002", "nobody"), ("G003", "G001"), ("nobody",), ()])
    assert found.incomplete.tolist() == [True, False, True, False]
    assert found.ptr.tolist() == [0, 0, 2, 2, 2]
    assert found.genes.tolist() == [1, 3]
    assert found.unknown == {"nobody": 2}
    assert encode_genes(tiny_cell(), []).ptr.tolist() == [0]


def test_no_screen_gives_an_empty_table():
    table, report = table_of(tiny_cell(), [])
    assert len(table) == 0
    assert report["rows"] == table.num_genotypes == 0


def test_take_follows_the_rows_given():
    cell = tiny_cell()
    genotypes = random_genotypes(cell, 30, seed=4)
    table = GenotypeTable.of(cell, *cell.indices(genotypes), np.arange(120).reshape(30, 4))
    rows = np.random.default_rng(0).integers(0, 30, size=50)
    taken = table.take(rows)
    assert rows_of(taken) == [rows_of(table)[r] for r in rows]
    assert taken.labels[:, 0].tolist() == table.labels[rows, 0].tolist()
    assert len(table.take([])) == 0


def test_keys_are_equal_exactly_for_equal_gene_sets():
    cell = tiny_cell(genes=6)
    genotypes = random_genotypes(cell, 200, max_order=5, seed=2)
    table = GenotypeTable.of(cell, *cell.indices(genotypes))
    keys = table.genotype_keys()
    sets = [frozenset(g) for g in genotypes]
    assert table.num_genotypes == len(set(sets)) == keys.max() + 1
    for i in range(200):
        for j in range(200):
            assert (keys[i] == keys[j]) == (sets[i] == sets[j])
    order = np.random.default_rng(0).permutation(200)
    assert table.take(order).genotype_keys().tolist() == keys[order].tolist()


def test_usable_looks_at_the_labels_asked_for():
    labels = [[1, NAN, NAN, NAN], [NAN, 1, NAN, 1], [NAN, NAN, 1, NAN]]
    cell = tiny_cell()
    table = GenotypeTable.of(cell, *cell.indices([("G001", "G002")] * 3), labels)
    assert table.usable().tolist() == [True, False, True]
    assert table.usable(["fitness"]).tolist() == [True, False, False]
    assert np.array_equal(table.targets, table.labels[:, [0, 2]], equal_nan=True)


def test_the_fingerprint_sees_rows_labels_and_cell_but_not_file_names():
    cell = tiny_cell()
    genes, ptr = cell.indices([("G001",), ("G002", "G003")])
    labels = np.array([[1.0, NAN, NAN, NAN], [1.0, NAN, 0.5, NAN]])
    table = GenotypeTable.of(cell, genes, ptr, labels, sources=[{"path": "a"}])
    same = GenotypeTable.of(cell, genes, ptr, np.where(np.isnan(labels), -labels, labels), sources=[{"path": "b"}])
    assert table.fingerprint == same.fingerprint
    others = [
        table.take([1, 0]),
        GenotypeTable.of(cell, genes, ptr, labels + 1),
        GenotypeTable.of(tiny_cell(genes=13), genes, ptr, labels),
    ]
    assert table.fingerprint not in {t.fingerprint for t in others}
    with pytest.raises(FingerprintError, match="first difference: gene 12 is absent in the file and G012 in the graph"):
        table.require_cell(tiny_cell(genes=13))
    table.require_cell(cell)


def test_info_counts_orders_and_labels():
    cell = tiny_cell()
    labels = [[1, NAN, NAN, NAN]] * 2 + [[1, 1, 1, NAN]]
    info = GenotypeTable.of(cell, *cell.indices([(), ("G001",), ("G001", "G002")]), labels).info()
    assert info["orders"] == {"0": 1, "1": 1, "2": 1}
    assert info["labels"] == dict(zip(schema.LABEL_COLUMNS, (3, 1, 1, 0), strict=True))
    assert info["fingerprints"]["ids"] == cell.fingerprints["ids"]


def test_joint_keys_compare_the_gene_sets_of_two_tables():
    cell = tiny_cell(genes=6)
    sets = [random_genotypes(cell, n, max_order=4, seed=n) for n in (40, 30)]
    one, other = (GenotypeTable.of(cell, *cell.indices(genotypes)) for genotypes in sets)
    mine, theirs = one.joint_keys(other)
    assert (len(mine), len(theirs)) == (40, 30)
    equal = [[frozenset(a) == frozenset(b) for b in sets[1]] for a in sets[0]]
    assert (mine[:, None] == theirs).tolist() == equal and 0 < np.sum(equal) < 1200
