"""Text files (plain, compressed, sheets of an Excel workbook) in blocks of whole lines, which bounds memory."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import compression, text_files

BLOCK_SIZE: Final = 16 << 20  # bytes
_WORKBOOK: Final = "xl/workbook.xml"


@dataclass(frozen=True)
class Block:
    r"""Consecutive whole lines of a text file.

    Attributes
    ----------
    first_line : int
        Line number of the first line, from 1.
    data : bytes
        The lines; each ends in `\n`.
    """

    first_line: int
    data: bytes

    def lines(self) -> list[str]:
        """The lines as text, decoded as by `text_files.decode`."""
        lines = text_files.decode(self.data).split("\n")
        lines.pop()  # the empty text after the last line end
        return lines

    def without_blank_start(self) -> Block:
        """The block without the blank lines at its start."""
        num_blank = len(self.data) - len(self.data.lstrip())
        start = self.data.rfind(b"\n", 0, num_blank) + 1
        return Block(self.first_line + self.data.count(b"\n", 0, start), self.data[start:])

    def skip(self, num_lines: int) -> Block:
        """The block without its first `num_lines` lines."""
        start = 0
        for _ in range(num_lines):
            start = self.data.index(b"\n", start) + 1
        return Block(self.first_line + num_lines, self.data[start:])


@dataclass(frozen=True)
class Sheet:
    """A text file, or one sheet of a workbook.

    Attributes
    ----------
    name : str
        Name of the sheet; empty for a text file.
    blocks : iterator of Block
    """

    name: str
    blocks: Iterator[Block]


def sheets(path: Path, size: int = BLOCK_SIZE) -> Iterator[Sheet]:
    """The sheets of an Excel workbook, or a text file as a single sheet.

    Raises
    ------
    DataError
        As for `text_blocks`, or the workbook is damaged or has a formula without a stored value.
    """
    path = Path(path)
    if is_workbook(path):
        yield from _workbook_sheets(path)
    else:
        yield Sheet("", text_blocks(path, size))


def text_blocks(path: Path, size: int = BLOCK_SIZE) -> Iterator[Block]:
    """The lines of a plain or compressed text file in blocks of about `size` bytes.

    Parameters
    ----------
    path : Path
    size : int
        Approximate size of a block in bytes.

    Raises
    ------
    DataError
        As for `compression.open_binary`, or the file is empty, binary, XML, HTML or JSON; damage is reported when its
        block is reached.
    """
    path = Path(path)
    with compression.open_binary(path) as handle:
        start = handle.read(min(size, text_files.HEAD))
        if text_files.is_utf_16(start):
            try:
                text = text_files.decode(start + handle.read())
            except DataError as error:
                raise DataError(f"{path}: {error}") from error
            start, handle = b"", io.BytesIO(text.encode())
        else:
            start = start.removeprefix(codecs.BOM_UTF8)
            text_files.refuse_binary(path, start)
        line_number, is_blank = 1, True
        for data in _whole_lines(start, handle, size):
            if is_blank:
                text_files.refuse_markup(path, data)
                is_blank = not data.strip()
            if b"\0" in data:
                text_files.refuse_binary(path, data)
            if not is_blank:
                yield Block(line_number, data)
            line_number += data.count(b"\n")
    if is_blank:
        raise DataError(f"{path} is empty - a file with content was expected")


def is_workbook(path: Path) -> bool:
    """Whether a file is an Excel workbook (.xlsx); other zip files are not."""
    return compression.first_bytes(path, 4) == compression.ZIP and _WORKBOOK in compression.zip_members(path)


def _workbook_sheets(path: Path) -> Iterator[Sheet]:
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles, which do not matter here
            # Formulas are read a second time: a stored value that is missing cannot be told from an empty cell.
            stored = openpyxl.load_workbook(path, read_only=True, data_only=True)
            formulas = openpyxl.load_workbook(path, read_only=True)
            for sheet, formula_sheet in zip(stored.worksheets, formulas.worksheets, strict=True):
                block = _sheet_block(path, sheet, formula_sheet)
                if block.data.strip():
                    yield Sheet(sheet.title, iter([block]))
            stored.close()
            formulas.close()
    except Exception as error:  # openpyxl passes on what zipfile, the XML parser and its own code raise
        if isinstance(error, DataError):
            raise
        reason = text_files.shorten(f"{type(error).__name__}: {error}", 80)
        raise DataError(f"{path} cannot be read as an Excel workbook ({reason}) - copy the file again") from error


def _sheet_block(path: Path, sheet: Any, formula_sheet: Any) -> Block:
    """The rows of a sheet as one block of tab-separated lines; line numbers are row numbers."""
    from openpyxl.utils import get_column_letter

    problems = ErrorCollector()
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    rows = itertools.zip_longest(
        sheet.iter_rows(values_only=True), formula_sheet.iter_rows(values_only=True), fillvalue=()
    )
    for number, (values, formulas) in enumerate(rows, start=1):
        for column, (value, formula) in enumerate(zip(values, formulas, strict=False), start=1):
            if value is None and isinstance(formula, str) and formula.startswith("="):
                cell = f"cell {get_column_letter(column)}{number} of sheet '{sheet.title}'"
                problems.add(
                    f"{path}: {cell} holds a formula without a stored value - open the workbook in a spreadsheet "
                    "program and save it, or paste the values"
                )
        writer.writerow(list(map(_cell, values)))
    problems.check()
    return Block(1, text.getvalue().encode())


def _cell(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _whole_lines(start: bytes, handle: IO[bytes], size: int) -> Iterator[bytes]:
    remainder, data = b"", start + handle.read(max(0, size - len(start)))
    while data:
        data = remainder + data
        more = handle.read(size)
        # The last block holds all the rest. In others, a \r at the end is not separated from the \n that may follow.
        end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1 if more else 0
        remainder = data[end:]
        if end:
            yield _unix_line_ends(data[:end])
        data = more
    if remainder:
        yield _unix_line_ends(remainder if remainder[-1:] in (b"\n", b"\r") else remainder + b"\n")


def _unix_line_ends(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data
