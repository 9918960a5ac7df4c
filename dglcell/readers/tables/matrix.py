"""Matrices: tables of numbers with names on both axes. Where the names end and the numbers begin is found from content.

There may be several rows and columns of names, as in the `.cdt` files of Cluster and TreeView (ids, symbols, weights),
and lines of a title above them.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dglcell.errors import ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.tables.chunked_text import BLOCK_SIZE, Block, sheets
from dglcell.readers.tables.columns import Columns, ColumnSpec, read_columns
from dglcell.readers.tables.layout import normalize
from dglcell.readers.tables.rows import DELIMITERS, SPACE, Row, is_comment, split_rows

_SAMPLE: Final = 40  # lines by which the shape is found
_MAX_LINES: Final = 20  # of one row, in which a quoted cell may hold line ends
_COLUMNS: Final = 200  # columns by which the shape is found
_RUN: Final = 3  # columns of numbers side by side where the values begin
_MIN_NUMERIC: Final = 0.5  # share of numbers among the values of a row
_LABELS: Final = re.compile(  # normalized names of columns that name something, though with numbers
    "gweight|weight|locusid|(ncbi|entrez)?(gene)?id|entrez|entrezgene(id)?|taxid|chr(omosome)?|start|end|length"
)
_NOT_NAMES: Final = ("eweight", "aid")  # first cells of the rows of a .cdt file that name nothing
_INTEGER = re.compile(r"\d+")


@dataclass(frozen=True)
class Axis:
    """The names of the rows or columns of a matrix.

    Attributes
    ----------
    titles : tuple of str, k
        What each kind of name is called in the file, or empty texts.
    names : list of tuple of str
        For each row or column, its k names.
    lines : list of int
        For rows, their line numbers; for columns, their positions in the table.
    """

    titles: tuple[str, ...]
    names: list[tuple[str, ...]]
    lines: list[int]

    def __len__(self) -> int:
        return len(self.names)

    def kind(self, kind: int) -> list[str]:
        """All names of one kind."""
        return [names[kind] for names in self.names]

    def __str__(self) -> str:
        kind = max(range(len(self.titles)), key=lambda kind: (len(set(self.kind(kind))), -kind))
        shown = ", ".join(f"'{text_files.shorten(name, 30)}'" for name in self.kind(kind)[:3])
        return f"{len(self):,} ({shown}{', ..' * (len(self) > 3)})"


@dataclass(frozen=True)
class Matrix:
    """An open matrix.

    Attributes
    ----------
    path : Path
    header : list of list of str
        The rows of names above the values; each has `width` cells.
    first : int
        First column of values; the columns before it are names.
    width : int
        Number of columns.
    delimiter : str
        One of `rows.DELIMITERS`.
    decimal : str
        Decimal separator.
    blocks : iterator of Block
        The rows of values; can be read once.
    """

    path: Path
    header: list[list[str]]
    first: int
    width: int
    delimiter: str
    decimal: str
    blocks: Iterator[Block] = field(repr=False)

    @property
    def columns(self) -> Axis:
        """The names of the columns of values; those without any name are left out."""
        positions = [k for k in range(self.first, self.width) if any(row[k].strip() for row in self.header)]
        names = [tuple(row[k].strip() for row in self.header) for k in positions]
        titles = tuple(next((cell.strip() for cell in row[: self.first] if cell.strip()), "") for row in self.header)
        return Axis(titles, names, positions)

    @property
    def titles(self) -> tuple[str, ...]:
        """What the columns of names are called, in the first row that says so."""
        rows = [row[: self.first] for row in self.header if any(map(str.strip, row[: self.first]))]
        return tuple(cell.strip() for cell in rows[0]) if rows else ("",) * self.first

    def read(self, values: Sequence[int] = ()) -> Iterator[Columns]:
        """The columns of names, and these columns of values, block by block; see `columns.read_columns`.

        Raises
        ------
        DataError
            Rows have another width, or there is text instead of a number; with file and line.
        """
        numbers = {k: next((row[k].strip() for row in self.header if row[k].strip()), str(k + 1)) for k in values}
        spec = ColumnSpec(self.width, range(self.first), numbers, self.delimiter, self.decimal)
        for block in self.blocks:
            problems = ErrorCollector()
            columns = read_columns(self.path, block, spec, problems)
            problems.check()
            yield columns

    def rows(self) -> Axis:
        """The names of the rows of values; reads the file to its end."""
        names: list[tuple[str, ...]] = []
        lines: list[int] = []
        for columns in self.read():
            names += zip(*(columns.cells(k) for k in range(self.first)), strict=True)
            lines += columns.lines.tolist()
        return Axis(self.titles, names, lines)

    def rows_at(self, lines: Sequence[int]) -> Iterator[list[str]]:
        """All cells of the rows that begin in these lines, which ascend."""
        waiting = list(lines)
        for block in self.blocks:
            end = block.first_line + block.data.count(b"\n")
            while waiting and waiting[0] < end:
                line = waiting.pop(0)
                rest = block.skip(line - block.first_line)
                text = Block(line, _first_lines(rest.data, _MAX_LINES)).lines()
                yield next(split_rows(text, line, self.delimiter, self.width)).cells


def open_matrix(path: Path, size: int = BLOCK_SIZE, numeric_names: bool = False) -> Matrix | None:
    """Open a matrix; of a workbook, the first sheet that holds one. None if there is none.

    Parameters
    ----------
    path : Path
    size : int
        Approximate size of a block in bytes.
    numeric_names : bool
        Whether the first row may name the columns by integers.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    path = Path(path)
    for sheet in sheets(path, size):
        start = _start(sheet.blocks)
        lines = Block(start.first_line, _first_lines(start.data)).lines()
        for delimiter in DELIMITERS[:-1] if any("\t" in line for line in lines) else DELIMITERS:
            if delimiter == SPACE or any(delimiter in line for line in lines):
                shape = _shape(lines, start.first_line, delimiter, numeric_names)
                if shape is not None:
                    header, first, decimal, line = shape
                    blocks = itertools.chain([start.skip(line - start.first_line)], sheet.blocks)
                    return Matrix(path, header, first, len(header[0]), delimiter, decimal, blocks)
    return None


def _start(blocks: Iterator[Block]) -> Block:
    """The first block, joined with further ones if it has few lines."""
    start = next(blocks)
    while start.data.count(b"\n") < _SAMPLE and (block := next(blocks, None)) is not None:
        start = Block(start.first_line, start.data + block.data)
    return start.without_blank_start()


def _first_lines(data: bytes, number: int = _SAMPLE) -> bytes:
    end = 0
    for _ in range(number):
        end = data.find(b"\n", end) + 1
        if not end:
            return data
    return data[:end]


def _shape(
    lines: Sequence[str], first_line: int, delimiter: str, numeric_names: bool
) -> tuple[list[list[str]], int, str, int] | None:
    """The rows of names, the first column of values, the decimal separator, and the line of the first row of values."""
    rows = [row for row in split_rows(lines, first_line, delimiter) if not row.problem]
    widths = Counter(len(row.cells) for row in rows)
    width = max(widths, key=lambda width: (widths[width], width), default=0)
    full = [row for row in rows if len(row.cells) == width]
    if width > 2 and not any(row.cells[-1].strip() for row in full):  # a delimiter at the end of each row
        width -= 1
        full = [Row(row.line, row.cells[:-1]) for row in full]
    if width < 2:
        return None
    first = _first_value(full[-max(1, len(full) // 3) :])  # they are surely rows of values
    if not first:
        return None
    values = [row for row in full if _has_values(row.cells, first)]
    if values:
        first = _first_value([row for row in full if row.line >= values[0].line]) or first
    header = _header(lines, rows, first_line, delimiter, width, first, values[0].line) if values else []
    if numeric_names and values and not header and _are_ids(values[0].cells[first:]):
        header, values = [values[0].cells], values[1:]
    if not values or not header:
        return None
    while first + 1 < width and any(_LABELS.fullmatch(normalize(row[first])) for row in header):
        first += 1
    cells = [cell for row in values for cell in row.cells[first : first + _COLUMNS]]
    return header, first, _decimal(cells, delimiter), values[0].line


def _header(
    lines: Sequence[str], rows: Sequence[Row], first_line: int, delimiter: str, width: int, first: int, line: int
) -> list[list[str]]:
    """The rows of names above the values, which may be comments; one may lack the cell above the names of the rows."""
    comments = [
        Row(number, next(split_rows([text.lstrip("#").lstrip(" ")], number, delimiter), Row(0, [])).cells)
        for number, text in enumerate(lines, start=first_line)
        if is_comment(text)
    ]
    above = sorted(row for row in [*rows, *comments] if row.line < line)
    header = [row.cells[:width] for row in above if len(row.cells) >= width and not any(row.cells[width:])]
    if not header and first == 1:  # as R's write.table writes it
        header = [["", *row.cells] for row in above if len(row.cells) == width - 1]
    header = [cells for cells in header if not all(map(text_files.is_missing, cells[first:]))]
    return [cells for cells in header if normalize(cells[0]) not in _NOT_NAMES]


def _are_ids(names: Sequence[str]) -> bool:
    """Whether names are distinct integers."""
    return len({*names}) == len(names) and all(map(_INTEGER.fullmatch, names))


def _has_values(cells: Sequence[str], first: int) -> bool:
    """Whether the cells of a row after its names are numbers, apart from missing ones."""
    filled = [cell for cell in cells[first : first + _COLUMNS] if not text_files.is_missing(cell)]
    return (
        bool(filled)
        and sum(map(_is_number, filled)) >= _MIN_NUMERIC * len(filled)
        and bool(cells[0].strip())
        and normalize(cells[0]) not in _NOT_NAMES
    )


def _first_value(rows: Sequence[Row]) -> int:
    """The first column of values: no column from there on is of text, or at least not the next ones; 0 if none is."""
    is_text = [_is_text([row.cells[k] for row in rows]) for k in range(min(len(rows[0].cells), _COLUMNS))]
    return next((k for k in range(1, len(is_text)) if not any(is_text[k : k + _RUN])), 0)


def _is_text(cells: Sequence[str]) -> bool:
    """Whether most of the cells that are not missing are no numbers."""
    filled = [cell for cell in cells if not text_files.is_missing(cell)]
    return 2 * sum(map(_is_number, filled)) < len(filled)


def _is_number(cell: str) -> bool:
    return text_files.is_number(cell.replace(",", "."), missing=False)


def _decimal(cells: Sequence[str], delimiter: str) -> str:
    if delimiter == ",":
        return "."
    has_comma = any("," in cell and _is_number(cell) for cell in cells)
    return "," if has_comma and not any("." in cell and _is_number(cell) for cell in cells) else "."
