"""Matrices on the command line: `preprocess --screen` with `--matrix` and `--condition`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dglcell.io import cell_file

EFFECTS = ",acnA (945),acnB (947),aceE (944),b9999 (1)\nLB 1,-0.1,-1.5,,2\nM9 2,-0.2,-1.25,-2,1\n"
SCORES = "ORF\tb0118_dma1\tb1276_dma2\tb0114_dma3\nb0118_sn4\t0.5\t-0.1\t\nb0114_sn5\t0.3\t0.2\t0.1\n"


@pytest.fixture
def preprocess(cli, tmp_path: Path):
    def call(text, *options):
        (tmp_path / "matrix.txt").write_text(text)
        out = tmp_path / "cell.h5"
        arguments = ["--model", "textbook", "--screen", tmp_path / "matrix.txt", *options, "--out", out, "--overwrite"]
        done = cli("preprocess", *arguments, "--json")
        return done, cell_file.load_screen(out) if done.code == 0 else None

    return call


def genotypes(screen, label):
    cell = cell_file.load(Path(screen))
    table = cell_file.load_screen(Path(screen))
    ids = cell.ids["gene"]
    names = [";".join(ids[g] for g in table.genes[a:b]) for a, b in zip(table.ptr[:-1], table.ptr[1:], strict=True)]
    return dict(zip(names, np.round(table.labels[:, label].astype(float), 4).tolist(), strict=True))


def test_one_sample(preprocess, tmp_path: Path) -> None:
    done, screen = preprocess(EFFECTS, "--matrix", "samples", "--condition", "M9 2", "--unknown-genes", "skip")
    assert done.code == 0, done.err
    assert len(screen) == 3
    assert genotypes(tmp_path / "cell.h5", 0) == {"b1276": -0.2, "b0118": -1.25, "b0114": -2}
    report = json.loads(done.out)["screen"]
    assert (report["rule matrix"], report["rule condition"]) == ("samples", "M9 2")
    assert report["files"][0]["sample"] == "M9 2" and report["files"][0]["layout"] == "matrix of samples and genes"


def test_pairs(preprocess, tmp_path: Path) -> None:
    done, _ = preprocess(SCORES, "--matrix", "pairs")
    assert done.code == 0, done.err
    assert "warning: " not in done.err
    assert genotypes(tmp_path / "cell.h5", 2) == {"b0118;b1276": -0.1, "b0114;b0118": 0.3, "b0114;b1276": 0.2}
    done, _ = preprocess(SCORES)
    assert done.code == 0 and "is read as a matrix of interactions of pairs (2 rows x 3 columns) - --matrix" in done.err


@pytest.mark.parametrize(
    ("options", "code", "what"),
    [
        ((), 1, "--matrix pairs or --matrix samples"),
        (("--matrix", "samples"), 1, "no sample is chosen (rows: 2 ('LB 1', 'M9 2'); columns: 4 ('acnA (945)', "),
        (("--matrix", "samples", "--condition", "TB"), 1, "--condition TB fits no name"),
        (("--condition", "M9 2"), 2, "--condition M9 2 names a sample - add --matrix samples"),
        (("--matrix", "sample"), 2, "'sample' is not one of"),
    ],
)
def test_refused(preprocess, tmp_path: Path, options, code, what) -> None:
    done, _ = preprocess(EFFECTS, *options)
    assert done.code == code and what in done.err, done.err
    assert not (tmp_path / "cell.h5").exists()


def test_a_run_is_evaluated_on_the_sample_that_it_was_trained_on(preprocess, cli, tmp_path: Path) -> None:
    preprocess(SCORES, "--matrix", "pairs")
    ids = cell_file.load(tmp_path / "cell.h5").ids["gene"]
    rows = "".join(f"{name},{k / 100},{k / 500}\n" for k, name in enumerate(ids))
    done, _ = preprocess("gene,one,two\n" + rows, "--matrix", "samples", "--condition", "two")
    assert done.code == 0, done.err
    small = ("--layers", "1", "--hidden", "8", "--epochs", "1")
    assert cli("train", tmp_path / "cell.h5", *small, "--out", tmp_path / "run").code == 0
    report = json.loads(cli("evaluate", tmp_path / "run", "--baselines", "mean", "--json").out)
    assert report["test"]["all"]["fitness"]["n"] > 5
