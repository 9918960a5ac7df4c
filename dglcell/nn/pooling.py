"""Attentional pooling of a set of states into one vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from dglcell.engines import operators
from dglcell.engines.base import Engine, LayerPlan
from dglcell.engines.operators import full_precision
from dglcell.nn.batch import Tokens

Parts = tuple[Tensor, Tensor]


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

    def _parts(self, x: Tensor, linear: Callable[[Tensor, Tensor, Tensor], Tensor] = functional.linear) -> Parts:
        """Values to pool and their scores; `linear` may be that of an engine."""
        first, last = cast(nn.Linear, self.gate[0]), self.gate[2]
        values = torch.relu_(linear(x, self.value.weight, self.value.bias))
        return values, last(torch.relu_(linear(x, first.weight, first.bias))).squeeze(-1)

    def forward(self, engine: Engine, x: Tensor, plan: LayerPlan) -> Tensor:
        """Pool surviving genes: (N_g, B, h) -> (B, h), or one row for each graph of a `dgl.batch`."""
        values, scores = self._parts(x, engine.linear)
        return engine.pool(values, scores, plan)

    def padded(self, x: Tensor, present: Tensor) -> Tensor:
        """Pool padded sets: (T, B, h) and (T, B) bool -> (B, h)."""
        values, scores = self._parts(x)
        return operators.pool(values, scores, present)

    def copies(self, x: Tensor, copies: Tensor, longest: int) -> Tensor:
        """Pool `copies[b]` copies of x (1, h) for each genotype: (B, h), the same vector for any number above 0."""
        present = torch.arange(longest, device=copies.device).unsqueeze(-1) < copies
        return self.padded(x.expand(longest, len(copies), -1), present)

    def sets(self, x: Tensor, tokens: Tokens) -> Tensor:
        """Pool the sets of a batch: (K, h) -> (B, h)."""
        values, scores = self._parts(x)
        pooled = [full_precision(values).new_zeros(1, values.shape[1])]  # of the empty set
        for bucket in tokens.buckets:
            index = bucket.index.T.flatten()
            shape = bucket.index.T.shape
            members = values.index_select(0, index).view(*shape, -1), scores.index_select(0, index).view(shape)
            pooled.append(operators.pool(*members, bucket.present.T))
        return torch.cat(pooled).index_select(0, tokens.row)
