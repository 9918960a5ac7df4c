"""Labels of a screen: which columns are read, what is said of the others, numbers of other countries."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from dglcell.errors import DataError, DglcellWarning, UsageError
from dglcell.readers.screens.read import read_blocks, read_rows, read_screen
from dglcell.readers.tables.column_map import ColumnMap

NAN = float("nan")


@pytest.fixture
def write(tmp_path):
    def writer(text):
        path = tmp_path / "screen.tsv"
        path.write_text(text)
        return path

    return writer


def test_names_of_labels_are_compared_by_letters_and_digits(write):
    text = "Genes\t Fitness \tFITNESS STD\tGene interaction\tgenetic-interaction p-value\tgene_interaction_std\n"
    screen = read_screen(write(text + "A;B\t0.9\t0.1\t-0.2\t0.01\t0.3\n"))
    np.testing.assert_array_equal(screen.labels, np.array([[0.9, 0.1, -0.2, 0.01]], dtype=np.float32))
    np.testing.assert_array_equal(screen.interaction_std, np.float32([0.3]))


@pytest.mark.parametrize(
    "unread", ["S-score", "growth", "p-value", "doubling time (min)", "SMF 30", "log2FC", "sd", "GI"]
)
def test_a_column_like_a_label_is_named(write, unread):
    path = write(f"genes\tfitness\tnote\t{unread}\nA\t0.9\tx\t1\n")
    with pytest.warns(DglcellWarning, match="columns that look like labels are not read: ") as caught:
        screen = read_screen(path)
    assert unread in str(caught[0].message) and "note" not in str(caught[0].message) and len(caught) == 1
    assert screen.report["columns not read"] == unread


def test_columns_left_out_on_purpose_are_no_warning(write):
    head = (
        "Query ORF\tArray ORF\tGenetic interaction score\tQuery SMF standard deviation\tArray SMF\tInteraction type\n"
    )
    tables = [
        head + "A\tB\t0.1\t0.2\t0.3\tdigenic\n",
        "genes\tfitness\tpred_fitness\tname\nA\t1\t2\tx\n",
        "Query ORF\tArray ORF\tescore\tescore std\tExpected DMF\tObserved DMF\nA\tB\t0.1\t0.2\t0.3\t0.4\n",
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text in tables:
            assert "columns not read" not in read_screen(write(text)).report
        read_rows(write("genes\tgrowth\nA\t1\n"))  # of which no label is needed


def test_a_screen_without_labels_is_refused(write):
    path = write("genes\tgene name\tgrowth\tsd\nA\ta\t0.9\t0.1\n")
    expected = (
        r"screen.tsv:1: no column of labels \('genes', 'gene name', 'growth', 'sd'\) - fitness or gene_interaction "
    )
    with pytest.raises(DataError, match=expected + '.*columns="genes=genes,fitness=growth"$'):
        read_screen(path)
    with pytest.raises(DataError, match=expected + ".*, or allow_empty=True$"):
        read_screen(path, unlabeled=False)
    with pytest.raises(DataError, match='columns="gene_1=gene1,gene_2=gene2,gene_interaction=GI"'):
        read_screen(write("gene1\tgene2\tGI\nA\tB\t0.9\n"))
    with pytest.raises(DataError, match="no column of labels"):
        read_screen(write("genes\tfitness_std\nA\t0.9\n"))  # which says nothing alone
    assert [len(screen) for screen in read_blocks(path, unlabeled=True)] == [1]
    assert read_rows(path).genotypes == [("A",)]


@pytest.mark.parametrize("text", ["genes\tfitness\n", "genes\tfitness\n\t\n\n  \t \n# nothing\n"])
def test_no_rows(write, text):
    for read in (read_screen, read_rows):
        with pytest.raises(DataError, match="has a header but no rows"):
            read(write(text))


def test_blank_rows_are_no_wild_type(write):
    screen = read_screen(write("genes\tfitness\tnote\nA\t0.9\t\n\t\t\n\n , \t\t\n\t1\t\n\t\tWT\n".replace(" , ", " ")))
    assert screen.genotypes == [("A",), (), ()]
    assert screen.lines.tolist() == [2, 6, 7]
    assert screen.report["rows of the wild type"] == 2
    assert read_rows(write("gene_1,gene_2\nA,B\n,\nA,\n")).genotypes == [("A", "B"), ("A",)]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["0,9", "1", "NA", "-1,5e-1"], [0.9, 1, NAN, -0.15]),
        (["0.9", "+1", "n/a", "", "null", "None", "#N/A"], [0.9, 1, NAN, NAN, NAN, NAN, NAN]),
        (["0.9", "1,234.5"], "screen.tsv:3: '1,234.5' in column fitness"),
        (["0,9", "1.234,5"], "screen.tsv:3: '1.234,5' in column fitness"),
        (["0.9", "0,8"], "screen.tsv:3: '0,8' in column fitness"),
        (["0.9", "12 %"], "screen.tsv:3: '12 %' in column fitness"),
        (["0.9", ">1"], "screen.tsv:3: '>1' in column fitness"),
        (["0.9", "inf"], "screen.tsv:3: 'inf' in column fitness"),
        (["0.9", "#DIV/0!"], "screen.tsv:3: '#DIV/0!' in column fitness"),
    ],
)
def test_numbers(write, cells, values):
    path = write("genes\tfitness\n" + "".join(f"A\t{cell}\n" for cell in cells))
    if isinstance(values, str):
        with pytest.raises(DataError, match=values):
            read_screen(path)
    else:
        np.testing.assert_array_equal(read_screen(path).labels[:, 0], np.array(values, dtype=np.float32))


def test_named_columns(write):
    text = "strain\tpartner\tdelta\tdeviation\tscore\nA_tsa1\tB_dma2\t-0.5\t0.1\t7\n"
    named = ColumnMap.parse("strain_1=strain,strain_2=2,gene_interaction=delta,gene_interaction_std=deviation")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the other columns are left out on purpose
        screen = read_screen(write(text), maps=[named])
    assert (screen.layout, screen.genotypes, screen.query.tolist()) == ("named columns", [("A", "B")], [1])
    assert screen.kinds.tolist() == [1, 0]
    np.testing.assert_array_equal(screen.labels, np.float32([[NAN, NAN, -0.5, NAN]]))
    np.testing.assert_array_equal(screen.interaction_std, np.float32([0.1]))
    assert read_rows(write(text), maps=[ColumnMap.parse("genes=partner")]).genotypes == [("B",)]
    plain = ColumnMap.parse("gene_1=1,gene_2=2,fitness=3")
    assert read_screen(write("A B 0.5\nC D 1\n"), maps=[plain]).genotypes == [("A", "B"), ("C", "D")]
    with pytest.raises(DataError, match="no column of genes"):
        read_screen(write(text), maps=[ColumnMap.parse("fitness=delta")])
    with pytest.raises(UsageError, match="growth in screen"):
        read_screen(write(text), maps=[ColumnMap.parse("screen.tsv:growth=delta")])


def test_genes_in_two_ways_are_refused(write):
    with pytest.raises(DataError, match=r"screen.tsv:2: columns 'genes' and 'gene_1', .. - give one of the two"):
        read_screen(write("\ngenes\tgene_1\tfitness\nA\tB\t1\n"))


@pytest.mark.parametrize(("name", "is_tau"), [("score", False), ("Adjusted score", True), ("tau", True)])
def test_the_score_of_a_triple_of_named_strains_is_raw_unless_its_column_says_otherwise(write, name, is_tau):
    path = write(f"q,a,{name}\nYAL015C+YOL043C_tm72,YBR001C_dma1,-0.5\nYAL015C_sn1,YBR001C_dma1,0.25\n")
    columns = ColumnMap.parse("strain_1=q,strain_2=a,gene_interaction=3")
    scores = read_screen(path, maps=[columns]).labels[:, 2].tolist()
    assert scores[1] == 0.25 and (scores[0] == -0.5) is is_tau
    assert read_screen(path, raw_scores=True, maps=[columns]).labels[0, 2] == -0.5
    as_genes = write("g1,g2,g3,x\nA,B,C,-0.5\n")
    named = ColumnMap.parse("gene_1=g1,gene_2=g2,gene_3=g3,gene_interaction=x")
    assert read_screen(as_genes, maps=[named]).labels[0, 2] == -0.5  # a genotype table is taken as it is
