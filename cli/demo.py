"""`dglcell demo`: all steps on an example that comes with dglcell."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from dglcell.cli import console, options
from dglcell.cli.help import Command, option
from dglcell.config.settings import OUTPUT, TRAINING


@click.command(cls=Command)
@option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="INTEGER",
    default=0,
    group=TRAINING,
    help="Seed of the split and of the initial weights. [default: 0]",
)
@option(
    "--out",
    type=options.NEW_FOLDER,
    default=Path("demo"),
    group=OUTPUT,
    help="Folder to write: the cell graph, the runs and the plots. [default: demo]",
)
@options.as_json
@options.overwrite
@options.verbose
def command(seed: int, out: Path, as_json: bool, overwrite: bool) -> None:
    """Build, train, evaluate and predict on E. coli core, without a download.

    The labels are fitness and gene interactions of all single and double deletions, by flux balance analysis.
    """
    with console.whole("demo") as watch:
        watch(0.0, "loading PyTorch")
        from dglcell import demo

        result = demo.run(out, watch, seed, say=console.say, overwrite=overwrite)
    if as_json:
        document = dataclasses.asdict(result)
        console.result({k: str(v) if isinstance(v, Path) else v for k, v in document.items() if k != "plots"})
        return
    rows = [(row.model, row.gene_interaction, row.fitness) for row in result.rows]
    title = f"Pearson on {result.pairs:,} held-out pairs"
    console.table(("model", "gene interaction", "fitness"), rows, title)
    console.say(f"{result.seconds:.0f} s; results: {result.run / 'plots'} and {result.predictions}")
    console.say(f"next: dglcell info {result.run}; dglcell predict {result.run} TABLE --out predictions.tsv")
