"""Text files (plain, gzip, sheets of an Excel workbook) in blocks of whole lines, which bounds memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from dglcell.errors import DataError
from dglcell.readers import text_files

BLOCK_SIZE: Final = 16 << 20  # bytes
_WORKBOOK = b"PK\x03\x04"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


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
        """The lines as text, decoded as UTF-8 or, if that fails, as Latin-1."""
        try:
            text = self.data.decode()
        except UnicodeDecodeError:
            text = self.data.decode("latin-1")
        lines = text.split("\n")
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


def text_blocks(path: Path, size: int = BLOCK_SIZE) -> Iterator[Block]:
    """The lines of a plain or gzip text file in blocks of about `size` bytes.

    Parameters
    ----------
    path : Path
    size : int
        Approximate size of a block in bytes.

    Raises
    ------
    DataError
        As for `text_files.read_lines`; damage is reported when its block is reached.
    """
    path = Path(path)
    if text_files.first_bytes(path, 2) in _UTF_16:
        yield from _blocks_of(text_files.read_text(path).encode(), size)
        return
    line_number, blank = 1, True
    with text_files.open_binary(path) as handle:
        is_gzip = text_files.first_bytes(path, 2) == text_files.GZIP
        for data in _whole_lines(path, gzip.GzipFile(fileobj=handle) if is_gzip else handle, size):
            if blank:
                data = data.removeprefix(_BYTE_ORDER_MARK)
                text_files.refuse_binary(path, data)
                text_files.refuse_markup(path, data)
                blank = not data.strip()
            elif b"\0" in data:
                raise DataError(f"{path} is a binary file - a text file was expected")
            if not blank:
                yield Block(line_number, data)
            line_number += data.count(b"\n")
    if blank:
        raise DataError(f"{path} is empty - a file with content was expected")


def is_workbook(path: Path) -> bool:
    """Whether a file is a zip file, such as an Excel workbook."""
    return text_files.first_bytes(path, 4) == _WORKBOOK


def sheets(path: Path) -> Iterator[Block]:
    """Each sheet of an Excel workbook as one block of tab-separated lines; line numbers are row numbers.

    Raises
    ------
    DataError
        The file is not a workbook, or is damaged.
    """
    import warnings

    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles, which do not matter here
            workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
            for sheet in workbook.worksheets:
                lines = ["\t".join(map(_cell, row)) for row in sheet.iter_rows(values_only=True)]
                yield Block(1, "".join(line + "\n" for line in lines).encode())
            workbook.close()
    except Exception as error:  # openpyxl passes on what zipfile, the XML parser and its own code raise
        if isinstance(error, DataError):
            raise
        reason = text_files.shorten(f"{type(error).__name__}: {error}", 80)
        raise DataError(f"{path} cannot be read as an Excel workbook ({reason}) - copy the file again") from error


def _cell(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _whole_lines(path: Path, handle: IO[bytes] | gzip.GzipFile, size: int) -> Iterator[bytes]:
    remainder = b""
    try:
        while data := handle.read(size):
            data = remainder + data
            end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1  # does not separate \r from \n
            remainder = data[end:]
            if end:
                yield _unix_line_ends(data[:end])
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = "cut short" if isinstance(error, EOFError) else f"damaged ({error})"
        raise DataError(f"{path}: its gzip data is {reason} - download or copy the file again") from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}) - check the disk, or copy the file again"
        ) from error
    if remainder:
        yield _unix_line_ends(remainder if remainder[-1:] in (b"\n", b"\r") else remainder + b"\n")


def _unix_line_ends(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def _blocks_of(content: bytes, size: int) -> Iterator[Block]:
    line_number, start = 1, 0
    if not content.endswith(b"\n"):
        content += b"\n"
    while start < len(content):
        end = content.find(b"\n", min(start + size, len(content) - 1)) + 1
        yield Block(line_number, content[start:end])
        line_number += content.count(b"\n", start, end)
        start = end
