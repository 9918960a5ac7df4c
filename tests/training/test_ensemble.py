"""An ensemble: members that differ in their seed alone, one folder, predictions with mean and standard deviation."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dglcell.errors import FingerprintError, FormatError, UsageError
from dglcell.evaluation.evaluate import evaluate
from dglcell.evaluation.report import tidy
from dglcell.genotypes.splits.make import make_split
from dglcell.inference.run import COLUMNS, SD_COLUMNS, load_run
from dglcell.io.run_folder import RunFolder
from dglcell.training import loop
from dglcell.training.loop import train
from dglcell.training.progress import NullProgress
from tests.cells import tiny_cell
from tests.runs import tiny_config, tiny_table

CELL = tiny_cell(features=3)
TABLE = tiny_table(CELL)
SPLIT = make_split(TABLE, "random", 0, 0.2, 0.2)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `three` (an ensemble) and `7`, `8`, `9` (the same models, each on its own)."""
    path = tmp_path_factory.mktemp("runs")
    train(CELL, TABLE, SPLIT, tiny_config(seed=7, ensemble=3, epochs=1), path / "three")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_draw", lambda *args: None)
        for seed in (7, 8, 9):
            train(CELL, TABLE, SPLIT, tiny_config(seed=seed, epochs=1), path / str(seed))
    return path


def genotypes() -> list[list[str]]:
    ids = [str(name) for name in CELL.ids["gene"]]
    return [[ids[0]], ids[:2], [], ids[1:4]]


def test_members_are_the_runs_of_consecutive_seeds(runs: Path) -> None:
    members = load_run(runs / "three").predict_members(TABLE.genes, TABLE.ptr)
    alone = [load_run(runs / str(seed)).predict_rows(TABLE.genes, TABLE.ptr) for seed in (7, 8, 9)]
    assert np.array_equal(members, np.stack(alone), equal_nan=True)
    assert not np.array_equal(members[0, :, 0], members[1, :, 0])


def test_a_prediction_is_the_mean_with_the_standard_deviation_beside_it(runs: Path) -> None:
    frame = load_run(runs / "three").predict(genotypes())
    alone = np.stack([load_run(runs / str(seed)).predict(genotypes())[list(COLUMNS)] for seed in (7, 8, 9)])
    assert list(frame.columns) == ["genes", *COLUMNS, *SD_COLUMNS]
    np.testing.assert_allclose(frame[list(COLUMNS)], alone.mean(0), rtol=1e-6)
    np.testing.assert_allclose(frame[list(SD_COLUMNS)], alone.std(0, ddof=1), rtol=1e-5)
    assert list(np.isnan(frame["pred_gene_interaction_sd"])) == [True, False, True, False]


def test_one_model_has_no_standard_deviation(runs: Path) -> None:
    assert list(load_run(runs / "7").predict(genotypes()).columns) == ["genes", *COLUMNS]


def test_every_member_leaves_its_files_and_plots(runs: Path) -> None:
    names = {path.name for path in (runs / "three").iterdir()}
    for stem, suffix in (("model", "safetensors"), ("resume", "pt"), ("metrics", "jsonl")):
        assert {f"{stem}{k}.{suffix}" for k in ("", "_2", "_3")} <= names
    plots = {path.name for path in (runs / "three" / "plots").iterdir()}
    assert {"training.png", "training_2.png", "validation_fitness_3.png"} <= plots


def test_an_ensemble_grows_by_resuming_and_shrinks_by_overwriting(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(runs / "7", out)
    before = (out / "model.safetensors").read_bytes()
    summaries = train(CELL, TABLE, SPLIT, tiny_config(seed=7, ensemble=3, epochs=1), out, resume=True)
    assert len(summaries) == 3
    assert (out / "model.safetensors").read_bytes() == before
    grown = load_run(out).predict_members(TABLE.genes, TABLE.ptr)
    whole = load_run(runs / "three").predict_members(TABLE.genes, TABLE.ptr)
    assert np.array_equal(grown, whole, equal_nan=True)

    train(CELL, TABLE, SPLIT, tiny_config(seed=7, epochs=1), out, overwrite=True)
    assert [folder.member for folder in RunFolder(out).members()] == [1]
    assert not list(out.glob("*_[0-9]*")) and not list((out / "plots").glob("*_[0-9].png"))


def test_an_existing_run_is_refused(runs: Path) -> None:
    with pytest.raises(UsageError, match="is not empty"):
        train(CELL, TABLE, SPLIT, tiny_config(seed=7, ensemble=2, epochs=1), runs / "7")


def test_a_missing_member_is_said(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "three", tmp_path / "run")
    (tmp_path / "run" / "model_3.safetensors").unlink()
    with pytest.warns(UserWarning, match="2 of the 3 models"):
        run = load_run(tmp_path / "run")
    assert len(run.models) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_run(runs / "three")


class Stopping(NullProgress):
    """Ctrl-C after the first epoch of the last member."""

    def start(self, epochs: int, first_epoch: int, steps_per_epoch: int, about: Mapping[str, Any]) -> None:
        self.last = about["member"] == about["ensemble"]

    def epoch(self, record: Mapping[str, Any]) -> None:
        if self.last:
            raise KeyboardInterrupt


def test_a_member_that_was_broken_off_is_said(tmp_path: Path) -> None:
    config = tiny_config(seed=7, ensemble=2, epochs=3)
    with pytest.raises(KeyboardInterrupt):
        train(CELL, TABLE, SPLIT, config, tmp_path, Stopping())
    with pytest.warns(UserWarning, match=r"model 2 of the run .* after epoch 1 of 3.*resume=True"):
        load_run(tmp_path)
    train(CELL, TABLE, SPLIT, config, tmp_path, resume=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_run(tmp_path)
    (tmp_path / "metrics_2.jsonl").unlink()  # no file that prediction needs
    load_run(tmp_path)


@pytest.mark.parametrize(("limit", "epochs"), [({"max_steps": 2}, 5), ({"patience": 1, "lr": 1e-9}, 50)])
def test_a_member_that_stopped_early_is_not_called_broken_off(tmp_path: Path, limit: Any, epochs: int) -> None:
    train(CELL, TABLE, SPLIT, tiny_config(ensemble=2, epochs=epochs, **limit), tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_run(tmp_path)


@pytest.mark.parametrize(("changes", "what"), [({"gate": True}, "architecture"), ({"split": 1}, "split")])
def test_weights_of_another_training_are_refused(
    runs: Path, tmp_path: Path, changes: dict[str, object], what: str
) -> None:
    shutil.copytree(runs / "three", tmp_path / "run")
    split = make_split(TABLE, "random", 1, 0.2, 0.2) if "split" in changes else SPLIT
    config = tiny_config(seed=8, epochs=1, **{k: v for k, v in changes.items() if k != "split"})
    train(CELL, TABLE, split, config, tmp_path / "other")
    shutil.copy(tmp_path / "other" / "model.safetensors", tmp_path / "run" / "model_2.safetensors")
    with pytest.raises(FingerprintError, match=f"model_2.safetensors does not belong to .*its {what} differs"):
        load_run(tmp_path / "run")


def test_damaged_weights_of_a_member_are_refused(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "three", tmp_path / "run")
    path = tmp_path / "run" / "model_2.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"model_2\.safetensors"):
        load_run(tmp_path / "run")


def test_models_that_are_no_longer_asked_for_are_not_used(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "three", tmp_path / "run")
    train(CELL, TABLE, SPLIT, tiny_config(seed=7, ensemble=1, epochs=2), tmp_path / "run", resume=True)
    assert len(load_run(tmp_path / "run").models) == 1


def test_a_report_has_every_model_and_a_calibration_plot(runs: Path, tmp_path: Path) -> None:
    report = evaluate(load_run(runs / "three"), "val", table=TABLE, names=(), draw=tmp_path)
    alone = [evaluate(load_run(runs / str(seed)), "val", table=TABLE, names=()) for seed in (7, 8, 9)]
    assert report["members"] == [one["val"] for one in alone]
    assert all("members" not in one for one in alone)
    assert [row[0] for row in tidy(report)[:4]] == ["dglcell", *(f"dglcell, model {k}" for k in (1, 2, 3))]
    assert (tmp_path / "val_fitness_calibration.png").is_file()
