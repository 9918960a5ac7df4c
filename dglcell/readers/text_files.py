"""Text files, plain or gzip (recognized by content), with any line ending and common encodings -> lines and fields.

Errors name the file and the line.
"""

from __future__ import annotations

import contextlib
import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, ErrorCollector

GZIP = b"\x1f\x8b"
_MAGIC = {
    b"PK\x03\x04": "an Excel or zip file",
    b"\x89HDF": "an HDF5 file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"%PDF": "a PDF file",
}
_MISSING = frozenset({"", "na", "nan", "n/a", "null", "none", "#n/a"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SAMPLE = 20
_HEAD = 4096


@contextlib.contextmanager
def open_binary(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading bytes.

    Raises
    ------
    DataError
        The path is a folder, does not exist, or cannot be read.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder - a file was expected")
    try:
        handle = open(path, "rb")  # noqa: SIM115 - closed below, outside of what is caught here
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file - check the path") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}) - check its permissions") from error
    with handle:
        yield handle


def first_bytes(path: Path, n: int) -> bytes:
    """The first `n` bytes of a file as stored, not decompressed."""
    with open_binary(path) as handle:
        return handle.read(n)


def read_bytes(path: Path) -> bytes:
    """The content of a file, decompressed if it is gzip data, whatever the file name.

    Raises
    ------
    DataError
        The file does not exist, is a folder, cannot be read, is empty, or holds truncated or damaged gzip data.
    """
    path = Path(path)
    with open_binary(path) as handle:
        content = handle.read()
    if content[:2] == GZIP:
        try:
            content = gzip.decompress(content)
        except (EOFError, zlib.error, OSError) as error:
            reason = "cut short" if isinstance(error, EOFError) else f"damaged ({error})"
            raise DataError(f"{path}: its gzip data is {reason} - download or copy the file again") from error
    if not content.strip():
        raise DataError(f"{path} is empty - a file with content was expected")
    return content


def read_text(path: Path) -> str:
    r"""The content of a text file with `\n` line endings and without a byte order mark.

    It is decoded as UTF-16 if it has the byte order mark, otherwise as UTF-8 or, if that fails, as Latin-1.

    Raises
    ------
    DataError
        As for `read_bytes`, or the file is not text.
    """
    content = read_bytes(path)
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = content.decode("utf-16")
        else:
            refuse_binary(path, content)
            text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def refuse_binary(path: Path, content: bytes) -> None:
    """Raise DataError for content that starts like a known binary format or contains zero bytes."""
    for magic, kind in _MAGIC.items():
        if content.startswith(magic):
            raise DataError(f"{path} is {kind} - a text file was expected")
    if b"\0" in content:
        raise DataError(f"{path} is a binary file - a text file was expected")


def refuse_markup(path: Path, content: bytes) -> None:
    """Raise DataError for XML or HTML, for example an error page saved in place of a download."""
    if content.lstrip()[:1] == b"<":
        excerpt = shorten(content[:60].decode("utf-8", "replace"))
        raise DataError(f"{path} is XML or HTML (it starts with '{excerpt}') - a table was expected")


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, without an empty one after the final line end; line numbers are index + 1.

    Raises
    ------
    DataError
        As for `read_text`, or the file is XML or HTML.
    """
    text = read_text(path)
    refuse_markup(path, text[:_HEAD].encode())
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return lines


def find_delimiter(lines: Sequence[str]) -> str | None:
    """The character between fields: tab, comma or semicolon; `None` stands for runs of white space.

    It is the first of these that occurs in all of the first 20 lines, otherwise the first that occurs in any of them.

    Examples
    --------
    >>> find_delimiter(["gene;fitness", "b0008;0,97"])
    ';'
    >>> find_delimiter(["b0008 b0114"]) is None
    True
    """
    sample = [line for line in lines if line.strip()][:_SAMPLE]
    for quantifier in (all, any):
        for character in ("\t", ",", ";"):
            if sample and quantifier(character in line for line in sample):
                return character
    return None


def split(line: str, delimiter: str | None) -> list[str]:
    """The fields of a line, without white space and double quotes around them."""
    return [field.strip().strip('"') for field in line.split(delimiter)]


def is_missing(text: str) -> bool:
    """Whether a cell means "no value": blank, NA, NaN, null, none, in upper or lower case."""
    return text.strip().lower() in _MISSING


def is_number(text: str, missing: bool = True) -> bool:
    """Whether a cell holds a finite decimal number or, if `missing` is true, no value."""
    text = text.strip()
    return bool(_NUMBER.fullmatch(text)) or (missing and is_missing(text))


def numbers(
    values: Sequence[str], lines: Sequence[int] | NDArray[np.int64], path: Path, column: str, problems: ErrorCollector
) -> NDArray[np.float64]:
    """A column of cells as numbers, NaN where a value is missing; other text is added to `problems`.

    Parameters
    ----------
    lines : sequence of int
        Line number of each cell, for the message.
    column : str
        Name of the column, for the message.

    Returns
    -------
    (n,) float64
    """
    try:
        array = np.array([float(value) for value in values], dtype=np.float64)
        if np.isfinite(array).all() and "_" not in "".join(values):  # float() takes 1_000 for a number
            return array
    except ValueError:
        array = np.empty(len(values))
    for k, value in enumerate(values):
        text = value.strip()
        if _NUMBER.fullmatch(text):
            array[k] = float(text)
            if np.isfinite(array[k]):
                continue
        array[k] = np.nan
        if text.lower() not in _MISSING:
            problems.add(f"{path}:{lines[k]}: '{shorten(value)}' in column {column} - a number was expected")
    return array


def quantity(n: int, noun: str) -> str:
    """A count with its noun in the singular or plural.

    Examples
    --------
    >>> quantity(1, "column"), quantity(3, "column")
    ('1 column', '3 columns')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def shorten(text: str, width: int = 40) -> str:
    """The text on one line, cut to at most `width` characters, for a message."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 2] + ".."
