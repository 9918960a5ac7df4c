"""Fewer training rows: split files for a learning curve, and the plot of what came out.

    python -m tests.benchmarks.learning_curve cell.h5 --split unseen-gene --share 0.3 --out split.tsv
    python -m tests.benchmarks.learning_curve --draw data/results/learning_curve.json --out learning_curve.png

The first keeps a random share of the training genotypes of a split (`make_split`, fractions of a tenth) and marks the
others `unused`; a larger share holds all of a smaller one. `dglcell train cell.h5 --split-file split.tsv` trains on it.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from dglcell import schema
from dglcell.genotypes.splits.make import make_split
from dglcell.genotypes.splits.split import ASSIGNMENTS, TRAIN, UNUSED
from dglcell.io import cell_file
from dglcell.plots.figures import COLORS, new_figure, save, style_axes


def thin(cell_path: Path, kind: str, seed: int, share: float, out: Path) -> None:
    """Write the split file."""
    cell, table = cell_file.load(cell_path), cell_file.load_screen(cell_path)
    if table is None:
        raise SystemExit(f"{cell_path} holds no screen - preprocess it with --screen")
    part = make_split(table, kind, seed, 0.1, 0.1).subset.copy()
    keys = table.genotype_keys()
    drawn = np.random.default_rng(0).random(table.num_genotypes)[keys]
    part[(part == TRAIN) & (drawn >= share)] = UNUSED
    ids = np.array(cell.ids[schema.GENE])
    lines = ["genes\tsplit"]
    for row in np.unique(keys, return_index=True)[1]:
        lines.append(f"{';'.join(ids[table.genes[table.ptr[row] : table.ptr[row + 1]]])}\t{ASSIGNMENTS[part[row]]}")
    out.write_text("\n".join(lines) + "\n")


def draw(results: Path, out: Path) -> None:
    """Test and validation Pearson over training rows, a colour a split."""
    runs = json.loads(results.read_text())["runs"]
    figure = new_figure(6.4, 3.9)
    axes = figure.subplots()
    for kind, colour in zip(dict.fromkeys(run["split"] for run in runs), COLORS, strict=False):
        found = sorted((run for run in runs if run["split"] == kind), key=lambda run: run["training_rows"])
        rows = [run["training_rows"] for run in found]
        axes.plot(rows, [run["test_pearson"] for run in found], "o-", color=colour, label=f"{kind}, test")
        axes.plot(rows, [run["validation_pearson"] for run in found], "o--", ms=3, lw=1, color=colour, alpha=0.6)
    axes.plot([], [], "--", lw=1, color="grey", label="validation")
    axes.set_xscale("log")
    ticks = sorted({run["training_rows"] for run in runs if run["split"] == runs[0]["split"]})
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("training pairs")
    axes.set_ylabel("Pearson of gene interaction")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    style_axes(axes)
    save(figure, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cell", type=Path, nargs="?")
    parser.add_argument("--split", default="unseen-gene")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--draw", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if given.draw:
        draw(given.draw, given.out)
    elif given.cell:
        thin(given.cell, given.split, given.seed, given.share, given.out)
    else:
        parser.error("a cell file or --draw FILE is needed")


if __name__ == "__main__":
    main()
