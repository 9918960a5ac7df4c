"""`dglcell formats`: every layout with what is read; `--columns` for a table in none of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from dglcell.io import cell_file
from dglcell.readers.formats import all_formats


def test_the_command_lists_and_describes(cli) -> None:
    listed = cli("formats")
    assert listed.code == 0 and all(item.name in listed.out for item in all_formats())
    shown = cli("formats", "biogrid", "--json")
    items = json.loads(shown.out)
    assert {item["group"] for item in items} == {"network"} and items[0]["columns"]["gene_1"]
    unknown = cli("formats", "betamax")
    assert unknown.code == 1 and "no format is called 'betamax'" in unknown.err


def test_columns_of_unknown_tables_are_named(cli, tmp_path: Path) -> None:
    (tmp_path / "genes.csv").write_text("chrom,feature,other\nI,G1,alpha\nI,G2,beta\nI,G3,\n")
    (tmp_path / "net.tsv").write_text("bait_x\tw\tprey_x\nalpha\t0.25\tG2\nG2\t1\tG3\n")
    (tmp_path / "hits.csv").write_text("who;whom;eps\nG1;G2;-0,5\nbeta;G3;0,25\n")
    (tmp_path / "singles.csv").write_text("G1,0.5\nG3,0.75\n")
    out = tmp_path / "cell.h5"
    done = cli(
        "preprocess", "--genes", tmp_path / "genes.csv", "--physical", tmp_path / "net.tsv",
        "--screen", tmp_path / "hits.csv", tmp_path / "singles.csv", "--out", out,
        "--columns", "gene=feature,name=other", "gene_1=bait_x,gene_2=prey_x,confidence=w",
        "--columns", "hits.csv:gene_1=who,gene_2=whom,gene_interaction=eps", "--columns", "genes=1,fitness=2",
    )  # fmt: skip
    assert done.code == 0, done.err
    cell, screen = cell_file.load_both(out)
    assert cell.ids["gene"] == ("G1", "G2", "G3")
    relation = cell.relations["physical_interaction"]
    ends = zip(relation.src.tolist(), relation.dst.tolist(), strict=True)
    confidence = dict(zip(ends, relation.data["confidence"].tolist(), strict=True))
    assert (confidence[0, 1], confidence[1, 0], confidence[1, 2]) == (0.25, 0.25, 1.0)
    assert [g.tolist() for g in np.split(screen.genes, screen.ptr[1:-1])] == [[0, 1], [1, 2], [0], [2]]
    np.testing.assert_array_equal(screen.targets[:, 0], np.float32([np.nan, np.nan, 0.5, 0.75]))
    np.testing.assert_array_equal(screen.targets[:, 1], np.float32([-0.5, 0.25, np.nan, np.nan]))


def test_columns_that_no_table_has_are_an_error(cli, tmp_path: Path) -> None:
    (tmp_path / "genes.txt").write_text("G1\nG2\n")
    (tmp_path / "hits.csv").write_text("genes,fitness\nG1,0.5\nG2,1\n")
    given = (
        "preprocess",
        "--genes",
        tmp_path / "genes.txt",
        "--screen",
        tmp_path / "hits.csv",
        "--out",
        tmp_path / "c",
    )
    for columns in ("genes=strain,fitness=f", "gene_1=A,gene_2=B", "hits.csv:genes=strain,fitness=f"):
        done = cli(*given, "--columns", columns)
        assert (done.code == 1 and "strain" in done.err) or "gene_1=A,gene_2=B" in done.err
    done = cli(*given, "--columns", "genes")
    assert done.code == 2 and "ROLE=COLUMN,.. was expected" in done.err
    assert not (tmp_path / "c").exists()
