"""Streamed datasets: the same rows on disk as in memory, whichever way they are asked for."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from dglcell.errors import FormatError
from dglcell.io import hdf5

KIND = "test"


@pytest.fixture(params=[(1, 7), (3, 1000)])
def written(request, tmp_path, monkeypatch):
    """A file streamed in blocks of some size, its rows in chunks of another; the arrays that it should hold."""
    block, chunk_bytes = request.param
    monkeypatch.setattr(hdf5, "_CHUNK_BYTES", chunk_bytes * 8)
    rng = np.random.default_rng(0)
    whole = {
        "table/kind": rng.integers(0, 3, 50).astype(np.int8),  # 50 bytes: what comes next is to be aligned all the same
        "table/labels": rng.random((50, 4)).astype(np.float32),
        "table/genes": rng.integers(0, 9, 50).astype(np.int32),
    }
    blocks = ({k: v[a : a + block] for k, v in whole.items()} for a in range(0, 50, block))
    path = tmp_path / "file.h5"
    hdf5.write(path, KIND, 1, {"small": np.arange(3)}, lambda: {"rows": 50}, blocks=blocks)
    return path, whole


def test_rows_come_back_as_they_were(written):
    path, whole = written
    arrays, meta = hdf5.read(path, KIND, 1, mapped=0)
    assert meta == {"rows": 50} and arrays["small"].tolist() == [0, 1, 2]
    rows = np.random.default_rng(1).integers(0, 50, 80)
    for name, expected in whole.items():
        column = arrays[name]
        assert isinstance(column, np.memmap) and not column.flags.writeable and column.flags.aligned
        assert (column.shape, column.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_array_equal(column, expected)
        np.testing.assert_array_equal(column[rows], expected[rows])
        assert type(column[rows]) is np.ndarray


def test_a_small_table_is_read_into_memory(written):
    path, whole = written
    arrays, _ = hdf5.read(path, KIND, 1, mapped=1 << 20)
    for name, expected in whole.items():
        assert isinstance(arrays[name], np.ndarray)
        np.testing.assert_array_equal(arrays[name], expected)


def test_only_wanted_datasets_are_read(written):
    arrays, _ = hdf5.read(written[0], KIND, 1, is_selected=lambda name: name == "small")
    assert list(arrays) == ["small"]


def test_streamed_rows_lie_one_after_the_other(written):
    """So that the offset of the dataset is all that a reader needs."""
    import h5py

    path, whole = written
    content = path.read_bytes()
    with h5py.File(path) as file:
        for name, expected in whole.items():
            assert file[name].chunks is None and file[name].compression is None
            start = file[name].id.get_offset()
            assert content[start : start + expected.nbytes] == expected.tobytes()
        assert file["small"].chunks and file["small"].fletcher32


def test_rows_are_in_memory_at_no_time(tmp_path, monkeypatch):
    """What is read in one block is gone when the next is asked for, and copied in pieces of some bytes."""
    monkeypatch.setattr(hdf5, "_CHUNK_BYTES", 1000)
    alive, sizes = [], []
    fromfile = np.fromfile

    def blocks():
        for k in range(6):
            gc.collect()
            assert sum(reference() is not None for reference in alive) <= 1
            rows = np.full(700, k)
            alive.append(weakref.ref(rows))
            yield {"x": rows}

    monkeypatch.setattr(np, "fromfile", lambda file, dtype, count: sizes.append(count) or fromfile(file, dtype, count))
    hdf5.write(tmp_path / "f.h5", KIND, 1, {}, {}, blocks=blocks())
    assert max(sizes) * 8 <= 1000 and sum(sizes) == 4200
    monkeypatch.undo()
    assert hdf5.read(tmp_path / "f.h5", KIND, 1)[0]["x"].tolist() == [k for k in range(6) for _ in range(700)]
    assert list(tmp_path.iterdir()) == [tmp_path / "f.h5"]


def test_nothing_is_left_where_a_block_cannot_be_read(tmp_path):
    def blocks():
        yield {"x": np.arange(3)}
        raise KeyError

    with pytest.raises(KeyError):
        hdf5.write(tmp_path / "f.h5", KIND, 1, {}, {}, blocks=blocks())
    assert list(tmp_path.iterdir()) == []


def test_damage_anywhere_in_the_rows_is_found(written):
    path = written[0]
    content = path.read_bytes()
    for expected in written[1].values():
        start = content.index(expected.tobytes())
        for place in (start, start + expected.nbytes // 2, start + expected.nbytes - 1):
            damaged = bytearray(content)
            damaged[place] ^= 1
            path.write_bytes(damaged)
            with pytest.raises(FormatError, match="damaged"):
                hdf5.read(path, KIND, 1, mapped=0)


def test_an_empty_column(tmp_path):
    hdf5.write(tmp_path / "e.h5", KIND, 1, {}, {}, blocks=[{"x": np.zeros((0, 2), dtype=np.float32)}])
    column = hdf5.read(tmp_path / "e.h5", KIND, 1, mapped=-1)[0]["x"]
    assert (column.shape, column.dtype) == ((0, 2), np.float32) and column[[]].shape == (0, 2)
