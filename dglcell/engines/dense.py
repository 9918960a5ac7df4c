"""What the engines share whose states are (N, B, h): a row for every node of every genotype, none of them packed."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import linear

from dglcell.engines.attention import Alive
from dglcell.engines.block import Norm, block


class DenseStates:
    """The bookkeeping part of `dglcell.engines.base.Engine` for states without packed rows."""

    recompute = True
    wild_type_first = False

    def plan(self, alive: Alive, layers: int, known: bool = False) -> Sequence[Alive]:
        """See `Engine.plan`."""
        return [alive] * layers

    def carry(self, x: Tensor, node_type: str, where: Alive | None) -> Tensor:
        """See `Engine.carry`."""
        return x

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """See `Engine.linear`."""
        return linear(x, weight, bias)

    def block(
        self,
        x: Tensor,
        norm: Norm,
        mask: Tensor | None,
        node_type: str,
        where: Alive | None,
        bias: Tensor | None = None,
        onto: Tensor | None = None,
    ) -> Tensor:
        """See `Engine.block`."""
        return block(x, norm, mask, None, bias, onto)
