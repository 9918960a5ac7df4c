"""The report of an evaluation as a tidy table, and as files.

Knows the layout of `dglcell.evaluation.evaluate` alone: no models, no command line.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dglcell.io.atomic import write_text

MODEL = "dglcell"
BASELINES = "baselines"
MEMBERS = "members"
FAILED = "failed"
_METRICS = ("n", "pearson", "spearman", "mse", "mae")
COLUMNS = ("who", "group", "label", *_METRICS)

Report = Mapping[str, Any]


def part_of(report: Report) -> str:
    """What was scored: `test`, `val`, `train` or `screen`."""
    return next(name for name in report if name not in (BASELINES, MEMBERS, FAILED))


def scores_of(report: Report, members: bool = False) -> dict[str, Any]:
    """`{who: {"all" | "order_k": {label: metrics}}}`: the model, if asked for each of its ensemble, the baselines."""
    alone = report.get(MEMBERS, []) if members else []
    each = {f"{MODEL}, model {k}": score for k, score in enumerate(alone, 1)}
    return {MODEL: report[part_of(report)], **each, **report[BASELINES]}


def tidy(report: Report) -> list[tuple[Any, ...]]:
    """Rows of `COLUMNS`, by group, label and who; a label without rows in a group is left out, undefined is None.

    Baselines that failed come last, with `failed` for a group and the reason for a label.
    """
    scores = scores_of(report, members=True)
    found: list[tuple[Any, ...]] = []
    for group, labels in scores[MODEL].items():
        for label in labels:
            for who, score in scores.items():
                metrics = score[group][label]
                if metrics["n"]:
                    found.append((who, group, label, *(metrics[name] for name in _METRICS)))
    failed: Mapping[str, str] = report.get(FAILED, {})
    return found + [(who, FAILED, reason, *[None] * len(_METRICS)) for who, reason in failed.items()]


def save(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write a report as `{part}.tsv`, its tidy rows with undefined numbers blank, and as `{part}.json`, itself.

    Parameters
    ----------
    report : dict
        As `dglcell.evaluation.evaluate.evaluate` returns it.
    folder : Path
        Made if it is not there; earlier reports on the same part are replaced.

    Returns
    -------
    tuple of Path
        The files.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([("" if v is None else v) for v in row] for row in tidy(report))
    part = part_of(report)
    table, document = folder / f"{part}.tsv", folder / f"{part}.json"
    write_text(table, text.getvalue())
    write_text(document, json.dumps(report, indent=2, allow_nan=False) + "\n")
    return table, document
