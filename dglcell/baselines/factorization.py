"""Matrix factorization of the labels: a gene is described only by its interactions with other genes."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dglcell import schema
from dglcell.baselines.base import AdamWFit, Distinct, Flags, Floats, Rows, finish, held_out, ragged
from dglcell.genotypes.scaler import Scaler
from dglcell.nn.factorization_machine import pair_terms, squares_of

if TYPE_CHECKING:
    from dglcell.genotypes.table import GenotypeTable
    from dglcell.graph.cell import CellGraph

_BATCHES, _SMALLEST, _LARGEST = 128, 32, 8192  # batches per epoch, smallest and largest batch size
_CHUNK = 65_536


class MatrixFactorization:
    """Biases and symmetric low-rank interactions of genes, for any number of deletions.

    `y_S = mu + sum_{i in S} b_i + sum_{i != j in S} u_i . v_j`: for a pair `mu + b_i + b_j + u_i . v_j + u_j . v_i`, a
    symmetric matrix of rank 2 `rank` at most, with eigenvalues of both signs. Squared error on standardized labels with
    `penalty (|u_i|^2 + |v_i|^2 + 0.2 b_i^2)` for each occurrence of a gene in a batch (Koren, Bell and Volinsky 2009,
    doi:10.1109/MC.2009.263; over sets of any size a factorization machine, Rendle 2010, doi:10.1109/ICDM.2010.127).

    Each label has its own factors. Penalty and number of epochs are chosen on a tenth of the training genotypes; if
    this gives no finite error, they are the larger penalty and half of `epochs`. The final fit is to all training
    genotypes. A gene without a training row has neither bias nor factors, so a pair with it is predicted from the bias
    of the other gene.
    """

    name = "matrix-factorization"
    penalties = (0.05, 0.2)

    def __init__(self, rank: int = 64, epochs: int = 60, lr: float = 3e-3) -> None:
        self._rank, self._epochs, self._lr = rank, epochs, lr

    def fit(self, cell: CellGraph, table: GenotypeTable, rows: Rows, seed: int = 0) -> Self:
        """See `Baseline`."""
        self._scaler = Scaler.fit(table, rows)
        train = table.take(rows)
        y = self._scaler.transform(train.targets, train.orders)
        self._factors = [self._fit(cell.num_nodes(schema.GENE), Distinct.of(train, column), seed) for column in y.T]
        return self

    def predict(self, table: GenotypeTable) -> Floats:
        """See `Baseline`."""
        parts = [np.zeros((0, len(self._factors)), np.float32)]
        with torch.no_grad():
            for start in range(0, len(table), _CHUNK):
                bags = _Bags(table, np.arange(start, min(start + _CHUNK, len(table))))
                parts.append(np.stack([factors(bags)[0].numpy() for factors in self._factors], axis=1))
        return finish(np.concatenate(parts), self._scaler, table)

    def _fit(self, num_genes: int, data: Distinct, seed: int) -> _Factors:
        if not len(data.y):
            return _Factors(num_genes, self._rank)
        held = held_out(data.table, seed)
        size = int(np.clip(len(held) // _BATCHES, _SMALLEST, _LARGEST))
        adamw = AdamWFit(self._epochs, size, self._lr)
        with torch.random.fork_rng(devices=[]):
            trials = [
                (*self._descend(num_genes, data, seed, penalty, adamw, held)[1], penalty)
                for penalty in self.penalties
                if held.any()
            ]
            finite = [trial for trial in trials if math.isfinite(trial[0])]
            _, epochs, penalty = min(finite, default=(0.0, adamw.fallback, self.penalties[-1]))
            factors, _ = self._descend(num_genes, data, seed, penalty, dataclasses.replace(adamw, epochs=epochs))
        factors.forget_all_but(data.table.genes)
        return factors

    def _descend(
        self,
        num_genes: int,
        data: Distinct,
        seed: int,
        penalty: float,
        adamw: AdamWFit,
        held: Flags | None = None,
    ) -> tuple[_Factors, tuple[float, int]]:
        """Fit to the rows that are not held out; also the smallest error of the held-out rows, and its epoch."""
        y = torch.from_numpy(data.y.astype(np.float32))
        weight = torch.from_numpy((data.weight / data.weight.mean()).astype(np.float32))
        torch.manual_seed(seed)
        factors = _Factors(num_genes, self._rank)

        def loss(rows: Tensor) -> Tensor:
            predicted, squares = factors(_Bags(data.table, rows.numpy()))
            return ((predicted - y[rows]).square() * weight[rows]).mean() + penalty * squares.mean()

        def validation_error() -> float:
            with torch.no_grad():
                error = factors(bags)[0] - y[validation]
                return float((error.square() * weight[validation]).mean())

        if held is None:
            return factors, adamw.run(factors, loss, np.arange(len(y)))
        validation = np.flatnonzero(held)
        bags = _Bags(data.table, validation)
        return factors, adamw.run(factors, loss, np.flatnonzero(~held), validation_error)


class _Bags:
    """Deleted genes of these rows, as EmbeddingBag takes them."""

    def __init__(self, table: GenotypeTable, rows: Rows) -> None:
        positions, offsets = ragged(table.ptr, rows)
        self.genes = torch.from_numpy(table.genes[positions].astype(np.int64))
        self.offsets = torch.from_numpy(offsets)


class _Factors(nn.Module):
    """Factors and bias of a gene in one row: u, v `(rank,)` each, and b."""

    def __init__(self, num_genes: int, rank: int) -> None:
        super().__init__()
        self.mu = nn.Parameter(torch.zeros(()))
        self.genes = nn.Parameter(torch.cat([0.1 * torch.randn(num_genes, 2 * rank), torch.zeros(num_genes, 1)], 1))
        self.rank = rank

    def forward(self, bags: _Bags) -> tuple[Tensor, Tensor]:
        """Labels (n,) and the sums of squares for the penalty (n,)."""
        squares = squares_of(self.genes, self.rank)
        pairs, biases, squares = pair_terms(self.genes, self.rank, bags.genes, bags.offsets, squares)
        return self.mu + pairs + biases.squeeze(1), squares

    def forget_all_but(self, seen: NDArray[np.int32]) -> None:
        """Set the factors of all other genes to 0."""
        unseen = torch.ones(len(self.genes), dtype=torch.bool)
        unseen[torch.from_numpy(seen.astype(np.int64))] = False
        with torch.no_grad():
            self.genes[unseen] = 0.0
