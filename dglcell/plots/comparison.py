"""Figures that compare a model with its baselines: Pearson correlation over all genotypes, and by number of deletions.

They are drawn from the plain dictionaries of a report.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dglcell.plots.figures import COLORS, GRAY, INK, legend_below, new_figure, save, style_axes, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Scores = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]

_OTHERS = "#b9c3cc"  # bars of the baselines
_MARKERS = "osD^vP"
_ALL = "all"


def pearson_bars(scores: Scores, path: Path, subset: str = "test") -> None:
    """One bar for the model and for each baseline; one panel for each label.

    Parameters
    ----------
    scores : mapping
        Name -> `all` or `order_k` -> label -> metrics with `pearson` (None where undefined) and `n`; the model first.
    path : Path
        PNG file, replaced if it exists.
    subset : str
        `train`, `val`, `test` or `screen`, for the title.
    """
    panels = _panels(scores)
    figure = new_figure(1.2 + 3.6 * max(1, len(panels)), 1.5 + 0.32 * len(scores))
    for axes, label in zip(_axes(figure, panels), panels, strict=True):
        values = [score[_ALL][label]["pearson"] for score in scores.values()]
        colors = [COLORS[0]] + [_OTHERS] * (len(values) - 1)
        axes.barh(range(len(values)), [v or 0.0 for v in values], color=colors, height=0.68)
        low, high = min([0.0, *(v for v in values if v is not None)]), max([0.05, *(v or 0.0 for v in values)])
        room = 0.02 * (high - low)
        for place, value in enumerate(values):
            text = "undefined" if value is None else f"{value:.3f}"
            axes.text(max(value or 0.0, 0.0) + room, place, text, va="center", fontsize=8, color=INK)
        axes.set_xlim(low * 1.05, high + 0.24 * (high - low))
        n = next(iter(scores.values()))[_ALL][label]["n"]
        _finish(axes, list(scores), f"{title(label, subset)}\nn = {n:,} genotypes")
    save(figure, path)


def pearson_by_order(scores: Scores, path: Path, subset: str = "test") -> None:
    """One marker for each number of deletions, a row for the model and for each baseline; one panel for each label.

    Parameters
    ----------
    scores, path, subset
        As for `pearson_bars`.
    """
    panels = _panels(scores)
    model = next(iter(scores.values()), {})
    figure = new_figure(1.2 + 3.6 * max(1, len(panels)), 1.9 + 0.32 * len(scores))
    groups = [group for group in model if group != _ALL]
    for axes, label in zip(_axes(figure, panels), panels, strict=True):
        for number, group in enumerate(groups):
            n = model[group][label]["n"]
            values = [(s[group][label]["pearson"], place) for place, s in enumerate(scores.values())]
            defined = [(value, place) for value, place in values if value is not None]
            if not n:
                continue
            shift = 0.5 * (number - (len(groups) - 1) / 2) / max(1, len(groups) - 1)
            note = "" if defined else ", undefined"
            axes.plot(
                [value for value, _ in defined],
                [place + shift for _, place in defined],
                _MARKERS[number % len(_MARKERS)],
                color=COLORS[number % len(COLORS)],
                ms=6.5,
                mew=0,
                alpha=0.9,
                label=f"{_deletions(group)}: n = {n:,}{note}",
            )
        axes.axhspan(-0.5, 0.5, color=COLORS[0], alpha=0.07, lw=0)
        _finish(axes, list(scores), f"{title(label, subset)}\nby number of deletions")
        legend_below(axes)
    save(figure, path)


def _panels(scores: Scores) -> list[str]:
    """Labels that have rows."""
    model = next(iter(scores.values()), {}).get(_ALL, {})
    return [label for label, metrics in model.items() if metrics["n"]]


def _axes(figure: Any, panels: list[str]) -> list[Axes]:
    if not panels:
        return []
    return list(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0])


def _deletions(group: str) -> str:
    count = int(group.removeprefix("order_"))
    return {0: "wild type", 1: "1 deletion"}.get(count, f"{count} deletions")


def _finish(axes: Axes, names: list[str], text: str) -> None:
    style_axes(axes)
    axes.axvline(0, color=GRAY, lw=0.8)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)  # the model on top
    axes.set_xlabel("Pearson r")
    axes.set_title(text, loc="left", fontsize=9.5, color=INK)
