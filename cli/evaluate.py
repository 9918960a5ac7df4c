"""`dglcell evaluate`: a trained run on held-out genotypes, beside baselines fitted on the same split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dglcell.cli import console, options


@click.command(cls=options.ManyFiles)
@click.argument("run", type=options.FOLDER)
@click.option(
    "--split", type=click.Choice(["train", "val", "test"]), default="test", show_default=True, help="Part to score."
)
@click.option("--screen", multiple=True, type=options.FILE, help="Score these screens instead of a part of the run's.")
@options.device
@options.engine
@options.as_json
@options.verbose
def command(run: Path, split: str, screen: tuple[Path, ...], device: str, engine: str, as_json: bool) -> None:
    """Score the trained RUN on held-out genotypes, beside trivial baselines fitted on its training rows.

    Plots of predicted against measured values go into RUN/plots.
    """
    from dglcell.train.folder import RunFolder

    RunFolder(run).require()
    from dglcell.evaluate import evaluate
    from dglcell.predict import load_run

    loaded = load_run(run, device=device, engine=engine)
    console.say(f"scoring the {'screen' if screen else split} and fitting the baselines")
    report = evaluate(loaded, split, screen or None, draw=loaded.folder.plots)
    if as_json:
        console.result(report)
        return
    console.table(("who", "rows", "label", "n", "Pearson", "Spearman", "MSE", "MAE"), comparison(report))
    console.say(f"plots: {loaded.folder.plots}")


def comparison(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    """A report of `dglcell.evaluate` as rows: dglcell first, then the baselines, label by label."""
    part = next(name for name in report if name != "baselines")
    scores = {f"dglcell ({part})": report[part], **report["baselines"]}
    rows = []
    for group in report[part]:
        for label in report[part][group]:
            for who, score in scores.items():
                m = score[group][label]
                if m["n"]:
                    rows.append((who, group, label, m["n"], m["pearson"], m["spearman"], m["mse"], m["mae"]))
    return rows
