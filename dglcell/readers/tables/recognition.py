"""Recognize the layout of a table by its first lines: its header and delimiter, or the cells of its first rows."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, NamedTuple, TypeVar

from dglcell.errors import DataError, setting
from dglcell.readers import text_files
from dglcell.readers.tables.column_map import ColumnMap
from dglcell.readers.tables.layout import Layout, normalize
from dglcell.readers.tables.rows import DELIMITERS, SPACE, Row, is_comment, split_rows

_MAX_TITLE_LINES: Final = 60  # above a header, other than comments
_MAX_WIDE_TITLE_LINES: Final = 5  # of these, lines that may have as many cells as the header
_SAMPLE: Final = 50  # rows
_SHOWN: Final = 8  # layouts in a message, the most specific and the most general

L = TypeVar("L", bound=Layout)


@dataclass(frozen=True)
class Head:
    """The first lines of a table.

    Attributes
    ----------
    first_line : int
        Number of the first line.
    lines : list of str
    is_sheet : bool
        Whether it is a sheet of a workbook, whose cells may be sentences.
    """

    first_line: int
    lines: list[str]
    is_sheet: bool = False

    @property
    def delimiters(self) -> tuple[str, ...]:
        """Delimiters that may separate the columns: white space only if there is no tab, and not in a workbook."""
        has_tab = self.is_sheet or any("\t" in line.strip() for line in self.lines)
        return DELIMITERS[:-1] if has_tab else DELIMITERS

    def rows(self, delimiter: str, start: int = 0, limit: int = _SAMPLE) -> list[Row]:
        """Up to `limit` rows from the line of index `start`."""
        rows = split_rows(self.lines[start:], self.first_line + start, delimiter)
        return list(itertools.islice(rows, limit))

    def excerpt(self) -> str:
        """The first line that is neither blank nor a comment, for a message."""
        lines = [line for line in self.lines if line.strip()]
        shown = next((line for line in lines if not is_comment(line)), lines[0] if lines else "")
        return text_files.shorten(shown, 60)


class Found(NamedTuple, Generic[L]):
    """Where a layout stands in a file.

    Attributes
    ----------
    layout : Layout
    columns : dict of str to int
        Role to column, from 0.
    header : tuple of str
        Names of the columns; empty if there is no header.
    delimiter : str
    width : int
        Number of columns.
    num_lines : int
        Number of lines above the first row.
    """

    layout: L
    columns: dict[str, int]
    header: tuple[str, ...]
    delimiter: str
    width: int
    num_lines: int


def recognize(
    path: Path, head: Head, layouts: Sequence[L], maps: Sequence[ColumnMap], custom: L | None
) -> Found[L] | None:
    """The layout of a file: by columns that the user names, else by a header, else by its first rows; None if none.

    Parameters are those of `table.open_table`.

    Raises
    ------
    DataError
        The file lacks columns that the user names, or a column stands in its header twice.
    """
    if custom is not None:
        for column_map in maps:
            if column_map.applies_to(path, custom.columns):
                column_map.check_roles(path, custom.columns)
                found = _by_map(path, head, column_map, custom)
                if found is not None:
                    column_map.used = True
                    return found
    return _by_header(path, head, layouts) or _by_rows(head, layouts)


def _by_header(path: Path, head: Head, layouts: Sequence[L]) -> Found[L] | None:
    with_header = [layout for layout in layouts if layout.columns]
    doubtful: Found[L] | None = None  # its rows have another width, as a sentence of a title may have
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
                if layout.widths and found.width not in layout.widths:
                    continue
                if fits(head, found):
                    return found
                if not is_comment(head.lines[row.line - head.first_line]):
                    doubtful = doubtful or found
    return doubtful


def fits(head: Head, found: Found[L]) -> bool:
    """Whether most of the first rows have the width of the header, apart from blank cells at their end."""
    width = found.width
    rows = [row.cells for row in head.rows(found.delimiter, found.num_lines)]
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
) -> Found[L]:
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
    return Found(layout, columns, tuple(header), delimiter, width, end)


def _by_rows(head: Head, layouts: Sequence[L]) -> Found[L] | None:
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
                    return Found(layout, columns, (), delimiter, width, 0)
    return None


def _without_blank_ends(rows: Sequence[list[str]]) -> list[list[str]]:
    """The rows without the blank cells at their ends, as trailing delimiters make."""
    num_blank = [sum(1 for _ in itertools.takewhile(lambda cell: not cell.strip(), reversed(row))) for row in rows]
    return [row[: len(row) - blank] for row, blank in zip(rows, num_blank, strict=True)]


def _by_map(path: Path, head: Head, column_map: ColumnMap, custom: L) -> Found[L] | None:
    """The table with columns that the user names; None if it lacks them."""
    for row, delimiter, end, _ in _header_candidates(head):
        columns = column_map.match_header(row.cells)
        if columns is None or (len(row.cells) == 1 and len(column_map.columns) > 1):
            continue
        if not column_map.has_names and not _looks_like_header(row, columns, head.rows(delimiter, end)):
            if is_comment(head.lines[row.line - head.first_line]):
                continue
            return Found(custom, columns, (), delimiter, len(row.cells), row.line - head.first_line)
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
    if figures and re.search("score|interaction|eps|gi$|tau", normalize(figures[0])) and "gene_interaction" in labels:
        labels = ["gene_interaction"]
    pairs = [*zip(genes, texts, strict=False), *zip(labels[:1], figures, strict=False)]
    return ",".join(f"{role}={name}" for role, name in pairs)
