r"""The stoichiometric hypergraph convolution: its normalisation, the same in every engine.

Signed, weighted form of hypergraph convolution (Bai et al., arXiv:1901.08150). With ``S`` the stoichiometric matrix
(metabolite x reaction node) and ``S~_mr = S_mr g_m alpha_mr``:

.. math::

    U = B^{-1} \tilde S^T X W \quad (\text{metabolite} \to \text{reaction}), \qquad
    Y = D^{-1} \tilde S U + b \quad (\text{reaction} \to \text{metabolite})

    B_r = \sum_m |S_{mr}|, \qquad D_m = \sum_r |S_{mr}|

The sums run over the surviving incidences of `S`, not of ``S~``: a closed gate lowers a message instead of being
divided away. An engine computes ``S~^T X`` and ``S~ U``; gate, ``W`` and ``b`` belong to the layer.
"""

from __future__ import annotations

import torch
from torch import Tensor


def normalise(total: Tensor, norm: Tensor) -> Tensor:
    """`total / norm`, and 0 where `norm` is 0 (no surviving incidence, or a stoichiometry of 0).

    Parameters
    ----------
    total : Tensor (N, B, H, D)
        Signed sums over incidences.
    norm : Tensor (N, B or 1)
        Sums of ``|S|`` over surviving incidences, without gradient.
    """
    inverse = torch.where(norm > 0, 1.0 / norm, torch.zeros_like(norm))
    return total * inverse[:, :, None, None]
