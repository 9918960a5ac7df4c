"""Screens that are matrices: pairs of genes, and samples by genes."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from dglcell import schema
from dglcell.errors import DataError, DglcellWarning
from dglcell.readers.screens.matrices import LAYOUTS, read_matrix
from dglcell.readers.screens.matrix_genes import are_queries
from dglcell.readers.screens.read import read_screen
from dglcell.readers.screens.screen_table import join

FITNESS, SCORE = (schema.LABEL_COLUMNS.index(label) for label in schema.LABELS)
SELF = "values of a gene with itself, left out"
REPEATED = "values equal to the one across the diagonal, left out"


@pytest.fixture
def read(tmp_path):
    def reader(text, kind="pairs", condition=None, size=1 << 20):
        path = tmp_path / "matrix.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return join(list(read_matrix(path, kind, condition, size)))

    return reader


def values(table, label=SCORE):
    assert (np.isfinite(table.labels) == (np.arange(4) == label)).all()
    return dict(zip(table.genotypes, table.labels[:, label].astype(float).round(5).tolist(), strict=True))


SGA = (
    "ORF\tNAME\tYBR123C_dma3\tYER095W_dma7\tYGL163C_tsa9\n"
    "YAL001C_sn1\ttfc3\t-0.12\t0.03\t\nYBR123C_tsq2\ttfc1\t1\t2\tNaN\n"
)


@pytest.mark.parametrize("size", [40, 1 << 20])
@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode())])
def test_pairs(read, size, pack):
    table = read(pack(SGA), "pairs", None, size)
    expected = {("YAL001C", "YBR123C"): -0.12, ("YAL001C", "YER095W"): 0.03, ("YBR123C", "YER095W"): 2}
    assert values(table) == expected
    assert table.lines.tolist() == [2, 2, 3]
    assert table.query.tolist() == [1, 1, 1]
    genes = [(table.names[code], schema.ALLELES[table.kinds[code]]) for code in table.codes[:4]]
    assert genes == [("YAL001C", "deletion"), ("YBR123C", "deletion"), ("YAL001C", "deletion"), ("YER095W", "deletion")]
    assert [schema.ALLELES[table.kinds[code]] for code in table.codes[4:]] == ["ts", "deletion"]
    assert table.report["matrix"] == "pairs, 2 rows x 3 columns, queries in rows"
    assert (table.report["rows"], table.report[SELF], table.report["values missing"]) == (3, 1, 2)
    assert "values of genes without a name, left out" not in table.report


def test_queries_in_columns_come_first(read):
    table = read("ORF\tYAL001C_sn1\tYGL163C_tsq9\nYBR123C_dma3\t0.1\t0.2\nYER095W_dma7\t0.3\t\n")
    assert values(table) == {
        ("YAL001C", "YBR123C"): 0.1,
        ("YGL163C", "YBR123C"): 0.2,
        ("YAL001C", "YER095W"): 0.3,
    }
    assert table.query.tolist() == [1, 1, 1]
    assert table.report["matrix"] == "pairs, 2 rows x 2 columns, queries in columns"
    assert not are_queries(["YAL001C_damp", "YBR123C_damp"])  # on either side


def test_two_kinds_of_names_on_each_axis(read):
    """Systematic ids are preferred, wherever they stand."""
    text = "\t\ttfc1\trad51\n\t\tYBR123C\tYER095W\ntfc3\tYAL001C\t-0.5\t\nrad54\tYGL163C\t0.5\t1\n"
    assert values(read(text)) == {
        ("YAL001C", "YBR123C"): -0.5,
        ("YGL163C", "YBR123C"): 0.5,
        ("YGL163C", "YER095W"): 1,
    }


def test_tree_view(read):
    text = (
        "GID\tYORF\tNAME\tGWEIGHT\ttfc1 - DAMP\tRAD51 - YER095W\nAID\t\t\t\tARRY0X\tARRY1X\n"
        "EWEIGHT\t\t\t\t1\t1\nGENE0X\tYAL001C\ttfc3\t1\t0.1\t0.2\nGENE1X\tYGL163C\trad54\t1\t\t-0.2\n"
    )
    table = read(text)
    assert values(table) == {
        ("YAL001C", "tfc1"): 0.1,
        ("YAL001C", "RAD51 (YER095W)"): 0.2,
        ("YGL163C", "RAD51 (YER095W)"): -0.2,
    }
    damp = schema.ALLELES.index("damp")
    assert dict(zip(table.names, table.kinds.tolist(), strict=True)) == {
        **dict.fromkeys(["YAL001C", "YGL163C", "RAD51 (YER095W)"], schema.DELETION),
        "tfc1": damp,
    }
    assert table.lines.tolist() == [4, 4, 5]


def test_symmetric_matrix_with_mutations_and_markers(read):
    text = (
        "Gene\tMutation\tMarker\tYAL001C\tYBR123C\tYER095W\n\t\t\tDELETION\tDAMP\tDELETION\n\t\t\tKAN\tKAN\tKAN\n"
        "YAL001C\tDELETION\tNAT\t\t1.5\t-2\nYBR123C\tDAMP\tNAT\t1.5\t0\t3\nYER095W\tDELETION\tNAT\t-1\t3\t\n"
    )
    table = read(text)
    assert table.genotypes == [
        ("YAL001C", "YBR123C"),
        ("YAL001C", "YER095W"),
        ("YBR123C", "YER095W"),
        ("YER095W", "YAL001C"),
    ]
    assert table.labels[:, SCORE].tolist() == [1.5, -2, 3, -1]  # the two values that differ are both kept
    assert table.query.tolist() == [0, 1, 0, 1]  # unknown where one number stands for both crosses
    assert [table.kinds[code] for code in table.codes[:2]] == [schema.DELETION, schema.ALLELES.index("damp")]
    assert (table.report[REPEATED], table.report[SELF]) == (2, 1)


def test_a_gene_with_itself_in_another_spelling_is_no_pair(read):
    table = read("a,tfc1,TFC3,rad51\ntfc3Δ,1,2,3\nYAL015C+TFC1_tm3,4,5,6\n")
    assert values(table) == {
        ("tfc3Δ", "tfc1"): 1,
        ("tfc3Δ", "rad51"): 3,
        ("YAL015C", "TFC1", "TFC3"): 5,
        ("YAL015C", "TFC1", "rad51"): 6,
    }
    assert table.query.tolist() == [1, 1, 2, 2]
    assert table.report[SELF] == 2


@pytest.mark.parametrize(
    "text",
    [
        "YBR123C YER095W\nYAL001C 0.5 1.25\n",  # R's write.table: no name above the names of the rows
        "# screen of 2019\nscores of all plates\n\nORF;YBR123C;YER095W\nYAL001C;0,5;1,25\n",
        '#ORF,YBR123C,"YER095W"\n"YAL001C",0.5,1.25\n',
        "ORF\tYBR123C\tYER095W\t\nYAL001C\t0.5\t1.25\t\n",
        "ORF\tYBR123C\tYER095W\t\nYAL001C\t0.5\t1.25\t7\n",  # a column without a name
        "﻿ORF|YBR123C|YER095W\r\nYAL001C|0.5|1.25\r\n",
    ],
)
def test_pairs_however_they_are_written(read, text):
    assert values(read(text)) == {("YAL001C", "YBR123C"): 0.5, ("YAL001C", "YER095W"): 1.25}


def test_names_that_are_numbers(read):
    assert values(read("id\t10\t20\n30\t0.5\t1\n10\t3\t-1\n")) == {("30", "10"): 0.5, ("30", "20"): 1, ("10", "20"): -1}


def test_columns_without_a_name_are_counted(read):
    table = read("ORF\tYBR123C\t\tYER095W\nYAL001C\t0.5\t7\t1.25\n\t1\t2\t3\n")
    assert values(table) == {("YAL001C", "YBR123C"): 0.5, ("YAL001C", "YER095W"): 1.25}
    assert table.report["columns without a name, left out"] == 1
    assert table.report["values in rows or columns without a gene, left out"] == 2


def test_a_matrix_of_genes_is_recognized_with_a_warning(read):
    with pytest.warns(DglcellWarning, match=r"matrix.txt is read as a matrix of interactions of pairs .2 rows x 3 col"):
        table = read(SGA, "auto")
    assert values(table) == values(read(SGA))
    with pytest.warns(DglcellWarning, match="matrix of interactions"):  # the same names on both axes
        assert len(read("x;a;b;c\na;;0,5;1,5\nb;0,5;;2\nc;1,5;2,25;\n", "auto")) == 4


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            ",A1BG (1),A1CF (29974),A2M (2)\nACH-000001,-0.1,0.2,1\n",
            r"is a matrix, but of what .rows: 1 .'ACH-000001'.; columns: 3 .'A1BG .1.', 'A1CF .29974.', 'A2M .2.'.. - "
            r"give matrix=\"pairs\" .* matrix=\"samples\"",
        ),
        ("ORF\tYBR123C\tYER095W\nYAL001C\t1\t2\n", "is a matrix, but of what"),  # two columns of numbers are too few
        ("ORF\tlog2_1\tlog2_2\tlog2_3\nYAL001C\t1\t2\t3\n", "is a matrix, but of what"),
        ("x\ta\tb\tc\na\t1\t0.1\t0\nb\t.1\t1\t2\nc\t0\t0\t1.0\n", "has 1 wherever a gene meets itself"),
        ("YAL001C\tYBR123C\nYAL002W\tYBR124C\n", "is no matrix"),
        ("YAL001C\t0.5\t0.75\nYAL002W\t0.5\t1\n", "is no matrix"),
        ("ORF\tYBR123C\tYER095W\tYGL163C\n", "is no matrix"),
    ],
)
def test_what_need_not_be_pairs_is_refused(read, text, what):
    with pytest.raises(DataError, match=what):
        read(text, "auto")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "1,A,B,C\nX,1,2,z\nY,2,3,4\nZ,y,2,1\n",
            "matrix.txt:4: 'y' in column A - a number .*matrix.txt:2: 'z' in column C",
        ),
        ("g,A,B,C\nX,1,2,3\nY,2,3\nZ,1,2,2\n", "matrix.txt:3: 3 columns - 4 were expected"),
        ("g,A,B,C\nX,NA,,\nA,1,,\nB,,2,\n", "has no value to read"),
    ],
)
def test_bad_matrices(read, text, what):
    with pytest.raises(DataError, match=what):
        read(text)


DEPMAP = ",A1BG (1),A1CF (29974),A2M (2)\nACH-000001,-0.1,0.2,\nACH-000002,0.1,,-1.5\nACH-000010,1,2,3\n"
TRANSPOSED = "\n".join(",".join(row) for row in zip(*(line.split(",") for line in DEPMAP.splitlines()), strict=True))


@pytest.mark.parametrize("text", [DEPMAP, TRANSPOSED + "\n"])
@pytest.mark.parametrize("condition", ["ACH-000002", " ach-000002 ", "002"])
@pytest.mark.parametrize("size", [30, 1 << 20])
def test_one_sample(read, text, condition, size):
    table = read(text, "samples", condition, size)
    assert values(table, FITNESS) == {("A1BG (1)",): 0.1, ("A2M (2)",): -1.5}
    assert table.lines.tolist() == ([3, 3] if text == DEPMAP else [2, 4])
    assert table.report["sample"] == "ACH-000002"
    assert table.report["matrix"] == (f"samples in {'rows' if text == DEPMAP else 'columns'}, 3 rows x 3 columns")
    assert (table.report["rows"], table.report["values missing"]) == (2, 1)


def test_a_sample_in_a_row_with_several_names(read):
    text = 'depmap_id,name,lineage,A1BG,A2M\nACH-1,"A,549",Lung,0.5,1\nACH-2,HeLa,Cervix,0.25,2\nACH-3,H1299,Lung,0,0\n'
    assert values(read(text, "samples", "HeLa"), FITNESS) == {("A1BG",): 0.25, ("A2M",): 2}
    assert read(text, "samples", "A,549").report["sample"] == "ACH-1 A,549 Lung"
    with pytest.raises(DataError, match=r'condition="Lung" fits 2 names .\'ACH-1\', \'ACH-3\'. - give the whole name'):
        read(text, "samples", "Lung")


FITNESS_BROWSER = (
    "orgId\tlocusId\tsysName\tgeneName\tdesc\t"
    "set1IT003 D-Glucose (C)\tset1IT004 D-Glucose (C)\tset1IT005 D-Fructose (C)\n"
    "Keio\t14146\tb0001\tthrL\tthr operon leader\t0.1\t0.2\t0.3\n"
    "Keio\t14147\t\tthrA\t\t-1\t\t-3\nKeio\t9\t\t\t\t1\t2\t3\n"
)


def test_fitness_browser(read):
    table = read(FITNESS_BROWSER, "samples", "D-Glucose (C)")  # two experiments: repeats
    assert table.genotypes == [("b0001",), ("thrA",), ("9",), ("b0001",), ("9",)]
    np.testing.assert_allclose(table.labels[:, FITNESS], [0.1, -1, 1, 0.2, 2])
    assert table.report["sample"] == "set1IT003 D-Glucose (C); set1IT004 D-Glucose (C)"
    assert (table.report["rows"], table.report["values missing"]) == (5, 1)
    one = read(FITNESS_BROWSER, "samples", "set1IT004 D-Glucose (C)")
    assert values(one, FITNESS) == {("b0001",): 0.2, ("9",): 2}
    assert values(read(FITNESS_BROWSER, "samples", "fructose"), FITNESS)[("b0001",)] == 0.3


@pytest.mark.parametrize(
    ("text", "condition", "what"),
    [
        (DEPMAP, None, r"no sample is chosen .rows: 3 .'ACH-000001', 'ACH-000002', .*; columns: 3 .'A1BG .1.'"),
        (DEPMAP, "ACH", r'condition="ACH" fits 3 names'),
        (DEPMAP, "HeLa", r'condition="HeLa" fits no name .rows: 3'),
        (DEPMAP, "2", r"fits 3 names .'ACH-000002', 'A1CF .29974.', 'A2M .2.'"),  # of rows and of columns
        (FITNESS_BROWSER, None, r"no sample is chosen .rows: 3 .'14146', '14147', '9'.; columns: 3 .'set1IT003 D-Glu"),
        (FITNESS_BROWSER, "D-Glucose", r"fits 2 names .'set1IT003 D-Glucose .C.'"),
        (DEPMAP.replace("ACH-000002,0.1", "ACH-000002,low"), "ACH-000002", "matrix.txt:3: 'low' in column of a gene"),
    ],
)
def test_a_sample_that_is_not_clear_is_refused(read, text, condition, what):
    with pytest.raises(DataError, match=what):
        read(text, "samples", condition)


def test_the_only_sample_needs_no_name(read):
    table = read("gene,lfc\ntfc3,-1\ntfc1,\nrad51,0.5\n", "samples")
    assert values(table, FITNESS) == {("tfc3",): -1, ("rad51",): 0.5}
    assert table.report["sample"] == "lfc"


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_examples_of_the_layouts(read, layout):
    pairs, samples = LAYOUTS
    table = read(layout.example, "pairs" if layout is pairs else "samples", "ACH-000001")
    assert table.layout == layout.name
    expected = {("YAL001C", "YBR123C"): -0.12, ("YAL001C", "YER095W"): 0.03}
    if layout is samples:
        expected = {("A1BG (1)",): -0.1, ("A1CF (29974)",): 0.2}
    assert values(table, SCORE if layout is pairs else FITNESS) == expected


def test_long_matrices_are_read_in_blocks(read, tmp_path, monkeypatch):
    names = [f"b{1000 + k}" for k in range(120)]
    text = "gene,one,two\n" + "".join(f"{name},{k},{-k}\n" for k, name in enumerate(names))
    path = tmp_path / "matrix.txt"
    path.write_text(text)
    blocks = list(read_matrix(path, "samples", "two", 200))
    assert len(blocks) > 2
    assert values(join(blocks), FITNESS) == {(name,): -k for k, name in enumerate(names)}
    monkeypatch.setattr("dglcell.readers.screens.pair_matrix._CELLS", 50)
    blocks = list(read_matrix(path, "pairs", None, 200))
    assert len(blocks) == 5  # of 25 rows
    assert join(blocks).labels[:, SCORE].reshape(120, 2).tolist() == [[k, -k] for k in range(120)]
    assert join(blocks).genotypes[::2] == [(name, "one") for name in names]
    assert join(blocks).lines.tolist() == np.repeat(np.arange(2, 122), 2).tolist()


def test_a_name_on_both_axes_is_no_sample(read):
    with pytest.raises(DataError, match=r'condition="b" fits 2 names .\'b\', \'b\'.'):
        read("x,a,b\nb,1,2\nc,3,4\n", "samples", "b")


@pytest.fixture
def screen(tmp_path):
    def reader(text, *how):
        path = tmp_path / "screen.txt"
        path.write_text(text)
        return read_screen(path, False, (), None, None, *how)

    return reader


COSTANZO = "YAL063C\tFLO9\tYBR266C\tSLM6\t1\t0\t0\nYAL041W_tsq532\tCDC24\tYCR009C\tRVS161\t2\t1\t1\n"


@pytest.mark.parametrize("how", [(), ("auto",), ("pairs",), ("samples", "fitness")])
def test_other_screens_are_read_as_ever(screen, how):
    """Several files may be read together, of which one is a matrix."""
    table = screen("genes\tfitness\tYAL001C\tYBR123C\nYAL001C\t0.5\t1\t2\n", *how)
    assert table.layout == "genotype table" and values(table, FITNESS) == {("YAL001C",): 0.5}
    assert screen(COSTANZO, *how).layout == "Costanzo 2010, 7 columns"
    assert screen("2 A B 1\n2 C A 0\n", *how).layout == "DCell"


def test_matrices_are_screens(screen):
    assert values(screen(SGA, "pairs"))[("YAL001C", "YBR123C")] == -0.12
    assert values(screen(DEPMAP, "samples", "ACH-000010"), FITNESS)[("A2M (2)",)] == 3
    genes = "ORF\tlb\tm9\nYAL001C\t-1\t0.5\nYBR123C\t-2\t1\n"  # would be a table of genes without labels
    assert values(screen(genes, "samples", "m9"), FITNESS) == {("YAL001C",): 0.5, ("YBR123C",): 1}
    with pytest.warns(DglcellWarning, match="is read as a matrix of interactions of pairs"):
        assert len(screen(SGA)) == 3


@pytest.mark.parametrize(
    "text",
    [DEPMAP, DEPMAP + DEPMAP.split("\n", 1)[1] * 3, "ORF\tlb\tm9\tx\ty\nYAL001C\t-1\t0.5\t0\t1\n", FITNESS_BROWSER],
)
def test_an_unclear_matrix_is_refused_with_both_ways_out(screen, text):
    with pytest.raises(DataError, match=r'matrix="pairs".* matrix="samples"') as caught:
        screen(text)
    assert "\n" not in str(caught.value)
