"""A trained run beside its baselines, on the same held-out genotypes.

Finds the screen and the split that a run was trained with, and refuses others. Knows no command line.
"""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell import baselines, schema
from dglcell.errors import DataError, DglcellError, FingerprintError, UsageError, setting
from dglcell.evaluation import report as reports
from dglcell.genotypes.splits.make import SUBSETS, TRAIN, VAL, Split, check_leakage
from dglcell.genotypes.table import GenotypeTable
from dglcell.inference.run import Run
from dglcell.io import cell_file
from dglcell.plots import comparison, figures
from dglcell.training.metrics import by_order

SCREEN = "screen"
# What numbers and memory can do to a baseline; PyTorch says that memory is short by RuntimeError.
_FAILURES = (DglcellError, ArithmeticError, np.linalg.LinAlgError, MemoryError, RuntimeError)


def evaluate(
    run: Run,
    split: str = "test",
    screen: Sequence[Path | str] | GenotypeTable | None = None,
    table: GenotypeTable | None = None,
    names: str | Sequence[str] = baselines.QUICK,
    draw: Path | None = None,
    say: Callable[[str], None] = lambda message: None,
) -> dict[str, Any]:
    """Metrics of a run and of baselines that learnt from its training rows.

    Parameters
    ----------
    run : Run
    split : str
        `train`, `val` or `test`: rows of the run's own screen.
    screen : sequence of Path or GenotypeTable, optional
        Other screens to score instead; the result's key is then `screen`. Rows with a gene that the graph lacks are
        left out, and genotypes that the run was trained or validated on.
    table : GenotypeTable, optional
        The run's own screen, where it is at hand; else it is read from where the run found it.
    names : str or sequence of str
        Baselines, of `baselines.NAMES`; or a text as `baselines.select` reads it.
    draw : Path, optional
        Folder for the plots: predicted against measured, Pearson beside the baselines, Pearson by order.
    say : callable
        Hears, in one line each, what is done and how long a baseline took.

    Returns
    -------
    dict
        `{split: {"all" | "order_k": {label: metrics}}, "baselines": {name: {"all" | "order_k": ..}}}`, metrics as in
        `metrics.compare`; an undefined number is None. Of an ensemble also `"members": [{"all" | "order_k": ..}, ..]`,
        each model alone; of baselines that failed `"failed": {name: reason}`, with a warning for each.

    Raises
    ------
    DataError
        The run's screen is not where it was, or nothing of the part is labelled.
    FingerprintError
        The screen is not the one that the run was trained on.
    """
    if split not in SUBSETS:
        raise UsageError(f"{setting('subset')} {split} - one of {', '.join(SUBSETS)} was expected")
    own, parts = run_screen(run, table)
    rows = parts.rows("train")
    chosen = baselines.select(names, len(rows)) if isinstance(names, str) else tuple(names)
    for name in chosen:
        baselines.make(name)  # a name that is none is refused before any work
    if screen is not None:
        split, scored = SCREEN, _unseen(_other(run, screen, say), own, parts, say)
    else:
        scored = own.take(parts.rows(split))
    scored = scored.take(np.flatnonzero(scored.usable()))
    if not len(scored):
        raise DataError(f"the {split} part has no row with {' or '.join(schema.LABELS)} - there is nothing to compare")
    say(f"scoring {len(scored):,} genotypes of the {split} part")
    members = run.predict_members(scored.genes, scored.ptr)
    result: dict[str, Any] = {split: by_order(members.mean(axis=0), scored.targets, scored.orders)}
    if len(members) > 1:
        result[reports.MEMBERS] = [by_order(member, scored.targets, scored.orders) for member in members]
    result |= _baselines(run, own, rows, scored, chosen, say)
    if draw is not None:
        _draw(Path(draw), split, members, scored, result)
    return result


def _baselines(
    run: Run,
    own: GenotypeTable,
    rows: NDArray[np.int64],
    scored: GenotypeTable,
    names: Sequence[str],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The report's `baselines` and, where there are any, those that `failed`: minutes of the others are not lost."""
    scores: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        say(f"fitting baseline {number} of {len(names)}, {name}, to {len(rows):,} training rows")
        started = time.perf_counter()
        try:
            predicted = baselines.make(name).fit(run.cell, own, rows, run.config.seed).predict(scored)
        except _FAILURES as error:
            named = "" if isinstance(error, DglcellError) else type(error).__name__
            failed[name] = ": ".join(filter(None, (named, " ".join(str(error).split()))))
            warnings.warn(f"the baseline {name} failed, the report goes without it: {failed[name]}", stacklevel=3)
            continue
        scores[name] = by_order(predicted, scored.targets, scored.orders)
        say(f"{name} took {time.perf_counter() - started:.1f} s")
    return {reports.BASELINES: scores, **({reports.FAILED: failed} if failed else {})}


def run_screen(run: Run, table: GenotypeTable | None = None) -> tuple[GenotypeTable, Split]:
    """The screen that a run was trained on and its split.

    Parameters
    ----------
    run : Run
    table : GenotypeTable, optional
        A table to check instead of reading the files again.

    Raises
    ------
    DataError
        A file is not where it was, or the split does not keep the promise of its kind.
    FingerprintError
        The content differs from what the run was trained on.
    """
    split, fingerprint = run.folder.read_split()
    named = run.metadata[SCREEN]
    table = run.screen if table is None else table
    if table is None:
        table = _stored(Path(named["cell"])) if named["cell"] else _read(run, [Path(f["path"]) for f in named["files"]])
    for found in (fingerprint, named["fingerprint"]):
        if table.fingerprint != found:
            raise FingerprintError(
                f"the run {run.folder.path} was trained on a screen with fingerprint {found}, this one has "
                f"{table.fingerprint} - put the screen back as it was"
            )
    check_leakage(table, split)
    return table, split


def _stored(path: Path) -> GenotypeTable:
    table = cell_file.load_screen(path)
    if table is None:
        raise DataError(f"{path} holds no screen any more - the screen that the run was trained on was expected there")
    return table


def _read(run: Run, paths: Sequence[Path], say: Callable[[str], None] = lambda message: None) -> GenotypeTable:
    from dglcell.genotypes.merge import merge_screens, report_lines

    if not paths:
        raise DataError(f"the run {run.folder.path} does not say where its screen is - train again")
    table, report = merge_screens(run.cell, paths, dataclasses.replace(run.config, unknown_genes="skip"))
    for line in report_lines(report):
        say(line)
    return table


def _other(run: Run, screen: Sequence[Path | str] | GenotypeTable, say: Callable[[str], None]) -> GenotypeTable:
    if isinstance(screen, GenotypeTable):
        screen.require_cell(run.cell)
        return screen
    return _read(run, [Path(p) for p in screen], say)


def _unseen(scored: GenotypeTable, own: GenotypeTable, parts: Split, say: Callable[[str], None]) -> GenotypeTable:
    """Leave out the gene sets that the run has learnt from, or chosen its weights by."""
    own_keys, keys = own.joint_keys(scored)
    known = np.isin(keys, own_keys[np.isin(parts.subset, (TRAIN, VAL))])
    if known.any():
        say(
            f"{known.sum():,} of {len(scored):,} rows are left out: the run was trained or validated on their genotypes"
        )
    return scored.take(np.flatnonzero(~known))


def _draw(
    folder: Path, split: str, members: NDArray[np.float32], scored: GenotypeTable, report: dict[str, Any]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    predicted = members.mean(axis=0)
    for column, label in enumerate(schema.LABELS):
        path, metrics = folder / f"{split}_{label}.png", report[split]["all"][label]
        calibration = folder / f"{split}_{label}_calibration.png"
        for earlier in (path, calibration):
            earlier.unlink(missing_ok=True)
        if not metrics["n"]:
            continue
        measured = scored.targets[:, column]
        figures.predicted_against_measured(predicted[:, column], measured, label, path, split, metrics["pearson"])
        if len(members) > 1:
            sd = members[:, :, column].std(axis=0, ddof=1)
            figures.calibration(predicted[:, column], sd, measured, label, calibration, split)
    comparison.pearson_bars(reports.scores_of(report), folder / f"{split}_baselines.png", split)
    comparison.pearson_by_order(reports.scores_of(report), folder / f"{split}_by_order.png", split)
