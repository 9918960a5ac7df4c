"""Writing of files: completely or not at all, and without replacing a file by accident."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from dglcell.errors import UsageError, setting


@contextlib.contextmanager
def replacing(path: Path, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary name beside `path`; the file is renamed to `path` on success and removed on failure.

    Raises
    ------
    UsageError
        `path` exists and `overwrite` is false, or its folder does not exist.
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raise UsageError if `path` cannot be written: it exists, is a folder, or its folder does not exist."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder - a file name was expected")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists and was not changed - give another name or {setting('overwrite', True)}")
    if not path.parent.is_dir():
        raise UsageError(f"the folder {path.parent} does not exist - create it or give another name")


def write_text(path: Path, text: str, overwrite: bool = True) -> None:
    """Write a text file, completely or not at all."""
    with replacing(path, overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")
