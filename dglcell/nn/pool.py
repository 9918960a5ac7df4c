"""Attentional pooling of a set of states into one vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from dglcell.nn.tokens import Tokens
from dglcell.ops import attention
from dglcell.ops.attention import full_precision
from dglcell.ops.engines import Engine, Where


class AttentionalPool(nn.Module):
    r"""Attentional aggregation.

    .. math:: z = \sum_i \mathrm{softmax}_i(\mathrm{gate}(x_i))\; \mathrm{ReLU}(A x_i + c)

    with `gate` = linear h -> h/2, ReLU, linear -> 1. The empty set pools to 0.

    Parameters
    ----------
    hidden : int
        Width h.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(hidden, max(1, hidden // 2)), nn.ReLU(), nn.Linear(max(1, hidden // 2), 1))
        self.value = nn.Linear(hidden, hidden)

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return relu(self.value(x)), self.gate(x).squeeze(-1)

    def forward(self, engine: Engine, x: Tensor, where: Where) -> Tensor:
        """Pool surviving genes: (N_g, B, h) -> (B, h), or one row for each graph of a `dgl.batch`."""
        values, scores = self._parts(x)
        return engine.pool(values, scores, where)

    def padded(self, x: Tensor, present: Tensor) -> Tensor:
        """Pool padded sets: (T, B, h) and (T, B) bool -> (B, h)."""
        values, scores = self._parts(x)
        return attention.pool(values, scores, present)

    def sets(self, x: Tensor, tokens: Tokens) -> Tensor:
        """Pool the sets of a batch: (K, h) -> (B, h)."""
        values, scores = self._parts(x)
        pooled = [full_precision(values).new_zeros(1, values.shape[1])]  # of the empty set
        for bucket in tokens.buckets:
            index = bucket.index.T.flatten()
            shape = bucket.index.T.shape
            members = values.index_select(0, index).view(*shape, -1), scores.index_select(0, index).view(shape)
            pooled.append(attention.pool(*members, bucket.present.T))
        return torch.cat(pooled).index_select(0, tokens.order)
