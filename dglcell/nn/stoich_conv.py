"""The stoichiometric hypergraph convolution, as a layer with weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dglcell.engines.base import Engine, LayerPlan
from dglcell.schema import METABOLITE


class StoichConv(nn.Module):
    r"""Signed, weighted hypergraph convolution (after Bai et al., arXiv:1901.08150), in two message steps.

    .. math::

        U = B^{-1} \tilde S^T X W, \qquad Y = D^{-1} \tilde S U + b, \qquad \tilde S_{mr} = S_{mr}\, g_m\, \alpha_{mr}

        g_m = \sigma(w \cdot x_m + c), \qquad
        \alpha_{mr} = \mathrm{softmax}_m\; \mathrm{LeakyReLU}_{0.2}\big(a \cdot [W x_m \Vert W e_r]\big)

    ``B_r`` and ``D_m`` are the sums of ``|S|`` over surviving incidences; where one is 0 the result is 0. The softmax
    is over the surviving metabolites of a reaction, per head, with ``e_r`` the reaction state that enters the layer.
    ``g`` and ``alpha`` are 1 when off.

    Parameters
    ----------
    hidden, heads : int
        Width h and attention heads H (H divides h; without attention they do not matter).
    gate, attention : bool
        Whether ``g`` and ``alpha`` are learned.
    second_step : bool
        Whether Y is computed; b exists only then.

    Examples
    --------
    >>> import dglcell
    >>> from dglcell.engines.choice import make_engine
    >>> cell = dglcell.build_cell(model="textbook")
    >>> engine = make_engine("torch", cell.dgl, "cpu")
    >>> conv = StoichConv(hidden=64, heads=2, gate=True, attention=True)
    >>> x, e = torch.randn(69, 1, 64), torch.randn(171, 1, 64)  # states of metabolites and reaction nodes
    >>> u, y = conv(engine, x, e, None)
    >>> u.shape, y.shape
    (torch.Size([171, 1, 64]), torch.Size([69, 1, 64]))
    """

    def __init__(self, hidden: int, heads: int, gate: bool, attention: bool, second_step: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.weight = nn.Linear(hidden, hidden, bias=False)
        nn.init.xavier_uniform_(self.weight.weight)
        self.gate = nn.Linear(hidden, 1) if gate else None
        self.a_metabolite = self.a_reaction = None
        if attention:
            self.a_metabolite = nn.Parameter(nn.init.xavier_uniform_(torch.empty(heads, hidden // heads)))
            self.a_reaction = nn.Parameter(nn.init.xavier_uniform_(torch.empty(heads, hidden // heads)))
        self.bias = nn.Parameter(torch.zeros(hidden)) if second_step else None

    def forward(self, engine: Engine, x: Tensor, e: Tensor, plan: LayerPlan) -> tuple[Tensor, Tensor | None]:
        """Convolve metabolite states.

        Parameters
        ----------
        engine : Engine
        x : Tensor (N_m, B, h)
            Metabolite states.
        e : Tensor (N_r, B, h)
            Reaction states that enter the layer; used only by attention.
        plan : None or element of `Engine.plan`

        Returns
        -------
        U : Tensor (N_r, B, h)
        Y : Tensor (N_m, B, h) or None
            None without the second step.
        """
        projected = self._project(engine, x)
        alpha = self._attention(engine, projected, e, plan)
        # g_m does not depend on the reaction: on the way in it scales the sender, on the way out the receiver.
        gate = None if self.gate is None else torch.sigmoid(self.gate(x)).unsqueeze(-1)
        messages = projected if gate is None else projected * gate
        u = engine.to_reactions(messages, alpha, plan)
        if self.bias is None:
            return u.flatten(2), None
        y = engine.to_metabolites(u, alpha, plan)
        if gate is not None:
            y = y * engine.carry(gate, METABOLITE, plan)
        return u.flatten(2), y.flatten(2) + self.bias

    def _attention(self, engine: Engine, projected: Tensor, e: Tensor, plan: LayerPlan) -> Tensor | None:
        if self.a_metabolite is None or self.a_reaction is None:
            return None
        q_m = (projected * self.a_metabolite).sum(-1)
        q_r = (self._project(engine, e) * self.a_reaction).sum(-1)
        return engine.stoich_attention(q_m, q_r, plan)

    def _project(self, engine: Engine, x: Tensor) -> Tensor:
        """`W x`: (N, B, h) -> (N, B, H, D)."""
        return engine.linear(x, self.weight.weight, None).view(*x.shape[:2], self.heads, x.shape[2] // self.heads)
