"""The loss terms of a training step and their weighted sum, in plain autograd.

A term of the data is computed per label over the rows that have it, then averaged over the labels that have any;
labels are standardized. A missing label (NaN) is removed before any arithmetic, so it never affects a gradient. The
penalties are sums of squared weights of the gene factorization machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from dglcell import schema
from dglcell.config import TrainConfig
from dglcell.errors import warn
from dglcell.training.distribution import FloatArray, LabelDistribution

TEMPERATURE = 0.1
PENALTIES = ("l2_identity", "l2_network")  # terms of the weights alone; all others are terms of the data
_ZERO_LENGTH = 1e-8


class Predicted(Protocol):
    """What the losses read of a model's output."""

    @property
    def predictions(self) -> Tensor:
        """(B, labels), standardized."""

    @property
    def z_w(self) -> Tensor | None:
        """(h,) or (1, h): the wild type."""

    @property
    def z_i(self) -> Tensor | None:
        """(B, h): the perturbed cells."""

    @property
    def z_p(self) -> Tensor | None:
        """(B, h): the perturbations."""

    @property
    def squares(self) -> tuple[Tensor, Tensor] | None:
        """Sums of squares of the identity weights and of the network weights, while the model trains."""


def mse(predictions: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean squared error of `(n,)` predictions against `(n,)` labels; each term times its weight, whose mean is 1.

    NaN labels are left out; 0 if all are NaN. No number is copied from the device, because a step would wait for it.
    """
    present = ~torch.isnan(labels)
    squared = torch.where(present, predictions - labels, 0.0).square()
    if weights is not None:
        squared = squared * torch.where(present, weights, 0.0)
    return squared.sum() / present.sum().clamp(min=1)


def distribution_loss(predictions: Tensor, quantiles: Tensor) -> Tensor:
    r"""Distance between the distribution of the predictions and that of the training labels.

    .. math:: L_{dist} = \frac1n \sum_i (\hat y_{(i)} - q_i)^2, \qquad q_i = F^{-1}\!\left(\frac{i - 0.5}{n}\right)

    with both sides ascending and F the kernel density estimate of the training labels. Exactly 0 when the predictions
    are a permutation of the quantiles. (Dist Loss, arXiv:2411.15216.)

    Parameters
    ----------
    predictions : Tensor, (n,)
    quantiles : Tensor, (n,)
        Ascending, from `LabelDistribution.quantiles`.
    """
    return (predictions.sort().values - quantiles).square().mean()


def contrastive_loss(z: Tensor, labels: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    r"""Supervised contrastive regression: rank states by the distance of their labels.

    .. math::
        L_{supcr} = \frac{1}{n (n - 1)} \sum_{i \ne j}
            -\log \frac{\exp s_{ij}}{\sum_{k \ne i,\ |y_i - y_k| \ge |y_i - y_j|} \exp s_{ik}}

    where s is the cosine similarity over the temperature; equal distances all count in the denominator. Each row is
    sorted by label distance, so a denominator is a running sum: O(n² log n) time, O(n²) memory. A state of length 0
    has no direction: its similarities are 0 and it gets no gradient. (Rank-N-Contrast, arXiv:2210.01189.)

    Parameters
    ----------
    z : Tensor, (n, h)
        States, n >= 2.
    labels : Tensor, (n,)
        No NaN.
    """
    length = torch.linalg.vector_norm(z, dim=1, keepdim=True)
    direction = torch.where(length > _ZERO_LENGTH, z / length.clamp_min(_ZERO_LENGTH), torch.zeros_like(z))
    similarity = direction @ direction.T / temperature  # within ±1 / temperature, so exp needs no shift
    distance = (labels[:, None] - labels[None, :]).abs().fill_diagonal_(-1.0)  # the anchor itself sorts first ...
    distance, ranking = distance.sort(dim=1)
    similarity = similarity.gather(1, ranking)[:, 1:]  # ... and is left out
    distance = distance[:, 1:].contiguous()
    tails = similarity.exp().flip(1).cumsum(1).flip(1)  # tails[i, r]: everything at rank r or farther
    first_of_tie = torch.searchsorted(distance, distance)
    return (tails.gather(1, first_of_tie).log() - similarity).mean()


def cell_loss(z_i: Tensor, z_w: Tensor, z_p: Tensor) -> Tensor:
    r"""The perturbation vector should equal the change of the cell's state: MSE(z_i, z_w + z_p).

    Parameters
    ----------
    z_i, z_p : Tensor, (n, h)
        `z_p` is computed independently of `z_i`.
    z_w : Tensor, (h,) or (1, h)
    """
    return (z_i - (z_w + z_p)).square().mean()


class Losses:
    """The weighted sum of the terms that a configuration asks for.

    .. math:: L = MSE + \\lambda_{dist} L_{dist} + \\lambda_{supcr} L_{supcr} + \\lambda_{cell} L_{cell} + P

    with the penalty :math:`P = l2_{identity} S_{identity} + l2_{network} S_{network}` of the sums of squares that the
    model reports.

    Parameters
    ----------
    config : TrainConfig
        Validated, which refuses terms that the variant cannot have.
    training_labels : sequence of arrays, one per label of `schema.LABELS`
        Standardized training labels, the source of `L_dist`'s quantiles; read only when `lambda_dist` > 0.
    """

    def __init__(self, config: TrainConfig, training_labels: Sequence[FloatArray] | None = None) -> None:
        self.weights = [float(config.label_weights.get(label, 0.0)) for label in schema.LABELS]
        self.lambdas = {"dist": config.lambda_dist, "supcr": config.lambda_supcr, "cell": config.lambda_cell}
        self.lambdas |= {"l2_identity": config.l2_identity, "l2_network": config.l2_network}
        self.distributions: list[LabelDistribution | None] = [None] * len(schema.LABELS)
        if config.lambda_dist > 0:
            if training_labels is None:
                raise ValueError("lambda_dist needs the training labels")
            self.distributions = [
                _distribution(label, values) if weight > 0 else None
                for label, values, weight in zip(schema.LABELS, training_labels, self.weights, strict=True)
            ]

    def __call__(
        self, output: Predicted, labels: Tensor, sample_weights: Tensor | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The total and its terms, each before its weight.

        Parameters
        ----------
        output : Predicted
            `predictions (B, 2)` and the states that the terms in use need.
        labels : Tensor, (B, 2)
            Standardized, NaN where missing.
        sample_weights : Tensor, (B, 2), optional
            Of each value in the squared error; see `training.sample_weights`.

        Returns
        -------
        total : Tensor, ()
        terms : dict
            `mse`; `dist`, `supcr`, `cell` where their lambda is above 0; `l2_identity`, `l2_network` where the model
            has a gene factorization machine.
        """
        predictions = output.predictions.float() if output.predictions.dtype == torch.bfloat16 else output.predictions
        labels = labels.to(predictions.dtype)
        present = ~torch.isnan(labels)

        def average(term: Callable[[int, Tensor], Tensor], least: int = 1) -> Tensor:
            return self._average(term, present, predictions, least)

        terms = {"mse": self._squared_error(predictions, labels, sample_weights)}
        if self.lambdas["dist"] > 0:
            terms["dist"] = average(lambda c, rows: self._dist(c, predictions[rows, c]))
        if self.lambdas["supcr"] > 0:
            z_p = _state(output.z_p, "z_p").to(predictions.dtype)
            terms["supcr"] = average(lambda c, rows: contrastive_loss(z_p[rows], labels[rows, c]), least=2)
        if self.lambdas["cell"] > 0:
            z_i, z_w, z_p = (_state(getattr(output, n), n).to(predictions.dtype) for n in ("z_i", "z_w", "z_p"))
            terms["cell"] = average(lambda c, rows: cell_loss(z_i[rows], z_w, z_p[rows]))
        if output.squares is not None:
            terms["l2_identity"], terms["l2_network"] = output.squares
        return self.total(terms), terms

    def total(self, terms: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of terms."""
        weighted = [terms[name] * weight for name, weight in self.lambdas.items() if name in terms]
        return terms["mse"] + sum(weighted, start=torch.zeros_like(terms["mse"]))

    def divide(self, values: Mapping[str, float]) -> dict[str, float]:
        """The total of a step or an epoch, divided into the contributions of the data and of the weights.

        Parameters
        ----------
        values : dict
            The total, `loss`, and every term before its weight.

        Returns
        -------
        dict
            `loss`, which is the sum of `data_loss` and `penalty`, then these two, then the terms. `penalty` is 0
            without a gene factorization machine.
        """
        terms = {name: value for name, value in values.items() if name != "loss"}
        weighted = {name: self.lambdas.get(name, 1.0) * value for name, value in terms.items()}
        penalty = sum(value for name, value in weighted.items() if name in PENALTIES)
        data_loss = sum(value for name, value in weighted.items() if name not in PENALTIES)
        return {"loss": values["loss"], "data_loss": float(data_loss), "penalty": float(penalty), **terms}

    def _squared_error(self, predictions: Tensor, labels: Tensor, sample_weights: Tensor | None) -> Tensor:
        """Weighted mean over the labels that at least one row has; 0 if there is none."""
        total, weights = predictions.new_zeros(()), predictions.new_zeros(())
        for column, weight in enumerate(self.weights):
            if weight > 0:
                row_weights = None if sample_weights is None else sample_weights[:, column].to(predictions.dtype)
                total = total + weight * mse(predictions[:, column], labels[:, column], row_weights)
                weights = weights + weight * (~torch.isnan(labels[:, column])).any()
        return total / torch.where(weights > 0, weights, 1.0)

    def _average(
        self, term: Callable[[int, Tensor], Tensor], present: Tensor, predictions: Tensor, least: int
    ) -> Tensor:
        """Weighted mean of a term over the labels that at least `least` rows have; 0 if there is none."""
        total, weights = predictions.new_zeros(()), 0.0
        for column, weight in enumerate(self.weights):
            rows = present[:, column].nonzero().squeeze(1)
            if weight > 0 and len(rows) >= least:
                total = total + weight * term(column, rows)
                weights += weight
        return total / weights if weights else total

    def _dist(self, column: int, predictions: Tensor) -> Tensor:
        distribution = self.distributions[column]
        if distribution is None:
            return predictions.new_zeros(())
        quantiles = torch.as_tensor(distribution.quantiles(len(predictions)))
        return distribution_loss(predictions, quantiles.to(predictions))


def _distribution(label: str, values: FloatArray) -> LabelDistribution | None:
    distribution = LabelDistribution.fit(values)
    if distribution is None:
        warn(f"the training labels of {label} have fewer than 2 distinct values: the distribution loss is 0 for it")
    return distribution


def _state(state: Tensor | None, name: str) -> Tensor:
    if state is None:
        raise ValueError(f"this variant has no {name}; TrainConfig.validate refuses the loss that needs it")
    return state
