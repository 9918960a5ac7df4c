"""`dglcell predict`: fitness and interactions of the genotypes of a table, from a trained run."""

from __future__ import annotations

import time
from pathlib import Path

import click

from dglcell.cli import console, options
from dglcell.cli.help import Command, argument, option
from dglcell.cli.settings import setting_option
from dglcell.config import TrainConfig
from dglcell.config.settings import COMPUTE, DATA, OUTPUT
from dglcell.errors import number_of


@click.command(cls=Command)
@argument("run", type=options.FOLDER, help="Run folder that `dglcell train` wrote.")
@argument(
    "table",
    type=options.FILE,
    help="Genotypes: a table in any layout of a screen (labels are not needed), or one on each line.",
)
@setting_option(TrainConfig, "batch_size", default=1024, group=COMPUTE, help="Number of genotypes to score at a time.")
@option(
    "--unknown-genes",
    type=click.Choice(("skip", "error")),
    default="skip",
    group=DATA,
    help="What to do with genes that are not in the cell graph. skip: leave the predictions of their rows blank, with "
    "a warning. error: stop. [default: skip]",
)
@setting_option(
    TrainConfig,
    "columns",
    default=(),
    help="Columns of a table in no known layout, by name or by number from 1: genes=COLUMN (all in one cell), or "
    "gene_1=COLUMN,gene_2=COLUMN.",
    example="gene_1=ORF_A,gene_2=ORF_B",
)
@setting_option(TrainConfig, "device")
@setting_option(TrainConfig, "engine")
@option("--out", type=options.FILE, required=True, group=OUTPUT, help="Table to write (.tsv, .csv; .gz to compress).")
@options.as_json
@options.overwrite
@options.verbose
def command(
    run: Path,
    table: Path,
    batch_size: int,
    unknown_genes: str,
    columns: tuple[str, ...],
    device: str,
    engine: str,
    out: Path,
    as_json: bool,
    overwrite: bool,
) -> None:
    """Predict the fitness and gene interactions of genotypes with a trained run.

    The output repeats the columns of the table and adds pred_fitness and pred_gene_interaction. The latter is blank for
    fewer than two deletions.
    """
    from dglcell.io.atomic import refuse_existing
    from dglcell.io.run_folder import RunFolder
    from dglcell.readers.screens.read import read_rows
    from dglcell.readers.tables.column_map import check_used, parse_maps

    RunFolder(run).require()
    refuse_existing(out, overwrite)
    from dglcell.inference.predict_table import predict_table
    from dglcell.inference.run import load_run

    loaded = load_run(run, device=device, engine=engine)
    maps = parse_maps(columns)
    rows = read_rows(table, maps, loaded.cell.has_gene)
    check_used(maps)
    console.say(
        f"scoring {number_of(len(rows), 'genotype')} on {loaded.engine.device} with the engine {loaded.engine.name}"
    )
    started = time.perf_counter()
    report = predict_table(loaded, rows, out, batch_size, unknown_genes, overwrite)
    seconds = time.perf_counter() - started
    if as_json:
        console.result({"out": str(out), **report, "seconds": seconds})
        return
    rate = report["predicted"] / seconds
    console.say(
        f"wrote {number_of(report['predicted'], 'prediction')} to {out} ({seconds:.1f} s, {rate:,.0f} genotypes/s)"
    )
