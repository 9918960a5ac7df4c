"""Blocks of columns: parsed by pandas or row by row, with the same result."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dglcell.errors import ErrorCollector
from dglcell.readers.tables.chunked_text import Block
from dglcell.readers.tables.columns import ColumnSpec, columns_of_rows, read_fast, read_rows


def test_quotes_inside_cells_and_white_space_need_no_row_by_row_parsing():
    block = Block(3, b'a \t5"-end\t1\n a\tx "y" z\t2\nb\t \t3\n')
    spec = ColumnSpec(3, (0, 1), {2: "n"})
    problems = ErrorCollector()
    fast = read_fast(block, spec)
    slow = columns_of_rows(Path("x"), *read_rows(Path("x"), block, 3, "\t", problems), spec, problems)
    assert fast is not None
    for columns in (fast, slow):
        assert columns.cells(0) == ["a", "a", "b"]
        assert columns.cells(1) == ['5"-end', 'x "y" z', ""]
        assert sorted(columns.values[0]) == ["a", "b"]
        assert columns.numbers[2].tolist() == [1, 2, 3]
        assert columns.lines.tolist() == [3, 4, 5]
    assert read_fast(Block(1, b'a\t"x\t1\n'), spec) is None  # a quote at the start of a cell


def test_a_subset_of_rows():
    columns = read_fast(Block(1, b"a\t1\nb\t2\nc\t3\n"), ColumnSpec(2, (0,), {1: "n"}))
    assert columns is not None
    kept = columns.subset(np.array([True, False, True]))
    assert (kept.cells(0), kept.numbers[1].tolist(), kept.lines.tolist()) == (["a", "c"], [1, 3], [1, 3])
