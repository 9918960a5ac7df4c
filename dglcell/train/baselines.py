"""Simple models that every report is read against: if one of them does as well, the graph added nothing.

All share one small interface, `fit` on the training rows and `predict` on the original scale. None passes a message
along the network: `mean` and `gene-ridge` know the deleted genes at most, `embedding-mlp` learns a vector for each, and
`lost-reactions-mlp` knows the gene rules but not what reactions turn into what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dglcell import schema
from dglcell.errors import UsageError
from dglcell.genotypes.scaling import Scaler

if TYPE_CHECKING:
    from dglcell.genotypes.dataset import GenotypeTable
    from dglcell.graph.cell import CellGraph

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


class Baseline(Protocol):
    """What evaluation and the demo ask of a baseline."""

    name: str

    def fit(self, cell: CellGraph, table: GenotypeTable, rows: Rows, seed: int = 0) -> Self:
        """Learn from these rows of the table; a missing label is left out."""

    def predict(self, table: GenotypeTable) -> Floats:
        """(n, 2) labels in the order of `schema.LABELS`; NaN where undefined or never trained on."""


class Mean:
    """The mean of the training labels, of interactions by order of deletion."""

    name = "mean"

    def fit(self, cell: CellGraph, table: GenotypeTable, rows: Rows, seed: int = 0) -> Self:
        """See `Baseline`."""
        self._scaler = Scaler.fit(table, rows)
        return self

    def predict(self, table: GenotypeTable) -> Floats:
        """See `Baseline`."""
        return _finish(np.zeros((len(table), len(schema.LABELS)), np.float32), self._scaler, table)


class GeneRidge:
    """Additive ridge regression: one coefficient a deleted gene, `y = b + sum_{g in S} w_g`.

    `min |y - b - X w|^2 + penalty |w|^2` with the deletion indicator X `(n, N_g)`, sparse, each label on its own rows.
    The penalty is chosen from `penalties` on a tenth of the training rows. A gene without a training row has `w_g = 0`.
    """

    name = "gene-ridge"
    penalties = (0.1, 1.0, 10.0, 100.0)

    def fit(self, cell: CellGraph, table: GenotypeTable, rows: Rows, seed: int = 0) -> Self:
        """See `Baseline`."""
        self._scaler = Scaler.fit(table, rows)
        self._num_genes = cell.num_nodes(schema.GENE)
        train = table.take(rows)
        x, y = self._indicator(train), self._scaler.transform(train.targets, train.orders)
        held_out = np.random.default_rng(seed).permutation(len(train)) < len(train) // 10
        self._weights = np.zeros((self._num_genes + 1, y.shape[1]))
        for k in range(y.shape[1]):
            known = np.isfinite(y[:, k])
            self._weights[:, k] = self._choose(x[known], y[known, k], held_out[known])
        return self

    def predict(self, table: GenotypeTable) -> Floats:
        """See `Baseline`."""
        return _finish((self._indicator(table) @ self._weights).astype(np.float32), self._scaler, table)

    def _choose(self, x: Any, y: Floats, held_out: NDArray[np.bool_]) -> NDArray[np.float64]:
        best = self.penalties[0]
        if held_out.any() and not held_out.all():
            fits = [(_ridge(x[~held_out], y[~held_out], penalty), penalty) for penalty in self.penalties]
            best = min(fits, key=lambda fit: float(np.square(x[held_out] @ fit[0] - y[held_out]).sum()))[1]
        return _ridge(x, y, best)

    def _indicator(self, table: GenotypeTable) -> Any:
        """(n, N_g + 1) sparse, the last column all 1."""
        from scipy.sparse import csr_matrix, hstack

        shape = (len(table), self._num_genes)
        deleted = csr_matrix((np.ones(len(table.genes)), table.genes, table.ptr), shape=shape)
        return hstack([deleted, np.ones((len(table), 1))], format="csr")


class BagMlp:
    """An MLP on the sum of one learned vector an item, for items that a genotype has in any number and order.

    `y = W_2 relu(W_1 x + b_1) + b_2` with `x = f(sum_{i in bag} e_i + b_0)`. With genes as items, f is one more linear
    layer with ReLU: a gene-embedding MLP. With lost reactions, f is the ReLU alone: the sum is then the first linear
    layer of an MLP on their 0/1 vector, computed without making that vector.

    Parameters
    ----------
    name : str
    items : callable
        (cell, table) -> items (K,), offsets (n + 1,), size of the vocabulary.
    first_relu : bool
        f is the ReLU alone.
    hidden, epochs, batch_size, lr, weight_decay
        Width of all layers, and the AdamW run with MSE on standardised labels.
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
    ) -> None:
        self.name = name
        self._items, self._first_relu, self._hidden = items, first_relu, hidden
        self._epochs, self._batch_size, self._lr, self._weight_decay = epochs, batch_size, lr, weight_decay

    def fit(self, cell: CellGraph, table: GenotypeTable, rows: Rows, seed: int = 0) -> Self:
        """See `Baseline`."""
        self._cell, self._scaler = cell, Scaler.fit(table, rows)
        train = table.take(rows)
        items, ptr, size = self._items(cell, train)
        targets = torch.from_numpy(self._scaler.transform(train.targets, train.orders))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._net = _Net(size, self._hidden, self._first_relu)
            optimiser = torch.optim.AdamW(self._net.parameters(), lr=self._lr, weight_decay=self._weight_decay)
            for _ in range(self._epochs):
                for batch in torch.split(torch.randperm(len(train)), self._batch_size):
                    loss = _masked_mse(self._net(*_bags(items, ptr, batch.numpy())), targets[batch])
                    optimiser.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
        return self

    def predict(self, table: GenotypeTable) -> Floats:
        """See `Baseline`."""
        items, ptr, _ = self._items(self._cell, table)
        with torch.no_grad():
            parts = [
                self._net(*_bags(items, ptr, rows)).numpy()
                for rows in np.array_split(np.arange(len(table)), max(1, len(table) // 4096))
            ]
        return _finish(np.concatenate(parts), self._scaler, table)


class _Net(nn.Module):
    def __init__(self, size: int, hidden: int, first_relu: bool) -> None:
        super().__init__()
        self.vectors = nn.EmbeddingBag(size, hidden, mode="sum")
        self.bias = nn.Parameter(torch.zeros(hidden))
        if first_relu:
            nn.init.uniform_(self.vectors.weight, -(size**-0.5), size**-0.5)  # as nn.Linear(size, hidden) would
        self.first = nn.ReLU() if first_relu else nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU())
        self.rest = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, len(schema.LABELS)))

    def forward(self, items: Tensor, offsets: Tensor) -> Tensor:
        out: Tensor = self.rest(self.first(self.vectors(items, offsets) + self.bias))
        return out


def deleted_genes(cell: CellGraph, table: GenotypeTable) -> tuple[Rows, Rows, int]:
    """The deleted genes as items: (K,), (n + 1,), N_g."""
    return table.genes.astype(np.int64), table.ptr, cell.num_nodes(schema.GENE)


def lost_reactions(cell: CellGraph, table: GenotypeTable) -> tuple[Rows, Rows, int]:
    """The reactions a genotype loses, and again, as items of their own, those that each single deletion loses.

    The second kind repeats for a reaction that several of the deletions lose alone, so a reaction lost only jointly is
    one with the first item and without the second. Two items a reaction of the model.
    """
    whole = cell.lose(table.genes, table.ptr)
    single = cell.lose(table.genes, np.arange(len(table.genes) + 1))
    single_ptr = single.group_ptr[table.ptr]
    size = len(cell.group_names)
    lengths = np.diff(whole.group_ptr) + np.diff(single_ptr)
    ptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    owner = np.concatenate([np.repeat(np.arange(len(table)), np.diff(p)) for p in (whole.group_ptr, single_ptr)])
    items = np.concatenate([whole.groups, single.groups + size])
    return items[np.argsort(owner, kind="stable")], ptr, 2 * size


_MAKERS: dict[str, Callable[[], Baseline]] = {
    Mean.name: Mean,
    GeneRidge.name: GeneRidge,
    "embedding-mlp": lambda: BagMlp("embedding-mlp", deleted_genes, first_relu=False),
    "lost-reactions-mlp": lambda: BagMlp("lost-reactions-mlp", lost_reactions, first_relu=True),
}
NAMES = tuple(_MAKERS)
QUICK = (Mean.name, GeneRidge.name)  # seconds on any screen: those that every report has


def make(name: str) -> Baseline:
    """A baseline by name, one of `NAMES`."""
    if name not in _MAKERS:
        raise UsageError(f"baseline {name!r} - one of {', '.join(NAMES)} was expected")
    return _MAKERS[name]()


def _finish(standardised: Floats, scaler: Scaler, table: GenotypeTable) -> Floats:
    """To the original scale, and NaN where a label is undefined at this order."""
    values = scaler.inverse(standardised, table.orders)
    for k, label in enumerate(schema.LABELS):
        values[table.orders < schema.MIN_ORDER[label], k] = np.nan
    return values


def _ridge(x: Any, y: Floats, penalty: float) -> NDArray[np.float64]:
    """Normal equations by conjugate gradients; the last column, the constant, is not penalised."""
    from scipy.sparse import diags
    from scipy.sparse.linalg import cg

    ridge = np.full(x.shape[1], penalty)
    ridge[-1] = 1e-8
    normal = (x.T @ x + diags(ridge)).tocsr()
    scale = 1 / normal.diagonal()
    solution: NDArray[np.float64] = cg(normal, x.T @ y.astype(np.float64), rtol=1e-8, maxiter=2000, M=diags(scale))[0]
    return solution


def _bags(items: Rows, ptr: Rows, rows: Sequence[int] | Rows) -> tuple[Tensor, Tensor]:
    """Items and offsets (len(rows),) of some genotypes, as EmbeddingBag takes them."""
    index = np.asarray(rows)
    lengths = ptr[index + 1] - ptr[index]
    ends = np.cumsum(lengths)
    positions = np.arange(ends[-1] if len(ends) else 0) + np.repeat(ptr[index] - (ends - lengths), lengths)
    return torch.from_numpy(items[positions]), torch.from_numpy(ends - lengths)


def _masked_mse(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean over labels of the mean squared error over the rows that have the label."""
    known = torch.isfinite(target)
    error = (predicted - torch.where(known, target, predicted.detach())).square()
    return (error.sum(0) / known.sum(0).clamp(min=1)).mean()
