"""MLPs on sums of learned vectors: those of the deleted genes, or of the reactions that a genotype loses.

Neither passes messages along the network: the first learns a vector for each gene, the second uses the
gene-protein-reaction rules but not the stoichiometry.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from torch import Tensor, nn

from dglcell import schema
from dglcell.baselines.base import AdamWFit, Floats, Rows, finish, held_out, ragged
from dglcell.genotypes.scaler import Scaler

if TYPE_CHECKING:
    from dglcell.genotypes.table import GenotypeTable
    from dglcell.graph.cell import CellGraph

LARGE = 20_000  # from this number of training rows on, a tenth is enough to choose the number of epochs


@dataclasses.dataclass(frozen=True)
class LargeScreen:
    """Settings of `EmbeddingBagMLP` for many training rows, which it would overfit otherwise.

    Beside the sum, the MLP gets the elementwise `sum_{i < j} e_i * e_j`. On Costanzo 2010, an MLP on the sum alone
    reaches a Pearson correlation of 0.23 with early stopping and 0.30 with the penalty, because it has to approximate
    products by ReLUs.

    Attributes
    ----------
    adamw : AdamWFit
        The number of epochs is chosen on a tenth of the training genotypes, then the fit is repeated on all of them;
        half of `epochs` is used if there are too few genotypes to hold one out.
    penalty : float
        Weight of `|e_i|^2`, for each occurrence of an item in a batch.
    scale : float
        Standard deviation of the initial vectors.
    """

    adamw: AdamWFit
    penalty: float = 0.3
    scale: float = 0.1


class EmbeddingBagMLP:
    """An MLP on the sum of the learned vectors of a genotype's items, of which there may be any number.

    `y = W_2 relu(W_1 x + b_1) + b_2` with `x = f(sum_{i in bag} e_i + b_0)`. With genes as items, f is one more linear
    layer with ReLU: a gene-embedding MLP. With lost reactions, f is the ReLU alone: the sum is then the first linear
    layer of an MLP on their 0/1 vector, computed without storing that vector.

    Parameters
    ----------
    name : str
    items : callable
        (cell, table) -> items (K,), offsets (n + 1,), size of the vocabulary.
    first_relu : bool
        f is the ReLU alone.
    hidden, epochs, batch_size, lr, weight_decay
        Width of all layers, and the AdamW run with MSE on standardized labels.
    large : LargeScreen, optional
        Instead, with `LARGE` labeled training rows or more.
    fill : bool
        Items without a labeled training row get the mean vector of the others; without `fill` they keep their random
        initial vector.
    """

    def __init__(
        self,
        name: str,
        items: Callable[[CellGraph, GenotypeTable], tuple[Rows, Rows, int]],
        first_relu: bool,
        hidden: int = 64,
        epochs: int = 150,
        batch_size: int = 256,
        lr: float = 1e-3,
        weight_decay: float = 1e-2,
        large: LargeScreen | None = None,
        fill: bool = False,
    ) -> None:
        self.name = name
        self._items, self._first_relu, self._hidden = items, first_relu, hidden
        self._adamw, self._large, self._fill = AdamWFit(epochs, batch_size, lr, weight_decay), large, fill

    def fit(self, cell: CellGraph, table: GenotypeTable, rows: Rows, seed: int = 0) -> Self:
        """See `Baseline`."""
        self._cell, self._scaler = cell, Scaler.fit(table, rows)
        train = table.take(rows)
        train = train.take(np.flatnonzero(train.usable()))  # the others would only decay their items' vectors
        items, ptr, size = self._items(cell, train)
        targets = torch.from_numpy(self._scaler.transform(train.targets, train.orders))
        large = self._large if len(train) >= LARGE else None
        new_net = functools.partial(_Net, size, self._hidden, self._first_relu, large)
        adamw = self._adamw
        if large is not None:
            held, epochs = held_out(train, seed), large.adamw.fallback
            if held.any():
                training, validation = np.flatnonzero(~held), torch.from_numpy(np.flatnonzero(held))
                epochs = self._descend(large.adamw, new_net, items, ptr, targets, training, seed, validation)
            adamw = dataclasses.replace(large.adamw, epochs=epochs)
        self._descend(adamw, new_net, items, ptr, targets, np.arange(len(train)), seed)
        if self._fill:
            self._net.fill(items)
        return self

    def _descend(
        self,
        adamw: AdamWFit,
        new_net: Callable[[], _Net],
        items: Rows,
        ptr: Rows,
        targets: Tensor,
        rows: Rows,
        seed: int,
        validation: Tensor | None = None,
    ) -> int:
        """Train a new network on these rows without changing the global random state; returns the best epoch."""

        def loss(batch: Tensor) -> Tensor:
            predicted, penalty = self._net(*_bags(items, ptr, batch.numpy()))
            return _masked_mse(predicted, targets[batch]) + penalty

        def error() -> float:
            with torch.no_grad():
                return float(_masked_mse(self._net(*bags)[0], targets[validation]))

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._net = new_net()
            if validation is None:
                return adamw.run(self._net, loss, rows)[1]
            bags = _bags(items, ptr, validation.numpy())
            return adamw.run(self._net, loss, rows, error)[1]

    def predict(self, table: GenotypeTable) -> Floats:
        """See `Baseline`."""
        items, ptr, _ = self._items(self._cell, table)
        with torch.no_grad():
            parts = [
                self._net(*_bags(items, ptr, rows))[0].numpy()
                for rows in np.array_split(np.arange(len(table)), max(1, len(table) // 4096))
            ]
        return finish(np.concatenate(parts), self._scaler, table)


class _Net(nn.Module):
    def __init__(self, size: int, hidden: int, first_relu: bool, large: LargeScreen | None = None) -> None:
        super().__init__()
        self.vectors = nn.EmbeddingBag(size, hidden, mode="sum")
        self.bias = nn.Parameter(torch.zeros(hidden))
        if first_relu:
            bound = max(1, size) ** -0.5  # as nn.Linear(size, hidden) would; 0 without a metabolic model
            nn.init.uniform_(self.vectors.weight, -bound, bound)
        width = hidden if large is None else 2 * hidden
        self.first = nn.ReLU() if first_relu else nn.Sequential(nn.Linear(width, hidden), nn.ReLU())
        self.rest = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, len(schema.LABELS)))
        self.large = large
        if large is not None:
            with torch.no_grad():
                self.vectors.weight.mul_(large.scale)

    def forward(self, items: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """Labels (n, 2) and the penalty of the vectors used."""
        total = self.vectors(items, offsets)
        x, penalty = total + self.bias, total.new_zeros(())
        if self.large is not None:  # sum_{i < j} e_i e_j = ((sum_i e_i)^2 - sum_i e_i^2) / 2
            squares = nn.functional.embedding_bag(items, self.vectors.weight.square(), offsets, mode="sum")
            x = torch.cat([x, (total.square() - squares) / 2], dim=1)
            penalty = self.large.penalty * squares.sum(1).mean()
        return self.rest(self.first(x)), penalty

    def fill(self, items: Rows) -> None:
        """Give all other items the mean vector of these."""
        seen = torch.zeros(self.vectors.num_embeddings, dtype=torch.bool)
        seen[torch.from_numpy(items)] = True
        if seen.any():
            with torch.no_grad():
                self.vectors.weight[~seen] = self.vectors.weight[seen].mean(0)


def deleted_genes(cell: CellGraph, table: GenotypeTable) -> tuple[Rows, Rows, int]:
    """The deleted genes as items: (K,), (n + 1,), N_g."""
    return table.genes.astype(np.int64), table.ptr, cell.num_nodes(schema.GENE)


def lost_reactions(cell: CellGraph, table: GenotypeTable) -> tuple[Rows, Rows, int]:
    """The reactions that a genotype loses, and as separate items those that each of its single deletions loses.

    A reaction that is lost only by several deletions together has the first item without the second; one that several
    deletions lose alone has the second item several times. There are two items for each reaction of the model.
    """
    whole = cell.knock_out(table.genes, table.ptr)
    single = cell.knock_out(table.genes, np.arange(len(table.genes) + 1))
    single_ptr = single.group_ptr[table.ptr]
    size = len(cell.group_names)
    lengths = np.diff(whole.group_ptr) + np.diff(single_ptr)
    ptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    owner = np.concatenate([np.repeat(np.arange(len(table)), np.diff(p)) for p in (whole.group_ptr, single_ptr)])
    items = np.concatenate([whole.groups, single.groups + size])
    return items[np.argsort(owner, kind="stable")], ptr, 2 * size


def _bags(items: Rows, ptr: Rows, rows: Sequence[int] | Rows) -> tuple[Tensor, Tensor]:
    """Items and offsets (len(rows),) of these genotypes, as `nn.EmbeddingBag` takes them."""
    positions, offsets = ragged(ptr, np.asarray(rows))
    return torch.from_numpy(items[positions]), torch.from_numpy(offsets)


def _masked_mse(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared error over the rows that have a label, averaged over the labels."""
    known = torch.isfinite(target)
    error = (predicted - torch.where(known, target, predicted.detach())).square()
    return (error.sum(0) / known.sum(0).clamp(min=1)).mean()
