"""Splits by what is unseen, from the command line: train, what is told and stored, evaluate."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from dglcell.io import checkpoint

SMALL = ("--layers", "1", "--hidden", "8", "--epochs", "1", "--device", "cpu")
HEAD = (
    "Query Strain ID\tQuery allele name\tArray Strain ID\tArray allele name\tCombined mutant type\t"
    "Raw genetic interaction score (epsilon)\tAdjusted genetic interaction score (epsilon or tau)\tP-value\t"
    "Query single/double mutant fitness\tArray single mutant fitness\tDouble/triple mutant fitness\t"
    "Double/triple mutant fitness standard deviation\n"
)


@pytest.fixture(scope="module")
def trigenic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cell of 40 genes and a trigenic screen of it: six double queries, a control for each, twenty arrays."""
    folder, rng = tmp_path_factory.mktemp("trigenic"), np.random.default_rng(0)
    genes = [f"Y{k:02d}" for k in range(40)]
    (folder / "genes.txt").write_text("\n".join(genes) + "\n")
    edges = rng.permutation(list(itertools.combinations(genes, 2)))[:80].tolist()
    (folder / "net.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in edges))
    rows = []
    for k in range(6):
        for kind, second in (("trigenic", genes[2 * k + 1]), ("digenic", "YDL227C")):
            for array in genes[20:]:
                score, fitness = rng.normal(0, 0.1), rng.random()
                rows.append(
                    f"{genes[2 * k]}+{second}_tm{k}\ta+b\t{array}_dma1\tc\t{kind}\t0.1\t{score:.4f}\t0.5\t0.9\t0.9\t"
                    f"{fitness:.4f}\t0.01\n"
                )
    (folder / "screen.tsv").write_text(HEAD + "".join(rows))
    from dglcell.cli.main import run

    paths = {"--genes": "genes.txt", "--physical": "net.tsv", "--screen": "screen.tsv", "--out": "cell.h5"}
    arguments = [word for flag, name in paths.items() for word in (flag, str(folder / name))]
    assert run(["preprocess", *arguments, "-q"]) == 0
    return folder / "cell.h5"


@pytest.mark.parametrize("kind", ["unseen-gene", "unseen-all", "query-pair"])
def test_train_and_evaluate(kind: str, cli, trigenic: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = cli("train", trigenic, "--split", kind, *SMALL, "--out", out)
    assert done.code == 0, done.err
    assert f"({kind} split)" in done.err and (" unused rows" in done.err) == (kind == "unseen-all")
    stored, about = checkpoint.read(out / "split.safetensors", checkpoint.SPLIT)
    model = checkpoint.read(out / "model.safetensors", checkpoint.MODEL)[1]
    counts = dict(
        zip(("train", "val", "test", "unused"), np.bincount(stored["subset"], minlength=4).tolist(), strict=True)
    )
    assert (about["kind"], about["hash"]) == (kind, model["split"]["hash"])
    assert model["split"]["rows"] == counts and sum(counts.values()) == 240
    report = json.loads(cli("evaluate", out, "--subset", "test", "--json").out)
    assert report["test"]["all"]["fitness"]["n"] == counts["test"]


def test_a_split_that_leaks_is_refused_when_it_is_read_back(cli, trigenic: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert cli("train", trigenic, "--split", "query-pair", *SMALL, "--out", out, "-q").code == 0
    from dglcell.genotypes.splits.split import Split

    stored, about = checkpoint.read(out / "split.safetensors", checkpoint.SPLIT)
    subset = stored["subset"].copy()
    subset[np.flatnonzero(subset == 2)[0]] = 0  # the test query, in one other genotype
    changed = Split(subset, "query-pair")
    checkpoint.write(out / "split.safetensors", checkpoint.SPLIT, {"subset": subset}, {**about, "hash": changed.hash})
    done = cli("evaluate", out)
    assert done.code == 1
    last = done.err.splitlines()[-1]
    assert "the split leaks" in last and "double-mutant query that is new to train" in last


def test_a_screen_without_double_queries_is_told_in_one_line(cli, core: Path, tmp_path: Path) -> None:
    done = cli("train", core, "--split", "query-pair", *SMALL, "--out", tmp_path / "run")
    assert done.code == 2
    assert "no row of the screen comes from a double-mutant query" in done.err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def test_info_counts_the_queries(cli, trigenic: Path) -> None:
    assert json.loads(cli("info", trigenic, "--json").out)["screen"]["query_pairs"] == 6
    assert any("double-mutant queries" in line and "6" in line for line in cli("info", trigenic).out.splitlines())
