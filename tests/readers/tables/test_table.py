"""Tables: header, delimiter and columns are found, whatever stands above them and however cells are quoted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dglcell.errors import DataError, UsageError
from dglcell.readers.tables.column_map import ColumnMap, check_used
from dglcell.readers.tables.layout import Layout
from dglcell.readers.tables.table import open_table

NAMED = Layout(
    name="named pairs",
    reads="pairs",
    example="",
    columns={"gene_*": r"gene(\d)", "fitness": "fitness|smf"},
    optional=("fitness",),
)
PLAIN = Layout(
    name="two columns",
    reads="pairs",
    example="",
    positions={"gene_1": 0, "gene_2": 1},
    cells={"gene_1": "text", "gene_2": "text"},
    widths=(2, 3),
)


@pytest.fixture
def read(tmp_path):
    def reader(text, *maps, encoding="utf-8"):
        path = tmp_path / "pairs.txt"
        path.write_bytes(text.encode(encoding))
        table = open_table(path, [NAMED, PLAIN], "list of pairs", maps, NAMED)
        (columns,) = table.read_all(["gene_1", "gene_2"], ["fitness"])
        genes = [columns.cells(table.columns[role]) for role in ("gene_1", "gene_2")]
        values = columns.numbers.get(table.columns.get("fitness", -1), np.full(len(columns), np.nan))
        return table, list(zip(*genes, values.tolist(), strict=True)), columns.lines.tolist()

    return reader


@pytest.mark.parametrize(
    ("text", "rows", "lines"),
    [
        ("gene1,gene2,fitness\na,b,0.9\n", [("a", "b", 0.9)], [2]),
        ('Gene 1 ;"GENE-2"; Fitness\na;b;0,9\n', [("a", "b", 0.9)], [2]),
        ("# gene 1 of gene 2, fitness\ngene1 gene2 fitness\na b 0.9\n", [("a", "b", 0.9)], [3]),
        ("#gene1\tgene2\tfitness\na\tb\t1\n# plate 2\nc\td\t2\n", [("a", "b", 1), ("c", "d", 2)], [2, 4]),
        ("Data, gene1, gene2\n\ngene1\tgene2\tfitness\na\tb\t0.9\t\n", [("a", "b", 0.9)], [4]),
        ("smf,gene2,note,gene1\n1,b,x,a\n,,,\n\n2,d,,c\n", [("a", "b", 1), ("c", "d", 2)], [2, 5]),
        ('"gene1","gene2","fitness"\n"1","ADE5,7","x",0.5\n', [("ADE5,7", "x", 0.5)], [2]),  # R's row names
        ('gene1,"gene\n2",fitness\n"a\nb",c,1\nd,e,2\n', [("a b", "c", 1), ("d", "e", 2)], [3, 5]),
        ('gene1\tgene2\tfitness\n5"-x\t"y\t1\n', [('5"-x', '"y', 1)], [2]),  # quotes that are characters
        ("gene1\tgene2\tfitness\na\tb\tNA\n", [("a", "b", "nan")], [2]),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_headers_and_rows(read, text, rows, lines, encoding, ending):
    table, values, numbers = read(text.replace("\n", ending), encoding=encoding)
    assert table.layout is NAMED
    assert [(a, b, str(float(x))) for a, b, x in values] == [(a, b, str(float(x))) for a, b, x in rows]
    assert numbers == lines


def test_rows_without_a_header(read):
    table, values, _ = read("a b\nc  d\n")
    assert (table.layout, table.delimiter, table.header) == (PLAIN, " ", ())
    assert [row[:2] for row in values] == [("a", "b"), ("c", "d")]


def test_trailing_delimiters_without_a_header(read):
    table, values, lines = read("a\tb\t\t\t\nc\td\t\t\t\n\ne\tf\n")
    assert (table.layout, table.columns, table.width) == (PLAIN, {"gene_1": 0, "gene_2": 1}, 2)
    assert ([row[:2] for row in values], lines) == ([("a", "b"), ("c", "d"), ("e", "f")], [1, 2, 4])


def test_columns_beyond_the_common_width_are_none(tmp_path):
    wide = dataclasses.replace(PLAIN, positions={"gene_1": 0, "gene_2": 1, "value": 2})
    (tmp_path / "pairs.txt").write_text("\ta\tb\nc\td\ne\tf\ng\th\n")
    table = open_table(tmp_path / "pairs.txt", [wide], "list of pairs")
    assert (table.width, table.columns) == (2, {"gene_1": 0, "gene_2": 1})


@pytest.mark.parametrize(("cells", "value"), [("1,234 0,5", 1.234), ("12,5 3,25", 12.5), ("1,2345", 1.2345)])
def test_decimal_commas(read, cells, value):
    assert read("gene1\tgene2\tfitness\n" + "".join(f"a\tb\t{cell}\n" for cell in cells.split()))[1][0] == (
        "a",
        "b",
        value,
    )


def test_a_comma_that_may_separate_thousands_is_refused(read):
    with pytest.raises(DataError, match=r"pairs.txt: '1,234' may be 1234 or 1.234 - write numbers without"):
        read("gene1\tgene2\tfitness\na\tb\t1,234\na\tc\t5\n")


def test_a_first_row_becomes_the_header(tmp_path):
    (tmp_path / "pairs.txt").write_text("# note\n\nfirst\tsecond\nc\td\n")
    table = open_table(tmp_path / "pairs.txt", [PLAIN], "list of pairs").with_header()
    assert (table.header, table.header_line, table.name("gene_2")) == (("first", "second"), 3, "second")
    (columns,) = table.read_all(["gene_1", "gene_2"])
    assert (columns.cells(0), columns.cells(1), columns.lines.tolist()) == (["c"], ["d"], [4])


def test_named_columns(read):
    text = "ORF_A\tORF, second\teps\nx\ty\t0.5\n"
    assert read(text)[0].layout is PLAIN  # three columns of anything
    for columns in ("gene_1=ORF_A,gene_2=orf second,fitness=3", "pairs.txt:gene_1=1,gene_2=2,fitness=eps"):
        column_map = ColumnMap.parse(columns)
        assert read(text, column_map)[1] == [("x", "y", 0.5)]
        check_used([column_map])
    assert read("x\ty\t0.5\n", ColumnMap.parse("gene_1=2,gene_2=1,fitness=3"))[1] == [("y", "x", 0.5)]


def test_named_columns_that_do_not_fit(read):
    text = "ORF_A\tORF_B\teps\nx\ty\t0.5\n"
    other = ColumnMap.parse("gene_1=first,gene_2=second")
    assert read(text, other)[0].layout is PLAIN
    with pytest.raises(DataError, match=r'columns="gene_1=first,gene_2=second": no table has all of these columns'):
        check_used([other])
    with pytest.raises(DataError, match=r"pairs.txt has no columns first, 2"):
        read(text, ColumnMap.parse("pairs.txt:gene_1=first,gene_2=2"))
    with pytest.raises(UsageError, match=r"growth in pairs.txt - fitness, gene_\* were expected"):
        read(text, ColumnMap.parse("pairs.txt:gene_1=1,growth=2"))
    for wrong in ("", "gene_1", "gene_1=", "=x"):
        with pytest.raises(UsageError, match=r"ROLE=COLUMN,.. was expected"):
            ColumnMap.parse(wrong)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("gene1\tgene2\tgene 2\na\tb\tc\n", "pairs.txt:1: two columns have one meaning: 'gene2' and 'gene 2'"),
        ("gene1\tgene2\tfitness\na\tb\tc\n", "pairs.txt:2: 'c' in column fitness - a number was expected"),
        ("gene1\tgene2\tfitness\na\tb\t1\nc\td\n", "pairs.txt:3: 2 columns - 3 were expected"),
        ('gene1,gene2,fitness\na,b,1\n"c,d,2\n', "pairs.txt:3: a quoted cell does not end in this row"),
        (
            "strain\tmate\tplate\teps\nA\tB\tp\t1\n",
            r"pairs.txt is no list of pairs of a known layout \(its columns are 'strain', 'mate', 'plate', 'eps'\) - .*"
            'name its columns, for example columns="gene_1=strain,gene_2=mate,fitness=eps"',
        ),
    ],
)
def test_problems_are_named(read, text, what):
    with pytest.raises(DataError, match=what) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_a_title_may_have_more_cells_than_the_header(read, tmp_path):
    assert read("Screen, of 2019, 30 C, by us\ngene1,gene2,fitness\na,b,0.9\n")[1] == [("a", "b", 0.9)]
    padded = "Table S1\t\t\t\n" + "x\t\t\t\n" * 9 + "gene1\tgene2\tfitness\t\na\tb\t0.9\t\n"  # as from a workbook
    assert read(padded)[1:] == ([("a", "b", 0.9)], [12])


def test_blank_cells_above_rows_without_a_header(read):
    assert read(" \n\t\t\na b\nc  d\n")[0].delimiter == " "


def test_row_names_of_r_between_commas_are_quoted(read):
    assert read('"gene1","gene2","fitness"\n"1","a","b",0.5\n')[1] == [("a", "b", 0.5)]
    assert read("gene1\tgene2\tfitness\n1\ta\tb\t0.5\n")[1] == [("a", "b", 0.5)]
    with pytest.raises(DataError, match=r"pairs.txt:2: 4 columns - 3 were expected"):  # a decimal comma
        read("gene1,gene2,fitness\na,b,0,5\n")


def test_a_column_is_preferred_to_others_of_the_same_meaning():
    layout = Layout(name="x", reads="", example="", columns={"gene_*": r"gene(\d+)", "strain": "strain > orf"})
    assert layout.match_header(["ORF", "Strain", "gene 3"]) == {"gene_3": 2, "strain": 1}
    assert layout.match_header(["ORF", "gene 3"]) == {"gene_3": 1, "strain": 0}
    with pytest.raises(DataError, match="'ORF' and 'orf'"):
        layout.match_header(["ORF", "orf", "gene1"])
    labels = Layout(name="x", reads="", example="", columns={"gene_*": r"gene(\d+)", "gene_interaction": "eps"})
    assert labels.match_header(["eps", "fitness"]) is None  # gene_interaction is no gene
