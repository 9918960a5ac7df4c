"""`dglcell evaluate`: a trained run compared with baselines on held-out genotypes of the same split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dglcell import schema
from dglcell.cli import console, options
from dglcell.cli.help import argument, option
from dglcell.cli.settings import setting_option
from dglcell.config import TrainConfig
from dglcell.config.settings import DATA
from dglcell.errors import UsageError, setting


@click.command(cls=options.ManyFiles)
@argument("run", type=options.FOLDER, help="Run folder that `dglcell train` wrote.")
@option(
    "--subset",
    type=click.Choice(schema.SUBSETS),
    default="test",
    group=DATA,
    help="Subset of the run's screen to score. [default: test]",
)
@option(
    "--cell",
    type=options.FILE,
    group=DATA,
    help="Cell graph that holds the screen of the run, if the run or the file was moved.",
)
@option(
    "--screen", multiple=True, type=options.FILE, group=DATA, help="Screens to score instead of the one of the run."
)
@setting_option(TrainConfig, "unknown_genes")
@setting_option(TrainConfig, "matrix", default=None)
@setting_option(TrainConfig, "condition")
@setting_option(TrainConfig, "columns")
@option(
    "--baselines",
    default="default",
    metavar="default|all|quick|none|NAME,..",
    group=DATA,
    help="Baselines to compare with. default: those that take at most minutes. quick: those that take seconds. "
    "[default: default]",
)
@setting_option(TrainConfig, "device")
@setting_option(TrainConfig, "engine")
@options.as_json
@options.verbose
def command(
    run: Path,
    subset: str,
    cell: Path | None,
    screen: tuple[Path, ...],
    unknown_genes: str,
    matrix: str | None,
    condition: str | None,
    columns: tuple[str, ...],
    baselines: str,
    device: str,
    engine: str,
    as_json: bool,
) -> None:
    """Compare a trained run with baselines on held-out genotypes.

    Baselines are fitted on the training rows of the run. Reports are written to RUN/evaluation as TSV and JSON, plots
    to RUN/plots; an earlier evaluation of the same subset is replaced. Screens are read as that of the run was, unless
    --columns, --matrix or --condition say otherwise.
    """
    from dglcell.evaluation import report as reports
    from dglcell.io.run_folder import RunFolder

    RunFolder(run).require()
    from dglcell.baselines import select
    from dglcell.evaluation.evaluate import evaluate
    from dglcell.inference.run import load_run

    select(baselines, 0)  # refuses a wrong name before the run is loaded
    given: dict[str, Any] = {"matrix": matrix, "condition": condition, "columns": columns}
    layout = {name: value for name, value in given.items() if value}
    if layout and not screen:
        raise UsageError(f"{', '.join(map(setting, layout))}: no screen to read - add {setting('screen')}")
    trained = load_run(run, device=device, engine=engine)
    folder = trained.folder
    report = evaluate(
        trained,
        subset,
        screen or None,
        names=baselines,
        draw=folder.plots,
        say=console.say,
        cell=cell,
        unknown_genes=unknown_genes,
        **layout,
    )
    written = reports.save(report, folder.evaluation)
    if as_json:
        console.result(report)
    else:
        title = f"{reports.subset_of(report)}: {folder.path}"
        columns = ("model", "rows", "label", "n", "Pearson", "Spearman", "MSE", "MAE")
        console.table(columns, reports.tidy(report), title=title)
    for path in (*written, *sorted(folder.plots.glob(f"{reports.subset_of(report)}_*.png"))):
        console.say(f"wrote {path}")
