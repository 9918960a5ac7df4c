"""The examples in docstrings and in the documents run, and print what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import dglcell
from dglcell.engines.device import one_thread

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in ROOT.glob("dglcell/**/*.py")
    if ">>>" in path.read_text()
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where examples run: `run` in it is a trained run of the E. coli core model."""
    path = tmp_path_factory.mktemp("examples")
    cell = dglcell.build_cell(model="textbook", keep_unassigned=True)
    screen = dglcell.read_screen("textbook", cell)
    dglcell.save_cell(cell, path / "cell.h5", screen)
    config = dglcell.TrainConfig(layers=1, hidden=16, epochs=1, max_steps=2, device="cpu", engine="torch")
    dglcell.train(cell, screen, config=config, out=path / "run")
    return path


@one_thread()
@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.REPORT_NDIFF)
    assert result.attempted
    assert not result.failed, f"{result.failed} of {result.attempted} examples of {name} failed"
