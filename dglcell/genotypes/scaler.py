"""Standardization of labels by the mean and standard deviation of the training rows.

Interactions of pairs and triples differ in scale, so each number of deletions has its own moments. A number that does
not occur in the training rows has the moments of all training rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dglcell import schema
from dglcell.errors import warn
from dglcell.genotypes.table import GenotypeTable


@dataclasses.dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of n values; NaN if there are none."""

    mean: float
    sd: float
    n: int

    @classmethod
    def of(cls, values: NDArray[Any], name: str) -> Self:
        """Population moments of the finite values; a standard deviation of 0 becomes 1, with a warning.

        Parameters
        ----------
        values : (k,) float
            NaN where missing.
        name : str
            Name in the warning.
        """
        finite = values[np.isfinite(values)].astype(np.float64)
        if not len(finite):
            return cls(np.nan, np.nan, 0)
        mean, sd = float(finite.mean()), float(finite.std())
        if sd <= abs(mean) * 1e-12:
            message = f"{name}: all {len(finite)} training values are {mean:g}, so they are not scaled"
            warn(message)
            sd = 1.0
        return cls(mean, sd, len(finite))

    def to_dict(self) -> dict[str, float | int | None]:
        """Plain values for JSON; None for a missing number."""
        missing = self.n == 0
        return {"mean": None if missing else self.mean, "sd": None if missing else self.sd, "n": self.n}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        mean, sd = (np.nan if data[k] is None else float(data[k]) for k in ("mean", "sd"))
        return cls(mean, sd, int(data["n"]))


@dataclasses.dataclass(frozen=True, repr=False)
class Scaler:
    """Standardization `(y - mean) / sd` of the labels that the model predicts, and its inverse.

    Attributes
    ----------
    pooled : dict of str to Moments
        By label, over all numbers of deletions.
    by_order : dict of int to Moments
        By number of deletions, for the interaction only.
    """

    pooled: dict[str, Moments]
    by_order: dict[int, Moments]

    def __repr__(self) -> str:
        labels = [f"{name} {m.mean:.3g} +- {m.sd:.3g} ({m.n:,})" for name, m in self.pooled.items()]
        return f"Scaler: mean +- sd (training values) of {', '.join(labels)}"

    @classmethod
    def fit(cls, table: GenotypeTable, rows: ArrayLike) -> Self:
        """A scaler with the moments of the training rows.

        Parameters
        ----------
        table : GenotypeTable
        rows : (k,) int
            Training rows.
        """
        index = np.asarray(rows, dtype=np.int64)
        targets, orders = table.targets[index], table.orders[index]
        pooled = {name: Moments.of(targets[:, k], name) for k, name in enumerate(schema.LABELS)}
        column = schema.LABELS.index(schema.INTERACTION)
        with_label = np.isfinite(targets[:, column])
        by_order = {
            int(order): Moments.of(targets[orders == order, column], f"{schema.INTERACTION} of order {order}")
            for order in np.unique(orders[with_label])
        }
        return cls(pooled, by_order)

    def moments(self, orders: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation for each row and label, both (n, 2).

        NaN for a label that no training row has.
        """
        deletion_counts = np.asarray(orders, dtype=np.int64)
        mean = np.empty((len(deletion_counts), len(schema.LABELS)))
        sd = np.empty_like(mean)
        for k, name in enumerate(schema.LABELS):
            mean[:, k], sd[:, k] = self.pooled[name].mean, self.pooled[name].sd
        column = schema.LABELS.index(schema.INTERACTION)
        for order, moments in self.by_order.items():
            rows = deletion_counts == order
            mean[rows, column], sd[rows, column] = moments.mean, moments.sd
        return mean, sd

    def transform(self, labels: NDArray[Any], orders: ArrayLike) -> NDArray[Any]:
        """Standardize labels.

        Parameters
        ----------
        labels : (n, 2) float
            NaN where missing.
        orders : (n,) int
            Numbers of deletions.

        Returns
        -------
        (n, 2), same dtype
        """
        mean, sd = self.moments(orders)
        result: NDArray[Any] = ((labels - mean) / sd).astype(labels.dtype)
        return result

    def inverse(self, values: NDArray[Any], orders: ArrayLike) -> NDArray[Any]:
        """The inverse of `transform`; NaN for a label that no training row has.

        Parameters
        ----------
        values : (n, 2) float
        orders : (n,) int
            Numbers of deletions.

        Returns
        -------
        (n, 2), same dtype
        """
        mean, sd = self.moments(orders)
        result: NDArray[Any] = (values * sd + mean).astype(values.dtype)
        return result

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None for a missing number."""
        return {
            "pooled": {name: m.to_dict() for name, m in self.pooled.items()},
            "by_order": {str(order): m.to_dict() for order, m in self.by_order.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(
            {name: Moments.from_dict(data["pooled"][name]) for name in schema.LABELS},
            {int(order): Moments.from_dict(m) for order, m in data["by_order"].items()},
        )
