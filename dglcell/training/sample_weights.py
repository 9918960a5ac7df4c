"""How much each measured value counts in the squared error, by its own standard deviation."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import UsageError, setting
from dglcell.genotypes.table import GenotypeTable


class SampleWeights:
    r"""Weight of a value with standard deviation s, for each label.

    .. math:: w = c / (s^2 + m^2)

    with m the median of the training values' standard deviations, and c such that the training values' weights have the
    mean 1. m stands for the errors that a value's own sd does not cover, so the most exact value counts at most twice
    as much as the median one; with 1/s^2 alone, a few values with an sd near 0 would dominate the loss. A value without
    an sd is treated as if its sd were m.

    Parameters
    ----------
    median, scale : (labels,) float64
        m and c.
    """

    def __init__(self, median: NDArray[np.float64], scale: NDArray[np.float64]) -> None:
        self.median, self.scale = median, scale

    @classmethod
    def fit(cls, table: GenotypeTable, rows: NDArray[np.int64]) -> Self:
        """Median and scale of training rows; a label without any standard deviation is not weighted.

        Raises
        ------
        UsageError
            No label has any.
        """
        std, targets = deviations(table, rows), table.take(rows).targets
        median, scale = np.zeros(len(schema.LABELS)), np.ones(len(schema.LABELS))
        for k in range(len(schema.LABELS)):
            sd = std[np.isfinite(targets[:, k]), k].astype(np.float64)
            known = sd[np.isfinite(sd)]
            if len(known) and np.median(known) > 0:
                median[k] = np.median(known)
                scale[k] = 1 / np.mean(1 / (np.where(np.isfinite(sd), sd, median[k]) ** 2 + median[k] ** 2))
        if not median.any():
            raise UsageError(f"{setting('weight_by_sd')}: the training rows have no standard deviations - leave it out")
        return cls(median, scale)

    def __call__(self, std: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, labels) standard deviations -> weights; 1 for a label that is not weighted."""
        filled = np.where(np.isfinite(std), std, self.median)
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = self.scale / (filled**2 + self.median**2)
        return np.where(self.median > 0, weights, 1.0).astype(np.float32)


def deviations(table: GenotypeTable, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(len(rows), labels) standard deviation of each label, NaN where the screen gives none."""
    fitness = table.labels[rows][:, schema.LABEL_COLUMNS.index(schema.FITNESS_STD)]
    by_label = {schema.FITNESS: fitness, schema.INTERACTION: table.interaction_std[rows]}
    return np.stack([by_label[label] for label in schema.LABELS], axis=1)
