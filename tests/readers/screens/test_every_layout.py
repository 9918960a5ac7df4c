"""Every layout: its example gives these values, however the table is separated, quoted, ordered and titled."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from dglcell.errors import DataError
from dglcell.readers.screens.read import read_rows, read_screen
from dglcell.readers.screens.screen_layouts import LAYOUTS

NAN = float("nan")
NONE = [NAN] * 4
KUZMIN_TRIPLE = ("YAL015C", "YOL043C", "YBL026W")
# In the sequence of LAYOUTS: layout, genotypes, labels, sd of the interaction, f_i f_j.
EXPECTED = [
    (
        "Costanzo 2016",
        [("YAL001C", "YBL026W"), ("YAL002W", "YBL007C")],
        [[0.7319, 0.0102, -0.0348, 0.005019], [0.73, 0.01, 0.01, NAN]],
        [NAN, NAN],
        [0.8285 * 0.9254, 0.72],
    ),
    (
        "Kuzmin",
        [("YAL015C", "YBL007C"), KUZMIN_TRIPLE],
        [[0.7367, 0.02, 0.0168, 0.36], [0.62, 0.03, -0.1, 0.02]],
        [NAN, NAN],
        [0.72, NAN],
    ),
    (
        "trigenic score output",
        [("YAL015C", "YBL007C"), ("YAL015C", "YOL043C", "YBL008W")],
        [[0.9787, 0.024, 0.0167, 0.3666], [0.5, 0.02, NAN, NAN]],
        [NAN, NAN],
        [NAN, NAN],
    ),
    (
        "query fitness",
        [("YAL015C",), ("YAL015C", "YAL041W")],
        [[0.95, 0.01, NAN, NAN], [0.7, 0.02, NAN, NAN]],
        [NAN, NAN],
        [NAN, NAN],
    ),
    (
        "single-mutant fitness",
        [("YAL001C",), ("YAL041W",)],
        [[0.8285, 0.1964, NAN, NAN], [0.7, 0.1, NAN, NAN]],
        [NAN, NAN],
        [NAN, NAN],
    ),
    ("SGA score output", [("YAL015C", "YDR006C")], [[0.8585, 0.0286, 0.0025, 0.475]], [0.0286], [0.856]),
    ("query and array strains", [("YAL001C", "YBR123C")], [[NAN, NAN, -0.12, 0.001]], [0.03], [NAN]),
    (
        "single mutants",
        [("YAL001C",), ("YAL002W",)],
        [[0.9395, 0.0988, NAN, NAN], [1.002, 0.007, NAN, NAN]],
        [NAN, NAN],
        [NAN, NAN],
    ),
    (
        "genotype table",
        [("b0118",), ("b0118", "b1276")],
        [[1, NAN, NAN, NAN], [0, NAN, -1, NAN]],
        [NAN, NAN],
        [NAN, NAN],
    ),
    (
        "genotype table",
        [("TFC3", "TFC1"), ("TFC3",)],
        [[0.81, NAN, NAN, NAN], [0.9, NAN, NAN, NAN]],
        [NAN, NAN],
        [NAN, NAN],
    ),
    (
        "Costanzo 2010, 7 columns",
        [("YAL063C", "YBR266C"), ("YAL041W", "YCR009C")],
        [[NAN, NAN, -0.1071, 1.878e-5], [NAN, NAN, 0.2, 0.01]],
        [0.0184, NAN],
        [NAN, NAN],
    ),
    (
        "SGA release, 9 columns",
        [("YAL001C", "YBR123C"), ("YER095W", "YGL163C")],
        [[0.81, 0.03, -0.12, 0.001], [0.9, 0.02, 0.01, 0.5]],
        [0.03, 0.02],
        [NAN, NAN],
    ),
    ("Costanzo 2010, 13 columns", [("YAL002W", "YBR111W-A")], [[0.35, 0.03, -0.1, 0.001]], [0.02], [0.45]),
    (
        "SGA score output, 12 columns",
        [("YAL015C", "YDR006C"), ("YAL015C", "YOL043C", "YDR006C")],
        [[0.8585, 0.0286, 0.0025, 0.475], [0.7, 0.03, NAN, NAN]],
        [0.0286, NAN],
        [0.856, NAN],
    ),
    (
        "single mutants, 3 columns",
        [("YAL001C",), ("YAL002W",), ("YAL005C",)],
        [[0.9395, 0.0988, NAN, NAN], [1.002, 0.007, NAN, NAN], NONE],
        [NAN] * 3,
        [NAN] * 3,
    ),
    (
        "DCell",
        [("YDR363W-A", "YGL087C"), ("YLR135W", "YOR005C")],
        [[NAN, NAN, 0.0526, NAN], [NAN, NAN, 0.031, NAN]],
        [NAN, NAN],
        [NAN, NAN],
    ),
]
CASES = list(zip(LAYOUTS, EXPECTED, strict=True))
WITH_HEADER = [(layout, expected) for layout, expected in CASES if layout.columns]
WITHOUT_HEADER = [(layout, expected) for layout, expected in CASES if layout.positions]


def name(value):
    return getattr(value, "name", "")


def rows_of(layout):
    delimiter = next((d for d in "\t," if d in layout.example), " ")
    return [line.split(delimiter) for line in layout.example.splitlines()]


def text_of(rows, delimiter, quoting=csv.QUOTE_MINIMAL):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\n").writerows(rows)
    return text.getvalue()


def decimal_commas(rows):
    return [
        [cell.replace(".", ",") if cell[-1:].isdigit() and "Y" not in cell else cell for cell in row] for row in rows
    ]


@pytest.fixture
def check(tmp_path):
    def checker(text, expected, first_line=2):
        path = tmp_path / "screen"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        screen = read_screen(path)
        layout, genotypes, labels, std, product = expected
        assert (screen.layout, screen.genotypes) == (layout, genotypes)
        for values, right in ((screen.labels, labels), (screen.interaction_std, std), (screen.expected, product)):
            np.testing.assert_allclose(values, np.array(right, dtype=np.float32), rtol=1e-4)
        assert screen.lines[0] == first_line
        assert read_rows(path).genotypes == genotypes

    return checker


@pytest.mark.parametrize(("layout", "expected"), CASES, ids=name)
def test_the_example_of_a_layout(check, layout, expected):
    check(layout.example, expected, first_line=1 + bool(layout.columns))
    assert layout.reads and layout.source


@pytest.mark.parametrize(("layout", "expected"), WITH_HEADER, ids=name)
def test_a_header_in_other_dress(check, layout, expected):
    rows = rows_of(layout)
    check(text_of(rows, "\t", csv.QUOTE_ALL), expected)
    check(text_of(rows, ","), expected)
    check(text_of(rows, ",").encode("utf-16"), expected)
    if ";" not in layout.example:
        check(text_of(decimal_commas(rows), ";"), expected)
    check(text_of(decimal_commas(rows), "\t"), expected)
    check("# by us, 2019\n\nTable S1. Scores, all of them\n\n" + text_of(rows, "\t"), expected, first_line=6)
    in_capitals = [[f" {cell.upper()} " for cell in rows[0]], *([f" {cell} " for cell in row] for row in rows[1:])]
    check(text_of(in_capitals, "\t"), expected)


@pytest.mark.parametrize(("layout", "expected"), WITH_HEADER, ids=name)
def test_columns_in_another_order_beside_others(check, layout, expected):
    rows = [["note", *row[::-1], "plate"] for row in rows_of(layout)]
    check(text_of(rows, "\t"), expected)
    check(text_of([[*row[::-1], ""] for row in rows_of(layout)], ","), expected)


@pytest.mark.parametrize(("layout", "expected"), WITH_HEADER, ids=name)
def test_a_workbook_with_a_sheet_of_notes_first(tmp_path, layout, expected):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["These are the notes", "of the screen"])
    sheet = book.create_sheet("scores")
    sheet.append(["Table S1. Scores"])
    sheet.append([])
    for row in rows_of(layout):
        sheet.append([float(cell) if cell[-1:].isdigit() and cell.lstrip("-")[0].isdigit() else cell for cell in row])
    book.save(tmp_path / "s.xlsx")
    screen = read_screen(tmp_path / "s.xlsx")
    assert (screen.layout, screen.genotypes, screen.lines[0]) == (expected[0], expected[1], 4)
    np.testing.assert_allclose(screen.labels, np.array(expected[2], dtype=np.float32), rtol=1e-4)


@pytest.mark.parametrize(("layout", "expected"), WITHOUT_HEADER, ids=name)
def test_no_header_in_other_dress(check, layout, expected):
    rows = rows_of(layout)
    check(text_of(rows, ","), expected, 1)
    check(text_of(rows, "\t", csv.QUOTE_ALL), expected, 1)
    check("# scores of 2019\n\n" + text_of(rows, "\t"), expected, 3)
    if layout.name != "DCell":
        check(text_of(decimal_commas(rows), ";"), expected, 1)


def test_published_files_of_other_columns(check):
    """The 8 columns of Kuzmin 2018, table S2; rows of triples without a score; a release of the SGA pipeline."""
    head = "Query strain ID\tQuery allele name\tArray strain ID\tArray allele name\tCombined mutant type\t"
    check(
        head + "Adjusted genetic interaction score (epsilon or tau)\tP-value\tInteraction type (digenic, ..)\n"
        "YAL015C+YDL227C_tm461\tntg1Δ+hoΔ\tYBR001C_dma91\tsla1Δ\tdigenic\t0.107534\t4.50E-03\tdigenic\n"
        "YAL015C+YBR002C_tm72\tntg1Δ+rer2-1\tYBR003W_dma90\tcoq1\ttrigenic\t-0.1\t3.30E-02\tnovel trigenic\n",
        (
            "Kuzmin",
            [("YAL015C", "YBR001C"), ("YAL015C", "YBR002C", "YBR003W")],
            [[NAN, NAN, 0.107534, 0.0045], [NAN, NAN, -0.1, 0.033]],
            [NAN, NAN],
            [NAN, NAN],
        ),
    )
    check(
        "\tQuery strain ID\tArray strain ID\tP-value\tCombined mutant fitness\t"
        "Combined mutant fitness standard deviation\tg1\tg2\tg3\n"
        "351320\tYIL005W+YKL207W_tm2420\tYHR191C_dma2228\t0.4994\t0.8347\t0.0454\tYHR191C\tYIL005W\tYKL207W\n",
        (
            "query and array strains",
            [("YIL005W", "YKL207W", "YHR191C")],
            [[0.8347, 0.0454, NAN, NAN]],
            [NAN],
            [NAN],
        ),
    )
    check(
        "Query ORF\tQuery gene name\tArray ORF\tArray gene name\tDouble mutant fitness\tEpsilon\tStandard deviation\t"
        "P-value\tExperiment\nYAL001C\tTFC3\tYBR123C\tTFC1\t0.81\t-0.12\t0.03\t1e-3\tFG30\n",
        ("query and array strains", [("YAL001C", "YBR123C")], [[0.81, NAN, -0.12, 0.001]], [0.03], [NAN]),
    )


@pytest.mark.parametrize(
    ("header", "gene"),
    [("gene1,gene2", "A"), ("Gene A,Gene B", "A"), ("ORF_1,ORF_2", "A"), ("strain_a,strain_b", "A_dma3")],
)
def test_names_of_gene_columns(check, header, gene):
    expected = ("genotype table", [("A", "B")], [[NAN, NAN, -0.5, NAN]], [NAN], [NAN])
    check(f"{header},Genetic interaction score\n{gene},B,-0.5\n", expected)


def test_a_row_with_a_comma_too_many_is_no_row_name(tmp_path):
    (tmp_path / "s.csv").write_text("genes,fitness\nA,0,5\nB,0,7\n")
    with pytest.raises(DataError, match=r"s.csv:2: 3 columns - 2 were expected; .*s.csv:3: 3 columns"):
        read_screen(tmp_path / "s.csv")
