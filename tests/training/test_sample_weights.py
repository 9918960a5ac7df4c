"""Values of a smaller standard deviation count more, within bounds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dglcell.config import TrainConfig
from dglcell.errors import UsageError
from dglcell.genotypes.splits.make import make_split
from dglcell.genotypes.table import GenotypeTable
from dglcell.training.loop import train
from dglcell.training.losses import Losses, mse
from dglcell.training.sample_weights import SampleWeights, deviations
from tests.cells import tiny_cell
from tests.runs import tiny_config, tiny_table

NAN = float("nan")


def table(fitness_std, score_std):
    cell = tiny_cell()
    labels = [[1.0, s, 0.1, NAN] for s in fitness_std]
    return GenotypeTable.of(
        cell, *cell.indices([("G001", "G002")] * len(labels)), labels, interaction_std=np.array(score_std)
    )


def test_weights_follow_the_formula_with_mean_one():
    screen, rows = table([0.1, 0.2, 0.3, NAN], [NAN] * 4), np.arange(4)
    weights = SampleWeights.fit(screen, rows)(deviations(screen, rows))
    raw = 1 / (np.array([0.1, 0.2, 0.3, 0.2]) ** 2 + 0.2**2)
    np.testing.assert_allclose(weights[:, 0], raw / raw.mean(), rtol=1e-6)
    assert weights[:, 1].tolist() == [1] * 4  # no sd of any interaction
    assert weights.dtype == np.float32


def test_an_sd_of_zero_counts_twice_the_median_and_no_more():
    screen, rows = table([0.1] * 3, [0.0, 0.1, 0.1]), np.arange(3)
    weights = SampleWeights.fit(screen, rows)(deviations(screen, rows))
    assert weights[0, 1] / weights[1, 1] == pytest.approx(2)


def test_training_rows_alone_decide():
    screen = table([0.1, 0.1, 5.0], [NAN] * 3)
    weights = SampleWeights.fit(screen, np.array([0, 1]))
    assert weights(deviations(screen, np.array([1])))[0, 0] == pytest.approx(1)


def test_without_standard_deviations_it_is_refused():
    with pytest.raises(UsageError, match="weight_by_sd: the training rows have no standard deviations"):
        SampleWeights.fit(table([NAN] * 2, [NAN] * 2), np.arange(2))


def test_the_squared_error_is_weighted():
    predictions = torch.tensor([[1.0, 0.0], [3.0, 2.0], [0.0, 0.0]])
    labels = torch.tensor([[0.0, NAN], [1.0, 1.0], [1.0, NAN]])
    weights = torch.tensor([[2.0, 9.0], [0.5, 3.0], [0.5, 9.0]])
    assert mse(predictions[:, 0], labels[:, 0], weights[:, 0]).item() == pytest.approx((2 + 2 + 0.5) / 3)

    class Output:
        z_w = z_i = z_p = squares = None

    Output.predictions = predictions
    total, _ = Losses(TrainConfig())(Output, labels, weights)
    assert total.item() == pytest.approx((1.5 + 3) / 2)


@pytest.mark.usefixtures("no_plots")
@pytest.mark.parametrize("column", [0, 1], ids=["fitness", "interaction"])
def test_a_run_weights_each_value_by_its_own_sd(tmp_path, monkeypatch, column):
    """What reaches the losses of an epoch is, row by row, what the formula gives for the training rows."""
    cell = tiny_cell(features=3)
    plain = tiny_table(cell, max_order=2)
    sd = np.random.default_rng(0).uniform(0.01, 0.5, size=(2, len(plain))).astype(np.float32)
    labels = plain.labels.copy()
    labels[:, 1] = sd[0]
    screen = GenotypeTable.of(cell, plain.genes, plain.ptr, labels, interaction_std=sd[1])
    split = make_split(screen, "random", 0, 0.2, 0.2)
    batches, real = [], Losses.__call__

    def noted(losses, output, targets, sample_weights=None):
        batches.append((targets[:, column].numpy(), sample_weights[:, column].numpy()))
        return real(losses, output, targets, sample_weights)

    monkeypatch.setattr(Losses, "__call__", noted)
    train(cell, screen, split, tiny_config(epochs=1, weight_by_sd=True), tmp_path / "run")
    target, weight = (np.concatenate(values) for values in zip(*batches, strict=True))
    present = np.isfinite(target)
    measured = screen.targets[:, column]
    rows = split.rows("train")[np.isfinite(measured[split.rows("train")])]
    raw = 1 / (sd[column, rows] ** 2 + np.median(sd[column, rows]) ** 2)
    # Standardising keeps the order of the values, so they tell which row is which.
    expected = (raw / raw.mean())[np.argsort(measured[rows])]
    assert 20 < present.sum() == len(rows)
    np.testing.assert_allclose(weight[present][np.argsort(target[present])], expected, rtol=1e-4)
