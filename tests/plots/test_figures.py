"""Figures are whole PNG files, equal for equal numbers, and leave a caller's matplotlib alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dglcell.plots import figures

HISTORY = [
    {
        "epoch": epoch,
        "lr": 1e-3 / epoch,
        "best": epoch < 3,
        "train": {"mse": 1 / epoch, "supcr": 3.0},
        "val": {"loss": 1.5 / epoch, "fitness": {"pearson": None if epoch == 1 else 0.1 * epoch}},
    }
    for epoch in range(1, 5)
]


def is_picture(path: Path) -> bool:
    from matplotlib.image import imread

    pixels = imread(path)
    return path.read_bytes().startswith(b"\x89PNG") and pixels.shape[0] > 300 and pixels.std() > 0.02


@pytest.mark.parametrize("epochs", [1, 4])
def test_training_curves_are_drawn_even_where_a_metric_is_undefined(tmp_path: Path, epochs: int) -> None:
    figures.training_curves(HISTORY[:epochs], tmp_path / "curves.png")
    assert is_picture(tmp_path / "curves.png")


@pytest.mark.parametrize("n", [0, 1, 300, 4000])
def test_scatter_is_drawn_for_any_number_of_rows(tmp_path: Path, n: int) -> None:
    measured = np.random.default_rng(0).normal(size=n + 1)
    predicted = 0.5 * measured
    measured[-1] = np.nan
    figures.predicted_against_measured(predicted, measured, "fitness", tmp_path / "fit.png", pearson=None)
    assert is_picture(tmp_path / "fit.png")


def test_many_points_become_hexagons_that_hold_them_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    save = figures.save
    monkeypatch.setattr(figures, "save", lambda figure, path: (kept.append(figure), save(figure, path)))
    measured = np.random.default_rng(0).normal(size=2000)
    for n in (1500, 2000):
        figures.predicted_against_measured(
            0.5 * measured[:n], measured[:n], "fitness", tmp_path / "f.png", pearson=0.25
        )
    few, many = (figure.axes[0] for figure in kept)
    assert len(few.lines) == 2 and not few.collections
    assert many.collections[0].get_array().sum() == 1998 and len(many.lines) == 1
    assert many.get_title(loc="left") == "Fitness, test subset\nn = 2,000, Pearson r = 0.250, 2 outside the axes"


def test_equal_numbers_give_equal_files_and_leave_nothing_else(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        figures.training_curves(HISTORY, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_pyplot_is_never_imported(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, numpy as np; from dglcell.plots import figures as plots; x = np.arange(9.0);"
        f"plots.predicted_against_measured(x, x, 'fitness', pathlib.Path({str(tmp_path / 'x.png')!r}));"
        "sys.exit('matplotlib.pyplot' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=600).returncode == 0


@pytest.mark.parametrize("n", [0, 1, 30, 4000])
def test_calibration_is_drawn_for_any_number_of_rows(tmp_path: Path, n: int) -> None:
    rng = np.random.default_rng(0)
    predicted, sd = rng.normal(size=n), rng.random(n)
    figures.calibration(predicted, sd, predicted + sd * rng.normal(size=n), "fitness", tmp_path / "c.png")
    assert is_picture(tmp_path / "c.png")


def test_calibration_of_an_honest_ensemble_is_the_diagonal() -> None:
    rng = np.random.default_rng(0)
    sd = rng.random(50_000) + 0.1
    x, y = figures.calibration_curve(sd * rng.normal(size=len(sd)), sd)
    assert len(x) == 10 and (np.diff(x) > 0).all()
    np.testing.assert_allclose(y, x, rtol=0.05)
    _, twice = figures.calibration_curve(2 * sd, sd)
    assert (twice > 1.9 * x).all()
