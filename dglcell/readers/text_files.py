"""Text files as text, whatever their compression and encoding; what is no text is refused; numbers in cells."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, ErrorCollector, setting
from dglcell.readers import compression

HEAD: Final = 4096  # bytes by which the kind of a file is recognized
_KINDS: Final = {  # by the first bytes: what the file is, and what to do
    b"PK\x03\x04": ("an Excel or zip file", "save it as .tsv"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook (.xls)", "save it as .xlsx or .tsv"),
    b"\x89HDF": ("an HDF5 file (.h5, .h5ad, ..)", "export the table that is meant as .tsv"),
    b"%PDF": ("a PDF file", "look for the table as a supplementary file"),
    b"PAR1": ("a Parquet file", "save the table as .tsv"),
    b"ARROW1": ("an Arrow or Feather file", "save the table as .tsv"),
    b"SQLite format 3": ("an SQLite database", "export the table that is meant as .tsv"),
    b"\x93NUMPY": ("a NumPy file", "save the table as .tsv"),
    b"RDX": ("an R data file", "write the table with write.table(.., sep = '\\t')"),
    b"RDA": ("an R data file", "write the table with write.table(.., sep = '\\t')"),
    b"X\n\0\0\0": ("an R data file", "write the table with write.table(.., sep = '\\t')"),
    b"MATLAB 5.0 MAT-file": ("a MATLAB file", "write the table that is meant as .tsv"),
    b"{\\rtf": ("a rich text document", "save it as plain text"),
    b"version https://git-lfs": ("a Git LFS pointer, not the file itself", "fetch the file with `git lfs pull`"),
    b"\x1f\x8b": ("compressed twice", "unpack it once"),
}
_MISSING = frozenset({"", "na", "nan", "n/a", "null", "none", "#n/a"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def read_bytes(path: Path) -> bytes:
    """The content of a file, decompressed if it is gzip, bzip2, xz or zip data, whatever the file name.

    Raises
    ------
    DataError
        As for `compression.open_binary`, or the file is empty.
    """
    with compression.open_binary(Path(path)) as handle:
        content = handle.read()
    if not content.strip():
        raise DataError(f"{path} is empty - a file with content was expected")
    return content


def is_utf_16(content: bytes) -> bool:
    """Whether the content starts with the byte order mark of UTF-16."""
    return content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def decode(content: bytes) -> str:
    r"""Text from bytes: UTF-16 by its byte order mark, else UTF-8 or, if that fails, Windows-1252 or Latin-1.

    Raises
    ------
    DataError
        The content is UTF-16 that is cut short.

    Examples
    --------
    >>> decode("tfc3Δ".encode()), decode("tfc3Δ".encode("utf-16")), decode(b"5 \xb5M \x96 10")
    ('tfc3Δ', 'tfc3Δ', '5 µM – 10')
    """
    if is_utf_16(content):
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError as error:
            raise DataError(f"UTF-16 text that is damaged ({error.reason}) - save the file as UTF-8") from error
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def refuse_binary(path: Path, content: bytes) -> None:
    """Raise DataError for content that starts like a known binary format or contains zero bytes."""
    for magic, (kind, advice) in _KINDS.items():
        if content.startswith(magic):
            raise DataError(f"{path} is {kind} - a text file was expected; {advice}")
    if b"\0" in content:
        raise DataError(f"{path} is a binary file - a text file was expected; save the table as .tsv")


def refuse_markup(path: Path, content: bytes) -> None:
    """Raise DataError for XML, HTML or JSON, for example an error page saved in place of a download."""
    start = content.lstrip().removeprefix(codecs.BOM_UTF8)
    excerpt = shorten(start[:60].decode("utf-8", "replace"))
    if re.match(rb"<(!doctype html|html|head|body)", start, re.IGNORECASE):
        raise DataError(
            f"{path} is an HTML page (it starts with '{excerpt}') - a table was expected; the page may hold an error "
            "message instead of the download: open it in a browser, and download the file again"
        )
    if start[:1] == b"<" and re.search(rb"<(\w+:)?sbml\b", start[:HEAD]):
        raise DataError(f"{path} is a metabolic model in SBML - a table was expected; give it as {setting('model')}")
    if start[:1] == b"<":
        raise DataError(f"{path} is XML or HTML (it starts with '{excerpt}') - a table was expected")
    if re.match(rb"\{\s*[\"}]|\[\s*[\[{\"]", start):
        raise DataError(f"{path} is JSON (it starts with '{excerpt}') - a table was expected")


def is_missing(text: str) -> bool:
    """Whether a cell means "no value": blank, NA, NaN, null, none, in upper or lower case."""
    return text.strip().lower() in _MISSING


def is_number(text: str, missing: bool = True) -> bool:
    """Whether a cell holds a finite decimal number or, if `missing` is true, no value."""
    text = text.strip()
    return bool(_NUMBER.fullmatch(text)) or (missing and is_missing(text))


def numbers(
    values: Sequence[str],
    lines: Sequence[int] | NDArray[np.int64],
    path: Path,
    column: str,
    problems: ErrorCollector,
    decimal: str = ".",
) -> NDArray[np.float64]:
    """A column of cells as numbers, NaN where a value is missing; other text is added to `problems`.

    Parameters
    ----------
    lines : sequence of int
        Line number of each cell, for the message.
    column : str
        Name of the column, for the message.
    decimal : str
        Decimal separator; a point is understood, too.

    Returns
    -------
    (n,) float64
    """
    try:
        array = np.array([float(value.replace(decimal, ".")) for value in values], dtype=np.float64)
        if np.isfinite(array).all() and "_" not in "".join(values):  # float() takes 1_000 for a number
            return array
    except ValueError:
        array = np.empty(len(values))
    for k, value in enumerate(values):
        text = value.strip().replace(decimal, ".")
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
