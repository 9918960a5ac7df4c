"""Labels by further names; the advice on columns that are not read works when it is followed to the letter."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from dglcell.errors import DataError
from dglcell.readers.screens.read import read_screen
from dglcell.readers.tables.column_map import ColumnMap


def read(tmp_path: Path, text: str, *maps: str):
    (tmp_path / "screen.csv").write_text(text)
    return read_screen(tmp_path / "screen.csv", maps=[ColumnMap.parse(item) for item in maps])


def advised(message: str) -> str:
    return re.search(r'columns="([^"]*)"', message)[1]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("gene1,gene2,eps,p.value\nA,B,-0.5,0.25\n", [np.nan, np.nan, -0.5, 0.25]),
        ("genes,fitness,SD\nA,0.5,0.25\n", [0.5, 0.25, np.nan, np.nan]),
        ("gene1,gene2,gene3,eps,tau\nA,B,C,-0.5,-0.25\n", [np.nan, np.nan, -0.25, np.nan]),
    ],
)
def test_a_label_that_is_not_read_can_be_named(tmp_path: Path, text: str, labels) -> None:
    with pytest.warns(match="columns that look like labels are not read") as warned:
        read(tmp_path, text)
    columns = advised(str(warned[0].message))
    np.testing.assert_array_equal(read(tmp_path, text, columns).labels[0], np.float32(labels))


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Gene,JW id,LB OD600\nA,JW1,0.5\n", [0.5, np.nan, np.nan, np.nan]),
        ("Bait,Prey,S-score\nA,B,-0.5\n", [np.nan, np.nan, -0.5, np.nan]),
        ("query,array,score,p\nA,B,-0.5,0.25\n", [np.nan, np.nan, -0.5, 0.25]),
    ],
)
def test_the_advice_of_an_error_works(tmp_path: Path, text: str, labels) -> None:
    with pytest.raises(DataError) as error:
        read(tmp_path, text)
    np.testing.assert_array_equal(read(tmp_path, text, advised(str(error.value))).labels[0], np.float32(labels))


def test_fitness_at_a_temperature(tmp_path: Path) -> None:
    assert read(tmp_path, "genes,Fitness (30C)\nA;B,0.5\n").labels[0, 0] == 0.5
    single = read(tmp_path, "ORF,SMF (26C),SMF (30C)\nA,0.5,0.75\nB,0.25,\n")
    assert single.labels[:, 0].tolist() == [0.75, 0.25]


def test_no_second_gene_as_r_writes_it(tmp_path: Path) -> None:
    screen = read(tmp_path, '"","gene_1","gene_2","fitness"\n"1","A",NA,0.5\n"2","NA","B",0.25\n')
    assert screen.genotypes == [("A",), ("NA", "B")]
