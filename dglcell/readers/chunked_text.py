"""Text files of any length in blocks of whole lines, so that a table of any length is read in bounded memory.

Owns streaming, gzip and the first sheet of a workbook that holds a table. What a line means is its reader's.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from dglcell.errors import DataError
from dglcell.readers import text_files

SIZE: Final = 16 << 20  # bytes
_WORKBOOK = b"PK\x03\x04"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Block:
    r"""Consecutive whole lines of a text file.

    Attributes
    ----------
    first : int
        Line number of the first line.
    data : bytes
        Lines that each end in `\n`.
    """

    first: int
    data: bytes

    def lines(self) -> list[str]:
        """The lines as text: UTF-8, else Latin-1."""
        try:
            text = self.data.decode()
        except UnicodeDecodeError:
            text = self.data.decode("latin-1")
        lines = text.split("\n")
        lines.pop()  # after the last line end
        return lines

    def without_blank_start(self) -> Block:
        """The block from its first line that is not blank."""
        blank = len(self.data) - len(self.data.lstrip())
        start = self.data.rfind(b"\n", 0, blank) + 1
        return Block(self.first + self.data.count(b"\n", 0, start), self.data[start:])

    def after(self, lines: int) -> Block:
        """The block without its first lines."""
        at = 0
        for _ in range(lines):
            at = self.data.index(b"\n", at) + 1
        return Block(self.first + lines, self.data[at:])


def text_blocks(path: Path, size: int = SIZE) -> Iterator[Block]:
    """The lines of a plain or gzip text file, some `size` bytes at a time.

    Raises
    ------
    DataError
        As `text_files.read_lines`; damage that lies further on is found when it is reached.
    """
    path = Path(path)
    if text_files.first_bytes(path, 2) in _UTF_16:
        yield from _cut(text_files.read_text(path).encode(), size)
        return
    first, empty = 1, True
    with text_files.opened(path) as raw:
        packed = text_files.first_bytes(path, 2) == text_files.GZIP
        for data in _whole_lines(path, gzip.GzipFile(fileobj=raw) if packed else raw, size):
            if empty:
                data = data.removeprefix(_BYTE_ORDER_MARK)
                text_files.refuse_binary(path, data)
                text_files.refuse_markup(path, data)
                empty = not data.strip()
            elif b"\0" in data:
                raise DataError(f"{path} is not text (it holds zero bytes) - a text file was expected")
            if not empty:
                yield Block(first, data)
            first += data.count(b"\n")
    if empty:
        raise DataError(f"{path} is empty - a file with content was expected")


def is_workbook(path: Path) -> bool:
    """Whether a file is an Excel workbook (or another zip file)."""
    return text_files.first_bytes(path, 4) == _WORKBOOK


def sheets(path: Path) -> Iterator[Block]:
    """Each sheet of an Excel workbook as one block of tab-separated lines; a line's number is its row.

    Raises
    ------
    DataError
        A zip file that is no workbook, or a damaged one.
    """
    import warnings

    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and the like, which do not matter here
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            for sheet in book.worksheets:
                lines = ["\t".join(map(_cell, row)) for row in sheet.iter_rows(values_only=True)]
                yield Block(1, "".join(line + "\n" for line in lines).encode())
            book.close()
    except Exception as error:  # openpyxl lets through whatever zipfile, the XML parser and its own parts raise
        if isinstance(error, DataError):
            raise
        reason = text_files.shorten(f"{type(error).__name__}: {error}", 80)
        raise DataError(f"{path} cannot be read as an Excel workbook ({reason}) - copy the file again") from error


def _cell(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def _whole_lines(path: Path, handle: IO[bytes] | gzip.GzipFile, size: int) -> Iterator[bytes]:
    rest = b""
    try:
        while data := handle.read(size):
            data = rest + data
            end = max(data.rfind(b"\n"), data.rfind(b"\r", 0, -1)) + 1  # \r\n is not cut in two
            rest = data[end:]
            if end:
                yield _line_ends(data[:end])
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        why = "cut short" if isinstance(error, EOFError) else f"damaged ({error})"
        raise DataError(f"{path}: its gzip data is {why} - download or copy the file again") from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}) - check the disk, or copy the file again"
        ) from error
    if rest:
        yield _line_ends(rest if rest[-1:] in (b"\n", b"\r") else rest + b"\n")


def _line_ends(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def _cut(content: bytes, size: int) -> Iterator[Block]:
    first, start = 1, 0
    if not content.endswith(b"\n"):
        content += b"\n"
    while start < len(content):
        end = content.find(b"\n", min(start + size, len(content) - 1)) + 1
        yield Block(first, content[start:end])
        first += content.count(b"\n", start, end)
        start = end
