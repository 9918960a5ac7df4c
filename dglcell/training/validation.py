"""The validation part after an epoch: its metrics, and the one number that chooses the best weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.training.metrics import compare
from dglcell.training.predictor import Predictor
from dglcell.training.trainer import Trainer


def predict_rows(trainer: Trainer, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Standardised predictions `(n, 2)` of rows of the trainer's table, with the weights as they are now."""
    part = trainer.table.take(rows)
    scorer = Predictor([trainer.model], trainer.engine, trainer.cell, trainer.config.precision, trainer.chunk)
    (predicted,) = scorer(part.genes, part.ptr, trainer.config.batch_size)
    return predicted


def validate(trainer: Trainer) -> tuple[dict[str, Any], float]:
    """Metrics and score of the validation part.

    Returns
    -------
    metrics : dict
        `loss`, the weighted mean over labels of the MSE of standardised values, and for each label
        `metrics.compare` on the original scale.
    score : float
        Higher is better. Mean Pearson over the labels that have one; without any it is `-1 - loss`, below every
        Pearson. NaN when the weights give no finite prediction.
    """
    rows = trainer.val_rows
    predicted = predict_rows(trainer, rows)
    loss = _mse(predicted, trainer.targets(rows), trainer.losses.weights)
    if not np.isfinite(predicted).all():
        return {"loss": float("nan")}, float("nan")
    original = trainer.scaler.inverse(predicted, trainer.table.orders[rows])
    measured = trainer.table.targets[rows]
    metrics: dict[str, Any] = {label: compare(original[:, c], measured[:, c]) for c, label in enumerate(schema.LABELS)}
    weighted = zip(schema.LABELS, trainer.losses.weights, strict=True)
    pearson = [metrics[label]["pearson"] for label, weight in weighted if weight > 0]
    defined = [r for r in pearson if r is not None]
    return {"loss": loss, **metrics}, sum(defined) / len(defined) if defined else -1.0 - loss


def _mse(predicted: NDArray[np.float32], targets: NDArray[np.float32], weights: list[float]) -> float:
    squared = (predicted.astype(np.float64) - targets) ** 2
    used = [c for c, weight in enumerate(weights) if weight > 0 and not np.isnan(targets[:, c]).all()]
    total = sum(weights[c] * float(np.nanmean(squared[:, c])) for c in used)
    return total / sum(weights[c] for c in used)
