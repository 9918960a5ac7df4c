r"""Operators that all engines and layers share, in their plain dense form.

Softmax and pooling over sets with absent members; the block that follows every convolution; the normalization of the
stoichiometric convolution. The softmax over the in-edges of a node is part of the engines.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, relu

Alive = Mapping[str, Tensor]  # node type -> (N, B) bool, True = survives; a type that is left out survives whole

SLOPE = 0.2  # of the LeakyReLU inside every attention score
ABSENT = -1e30  # score of an absent member: exp(ABSENT - max) is exactly 0, and unlike -inf it never makes a NaN


def full_precision(x: Tensor) -> Tensor:
    """`x` in float32 if it is a half type (from autocast), else unchanged: sums and softmax need the precision."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def masked_softmax(scores: Tensor, present: Tensor | None, dim: int) -> Tensor:
    r"""Softmax over the present members along `dim`; 0 where absent, all 0 where nothing is present.

    .. math:: \alpha_i = \frac{p_i \exp s_i}{\sum_j p_j \exp s_j}, \qquad p_i \in \{0, 1\}

    Parameters
    ----------
    scores : Tensor
        Any shape.
    present : Tensor or None
        Bool, broadcastable with `scores`; None means all.
    dim : int
        The axis of the set.

    Returns
    -------
    Tensor
        The broadcast shape, float32 or float64. No NaN, neither forward nor backward.
    """
    scores = full_precision(scores)
    if present is None:
        return torch.softmax(scores, dim)
    scores = torch.where(present, scores, ABSENT)
    return torch.softmax(scores, dim) * present


def pool(values: Tensor, scores: Tensor, present: Tensor | None) -> Tensor:
    r"""Attention-weighted sum over the first axis.

    .. math:: z_b = \sum_i \mathrm{softmax}_i(s_{ib})\, v_{ib}

    Parameters
    ----------
    values : Tensor (N, B, h)
    scores : Tensor (N, B)
    present : Tensor (N, B) of bool, or None

    Returns
    -------
    Tensor (B, h)
        B is the largest of the three. A set without a present member gives 0.
    """
    weights = masked_softmax(scores, present, dim=0)
    return (weights.unsqueeze(-1) * full_precision(values)).sum(0)


@dataclasses.dataclass(frozen=True, eq=False)
class Norm:
    """LayerNorm: ``gamma`` and ``beta`` (h,), and ``epsilon``."""

    weight: Tensor
    bias: Tensor
    eps: float


def block(
    x: Tensor,
    norm: Norm,
    mask: Tensor | None,
    rows: Tensor | None = None,
    onto: Tensor | None = None,
) -> Tensor:
    r"""The block that follows every convolution: LayerNorm over a node's features, ReLU, dropout.

    .. math:: y = m \odot \mathrm{ReLU}\big(\gamma \odot \hat x + \beta\big), \qquad
              \hat x = \frac{x - \mathrm{mean}(x)}{\sqrt{\mathrm{var}(x) + \epsilon}}

    Parameters
    ----------
    x : Tensor (N, B, h)
        Or packed rows (P, 1, h).
    norm : Norm
    mask : Tensor (N, 1, h) or None
        Factors of dropout; None outside training.
    rows : Tensor (P,) or None
        Node of each packed row.
    onto : Tensor (N, B, h) or None
        Sum of other blocks, to which this one is added, possibly in place.
    """
    y = relu(layer_norm(x, norm.weight.shape, norm.weight, norm.bias, norm.eps))
    y = y if mask is None else y * of_rows(mask, rows)
    return y if onto is None else onto + y


def of_rows(mask: Tensor, rows: Tensor | None) -> Tensor:
    """The mask (N, 1, h) of nodes, or of the nodes of packed rows."""
    return mask if rows is None else mask.index_select(0, rows)


def normalize(total: Tensor, norm: Tensor) -> Tensor:
    r"""`total / norm`, and 0 where `norm` is 0 (no surviving incidence, or a stoichiometry of 0).

    The last step of the signed, weighted hypergraph convolution (Bai et al., arXiv:1901.08150). With ``S`` the
    stoichiometric matrix (metabolite x reaction node) and ``S~_mr = S_mr g_m alpha_mr``:

    .. math::

        U = B^{-1} \tilde S^T X W \quad (\text{metabolite} \to \text{reaction}), \qquad
        Y = D^{-1} \tilde S U + b \quad (\text{reaction} \to \text{metabolite})

        B_r = \sum_m |S_{mr}|, \qquad D_m = \sum_r |S_{mr}|

    The sums run over the surviving incidences of `S`, not of ``S~``: a closed gate lowers a message instead of being
    divided away. An engine computes ``S~^T X`` and ``S~ U``; gate, ``W`` and ``b`` belong to the layer.

    Parameters
    ----------
    total : Tensor (N, B, H, D)
        Signed sums over incidences.
    norm : Tensor (N, B or 1)
        Sums of ``|S|`` over surviving incidences, without gradient.
    """
    inverse = torch.where(norm > 0, 1.0 / norm, torch.zeros_like(norm))
    return total * inverse[:, :, None, None]
