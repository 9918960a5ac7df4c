"""Metrics against their definitions, and what is undefined."""

from __future__ import annotations

import numpy as np
import pytest

from dglcell.training.metrics import by_order, compare, pearson


def test_metrics_are_those_of_their_definitions_over_the_rows_that_are_there() -> None:
    rng = np.random.default_rng(0)
    measured = rng.normal(size=50).round(1)
    predicted = (measured + rng.normal(size=50)).round(1)  # ties on both sides
    measured[3] = np.nan
    rows = ~np.isnan(measured)
    found = compare(predicted, measured)
    p, m = predicted[rows], measured[rows]
    assert found == pytest.approx(
        {
            "pearson": np.corrcoef(p, m)[0, 1],
            "spearman": np.corrcoef(_mean_ranks(p), _mean_ranks(m))[0, 1],
            "mse": np.mean((p - m) ** 2),
            "mae": np.mean(abs(p - m)),
            "n": 49,
        }
    )


def _mean_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, ties at the mean of theirs."""
    below, equal = (values[:, None] > values).sum(1), (values[:, None] == values).sum(1)
    return below + (equal + 1) / 2


def test_what_is_undefined_is_none() -> None:
    empty = compare(np.array([np.nan]), np.array([1.0]))
    assert empty == {"pearson": None, "spearman": None, "mse": None, "mae": None, "n": 0}
    one = compare(np.array([1.0]), np.array([3.0]))
    assert (one["pearson"], one["mse"], one["n"]) == (None, 4.0, 1)


@pytest.mark.filterwarnings("error")
def test_a_constant_side_has_no_correlation_even_with_rounding_noise() -> None:
    rng = np.random.default_rng(1)
    constant = (0.7 + 1e-8 * rng.normal(size=40)).astype(np.float32)
    assert pearson(constant, rng.normal(size=40)) is None
    assert compare(constant, rng.normal(size=40))["spearman"] is None
    assert pearson(rng.normal(size=40), np.zeros(40)) is None


def test_metrics_are_split_by_order_of_deletion() -> None:
    rng = np.random.default_rng(2)
    predicted, measured = rng.normal(size=(2, 30, 2))
    orders = np.repeat([1, 2, 3], 10)
    measured[:10, 1] = np.nan
    found = by_order(predicted, measured, orders)
    assert list(found) == ["all", "order_1", "order_2", "order_3"]
    assert found["order_2"]["fitness"] == compare(predicted[10:20, 0], measured[10:20, 0])
    assert found["order_1"]["gene_interaction"]["n"] == 0
    assert found["all"]["gene_interaction"]["n"] == 20
