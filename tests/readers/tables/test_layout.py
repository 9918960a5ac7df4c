"""Layouts without a header: by how many rows they are recognized, where they end, which cells may be lacking."""

from __future__ import annotations

import dataclasses

import pytest

from dglcell.errors import DataError
from dglcell.readers.tables.layout import Layout
from dglcell.readers.tables.table import open_table

NAMED = Layout(name="named", reads="", example="", columns={"id": "gene", "name_*": "(name|symbol)"})
NAMES = Layout(
    name="two columns",
    reads="",
    example="",
    positions={"id": 0, "name": 1},
    cells={"id": r"\S+"},
    widths=(2,),
    end="##END|>",
    pads=True,
)
IDS = Layout(name="ids", reads="", example="", positions={"id": 0}, cells={"id": r"[^\s,]+"}, widths=(1,))


@pytest.fixture
def read(tmp_path):
    def reader(text, *layouts):
        path = tmp_path / "genes.txt"
        path.write_text(text)
        table = open_table(path, layouts or [NAMED, NAMES, IDS], "gene list")
        roles = list(table.columns)
        (columns,) = table.read_all(roles)
        return table, list(zip(*(columns.cells(table.columns[role]) for role in roles), strict=True))

    return reader


@pytest.mark.parametrize("text", ["A\tx\nB\ty\nC\n\tz\nD\tu\n", "A\tx\nB\ty\nC\t\t\n\tz\nD\tu\n"])
def test_cells_that_lack_at_the_end_of_a_row_are_blank(read, text):
    assert read(text)[1] == [("A", "x"), ("B", "y"), ("C", ""), ("", "z"), ("D", "u")]
    with pytest.raises(DataError, match=r"genes.txt:3: . columns? - 2 were expected"):
        read(text.replace("C\t\t", "C\t\tx"), dataclasses.replace(NAMES, pads=False))


@pytest.mark.parametrize("end", ["##END\n", ">x\n"])
def test_a_table_ends_where_something_else_begins(read, end):
    assert read("A\tx\nB>1\ty\n" + end + "C\tz\na\tb\tc\n")[1] == [("A", "x"), ("B>1", "y")]


def test_a_layout_without_a_header_is_that_of_half_the_rows(read):
    assert read("A b\nC d\nE\n")[0].layout is NAMES
    assert read("A\nC d\nE\n", NAMES, dataclasses.replace(IDS, cells={}))[0].layout.name == "ids"
    table, rows = read("A\nB\nC\nADE5,7\n")
    assert (table.layout, rows) == (IDS, [("A",), ("B",), ("C",), ("ADE5,7",)])  # without tabs, a line is one cell


def test_a_sentence_with_the_names_of_columns_is_no_header(read):
    assert read("# gene and name of each\nA\nB\n")[1] == [("A",), ("B",)]
    assert read("#gene\tname\nA\tx\n")[0].layout is NAMED


def test_numbered_roles_may_be_words(read):
    table, rows = read("symbol\tgene\tname\nx\tA\ty\n")
    assert (table.columns, rows) == ({"id": 1, "name_symbol": 0, "name_name": 2}, [("A", "x", "y")])
    with pytest.raises(DataError, match="no gene list of a known layout"):
        read("gene\tplace\nA\tx\n", NAMED)


def test_a_row_is_no_header_where_titles_are_narrow(read):
    text = "A\tx\ngene\tname\nB\ty\n"
    assert read(text)[1] == [("B", "y")]
    narrow = dataclasses.replace(NAMED, wide_titles=False)
    assert read(text, narrow, NAMES)[1] == [("A", "x"), ("gene", "name"), ("B", "y")]
    assert read("A\n" + text.partition("\n")[2], narrow)[1] == [("B", "y")]
