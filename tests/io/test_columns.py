"""Columns on disk: the same rows as in memory, whichever way they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from dglcell.errors import FormatError
from dglcell.io import hdf5
from dglcell.io.columns import Column, loaded

KIND = "test"


@pytest.fixture(params=[(1, 7), (3, 1000)])
def written(request, tmp_path, monkeypatch):
    """A file streamed in blocks of some size, its rows in chunks of another; the arrays that it should hold."""
    block, chunk_bytes = request.param
    monkeypatch.setattr(hdf5, "_CHUNK_BYTES", chunk_bytes * 8)
    rng = np.random.default_rng(0)
    whole = {
        "table/labels": rng.random((50, 4)).astype(np.float32),
        "table/genes": rng.integers(0, 9, 50).astype(np.int32),
        "table/kind": rng.integers(0, 3, 50).astype(np.int8),
    }
    blocks = ({k: v[a : a + block] for k, v in whole.items()} for a in range(0, 50, block))
    path = tmp_path / "file.h5"
    hdf5.write(path, KIND, 1, {"small": np.arange(3)}, lambda: {"told": "last"}, blocks=blocks)
    return path, whole


def test_rows_come_back_as_they_were(written):
    path, whole = written
    arrays, meta = hdf5.read(path, KIND, 1, mapped=0)
    assert meta == {"told": "last"} and arrays["small"].tolist() == [0, 1, 2]
    rng = np.random.default_rng(1)
    for name, expected in whole.items():
        column = arrays[name]
        assert isinstance(column, Column)
        assert (column.shape, column.dtype, len(column), column.ndim) == (
            expected.shape,
            expected.dtype,
            50,
            expected.ndim,
        )
        keys = [slice(None), slice(3, 30), slice(5, 5), slice(40, None, 3), 7, -1, expected.reshape(50, -1)[:, 0] > 0.5]
        keys += [rng.integers(-50, 50, 80), np.arange(0), [4, 2]]
        for key in keys:
            np.testing.assert_array_equal(column[key], expected[key])
            assert column[key].dtype == expected.dtype
        np.testing.assert_array_equal(loaded(column), expected)
        np.testing.assert_array_equal(np.asarray(column, dtype=np.float64), expected)
        with pytest.raises(IndexError, match="row 50 of 50"):
            column[[1, 50]]
    labels, expected = arrays["table/labels"], whole["table/labels"]
    for key in [(slice(None), [0, 2]), (slice(4, 9), 1), ([7, 3], [3, 0]), (5, [1, 2]), (slice(None), slice(1, 3))]:
        np.testing.assert_array_equal(labels[key], expected[key[0]][..., key[1]])


def test_a_small_table_is_read_into_memory(written):
    path, whole = written
    arrays, _ = hdf5.read(path, KIND, 1, mapped=1 << 20)
    for name, expected in whole.items():
        assert isinstance(arrays[name], np.ndarray)
        np.testing.assert_array_equal(arrays[name], expected)


def test_only_wanted_datasets_are_read(written):
    arrays, _ = hdf5.read(written[0], KIND, 1, wanted=lambda name: name == "small")
    assert list(arrays) == ["small"]


def test_streamed_rows_are_checksummed_and_not_compressed(written):
    import h5py

    with h5py.File(written[0]) as file:
        for name in written[1]:
            dataset = file[name]
            assert dataset.fletcher32 and dataset.chunks and dataset.compression is None


def test_damage_anywhere_in_the_rows_is_found(written):
    path = written[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(FormatError, match="damaged"):
        hdf5.read(path, KIND, 1, mapped=0)


def test_an_empty_column(tmp_path):
    hdf5.write(tmp_path / "e.h5", KIND, 1, {}, {}, blocks=[{"x": np.zeros((0, 2), dtype=np.float32)}])
    column = hdf5.read(tmp_path / "e.h5", KIND, 1, mapped=-1)[0]["x"]
    assert isinstance(column, Column) and column[:].shape == (0, 2) and column[[]].shape == (0, 2)
