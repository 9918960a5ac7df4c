"""Shared by all baselines: the interface, held-out rows for choosing settings, gradient descent, the original scale."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dglcell import schema
from dglcell.engines.device import one_thread
from dglcell.genotypes.scaler import Scaler

if TYPE_CHECKING:
    from dglcell.genotypes.table import GenotypeTable
    from dglcell.graph.cell import CellGraph

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]

HELD_OUT = 10  # one training genotype in ten is held out to choose penalties and epochs


class Baseline(Protocol):
    """Interface of a baseline."""

    name: str

    def fit(self, cell: CellGraph, table: GenotypeTable, rows: Rows, seed: int = 0) -> Self:
        """Learn from these rows of the table; missing labels are left out."""

    def predict(self, table: GenotypeTable) -> Floats:
        """Labels (n, 2), columns as `schema.LABELS`; NaN where undefined or never trained on."""


def finish(standardized: NDArray[Any], scaler: Scaler, table: GenotypeTable) -> Floats:
    """Labels (n, 2) on the original scale, NaN where undefined for this number of deletions."""
    values = scaler.inverse(standardized.astype(np.float32), table.orders)
    for k, label in enumerate(schema.LABELS):
        values[table.orders < schema.MIN_ORDER[label], k] = np.nan
    return values


def held_out(train: GenotypeTable, seed: int) -> Flags:
    """(n,) bool: the rows of a tenth of the gene sets, rounded down, so that rows of one genotype stay together."""
    n = train.num_genotypes
    rank = np.random.default_rng(seed).permutation(n)[train.genotype_keys()]
    return np.asarray(rank < n // HELD_OUT)


@dataclasses.dataclass(frozen=True)
class Distinct:
    """The gene sets that have a label, each once.

    Attributes
    ----------
    table : GenotypeTable
        One row for each gene set, (m,).
    y : (m,) float64
        Mean label of its rows.
    weight : (m,) float64
        Number of its rows.
    """

    table: GenotypeTable
    y: Doubles
    weight: Doubles

    @classmethod
    def of(cls, train: GenotypeTable, y: NDArray[Any]) -> Self:
        """Merge the rows of `train` where y `(n,)` is not missing."""
        known = np.flatnonzero(np.isfinite(y))
        _, first, inverse = np.unique(train.genotype_keys()[known], return_index=True, return_inverse=True)
        weight = np.bincount(inverse, minlength=len(first)).astype(np.float64)
        mean = np.bincount(inverse, weights=y[known], minlength=len(first)) / np.maximum(weight, 1)
        return cls(train.take(known[first]), mean, weight)


@dataclasses.dataclass(frozen=True)
class AdamWFit:
    """AdamW in random batches, on one thread.

    Attributes
    ----------
    epochs : int
        Largest number of epochs.
    batch_size : int
    lr, weight_decay : float
    patience : int
        Epochs without a smaller held-out error after which to stop.
    """

    epochs: int
    batch_size: int
    lr: float
    weight_decay: float = 0.0
    patience: int = 4

    @property
    def fallback(self) -> int:
        """Number of epochs without a held-out error to choose it by: half of `epochs`, and at least one."""
        return max(1, self.epochs // 2)

    @one_thread()
    def run(
        self,
        net: nn.Module,
        loss: Callable[[Tensor], Tensor],
        rows: Rows,
        error: Callable[[], float] | None = None,
    ) -> tuple[float, int]:
        """Train `net`, in place.

        Parameters
        ----------
        net : nn.Module
        loss : callable
            Row numbers of a batch (int64) -> scalar.
        rows : (n,) int64
            Those to train on.
        error : callable, optional
            Held-out error after an epoch; without it, all epochs are run.

        Returns
        -------
        error : float
            The smallest one; infinite if it was never a number.
        epoch : int
            The epoch of the smallest error, `fallback` if there was none; without `error` the last one.
        """
        optimizer = torch.optim.AdamW(net.parameters(), lr=self.lr, weight_decay=self.weight_decay)
        training = torch.from_numpy(rows)
        smallest, best_epoch = float("inf"), None
        for epoch in range(1, self.epochs + 1):
            for batch in torch.split(training[torch.randperm(len(rows))], self.batch_size) if len(rows) else ():
                optimizer.zero_grad()
                loss(batch).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            if error is None:
                continue
            value = error()
            if value < smallest:
                smallest, best_epoch = value, epoch
            elif best_epoch is not None and epoch - best_epoch >= self.patience:
                break
        if error is None:
            return smallest, self.epochs
        return smallest, self.fallback if best_epoch is None else best_epoch


def indicator(table: GenotypeTable, num_genes: int) -> Any:
    """(n, num_genes) sparse, 1 where a genotype deletes a gene."""
    from scipy.sparse import csr_matrix

    return csr_matrix((np.ones(len(table.genes)), table.genes, table.ptr), shape=(len(table), num_genes))


def ragged(ptr: Rows, rows: Rows) -> tuple[Rows, Rows]:
    """Positions (K,) of the items of these rows, concatenated, and where each row begins in them."""
    lengths = ptr[rows + 1] - ptr[rows]
    ends = np.cumsum(lengths)
    offsets = ends - lengths
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(ptr[rows] - offsets, lengths), offsets


def pairs_of(genes: NDArray[Any], ptr: Rows) -> tuple[Rows, Rows, Rows]:
    """All unordered pairs of genes within each genotype.

    Parameters
    ----------
    genes : (K,) int
    ptr : (n + 1,) int64
        Genotype i deletes `genes[ptr[i]:ptr[i + 1]]`.

    Returns
    -------
    first, second, owner : (P,) int64
        The two genes, as listed in `genes`, and the genotype; sorted by number of deletions.
    """
    orders = np.diff(ptr)
    pairs: list[tuple[Rows, Rows, Rows]] = [(np.zeros(0, np.int64),) * 3]
    for order in np.unique(orders[orders > 1]).tolist():
        a, b = np.triu_indices(order, 1)
        owner = np.flatnonzero(orders == order)
        starts = ptr[owner][:, None]
        ends = [np.asarray(genes[(starts + k).ravel()], np.int64) for k in (a, b)]
        pairs.append((ends[0], ends[1], np.repeat(owner, len(a))))
    first, second, owners = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return first, second, owners


def blocks(table: GenotypeTable, pairs: int) -> Iterator[tuple[int, int]]:
    """Consecutive row ranges with about `pairs` pairs of genes (or genotypes) each, so that memory is bounded."""
    cost = np.cumsum(np.maximum(1, table.orders * (table.orders - 1) // 2))
    start = 0
    while start < len(table):
        before = int(cost[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(cost, before + pairs, side="right")))
        yield start, stop
        start = stop
