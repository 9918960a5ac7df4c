"""Opening text: plain and gzip, encodings, line ends, delimiters, numbers; what goes wrong is named."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import text_files


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
@pytest.mark.parametrize("packed", [False, True])
def test_gzip_goes_by_content_not_by_name(tmp_path, name, packed):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"one\ntwo\n") if packed else b"one\ntwo\n")
    assert text_files.read_lines(path) == ["one", "two"]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\rb", ["a", "b"]),
        (b"a\n\nb\n\n", ["a", "", "b", ""]),
        ("\ufeffa\nb".encode(), ["a", "b"]),
        ("a\nε".encode("utf-16"), ["a", "ε"]),
        ("é\n".encode("latin-1"), ["é"]),
    ],
)
def test_line_ends_and_encodings(tmp_path, content, lines):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    assert text_files.read_lines(path) == lines


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (gzip.compress(b"gene\n" * 1000, mtime=0)[:-9], "gzip data is cut short"),
        (gzip.compress(b"gene\n" * 1000, mtime=0)[:20], "gzip data is cut short"),
        (gzip.compress(b"gene\n" * 1000, mtime=0)[:-8] + b"\0" * 8, "gzip data is damaged"),
        (b"\x1f\x8bnonsense, not gzip", "gzip data is damaged"),
        (b"PK\x03\x04zip", "an Excel or zip file"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"a\0b", "is a binary file"),
        (b"<!DOCTYPE html><p>404</p>", "is XML or HTML"),
    ],
)
def test_unreadable_content_is_named(tmp_path, content, what):
    path = tmp_path / "file.tsv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=what) as caught:
        text_files.read_lines(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataError, match=r"nix\.tsv: no such file"):
        text_files.read_lines(tmp_path / "nix.tsv")
    with pytest.raises(DataError, match="is a folder"):
        text_files.read_lines(tmp_path)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a\tb", "c\td"], "\t"),
        (["a,b", "c,d"], ","),
        (["a;b", "c;d"], ";"),
        (["a b", "c d"], None),
        (["a,x\tb", "c,x\td"], "\t"),
        (["a;x,b", "c,d"], ","),
        (["", "a,b"], ","),
        ([], None),
    ],
)
def test_delimiter(lines, expected):
    assert text_files.find_delimiter(lines) == expected


def test_numbers_are_checked_cell_by_cell(tmp_path):
    problems = ErrorCollector(limit=20)
    cells = ["1", " -2.5 ", "1e-3", "", "NaN", "NA", "two", "1_000", "inf", "1,5", "0x1", "1e999"]
    array = text_files.numbers(cells, range(2, 14), tmp_path / "f", "fitness", problems)
    assert array[:3].tolist() == [1, -2.5, 1e-3]
    assert np.isnan(array[3:]).all()
    assert problems.count == 6
    with pytest.raises(DataError) as caught:
        problems.check()
    for line, cell in ((8, "two"), (9, "1_000"), (10, "inf"), (11, "1,5"), (12, "0x1"), (13, "1e999")):
        assert f"f:{line}: '{cell}' in column fitness - a number was expected" in str(caught.value)


@pytest.mark.parametrize("cell", ["1_000", "inf", "-inf"])
def test_what_float_takes_for_a_number_is_still_refused(tmp_path, cell):
    problems = ErrorCollector()
    text_files.numbers(["1", cell], [1, 2], tmp_path, "x", problems)
    assert problems.count == 1
