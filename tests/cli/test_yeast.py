"""Training on the real yeast graph: every variant, on the CPU and on CUDA where there is one."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from dglcell.cli.main import run
from dglcell.graph.cell import CellGraph
from dglcell.io import cell_file
from dglcell.schema import VARIANTS
from tests.records import table_of


@pytest.fixture(scope="module")
def cell(yeast_cell: CellGraph, yeast_files: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The yeast cell graph, with Costanzo 2010 stored in it."""
    path = tmp_path_factory.mktemp("yeast") / "cell.h5"
    table, _ = table_of(yeast_cell, [yeast_files.costanzo], unknown="skip")
    cell_file.save(yeast_cell, path, table)
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
