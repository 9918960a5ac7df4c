"""Text files as they come: plain or gzip by content, any line ending, with errors that name file and line.

Owns opening, decoding, cutting into lines and fields, and numbers. Knows nothing of what a table means.
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
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A file's raw bytes; DataError for a folder, a file that is not there, or one that may not be read."""
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
    """The first bytes of a file, as they lie on disk."""
    with opened(path) as handle:
        return handle.read(n)


def read_bytes(path: Path) -> bytes:
    """The content of a file, decompressed if it is gzip, whatever its name.

    Raises
    ------
    DataError
        No such file, a folder, not readable, empty, or gzip data that is cut short or damaged.
    """
    path = Path(path)
    with opened(path) as handle:
        content = handle.read()
    if content[:2] == GZIP:
        try:
            content = gzip.decompress(content)
        except (EOFError, zlib.error, OSError) as error:
            why = "cut short" if isinstance(error, EOFError) else f"damaged ({error})"
            raise DataError(f"{path}: its gzip data is {why} - download or copy the file again") from error
    if not content.strip():
        raise DataError(f"{path} is empty - a file with content was expected")
    return content


def read_text(path: Path) -> str:
    r"""The content of a text file, with `\n` line endings and no byte order mark.

    UTF-8, UTF-16 with a byte order mark, else Latin-1.

    Raises
    ------
    DataError
        As `read_bytes`, or the file is not text.
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
    """DataError for what begins like a known binary format, or holds zero bytes."""
    for magic, what in _MAGIC.items():
        if content.startswith(magic):
            raise DataError(f"{path} is {what} - a text file was expected")
    if b"\0" in content:
        raise DataError(f"{path} is not text (it holds zero bytes) - a text file was expected")


def refuse_markup(path: Path, content: bytes) -> None:
    """DataError for XML or HTML, such as an error page in place of a download."""
    if content.lstrip()[:1] == b"<":
        begins = shorten(content[:60].decode("utf-8", "replace"))
        raise DataError(f"{path} is XML or HTML (it begins with '{begins}') - a table was expected")


def read_lines(path: Path) -> list[str]:
    """The lines of a text file; line number = index + 1. The end of the last line opens no further one.

    Raises
    ------
    DataError
        As `read_text`, or the file is XML or HTML, such as an error page in place of a download.
    """
    text = read_text(path)
    refuse_markup(path, text[:_HEAD].encode())
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return lines


def delimiter(lines: Sequence[str]) -> str | None:
    """The character between fields: tab, else comma, else semicolon, else `None` (runs of white space).

    It is the first of these that every sampled line holds, or else the first that any line holds.
    """
    sample = [line for line in lines if line.strip()][:_SAMPLE]
    for test in (all, any):
        for mark in ("\t", ",", ";"):
            if sample and test(mark in line for line in sample):
                return mark
    return None


def split(line: str, mark: str | None) -> list[str]:
    """The fields of a line, without surrounding blanks and double quotes."""
    return [field.strip().strip('"') for field in line.split(mark)]


def is_missing(text: str) -> bool:
    """Whether a cell stands for "no value": blank, NA, NaN and the like."""
    return text.strip().lower() in _MISSING


def is_number(text: str, missing: bool = True) -> bool:
    """Whether a cell holds a finite number, or (`missing`) none at all."""
    text = text.strip()
    return bool(_NUMBER.fullmatch(text)) or (missing and is_missing(text))


def numbers(
    values: Sequence[str], lines: Sequence[int] | NDArray[np.int64], path: Path, what: str, problems: ErrorCollector
) -> NDArray[np.float64]:
    """A column as float64 `(n,)`, NaN where missing; each cell that is no finite number goes to `problems`.

    Parameters
    ----------
    lines : sequence of int
        Line number of each value, for the message.
    what : str
        The column's name, for the message.
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
            problems.add(f"{path}:{lines[k]}: '{shorten(value)}' in column {what} - a number was expected")
    return array


def counted(n: int, what: str) -> str:
    """`1 column`, `3 columns`."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def shorten(text: str, width: int = 40) -> str:
    """`text` on one line, cut to `width` characters for a message."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 2] + ".."
