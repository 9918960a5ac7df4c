"""Open a delimited table whose layout is recognized from its content, and read its columns block by block."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, TypeVar

from dglcell.errors import DataError, ErrorCollector, warn
from dglcell.readers import text_files
from dglcell.readers.tables.chunked_text import BLOCK_SIZE, Block, sheets
from dglcell.readers.tables.column_map import ColumnMap
from dglcell.readers.tables.columns import Columns, ColumnSpec, read_columns
from dglcell.readers.tables.layout import Layout
from dglcell.readers.tables.recognition import Head, fits, recognize, unknown_layout
from dglcell.readers.tables.rows import is_comment

_HEAD_SIZE: Final = 1 << 18  # bytes at the start by which a layout is recognized
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")

L = TypeVar("L", bound=Layout)


@dataclass(frozen=True)
class Table(Generic[L]):
    """An open table whose layout is known.

    Attributes
    ----------
    path : Path
    layout : Layout
    columns : dict of str to int
        Role to column, from 0.
    header : tuple of str
        Names of the columns as in the file; empty if there is no header.
    width : int
        Number of columns.
    delimiter : str
        One of `rows.DELIMITERS`.
    first_rows : list of list of str
        The cells of the first rows.
    blocks : iterator of Block
        The rows, without the header and what stands above it; can be read once.
    header_line : int
        Line number of the header, or of the first row if there is none.
    sheet : str
        Name of the sheet of a workbook, else empty.
    other_sheets : tuple of str
        Names of further sheets that hold a table of a known layout.
    """

    path: Path
    layout: L
    columns: dict[str, int]
    header: tuple[str, ...]
    width: int
    delimiter: str
    first_rows: list[list[str]] = field(repr=False)
    blocks: Iterator[Block] = field(repr=False)
    header_line: int
    sheet: str = ""
    other_sheets: tuple[str, ...] = ()

    def name(self, role: str) -> str:
        """The column of a role as in the header, or its number from 1, for messages."""
        column = self.columns[role]
        return self.header[column].strip() if self.header else str(column + 1)

    def spec(self, text: Sequence[str] = (), numbers: Sequence[str] = ()) -> ColumnSpec:
        """The columns of these roles, for `columns.read_columns`; roles that the table lacks are left out."""
        text_columns = sorted({self.columns[role] for role in text if role in self.columns})
        number_columns = {self.columns[role]: self.name(role) for role in numbers if role in self.columns}
        decimal = self.decimal_of(list(number_columns))
        return ColumnSpec(self.width, text_columns, number_columns, self.delimiter, decimal, self.layout.pads)

    def decimal_of(self, columns: Sequence[int]) -> str:
        """The decimal separator of columns of numbers: a comma if some have one in the first rows, and none a point.

        Raises
        ------
        DataError
            Each comma may just as well separate thousands (`1,234`).
        """
        if self.delimiter == ",":
            return "."
        cells = [row[column].strip() for row in self.first_rows for column in columns if column < len(row)]
        with_comma = list(filter(_DECIMAL_COMMA.fullmatch, cells))
        if not with_comma or any(map(_DECIMAL_POINT.fullmatch, cells)):
            return "."
        if all(map(_THOUSANDS.fullmatch, with_comma)):
            plain, decimal = with_comma[0].replace(",", ""), with_comma[0].replace(",", ".")
            raise DataError(
                f"{self.path}: '{with_comma[0]}' may be {plain} or {decimal} - write numbers without separators of "
                "thousands, and with a decimal point"
            )
        return ","

    def with_header(self) -> Table[L]:
        """The table with its first row as the header, where it was recognized without one."""
        block = next(self.blocks)
        while not (line := block.data[: block.data.index(b"\n")].decode("latin-1")).strip() or is_comment(line):
            block = block.skip(1)
        blocks = itertools.chain([block.skip(1)] if block.data.count(b"\n") > 1 else [], self.blocks)
        return dataclasses.replace(self, header=tuple(self.first_rows[0]), blocks=blocks, header_line=block.first_line)

    def read_all(self, text: Sequence[str] = (), numbers: Sequence[str] = ()) -> Iterator[Columns]:
        """The columns of these roles, block by block; see `columns.read_columns`.

        Raises
        ------
        DataError
            Rows have problems; all of a block are listed with file and line.
        """
        spec = self.spec(text, numbers)
        for block in self.blocks:
            problems = ErrorCollector()
            columns = read_columns(self.path, block, spec, problems)
            problems.check()
            yield columns


def open_table(
    path: Path | str,
    layouts: Sequence[L],
    noun: str,
    maps: Sequence[ColumnMap] = (),
    custom: L | None = None,
    size: int = BLOCK_SIZE,
    preferred: Collection[str] = (),
) -> Table[L]:
    """Open a table in one of some layouts. Of a workbook, the first sheet in a known layout is opened.

    A header is searched first, below comments (`#`) and lines of a title; layouts come in their sequence, the more
    specific ones first. Only if no layout matches a header, those without a header are compared with the first rows.
    A warning names further sheets that hold a table, unless the layout alone is asked for (no `custom`).

    Parameters
    ----------
    path : Path
    layouts : sequence of Layout
    noun : str
        What was expected, `network` for example, for messages.
    maps : sequence of ColumnMap
        Columns that the user names; they take precedence.
    custom : Layout, optional
        Layout of a table whose columns the user names; its `columns` are the possible roles.
    size : int
        Approximate size of a block in bytes.
    preferred : collection of str
        Roles: of several sheets, the first one with any of them is opened, if there is one.

    Raises
    ------
    DataError
        The file cannot be read, or has none of the layouts.
    """
    path = Path(path)
    heads: list[Head] = []
    tables: list[tuple[bool, Table[L]]] = []  # with whether it is surely the one that is wanted
    try:
        for sheet in sheets(path, size):
            first_blocks = _first_blocks(sheet.blocks)
            head = _head(first_blocks, bool(sheet.name))
            heads.append(head)
            found = recognize(path, head, layouts, maps, custom)
            if found is not None:
                layout, columns, header, delimiter, width, start = found
                rows = _until(layout.end, itertools.chain(_without_lines(first_blocks, start), sheet.blocks))
                sample = [row.cells for row in head.rows(delimiter, start)]
                line = head.first_line + max(0, start - 1 if header else start)
                table = Table(path, layout, columns, header, width, delimiter, sample, rows, line, sheet.name)
                is_sure = fits(head, found) and (not preferred or not {*preferred}.isdisjoint(columns))
                tables.append((is_sure, table))
    except DataError as error:  # of a sheet that is not read
        if not any(is_sure for is_sure, _ in tables):
            raise
        if custom is not None:
            warn(f"a further sheet is not read: {error.template}")
    if not tables:
        raise unknown_layout(path, heads[0] if heads else Head(1, []), noun, layouts, custom)
    table = next((table for is_sure, table in tables if is_sure), tables[0][1])
    others = tuple(other.sheet for is_sure, other in tables if is_sure and other is not table)
    if others and custom is not None:
        names = ", ".join(f"'{text_files.shorten(name, 30)}'" for name in others)
        sheet_is, them = (
            ("sheet {} holds a table, too, and is", "it")
            if len(others) == 1
            else ("sheets {} hold tables, too, and are", "each of them")
        )
        warn(f"{path}: '{table.sheet}' is read; {sheet_is.format(names)} not read - save {them} as a file of its own")
    return dataclasses.replace(table, other_sheets=others)


def _first_blocks(blocks: Iterator[Block]) -> list[Block]:
    """The first blocks, together at least as large as a head."""
    first_blocks: list[Block] = []
    size = 0
    while size < _HEAD_SIZE and (block := next(blocks, None)) is not None:
        first_blocks.append(block)
        size += len(block.data)
    return first_blocks


def _head(blocks: Sequence[Block], is_sheet: bool = False) -> Head:
    stored = b"".join(block.data for block in blocks)
    data = stored[:_HEAD_SIZE]
    whole = data[: data.rfind(b"\n") + 1] or stored[: stored.find(b"\n", _HEAD_SIZE) + 1]
    return Head(blocks[0].first_line, Block(1, whole).lines(), is_sheet)


def _without_lines(blocks: Sequence[Block], num_lines: int) -> Iterator[Block]:
    """The blocks without their first lines."""
    for block in blocks:
        num_skipped = min(num_lines, block.data.count(b"\n"))
        num_lines -= num_skipped
        rest = block.skip(num_skipped)
        if rest.data:
            yield rest


def _until(end: str, blocks: Iterator[Block]) -> Iterator[Block]:
    """The blocks up to the first line that matches a regular expression."""
    pattern = re.compile(rf"^(?:{end})".encode(), re.MULTILINE) if end else None
    for block in blocks:
        last = pattern.search(block.data) if pattern else None
        if last is None:
            yield block
            continue
        yield Block(block.first_line, block.data[: last.start()])
        return
