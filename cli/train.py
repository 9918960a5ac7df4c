"""`dglcell train`: a run folder with a model that is trained on a cell graph and a screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dglcell.cli import console, options
from dglcell.cli.help import argument, option
from dglcell.cli.settings import configuration, setting_options
from dglcell.config import TrainConfig
from dglcell.config.settings import DATA, OUTPUT

if TYPE_CHECKING:
    from dglcell.genotypes.table import GenotypeTable
    from dglcell.graph.cell import CellGraph


@click.command(cls=options.ManyFiles)
@argument("cell", type=options.FILE, help="Cell graph that `dglcell preprocess` wrote.")
@setting_options(TrainConfig)
@option(
    "--config",
    metavar="RECIPE|FILE",
    group=DATA,
    help="Settings: a recipe that comes with dglcell, such as costanzo2010, or a TOML file. Options override them.",
)
@option("--out", type=options.FOLDER, required=True, group=OUTPUT, help="Run folder to write.")
@option("--resume", is_flag=True, group=OUTPUT, help="Continue the run in --out after its last finished epoch.")
@options.as_json
@options.overwrite
@options.verbose
def command(
    cell: Path,
    config: str | None,
    resume: bool,
    out: Path,
    as_json: bool,
    overwrite: bool,
    **values: Any,
) -> None:
    """Train a model on a cell graph and a screen.

    The run folder holds the weights, the settings, the metrics of every epoch and plots. Settings come from the
    defaults, then from --config, then from options.
    """
    from dglcell.io import cell_file

    settings = configuration(values, config)  # before a large graph is read
    graph, stored = (cell_file.load(cell), None) if settings.screen else cell_file.load_both(cell)
    table, screen_file = _screen(graph, cell, stored, settings)
    from dglcell.cli.display import display
    from dglcell.genotypes.splits.make import split_from_config
    from dglcell.training.loop import train

    split = split_from_config(table, graph, settings.validate())
    with display() as progress:
        summaries = train(graph, table, split, settings, out, progress, resume, overwrite, screen_file)
    if as_json:
        members = [_document(summary) for summary in summaries]
        console.result({"out": str(out), **(members[0] if len(members) == 1 else {"members": members})})
        return
    names = [f"model {k}" for k in range(1, len(summaries) + 1)] if len(summaries) > 1 else ["value"]
    columns = [dict(_rows(summary)) for summary in summaries]
    console.table(("run", *names), [(key, *(column.get(key) for column in columns)) for key in columns[0]])
    console.say(f"next: dglcell evaluate {out}")


def _screen(
    graph: CellGraph, cell: Path, stored: GenotypeTable | None, settings: TrainConfig
) -> tuple[GenotypeTable, Path | None]:
    """The screen to train on, and the cell file that holds it, if any."""
    from dglcell.errors import DataError, UsageError, setting
    from dglcell.genotypes.merge import merge_screens, report_lines

    if settings.screen:
        table, report = merge_screens(graph, [Path(p) for p in settings.screen], settings)
        for line in report_lines(report):
            console.say(line)
        screen_file = None
    else:
        if rules := ", ".join(setting(name) for name in settings.rules()):
            raise UsageError(
                f"{rules} without {setting('screen')}: the screen in {cell} was read by preprocess - give {rules} there"
            )
        if stored is None:
            raise UsageError(f"{cell} holds no screen - give {setting('screen')}, here or to preprocess")
        table, screen_file = stored, cell
    if not table.usable().any():
        raise DataError("the screen has no row with fitness or gene_interaction - at least one was expected")
    return table, screen_file


def _document(summary: Any) -> dict[str, Any]:
    names = ("reason", "epochs", "steps", "best_epoch", "validation", "seconds")
    return {name: getattr(summary, name) for name in names}


def _rows(summary: Any) -> list[tuple[str, Any]]:
    rows = [
        ("stopped by", summary.reason),
        ("epochs", summary.epochs),
        ("steps", summary.steps),
        ("best epoch", summary.best_epoch),
    ]
    for label, metrics in summary.validation.items():
        if isinstance(metrics, dict) and metrics["n"]:
            rows.append((f"validation Pearson, {label}", metrics["pearson"]))
    return [*rows, ("seconds", summary.seconds)]
