"""Bars and markers say what the report says: one for each number, undefined ones in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread

from dglcell.plots import comparison, figures

Metrics = dict[str, Any]


def metrics(pearson: float | None, n: int = 1234) -> Metrics:
    return {"pearson": pearson, "spearman": None, "mse": 0.1, "mae": 0.1, "n": n}


def scores(orders: tuple[int, ...], fitness: int = 1234) -> dict[str, Any]:
    def one(r: float | None) -> dict[str, Any]:
        groups = ["all", *(f"order_{k}" for k in orders)]
        low = {g: 0 if g in ("order_0", "order_1") else 77 for g in groups}
        return {g: {"fitness": metrics(r, fitness), "gene_interaction": metrics(r and r / 2, low[g])} for g in groups}

    return {"dglcell": one(0.8), "mean": one(None), "gene-ridge": one(-0.2)}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures, kept as they are saved."""
    kept: list[Any] = []
    save = figures.save
    monkeypatch.setattr(comparison, "save", lambda figure, path: (kept.append(figure), save(figure, path)))
    return kept


def test_a_bar_for_each_and_words_for_the_undefined(tmp_path: Path, drawn: list[Any]) -> None:
    comparison.pearson_bars(scores((2,)), tmp_path / "bars.png", "val")
    fitness, interaction = drawn[0].axes
    assert [bar.get_width() for bar in fitness.patches] == [0.8, 0.0, -0.2]
    assert [bar.get_width() for bar in interaction.patches] == [0.4, 0.0, -0.1]
    assert [text.get_text() for text in fitness.texts] == ["0.800", "undefined", "-0.200"]
    assert [label.get_text() for label in fitness.get_yticklabels()] == ["dglcell", "mean", "gene-ridge"]
    assert interaction.get_title(loc="left") == "Gene interaction, validation subset\nn = 77 genotypes"
    assert (
        fitness.patches[0].get_facecolor() != fitness.patches[2].get_facecolor() == fitness.patches[1].get_facecolor()
    )
    pixels = imread(tmp_path / "bars.png").shape
    assert pixels[:2] == (round((1.5 + 3 * 0.32) * figures.DPI), round(8.4 * figures.DPI))


def test_a_label_without_rows_has_no_panel(tmp_path: Path, drawn: list[Any]) -> None:
    comparison.pearson_bars(scores((2,), fitness=0), tmp_path / "a.png")
    comparison.pearson_by_order(scores((2,), fitness=0), tmp_path / "b.png")
    assert [len(figure.axes) for figure in drawn] == [1, 1]
    assert imread(tmp_path / "a.png").shape[1] == round(4.8 * figures.DPI)


def test_markers_by_order(tmp_path: Path, drawn: list[Any]) -> None:
    comparison.pearson_by_order(scores((0, 1, 2, 3)), tmp_path / "order.png")
    fitness, interaction = drawn[0].axes
    names = [text.get_text() for text in fitness.get_legend().get_texts()]
    assert names == [f"{k}: n = 1,234" for k in ("wild type", "1 deletion", "2 deletions", "3 deletions")]
    assert [t.get_text() for t in interaction.get_legend().get_texts()] == [
        "2 deletions: n = 77",
        "3 deletions: n = 77",
    ]
    lines = [line for line in fitness.lines if line.get_marker() in list("osD^")]
    assert all(list(line.get_xdata()) == [0.8, -0.2] for line in lines) and len(lines) == 4
    heights = [line.get_ydata() for line in lines]
    assert len({tuple(h) for h in heights}) == 4 and all(round(h[1]) == 2 and round(h[0]) == 0 for h in heights)


def test_nothing_to_draw_is_still_a_picture(tmp_path: Path) -> None:
    comparison.pearson_bars(scores((), fitness=0), tmp_path / "a.png")
    comparison.pearson_by_order({"dglcell": {"all": {"fitness": metrics(None, 0)}}}, tmp_path / "b.png")
    assert imread(tmp_path / "b.png").shape[0] > 100
