"""The look that all figures share, and the way to a PNG file.

Draws on its own canvas, so a caller's matplotlib state and back end stay as they are. Knows nothing of what is drawn.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dglcell.io.atomic import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GREY = "#22272e", "#8a929c"
COLOURS = ("#0b6e99", "#d1603d", "#4b8f5b", "#7a5195", "#b08b1e")
LABELS = {"fitness": "fitness", "gene_interaction": "gene interaction"}
DPI = 150


def new_figure(width: float, height: float) -> Figure:
    """A white figure of so many inches; its PNG has `DPI` pixels an inch."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")


def style_axes(axes: Axes) -> None:
    """Two spines, small ticks, a light grid."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GREY)
    axes.tick_params(colors=INK, labelsize=8, which="both")
    axes.grid(color="#e7eaee", lw=0.6)
    axes.set_axisbelow(True)


def save(figure: Figure, path: Path) -> None:
    """Through the Agg canvas; without the matplotlib version in the file, so equal numbers give equal bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    with replacing(Path(path)) as temporary:
        canvas.print_png(str(temporary), metadata={"Software": None})
