"""Columns of a stored table that stay on disk: memory-mapped datasets of dglcell's own HDF5 files.

A dataset that was streamed (`storage.write`) is chunked and checksummed but not compressed, so its rows lie in the file
as they are in memory and any of them can be read without its chunk. The file's SHA-256 is checked when it is opened,
which covers every row. Owns the way from rows to bytes; knows nothing of what the columns mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dglcell.errors import FormatError


class Column:
    """Rows of one dataset, read when they are asked for; indexed like an array, by rows or by (rows, columns).

    Parameters
    ----------
    path : Path
        The file.
    dataset : h5py.Dataset
        Of this file, open; not needed afterwards.

    Attributes
    ----------
    shape : tuple of int
        (n,) or (n, d).
    dtype : numpy.dtype
    """

    def __init__(self, path: Path, dataset: Any) -> None:
        self.shape: tuple[int, ...] = tuple(dataset.shape)
        self.dtype: np.dtype[Any] = dataset.dtype
        self._rows = int(dataset.chunks[0])  # of a chunk
        self._bytes = np.memmap(path, dtype=np.uint8, mode="r")
        self._width = self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=np.int64))  # bytes of a row
        self._starts = np.zeros(dataset.id.get_num_chunks(), dtype=np.int64)
        for k in range(len(self._starts)):
            chunk = dataset.id.get_chunk_info(k)
            self._starts[chunk.chunk_offset[0] // self._rows] = chunk.byte_offset
        self._check(path, dataset)

    def _check(self, path: Path, dataset: Any) -> None:
        """Chunk addresses count from the file's start or from the end of its user block, as the HDF5 release has it."""
        if not len(self):
            return
        expected = dataset[:1].tobytes()
        for shift in (0, dataset.file.userblock_size):
            if self._bytes[self._starts[0] + shift :][: self._width].tobytes() == expected:
                self._starts += shift
                return
        raise FormatError(f"{path}: the rows of {dataset.name} are not where HDF5 says - build the file again")

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """1 or 2."""
        return len(self.shape)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        rows, rest = (key[0], key[1:]) if isinstance(key, tuple) else (key, ())
        if isinstance(rows, slice):
            return self._slice(rows, rest)
        index = np.asarray(rows)
        if index.dtype == np.bool_:
            index = np.flatnonzero(index)
        if index.ndim == 0:
            return self._gather(index[None])[0][rest] if rest else self._gather(index[None])[0]
        found = self._gather(index)
        return found[(slice(None), *rest)] if rest else found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def _gather(self, rows: NDArray[Any]) -> NDArray[Any]:
        rows = rows.astype(np.int64)
        rows = np.where(rows < 0, rows + len(self), rows)
        if len(rows) and (rows.min() < 0 or rows.max() >= len(self)):
            raise IndexError(f"row {rows.min() if rows.min() < 0 else rows.max()} of {len(self)}")
        chunk, within = np.divmod(rows, self._rows)
        at = self._starts[chunk] + within * self._width
        found = self._bytes[at[:, None] + np.arange(self._width)]
        return found.view(self.dtype).reshape(len(rows), *self.shape[1:])

    def _slice(self, rows: slice, rest: tuple[Any, ...]) -> NDArray[Any]:
        start, stop, step = rows.indices(len(self))
        if step != 1:
            return self[(np.arange(start, stop, step), *rest)]
        parts = [np.zeros((0, *self.shape[1:]), dtype=self.dtype)]
        parts = [part[(slice(None), *rest)] if rest else part for part in parts]
        while start < stop:
            chunk, within = divmod(start, self._rows)
            n = min(self._rows - within, stop - start)
            at = self._starts[chunk] + within * self._width
            part = self._bytes[at : at + n * self._width].view(self.dtype).reshape(n, *self.shape[1:])
            parts.append(part[(slice(None), *rest)] if rest else part)
            start += n
        return np.concatenate(parts)


Values = NDArray[Any] | Column


def loaded(values: Values | ArrayLike) -> NDArray[Any]:
    """The whole of a column as an array; an array as it is."""
    return np.asarray(values)
