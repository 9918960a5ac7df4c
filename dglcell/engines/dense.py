"""Shared by the plain engines: dense states (N, B, h), with a row for every node of every genotype."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor
from torch.nn.functional import linear

from dglcell.engines.operators import Alive, Norm, block


class DenseStates:
    """The part of `dglcell.engines.base.Engine` that is the same for every engine with dense states."""

    recompute = True

    def plan(self, alive: Alive, layers: int, wild: Sequence[Mapping[str, Tensor]] | None = None) -> Sequence[Alive]:
        """See `Engine.plan`: every layer needs the surviving nodes and nothing else."""
        return [alive] * layers

    def carry(self, x: Tensor, node_type: str, plan: Alive | None) -> Tensor:
        """See `Engine.carry`."""
        return x

    def complete(self, x: Tensor, node_type: str, plan: Alive | None) -> Tensor:
        """See `Engine.complete`."""
        return x

    def wild_type(self, states: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
        """See `Engine.wild_type`: no genotype's states are those of the wild type."""
        return None

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """See `Engine.linear`."""
        return linear(x, weight, bias)

    def block(
        self,
        x: Tensor,
        norm: Norm,
        mask: Tensor | None,
        node_type: str,
        plan: Alive | None,
        onto: Tensor | None = None,
    ) -> Tensor:
        """See `Engine.block`."""
        return block(x, norm, mask, None, onto)
