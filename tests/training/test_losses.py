"""The losses against their dense restatement, numerical gradients, and the properties that define them."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from dglcell.config import TrainConfig
from dglcell.errors import UsageError
from dglcell.training.distribution import LabelDistribution
from dglcell.training.losses import Losses, cell_loss, contrastive_loss, distribution_loss, mse
from tests.reference import dense_losses as dense


@dataclasses.dataclass
class Output:
    predictions: torch.Tensor
    z_w: torch.Tensor | None = None
    z_i: torch.Tensor | None = None
    z_p: torch.Tensor | None = None
    squares: tuple[torch.Tensor, torch.Tensor] | None = None


def random_output(rng: np.random.Generator, rows: int = 13, width: int = 5) -> Output:
    def draw(*shape: int) -> torch.Tensor:
        return torch.tensor(rng.normal(size=shape), requires_grad=True)

    return Output(draw(rows, 2), draw(width), draw(rows, width), draw(rows, width))


def labels_with_gaps(rng: np.random.Generator, rows: int = 13) -> torch.Tensor:
    labels = torch.tensor(rng.normal(size=(rows, 2)).round(1))  # rounding makes ties
    labels[::3, 1] = torch.nan
    labels[1, 0] = torch.nan
    labels[6] = torch.nan
    return labels


def all_terms(**changes: Any) -> TrainConfig:
    values: dict[str, Any] = {
        "variant": "both",
        "lambda_dist": 0.3,
        "lambda_supcr": 0.7,
        "lambda_cell": 1.1,
        "label_weights": {"fitness": 1.0, "gene_interaction": 2.5},
    }
    return TrainConfig(**{**values, **changes}).validate()


def test_every_term_and_the_total_match_the_dense_restatement() -> None:
    rng = np.random.default_rng(0)
    output, labels = random_output(rng), labels_with_gaps(rng)
    training = [rng.normal(size=31).round(1), rng.gamma(1.0, size=29)]
    config = all_terms()
    total, terms = Losses(config, training)(output, labels)

    p, z_w, z_i, z_p = (t.detach().numpy() for t in (output.predictions, output.z_w, output.z_i, output.z_p))
    y, weights = labels.numpy(), [1.0, 2.5]
    quantiles = [lambda n, t=t: dense.kde_quantiles(n, t) for t in training]
    expected = {
        "mse": dense.per_label(lambda c, r: dense.mse(p[r, c], y[r, c]), y, weights),
        "dist": dense.per_label(lambda c, r: dense.dist(p[r, c], quantiles[c](len(r))), y, weights),
        "supcr": dense.per_label(lambda c, r: dense.supcr(z_p[r], y[r, c]), y, weights, least=2),
        "cell": dense.per_label(lambda c, r: dense.cell(z_i[r], z_w, z_p[r]), y, weights),
    }
    assert {k: v.item() for k, v in terms.items()} == pytest.approx(expected, abs=1e-10, rel=0)
    want = expected["mse"] + 0.3 * expected["dist"] + 0.7 * expected["supcr"] + 1.1 * expected["cell"]
    assert total.item() == pytest.approx(want, abs=1e-10, rel=0)

    output.squares = torch.tensor(3.0), torch.tensor(5.0)
    total, terms = Losses(dataclasses.replace(config, l2_identity=0.2, l2_network=0.7), training)(output, labels)
    assert (terms["l2_identity"].item(), terms["l2_network"].item()) == (3.0, 5.0)
    assert total.item() == pytest.approx(want + 0.2 * 3 + 0.7 * 5, abs=1e-6)


@pytest.mark.parametrize("ties", [False, True])
def test_contrastive_loss_matches_the_dense_restatement(ties: bool) -> None:
    rng = np.random.default_rng(1)
    z, y = rng.normal(size=(17, 6)), rng.normal(size=17)
    y = y.round(0) if ties else y
    assert contrastive_loss(torch.tensor(z), torch.tensor(y)).item() == pytest.approx(
        dense.supcr(z, y), abs=1e-10, rel=0
    )


def test_gradients_agree_with_finite_differences() -> None:
    rng = np.random.default_rng(2)
    a, z, w = (torch.tensor(rng.normal(size=s), requires_grad=True) for s in (9, (9, 4), 4))
    y = torch.tensor(rng.normal(size=9).round(0))
    quantiles = torch.tensor(np.sort(rng.normal(size=9)))
    other = torch.tensor(rng.normal(size=(9, 4)), requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: mse(p, y), (a,))
    assert torch.autograd.gradcheck(lambda p: distribution_loss(p, quantiles), (a,))
    assert torch.autograd.gradcheck(lambda s: contrastive_loss(s, y), (z,))
    assert torch.autograd.gradcheck(cell_loss, (other, w, z))


def test_distribution_loss_is_exactly_zero_on_a_permutation_of_the_quantiles() -> None:
    rng = np.random.default_rng(3)
    distribution = LabelDistribution.fit(rng.gamma(2.0, size=200))
    assert distribution is not None
    quantiles = torch.tensor(distribution.quantiles(64), dtype=torch.float32)
    shuffled = quantiles[torch.tensor(rng.permutation(64))].requires_grad_()
    loss = distribution_loss(shuffled, quantiles)
    loss.backward()
    assert loss.item() == 0.0
    assert shuffled.grad is not None and not shuffled.grad.any()


def test_distribution_loss_descends_towards_the_quantiles() -> None:
    quantiles = torch.linspace(-1, 1, 8)
    predictions = torch.zeros(8).requires_grad_()
    before = distribution_loss(predictions, quantiles)
    before.backward()
    assert predictions.grad is not None
    assert distribution_loss(predictions - 0.1 * predictions.grad, quantiles) < before


def test_a_constant_label_has_no_distribution_loss_and_says_so() -> None:
    rng = np.random.default_rng(4)
    output = random_output(rng)
    labels = torch.tensor(rng.normal(size=(13, 2)))
    config = all_terms(lambda_supcr=0.0, lambda_cell=0.0, label_weights={"fitness": 1.0, "gene_interaction": 1.0})
    with pytest.warns(UserWarning, match="gene_interaction have fewer than 2 distinct values"):
        losses = Losses(config, [rng.normal(size=20), np.full(20, 0.25)])
    _, terms = losses(output, labels)
    alone = distribution_loss(output.predictions[:, 0], torch.tensor(losses.distributions[0].quantiles(13)))
    assert terms["dist"].item() == pytest.approx(alone.item() / 2)


def test_missing_labels_never_reach_a_gradient() -> None:
    rng = np.random.default_rng(5)
    output, labels = random_output(rng), labels_with_gaps(rng)
    total, _ = Losses(all_terms(), [rng.normal(size=20), rng.normal(size=20)])(output, labels)
    total.backward()
    for tensor in (output.predictions, output.z_w, output.z_i, output.z_p):
        assert tensor is not None and tensor.grad is not None and torch.isfinite(tensor.grad).all()
    missing = torch.isnan(labels)
    assert not output.predictions.grad[missing].any()
    assert output.predictions.grad[~missing].all()
    assert not output.z_p.grad[6].any()


def test_the_squared_error_asks_no_device_for_a_number() -> None:
    """A GPU would stand still at each step; the second label, which no row has, does not count."""

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            assert function not in (torch.ops.aten.nonzero.default, torch.ops.aten._local_scalar_dense.default)
            return function(*args, **(kwargs or {}))

    rng = np.random.default_rng(8)
    output, labels = random_output(rng), labels_with_gaps(rng)
    labels[:, 1] = torch.nan
    weights = torch.where(labels.isnan(), torch.nan, 2.0)
    with Watch():
        total, _ = Losses(TrainConfig())(output, labels, weights)
    rows = ~labels[:, 0].isnan()
    expected = 2 * (output.predictions[rows, 0] - labels[rows, 0]).square().mean()
    torch.testing.assert_close(total, expected)


def test_a_batch_without_labels_costs_nothing() -> None:
    output = random_output(np.random.default_rng(6))
    total, terms = Losses(all_terms(lambda_dist=0.0))(output, torch.full((13, 2), torch.nan))
    assert total.item() == 0.0
    assert not any(t.item() for t in terms.values())


def test_a_label_of_weight_zero_is_left_out() -> None:
    rng = np.random.default_rng(7)
    output, labels = random_output(rng), torch.tensor(rng.normal(size=(13, 2)))
    config = TrainConfig(label_weights={"fitness": 1.0, "gene_interaction": 0.0})
    total, _ = Losses(config)(output, labels)
    assert total.item() == pytest.approx(mse(output.predictions[:, 0], labels[:, 0]).item())


def test_a_state_without_direction_gets_no_gradient() -> None:
    rng = np.random.default_rng(8)
    z = torch.tensor(rng.normal(size=(6, 4)))
    z[2] = 0.0
    z.requires_grad_()
    contrastive_loss(z, torch.arange(6.0, dtype=torch.float64)).backward()
    assert z.grad is not None and torch.isfinite(z.grad).all() and not z.grad[2].any() and z.grad[0].any()


def test_half_precision_states_are_compared_in_float32() -> None:
    rng = np.random.default_rng(9)
    output = random_output(rng)
    output = Output(*(t.detach().to(torch.bfloat16) for t in (output.predictions, output.z_w, output.z_i, output.z_p)))
    total, _ = Losses(all_terms(lambda_dist=0.0))(output, torch.tensor(rng.normal(size=(13, 2))))
    assert total.dtype == torch.float32


# VmHWM belongs to the process image; ru_maxrss would start from that of the parent.
MEMORY = """
import re, torch
from dglcell.training.losses import contrastive_loss
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 2**20
z, y = torch.randn(1024, 64, requires_grad=True), torch.randn(1024)
contrastive_loss(z[:8], y[:8]).backward()
before = peak()
contrastive_loss(z, y).backward()
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's peak memory")
def test_contrastive_loss_of_1024_rows_stays_below_half_a_gigabyte() -> None:
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, timeout=600)
    assert 0.01 < float(done.stdout) < 0.5  # the (1024, 1024) matrices alone are 4 MB each


@pytest.mark.parametrize(
    ("variant", "term"), [("two-head", "lambda_supcr"), ("difference", "lambda_cell"), ("local", "lambda_cell")]
)
def test_terms_that_a_variant_cannot_have_are_refused(variant: str, term: str) -> None:
    with pytest.raises(UsageError, match=term):
        TrainConfig(variant=variant, **{term: 0.1}).validate()


def test_asking_for_a_state_that_a_variant_does_not_make_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="z_p"):
        Losses(all_terms(lambda_dist=0.0))(Output(torch.zeros(3, 2)), torch.zeros(3, 2))


def test_the_total_is_divided_into_data_loss_and_penalty() -> None:
    rng = np.random.default_rng(3)
    output, labels = random_output(rng), labels_with_gaps(rng)
    output.squares = torch.tensor(3.0), torch.tensor(5.0)
    losses = Losses(all_terms(l2_identity=0.2, l2_network=0.7), [rng.normal(size=31), rng.normal(size=29)])
    total, terms = losses(output, labels)
    values = {"loss": total.item(), **{name: term.item() for name, term in terms.items()}}
    parts = losses.divide(values)
    assert parts["penalty"] == pytest.approx(0.2 * 3 + 0.7 * 5)
    expected = values["mse"] + 0.3 * values["dist"] + 0.7 * values["supcr"] + 1.1 * values["cell"]
    assert parts["data_loss"] == pytest.approx(expected)
    assert parts["loss"] == total.item() == pytest.approx(parts["data_loss"] + parts["penalty"])
    assert {name: parts[name] for name in values} == values
    only = Losses(TrainConfig(variant="local")).divide({"loss": 2.0, "mse": 2.0})
    assert only == {"loss": 2.0, "data_loss": 2.0, "penalty": 0.0, "mse": 2.0}
