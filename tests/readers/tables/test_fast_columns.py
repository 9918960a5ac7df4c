"""Columns of a block: pandas and the way row by row give the same."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dglcell.errors import ErrorCollector
from dglcell.readers.tables import columns
from dglcell.readers.tables.chunked_text import Block
from dglcell.readers.tables.columns import ColumnSpec, read_columns, read_fast

NAN = float("nan")
SPEC = ColumnSpec(3, [0], {1: "a", 2: "b"})


@pytest.mark.parametrize("varied", [(), (0,)])
def test_both_ways_give_the_same_columns(tmp_path, monkeypatch, varied):
    spec, problems = dataclasses.replace(SPEC, varied=varied), ErrorCollector()
    block = Block(5, b"x\t1\tNA\n y \t-2.5e-3\t\nx\tnull\t.5\n")
    fast = read_fast(block, spec)
    monkeypatch.setattr(columns, "read_fast", lambda block, spec: None)
    slow = read_columns(tmp_path, block, spec, problems)
    for found in (fast, slow):
        assert found.cells(0) == ["x", "y", "x"]
        np.testing.assert_array_equal(found.numbers[1], [1, -2.5e-3, NAN])
        np.testing.assert_array_equal(found.numbers[2], [NAN, NAN, 0.5])
        assert found.lines.tolist() == [5, 6, 7]
    assert len(fast.values[0]) == (3 if varied else 2)
    problems.check()


@pytest.mark.parametrize(
    "data",
    [
        b"x\t1\n",
        b"x\t1\t2\t3\n",
        b"x\tone\t2\n",
        b"x\t1\tinf\n",
        b'"x"\t1\t2\n',
        b"\t\t\n",
        b"#x\t1\t2\n",
        b"\nx\t1\t2\n",
    ],
)
def test_what_is_unusual_is_read_row_by_row(data):
    assert read_fast(Block(1, b"x\t1\t2\n"), SPEC) is not None
    assert read_fast(Block(1, b"x\t1\t2\n" + data), SPEC) is None


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
@pytest.mark.parametrize(
    "rows",
    [
        ["x 1 2 3", "y 4"],  # as many delimiters as two rows of three cells
        ["y 4", "x 1 2 3"],
        ["x 1 2", "y 4", "x 1 2 3", "z 1 2"],
        ["x 1 2 3 4", "", "z 1 2"],
        ["", "x 1 2 3 4", "z 1 2"],
        ["x 1 2 3", "y 4", ""],
        ["x 1\r2", "y 4 5"],
        ["x 1 2\r", "y 4 5\r"],
    ],
)
@pytest.mark.parametrize("last", ["\n", ""])
def test_rows_whose_widths_cancel_are_read_row_by_row(rows, delimiter, last):
    data = ("\n".join(rows) + last).replace(" ", delimiter).encode()
    assert read_fast(Block(1, data), dataclasses.replace(SPEC, delimiter=delimiter)) is None


@pytest.mark.parametrize("last", ["\n", "", "\n\n\n"])
def test_rows_of_one_width_are_read_fast_however_the_last_ends(last):
    found = read_fast(Block(4, ("x\t1\t2\ny\t4\t" + last).encode()), ColumnSpec(3, [0], {2: "b"}))
    assert found.lines.tolist() == [4, 5]
    np.testing.assert_array_equal(found.numbers[2], [2, NAN])
