"""Cells of genes: strain ids, several genes in a cell, ids that hold separators, controls."""

from __future__ import annotations

import numpy as np
import pytest

import dglcell
from dglcell import schema
from dglcell.errors import DataError
from dglcell.readers.screens.read import read_rows, read_screen
from dglcell.readers.screens.strains import is_control, is_date, parse_genes, parse_strain

DELETION, TS, DAMP, OTHER = range(4)
KNOWN = {"tfc3", "tfc1", "ade5,7", "ade5", "7", "a|b", "abc_s1", "fig|83333.1.peg.4", "rad51 (5888)", "rad51", "5888"}


def knows(name):
    return name.lower() in KNOWN


def names_of(cell, is_gene=None):
    return [name for name, _ in parse_genes(cell, is_gene).genes]


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("TFC3;TFC1", ["TFC3", "TFC1"]),
        (" TFC3 ; TFC1 ;", ["TFC3", "TFC1"]),
        ("TFC3|TFC1", ["TFC3", "TFC1"]),
        ("TFC3+TFC1", ["TFC3", "TFC1"]),
        ("TFC3, TFC1", ["TFC3", "TFC1"]),
        ("TFC3 TFC1", ["TFC3", "TFC1"]),
        ("ADE5,7", ["ADE5,7"]),
        ("ADE5,7;TFC3", ["ADE5,7", "TFC3"]),
        ("fig|83333.1.peg.4", ["fig|83333.1.peg.4"]),
        ("fig|83333.1.peg.4;fig|83333.1.peg.5", ["fig|83333.1.peg.4", "fig|83333.1.peg.5"]),
        ("fig|83333.1.peg.4,fig|83333.1.peg.5", ["fig|83333.1.peg.4", "fig|83333.1.peg.5"]),
        ("5888,7157", ["5888", "7157"]),
        ("RAD51 (5888)", ["RAD51 (5888)"]),
        ("TFC3/TFC1", ["TFC3/TFC1"]),
        ("", []),
    ],
)
def test_genes_of_a_cell_without_a_cell_graph(cell, names):
    assert names_of(cell) == names


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("ADE5,7", ["ADE5,7"]),
        ("ADE5,7+TFC3", ["ADE5,7", "TFC3"]),
        ("ADE5,7 TFC3", ["ADE5,7", "TFC3"]),
        ("a|b", ["a|b"]),
        ("a|b,tfc1", ["a|b", "tfc1"]),
        ("abc_s1", ["abc_s1"]),
        ("abc_s1;tfc1_s2", ["abc_s1", "tfc1"]),
        ("abc_s1+tfc1", ["abc_s1", "tfc1"]),
        ("RAD51 (5888)", ["RAD51 (5888)"]),
        ("TFC3/TFC1", ["TFC3", "TFC1"]),
        ("TFC3&TFC1", ["TFC3", "TFC1"]),
        ("TFC3_TFC1", ["TFC3", "TFC1"]),
        ("TFC3_nobody", ["TFC3_nobody"]),
        ("TFC3,nobody", ["TFC3", "nobody"]),
        ("nobody|noone", ["nobody", "noone"]),
    ],
)
def test_a_name_that_the_cell_graph_knows_is_not_split(cell, names):
    assert names_of(cell, knows) == names


def test_a_known_spelling_of_all_genes_together_does_not_hide_one():
    """`TFC3:TFC1` may be read as a name with a database before it, as `SGD:TFC1` is."""
    assert names_of("TFC3:TFC1", lambda name: name.rsplit(":")[-1].lower() in KNOWN) == ["TFC3", "TFC1"]
    assert names_of("SGD:TFC1", lambda name: name.rsplit(":")[-1].lower() in KNOWN) == ["SGD:TFC1"]


@pytest.mark.parametrize("control", ["ctrl", "Control", "WT", "wild type", "wild-type", "non-targeting"])
def test_controls_are_no_deletion(control):
    assert is_control(control)
    assert names_of(control) == [] and names_of(f"TFC3+{control}") == names_of(f"TFC3;{control}") == ["TFC3"]
    assert names_of(control, lambda name: True) == [control]  # a gene of that name


def test_strain_ids_in_a_list_give_kinds_of_allele():
    assert parse_genes("YAL001C_tsa123;YBR123C_dma4").genes == (("YAL001C", TS), ("YBR123C", DELETION))
    assert parse_genes("YAL001C_tsa1+YBR123C_damp4").genes == (("YAL001C", TS), ("YBR123C", DAMP))
    assert parse_genes("YAL015C+YDL227C_tm461").genes == (("YAL015C", DELETION),)
    assert names_of("YAL015C+YDL227C") == ["YAL015C", "YDL227C"]  # HO is a gene unless a query strain is named


@pytest.mark.parametrize(
    ("strain", "allele", "query", "expected"),
    [
        ("YAL015C+YDL227C_tm461", "", False, [("YAL015C", DELETION)]),
        ("YAL015C+YDL227C", "", False, [("YAL015C", DELETION)]),
        ("YDL227C_dma1", "", False, [("YDL227C", DELETION)]),
        ("YDL227C", "ho\u0394", True, []),
        ("YAL001C_tsq5", "tfc3-g349e", False, [("YAL001C", TS)]),
        ("YBR111W-A+YAL001C_tm1", "ybr111w-a+tfc3-1", False, [("YBR111W-A", DELETION), ("YAL001C", OTHER)]),
    ],
)
def test_strains(strain, allele, query, expected):
    assert list(parse_strain(strain, allele, query).genes) == expected


def test_kinds_have_names():
    assert schema.ALLELES == ("deletion", "ts", "damp", "other")


def test_dates():
    dates = ["1-Sep", "01-Mar", "Mar-01", "2-Oct-2024", "2024-03-01", "2024-03-01 00:00:00"]
    assert [is_date(name) for name in dates] == [True] * 6
    assert not any(map(is_date, ["SEP1", "MARCH1", "DEC-1A", "YAL001C", "b0008", "1-2"]))


def test_a_gene_that_became_a_date_is_named(tmp_path):
    (tmp_path / "s.tsv").write_text("genes\tfitness\nA;B\t1\n1-Sep;B\t0.5\n\nMar-02\t0.1\n1-Sep\t0\n")
    with pytest.raises(DataError, match=r"s.tsv:3: '1-Sep' is a date - .*s.tsv:5: 'Mar-02' is a date") as caught:
        read_screen(tmp_path / "s.tsv")
    assert str(caught.value).count("is a date") == 2
    assert read_screen(tmp_path / "s.tsv", is_gene=lambda name: True).genotypes[1] == ("1-Sep", "B")


def test_a_date_in_a_workbook_is_named(tmp_path):
    import datetime

    import openpyxl

    book = openpyxl.Workbook()
    for row in (["gene_1", "gene_2", "fitness"], ["A", datetime.datetime(2024, 9, 1), 0.5]):
        book.active.append(row)
    book.save(tmp_path / "s.xlsx")
    with pytest.raises(DataError, match=r"s.xlsx:2: '2024-09-01 00:00:00' is a date"):
        read_screen(tmp_path / "s.xlsx")


def test_what_is_removed_is_counted(tmp_path):
    text = "genes\tfitness\nctrl\t1\nA_tsa1;ctrl\t0.5\nA_tsa1;B_tsa2\t0.4\nC+YDL227C_tm1\t0.3\n\t0.9\n"
    (tmp_path / "s.tsv").write_text(text)
    report = read_screen(tmp_path / "s.tsv").report
    assert report["controls (ctrl, WT, ..), no deletion"] == 2
    assert report["strain suffixes _tsa removed"] == 3
    assert report["control locus YDL227C (HO) in double-mutant strains, no deletion"] == 1
    assert report["rows of the wild type"] == 2


def test_blocks_of_many_rows_are_as_single_cells(tmp_path):
    """The genes of a long table, whose cells are split all at once."""
    rng = np.random.default_rng(0)
    kinds = ["{0};{1}", "{0}", "{0}_tsa1;{1}+{2}", "{0}|{1}", "ctrl", "{0};ctrl;{1}", "", "{0}; {1};{2}"]
    cells = [kinds[k % 8].format(*rng.choice([f"G{j}" for j in range(20)], 3)) for k in range(2000)]
    (tmp_path / "s.tsv").write_text("genes\tfitness\n" + "".join(f"{c}\t{k}\n" for k, c in enumerate(cells)))
    screen = read_screen(tmp_path / "s.tsv")
    assert screen.genotypes == [tuple(names_of(cell)) for cell in cells]
    kind_of_first = [list(parse_genes(cell).genes)[:1] for cell in cells]
    starts = screen.ptr[:-1][np.diff(screen.ptr) > 0]
    assert screen.kinds[screen.codes[starts]].tolist() == [genes[0][1] for genes in kind_of_first if genes]
    assert screen.labels[:, 0].tolist() == list(range(2000))


def test_callers_say_what_the_cell_graph_knows(tmp_path):
    """The screen, a data frame, the split and the prediction of a table split cells alike."""
    import pandas as pd

    cell = dglcell.build_cell(genes=["ADE5,7", "x_s1", "TFC3", "7"])
    (tmp_path / "s.csv").write_text('genes,fitness\n"ADE5,7",0.5\n"ADE5,7+TFC3",0.4\nx_s1,0.3\n')
    expected = [("ADE5,7",), ("ADE5,7", "TFC3"), ("x_s1",)]
    assert read_rows(tmp_path / "s.csv", is_gene=cell.has_gene).genotypes == expected
    frame = pd.read_csv(tmp_path / "s.csv")
    lists = frame.assign(genes=[list(genes) for genes in expected])
    for table in (
        dglcell.read_screen(tmp_path / "s.csv", cell),
        *(dglcell.read_screen(f, cell) for f in (frame, lists)),
    ):
        ids = cell.ids["gene"]
        genotypes = [[ids[g] for g in table.genes[a:b]] for a, b in zip(table.ptr[:-1], table.ptr[1:], strict=True)]
        assert genotypes == [sorted(genes) for genes in expected]
