"""Columns of one block of a delimited table: text columns as codes of distinct values, number columns as arrays.

Most blocks are parsed by pandas, at several hundred thousand rows per second. A block with anything unusual (quotes,
comments, blank lines, a wrong number of columns, text instead of a number) is parsed again row by row, so that errors
name the line. Both ways give the same columns, apart from the last bit of a double, of which labels keep the first 24.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.tables.chunked_text import Block
from dglcell.readers.tables.rows import split_rows

# As in text_files.is_missing, which ignores case; a block with any other spelling is parsed row by row.
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
        One of `rows.DELIMITERS`.
    decimal : str
        Decimal separator.
    pads : bool
        Whether a row may lack blank cells at its end.
    varied : collection of int
        Columns of text with few equal cells, of which equal ones need not be found: `values` may hold them repeatedly.
    """

    width: int
    text: Sequence[int]
    numbers: Mapping[int, str] = field(default_factory=dict)
    delimiter: str = "\t"
    decimal: str = "."
    pads: bool = False
    varied: Collection[int] = ()


@dataclass(frozen=True)
class Columns:
    """The columns read from a block; rows of blank cells are left out.

    Attributes
    ----------
    codes : dict of int to (n,) int32
        By column: index into `values` for each row.
    values : dict of int to list of str
        By column: its distinct values, without white space around them.
    numbers : dict of int to (n,) float64
        By column: its numbers, NaN where missing.
    lines : (n,) int64
        Line number of each row.
    """

    codes: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    values: dict[int, list[str]] = field(default_factory=dict)
    numbers: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    lines: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.lines)

    def cells(self, column: int) -> list[str]:
        """The text of a column, one cell per row."""
        values = self.values[column]
        return [values[code] for code in self.codes[column].tolist()]

    def subset(self, is_kept: NDArray[np.bool_]) -> Columns:
        """The columns with some of their rows."""
        codes = {column: array[is_kept] for column, array in self.codes.items()}
        numbers = {column: array[is_kept] for column, array in self.numbers.items()}
        return Columns(codes, self.values, numbers, self.lines[is_kept])


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
    """Read columns with pandas; None if the block has to be parsed row by row.

    Parameters
    ----------
    block : Block
        Rows without the header.
    spec : ColumnSpec
    """
    import pandas as pd

    data = block.data.rstrip(b"\n")
    if not data or b"\r" in data or data[:1] in b"#\n" or b"\n#" in data or _has_quoted_cells(data, spec.delimiter):
        return None
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
            dtype={
                **{column: "object" if column in spec.varied else "category" for column in spec.text},
                **dict.fromkeys(spec.numbers, "float64"),
            },
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
    codes, values = {}, {}
    for column in spec.text:
        if column in spec.varied:
            codes[column] = np.arange(num_rows, dtype=np.int32)
            values[column] = [cell.strip() for cell in frame[column].tolist()]
            continue
        categories = [str(value) for value in frame[column].cat.categories]
        codes[column], values[column] = _stripped(frame[column].cat.codes.to_numpy(dtype=np.int32), categories)
    lines = np.arange(block.first_line, block.first_line + num_rows)
    columns = Columns(codes, values, numbers, lines)
    return None if _blank_rows(columns).any() else columns  # whether other cells are blank, too, is not known here


def _stripped(codes: NDArray[np.int32], values: list[str]) -> tuple[NDArray[np.int32], list[str]]:
    """A column of codes with its distinct values, without white space around them."""
    stripped = [value.strip() for value in values]
    if stripped == values:
        return codes, values
    code_of = {value: code for code, value in enumerate(dict.fromkeys(stripped))}
    return np.array([code_of[value] for value in stripped], dtype=np.int32)[codes], list(code_of)


def _has_quoted_cells(data: bytes, delimiter: str) -> bool:
    """Whether any cell starts with a quote; elsewhere a quote is a character like any other."""
    starts = (b'"', b'\n"', delimiter.encode() + b'"')
    return b'"' in data and (data.startswith(starts[0]) or starts[1] in data or starts[2] in data)


def _blank_rows(columns: Columns) -> NDArray[np.bool_]:
    """(n,) rows of which all columns that were read are blank."""
    is_blank = np.ones(len(columns), dtype=np.bool_)
    for column, values in columns.values.items():
        is_blank &= np.array([not value for value in values], dtype=np.bool_)[columns.codes[column]]
    for array in columns.numbers.values():
        if not is_blank.any():
            break
        is_blank &= np.isnan(array)
    return is_blank


def _is_rectangular(data: bytes, num_rows: int, spec: ColumnSpec) -> bool:
    """Whether every row has the width of the table; pandas would pad short rows and truncate long ones."""
    delimiter = spec.delimiter.encode()
    other_bytes = bytes(range(256)).translate(None, delimiter + b"\n")
    return data.translate(None, other_bytes) == (delimiter * (spec.width - 1) + b"\n") * num_rows


def _read_slow(path: Path, block: Block, spec: ColumnSpec, problems: ErrorCollector) -> Columns:
    rows, lines = read_rows(path, block, spec.width, spec.delimiter, problems, spec.pads)
    return columns_of_rows(path, rows, lines, spec, problems)


def read_rows(
    path: Path, block: Block, width: int, delimiter: str, problems: ErrorCollector, pads: bool = False
) -> tuple[list[list[str]], list[int]]:
    """All cells of each row and its line number, without rows of blank cells; other widths are added to `problems`.

    Parameters
    ----------
    path : Path
        For error messages.
    block : Block
        Rows without the header.
    width : int
        Number of columns.
    delimiter : str
        One of `rows.DELIMITERS`.
    problems : ErrorCollector
    pads : bool
        Whether a row may lack blank cells at its end.
    """
    rows, lines = [], []
    for row in split_rows(block.lines(), block.first_line, delimiter, width, pads):
        if row.problem:
            problems.add(f"{path}:{row.line}: {row.problem}")
        elif any(map(str.strip, row.cells)):
            rows.append(row.cells)
            lines.append(row.line)
    return rows, lines


def columns_of_rows(
    path: Path, rows: Sequence[Sequence[str]], line_numbers: Sequence[int], spec: ColumnSpec, problems: ErrorCollector
) -> Columns:
    """Columns from the cells of rows; text instead of a number is added to `problems`.

    Parameters
    ----------
    path : Path
        For error messages.
    rows : sequence of sequence of str, n
    line_numbers : sequence of int, n
    spec : ColumnSpec
    problems : ErrorCollector
    """
    columns = Columns(lines=np.array(line_numbers, dtype=np.int64))
    for column in spec.text:
        code_of: dict[str, int] = {}
        codes = [code_of.setdefault(row[column].strip(), len(code_of)) for row in rows]
        columns.codes[column], columns.values[column] = np.array(codes, dtype=np.int32), list(code_of)
    for column, name in spec.numbers.items():
        cells = [row[column] for row in rows]
        columns.numbers[column] = text_files.numbers(cells, columns.lines, path, name, problems, spec.decimal)
    return columns
