"""Screens: the genotype table, Costanzo 2010, and what neither is."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import os

import numpy as np
import pytest

from dglcell.errors import DataError
from dglcell.readers import compression
from dglcell.readers.screens.read import read_rows, read_screen
from dglcell.readers.screens.strains import strip_strain
from dglcell.readers.tables.chunked_text import text_blocks

NAN = float("nan")
COSTANZO = """YAL063C\tFLO9\tYBR266C\tSLM6\t-0.1071\t0.0184\t1.8780e-05
YAL041W_tsq532\tCDC24\tYCR009C\tRVS161\t0.2\tNaN\t0.01
YAR019C_damp\tCDC15\tYCR028C-A\tRIM1\t\t0.0462\tNaN
"""


@pytest.fixture
def write(tmp_path):
    def writer(text, packed=False):
        path = tmp_path / "screen.tsv"
        path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        return path

    return writer


def test_genotype_table(write):
    text = "genes\tnote\tfitness\tgene_interaction_p_value\nA;B\tx\t0.5\t\n\ty\t1\tNA\n\nB ; C;A\tz\t-0.1\t1e-3\n"
    table, screen = read_rows(write(text)), read_screen(write(text))
    assert screen.genotypes == [("A", "B"), (), ("B", "C", "A")]
    expected = [[0.5, NAN, NAN, NAN], [1, NAN, NAN, NAN], [-0.1, NAN, NAN, 1e-3]]
    np.testing.assert_array_equal(screen.labels, np.array(expected, dtype=np.float32))
    assert screen.labels.dtype == np.float32
    assert screen.lines.tolist() == table.lines.tolist() == [2, 3, 5]
    assert table.header == ["genes", "note", "fitness", "gene_interaction_p_value"]
    assert table.rows[2] == ["B ; C;A", "z", "-0.1", "1e-3"]
    assert table.report["rows of the wild type"] == 1
    assert screen.report["rows with fitness"] == 3
    assert (screen.layout, screen.genotypes) == ("genotype table", table.genotypes)
    assert np.isnan(table.labels).all() and not hasattr(screen, "rows")


@pytest.mark.parametrize("packed", [False, True])
def test_genes_in_columns_of_their_own(write, packed):
    text = 'gene_2,Fitness,gene_10,GENE_1\nB,"0.5",,A\n,1,,\nD,0.25,C,\n'
    table, screen = read_rows(write(text, packed)), read_screen(write(text, packed))
    assert table.genotypes == screen.genotypes == [("A", "B"), (), ("D", "C")]
    assert screen.labels[:, 0].tolist() == [0.5, 1, 0.25]
    assert table.header == ["gene_2", "Fitness", "gene_10", "GENE_1"]


def test_quoted_cells(write):
    table = read_rows(write('"genes","comment"\n"A;B","one, two"\n"","he said ""no"""\n'))
    assert table.genotypes == [("A", "B"), ()]
    assert [row[1] for row in table.rows] == ["one, two", 'he said "no"']


def test_one_column(write):
    """A blank line is no genotype; the wild type is named."""
    table = read_rows(write("genes\nA;B\n\nC\nWT\n"))
    assert table.genotypes == [("A", "B"), ("C",), ()]
    assert table.lines.tolist() == [2, 4, 5]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "genes\tfitness\nA\tgood\nB\t1\nC\t1_0\n",
            "screen.tsv:2: 'good' in column fitness - a number was expected; .*:4: '1_0'",
        ),
        ("genes,fitness\nA,0,5\n", "screen.tsv:2: 3 columns - 2 were expected"),
        ("genes\tfitness\nA\n", "screen.tsv:2: 1 column - 2"),
        ("genes\tfitness\tFitness\nA\t1\t1\n", "screen.tsv:1: two columns have one meaning: 'fitness' and 'Fitness'"),
        ("genes\tgene_1\nA\tB\n", "columns 'genes' and 'gene_1'"),
        ("genes\tfitness\n", "has a header but no rows"),
        ('genes,fitness\nA,"open\nB,1\n', "screen.tsv:2: a quoted cell does not end"),
        ('genes,fitness,x\nA,1,"two\nlines"\nB,2,"open\nE,F,G,H\n', "screen.tsv:4: a quoted cell does .*:5: 4 columns"),
        ("gene_interaction\tfitness\n1\t1\n", "Costanzo 2016; Kuzmin.* was expected"),
        ("A\tB\t0.5\n", "no screen of a known layout .its columns are 'A', 'B', '0.5'"),
        ("", "is empty"),
        (
            COSTANZO + "YAL001C\tTFC3\tYBR001C\tNTH2\tlow\t0.1\thigh\n",
            ":4: 'low' in column 5 - .*:4: 'high'",
        ),
        (COSTANZO + "YAL001C\tTFC3\tYBR001C\n", "screen.tsv:4: 3 columns - 7 were expected"),
        (COSTANZO + "\tTFC3\tYBR001C\tNTH2\t1\t1\t1\n", "screen.tsv:4: an empty strain id"),
    ],
)
def test_bad_screens(write, text, what):
    with pytest.raises(DataError, match=what) as caught:
        read_screen(write(text))
    assert "\n" not in str(caught.value)


def test_a_table_for_prediction_has_any_layout(write):
    table = read_rows(write(COSTANZO))
    assert table.genotypes == read_screen(write(COSTANZO)).genotypes
    assert table.header == ["strain_1", "column_2", "strain_2", "column_4", *table.header[4:]]
    assert table.rows[2] == ["YAR019C_damp", "CDC15", "YCR028C-A", "RIM1", "", "0.0462", "NaN"]


@pytest.mark.parametrize("head", ["", "query_orf\tquery_name\tarray_orf\tarray_name\tepsilon\tsd\tp\n"])
def test_costanzo_2010(write, head):
    screen = read_screen(write(head + COSTANZO, packed=True))
    assert screen.layout == ("query and array strains" if head else "Costanzo 2010, 7 columns")
    assert screen.genotypes == [("YAL063C", "YBR266C"), ("YAL041W", "YCR009C"), ("YAR019C", "YCR028C-A")]
    expected = np.array([[NAN, NAN, -0.1071, 1.878e-5], [NAN, NAN, 0.2, 0.01], [NAN] * 4], dtype=np.float32)
    np.testing.assert_array_equal(screen.labels, expected)
    assert screen.lines.tolist() == [1 + bool(head), 2 + bool(head), 3 + bool(head)]
    assert screen.report["strain suffixes _tsq removed"] == screen.report["strain suffixes _damp removed"] == 1
    assert screen.report["rows with gene_interaction"] == 2


DCELL = "2 A B -0.1\n2 C A 0.2\n"
GENOTYPES = "genes\tfitness\nA;B\t0.5\nC\t1\n"
HEAD_2010 = "query_orf\tquery_name\tarray_orf\tarray_name\tepsilon\tsd\tp\n"


@pytest.mark.parametrize("above", ["\n", "\n\n", " \n\t\t\n\n", "\r\n\r\n", "\n" * 70_000])
@pytest.mark.parametrize("text", [COSTANZO, HEAD_2010 + COSTANZO, DCELL, GENOTYPES])
def test_blank_lines_above_a_screen_are_skipped(write, text, above):
    plain, screen = read_screen(write(text)), read_screen(write(above + text))
    assert (screen.layout, screen.genotypes) == (plain.layout, plain.genotypes)
    np.testing.assert_array_equal(screen.labels, plain.labels)
    assert (screen.lines - above.count("\n")).tolist() == plain.lines.tolist()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (COSTANZO + "YAL001C\tTFC3\n", r"screen.tsv:7: 2 columns - 7"),
        (HEAD_2010 + COSTANZO + "YAL001C\tTFC3\n", r"screen.tsv:8: 2 columns - 7"),
        (DCELL + "2 A B low\n", r"screen.tsv:6: 'low'"),
        (GENOTYPES + "D\tlow\n", r"screen.tsv:7: 'low'"),
        ("genes\tfitness\tFitness\tx\tX\n", r"screen.tsv:4: two columns have one meaning"),
        ("A\tB\t0.5\n", "no screen of a known layout .its columns are 'A', 'B', '0.5'"),
    ],
)
def test_lines_below_blank_ones_keep_their_numbers(write, text, what):
    with pytest.raises(DataError, match=what):
        read_screen(write("\n \n\n" + text))


@pytest.mark.parametrize("above", ["\n", " \n\t\t\n\n", "\r\n\r\n"])
def test_blank_lines_above_a_genotype_table_are_skipped(write, above):
    plain, table = read_rows(write(GENOTYPES)), read_rows(write(above + GENOTYPES))
    assert (table.genotypes, table.header, table.rows) == (plain.genotypes, plain.header, plain.rows)
    number = above.count("\n")
    assert (table.lines - number).tolist() == plain.lines.tolist()
    for text, what in (
        (GENOTYPES + "D\tlow\t1\n", f"screen.tsv:{4 + number}: 3 columns"),
        ("genes\tfitness\tFitness\n", f"screen.tsv:{1 + number}: two columns have one meaning"),
        ("genes\tgene_1\n", f"screen.tsv:{1 + number}: columns 'genes' and"),
        ("alpha\tbeta\tc\n", "no table of genotypes of a known layout .its columns are 'alpha', 'beta', 'c'"),
    ):
        with pytest.raises(DataError, match=what):
            read_rows(write(above + text))


def test_empty_rows_above_a_table_in_a_workbook_are_skipped(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.create_sheet("empty", 0)
    for row in [[], [None] * 7, *(line.split("\t") for line in COSTANZO.splitlines())]:
        book.worksheets[1].append(row)
    book.save(tmp_path / "s.xlsx")
    screen = read_screen(tmp_path / "s.xlsx")
    assert screen.layout == "Costanzo 2010, 7 columns"
    assert screen.lines.tolist() == [3, 4, 5]


class Failing(io.BytesIO):
    """A file on a disk that fails after the first kilobyte."""

    def read(self, size=-1):
        if self.tell() >= 1024:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(min(size, 1024))


@pytest.mark.parametrize("packed", [False, True])
def test_a_disk_that_fails_is_not_damaged_gzip_data(write, monkeypatch, packed):
    rows = "".join(f"G{k};G{k * k}\t{k / 7}\n" for k in range(3000))
    path = write("genes\tfitness\n" + rows, packed)
    assert path.stat().st_size > 4096
    content = path.read_bytes()
    monkeypatch.setattr(compression, "open_stored", lambda path: contextlib.nullcontext(Failing(content)))
    with pytest.raises(DataError, match=r"screen.tsv cannot be read \(Input/output error\) - ") as caught:
        list(text_blocks(path, 512))
    assert "gzip" not in str(caught.value)


def test_damaged_gzip_data_is_named(write):
    path = write(GENOTYPES * 1000, packed=True)
    content = path.read_bytes()
    for damaged in (content[:-8] + b"\0" * 8, content[:12] + b"\xff" * 20 + content[32:], content + b"\1\2"):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="its gzip data is damaged"):
            list(text_blocks(path))


@pytest.mark.parametrize(
    ("strain", "expected"),
    [
        ("YAL041W_tsq532", ("YAL041W", "tsq")),
        ("YAR019C_damp", ("YAR019C", "damp")),
        ("YAL002W_dma12", ("YAL002W", "dma")),
        ("YBR111W-A_sn4", ("YBR111W-A", "sn")),
        ("YAL041W_tsa1", ("YAL041W", "tsa")),
        ("YDL227C_tm461", ("YDL227C", "tm")),
        ("YAL001C", ("YAL001C", "")),
        ("gene_snx", ("gene_snx", "")),
    ],
)
def test_strain_suffixes(strain, expected):
    assert strip_strain(strain) == expected
