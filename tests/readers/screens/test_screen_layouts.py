"""ScreenLayout layouts: recognised from content, each column where it belongs, strains as genes."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from dglcell.errors import DataError
from dglcell.readers.screens.read import read_blocks, read_screen
from dglcell.readers.tables.chunked_text import text_blocks

NAN = float("nan")
DELETION, TS, DAMP, OTHER = range(4)

COSTANZO_13 = [
    "query_orf",
    "query_gene_name",
    "array_orf",
    "array_gene_name",
    "gi_score",
    "sd",
    "p",
    "query_smf",
    "query_smf_sd",
    "array_smf",
    "array_smf_sd",
    "double_mutant_fitness",
    "double_mutant_fitness_sd",
]
ROWS_13 = [
    ["YAL002W", "VPS8", "YBR111W-A", "SUS1", "-0.1", "0.02", "0.001", "0.9", "0.01", "0.5", "0.02", "0.35", "0.03"],
    ["YAL041W_tsq532", "CDC24", "YCR009C", "RVS161", "NaN", "NaN", "NaN", "0.8", "0.1", "1.0", "0.1", "NaN", "NaN"],
]
HEAD_2016 = [
    "Query Strain ID",
    "Query allele name",
    "Array Strain ID",
    "Array allele name",
    "Arraytype/Temp",
    "Genetic interaction score (ε)",
    "P-value",
    "Query single mutant fitness (SMF)",
    "Array SMF",
    "Double mutant fitness",
    "Double mutant fitness standard deviation",
]
ROW_2016 = [
    "YAL001C_tsq508",
    "tfc3-g349e",
    "YBL026W_tsa1065",
    "lsm2-5",
    "TSA30",
    "-0.0348",
    "0.005",
    "0.8285",
    "0.9254",
    "0.7319",
    "0.0102",
]
SGA = [
    [
        "YAL015C+YDL227C_tm461",
        "YDR006C_dma836",
        "1.28",
        "14.6",
        "0.475",
        "NaN",
        "NaN",
        "0.856",
        "0.004",
        "0.856",
        "0.8585",
        "0.0286",
    ],
    [
        "YAL015C+YOL043C_tm72",
        "YDR006C_dma836",
        "-60",
        "14.6",
        "0.01",
        "NaN",
        "NaN",
        "0.856",
        "0.004",
        "0.8",
        "0.7",
        "0.03",
    ],
]
HEAD_KUZMIN = [
    "Query strain ID",
    "Query allele name",
    "Array strain ID",
    "Array allele name",
    "Combined mutant type",
    "Raw genetic interaction score (ε)",
    "Adjusted genetic interaction score (ε or τ)",
    "P-value",
    "Query single/double mutant fitness",
    "Array single mutant fitness",
    "Double/triple mutant fitness",
    "Double/triple mutant fitness standard deviation",
]
KUZMIN = [
    [
        "YAL015C+YDL227C_tm461",
        "ntg1Δ+hoΔ",
        "YBL007C_dma91",
        "sla1Δ",
        "digenic",
        "0.0167",
        "0.0168",
        "0.36",
        "0.9",
        "0.8",
        "0.7367",
        "0.02",
    ],
    [
        "YAL015C+YOL043C_tm72",
        "ntg1Δ+ntg2-5",
        "YBL026W_tsa91",
        "lsm2-5",
        "trigenic",
        "-0.3",
        "-0.1",
        "0.02",
        "0.9",
        "0.8",
        "-0.01",
        "0.02",
    ],
    [
        "YAL015C+YOL043C_tm72",
        "ntg1Δ+ntg2-5",
        "YBL007C_dma91",
        "sla1Δ",
        "trigenic",
        "-0.2",
        "NaN",
        "NaN",
        "0.9",
        "0.8",
        "0.5",
        "0.02",
    ],
]
HEAD_6 = [
    "Query Strain ID",
    "Array Strain ID",
    "Adjusted genetic interaction score (epsilon or tau)",
    "P-value",
    "Double/triple mutant fitness",
    "Double/triple mutant fitness standard deviation",
]
ROWS_6 = [
    ["YAL015C+YDL227C_tm461", "YBL007C_dma91", "0.0167", "3.666e-01", "0.9787", "0.0240"],
    ["YAL015C+YOL043C_tm72", "YBL008W_dma90", "-0.2", "1e-3", "0.5", "0.02"],
]
HEAD_QUERY = [
    "Query Strain ID",
    "ORF1",
    "ORF2",
    "Gene1",
    "Gene2",
    "Allele1",
    "Allele2",
    "Mutant type",
    "Fitness",
    "St.dev.",
]
ROWS_QUERY = [
    ["tm10", "YAL015C", "YDL227C", "NTG1", "HO", "ntg1Δ", "hoΔ", "single", "0.95", "0.01"],
    ["tm11", "YAL015C", "YAL041W", "NTG1", "CDC24", "ntg1Δ", "cdc24-5", "double", "0.7", "0.02"],
]
HEAD_SMF = [
    "Strain ID",
    "Systematic gene name",
    "Allele/Gene name",
    "Single mutant fitness (26°)",
    "Single mutant fitness (26°) stddev",
    "Single mutant fitness (30°)",
    "Single mutant fitness (30°) stddev",
]
ROWS_SMF = [
    ["YAL001C_damp174", "YAL001C", "tfc3_damp", "0.9395", "0.0988", "0.8", "0.05"],
    ["YAL041W_tsa1", "YAL041W", "cdc24-1", "0.7", "0.1", "NaN", "NaN"],
    ["YBR126C_S26", "YBR126C", "tps1-supp2", "NaN", "NaN", "NaN", "NaN"],
]


def table(rows, mark="\t"):
    return "".join(mark.join(map(str, row)) + "\n" for row in rows)


@pytest.fixture
def read(tmp_path):
    def reader(text, encoding="utf-8", packed=False, **options):
        path = tmp_path / "screen.txt"
        content = text.encode(encoding)
        path.write_bytes(gzip.compress(content) if packed else content)
        return read_screen(path, **options)

    return reader


def kinds_of(screen):
    kinds = screen.kinds[screen.codes].tolist()
    return [kinds[a:b] for a, b in zip(screen.ptr[:-1], screen.ptr[1:], strict=True)]


def same(array, expected):
    np.testing.assert_allclose(np.asarray(array), np.array(expected, dtype=np.float32), rtol=1e-5)


@pytest.mark.parametrize("head", [[], [COSTANZO_13]])
def test_costanzo_2010_of_13_columns(read, head):
    screen = read(table(head + ROWS_13))
    assert screen.layout == ("query and array strains" if head else "Costanzo 2010, 13 columns")
    assert screen.genotypes == [("YAL002W", "YBR111W-A"), ("YAL041W", "YCR009C")]
    same(screen.labels, [[0.35, 0.03, -0.1, 0.001], [NAN] * 4])
    same(screen.interaction_std, [0.02, NAN])
    same(screen.expected, [0.45, 0.8])
    assert kinds_of(screen) == [[DELETION, DELETION], [TS, DELETION]]
    assert screen.lines.tolist() == [1 + len(head), 2 + len(head)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_costanzo_2016(read, encoding):
    screen = read(table([HEAD_2016, ROW_2016]), encoding)
    assert (screen.layout, screen.genotypes) == ("Costanzo 2016", [("YAL001C", "YBL026W")])
    same(screen.labels, [[0.7319, 0.0102, -0.0348, 0.005]])
    same(screen.expected, [0.8285 * 0.9254])
    assert np.isnan(screen.interaction_std).all()
    assert kinds_of(screen) == [[TS, TS]]


@pytest.mark.parametrize("mangled", ["?", "\u00ce\u00b5", "e", ""])
def test_a_mangled_greek_letter_does_not_matter(read, mangled):
    head = [cell.replace("\u03b5", mangled).replace("\u03c4", mangled) for cell in HEAD_2016]
    assert read(table([head, ROW_2016]), "latin-1").layout == "Costanzo 2016"
    head = [cell.replace("\u03b5", mangled).replace("\u03c4", mangled) for cell in HEAD_KUZMIN]
    rows = [[cell.replace("\u0394", mangled) for cell in row] for row in KUZMIN]
    assert read(table([head, *rows]), "latin-1").layout == "Kuzmin"


def test_sga_score_output(read):
    """Epsilon is the observed fitness minus the expected one, whose sd is its own; HO is no deletion."""
    screen = read(table(SGA))
    assert screen.layout == "SGA score output, 12 columns"
    assert screen.genotypes == [("YAL015C", "YDR006C"), ("YAL015C", "YOL043C", "YDR006C")]
    same(screen.labels, [[0.8585, 0.0286, 0.0025, 0.475], [0.7, 0.03, NAN, NAN]])
    same(screen.interaction_std, [0.0286, NAN])
    same(screen.expected, [0.856, NAN])
    assert screen.report["control locus YDL227C (HO) in double-mutant strains, no deletion"] == 1


def test_kuzmin_takes_the_adjusted_score_alone(read):
    screen = read(table([HEAD_KUZMIN, *KUZMIN]))
    assert screen.layout == "Kuzmin"
    pair, triple = ("YAL015C", "YBL007C"), ("YAL015C", "YOL043C", "YBL026W")
    assert screen.genotypes == [pair, triple, ("YAL015C", "YOL043C", "YBL007C")]
    labels = [[0.7367, 0.02, 0.0168, 0.36], [-0.01, 0.02, -0.1, 0.02], [0.5, 0.02, NAN, NAN]]
    same(screen.labels, labels)
    same(screen.expected, [0.72, NAN, NAN])
    assert kinds_of(screen) == [[DELETION, DELETION], [DELETION, OTHER, TS], [DELETION, OTHER, DELETION]]
    assert screen.query.tolist() == [1, 2, 2]
    assert not any("raw" in what for what in screen.report)


def test_raw_scores_of_triples_are_left_out_unless_asked_for(read):
    screen = read(table([HEAD_6, *ROWS_6]))
    assert screen.layout == "trigenic score output"
    assert screen.genotypes == [("YAL015C", "YBL007C"), ("YAL015C", "YOL043C", "YBL008W")]
    same(screen.labels, [[0.9787, 0.024, 0.0167, 0.3666], [0.5, 0.02, NAN, NAN]])
    assert screen.report["raw trigenic scores (not adjusted for the pairs), left out"] == 1
    asked = read(table([HEAD_6, *ROWS_6]), raw_scores=True)
    same(asked.labels[1], [0.5, 0.02, -0.2, 0.001])
    assert asked.report["raw trigenic scores (not adjusted for the pairs), used"] == 1
    assert np.isfinite(read(table(SGA), raw_scores=True).labels[1, 2])


def test_query_fitness(read):
    screen = read(table([HEAD_QUERY, *ROWS_QUERY]))
    assert screen.layout == "query fitness"
    assert screen.genotypes == [("YAL015C",), ("YAL015C", "YAL041W")]
    assert kinds_of(screen) == [[DELETION], [DELETION, OTHER]]
    same(screen.labels, [[0.95, 0.01, NAN, NAN], [0.7, 0.02, NAN, NAN]])
    single = ["tm1", "YAL015C", "", "NTG1", "", "", "", "single", "0.9", ""]
    assert read(table([HEAD_QUERY, single])).genotypes == [("YAL015C",)]


@pytest.mark.parametrize("mark", ["\t", ";", ","])
def test_single_mutant_fitness(read, mark):
    rows = [HEAD_SMF, *ROWS_SMF]
    if mark == ";":
        rows = [HEAD_SMF, *([*row[:3], *(cell.replace(".", ",") for cell in row[3:])] for row in ROWS_SMF)]
    screen = read(table(rows, mark))
    assert screen.layout == "single-mutant fitness"
    assert screen.genotypes == [("YAL001C",), ("YAL041W",), ("YBR126C",)]
    same(screen.labels[:, :2], [[0.8, 0.05], [0.7, 0.1], [NAN, NAN]])
    assert screen.report["rows with fitness at 26 degrees, as 30 was not measured"] == 1
    assert kinds_of(screen) == [[DAMP], [TS], [OTHER]]


def test_dcell(read):
    screen = read("2 YDR363W-A YGL087C 0.0526\n2  YLR135W YOR005C 0.031\n1 YAL001C 0.1\n3 A B C 0.4\n")
    assert (screen.layout, screen.genotypes[0]) == ("DCell", ("YDR363W-A", "YGL087C"))
    same(screen.labels[:, 2], [0.0526, 0.031, 0.1, NAN])
    with pytest.raises(DataError, match=r":2: '2 A 0.1' - the number of genes, the genes and a score"):
        read("2 A B 0.5\n2 A 0.1\n")


@pytest.mark.parametrize("title", [[], [["Data S1. Trigenic interactions", None]]])
def test_workbooks_with_a_title_above_the_header(tmp_path, title):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["About this file"])
    sheet = book.create_sheet("scores")
    for row in [*title, HEAD_KUZMIN, *KUZMIN[:2], [None] * 12, KUZMIN[2]]:
        sheet.append([float(cell) if k > 4 and str(cell)[-1:].isdigit() else cell for k, cell in enumerate(row)])
    book.save(tmp_path / "kuzmin.xlsx")
    screen = read_screen(tmp_path / "kuzmin.xlsx")
    assert (screen.layout, len(screen)) == ("Kuzmin", 3)
    same(screen.labels[:, 2], [0.0168, -0.1, NAN])
    assert screen.lines.tolist() == [len(title) + k for k in (2, 3, 5)]


def test_a_workbook_without_a_screen(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["nothing", "here"])
    book.save(tmp_path / "x.xlsx")
    with pytest.raises(DataError, match=r"no screen of a known layout .its columns are 'nothing', 'here'"):
        read_screen(tmp_path / "x.xlsx")
    (tmp_path / "y.xlsx").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(DataError, match=r"y.xlsx: its zip data is damaged"):
        read_screen(tmp_path / "y.xlsx")


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        (
            [HEAD_KUZMIN, KUZMIN[0], [*KUZMIN[1][:6], "low", *KUZMIN[1][7:]]],
            ":3: 'low' in column Adjusted genetic interaction score",
        ),
        ([HEAD_2016, ROW_2016, ROW_2016[:9]], ":3: 9 columns - 11 were expected"),
        ([HEAD_2016, ["", *ROW_2016[1:]]], ":2: an empty strain id"),
        ([HEAD_2016, ["YAL001C+_tm1", *ROW_2016[1:]]], ":2: an empty strain id"),
        ([HEAD_2016], "has a header but no rows"),
        ([HEAD_2016, [*ROW_2016[:5], "inf", *ROW_2016[6:]]], ":2: 'inf' in column Genetic interaction score"),
        ([HEAD_2016, [*ROW_2016[:-1], '"0.1']], ":2: '\"0.1' in column Double mutant fitness standard deviation"),
    ],
)
def test_bad_rows_are_named(read, rows, what):
    with pytest.raises(DataError, match=what):
        read(table(rows))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_blocks_of_any_size_hold_the_same_rows(tmp_path, packed, ending):
    rows = [HEAD_2016]
    for k in range(50):
        rows.append(
            [f"YAL{k % 7:03d}C_sn{k}", "x", f"YBR{k % 5:03d}W_tsa{k}", "y", "DMA30", k / 8, 0.1, 1, 1, "", "NA"]
        )
    path = tmp_path / "s.tsv"
    text = table(rows).replace("\n", ending).encode()
    path.write_bytes(gzip.compress(text) if packed else text)
    whole, parts = read_screen(path), list(read_blocks(path, size=600))
    assert len(parts) > (1 if ending == "\r" else 3)
    np.testing.assert_array_equal(whole.labels[:, 2], np.arange(50) / 8)
    assert [g for part in parts for g in part.genotypes] == whole.genotypes
    assert [k for part in parts for k in kinds_of(part)] == kinds_of(whole)
    assert np.concatenate([part.lines for part in parts]).tolist() == whole.lines.tolist() == list(range(2, 52))
    assert sum(part.report["rows"] for part in parts) == whole.report["rows"] == 50
    bad = text.replace(b"YBR001W_tsa46", b"\t")
    path.write_bytes(gzip.compress(bad) if packed else bad)
    with pytest.raises(DataError, match=r"s.tsv:48: 12 columns"):
        list(read_blocks(path, size=600))


def test_a_file_cut_short_is_found_when_it_is_reached(tmp_path):
    path = tmp_path / "s.gz"
    rows = [ROWS_13[0]] * 20_000
    path.write_bytes(gzip.compress(table(rows).encode())[:-20])
    with pytest.raises(DataError, match="gzip data is cut short"):
        read_screen(path)


@pytest.mark.parametrize("rows", [[4, 2], [2, 4]])
def test_a_row_too_long_and_one_too_short_are_both_named(read, rows):
    with pytest.raises(DataError, match=rf":3: {rows[0]} columns - 3 were .*:5: {rows[1]} columns - 3 were expected"):
        long, short = "A\tB\t0.1\t0.2\n", "C\t0.3\n"
        first, second = (long, short) if rows[0] > rows[1] else (short, long)
        read("gene_1\tgene_2\tfitness\nA\tB\t1\n" + first + "A\tC\t1\n" + second)
    with pytest.raises(DataError, match=r":3: 12 columns - 11 were expected; .*:4: 10 columns - 11 were expected"):
        read(table([HEAD_2016, ROW_2016, [*ROW_2016, "1"], ROW_2016[:-1]]))


def test_a_triple_and_a_single_are_not_two_pairs(read):
    screen = read("genes\tfitness\nA;B\t1\nA;B;C\t0.5\nD\t0.25\n")
    assert screen.genotypes == [("A", "B"), ("A", "B", "C"), ("D",)]
    same(screen.labels[:, 0], [1, 0.5, 0.25])


def test_pairs_by_genes_column_or_by_two_columns_are_the_same(read):
    text = "genes\tfitness\tgene_interaction_std\nA;B\t0.5\t0.1\nC;A\t\tNaN\n"
    screens = [
        read(text),
        read(text + "A;B;C\t1\t1\n"),
        read(text.replace("genes", "gene_1;gene_2").replace(";", "\t")),
    ]
    for screen in screens:
        assert screen.genotypes[:2] == [("A", "B"), ("C", "A")]
        same(screen.labels[:2, 0], [0.5, NAN])
        same(screen.interaction_std[:2], [0.1, NAN])
        assert screen.report["rows of the wild type"] == 0
    assert screens[1].genotypes[2] == ("A", "B", "C")


def test_a_separator_in_another_column_is_not_taken_for_a_pair(read):
    with pytest.raises(DataError, match=r":2: '0.5;1' in column fitness"):
        read("genes\tfitness\tgene_interaction\nA\t0.5;1\t0.1\n")


def test_an_empty_file_has_no_blocks(tmp_path):
    (tmp_path / "e").write_text("\n \n")
    with pytest.raises(DataError, match="is empty"):
        list(text_blocks(tmp_path / "e"))
