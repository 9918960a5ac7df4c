"""Figures of a run as PNG: training curves, predicted against measured labels, calibration of an ensemble.

They are drawn from plain numbers, without torch. Every figure has its own canvas, so the matplotlib state and back end
of the caller do not change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dglcell.io.atomic import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GRAY = "#22272e", "#8a929c"
COLORS = ("#0b6e99", "#d1603d", "#4b8f5b", "#7a5195", "#b08b1e")
DPI = 150

_LABELS = {"fitness": "fitness", "gene_interaction": "gene interaction"}
_TERMS = {"mse": "MSE", "dist": "distribution loss", "supcr": "contrastive loss", "cell": "cell loss"}
_SUBSETS = {"train": "training subset", "val": "validation subset", "test": "test subset", "screen": "other screen"}
_UNITS = {
    "fitness": "fitness (wild type = 1)",
    "gene_interaction": "gene interaction score (fitness units)",
}
_HEXAGONS = 60  # along an axis
_MANY = 1500  # with more points than this they hide each other, and their density is drawn instead
_GROUPS, _LEAST = 10, 20  # largest number of groups in a calibration plot, smallest number of rows in a group


def new_figure(width: float, height: float) -> Figure:
    """A white figure, its size in inches; the PNG has `DPI` pixels per inch."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")


def style_axes(axes: Axes) -> None:
    """Two spines, small ticks, a light grid."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GRAY)
    axes.tick_params(colors=INK, labelsize=8, which="both")
    axes.grid(color="#e7eaee", lw=0.6)
    axes.set_axisbelow(True)


def legend_below(axes: Axes) -> None:
    """A legend of two columns below the label of the x axis, where it hides no data."""
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=5, frameon=False, fontsize=8, ncols=2)


def title(label: str, subset: str) -> str:
    """What a figure shows, in words: a label and the subset of its rows."""
    return f"{_LABELS.get(label, label).capitalize()}, {_SUBSETS.get(subset, subset)}"


def save(figure: Figure, path: Path) -> None:
    """Write a PNG with the Agg canvas, without the version of matplotlib, so that equal numbers give equal bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    with replacing(Path(path)) as temporary:
        canvas.print_png(str(temporary), metadata={"Software": None})


def training_curves(history: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Loss terms, validation Pearson correlation of each label and learning rate over epochs.

    Parameters
    ----------
    history : sequence of dict
        The lines of `metrics.jsonl`: `epoch`, `lr`, `best`, `train` (term -> loss) and `val` (with `loss` and, per
        label, `pearson`, None where undefined).
    path : Path
        PNG file, replaced if it exists.
    """
    figure = new_figure(10.5, 4.2)
    losses, scores, rates = figure.subplots(1, 3, width_ratios=(1, 1, 0.55))
    epochs = [record["epoch"] for record in history]
    marker = "o" if len(epochs) < 25 else None

    for (term, values), color in zip(_columns(history, "train").items(), COLORS, strict=False):
        losses.plot(epochs, values, color=color, marker=marker, ms=3, label=f"training {_TERMS[term]}")
    validation = [_number(record["val"].get("loss")) for record in history]
    losses.plot(epochs, validation, color=INK, ls="--", marker=marker, ms=3, label="validation MSE")
    losses.set_ylabel("loss (standardized labels)")
    positive = [v for line in losses.lines for v in np.asarray(line.get_ydata()) if np.isfinite(v) and v > 0]
    if positive and max(positive) > 30 * min(positive):
        losses.set_yscale("log")

    labels = [name for name in _LABELS if any(isinstance(r["val"].get(name), Mapping) for r in history)]
    for label, color in zip(labels, COLORS, strict=False):
        values = [_number(record["val"].get(label, {}).get("pearson")) for record in history]
        scores.plot(epochs, values, color=color, marker=marker, ms=3, label=_LABELS[label])
    scores.axhline(0, color=GRAY, lw=0.6)
    scores.set_ylabel("validation Pearson r")
    lr = [float(record["lr"]) for record in history]
    rates.step(epochs, lr, where="mid", color=INK, lw=1.2)
    rates.set_ylim(0, 1.1 * max(lr, default=1.0))
    rates.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    rates.set_ylabel("learning rate")
    best = [record["epoch"] for record in history if record.get("best")]
    for axes in (losses, scores, rates):
        style_axes(axes)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        if best:
            axes.axvline(best[-1], color=GRAY, lw=0.9, ls=":", label=f"weights of epoch {best[-1]}")
    for axes in (losses, scores):
        legend_below(axes)
    figure.suptitle("Training", x=0.012, ha="left", fontsize=12, color=INK)
    save(figure, path)


def predicted_against_measured(
    predicted: NDArray[np.floating],
    measured: NDArray[np.floating],
    label: str,
    path: Path,
    subset: str = "test",
    pearson: float | None = None,
) -> None:
    """Density of predicted against measured values of one label, on equal axes with the diagonal.

    Parameters
    ----------
    predicted, measured : array, (n,)
        On the label's original scale; rows with NaN in either array are left out.
    label : str
        One of `schema.LABELS`.
    path : Path
        PNG file, replaced if it exists.
    subset : str
        `train`, `val`, `test` or `screen`, for the title.
    pearson : float or None
        Pearson correlation to write into the figure; None means undefined.
    """
    rows = np.isfinite(predicted) & np.isfinite(measured)
    x, y = np.asarray(measured, np.float64)[rows], np.asarray(predicted, np.float64)[rows]
    figure = new_figure(4.9, 4.6)
    axes = figure.subplots()
    low, high = _limits(x, y)
    inside = (x >= low) & (x <= high) & (y >= low) & (y <= high)
    if len(x) > _MANY:
        _density(axes, x[inside], y[inside], (low, high, low, high))
    else:
        axes.plot(x, y, ".", color=COLORS[0], ms=5, alpha=0.35, mew=0)
    axes.plot([low, high], [low, high], color=COLORS[1], lw=1.0, zorder=3)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")
    style_axes(axes)
    unit = _UNITS.get(label, label)
    axes.set_xlabel(f"measured {unit}")
    axes.set_ylabel(f"predicted {unit}")
    outside = len(x) - int(inside.sum())
    note = f"n = {len(x):,}, Pearson r {'undefined' if pearson is None else f'= {pearson:.3f}'}"
    note += f", {outside:,} outside the axes" if outside else ""
    axes.set_title(f"{title(label, subset)}\n{note}", loc="left", fontsize=9.5, color=INK)
    save(figure, path)


def calibration(
    predicted: NDArray[np.floating],
    sd: NDArray[np.floating],
    measured: NDArray[np.floating],
    label: str,
    path: Path,
    subset: str = "test",
) -> None:
    """Calibration of an ensemble: the error of its prediction against the standard deviation between its models.

    Rows are sorted by standard deviation into up to ten groups of equal size, one point each. On the diagonal the two
    are equal; above it the models agree more with each other than with the measurement.

    Parameters
    ----------
    predicted, sd, measured : array, (n,)
        On the label's original scale; rows with NaN anywhere are left out.
    label, path, subset
        As for `predicted_against_measured`.
    """
    rows = np.isfinite(predicted) & np.isfinite(measured) & np.isfinite(sd)
    error, spread = (predicted - measured)[rows].astype(np.float64), sd[rows].astype(np.float64)
    x, y = calibration_curve(error, spread)
    figure = new_figure(4.9, 4.6)
    axes = figure.subplots()
    top = 1.08 * max([*x, *y], default=1.0) or 1.0
    axes.plot([0, top], [0, top], color=COLORS[1], lw=1.0, label="error = standard deviation")
    axes.plot(x, y, "o-", color=COLORS[0], ms=5, lw=1.2, label=f"genotypes, {len(x)} groups by standard deviation")
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.set_aspect("equal")
    style_axes(axes)
    unit = _UNITS.get(label, label)
    axes.set_xlabel(f"standard deviation between models\n{unit}")
    axes.set_ylabel(f"root mean square error\n{unit}")
    axes.legend(frameon=False, fontsize=8)
    within = f", {np.mean(np.abs(error) <= 2 * spread):.0%} with an error within 2 SD" if len(error) else ""
    text = f"{title(label, subset)}: calibration of the ensemble\nn = {len(error):,}{within}"
    axes.set_title(text, loc="left", fontsize=9.5, color=INK)
    save(figure, path)


def calibration_curve(
    error: NDArray[np.float64], sd: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean standard deviation and root mean square error of up to ten groups of rows, sorted by standard deviation."""
    count = max(1, min(_GROUPS, len(error) // _LEAST))
    groups = [group for group in np.array_split(np.argsort(sd, kind="stable"), count) if len(group)]
    means = np.array([sd[group].mean() for group in groups])
    return means, np.array([np.sqrt(np.square(error[group]).mean()) for group in groups])


def _density(
    axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], extent: tuple[float, float, float, float]
) -> None:
    """Hexagons colored by the logarithm of their count, light to dark in one hue."""
    from matplotlib.colors import LinearSegmentedColormap, LogNorm

    colors = LinearSegmentedColormap.from_list("density", ["#d8e8ef", "#0b6e99", "#0a2c3d"])
    hexagons = axes.hexbin(
        x, y, gridsize=_HEXAGONS, extent=extent, mincnt=1, cmap=colors, norm=LogNorm(vmin=1), linewidths=0.1
    )
    bar = axes.figure.colorbar(hexagons, ax=axes, shrink=0.8, pad=0.02)
    bar.set_label("genotypes per hexagon", fontsize=8, color=INK)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)


def _columns(history: Sequence[Mapping[str, Any]], group: str) -> dict[str, list[float]]:
    names = [name for name in _TERMS if any(name in record[group] for record in history)]
    return {name: [_number(record[group].get(name)) for record in history] for name in names}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _limits(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Limits that hold 99.8 % of all values, with a margin, so that a few outliers do not shrink the rest."""
    both = np.concatenate([x, y])
    if not len(both):
        return 0.0, 1.0
    low, high = np.quantile(both, [0.001, 0.999]) if len(both) > 3000 else (both.min(), both.max())
    margin = 0.06 * (high - low) or 0.5
    return float(low - margin), float(high + margin)
