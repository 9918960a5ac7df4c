"""Softmax attention over sets of which some members are absent: the dense forms, and what every engine agrees on.

Owns the constants of graph attention and the two dense operators that pooling and the set encoder share. Knows no
graph: the softmax over the in-edges of a node belongs to the engines.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

Alive = Mapping[str, Tensor]  # node type -> (N, B) bool, True = survives; a type that is left out survives whole

SLOPE = 0.2  # of the LeakyReLU inside every attention score
ABSENT = -1e30  # score of an absent member: exp(ABSENT - max) is exactly 0, and unlike -inf it never makes a NaN


def full_precision(x: Tensor) -> Tensor:
    """`x` in float32 if it is a half type (autocast made it so), else unchanged: sums and softmax need the mantissa."""
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
