"""Checked HDF5 files with format name, version and SHA-256, for any arrays and metadata.

A small array is a chunked, compressed dataset with a fletcher32 checksum. A streamed array, of up to 20 million rows,
is a contiguous dataset without compression, so that rows can be read from disk by their offset in the file. Everything
else (numbers, names, reports) is one JSON document, stored as bytes in the dataset `meta`. The user block of HDF5, the
first 512 bytes, holds the SHA-256 of all other bytes. It is compared before HDF5 parses the file, because the library
may crash on a damaged file, and its own checksums do not cover every byte.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, FormatError
from dglcell.io.atomic import replacing

_META = "meta"
_USER_BLOCK = 512  # bytes; the smallest that HDF5 allows
_SEAL = b"dglcell file, SHA-256 of the bytes from 512: "
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_CHUNK_BYTES = 1 << 20
_ALIGNMENT = 8  # bytes; a dataset that is mapped into memory must start at a multiple of its item size
_READ_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError, OverflowError)

Arrays = Mapping[str, NDArray[Any]]


def encode_ids(ids: Sequence[str]) -> NDArray[np.bytes_]:
    """Ids as fixed-length UTF-8 bytes (`S` dtype, length at least 1)."""
    encoded = [i.encode() for i in ids]
    return np.array(encoded, dtype=f"S{max((len(e) for e in encoded), default=1) or 1}")


def decode_ids(array: NDArray[Any]) -> list[str]:
    """The inverse of `encode_ids`."""
    return [bytes(item).decode() for item in array]


def is_own(path: Path) -> bool:
    """Whether a file starts like a file from `write`, or like any HDF5 file."""
    if not path.is_file():
        return False
    with open(path, "rb") as handle:
        return handle.read(len(_SEAL)).startswith((_SEAL, _HDF5_MAGIC))


def write(
    path: Path,
    kind: str,
    version: int,
    arrays: Arrays,
    meta: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
    overwrite: bool = True,
    blocks: Iterable[Arrays] = (),
) -> None:
    """Write a file, completely or not at all.

    Parameters
    ----------
    path : Path
    kind : str
        Name of the format.
    version : int
        Version of the format.
    arrays : mapping
        Arrays of numbers, bools or fixed-length bytes by dataset path (`group/name`).
    meta : mapping, or function that returns it
        Values that JSON can hold; a function is called when all blocks are written.
    overwrite : bool
        Replace `path`.
    blocks : iterable of mappings
        Rows of streamed datasets; only one block is in memory at a time. They are collected in temporary files in the
        folder of `path`, because the size of a contiguous dataset must be known when it is created.
    """
    import h5py

    with replacing(path, overwrite) as temporary, contextlib.ExitStack() as opened:
        streams = _collect_rows(blocks, lambda: opened.enter_context(tempfile.TemporaryFile(dir=temporary.parent)))
        text = json.dumps(meta() if callable(meta) else meta, sort_keys=True).encode()
        options = {"userblock_size": _USER_BLOCK, "alignment_threshold": 1, "alignment_interval": _ALIGNMENT}
        with h5py.File(temporary, "w", libver="latest", **options) as file:
            file.attrs["format"] = kind
            file.attrs["format_version"] = version
            for name, stream in streams.items():
                stream.write(file, name)
            for name, array in {**arrays, _META: np.frombuffer(text, dtype=np.uint8)}.items():
                _refuse_objects(name, array)
                extent = {"maxshape": (None,) * array.ndim} if array.size == 0 else {}  # else HDF5 cannot chunk it
                file.create_dataset(name, data=array, chunks=_chunks(array), fletcher32=True, compression=4, **extent)
        with open(temporary, "r+b") as raw:
            raw.write(_SEAL + _seal(temporary))


def _refuse_objects(name: str, array: NDArray[Any]) -> None:
    if array.dtype.hasobject:
        raise TypeError(f"dataset {name} holds objects")


@dataclasses.dataclass
class _Stream:
    """Rows of one dataset, in a temporary file until their number is known.

    Attributes
    ----------
    raw : file
        The rows as bytes.
    dtype : dtype
    row : tuple of int
        Shape of a row.
    length : int
        Number of rows so far.
    """

    raw: IO[bytes]
    dtype: np.dtype[Any]
    row: tuple[int, ...]
    length: int = 0

    def append(self, array: NDArray[Any]) -> None:
        """Add rows."""
        array.astype(self.dtype, copy=False).tofile(self.raw)
        self.length += len(array)

    def write(self, file: Any, name: str) -> None:
        """Create the dataset in an open HDF5 file and fill it."""
        dataset = file.create_dataset(name, (self.length, *self.row), self.dtype)
        self.raw.seek(0)
        items, step = int(np.prod(self.row, dtype=np.int64)), _rows_of_chunk(self.dtype, self.row)
        for start in range(0, self.length, step):
            stop = min(start + step, self.length)
            rows = np.fromfile(self.raw, self.dtype, (stop - start) * items)
            dataset[start:stop] = rows.reshape(stop - start, *self.row)


def _collect_rows(blocks: Iterable[Arrays], temporary_file: Callable[[], IO[bytes]]) -> dict[str, _Stream]:
    streams: dict[str, _Stream] = {}
    for block in blocks:
        for name, array in block.items():
            if name not in streams:
                _refuse_objects(name, array)
                streams[name] = _Stream(temporary_file(), array.dtype, array.shape[1:])
            streams[name].append(array)
    return streams


def read(
    path: Path,
    kind: str,
    version: int,
    is_selected: Callable[[str], bool] = lambda name: True,
    mapped: int | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a file from `write`: arrays by dataset path, and metadata.

    Parameters
    ----------
    path : Path
    kind, version
        As in `write`.
    is_selected : callable
        Whether to read the dataset of a path.
    mapped : int, optional
        If streamed datasets (see `write`) have more bytes than this in total, they stay on disk, as `np.memmap`.

    Raises
    ------
    DataError
        The file does not exist.
    FormatError
        The file is not HDF5, is of another kind, has another version, or is damaged.
    """
    import h5py

    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file - check the path")
    _check_seal(path, kind)
    try:
        with h5py.File(path, "r") as file:
            _check_kind(path, kind, version, file.attrs.get("format"), file.attrs.get("format_version"))
            names: list[str] = []
            file.visititems(lambda name, node: names.append(name) if isinstance(node, h5py.Dataset) else None)
            stored = {name: file[name] for name in names if name == _META or is_selected(name)}
            streamed = {name for name, dataset in stored.items() if dataset.chunks is None}
            is_large = mapped is not None and sum(stored[name].nbytes for name in streamed) > mapped
            arrays = {n: _map(path, node) if is_large and n in streamed else node[()] for n, node in stored.items()}
        return arrays, json.loads(arrays.pop(_META).tobytes())
    except FormatError:
        raise
    except _READ_ERRORS as error:
        reason = str(error).split("\n")[0]
        raise FormatError(f"{path} is damaged and cannot be read ({reason}) - build it again") from error


def _title(kind: str) -> str:
    return schema.CELL_TITLE if kind == schema.CELL_FORMAT else f"{kind} file"


def _check_kind(path: Path, kind: str, version: int, stored_kind: Any, stored_version: Any) -> None:
    if stored_kind != kind:
        raise FormatError(f"{path} has the format {stored_kind!r} - a {_title(kind)} was expected")
    if int(stored_version) > version:
        raise FormatError(f"{path} has format version {stored_version}; this dglcell reads {version} - update dglcell")
    if int(stored_version) < version:
        raise FormatError(
            f"{path} has format version {stored_version}, from an older dglcell; this one reads {version} - build the "
            "file again"
        )


def _map(path: Path, dataset: Any) -> NDArray[Any]:
    """A contiguous dataset as an array whose rows are read from disk when they are used; not writable."""
    if not dataset.size:
        return np.empty(dataset.shape, dataset.dtype)
    array = np.memmap(path, dataset.dtype, "r", dataset.id.get_offset(), dataset.shape)
    if array[-1:].tobytes() != dataset[-1:].tobytes():
        raise FormatError(
            f"{path}: the rows of {dataset.name} are not at the offset that HDF5 gives - build the file again"
        )
    return array


def _chunks(array: NDArray[Any]) -> tuple[int, ...]:
    rows = min(_rows_of_chunk(array.dtype, array.shape[1:]), max(1, array.shape[0]))
    return (rows, *(max(1, n) for n in array.shape[1:]))


def _rows_of_chunk(dtype: np.dtype[Any], row: Sequence[int]) -> int:
    return max(1, _CHUNK_BYTES // max(1, dtype.itemsize * int(np.prod(row, dtype=np.int64))))


def _seal(path: Path) -> bytes:
    """SHA-256 hex digest of everything after the user block."""
    with open(path, "rb") as raw:
        raw.seek(_USER_BLOCK)
        return hashlib.file_digest(raw, "sha256").hexdigest().encode()


def _check_seal(path: Path, kind: str) -> None:
    """Raise FormatError if a file is not from `write` or its bytes have changed, before HDF5 parses it."""
    try:
        with open(path, "rb") as raw:
            head = raw.read(_USER_BLOCK)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}) - check its permissions") from error
    if not head.startswith(_SEAL):
        what = "was not made by dglcell, or its start is damaged" if _HDF5_MAGIC in head else "is not an HDF5 file"
        raise FormatError(f"{path} {what} - a {_title(kind)} was expected")
    if head[len(_SEAL) : len(_SEAL) + 64] != _seal(path):
        raise FormatError(f"{path} is damaged or cut short: its bytes do not match its SHA-256 - build it again")
