"""`dglcell simulate`: a screen computed by flux balance analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dglcell.cli import console, options
from dglcell.cli.help import Command, option
from dglcell.config.settings import DATA, OUTPUT


class _Orders(options.ParamType):
    name = "1,2,.."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        try:
            return tuple(int(item) for item in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} - numbers of deletions such as 1,2 were expected", param, ctx)


@click.command(cls=Command)
@options.model(required=True)
@option(
    "--objective",
    metavar="REACTION",
    group=DATA,
    help="Id of the reaction whose flux is growth. [default: the objective of the model]",
)
@option(
    "--orders",
    type=_Orders(),
    default="1,2",
    group=DATA,
    help="Numbers of deletions; 1,2,3 computes single, double and triple deletions. [default: 1,2]",
)
@option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="INTEGER",
    group=DATA,
    help="Largest number of genotypes, drawn at random and shared by the numbers of deletions. [default: all]",
)
@option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="INTEGER",
    default=0,
    group=DATA,
    help="Seed of the random sample. [default: 0]",
)
@option(
    "--out",
    type=options.FILE,
    required=True,
    group=OUTPUT,
    help="Genotype table to write (.tsv, .csv; .gz to compress).",
)
@options.as_json
@options.overwrite
@options.verbose
def command(
    model: Path,
    objective: str | None,
    orders: tuple[int, ...],
    sample: int | None,
    seed: int,
    out: Path,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Compute fitness and gene interactions of deletions by flux balance analysis.

    Fitness is the growth rate divided by that of the wild type. The interaction of two genes is f_ij - f_i f_j; that of
    three or more is the part of their fitness that smaller sets of them do not explain. With --sample, every number of
    deletions gets an equal share of the genotypes, from the lowest up; what single deletions leave goes to the others.
    """
    from dglcell.fba import deletions
    from dglcell.io import table_writer
    from dglcell.io.atomic import refuse_existing

    refuse_existing(out, overwrite)
    with console.counter("genotypes") as progress:
        screen = deletions.simulate(
            model, orders=orders, sample=sample, seed=seed, progress=progress, objective=objective
        )
    table_writer.write_screen(out, screen, overwrite)
    if as_json:
        console.result({"out": str(out), "genotypes": len(screen), "report": screen.report})
        return
    console.table(("item", "value"), [*screen.report.items(), ("written", f"{len(screen):,} genotypes to {out}")])
