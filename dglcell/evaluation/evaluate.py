"""Compare a trained run with baselines on the same held-out genotypes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell import baselines, schema
from dglcell.errors import DataError, DglcellError, UsageError, setting, warn
from dglcell.evaluation import report as reports
from dglcell.evaluation.run_screen import Say, read_screens, run_screen
from dglcell.genotypes.splits.make import SUBSETS, TRAIN, VAL, Split
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.inference.run import Run
from dglcell.plots import comparison, figures
from dglcell.training.metrics import by_order

SCREEN = "screen"
# Failures of a single baseline, from numerics or lack of memory; PyTorch reports the latter as RuntimeError.
_FAILURES = (DglcellError, ArithmeticError, np.linalg.LinAlgError, MemoryError, RuntimeError)


def evaluate(
    run: Run,
    subset: str = "test",
    screen: Sequence[Path | str] | GenotypeTable | None = None,
    table: GenotypeTable | None = None,
    names: str | Sequence[str] = baselines.QUICK,
    draw: Path | None = None,
    say: Say = lambda message: None,
    cell: Path | str | None = None,
    baseline_scores: Mapping[str, Any] | None = None,
    unknown_genes: str = "few",
    **layout: Any,
) -> dict[str, Any]:
    """Metrics of a run and of baselines that were fitted to its training rows.

    Parameters
    ----------
    run : Run
    subset : str
        `train`, `val` or `test`: rows of the run's own screen.
    screen : sequence of Path or GenotypeTable, optional
        Other screens to score instead, under the key `screen`. Genotypes that the run was trained or validated on are
        left out.
    table : GenotypeTable, optional
        The run's own screen, if it is in memory; without it, `run_screen` looks for it.
    names : str or sequence of str
        Names of baselines, from `baselines.NAMES`; or a text for `baselines.select`.
    draw : Path, optional
        Folder for the plots: predicted against measured, Pearson correlation of the run and the baselines, the same by
        number of deletions.
    say : callable
        Receives progress messages of one line: what is computed, and the time that a baseline took.
    cell : Path, optional
        The cell file that holds the run's own screen.
    baseline_scores : mapping, optional
        Result of `score_baselines` for the same rows; `names` are not fitted then.
    unknown_genes : str
        What to do with rows of other screens with a gene that the graph lacks: see `ScreenRules`.
    **layout
        `columns`, `matrix` and `condition` of `ScreenRules` for other screens, if they differ from those of the run.

    Returns
    -------
    dict
        `{subset: {"all" | "order_k": {label: metrics}}, "baselines": {name: {"all" | "order_k": ..}}}`, metrics as in
        `metrics.compare`; an undefined number is None. An ensemble also has `"members": [{"all" | "order_k": ..}, ..]`,
        the metrics of each model; failed baselines are in `"failed": {name: reason}`, with a warning for each.

    Raises
    ------
    DataError
        The run's screen was not found, or no row of the subset has a label.
    FingerprintError
        The screen is not the one that the run was trained on.
    """
    if subset not in SUBSETS:
        raise UsageError(f"{setting('subset')} {subset} - one of {', '.join(SUBSETS)} was expected")
    own, split = run_screen(run, table, cell, say)
    rows = split.rows("train")
    names = baselines.select(names, len(rows)) if isinstance(names, str) else tuple(names)
    for name in names:
        baselines.make(name)  # refuses an unknown name before any work
    if screen is not None:
        subset, source = SCREEN, "the other screen"
        scored = _unseen(_other(run, screen, say, unknown_genes=unknown_genes, **layout), own, split, say)
    else:
        scored, source = own.take(split.rows(subset)), f"the {subset} subset"
    scored = scored.take(np.flatnonzero(scored.usable()))
    if not len(scored):
        raise DataError(f"{source} has no row with {' or '.join(schema.LABELS)} - there is nothing to compare")
    say(f"scoring {len(scored):,} genotypes of {source}")
    members = run.predict_members(scored.genes, scored.ptr)
    result: dict[str, Any] = {subset: by_order(members.mean(axis=0), scored.targets, scored.orders)}
    if len(members) > 1:
        result[reports.MEMBERS] = [by_order(member, scored.targets, scored.orders) for member in members]
    result |= baseline_scores or score_baselines(run.cell, own, rows, scored, names, run.config.seed, say)
    if draw is not None:
        _draw(Path(draw), subset, members, scored, result)
    return result


def score_baselines(
    cell: CellGraph,
    table: GenotypeTable,
    rows: NDArray[np.int64],
    scored: GenotypeTable,
    names: Sequence[str],
    seed: int,
    say: Say = lambda message: None,
) -> dict[str, Any]:
    """Fit baselines and compute their metrics; a baseline that fails gives a warning and does not stop the others.

    Parameters
    ----------
    cell : CellGraph
    table : GenotypeTable
    rows : array
        Training rows of `table`.
    scored : GenotypeTable
        The genotypes to score.
    names : sequence of str
        Names from `baselines.NAMES`.
    seed : int
    say : callable
        Receives progress messages of one line: what is computed, and the time that it took.

    Returns
    -------
    dict
        `baselines`, and `failed` if any of them failed, as in the result of `evaluate`.
    """
    scores: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        say(f"fitting baseline {number} of {len(names)}, {name}, to {len(rows):,} training rows")
        start_time = time.perf_counter()
        try:
            predicted = baselines.make(name).fit(cell, table, rows, seed).predict(scored)
        except _FAILURES as error:
            kind = "" if isinstance(error, DglcellError) else type(error).__name__
            failed[name] = ": ".join(filter(None, (kind, " ".join(str(error).split()))))
            warn(f"the baseline {name} failed and is left out of the report: {failed[name]}")
            continue
        scores[name] = by_order(predicted, scored.targets, scored.orders)
        say(f"{name} took {time.perf_counter() - start_time:.1f} s")
    return {reports.BASELINES: scores, **({reports.FAILED: failed} if failed else {})}


def _other(run: Run, screen: Sequence[Path | str] | GenotypeTable, say: Say, **rules: Any) -> GenotypeTable:
    if isinstance(screen, GenotypeTable):
        screen.require_cell(run.cell)
        return screen
    return read_screens(run, [Path(p) for p in screen], say, **rules)


def _unseen(scored: GenotypeTable, own: GenotypeTable, split: Split, say: Say) -> GenotypeTable:
    """Leave out the genotypes that the run was trained or validated on."""
    own_keys, keys = own.joint_keys(scored)
    seen = np.isin(keys, own_keys[np.isin(split.subset, (TRAIN, VAL))])
    if seen.any():
        say(f"{seen.sum():,} of {len(scored):,} rows are left out: the run was trained or validated on their genotypes")
    return scored.take(np.flatnonzero(~seen))


def _draw(
    folder: Path, subset: str, members: NDArray[np.float32], scored: GenotypeTable, report: dict[str, Any]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    predicted = members.mean(axis=0)
    for column, label in enumerate(schema.LABELS):
        path, metrics = folder / f"{subset}_{label}.png", report[subset]["all"][label]
        calibration = folder / f"{subset}_{label}_calibration.png"
        for earlier in (path, calibration):
            earlier.unlink(missing_ok=True)
        if not metrics["n"]:
            continue
        measured = scored.targets[:, column]
        figures.predicted_against_measured(predicted[:, column], measured, label, path, subset, metrics["pearson"])
        if len(members) > 1:
            sd = members[:, :, column].std(axis=0, ddof=1)
            figures.calibration(predicted[:, column], sd, measured, label, calibration, subset)
    comparison.pearson_bars(reports.scores_of(report), folder / f"{subset}_baselines.png", subset)
    comparison.pearson_by_order(reports.scores_of(report), folder / f"{subset}_by_order.png", subset)
