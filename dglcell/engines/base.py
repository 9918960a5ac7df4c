"""The interface of a compute back end: the graph operators of the model, bound to one heterograph on one device.

An engine holds no weights. `dgl` (message functions) is the reference; `torch` (gather and scatter over CSC and CSR
arrays) runs on any device; `fused` (`engines.numba`, `engines.triton`) is an optional, faster one. A further engine is
one more class with these methods and one more entry in `engines.choice`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from dglcell.engines.node_masks import NodeMasks
from dglcell.engines.operators import Norm

# What an engine prepared for one layer of a pass of genotypes; None for a pass of the wild type. Each engine has its
# own type.
LayerPlan = Any


@runtime_checkable
class Engine(Protocol):
    """The graph operators of the model, bound to one heterograph.

    States are (N, B, H, D): nodes, genotypes, heads, width of a head. B may be 1 in any argument and then broadcasts:
    until the first masked operator all genotypes share one state. An engine may lay states out in its own way between
    `plan` and `pool`; layers work on the last axis alone and never index nodes or genotypes. An edge survives a
    deletion if both its ends do, and only surviving edges send. All methods are differentiable and accept float32 and
    float64; half types are computed and returned in float32.

    Attributes
    ----------
    name : str
        As in the setting `engine`.
    device : torch.device
        The device of all arguments.
    num_nodes : dict of str to int
        Nodes of each type.
    num_graphs : int
        1, or the number of graphs in a `dgl.batch`, which needs B = 1.
    recompute : bool
        Whether a layer keeps so much for its gradient that it should be recomputed even with a single chunk.
    """

    name: str
    device: torch.device
    num_nodes: dict[str, int]
    num_graphs: int
    recompute: bool

    def plan(
        self, alive: NodeMasks, layers: int, wild: Sequence[Mapping[str, Tensor]] | None = None
    ) -> Sequence[LayerPlan]:
        """Prepare a pass of genotypes through the layers.

        Parameters
        ----------
        alive : NodeMasks
            Of B genotypes.
        layers : int
            At least 1.
        wild : sequence, optional
            The wild type's states after every layer, if they are known already; an engine may use them instead of
            computing them again.

        Returns
        -------
        sequence of LayerPlan
            One for each layer, for the operators of that layer.
        """
        ...

    def carry(self, x: Tensor, node_type: str, plan: LayerPlan) -> Tensor:
        """States before a layer, in the layout of those after it."""
        ...

    def complete(self, x: Tensor, node_type: str, plan: LayerPlan) -> Tensor:
        """New states of a node type, ready for the next layer; may be in place."""
        ...

    def wild_type(self, states: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
        """The wild type's states (N, 1, h) from those of a pass of genotypes; None if they were not computed."""
        ...

    def gatv2(self, relation: str, x_src: Tensor, x_dst: Tensor, a: Tensor, bias: Tensor, plan: LayerPlan) -> Tensor:
        """Graph attention with dynamic scores (Brody et al., arXiv:2105.14491).

        ``y_i = sum_j alpha_ij x_j + b``, ``alpha`` = softmax over the surviving in-edges of i of
        ``a . LeakyReLU_0.2(x_j + x_i)``.

        Parameters
        ----------
        relation : str
            Its source type sends, its target type receives.
        x_src : Tensor (N_src, B, H, D)
            ``W_s x`` of the sources.
        x_dst : Tensor (N_dst, B, H, D)
            ``W_d x`` of the targets.
        a, bias : Tensor (H, D)
        plan : LayerPlan

        Returns
        -------
        Tensor (N_dst, B, H, D)
            ``b`` for a node without a surviving in-edge.
        """
        ...

    def stoich_attention(self, q_m: Tensor, q_r: Tensor, plan: LayerPlan) -> Tensor:
        """Softmax over the surviving metabolites of each reaction of ``LeakyReLU_0.2(q_m + q_r)``.

        Parameters
        ----------
        q_m : Tensor (N_m, B, H)
        q_r : Tensor (N_r, B, H)
        plan : LayerPlan

        Returns
        -------
        Tensor (E, B, H)
            In the engine's own sequence of incidences, only for its `to_reactions` and `to_metabolites`.
        """
        ...

    def to_reactions(self, x: Tensor, alpha: Tensor | None, plan: LayerPlan) -> Tensor:
        """``B^-1 (S * alpha)^T x``: (N_m, B, H, D) -> (N_r, B, H, D); see `dglcell.engines.operators.normalize`."""
        ...

    def to_metabolites(self, u: Tensor, alpha: Tensor | None, plan: LayerPlan) -> Tensor:
        """``D^-1 (S * alpha) u``: (N_r, B, H, D) -> (N_m, B, H, D); see `dglcell.engines.operators.normalize`."""
        ...

    def pool(self, values: Tensor, scores: Tensor, plan: LayerPlan) -> Tensor:
        """Attention-weighted sum over surviving genes, as `dglcell.engines.operators.pool`.

        Parameters
        ----------
        values : Tensor (N_g, B, h)
        scores : Tensor (N_g, B)
        plan : LayerPlan

        Returns
        -------
        Tensor (B, h)
            For a `dgl.batch` (num_graphs, h), one row for each graph. Without a surviving gene it is 0.
        """
        ...

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """``W x + b`` of every state: (N, B, k), (m, k), (m,) -> (N, B, m)."""
        ...

    def block(
        self, x: Tensor, norm: Norm, mask: Tensor | None, node_type: str, plan: LayerPlan, onto: Tensor | None = None
    ) -> Tensor:
        """LayerNorm, ReLU and dropout after a convolution onto a node type: `dglcell.engines.operators.block`."""
        ...

    def bytes_per_genotype(self, hidden: int, heads: int) -> int:
        """Peak bytes of one layer, forward and backward, for one more genotype in a chunk (float32)."""
        ...
