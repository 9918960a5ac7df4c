"""Columns of one block of a delimited table: text columns as codes of distinct values, number columns as arrays.

Most blocks are parsed by pandas, at several hundred thousand rows per second. A block with anything unusual (quotes,
blank lines, a wrong number of columns, text instead of a number) is parsed again line by line, so that errors name the
line. Both ways give the same columns.
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
from dglcell.readers.tables.chunked_text import Block

# As in text_files.is_missing, which ignores case; a block with any other spelling is parsed line by line.
_MISSING: Final = ("", "NA", "na", "NaN", "nan", "NAN", "N/A", "n/a", "NULL", "null", "None", "none", "#N/A")
_NO_QUOTES: Final = 3  # csv.QUOTE_NONE


@dataclass(frozen=True)
class ColumnSpec:
    """The columns of a table to read.

    Attributes
    ----------
    width : int
        Number of columns of the table.
    text : sequence of int
        Columns of text.
    numbers : mapping of int to str
        Columns of numbers, with their names for error messages.
    delimiter : str
        Character between columns.
    decimal : str
        Decimal separator.
    blank : bool
        Whether a text cell, or a whole row, may be empty.
    """

    width: int
    text: Sequence[int]
    numbers: Mapping[int, str]
    delimiter: str = "\t"
    decimal: str = "."
    blank: bool = False


@dataclass(frozen=True)
class Columns:
    """The columns read from a block.

    Attributes
    ----------
    codes : dict of int to (n,) int32
        By column: index into `values` for each row.
    values : dict of int to list of str
        By column: its distinct values.
    numbers : dict of int to (n,) float64
        By column: its numbers, NaN where missing.
    lines : (n,) int64
        Line number of each row.
    """

    codes: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    values: dict[int, list[str]] = field(default_factory=dict)
    numbers: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    lines: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def read_columns(path: Path, block: Block, spec: ColumnSpec, problems: ErrorCollector) -> Columns:
    """Read columns of a block that has no header; problems are added to `problems` with their line numbers.

    Parameters
    ----------
    path : Path
        For error messages.
    block : Block
        Rows without the header.
    spec : ColumnSpec
    problems : ErrorCollector
    """
    columns = read_fast(block, spec)
    return columns if columns is not None else _read_slow(path, block, spec, problems)


def read_fast(block: Block, spec: ColumnSpec) -> Columns | None:
    """Read columns with pandas; None if the block has to be parsed line by line.

    Parameters
    ----------
    block : Block
        Rows without the header.
    spec : ColumnSpec
    """
    import pandas as pd

    data = block.data
    if b'"' in data or b"\r" in data:  # pandas reads a carriage return as the end of a line
        return None
    if spec.width > 1:
        data = data.rstrip(b"\n")  # a blank line is a row only where there is one column
    if not data:
        return None
    if not data.endswith(b"\n"):
        data += b"\n"
    num_rows = data.count(b"\n")
    if not _is_rectangular(data, num_rows, spec):
        return None
    try:
        frame = pd.read_csv(
            io.BytesIO(data),
            sep=spec.delimiter,
            header=None,
            names=range(spec.width),
            usecols=sorted([*spec.text, *spec.numbers]),
            dtype={**dict.fromkeys(spec.text, "category"), **dict.fromkeys(spec.numbers, "float64")},
            na_values={column: list(_MISSING) for column in spec.numbers},
            keep_default_na=False,
            quoting=_NO_QUOTES,
            skip_blank_lines=False,
            decimal=spec.decimal,
            engine="c",
        )
    except (ValueError, OverflowError):  # ParserError and UnicodeDecodeError are ValueErrors
        return None
    numbers = {column: frame[column].to_numpy() for column in spec.numbers}
    if len(frame) != num_rows or any(np.isinf(values).any() for values in numbers.values()):
        return None
    codes = {column: frame[column].cat.codes.to_numpy(dtype=np.int32) for column in spec.text}
    values = {column: [str(v) for v in frame[column].cat.categories] for column in spec.text}
    if not spec.blank and any(not value.strip() for categories in values.values() for value in categories):
        return None
    return Columns(codes, values, numbers, np.arange(block.first_line, block.first_line + num_rows))


def _is_rectangular(data: bytes, num_rows: int, spec: ColumnSpec) -> bool:
    """Whether every row has the width of the table; pandas would pad short rows and truncate long ones."""
    delimiter = spec.delimiter.encode()
    other_bytes = bytes(range(256)).translate(None, delimiter + b"\n")
    return data.translate(None, other_bytes) == (delimiter * (spec.width - 1) + b"\n") * num_rows


def _read_slow(path: Path, block: Block, spec: ColumnSpec, problems: ErrorCollector) -> Columns:
    rows, numbers = parse_rows(path, block, spec.width, spec.delimiter, problems)
    has_text = [spec.blank or any(map(str.strip, row)) for row in rows]  # workbooks may have rows of empty cells
    rows = list(itertools.compress(rows, has_text))
    lines = np.array(list(itertools.compress(numbers, has_text)), dtype=np.int64)
    columns = Columns(lines=lines)
    for column in spec.text:
        code_of: dict[str, int] = {}
        codes = [code_of.setdefault(row[column], len(code_of)) for row in rows]
        columns.codes[column], columns.values[column] = np.array(codes, dtype=np.int32), list(code_of)
    for column, name in spec.numbers.items():
        cells = [row[column] for row in rows]
        if spec.decimal != ".":
            cells = [cell.replace(spec.decimal, ".") for cell in cells]
        columns.numbers[column] = text_files.numbers(cells, lines, path, name, problems)
    return columns


def parse_rows(
    path: Path,
    block: Block,
    width: int,
    delimiter: str,
    problems: ErrorCollector,
    noun: str = "column",
    suffix: str = "",
    blank: Sequence[str] | None = None,
) -> tuple[list[list[str]], list[int]]:
    """The cells and the line number of each row; rows of another width are added to `problems`.

    Parameters
    ----------
    noun : str
        What the error message counts, `column` or `cell`.
    suffix : str
        End of the error message for a row of another width.
    blank : sequence of str, optional
        The row that a blank line stands for; by default, blank lines are skipped.
    """
    rows, line_numbers = [], []
    # Strict, and without cells over several lines: otherwise a single stray quote would absorb the rows after it.
    reader = csv.reader(block.lines(), delimiter=delimiter, strict=True)
    line_number, offset = block.first_line - 1, block.first_line - 1
    try:
        for row in reader:
            line_number += 1
            if reader.line_num + offset != line_number:
                problems.add(
                    f"{path}:{line_number}: a quoted cell continues on the next line - close the quote on the same line"
                )
                line_number = reader.line_num + offset
                continue
            if not row or (len(row) != width and not any(map(str.strip, row))):
                if blank is None:
                    continue
                row = list(blank)
            if len(row) != width:
                problems.add(
                    f"{path}:{line_number}: {text_files.quantity(len(row), noun)} - {width} were expected{suffix}"
                )
                continue
            rows.append(row)
            line_numbers.append(line_number)
    except csv.Error as error:
        problems.add(f"{path}:{line_number + 1}: {error} - check the quotes in this line and in those after it")
    return rows, line_numbers
