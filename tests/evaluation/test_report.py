"""Reports: the tidy table holds every number of the document, and both files read back as they were written."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from dglcell.evaluation import report as reports
from dglcell.training.metrics import by_order


@pytest.fixture
def report() -> dict:
    rng = np.random.default_rng(0)
    orders = np.repeat([1, 2, 3], 20)
    measured = rng.normal(size=(60, 2))
    measured[orders == 1, 1] = np.nan
    guess, constant = measured + rng.normal(size=(60, 2)), np.zeros((60, 2))
    return {"val": by_order(guess, measured, orders), "baselines": {"mean": by_order(constant, measured, orders)}}


def test_tidy_rows_are_the_numbers_of_the_report(report: dict) -> None:
    rows = [dict(zip(reports.COLUMNS, row, strict=True)) for row in reports.tidy(report)]
    assert [(r["rows"], r["label"], r["model"]) for r in rows[:4]] == [
        ("all", "fitness", "dglcell"),
        ("all", "fitness", "mean"),
        ("all", "gene_interaction", "dglcell"),
        ("all", "gene_interaction", "mean"),
    ]
    assert len(rows) == 2 * (4 + 3)  # no interaction of single deletions
    for row in rows:
        scores = report["val"] if row["model"] == "dglcell" else report["baselines"][row["model"]]
        assert {k: row[k] for k in ("n", "pearson", "spearman", "mse", "mae")} == scores[row["rows"]][row["label"]]


def test_both_files_read_back_and_replace_older_ones(report: dict, tmp_path: Path) -> None:
    for _ in range(2):
        table, document = reports.save(report, tmp_path / "evaluation")
    assert (table.name, document.name) == ("val.tsv", "val.json")
    assert sorted(p.name for p in table.parent.iterdir()) == ["val.json", "val.tsv"]
    assert json.loads(document.read_text()) == report
    with table.open(newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    assert tuple(rows[0]) == reports.COLUMNS
    for row, expected in zip(rows, reports.tidy(report), strict=True):
        found = [row[c] if c in reports.COLUMNS[:3] else float(row[c]) if row[c] else None for c in reports.COLUMNS]
        assert tuple(found) == expected
    assert [row["pearson"] for row in rows if row["model"] == "mean"] == [""] * 7


def test_a_failed_baseline_is_a_row_with_its_reason(report: dict, tmp_path: Path) -> None:
    before = reports.tidy(report)
    report = {**report, reports.FAILED: {"gene-ridge": "no room"}}
    assert reports.subset_of(report) == "val" and "gene-ridge" not in reports.scores_of(report)
    assert reports.tidy(report) == [*before, ("gene-ridge", "failed", "no room", *[None] * 5)]
    table, document = reports.save(report, tmp_path)
    assert table.read_text().splitlines()[-1] == "gene-ridge\tfailed\tno room\t\t\t\t\t"
    assert json.loads(document.read_text()) == report
