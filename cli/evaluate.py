"""`dglcell evaluate`: a trained run on held-out genotypes, beside baselines fitted on the same split."""

from __future__ import annotations

from pathlib import Path

import click

from dglcell.cli import console, options
from dglcell.cli.settings import setting_option
from dglcell.config import TrainConfig


@click.command(cls=options.ManyFiles)
@click.argument("run", type=options.FOLDER)
@click.option(
    "--subset",
    type=click.Choice(["train", "val", "test"]),
    default="test",
    show_default=True,
    help="Subset of the run's screen to score.",
)
@click.option("--screen", multiple=True, type=options.FILE, help="Score these screens instead of the run's own.")
@click.option(
    "--baselines",
    default="default",
    show_default=True,
    metavar="default|all|quick|none|NAME,..",
    help="Baselines to fit; default: those that take minutes, quick: those that take seconds.",
)
@setting_option(TrainConfig, "device")
@setting_option(TrainConfig, "engine")
@options.as_json
@options.verbose
def command(
    run: Path, subset: str, screen: tuple[Path, ...], baselines: str, device: str, engine: str, as_json: bool
) -> None:
    """Score the trained RUN on held-out genotypes, beside baselines fitted on its training rows.

    The report goes into RUN/evaluation as TSV and JSON, plots go into RUN/plots. Those of an earlier evaluation of the
    same subset are replaced.
    """
    from dglcell.evaluation import report as reports
    from dglcell.io.run_folder import RunFolder

    RunFolder(run).require()
    from dglcell.baselines import select
    from dglcell.evaluation.evaluate import evaluate
    from dglcell.inference.run import load_run

    select(baselines, 0)  # a wrong name is said before any work
    loaded = load_run(run, device=device, engine=engine)
    folder = loaded.folder
    report = evaluate(loaded, subset, screen or None, names=baselines, draw=folder.plots, say=console.say)
    written = reports.save(report, folder.evaluation)
    if as_json:
        console.result(report)
    else:
        part = reports.subset_of(report)
        title = f"{part}: {folder.path}"
        columns = ("model", "rows", "label", "n", "Pearson", "Spearman", "MSE", "MAE")
        console.table(columns, reports.tidy(report), title=title)
    for path in (*written, *sorted(folder.plots.glob(f"{reports.subset_of(report)}_*.png"))):
        console.say(f"wrote {path}")
