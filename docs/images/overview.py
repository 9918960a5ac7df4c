"""Draw docs/images/overview.png from a finished demo: python docs/images/overview.py DEMO_FOLDER.

It shows reactions and gene rules of E. coli core, rows of the demo's screen, and its held-out pairs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

GENE, REACTION, METABOLITE, INK, RULE = "#0b6e99", "#d1603d", "#7a8b2f", "#1f2328", "#c9d1d9"
IDS = {"acnA": "b1276", "acnB": "b0118", "sdhA": "b0723", "sdhB": "b0724"}
MONO = {"family": "DejaVu Sans Mono", "fontsize": 7.6, "color": INK}


def card(axes: Axes, x: float, y: float, width: float, height: float, title: str, lines: list[str]) -> None:
    """A titled box of monospaced lines."""
    axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0,rounding_size=0.9", fc="white", ec=RULE))
    axes.text(x + 1.2, y + height - 2.1, title, fontsize=8.4, weight="bold", color=INK, va="center")
    for k, line in enumerate(lines):
        axes.text(x + 1.2, y + height - 4.9 - 2.15 * k, line, va="center", **MONO)


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], label: str = "") -> None:
    """A thick arrow with a word above it."""
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=13, lw=1.6, color="#57606a"))
    axes.text((start[0] + end[0]) / 2, start[1] + 1.6, label, ha="center", fontsize=8, color="#57606a")


def graph(axes: Axes) -> None:
    """Aconitase and succinate dehydrogenase: genes, reactions, metabolites, and what a double deletion removes."""
    at = {
        "acnB": (36, 31.5), "acnA": (45, 31.5), "sdhA": (53.5, 31.5), "sdhB": (61, 31.5),
        "ACONTa": (36, 22.5), "ACONTa'": (45, 22.5), "SUCDi": (57.5, 22.5),
        "cit": (36.5, 11), "acon-C": (44.5, 11), "succ": (53.5, 11), "fum": (61.5, 11),
    }  # fmt: skip
    lost = {"acnA", "acnB", "ACONTa", "ACONTa'"}
    edges = [
        ("acnB", "ACONTa"), ("acnA", "ACONTa'"), ("sdhA", "SUCDi"), ("sdhB", "SUCDi"), ("sdhA", "sdhB"),
        ("cit", "ACONTa"), ("ACONTa", "acon-C"), ("cit", "ACONTa'"), ("ACONTa'", "acon-C"),
        ("succ", "SUCDi"), ("SUCDi", "fum"),
    ]  # fmt: skip
    for a, b in edges:
        gone = bool({a, b} & lost)
        style = (0, (2, 2)) if gone else "-"
        axes.plot(*zip(at[a], at[b], strict=True), color=RULE if gone else "#8b949e", lw=1.2, ls=style, zorder=1)
    for name, (x, y) in at.items():
        color, marker = (GENE, "o") if y > 30 else (REACTION, "s") if y > 20 else (METABOLITE, "D")
        face = "white" if name in lost else color
        axes.scatter(x, y, s=80, marker=marker, fc=face, ec=color, lw=1.3, zorder=2, alpha=0.9)
        if y > 30:
            axes.text(x, y + 3.3, f"{IDS[name]}\n{name}", ha="center", va="center", fontsize=7.4, color=INK)
        elif y > 20:
            axes.text(x + 1.6, y + 0.2, name.strip("'"), va="center", fontsize=7.4, color=INK)
        else:
            axes.text(x, y - 2.6, name, ha="center", va="center", fontsize=7.4, color=INK)
    for x in (at["acnB"][0], at["acnA"][0]):
        axes.text(x, 31.5, "x", ha="center", va="center", fontsize=10, color=GENE, zorder=3)
    kinds = "genes (circles), reactions (squares), metabolites (diamonds)"
    text = kinds + "\nboth isozymes deleted (x): the reaction is lost"
    axes.text(48.7, 3.4, text, ha="center", va="center", fontsize=7.2, color="#57606a", linespacing=1.5)


def main(demo: Path) -> None:
    """Write overview.png beside this file."""
    pairs = pandas.read_csv(demo / "predictions.tsv", sep="\t")
    pairs = pairs[pairs["genes"].str.count(";") == 1]
    ranked = pairs.sort_values("gene_interaction")
    shown = pandas.concat([ranked.iloc[[2, 5]], ranked[ranked["gene_interaction"] == 0].iloc[[0]], ranked.iloc[[-1]]])

    figure = plt.figure(figsize=(10, 4.1), dpi=150)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 100), ylim=(0, 41))
    axes.axis("off")
    for x, text in ((14.5, "what goes in"), (48.7, "cell graph"), (85, "what comes out")):
        axes.text(x, 39.2, text, ha="center", va="center", fontsize=11, weight="bold", color=INK)

    card(axes, 1, 23.6, 27.5, 13.2, "metabolic model (SBML)", [
        "ACONTa  cit <=> acon-C + h2o", "        b0118 or b1276", "SUCDi   q8 + succ -> fum + q8h2",
        "        b0721 and b0722 and ..",
    ])  # fmt: skip
    card(axes, 1, 13.4, 27.5, 8.8, "interaction networks", ["b0723  b0724", "b0721  b0722"])
    card(axes, 1, 1, 27.5, 11, "deletion screen", [
        "genes        fitness  interaction", "b0118        1", "b0118;b1276  0        -1",
    ])  # fmt: skip
    arrow(axes, (29.2, 20), (33.2, 20))
    graph(axes)
    arrow(axes, (63.5, 20), (70.5, 20), "model")

    columns = shown["genes"], shown["gene_interaction"], shown["pred_gene_interaction"].round(2) + 0  # no -0
    lines = [
        f"{genes:<13}{measured:>8.2f}{predicted:>8.2f}" for genes, measured, predicted in zip(*columns, strict=True)
    ]
    lines.insert(0, f"{'genes':<13}{'measured':>8}{'pred.':>8}")
    card(axes, 71.5, 1, 27.5, 15.2, "gene interaction of held-out pairs", lines)
    plot = figure.add_axes((0.765, 0.485, 0.215, 0.425))
    limits = (-1.08, 0.3)
    plot.plot(limits, limits, color=RULE, lw=1)
    plot.scatter(pairs["gene_interaction"], pairs["pred_gene_interaction"], s=7, color=GENE, alpha=0.45, lw=0)
    plot.set(xlim=limits, ylim=limits, xticks=(-1, -0.5, 0), yticks=(-1, -0.5, 0))
    plot.set_xlabel("measured gene interaction", fontsize=7.4, labelpad=1)
    plot.set_ylabel("predicted", fontsize=7.4, labelpad=1)
    plot.tick_params(labelsize=7, length=2)
    plot.spines[["top", "right"]].set_visible(False)
    figure.savefig(Path(__file__).with_suffix(".png"), facecolor="white")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
