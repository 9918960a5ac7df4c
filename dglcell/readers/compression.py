"""Files as streams of bytes: plain, or compressed by gzip, bzip2, xz or zip, which is recognized by content."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, cast

from dglcell.errors import DataError

ZIP: Final = b"PK\x03\x04"
_OPENERS: Final[dict[bytes, tuple[str, Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ": ("xz", lzma.open),
}
_SHOWN = 5  # members of a zip file in a message


@contextlib.contextmanager
def open_stored(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading its bytes as stored.

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
    with open_stored(path) as handle:
        return handle.read(n)


@contextlib.contextmanager
def open_binary(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading its bytes, decompressed, whatever its name.

    Raises
    ------
    DataError
        As for `open_stored`; a zip file has no or several files in it; or the compressed data is damaged or cut short,
        which is noticed while the file is read.
    """
    path = Path(path)
    with open_stored(path) as handle:
        start = handle.read(8)
        handle.seek(0)
        if start.startswith(ZIP):
            with _open_zip(path, handle) as member, _reported(path, "zip"):
                yield member
            return
        for magic, (name, open_compressed) in _OPENERS.items():
            if start.startswith(magic):
                with open_compressed(handle) as content, _reported(path, name):
                    yield cast(IO[bytes], content)
                return
        with _reported(path, ""):
            yield handle


def zip_members(path: Path) -> list[str]:
    """The names of the files in a zip file, without folders and what macOS adds; empty if it is none."""
    try:
        with open_stored(path) as handle, zipfile.ZipFile(handle) as archive:
            return _members(archive)
    except (zipfile.BadZipFile, OSError):
        return []


def _members(archive: zipfile.ZipFile) -> list[str]:
    names = (info.filename for info in archive.infolist() if not info.is_dir())
    return [n for n in names if not n.startswith("__MACOSX/") and not n.rsplit("/", 1)[-1].startswith(".")]


@contextlib.contextmanager
def _open_zip(path: Path, handle: IO[bytes]) -> Iterator[IO[bytes]]:
    try:
        archive = zipfile.ZipFile(handle)
    except zipfile.BadZipFile as error:
        raise DataError(f"{path}: its zip data is damaged ({error}) - download or copy the file again") from error
    with archive:
        names = _members(archive)
        if len(names) != 1:
            shown = ", ".join(names[:_SHOWN]) + (", .." if len(names) > _SHOWN else "")
            raise DataError(
                f"{path} is a zip file with {len(names)} files ({shown or 'none'}) - one was expected; unpack it and "
                "give the file that is meant"
            )
        try:
            member = archive.open(names[0])
        except RuntimeError as error:  # it is encrypted
            raise DataError(f"{path}: its zip data cannot be read ({error}) - unpack it first") from error
        with member:
            yield member


@contextlib.contextmanager
def _reported(path: Path, kind: str) -> Iterator[None]:
    """Turn the errors of reading compressed data into DataErrors."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile) as error:
        reason = "cut short" if isinstance(error, EOFError) else f"damaged ({error})"
        raise DataError(f"{path}: its {kind} data is {reason} - download or copy the file again") from error
    except OSError as error:
        if kind and error.errno is None:  # bz2 reports damaged data in this way
            raise DataError(
                f"{path}: its {kind} data is damaged ({error}) - download or copy the file again"
            ) from error
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}) - check the disk, or copy the file again"
        ) from error
