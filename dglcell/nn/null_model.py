"""Interaction as the deviation from the multiplicative model of fitness."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dglcell.genotypes.scaler import Moments
from dglcell.nn.batch import Batch


class MultiplicativeNullModel(nn.Module):
    r"""Interaction of two deletions, computed from the predicted fitness of the double and of both single deletions.

    .. math:: \epsilon_{ij} = \hat f_{ij} - \hat f_i \hat f_j

    on the original scale, then standardized as the labels are. 0 for other numbers of deletions, whose scores need the
    fitness of all smaller sets. The fitness is that of the head, without the gene factorization machine.
    """

    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor([[0.0, 1.0], [0.0, 1.0]]))

    def set_moments(self, fitness: Moments, interaction: Moments) -> None:
        """Set mean and standard deviation of the training labels: fitness, and the interaction of pairs."""
        self.scale.copy_(torch.tensor([[m.mean, m.sd] for m in (fitness, interaction)]))

    def forward(self, batch: Batch, fitness: Tensor, singles: Tensor) -> Tensor:
        """Standardized interactions (B,).

        Parameters
        ----------
        batch : Batch
        fitness : Tensor (B,)
            Standardized predictions.
        singles : Tensor (R,)
            Those of `batch.singles`.
        """
        pairs, first, second = batch.pairs
        fitness, singles = (x * self.scale[0, 1] + self.scale[0, 0] for x in (fitness, singles))
        product = singles.index_select(0, first) * singles.index_select(0, second)
        epsilon = (fitness.index_select(0, pairs) - product - self.scale[1, 0]) / self.scale[1, 1]
        return torch.zeros_like(fitness).index_copy(0, pairs, epsilon)
