"""The HDF5 envelope of dglcell's own files: format name, version, checksums, whole-file writes.

Every array is a chunked dataset with a fletcher32 checksum; everything else (numbers, names, reports) is one JSON
document, stored as bytes in the dataset `meta`. HDF5's user block, its first 512 bytes, holds the SHA-256 of all bytes
after it, which is compared before HDF5 parses any of them: the library does not survive every damaged file, and its own
checksums do not cover every byte. Knows nothing of what the arrays mean.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, FormatError
from dglcell.io.atomic import replacing
from dglcell.io.columns import Column, loaded

_META = "meta"
_USER_BLOCK = 512  # bytes; the smallest that HDF5 allows
_SEAL = b"dglcell file, SHA-256 of the bytes from 512: "
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_CHUNK_BYTES = 1 << 20
_READ_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError, OverflowError)

Arrays = Mapping[str, NDArray[Any]]


def encode_ids(ids: Sequence[str]) -> NDArray[np.bytes_]:
    """Ids as fixed-length UTF-8 bytes (`S` dtype, length at least 1)."""
    encoded = [i.encode() for i in ids]
    return np.array(encoded, dtype=f"S{max((len(e) for e in encoded), default=1) or 1}")


def decode_ids(array: NDArray[Any]) -> list[str]:
    """The inverse of `encode_ids`."""
    return [bytes(item).decode() for item in array]


def write(
    path: Path,
    kind: str,
    version: int,
    arrays: Arrays,
    meta: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
    overwrite: bool = True,
    blocks: Iterable[Arrays] = (),
) -> None:
    """Write one file of `kind`.

    Parameters
    ----------
    arrays : mapping
        Dataset path (`group/name`) to array; numbers, bools or fixed-length bytes, no objects.
    meta : mapping, or a function that gives it
        Anything JSON can hold; a function is asked once the blocks are written.
    blocks : iterable of mappings
        Rows to append, block by block, to datasets that are in memory at no time: checksummed, not compressed, so that
        `columns` can read single rows.
    """
    import h5py

    with replacing(path, overwrite) as temporary:
        with h5py.File(temporary, "w", libver="latest", userblock_size=_USER_BLOCK) as file:
            file.attrs["format"] = kind
            file.attrs["format_version"] = version
            for block in blocks:
                for name, array in block.items():
                    _append(file, name, array)
            told = meta() if callable(meta) else meta
            text = json.dumps(told, sort_keys=True).encode()
            for name, array in {**arrays, _META: np.frombuffer(text, dtype=np.uint8)}.items():
                _refuse_objects(name, array)
                extent = {"maxshape": (None,) * array.ndim} if array.size == 0 else {}  # else HDF5 cannot chunk it
                file.create_dataset(name, data=array, chunks=_chunks(array), fletcher32=True, compression=4, **extent)
        with open(temporary, "r+b") as raw:
            raw.write(_SEAL + _seal(temporary))


def _refuse_objects(name: str, array: NDArray[Any]) -> None:
    if array.dtype.hasobject:
        raise TypeError(f"dataset {name} holds objects")


def _append(file: Any, name: str, array: NDArray[Any]) -> None:
    _refuse_objects(name, array)
    if name not in file:
        rows = max(1, _CHUNK_BYTES // max(1, array.dtype.itemsize * int(np.prod(array.shape[1:], dtype=np.int64))))
        shape, chunks = array.shape[1:], (rows, *array.shape[1:])
        file.create_dataset(name, (0, *shape), array.dtype, maxshape=(None, *shape), chunks=chunks, fletcher32=True)
    dataset = file[name]
    end = dataset.shape[0]
    dataset.resize(end + len(array), axis=0)
    dataset[end:] = array


def read(
    path: Path, kind: str, version: int, wanted: Callable[[str], bool] = lambda name: True, mapped: int | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a file of `kind` back: its arrays and its meta.

    Parameters
    ----------
    wanted : callable
        Whether to read the dataset of this path.
    mapped : int, optional
        Streamed datasets (see `write`) stay on disk as `columns.Column` where together they have more bytes than this.

    Raises
    ------
    DataError
        There is no such file.
    FormatError
        Not HDF5, another kind, a newer version, or damaged.
    """
    import h5py

    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    _check_seal(path, kind)
    try:
        with h5py.File(path, "r") as file:
            found, found_version = file.attrs.get("format"), file.attrs.get("format_version")
            if found != kind:
                raise FormatError(
                    f"{path} is not a {kind} file (its format is {found!r}) - it was made by something else"
                )
            if int(found_version) > version:
                raise FormatError(
                    f"{path} has format version {found_version}, newer than {version} - update dglcell to read it"
                )
            found_in: dict[str, Any] = {}
            file.visititems(lambda name, node: _collect(found_in, name, node))
            stored = {name: node for name, node in found_in.items() if name == _META or wanted(name)}
            streamed = {name for name, node in stored.items() if node.compression is None and node.chunks}
            large = mapped is not None and sum(stored[name].nbytes for name in streamed) > mapped
            arrays = {n: Column(path, node) if large and n in streamed else node[()] for n, node in stored.items()}
        return arrays, json.loads(loaded(arrays.pop(_META)).tobytes())
    except FormatError:
        raise
    except _READ_ERRORS as error:
        reason = str(error).split("\n")[0]
        raise FormatError(f"{path} is damaged and cannot be read ({reason}) - build it again") from error


def _collect(found: dict[str, Any], name: str, node: Any) -> None:
    import h5py

    if isinstance(node, h5py.Dataset):
        found[name] = node


def _chunks(array: NDArray[Any]) -> tuple[int, ...]:
    row = max(1, array.dtype.itemsize * int(np.prod(array.shape[1:], dtype=np.int64)))
    rows = min(max(1, _CHUNK_BYTES // row), max(1, array.shape[0]))
    return (rows, *(max(1, n) for n in array.shape[1:]))


def _seal(path: Path) -> bytes:
    """SHA-256 hex digest of everything after the user block."""
    with open(path, "rb") as raw:
        raw.seek(_USER_BLOCK)
        return hashlib.file_digest(raw, "sha256").hexdigest().encode()


def _check_seal(path: Path, kind: str) -> None:
    """Refuse a file of something else, or whose bytes are not those written, before HDF5 sees it."""
    try:
        with open(path, "rb") as raw:
            head = raw.read(_USER_BLOCK)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}) - check its permissions") from error
    if not head.startswith(_SEAL):
        what = "was not made by dglcell, or its start is damaged" if _HDF5_MAGIC in head else "is not an HDF5 file"
        raise FormatError(f"{path} {what} - a {kind} file was expected")
    if head[len(_SEAL) : len(_SEAL) + 64] != _seal(path):
        raise FormatError(f"{path} is damaged or cut short: its bytes do not match its SHA-256 - build it again")
