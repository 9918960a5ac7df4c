import numpy as np
import pytest

from dglcell.errors import DataError, UsageError
from dglcell.genotypes.splits.make import SUBSETS, Split, check_leakage, make_split
from dglcell.genotypes.table import GenotypeTable
from tests.cells import tiny_cell


def a_table(n=300, genes=12, seed=0, cell=None):
    """Random genotypes of order 0 to 3 with many repeats, all with a fitness."""
    cell = cell or tiny_cell(genes=genes)
    rng = np.random.default_rng(seed)
    genotypes = [rng.choice(genes, size=rng.integers(0, 4), replace=False).tolist() for _ in range(n)]
    return GenotypeTable.of(cell, *cell.indices(genotypes), np.ones((n, 4)))


@pytest.mark.parametrize("options", [{}, {"seed": 5}, {"kind": "kfold", "fold": 3}, {"test_fraction": 0.3}])
def test_a_gene_set_is_in_one_part_whatever_the_order_of_the_rows(options):
    table = a_table()
    split = make_split(table, **options)
    assert split.subset.dtype == np.int8
    part_of = {}
    for key, part in zip(table.genotype_keys().tolist(), split.subset.tolist(), strict=True):
        assert part_of.setdefault(key, part) == part
    order = np.random.default_rng(1).permutation(len(table))
    assert make_split(table.take(order), **options).subset.tolist() == split.subset[order].tolist()
    assert sorted(np.concatenate([split.rows(name) for name in SUBSETS]).tolist()) == list(range(len(table)))


def test_the_seed_decides():
    table = a_table()
    assert make_split(table, seed=1).hash == make_split(table, seed=1).hash
    assert make_split(table, seed=1).hash != make_split(table, seed=2).hash


def test_fractions_hold_in_every_order():
    table = a_table(3000, genes=20)
    keys, first = np.unique(table.genotype_keys(), return_index=True)
    split = make_split(table, test_fraction=0.2, val_fraction=0.1)
    for order in (1, 2, 3):
        parts = split.subset[first][table.orders[first] == order]
        assert np.mean(parts == 2) == pytest.approx(0.2, abs=0.5 / len(parts))
        assert np.mean(parts == 1) == pytest.approx(0.1, abs=0.5 / len(parts))
    assert len(keys) == table.num_genotypes


def test_folds_partition_the_gene_sets():
    table = a_table()
    tested = np.zeros(len(table), dtype=int)
    for fold in range(5):
        split = make_split(table, "kfold", fold=fold, folds=5, val_fraction=0.1)
        tested[split.rows("test")] += 1
        assert split.counts["val"] > 0
    assert (tested == 1).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "leave-out"}, "split leave-out"),
        ({"test_fraction": 1.0}, "test_fraction 1.0"),
        ({"val_fraction": -0.1}, "val_fraction -0.1"),
        ({"test_fraction": 0.5, "val_fraction": 0.5}, "nothing to train on"),
        ({"kind": "kfold", "fold": 10}, "fold 10 - 0 to 9"),
        ({"kind": "file"}, "split_file"),
        ({"test_fraction": 0.0}, "the subset test without a labeled row"),
        ({"val_fraction": 0.0}, "the subset val without a labeled row"),
    ],
)
def test_options_that_cannot_be_used(options, message):
    with pytest.raises(UsageError, match=message):
        make_split(a_table(), **options)


def test_a_part_without_labels_counts_as_empty():
    cell = tiny_cell()
    genotypes = [[g] for g in range(10)]
    labels = np.full((10, 4), np.nan)
    table = GenotypeTable.of(cell, *cell.indices(genotypes), labels)
    with pytest.raises(DataError, match="no row of the screen has a fitness or an interaction"):
        make_split(table)
    labels[0, 0] = 1.0
    with pytest.raises(UsageError, match="without a labeled row"):
        make_split(GenotypeTable.of(cell, *cell.indices(genotypes), labels))


def test_too_few_gene_sets_for_three_parts():
    cell = tiny_cell()
    with pytest.raises(UsageError, match=r"leaves the subset val without .*\(2 gene sets\) - raise val_fraction or"):
        make_split(GenotypeTable.of(cell, *cell.indices([[0], [1]]), np.ones((2, 4))))


@pytest.mark.parametrize("kind", ["random", "kfold"])
def test_labels_are_shared_out_and_no_part_is_rounded_away(kind):
    cell = tiny_cell(genes=40)
    genotypes = [list(range(g, g + order)) for order in (1, 2, 3, 4) for g in range(30)]
    labels = np.full((120, 4), np.nan)
    labelled = [30 * order + g for order in range(4) for g in (3, 10, 17, 24)]  # too few of each order for a tenth
    labels[labelled, 0] = 1.0
    table = GenotypeTable.of(cell, *cell.indices(genotypes), labels)
    for seed in range(5):
        counts = np.bincount(make_split(table, kind, seed=seed).subset[labelled], minlength=3)
        assert counts.tolist() == [12, 2, 2]


def test_a_leak_is_found():
    cell = tiny_cell()
    table = GenotypeTable.of(cell, *cell.indices([[0, 1], [1, 0], [2]]), np.ones((3, 4)))
    with pytest.raises(DataError, match="1 gene sets are in two subsets"):
        check_leakage(table, Split(np.array([0, 2, 1], dtype=np.int8)))
    check_leakage(table, Split(np.array([0, 0, 1], dtype=np.int8)))


def write(path, text):
    path.write_text(text.replace(" ", "\t"))
    return path


def file_table(cell):
    return GenotypeTable.of(cell, *cell.indices([["G001"], ["G002"], ["G002", "G003"], ["G002"]]), np.ones((4, 4)))


def test_a_file_gives_the_parts(tmp_path):
    cell = tiny_cell()
    path = write(tmp_path / "s.tsv", "genes split\nG003;g002 test\nG009 unused\nG001 train\nG002 Val\n")
    split = make_split(file_table(cell), "file", path=path, cell=cell)
    assert split.subset.tolist() == [0, 1, 2, 1]
    assert split.kind == "file"
    more = GenotypeTable.of(cell, *cell.indices([["G001"], ["G009"], ["G002"], ["G002", "G003"]]), np.ones((4, 4)))
    split = make_split(more, "file", path=path, cell=cell)
    assert split.subset.tolist() == [0, 3, 1, 2]
    assert split.counts == {"train": 1, "val": 1, "test": 1, "unused": 1}
    assert split.rows("unused").tolist() == [1]


@pytest.mark.parametrize("columns", ["gene_1=who,gene_2=whom,split=part", "s.tsv:gene_1=who,gene_2=3,split=2"])
def test_the_columns_of_a_file_may_be_named(tmp_path, columns):
    cell = tiny_cell()
    path = write(tmp_path / "s.tsv", "who part whom\nG003 test g002\nG001 train \nG002 Val \n")
    for given in ([columns], ["genes=strain,fitness=f", columns]):  # the first is for a screen
        split = make_split(file_table(cell), "file", path=path, cell=cell, columns=given)
        assert split.subset.tolist() == [0, 1, 2, 1]
    with pytest.raises(DataError, match="no column `dose`"):
        make_split(file_table(cell), "file", path=path, cell=cell, columns=["gene_1=1,gene_2=3,split=dose"])


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("gene1,gene2,Split\nG001,,train\nG002,,val\nG003,g002,test\n", ()),
        ("subset;mutant\ntrain;G001_dma1\nval;G002\ntest;G002|G003\n", ("s.tsv:genes=mutant,split=subset",)),
        ("mutant,set\nG001,train\nG002,val\nG003+G002,test\n", ("s.tsv:genes=mutant,split=2",)),
    ],
)
def test_a_file_is_read_as_a_screen_is(tmp_path, text, columns):
    cell = tiny_cell()
    (tmp_path / "s.tsv").write_text(text)
    split = make_split(file_table(cell), "file", path=tmp_path / "s.tsv", cell=cell, columns=columns)
    assert split.subset.tolist() == [0, 1, 2, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("genes part\nG001 train\n", "no column `split`"),
        ("genes split\nG001 train\nG002 dev\n", "split 'dev' in 1 row "),
        ("genes split\nG001 train\nG002 val\n", "gives no subset for 1 of 3 gene sets"),
        ("genes split\nG001 train\nG002 val\nG002 test\nG002;G003 test\n", r"s\.tsv: 1 gene sets are in two subsets"),
        ("genes split\nG001 train\nQ7 vall\n", "split 'vall' in 1 row "),
        ("genes split\nG001 train\nG002 val\nG002;G003 train\n", "leaves the subset test without"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path, text, message):
    cell = tiny_cell()
    with pytest.raises(DataError, match=message):
        make_split(file_table(cell), "file", path=write(tmp_path / "s.tsv", text), cell=cell)


def test_rows_of_a_file_with_genes_that_the_graph_lacks_are_left_out_and_counted(tmp_path):
    cell = tiny_cell()
    text = "genes split\nG001 train\nQ7 val\nG002;G003 test\nQ8;G001 test\n test\nG002 val\nQ7;Q8 train\n"
    wild = GenotypeTable.of(cell, *cell.indices([["G001"], ["G002"], ["G002", "G003"], []]), np.ones((4, 4)))
    path = write(tmp_path / "s.tsv", text)
    with pytest.warns(UserWarning, match=r"s\.tsv: unknown genes: 'Q7', 'Q8' in 3 of 7 genotypes") as caught:
        split = make_split(wild, "file", path=path, cell=cell)
    assert len(caught) == 1
    assert split.subset.tolist() == [0, 1, 2, 2]  # the wild type's part is its own row's, not that of a row left out


def test_a_misspelt_gene_of_the_screen_is_found(tmp_path):
    cell = tiny_cell()
    path = write(tmp_path / "s.tsv", "genes split\nQ01 train\nG002 val\nG002;G003 test\n")
    message = "gives no subset for 1 of 3 gene sets"
    with pytest.warns(UserWarning, match="'Q01' in 1 of 3"), pytest.raises(DataError, match=message):
        make_split(file_table(cell), "file", path=path, cell=cell)
