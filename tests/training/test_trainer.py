"""A model in training: the score that chooses its weights is the mean correlation over the labels that are learnt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dglcell import schema
from dglcell.inference.run import load_run
from tests.runs import tiny_run

BOTH, FITNESS, INTERACTION = {"fitness": 1.0, "gene_interaction": 1.0}, {"fitness": 1.0}, {"gene_interaction": 1.0}

pytestmark = pytest.mark.usefixtures("no_plots")


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("weights", "labels"),
    [(BOTH, schema.LABELS), (FITNESS, [schema.FITNESS]), (INTERACTION, [schema.INTERACTION])],
    ids=["both", "fitness alone", "interaction alone"],
)
def test_the_score_is_the_mean_correlation_of_the_labels_that_are_learnt(
    tmp_path: Path, weights: dict[str, float], labels: list[str]
) -> None:
    tiny_run(tmp_path / "run", label_weights=weights)
    for record in records(tmp_path / "run"):
        pearson = {label: record["val"][label]["pearson"] for label in schema.LABELS}
        assert abs(pearson[schema.FITNESS] - pearson[schema.INTERACTION]) > 1e-3
        assert record["score"] == pytest.approx(np.mean([pearson[label] for label in labels]), abs=1e-9)


def test_the_correlations_are_those_of_the_validation_rows(tmp_path: Path) -> None:
    _, table, split, summary = tiny_run(tmp_path / "run", epochs=1)
    rows = split.rows("val")
    part = table.take(rows)
    predicted = load_run(tmp_path / "run").predict_rows(part.genes, part.ptr)
    for column, label in enumerate(schema.LABELS):
        both = np.isfinite(part.targets[:, column]) & np.isfinite(predicted[:, column])
        expected = np.corrcoef(predicted[both, column], part.targets[both, column])[0, 1]
        assert summary.validation[label]["n"] == both.sum() > 5
        assert summary.validation[label]["pearson"] == pytest.approx(expected, abs=1e-5)
