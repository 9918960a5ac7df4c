"""Gene features from HDF5 and from text."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from dglcell.errors import DataError
from dglcell.readers.features import read_features


@pytest.mark.parametrize("head", ["", "gene\tf1\tf2\n", "f1\tf2\n", "# note\n"])
@pytest.mark.parametrize("mark", ["\t", ",", " "])
def test_text_table(tmp_path, head, mark):
    path = tmp_path / "x.tsv"
    path.write_text((head + "A\t1\t-2.5\nB-1\t1e-3\t4\n").replace("\t", mark))
    table = read_features(path)
    assert table.ids == ("A", "B-1")
    assert table.x.dtype == np.float32
    np.testing.assert_array_equal(table.x, np.array([[1, -2.5], [1e-3, 4]], dtype=np.float32))
    assert table.report == {"rows": 2, "columns": 2}


@pytest.mark.parametrize("ids", [np.array([b"A", b"B"]), ["A", "B"]])
def test_hdf5(tmp_path, ids):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["ids"] = ids
        file["x"] = np.arange(6.0).reshape(2, 3)
    table = read_features(path)
    assert (table.layout, table.ids) == ("HDF5", ("A", "B"))
    np.testing.assert_array_equal(table.x, np.arange(6, dtype=np.float32).reshape(2, 3))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("A\t1\nB\ttall\n", "x.tsv:2: 'tall' in column 1 - a number was expected"),
        ("id\theight\nA\t1\nB\ttall\n", "x.tsv:3: 'tall' in column height"),
        ("A\t1\t2\nB\t1\n", "x.tsv:2: 2 columns - 3 were expected"),
        ("A\t1\nA\t2\n", "x.tsv:2: duplicate gene id 'A', first at .*x.tsv:1"),
        ("A\t1\nB\t\n", "x.tsv:2: a feature of 'B' is missing"),
        ("A\t1\nB\tinf\n", "x.tsv:2: 'inf'"),
        ("A\t1\nB\t1e39\n", "x.tsv:2: a feature of 'B' is missing or not finite"),
        ("A\t1\n\t2\n", "x.tsv:2: an empty gene id"),
        (
            "A\t1\t2\t3\t4\t5\t\t7\t8\n",
            "x.tsv:1: a feature of 'A' is missing",
        ),  # no GFF3, though columns 4, 5 are whole
        ("A\nB\n", "has no rows with an id and numbers"),
        ("A\tB\n", "has no rows with an id and numbers"),
        ("", "is empty"),
    ],
)
def test_bad_tables(tmp_path, text, what):
    path = tmp_path / "x.tsv"
    path.write_text(text)
    with pytest.raises(DataError, match=what) as caught:
        read_features(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("datasets", "what"),
    [
        ({"ids": [b"A"]}, "HDF5 file with ids - datasets 'ids' and 'x'"),
        ({}, "HDF5 file with nothing"),
        ({"ids": [b"A", b"B"], "x": np.zeros((1, 2))}, r"ids \(2,\), x \(1, 2\)"),
        ({"ids": [b"A"], "x": np.zeros(1)}, r"x \(n, d\) were expected"),
        ({"ids": [b"A"], "x": np.zeros((1, 0))}, "at least 1"),
        ({"ids": [1], "x": np.zeros((1, 1))}, "dataset ids holds int"),
        ({"ids": [b"A"], "x": [[b"1"]]}, "dataset x holds"),
        ({"ids": [b"A", b"A"], "x": np.zeros((2, 1))}, "x.h5 row 1: duplicate gene id 'A', first at .*row 0"),
        ({"ids": [b"A"], "x": [[np.nan]]}, "row 0: a feature of 'A' is missing or not finite"),
        ({"ids": [b"A"], "x": [[1e39]]}, "not finite"),
    ],
)
def test_bad_hdf5(tmp_path, datasets, what):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        for name, value in datasets.items():
            file[name] = value
    with pytest.raises(DataError, match=what):
        read_features(path)


def test_hdf5_cut_short(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["ids"], file["x"] = [b"A"] * 500, np.zeros((500, 9))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match="HDF5 file cannot be read"):
        read_features(path)
    with pytest.raises(DataError, match="no such file"):
        read_features(tmp_path / "nix.h5")
