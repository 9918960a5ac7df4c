"""Opening text: plain and gzip, encodings, line ends, delimiters, numbers; what goes wrong is named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pytest

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.tables.chunked_text import text_blocks


def read_lines(path):
    return [line for block in text_blocks(path) for line in block.lines()]


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
@pytest.mark.parametrize("packed", [False, True])
def test_gzip_goes_by_content_not_by_name(tmp_path, name, packed):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"one\ntwo\n") if packed else b"one\ntwo\n")
    assert read_lines(path) == ["one", "two"]


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
    assert read_lines(path) == lines


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
        (b"PK\x03\x04zip", "zip data is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook .* save it as .xlsx or .tsv"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "a Git LFS pointer.*git lfs pull"),
        (bz2.compress(b"gene\n" * 1000)[:-9], "bzip2 data is cut short"),
        (lzma.compress(b"gene\n" * 1000)[:40] + b"\xff" * 9, "xz data is damaged"),
        (gzip.compress(gzip.compress(b"a", mtime=0), mtime=0), "compressed twice"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"a\0b", "is a binary file"),
        (b"<!DOCTYPE html><p>404</p>", "is an HTML page"),
        (b"<?xml version='1.0'?><a/>", "is XML or HTML"),
        (b"<?xml version='1.0'?>\n<sbml level='3'>", "is a metabolic model in SBML - .* give it as model"),
        (b'{"a": 1}', "is JSON"),
    ],
)
def test_unreadable_content_is_named(tmp_path, content, what):
    path = tmp_path / "file.tsv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=what) as caught:
        read_lines(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def zipped(members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, lambda text: zipped({"a": text})])
def test_compression_goes_by_content(tmp_path, compress):
    path = tmp_path / "file.txt"
    path.write_bytes(compress(b"one\ntwo\n"))
    assert read_lines(path) == ["one", "two"]


def test_a_zip_file_holds_one_file(tmp_path):
    path = tmp_path / "file.zip"
    path.write_bytes(zipped({"x/table": "one\n", "__MACOSX/x/._table": "x"}))
    assert read_lines(path) == ["one"]
    path.write_bytes(zipped({"a": "one\n", "b": "two\n"}))
    with pytest.raises(DataError, match=r"file.zip is a zip file with 2 files \(a, b\) - one was expected; unpack it"):
        read_lines(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataError, match=r"nix\.tsv: no such file"):
        read_lines(tmp_path / "nix.tsv")
    with pytest.raises(DataError, match="is a folder"):
        read_lines(tmp_path)


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
