"""Columns of one block of a delimited table: strain ids as codes, numbers as arrays.

The common case is parsed by pandas, some hundred thousand rows a second; a block with anything unusual in it (quotes,
blank lines, a wrong width, text where a number belongs) is parsed again line by line, which names the line of what is
wrong. Both ways give the same columns. Knows nothing of what they mean.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.chunked_text import Block

# As text_files.is_missing, which knows any case; a spelling that is not here goes the slow way.
_MISSING: Final = ("", "NA", "na", "NaN", "nan", "NAN", "N/A", "n/a", "NULL", "null", "None", "none", "#N/A")
_NO_QUOTES: Final = 3  # csv.QUOTE_NONE


@dataclass(frozen=True)
class ColumnSpec:
    """Which columns of a table to read.

    Attributes
    ----------
    width : int
        Columns of the table.
    text : sequence of int
        Columns of text.
    numbers : mapping of int to str
        Columns of numbers, and what messages call them.
    mark : str
        Between columns.
    decimal : str
        The decimal point.
    blank : bool
        A cell of text may be empty, and a row may be nothing but empty cells.
    """

    width: int
    text: Sequence[int]
    numbers: Mapping[int, str]
    mark: str = "\t"
    decimal: str = "."
    blank: bool = False


@dataclass(frozen=True)
class Columns:
    """What was read of a block.

    Attributes
    ----------
    codes : dict of int to (n,) int32
        By column, which of its distinct values a row has.
    values : dict of int to list of str
        By column, its distinct values.
    numbers : dict of int to (n,) float64
        NaN where missing.
    lines : (n,) int64
        Line numbers.
    """

    codes: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    values: dict[int, list[str]] = field(default_factory=dict)
    numbers: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    lines: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def read_columns(path: Path, block: Block, wanted: ColumnSpec, problems: ErrorCollector) -> Columns:
    """The wanted columns of a block without a header; whatever is wrong with it goes to `problems`, with its line."""
    found = read_fast(block, wanted)
    return found if found is not None else _by_line(path, block, wanted, problems)


def read_fast(block: Block, wanted: ColumnSpec) -> Columns | None:
    """The wanted columns by pandas; None where the block holds anything that only the slow way understands."""
    import pandas as pd

    data = block.data
    if b'"' in data or b"\r" in data:  # pandas takes a carriage return for the end of a line
        return None
    if wanted.width > 1:
        data = data.rstrip(b"\n")  # a blank line is a row of one column, else nothing
    if not data:
        return None
    if not data.endswith(b"\n"):
        data += b"\n"
    n = data.count(b"\n")
    if not _all_as_wide(data, n, wanted):
        return None
    try:
        frame = pd.read_csv(
            io.BytesIO(data),
            sep=wanted.mark,
            header=None,
            names=range(wanted.width),
            usecols=sorted([*wanted.text, *wanted.numbers]),
            dtype={**dict.fromkeys(wanted.text, "category"), **dict.fromkeys(wanted.numbers, "float64")},
            na_values={column: list(_MISSING) for column in wanted.numbers},
            keep_default_na=False,
            quoting=_NO_QUOTES,
            skip_blank_lines=False,
            decimal=wanted.decimal,
            engine="c",
        )
    except (ValueError, OverflowError):  # ParserError and UnicodeDecodeError are ValueErrors
        return None
    numbers = {column: frame[column].to_numpy() for column in wanted.numbers}
    if len(frame) != n or any(np.isinf(values).any() for values in numbers.values()):
        return None
    codes = {column: frame[column].cat.codes.to_numpy(dtype=np.int32) for column in wanted.text}
    values = {column: [str(v) for v in frame[column].cat.categories] for column in wanted.text}
    if not wanted.blank and any(not value.strip() for distinct in values.values() for value in distinct):
        return None
    return Columns(codes, values, numbers, np.arange(block.first, block.first + n))


def _all_as_wide(data: bytes, rows: int, wanted: ColumnSpec) -> bool:
    """Whether each row of whole lines has the wanted width; pandas fills short ones up and cuts long ones off."""
    mark = wanted.mark.encode()
    others = bytes(range(256)).translate(None, mark + b"\n")
    return data.translate(None, others) == (mark * (wanted.width - 1) + b"\n") * rows


def _by_line(path: Path, block: Block, wanted: ColumnSpec, problems: ErrorCollector) -> Columns:
    rows, at = rows_of(path, block, wanted.width, wanted.mark, problems)
    filled = [
        wanted.blank or any(map(str.strip, row)) for row in rows
    ]  # workbooks have rows of nothing but empty cells
    rows = list(itertools.compress(rows, filled))
    lines = np.array(list(itertools.compress(at, filled)), dtype=np.int64)
    found = Columns(lines=lines)
    for column in wanted.text:
        row_of: dict[str, int] = {}
        codes = [row_of.setdefault(row[column], len(row_of)) for row in rows]
        found.codes[column], found.values[column] = np.array(codes, dtype=np.int32), list(row_of)
    for column, what in wanted.numbers.items():
        cells = [row[column] for row in rows]
        if wanted.decimal != ".":
            cells = [cell.replace(wanted.decimal, ".") for cell in cells]
        found.numbers[column] = text_files.numbers(cells, lines, path, what, problems)
    return found


def rows_of(
    path: Path,
    block: Block,
    width: int,
    mark: str,
    problems: ErrorCollector,
    noun: str = "column",
    after: str = "",
    blank: Sequence[str] | None = None,
) -> tuple[list[list[str]], list[int]]:
    """The cells of each row and its line number; rows of another width go to `problems`.

    Parameters
    ----------
    after : str
        Ends the message on a row of the wrong width.
    blank : sequence of str, optional
        The row that a blank line stands for; without it blank lines are skipped.
    """
    rows, numbers = [], []
    # Strict, and no cell over several lines: one stray quote would otherwise swallow the rows after it.
    reader = csv.reader(block.lines(), delimiter=mark, strict=True)
    number, before = block.first - 1, block.first - 1
    try:
        for row in reader:
            number += 1
            if reader.line_num + before != number:
                problems.add(f"{path}:{number}: a quoted cell runs on over the next line - close the quote on its line")
                number = reader.line_num + before
                continue
            if not row or (len(row) != width and not any(map(str.strip, row))):
                if blank is None:
                    continue
                row = list(blank)
            if len(row) != width:
                problems.add(f"{path}:{number}: {text_files.counted(len(row), noun)} - {width} were expected{after}")
                continue
            rows.append(row)
            numbers.append(number)
    except csv.Error as error:
        problems.add(f"{path}:{number + 1}: {error} - check the quotes of this line and those after it")
    return rows, numbers
