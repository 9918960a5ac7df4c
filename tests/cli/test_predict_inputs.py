"""`predict` reads what `--screen` reads, and lists without a header; its output repeats the columns of the input."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

import dglcell

A, B, C = "b0008", "b0114", "b0115"  # talB, aceE, aceF
COSTANZO = (
    "Query Strain ID\tQuery allele name\tArray Strain ID\tArray allele name\tArraytype/Temp\t"
    "Genetic interaction score (ε)\tP-value\tQuery single mutant fitness (SMF)\tArray SMF\tDouble mutant fitness\t"
    "Double mutant fitness standard deviation\n"
    "b0008_sn1\ttalb\tb0114_dma2\tacee\tDMA30\t-0.0348\t5.0190E-03\t0.8\t0.9\t0.7\t0.01\n"
)


@pytest.fixture(scope="module")
def expected(trained: Path):
    """The cells of the predictions of a genotype."""
    run = dglcell.load_run(trained)

    def cells(genes):
        frame = run.predict([genes])
        values = [frame[name][0] for name in ("pred_fitness", "pred_gene_interaction")]
        return ["" if np.isnan(value) else f"{value:.6g}" for value in values]

    return cells


@pytest.fixture
def predict(cli, trained: Path, tmp_path: Path):
    def call(content, *options, name="table.txt", out="out.tsv"):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        done = cli("predict", trained, path, "--out", tmp_path / out, *options)
        if done.code:
            return done, []
        with open(tmp_path / out, newline="") as file:
            return done, list(csv.reader(file, delimiter="," if out.endswith(".csv") else "\t"))

    return call


@pytest.mark.parametrize(
    ("content", "header", "rows"),
    [
        ("gene1,gene2\nb0008,aceE\n", ["gene1", "gene2"], {("b0008", "aceE"): [A, B]}),
        ("gene_1,gene_2\ntalB,aceE\nb0008,\n,\n", ["gene_1", "gene_2"], {("talB", "aceE"): [A, B], (A, ""): [A]}),
        (
            "genes\tnote\nb0008;b0114\tx\n\t\n\ntalb;ACEF\ty\n",
            ["genes", "note"],
            {(f"{A};{B}", "x"): [A, B], ("talb;ACEF", "y"): [A, C]},
        ),
        ('id,genes\n1,"b0008;b0114"\n"2, b",b0008\n', ["id", "genes"], {("1", f"{A};{B}"): [A, B], ("2, b", A): [A]}),
        ("genes;note\nb0008;x, y\n", ["genes", "note"], {(A, "x, y"): [A]}),
        ("genes\tnote\r\nb0008;b0114\tµ\r\n".encode("utf-16"), ["genes", "note"], {(f"{A};{B}", "µ"): [A, B]}),
        (
            gzip.compress(b"Genes ,p\ntalB+ctrl,0.050\nctrl,\n", mtime=0),
            ["Genes", "p"],
            {("talB+ctrl", "0.050"): [A], ("ctrl", ""): []},
        ),
        (
            "genes\ntalBΔ;aceEΔ\nb0008_dma12;b0114_sn3\n",
            ["genes"],
            {("talBΔ;aceEΔ",): [A, B], ("b0008_dma12;b0114_sn3",): [A, B]},
        ),
        (
            "b0008\ntalB;aceE\n\naceF + b0008\n",
            ["genes"],
            {(A,): [A], ("talB;aceE",): [A, B], ("aceF + b0008",): [A, C]},
        ),
        ("b0008\tb0114\naceF\n", ["gene_1", "gene_2"], {(A, B): [A, B], ("aceF", ""): [C]}),
        (
            "2 b0008 b0114 0.10\n1 aceF -2e-1\n",
            ["genes", "gene_interaction"],
            {(f"{A};{B}", "0.10"): [A, B], ("aceF", "-2e-1"): [C]},
        ),
        (COSTANZO, COSTANZO.split("\n")[0].split("\t"), {tuple(COSTANZO.split("\n")[1].split("\t")): [A, B]}),
        (
            "# of 2019\nplate 3\n\ngenes;fitness\nb0008|b0114;0,810\n",
            ["genes", "fitness"],
            {("b0008|b0114", "0,810"): [A, B]},
        ),
    ],
)
def test_inputs(predict, expected, content, header, rows):
    done, table = predict(content)
    assert done.code == 0, done.err
    assert table[0] == [*header, "pred_fitness", "pred_gene_interaction"]
    assert table[1:] == [[*cells, *expected(genes)] for cells, genes in rows.items()]


def test_a_layout_without_a_header(predict, expected):
    done, table = predict("b0008_sn1\tx\tb0114_dma1\ty\t-0.1\t0.01\t1e-3\n" * 2)
    assert done.code == 0, done.err
    assert table[1] == ["b0008_sn1", "x", "b0114_dma1", "y", "-0.1", "0.01", "1e-3", *expected([A, B])]
    assert len({*table[0]}) == len(table[0]) and [table[0][0], table[0][2]] == ["strain_1", "strain_2"]
    assert table[0][1::2][:2] == ["column_2", "column_4"]


def test_a_workbook(predict, expected, tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["Notes of the lab"])
    sheet = book.create_sheet("screen")
    for row in (["genes", "n"], ["b0008;b0114", 3], [None, None], ["talB", None]):
        sheet.append(row)
    book.save(tmp_path / "table.xlsx")
    done, table = predict(None, name="table.xlsx", out="out.csv")
    assert done.code == 0, done.err
    assert table[1:] == [["b0008;b0114", "3", *expected([A, B])], ["talB", "", *expected([A])]]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (
            "score\tcolor\n0.5\tred\n1\tblue\n",
            "no table of genotypes of a known layout (its columns are 'score', 'color')",
        ),
        ("mutant\twell\nb0008x\tA1\n", "no table of genotypes of a known layout (its columns are 'mutant', 'well')"),
        (",A1BG (1),A1CF (29974)\nACH-000001,-0.1,0.2\n", "is no table of genotypes"),
        ("genes,pred_fitness\nb0008,1\n", "already has a column 'pred_fitness'"),
        ("genes\tnote\nnobody\tx\n", "no genotype has only genes of the cell: 'nobody'"),
        ("genes\tnote\n", "has a header but no rows"),
        ("genes,note\nb0008,x\nb0114\n", "table.txt:3: 1 column - 2 were expected"),
        ("genes\tgene_1\nb0008\tb0114\n", "columns 'genes' and 'gene_1'"),
    ],
)
def test_bad_inputs(predict, tmp_path, content, what):
    done, _ = predict(content)
    *_, last = done.err.splitlines()
    assert done.code == 1 and last.startswith("dglcell: error: ") and what in last
    assert not (tmp_path / "out.tsv").exists()


def test_an_unknown_gene_leaves_its_row_without_a_prediction(predict, expected):
    done, table = predict("genes\nb0008;nobody\nb0008;b0114\n")
    assert done.code == 0 and "'nobody' in 1 of 2 genotypes" in done.err
    assert table[1:] == [["b0008;nobody", "", ""], ["b0008;b0114", *expected([A, B])]]


def test_named_columns(predict, expected):
    done, table = predict("mutant\twell\nb0008;b0114\tA1\n", "--columns", "genes=mutant")
    assert done.code == 0, done.err
    assert table == [["mutant", "well", "pred_fitness", "pred_gene_interaction"], [f"{A};{B}", "A1", *expected([A, B])]]
    done, _ = predict("mutant\twell\nb0008\tA1\n", "--columns", "genes=strain", out="other.tsv")
    assert done.code == 1 and "--columns genes=strain: no table has all of these columns" in done.err
