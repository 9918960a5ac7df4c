"""The label distribution against scipy's density and a bisection of the full sum."""

from __future__ import annotations

import numpy as np
import pytest

from dglcell.training.distribution import LabelDistribution
from tests.reference import dense_losses as dense

SAMPLES = {
    "smooth": np.random.default_rng(0).normal(size=60),
    "repeated": np.repeat([-1.0, 0.0, 0.5], [3, 40, 7]),
    "two": np.array([0.0, 1.0]),
    "outlier": np.append(np.random.default_rng(1).normal(size=50), 400.0),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_quantiles_match_a_bisection_of_the_full_sum(name: str) -> None:
    distribution = LabelDistribution.fit(SAMPLES[name])
    assert distribution is not None
    # Where the density is almost 0 a quantile is ill-conditioned, so its level is compared too.
    found = distribution.quantiles(7)
    assert distribution.cdf(found) == pytest.approx((np.arange(7) + 0.5) / 7, abs=1e-11)
    assert found == pytest.approx(dense.kde_quantiles(7, SAMPLES[name]), abs=1e-9)


def test_density_is_that_of_scipy() -> None:
    from scipy.stats import gaussian_kde

    labels = SAMPLES["smooth"]
    distribution = LabelDistribution.fit(labels)
    assert distribution is not None
    kde = gaussian_kde(labels, "scott")
    x = np.linspace(-4, 4, 9)
    assert distribution.cdf(x) == pytest.approx([kde.integrate_box_1d(-np.inf, v) for v in x], abs=1e-12)


def test_missing_labels_do_not_count() -> None:
    gaps = np.insert(SAMPLES["smooth"], [0, 30], np.nan)
    with_gaps, without = LabelDistribution.fit(gaps), LabelDistribution.fit(SAMPLES["smooth"])
    assert with_gaps is not None and without is not None
    assert np.array_equal(with_gaps.quantiles(5), without.quantiles(5))


@pytest.mark.parametrize("labels", [np.array([]), np.array([np.nan]), np.full(9, 0.3)])
def test_fewer_than_two_distinct_labels_have_no_distribution(labels: np.ndarray) -> None:
    assert LabelDistribution.fit(labels) is None


@pytest.mark.parametrize("n", [1, 2, 256, 1000])
def test_quantiles_ascend_for_any_batch_size(n: int) -> None:
    distribution = LabelDistribution.fit(SAMPLES["repeated"])
    assert distribution is not None
    quantiles = distribution.quantiles(n)
    assert quantiles.shape == (n,)
    assert (np.diff(quantiles) >= 0).all()
