"""Open a delimited table: find its header and delimiter, and recognize its layout from content."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, TypeVar

from dglcell.errors import DataError, ErrorCollector, setting
from dglcell.readers import text_files
from dglcell.readers.tables.chunked_text import BLOCK_SIZE, Block, sheets
from dglcell.readers.tables.column_map import ColumnMap
from dglcell.readers.tables.columns import Columns, ColumnSpec, read_columns
from dglcell.readers.tables.layout import Layout
from dglcell.readers.tables.rows import DELIMITERS, SPACE, Row, is_comment, split_rows

_HEAD_SIZE: Final = 1 << 18  # bytes at the start by which a layout is recognized
_MAX_TITLE_LINES: Final = 60  # above a header, other than comments
_MAX_WIDE_TITLE_LINES: Final = 5  # of these, lines that may have as many cells as the header
_SAMPLE: Final = 50  # rows
_SHOWN: Final = 8  # layouts in a message, the most specific and the most general
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
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
        """The decimal separator of columns of numbers: a comma if some have one in the first rows, and none a point."""
        if self.delimiter == ",":
            return "."
        cells = [row[column].strip() for row in self.first_rows for column in columns if column < len(row)]
        has_comma = any(map(_DECIMAL_COMMA.fullmatch, cells))
        return "," if has_comma and not any(map(_DECIMAL_POINT.fullmatch, cells)) else "."

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


@dataclass(frozen=True)
class Head:
    """The first lines of a table.

    Attributes
    ----------
    first_line : int
        Number of the first line.
    lines : list of str
    """

    first_line: int
    lines: list[str]

    @property
    def delimiters(self) -> tuple[str, ...]:
        """Delimiters that may separate the columns: white space only if there is no tab."""
        return DELIMITERS[:-1] if any("\t" in line.strip() for line in self.lines) else DELIMITERS

    def rows(self, delimiter: str, start: int = 0, limit: int = _SAMPLE) -> list[Row]:
        """Up to `limit` rows from the line of index `start`."""
        rows = split_rows(self.lines[start:], self.first_line + start, delimiter)
        return list(itertools.islice(rows, limit))

    def excerpt(self) -> str:
        """The first line that is neither blank nor a comment, for a message."""
        lines = [line for line in self.lines if line.strip()]
        shown = next((line for line in lines if not is_comment(line)), lines[0] if lines else "")
        return text_files.shorten(shown, 60)


def open_table(
    path: Path | str,
    layouts: Sequence[L],
    noun: str,
    maps: Sequence[ColumnMap] = (),
    custom: L | None = None,
    size: int = BLOCK_SIZE,
) -> Table[L]:
    """Open a table in one of some layouts. Of a workbook, the first sheet in a known layout is opened.

    A header is searched first, below comments (`#`) and lines of a title; layouts come in their sequence, the more
    specific ones first. Only if no layout matches a header, those without a header are compared with the first rows.

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

    Raises
    ------
    DataError
        The file cannot be read, or has none of the layouts.
    """
    path = Path(path)
    heads = []
    for sheet in sheets(path, size):
        first_blocks = _first_blocks(sheet.blocks)
        head = _head(first_blocks)
        heads.append(head)
        found = _recognize(path, head, layouts, maps, custom)
        if found is not None:
            layout, columns, header, delimiter, width, start = found
            rows = _until(layout.end, itertools.chain(_without_lines(first_blocks, start), sheet.blocks))
            sample = [row.cells for row in head.rows(delimiter, start)]
            line = head.first_line + max(0, start - 1 if header else start)
            return Table(path, layout, columns, header, width, delimiter, sample, rows, line, sheet.name)
    raise unknown_layout(path, heads[0] if heads else Head(1, []), noun, layouts, custom)


def _first_blocks(blocks: Iterator[Block]) -> list[Block]:
    """The first blocks, together at least as large as a head."""
    first_blocks: list[Block] = []
    size = 0
    while size < _HEAD_SIZE and (block := next(blocks, None)) is not None:
        first_blocks.append(block)
        size += len(block.data)
    return first_blocks


def _head(blocks: Sequence[Block]) -> Head:
    stored = b"".join(block.data for block in blocks)
    data = stored[:_HEAD_SIZE]
    whole = data[: data.rfind(b"\n") + 1] or stored[: stored.find(b"\n", _HEAD_SIZE) + 1]
    return Head(blocks[0].first_line, Block(1, whole).lines())


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


_Found = tuple[L, dict[str, int], tuple[str, ...], str, int, int]  # .., header, delimiter, width, lines before rows


def _recognize(
    path: Path, head: Head, layouts: Sequence[L], maps: Sequence[ColumnMap], custom: L | None
) -> _Found[L] | None:
    if custom is not None:
        for column_map in maps:
            if column_map.applies_to(path, custom.columns):
                column_map.check_roles(path, custom.columns)
                found = _by_map(path, head, column_map, custom)
                if found is not None:
                    column_map.used = True
                    return found
    return _by_header(path, head, layouts) or _by_rows(head, layouts)


def _by_header(path: Path, head: Head, layouts: Sequence[L]) -> _Found[L] | None:
    with_header = [layout for layout in layouts if layout.columns]
    doubtful: _Found[L] | None = None  # its rows have another width, as a sentence of a title may have
    for row, delimiter, end, is_widest in _header_candidates(head):
        for layout in with_header:
            if not (is_widest or layout.wide_titles):
                continue
            try:
                columns = layout.match_header(row.cells)
            except DataError as error:
                raise DataError(f"{path}:{row.line}: {error.template}") from None
            if columns is not None:
                found = _with_header(head, layout, columns, row.cells, delimiter, end)
                if layout.widths and found[4] not in layout.widths:
                    continue
                if _fits(head, found):
                    return found
                if not is_comment(head.lines[row.line - head.first_line]):
                    doubtful = doubtful or found
    return doubtful


def _fits(head: Head, found: _Found[L]) -> bool:
    """Whether most of the first rows have the width of the header, apart from blank cells at their end."""
    _, _, _, delimiter, width, end = found
    rows = [row.cells for row in head.rows(delimiter, end)]
    num_fitting = sum(len(cells) == width or (len(cells) > width and not any(cells[width:])) for cells in rows)
    return num_fitting * 2 >= len(rows)


def _header_candidates(head: Head) -> Iterator[tuple[Row, str, int, bool]]:
    """Rows that may be the header, their delimiter, the index of the line after them, and if no row above is as wide.

    A header may be a comment. Above it there may be comments and lines of a title; many of them only if they have fewer
    cells than it, so that the rows of a table without a header are not taken for one.
    """
    num_titles = 0
    most = dict.fromkeys(DELIMITERS, 0)  # most cells of a line of the title so far
    for index, line in enumerate(head.lines):
        if not line.strip():
            continue
        for delimiter in head.delimiters:
            row, end = _header_row(head, index, delimiter)
            is_widest = row is not None and _num_cells(row) > most[delimiter]
            if row is not None and (num_titles < _MAX_WIDE_TITLE_LINES or is_widest):
                yield row, delimiter, end, is_widest
        if not is_comment(line):
            num_titles += 1
            if num_titles > _MAX_TITLE_LINES:
                return
            for delimiter in head.delimiters:
                row, _ = _header_row(head, index, delimiter)
                if row is not None:
                    most[delimiter] = max(most[delimiter], _num_cells(row))


def _num_cells(row: Row) -> int:
    """The number of cells without blank ones at the end, which a workbook has after a title."""
    return max((k for k, cell in enumerate(row.cells, start=1) if cell.strip()), default=0)


def _header_row(head: Head, index: int, delimiter: str) -> tuple[Row | None, int]:
    """The row of a line, which may be a comment, with the index of the line after it."""
    line = head.lines[index]
    if delimiter not in (SPACE, DELIMITERS[0]) and delimiter not in line:
        return None, index + 1  # a single cell is tried once, with the first delimiter
    lines = [line.lstrip("#").lstrip() if is_comment(line) else line, *head.lines[index + 1 : index + 25]]
    rows = list(itertools.islice(split_rows(lines, index, delimiter), 2))
    if not rows or rows[0].line != index:
        return None, index + 1
    is_long = '"' in line and len(rows) > 1 and line.count('"') % 2 == 1
    end = rows[1].line if is_long else index + 1
    return Row(head.first_line + index, rows[0].cells), end


def _with_header(
    head: Head, layout: L, columns: dict[str, int], header: list[str], delimiter: str, end: int
) -> _Found[L]:
    """The layout with the width of the rows, which may have one cell more than the header."""
    widths = Counter(len(row.cells) for row in head.rows(delimiter, end))
    width = len(header)
    if widths and width not in widths and set(widths) == {width + 1}:
        rows = head.rows(delimiter, end)
        # Row names, as R's write.table has them. Between commas R quotes them; otherwise it may be a decimal comma.
        has_names = delimiter != "," or head.lines[end].lstrip().startswith('"')
        if has_names and any(row.cells[-1].strip() for row in rows):
            header = ["", *header]
            columns = {role: column + 1 for role, column in columns.items()}
            width += 1
    return layout, columns, tuple(header), delimiter, width, end


def _by_rows(head: Head, layouts: Sequence[L]) -> _Found[L] | None:
    without_header = [layout for layout in layouts if layout.positions]
    for layout in without_header:
        for delimiter in head.delimiters:
            if delimiter not in (DELIMITERS[0], SPACE) and not any(delimiter in line for line in head.lines):
                continue  # without a tab, each line is one cell
            cells = [row.cells for row in head.rows(delimiter)]
            for rows in (cells, _without_blank_ends(cells)):
                columns = layout.match_rows(rows)
                if columns is not None:
                    lengths = [len(row) for row in rows if not layout.widths or len(row) in layout.widths]
                    width = Counter(lengths).most_common(1)[0][0]
                    columns = {role: column for role, column in columns.items() if column < width}
                    return layout, columns, (), delimiter, width, 0
    return None


def _without_blank_ends(rows: Sequence[list[str]]) -> list[list[str]]:
    """The rows without the blank cells at their ends, as trailing delimiters make."""
    num_blank = [sum(1 for _ in itertools.takewhile(lambda cell: not cell.strip(), reversed(row))) for row in rows]
    return [row[: len(row) - blank] for row, blank in zip(rows, num_blank, strict=True)]


def _by_map(path: Path, head: Head, column_map: ColumnMap, custom: L) -> _Found[L] | None:
    """The table with columns that the user names; None if it lacks them."""
    for row, delimiter, end, _ in _header_candidates(head):
        columns = column_map.match_header(row.cells)
        if columns is None or (len(row.cells) == 1 and len(column_map.columns) > 1):
            continue
        if not column_map.has_names and not _looks_like_header(row, columns, head.rows(delimiter, end)):
            if is_comment(head.lines[row.line - head.first_line]):
                continue
            return custom, columns, (), delimiter, len(row.cells), row.line - head.first_line
        return _with_header(head, custom, columns, row.cells, delimiter, end)
    if column_map.file:
        raise DataError(
            f"{path} has no columns {', '.join(column_map.columns.values())} (it starts with '{head.excerpt()}') - "
            "names as in its header, or numbers from 1, were expected"
        )
    return None


def _looks_like_header(row: Row, columns: dict[str, int], rows: Sequence[Row]) -> bool:
    """Whether a first row names the columns: where the rows below have numbers, it has none; otherwise by its words."""
    for column in columns.values():
        cells = [r.cells[column] for r in rows if column < len(r.cells)]
        if cells and all(map(text_files.is_number, cells)):
            return not text_files.is_number(row.cells[column])
    words = ("gene", "orf", "name", "id", "strain", "protein", "locus", "symbol", "query", "array", "mutant")
    return any(word in row.cells[column].lower() for word in words for column in columns.values())


def unknown_layout(path: Path, head: Head, noun: str, layouts: Sequence[Layout], custom: Layout | None) -> DataError:
    """The error for a table of no known layout; it shows the columns and how to name them."""
    example = ""
    row = next((r for line in head.lines if (r := _widest(line))), None)
    cells = [cell.strip() for cell in row] if row else []
    if custom is not None and len(cells) > 1:
        rows = head.rows(next(d for d in DELIMITERS if d == SPACE or any(d in line for line in head.lines)), 1, 5)
        numeric = [
            bool(rows) and all(k < len(r.cells) and text_files.is_number(r.cells[k]) for r in rows)
            for k in range(len(cells))
        ]
        example = _example(cells, numeric, custom)
    shown = ", ".join(f"'{text_files.shorten(cell, 30)}'" for cell in cells[:8]) + (", .." if len(cells) > 8 else "")
    start = f"its columns are {shown}" if len(cells) > 1 else f"it starts with '{head.excerpt()}'"
    advice = f"; name its columns, for example {setting('columns', example)}" if example else ""
    known = list(dict.fromkeys(layout.name for layout in layouts))
    names = "; ".join(known if len(known) <= _SHOWN else [*known[: _SHOWN - 4], "..", *known[-4:]])
    return DataError(
        f"{path} is no {noun} of a known layout ({start}) - {names} was expected (`dglcell formats` describes "
        f"them){advice}"
    )


def _widest(line: str) -> list[str] | None:
    if not line.strip() or is_comment(line):
        return None
    return max(
        (next(iter(split_rows([line], 1, delimiter)), Row(1, [])).cells for delimiter in DELIMITERS[:-1]), key=len
    ) or [line]


def _example(cells: Sequence[str], numeric: Sequence[bool], custom: Layout) -> str:
    """An example of `--columns` with the columns of a file: texts are genes, the first number is the first label."""
    is_named = not any(map(text_files.is_number, filter(None, cells))) and all(cells)
    names = [cell if is_named and "," not in cell else str(k + 1) for k, cell in enumerate(cells)]
    texts = [name for name, is_number in zip(names, numeric, strict=True) if not is_number]
    figures = [name for name, is_number in zip(names, numeric, strict=True) if is_number]
    roles = [role for role in custom.columns if "*" not in role]
    genes = ["gene_1", "gene_2"] if any(role.startswith("gene_") for role in custom.columns) else roles[:1]
    labels = [role for role in roles if role in ("fitness", "gene_interaction", "confidence", "sign")]
    pairs = [*zip(genes, texts, strict=False), *zip(labels, figures, strict=False)]
    return ",".join(f"{role}={name}" for role, name in pairs)
