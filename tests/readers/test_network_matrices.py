"""Matrices of genes by genes: which axis has the factors, and what a cell says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dglcell.errors import DataError
from dglcell.readers.edge_table import PHYSICAL, REGULATORY, RELATION, EdgeTable
from dglcell.readers.networks import read_network

Read = Callable[..., EdgeTable]
SQUARE = "x,A,B\nC,0,1\nD,1,0\n"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def reader(text: str, kind: str = REGULATORY, **options: Any) -> EdgeTable:
        path = tmp_path / "m.txt"
        path.write_text(text)
        return read_network(path, kind, **options)

    return reader


def pairs(table: EdgeTable) -> list[tuple[str, str]]:
    return list(zip(table.a, table.b, strict=True))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("7;T1;T2;T3;T4\nSte12p;0;1;0;0\nTec1p;1;0;0;1\n", "factors in rows: 2 x 4"),  # by proteins and by size
        ("7;T1;T2\nSte12p;0;1\nTec1p;1;0\n", "factors in rows: 2 x 2"),  # by proteins alone
        (";STE12;TEC1;FUS1\nTEC1;0;1;0\nSTE12;1;0;1\n", "factors in rows: 2 x 3"),  # by genes of both axes
        (";TEC1;STE12\nFUS1;0;1\nTEC1;1;0\nSTE12;1;0\n", "targets in rows: 3 x 2"),
        ("x;F1;F2\nT1;0;1\nT2;1;0\nT3;0;0\nT4;0;0\n", "targets in rows: 4 x 2"),  # by size
        ("TF;T1;T2\nF1;0;1\nF2;1;0\n", "factors in rows: 2 x 2"),  # by the first cell
        ("gene;F1;F2\nT1;0;1\nT2;1;0\n", "targets in rows: 2 x 2"),
    ],
)
def test_the_factors_are_found(read: Read, text: str, found: str) -> None:
    table = read(text)
    assert table.report["matrix"] == found
    header, *rows = (line.split(";") for line in text.splitlines())
    edges = {(row[0], header[k]) for row in rows for k in range(1, len(header)) if row[k] == "1"}
    assert set(pairs(table)) == (edges if found.startswith("factors") else {(b, a) for a, b in edges})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SQUARE, "nothing tells"),
        ("TF,A,B\nT1,0,1\nT2,1,0\nT3,1,0\nT4,1,0\n", "the first cell, 'TF': in rows; the smaller number: in columns"),
        (";Ste12p;Tec1p;Abf1p;Rap1p\nT1;0;1;0;1\nT2;1;0;0;1\n", "names of proteins: in columns; the smaller number"),
    ],
)
def test_without_a_clear_answer_it_is_asked_for(read: Read, text: str, reason: str) -> None:
    message = (
        rf"not clear which are the transcription factors \({reason}.* matrix_rows=.factors. or matrix_rows=.targets."
    )
    with pytest.raises(DataError, match=message):
        read(text)
    rows = pairs(read(text, matrix_rows="factors"))
    assert [(b, a) for a, b in rows] == pairs(read(text, matrix_rows="targets"))


def test_the_given_direction_is_taken(read: Read) -> None:
    assert pairs(read(SQUARE, matrix_rows="factors")) == [("C", "B"), ("D", "A")]
    assert pairs(read(SQUARE, matrix_rows="targets")) == [("B", "C"), ("A", "D")]


def test_names_that_say_nothing_are_left_out(read: Read) -> None:
    text = "9;Uncharacterized;T1;Uncharacterized;;T2\nSmp1p;1;1;1;1;0\nErt1p;0;0;0;0;1\nunknown;0;1;0;0;0\n"
    table = read(text)
    assert pairs(table) == [("Smp1p", "T1"), ("Ert1p", "T2")]
    assert table.report["columns without a name of their own, left out"] == 3
    assert table.report["rows without a name of their own, left out"] == 1


def test_a_repeated_column_has_the_same_cells(read: Read) -> None:
    table = read("TF;T1;T1;T2\nF1;1;1;0\nF2;0;0;1\n")
    assert pairs(table) == [("F1", "T1"), ("F2", "T2")]
    assert table.report["columns equal to another of the same name, merged"] == 1
    with pytest.raises(DataError, match=r"m.txt:1: 'T1' has two columns that differ - one was expected"):
        read("TF;T1;T1;T2\nF1;1;0;0\nF2;0;0;1\n")


def test_numbers_are_weights(read: Read) -> None:
    table = read("ABF1\tYAL001C\tYNL216W\nYAL069W\t0\t0\t4\nYAL068W-A\t0\t1\t0\n", matrix_rows="targets")
    assert pairs(table) == [("YNL216W", "YAL069W"), ("YAL001C", "YAL068W-A")]
    assert table.confidence is not None
    assert table.confidence.tolist() == [1, 0.25]
    assert table.sign is None
    assert table.report["confidence from cells"] == "absolute value divided by the maximum, 4"


def test_signs_weights_and_empty_cells(read: Read) -> None:
    table = read("TF;T1;T2;T3\nF1;-0,5;;1\nF2;0;NA;0,25\n")
    assert pairs(table) == [("F1", "T1"), ("F1", "T3"), ("F2", "T3")]
    assert table.sign is not None
    assert table.confidence is not None
    assert (table.sign.tolist(), table.confidence.tolist()) == ([-1, 1, 1], [0.5, 1, 0.25])
    assert table.report["empty cells, no edges"] == 2


def test_quotes_comments_and_a_header_without_a_corner(read: Read) -> None:
    table = read('# note\n"F1"\t"F2"\n"T1"\t0\t1\n"T2"\t1\t-1\n"T3"\t0\t0\n"T4"\t0\t1\n')
    assert pairs(table) == [("F2", "T1"), ("F1", "T2"), ("F2", "T2"), ("F2", "T4")]
    assert table.sign is not None
    assert (table.sign.tolist(), table.confidence) == ([1, 1, -1, 1], None)
    with pytest.raises(DataError, match=r"m.txt:4: 'x' in column F1 - a number was expected"):
        read("# note\n\nF1\tF2\nT1\tx\t1\nT2\t1\t1\nT3\t0\t0\nT4\t0\t1\n")


@pytest.mark.parametrize("kind", [PHYSICAL, RELATION])
def test_an_undirected_matrix_has_the_same_genes_on_both_axes(read: Read, kind: str) -> None:
    full = read(",A,B,C\nA,0,1,0\nB,1,0,1\nC,0,1,0\n", kind)
    assert pairs(full) == [("A", "B"), ("B", "A"), ("B", "C"), ("C", "B")]
    upper = read("A\tB\tC\nA\t1\t0.5\t0\nB\t0\t1\t0.2\nC\t0\t0\t1\n", kind)
    assert pairs(upper) == [("A", "A"), ("A", "B"), ("B", "B"), ("B", "C"), ("C", "C")]
    assert upper.confidence is not None
    np.testing.assert_array_equal(upper.confidence, np.float32([1, 0.5, 1, 0.2, 1]))
    with pytest.raises(DataError, match=r"rows \(S1, S2\) and columns \(A, B, C\) name different genes"):
        read("sample,A,B,C\nS1,0.1,0.2,0.3\nS2,0.3,0.1,0\n", kind)


def test_many_columns(read: Read) -> None:
    names = [f"G{k}" for k in range(400)]
    rows = ["\t".join(["T" + name, *("1" if k == j else "0" for k in range(400))]) for j, name in enumerate(names)]
    table = read("\t".join(["TF", *names]) + "\n" + "\n".join(rows) + "\n")
    assert pairs(table) == [("T" + name, name) for name in names]
