"""Delimited tables: what the name of the file says of them, and what a cell may hold."""

from __future__ import annotations

import csv
import gzip
import itertools

import numpy as np
import pytest

from dglcell.api import read_screen
from dglcell.errors import DataError, UsageError
from dglcell.fba.deletions import SimulatedScreen
from dglcell.graph.build_cell import build_cell
from dglcell.io.table_writer import write_screen, write_table

ROWS = [["a;b", "0.5"], ["c,d", ""], ['e\t"f"', "µ"]]


@pytest.mark.parametrize("name", ["t.tsv", "t.csv", "t.txt", "t.tsv.gz", "t.csv.gz"])
def test_rows_come_back_as_they_were(tmp_path, name):
    path = tmp_path / name
    write_table(path, ("genes", "value"), iter(ROWS))
    content = path.read_bytes()
    text = (gzip.decompress(content) if name.endswith(".gz") else content).decode()
    delimiter = "," if ".csv" in name else "\t"
    assert text.splitlines()[0] == f"genes{delimiter}value" and text.splitlines()[1] == f"a;b{delimiter}0.5"
    assert list(csv.reader(text.splitlines(), delimiter=delimiter)) == [["genes", "value"], *ROWS]
    assert "\r" not in text
    write_table(path, ("genes", "value"), ROWS)
    assert path.read_bytes() == content


def test_a_table_is_written_whole_or_not_at_all(tmp_path):
    def rows():
        yield ["a"]
        raise KeyError

    for name in ("t.tsv", "t.tsv.gz"):
        with pytest.raises(KeyError):
            write_table(tmp_path / name, ["x"], rows())
    assert list(tmp_path.iterdir()) == []
    write_table(tmp_path / "t.tsv", ["x"], [["1"]])
    with pytest.raises(UsageError, match="exists"):
        write_table(tmp_path / "t.tsv", ["x"], [], overwrite=False)
    assert (tmp_path / "t.tsv").read_text() == "x\n1\n"


def test_layout_of_a_simulated_screen(tmp_path):
    fitness, interaction = np.array([1, 0.5, 0.25]), np.array([np.nan, np.nan, -0.0005])
    screen = SimulatedScreen(((), ("a",), ("a", "b")), fitness, interaction)
    for name in ("t.tsv", "t.csv"):
        write_screen(tmp_path / name, screen)
    expected = "genes\tfitness\tgene_interaction\n\t1\t\na\t0.5\t\na;b\t0.25\t-0.0005\n"
    assert (tmp_path / "t.tsv").read_text() == expected
    assert (tmp_path / "t.csv").read_text() == expected.replace("\t", ",")
    with pytest.raises(UsageError, match="exists"):
        write_screen(tmp_path / "t.tsv", screen, overwrite=False)


IDS = [
    "fig|1.2.peg.3",
    "orf19.1",
    "34.1",
    "2597",
    "b-1'",
    "x(1)",
    "a or b",
    "5'\"end",
    "NA",
    "1-Sep",
    "µ",
    "9167?",
    "HLA-A*01:01",
]


@pytest.mark.parametrize("separator", [None, ";", ",", "+", " + ", ", "])
@pytest.mark.parametrize("name", ["t.tsv", "t.csv.gz"])
def test_any_gene_id_comes_back_from_a_simulated_screen(tmp_path, name, separator):
    ids = sorted([*IDS, *([f"P{separator}Q", f"{separator}R".strip()] if separator else [])])
    genotypes = [(gene,) for gene in ids] + [tuple(sorted(pair)) for pair in itertools.pairwise(ids)]
    fitness = np.arange(len(genotypes)) / 16
    screen = SimulatedScreen(((), *genotypes), np.r_[1, fitness], np.full(len(genotypes) + 1, np.nan))
    write_screen(tmp_path / name, screen)
    cell = build_cell(genes=ids)
    table = read_screen(tmp_path / name, cell)
    genes = [tuple(ids[k] for k in sorted(table.genes[a:b])) for a, b in itertools.pairwise(table.ptr)]
    rows = dict(zip(genes, table.labels[:, 0].tolist(), strict=True))
    assert rows == dict(zip(screen.genotypes, screen.fitness, strict=True))


@pytest.mark.parametrize("gene", [" a", "a ", "a\tb", "a\nb", "#a", "\x7f"])
def test_a_gene_id_that_no_table_can_hold_is_refused(tmp_path, gene):
    screen = SimulatedScreen(((gene,),), np.ones(1), np.ones(1))
    with pytest.raises(DataError, match=r"t\.tsv: gene id .* cannot stand in a table"):
        write_screen(tmp_path / "t.tsv", screen)
    assert not list(tmp_path.iterdir())
