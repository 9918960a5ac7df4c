"""Training on the real yeast graph: every variant, on the CPU and on CUDA where there is one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dglcell.cli.main import run
from dglcell.schema import VARIANTS


@pytest.fixture(scope="module")
def cell(yeast: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The yeast cell graph, with Costanzo 2010 stored in it."""
    path = tmp_path_factory.mktemp("yeast") / "cell.h5"
    arguments = ["--sbml", yeast / "yeast-GEM-9.0.2.xml.gz", "--genes", yeast / "SGD_features.tab.gz"]
    arguments += ["--physical", yeast / "biogrid_physical.tsv.gz", yeast / "4932.protein.actions.v11.0.txt.gz"]
    arguments += ["--regulatory", yeast / "YEASTRACT_20190713_BOTH.tsv.gz"]
    arguments += ["--screen", yeast / "sgadata_costanzo2009_intermediateCutoff_101120.txt.gz"]
    assert run(["preprocess", *map(str, arguments), "--unknown-genes", "skip", "--out", str(path), "-q"]) == 0
    return path


@pytest.mark.yeast
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_a_few_steps(cell: Path, variant: str, device: str, tmp_path: Path) -> None:
    few = ["--batch-size", "8", "--max-steps", "3", "--val-fraction", "0.0001"]
    out = tmp_path / "run"
    line = ["train", cell, "--layers", "3", "--variant", variant, "--device", device, *few, "--out", out, "-q"]
    assert run([str(a) for a in line]) == 0
    (record,) = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert record["step"] == 3
    assert record["val"]["gene_interaction"]["n"] > 8
    assert 0 < record["train"]["loss"] < 100
