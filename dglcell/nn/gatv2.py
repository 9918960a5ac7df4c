"""Graph attention over one relation, as a layer with weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dglcell.engines.base import Engine, LayerPlan


class GATv2(nn.Module):
    r"""GATv2 (Brody et al., arXiv:2105.14491).

    .. math::

        y_i = \big\Vert_{k=1}^{H} \sum_j \alpha^k_{ij} (W_s x_j)^k + b, \qquad
        \alpha^k_{ij} = \mathrm{softmax}_j\; a^k \cdot \mathrm{LeakyReLU}_{0.2}(W_s x_j + W_d x_i)^k

    over the surviving in-edges of i; a node without one gets ``b``.

    Parameters
    ----------
    hidden : int
        Width h of inputs and outputs.
    heads : int
        H, a divisor of `hidden`; each head is h / H wide.

    Examples
    --------
    >>> import dglcell
    >>> from dglcell.engines.choice import make_engine
    >>> cell = dglcell.build_cell(model="textbook")
    >>> engine = make_engine("torch", cell.dgl, "cpu")
    >>> conv = GATv2(hidden=64, heads=2)
    >>> x = torch.randn(137, 1, 64)  # (N_g, B, h): one genotype, the wild type
    >>> conv(engine, "physical_interaction", x, x, None).shape
    torch.Size([137, 1, 64])
    """

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.source = nn.Linear(hidden, hidden)
        self.target = nn.Linear(hidden, hidden)
        self.a = nn.Parameter(torch.empty(heads, hidden // heads))
        self.bias = nn.Parameter(torch.zeros(hidden))
        for linear in (self.source, self.target):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)
        nn.init.xavier_uniform_(self.a)

    def forward(self, engine: Engine, relation: str, x_src: Tensor, x_dst: Tensor, plan: LayerPlan) -> Tensor:
        """Convolve: (N_src, B, h), (N_dst, B, h) -> (N_dst, B, h).

        Parameters
        ----------
        engine : Engine
        relation : str
        x_src, x_dst : Tensor
            States of the relation's source and target type; B may be 1.
        plan : LayerPlan
            None for the wild type.
        """
        source = engine.linear(x_src, self.source.weight, self.source.bias)
        target = engine.linear(x_dst, self.target.weight, self.target.bias)
        source, target = (x.view(*x.shape[:2], *self.a.shape) for x in (source, target))
        return engine.gatv2(relation, source, target, self.a, self.bias.view_as(self.a), plan).flatten(2)
