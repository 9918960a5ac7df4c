"""Workbooks with several sheets: which one is read, and that the others are named."""

from __future__ import annotations

import warnings
from pathlib import Path

import openpyxl
import pytest

from dglcell.errors import DataError
from dglcell.readers.screens.read import read_rows, read_screen

SINGLES = [["gene", "fitness"], ["A", 0.5], ["B", 0.75]]
PAIRS = [["gene1", "gene2", "eps"], ["A", "B", -0.25]]


@pytest.fixture
def workbook(tmp_path: Path):
    def write(**sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
        book.save(tmp_path / "book.xlsx")
        return tmp_path / "book.xlsx"

    return write


def test_a_second_table_is_named(workbook) -> None:
    path = workbook(Notes=[["made in 2019"]], Singles=SINGLES, Pairs=PAIRS, Legend=[["x", "y"]], More=SINGLES)
    with pytest.warns(match=r"book.xlsx: 'Singles' is read; sheets 'Pairs', 'More' hold tables, too, and are not read"):
        screen = read_screen(path)
    assert screen.genotypes == [("A",), ("B",)] and screen.report["sheets not read"] == "Pairs, More"


def test_a_single_table_needs_no_warning(workbook) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        screen = read_screen(workbook(Notes=[["fitness of genes"], ["A", 1]], Pairs=PAIRS))
    assert screen.genotypes == [("A", "B")] and "sheets not read" not in screen.report


def test_a_legend_is_no_screen(workbook) -> None:
    legend = [["gene", "systematic name"], ["fitness", "relative size of colonies"]]
    assert read_screen(workbook(Legend=legend, Singles=SINGLES)).labels[:, 0].tolist() == [0.5, 0.75]


def test_a_sentence_about_genotypes_is_no_table(workbook) -> None:
    notes = [["These are the genotypes"], ["made 2020"]]
    rows = read_rows(workbook(Notes=notes, Genotypes=[["Gene 1", "Gene 2"], ["A", "B"], [None, None], ["C", None]]))
    assert rows.genotypes == [("A", "B"), ("C",)] and rows.lines.tolist() == [2, 4]


def test_a_formula_in_a_sheet_that_is_not_read(workbook) -> None:
    path = workbook(Singles=SINGLES, Sums=[["gene", "fitness"], ["A", "=1+1"]])
    with pytest.warns(match="a further sheet is not read: .*cell B2 of sheet 'Sums' holds a formula"):
        assert len(read_screen(path)) == 2
    with pytest.raises(DataError, match="cell B2 of sheet 'Sums' holds a formula"):
        read_screen(workbook(Sums=[["gene", "fitness"], ["A", "=1+1"]], Singles=SINGLES))
