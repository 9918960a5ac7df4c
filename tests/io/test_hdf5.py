import numpy as np
import pytest

from dglcell.errors import DataError, FormatError, UsageError
from dglcell.io import atomic, hdf5


def test_arrays_and_meta_come_back_as_they_were(tmp_path):
    arrays = {
        "a/b": np.arange(12, dtype=np.int16).reshape(3, 4),
        "none": np.zeros((0, 5), dtype=np.float32),
        "flag": np.array([True, False]),
        "ids": hdf5.encode_ids(["x", "ümlaut", ""]),
        "large": np.random.default_rng(0).standard_normal((300_000, 2)),
    }
    meta = {"text": "ä", "none": None, "list": [1, 2.5]}
    hdf5.write(tmp_path / "f.h5", "kind", 3, arrays, meta)
    found, found_meta = hdf5.read(tmp_path / "f.h5", "kind", 3)
    assert found_meta == meta
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert np.array_equal(found[name], array)
    assert hdf5.decode_ids(found["ids"]) == ["x", "ümlaut", ""]


def test_another_version_is_refused(tmp_path):
    hdf5.write(tmp_path / "f.h5", "kind", 2, {}, {})
    with pytest.raises(
        FormatError, match=r"format version 2, from an older dglcell; this one reads 3 - build the file again"
    ):
        hdf5.read(tmp_path / "f.h5", "kind", 3)
    with pytest.raises(FormatError, match="format version 2; this dglcell reads 1"):
        hdf5.read(tmp_path / "f.h5", "kind", 1)


def test_damage_is_found_before_hdf5_parses(tmp_path, monkeypatch):
    import h5py

    hdf5.write(tmp_path / "f.h5", "kind", 1, {"a": np.arange(5)}, {})
    content = bytearray((tmp_path / "f.h5").read_bytes())
    content[600] ^= 1
    (tmp_path / "f.h5").write_bytes(content)

    def opened(*args, **options):
        raise AssertionError("HDF5 was given a damaged file")

    monkeypatch.setattr(h5py, "File", opened)
    with pytest.raises(FormatError, match="damaged or cut short"):
        hdf5.read(tmp_path / "f.h5", "kind", 1)


def test_a_sealed_file_without_the_envelope_is_refused(tmp_path):
    import h5py

    path = tmp_path / "f.h5"
    with h5py.File(path, "w", userblock_size=512) as file:
        file.attrs["format"] = "kind"
    with open(path, "r+b") as raw:
        raw.write(hdf5._SEAL + hdf5._seal(path))
    with pytest.raises(FormatError, match="is damaged and cannot be read"):
        hdf5.read(path, "kind", 1)


def test_a_missing_file_and_objects_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        hdf5.read(tmp_path / "absent.h5", "kind", 1)
    with pytest.raises(TypeError, match="objects"):
        hdf5.write(tmp_path / "f.h5", "kind", 1, {"a": np.array(["x"], dtype=object)}, {})
    assert list(tmp_path.iterdir()) == []


def test_replacing_writes_whole_or_not_at_all(tmp_path):
    path = tmp_path / "f.txt"
    atomic.write_text(path, "one")
    with pytest.raises(KeyError), atomic.replacing(path) as temporary:
        temporary.write_text("half")
        raise KeyError
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(UsageError, match="exists"):
        atomic.write_text(path, "two", overwrite=False)
    with pytest.raises(UsageError, match="is a folder"):
        atomic.write_text(tmp_path, "two")
    with pytest.raises(UsageError, match="does not exist"):
        atomic.write_text(tmp_path / "no" / "f.txt", "two")
