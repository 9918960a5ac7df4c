"""Gene features from HDF5 and from text."""

from __future__ import annotations

import h5py
import numpy as np
import openpyxl
import pytest

from dglcell.errors import DataError
from dglcell.readers.features import read_features
from dglcell.readers.tables.column_map import ColumnMap


@pytest.mark.parametrize("head", ["", "gene\tf1\tf2\n", "f1\tf2\n", "# note\n"])
@pytest.mark.parametrize("mark", ["\t", ",", " "])
def test_text_table(tmp_path, head, mark):
    path = tmp_path / "x.tsv"
    path.write_text((head + "A\t1\t-2.5\nB-1\t1e-3\t4\n").replace("\t", mark))
    if (head, mark) == ("f1\tf2\n", ","):  # the comma of the rows may be that of numbers
        with pytest.raises(DataError, match=r"x.tsv:2: 3 columns - 2 were expected"):
            read_features(path)
        return
    table = read_features(path)
    assert table.ids == ("A", "B-1")
    assert table.x.dtype == np.float32
    np.testing.assert_array_equal(table.x, np.array([[1, -2.5], [1e-3, 4]], dtype=np.float32))
    assert table.report == {"rows": 2, "columns": 2}


@pytest.mark.parametrize(
    ("text", "x"),
    [
        ('gene,a,b\n"ADE5,7",1,2\nYAL001C,3,4\n', [[1, 2], [3, 4]]),
        ('"a" "b"\n"ADE5,7" 1 2\n"YAL001C" 3 4\n', [[1, 2], [3, 4]]),  # as R writes it
        ('"x"\n"ADE5,7" 1\n"YAL001C" 3\n', [[1], [3]]),
        ("gene;a;b\nADE5,7;1,5;2\nYAL001C;0,25;4\n", [[1.5, 2], [0.25, 4]]),
        (',a,b\n"ADE5,7",1.5,2\nYAL001C,3,4e-1\n', [[1.5, 2], [3, 0.4]]),  # as pandas writes it
        ("Table S1\n# made by hand\n\ngene\ta\tb\n\nADE5,7\t1\t2\nYAL001C\t3\t4\t\n", [[1, 2], [3, 4]]),
    ],
)
def test_tables_of_other_programs(tmp_path, text, x):
    path = tmp_path / "x.csv"
    path.write_text(text)
    table = read_features(path)
    assert table.ids == ("ADE5,7", "YAL001C")
    np.testing.assert_array_equal(table.x, np.array(x, dtype=np.float32))


def test_a_workbook(tmp_path):
    book = openpyxl.Workbook()
    for row in (("gene", "a"), ("A", 1.5), (None, None), ("B", 2)):
        book.active.append(row)
    book.save(tmp_path / "x.xlsx")
    table = read_features(tmp_path / "x.xlsx")
    assert (table.ids, table.x.tolist()) == (("A", "B"), [[1.5], [2]])


def test_the_column_of_genes_as_the_user_names_it(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("length,ORF,mass\n1,A,2\n3,B,4\n")
    with pytest.raises(DataError, match=r"text in column ORF \('A'\)"):
        read_features(path)
    table = read_features(path, [ColumnMap.parse("gene=ORF")])
    assert (table.ids, table.x.tolist()) == (("A", "B"), [[1, 2], [3, 4]])


def test_anndata_is_named(tmp_path):
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        file["X"] = np.zeros((2, 2))
        file.create_group("obs"), file.create_group("var")
    with pytest.raises(DataError, match=r"x.h5ad is an AnnData file .* write the matrix with `adata.to_df\(\)"):
        read_features(tmp_path / "x.h5ad")


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
        ("A\nB\n", r"is no feature table of a known layout \(it starts with 'A'\)"),
        ("A\tB\n", "has a header and no rows - an id and numbers in each row were expected"),
        ('gene,a,b\n"ADE5,7",1,2\nYAL001C,3,4\nYAL002W,3,x\n', "x.tsv:4: 'x' in column b - a number was expected"),
        (
            "gene\tlength\tchromosome\tnote\nA\t1\tIV\tlong\nB\t2\tX\tshort\n",
            r"x.tsv: text in columns chromosome \('IV'\), note \('long'\) - a gene id and numbers were expected; leave",
        ),
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
