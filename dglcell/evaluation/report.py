"""The report of an evaluation as a tidy table, and as files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dglcell.io.atomic import write_text
from dglcell.io.table_writer import write_table

MODEL = "dglcell"
BASELINES = "baselines"
MEMBERS = "members"
FAILED = "failed"
_METRICS = ("n", "pearson", "spearman", "mse", "mae")
COLUMNS = ("model", "rows", "label", *_METRICS)

Report = Mapping[str, Any]


def subset_of(report: Report) -> str:
    """The name of the scored rows: `test`, `val`, `train` or `screen`."""
    return next(name for name in report if name not in (BASELINES, MEMBERS, FAILED))


def scores_of(report: Report, members: bool = False) -> dict[str, Any]:
    """`{model: {"all" | "order_k": {label: metrics}}}` of dglcell, on request its ensemble members, and baselines."""
    alone = report.get(MEMBERS, []) if members else []
    each = {f"{MODEL}, model {k}": score for k, score in enumerate(alone, 1)}
    return {MODEL: report[subset_of(report)], **each, **report[BASELINES]}


def tidy(report: Report) -> list[tuple[Any, ...]]:
    """One row for each model, group of genotypes and label: `COLUMNS`, None where a metric is undefined.

    The groups are `all` and `order_k`, the genotypes with k deletions; labels without a genotype in a group are left
    out. Failed baselines come last, with `failed` in the column `rows` and the reason in the column `label`.
    """
    scores = scores_of(report, members=True)
    table: list[tuple[Any, ...]] = []
    for rows, labels in scores[MODEL].items():
        for label in labels:
            for model, score in scores.items():
                metrics = score[rows][label]
                if metrics["n"]:
                    table.append((model, rows, label, *(metrics[name] for name in _METRICS)))
    failed: Mapping[str, str] = report.get(FAILED, {})
    return table + [(model, FAILED, reason, *[None] * len(_METRICS)) for model, reason in failed.items()]


def save(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write a report as `{subset}.tsv`, its tidy rows with undefined numbers blank, and as `{subset}.json`.

    Parameters
    ----------
    report : dict
        As `dglcell.evaluation.evaluate.evaluate` returns it.
    folder : Path
        Created if it does not exist; earlier reports on the same subset are replaced.

    Returns
    -------
    tuple of Path
        The files.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    table, document = (folder / f"{subset_of(report)}.{suffix}" for suffix in ("tsv", "json"))
    write_table(table, COLUMNS, ([("" if v is None else str(v)) for v in row] for row in tidy(report)))
    write_text(document, json.dumps(report, indent=2, allow_nan=False) + "\n")
    return table, document
