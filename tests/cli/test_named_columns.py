"""Runs on screens whose columns or sample the user names, and their evaluation on screens of other layouts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dglcell
from dglcell.io import cell_file

SMALL = ("--layers", "1", "--hidden", "8", "--epochs", "1")
COLUMNS = "gene_1=mutA,gene_2=mutB,gene_interaction=e,fitness=f"


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    cell_file.save(dglcell.build_cell(model="textbook"), tmp_path / "cell.h5")
    return tmp_path / "cell.h5"


@pytest.fixture
def pairs(cell: Path) -> list[tuple[str, str]]:
    ids = cell_file.load(cell).ids["gene"]
    return [(ids[k], ids[k + 1]) for k in range(60)]


def evaluation(cli, run: Path, *options: object) -> dict:
    done = cli("evaluate", run, "--baselines", "none", "--json", *options)
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_run_remembers_named_columns(cli, cell: Path, pairs, tmp_path: Path) -> None:
    rows = "".join(f"{a},{b},{k / 500},{k / 100}\n" for k, (a, b) in enumerate(pairs))
    (tmp_path / "own.csv").write_text("mutA,mutB,e,f\n" + rows)
    run = tmp_path / "run"
    done = cli("train", cell, "--screen", tmp_path / "own.csv", "--columns", COLUMNS, *SMALL, "--out", run)
    assert done.code == 0, done.err
    assert dglcell.load_run(run).config.columns == (COLUMNS,)
    assert evaluation(cli, run)["test"]["all"]["fitness"]["n"] == 6

    first, second, third = (f"{a};{c}" for (a, _), (_, c) in zip(pairs[:3], pairs[10:13], strict=True))
    (tmp_path / "known.tsv").write_text(f"genes\tfitness\n{first}\t0.5\n{second}\t0.25\n")
    scored = evaluation(cli, run, "--screen", tmp_path / "known.tsv")["screen"]["all"]
    assert (scored["fitness"]["n"], scored["gene_interaction"]["n"]) == (2, 0)

    (tmp_path / "other.tsv").write_text(f"who\teps_b\n{first}\t0.5\n{second}\t0.25\n{third}\t1\n")
    done = cli("evaluate", run, "--baselines", "none", "--screen", tmp_path / "other.tsv")
    assert done.code == 1 and "--columns " in done.err
    options = ("--screen", tmp_path / "other.tsv", "--columns", "genes=who,gene_interaction=eps_b")
    scored = evaluation(cli, run, *options)["screen"]["all"]
    assert (scored["fitness"]["n"], scored["gene_interaction"]["n"]) == (0, 3)
    frame = dglcell.evaluate(
        run, screen=tmp_path / "other.tsv", columns=("genes=who,gene_interaction=eps_b",), baselines="none"
    )
    assert frame["n"].max() == 3

    done = cli("evaluate", run, "--screen", tmp_path / "other.tsv", "--columns", "genes=nobody,gene_interaction=eps_b")
    assert done.code == 1 and "its columns are 'who', 'eps_b'" in done.err
    done = cli("evaluate", run, "--columns", "genes=who")
    assert done.code == 2 and "--columns: no screen to read - add --screen" in done.err


def test_a_run_on_a_sample_of_a_matrix(cli, cell: Path, tmp_path: Path) -> None:
    ids = cell_file.load(cell).ids["gene"]
    rows = "".join(f"{name},{k / 100},{k / 500}\n" for k, name in enumerate(ids))
    (tmp_path / "matrix.csv").write_text("gene,LB 1,M9 2\n" + rows)
    options = ("--matrix", "samples", "--condition", "M9 2")
    run = tmp_path / "run"
    done = cli("train", cell, "--screen", tmp_path / "matrix.csv", *options, *SMALL, "--out", run)
    assert done.code == 0, done.err
    config = dglcell.load_run(run).config
    assert (config.matrix, config.condition) == ("samples", "M9 2")
    assert evaluation(cli, run)["test"]["all"]["fitness"]["n"] == 14

    rows = "".join(f"{name};{k / 100};{-k / 100}\n".replace(".", ",") for k, name in enumerate(ids))
    (tmp_path / "new.csv").write_text("gene;TB;X 3\n" + rows)
    options = ("--screen", tmp_path / "new.csv", "--condition", "X 3")
    assert evaluation(cli, run, *options)["screen"]["all"]["fitness"]["n"] == 14  # those that it has not seen


def test_info_reads_named_columns_and_samples(cli, tmp_path: Path) -> None:
    (tmp_path / "matrix.csv").write_text("gene,LB 1,M9 2\nA,0.5,\nB,0.25,1\n")
    done = cli("info", tmp_path / "matrix.csv", "--matrix", "samples", "--condition", "M9 2", "--json")
    assert done.code == 0 and json.loads(done.out)["labels"]["fitness"] == 1
    (tmp_path / "pairs.csv").write_text("mutA,mutB,e\nA,B,0.5\n")
    done = cli("info", tmp_path / "pairs.csv", "--columns", "gene_1=mutA,gene_2=mutB,gene_interaction=e", "--json")
    assert done.code == 0 and json.loads(done.out)["labels"]["gene_interaction"] == 1
