r"""What follows every convolution: LayerNorm over a node's features, ReLU, dropout.

.. math:: y = m \odot \mathrm{ReLU}\big(\gamma \odot \hat x + \beta\big), \qquad
          \hat x = \frac{x - \mathrm{mean}(x)}{\sqrt{\mathrm{var}(x) + \epsilon}}

One function here, because an engine may do it in one pass over the rows instead of four.
"""

from __future__ import annotations

import dataclasses

from torch import Tensor
from torch.nn.functional import layer_norm, relu


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
    rows: Tensor | None,
    bias: Tensor | None = None,
    onto: Tensor | None = None,
) -> Tensor:
    """LayerNorm, ReLU and dropout.

    Parameters
    ----------
    x : Tensor (N, B, h)
        Or packed rows (P, 1, h).
    norm : Norm
    mask : Tensor (N, 1, h) or None
        What dropout multiplies with; None outside training.
    rows : Tensor (P,) or None
        Node of each packed row.
    bias : Tensor (h,) or None
        Of the convolution, added to x.
    onto : Tensor (N, B, h) or None
        Blocks that this one is added to, maybe in place.
    """
    x = x if bias is None else x + bias
    y = relu(layer_norm(x, norm.weight.shape, norm.weight, norm.bias, norm.eps))
    y = y if mask is None else y * of_rows(mask, rows)
    return y if onto is None else onto + y


def of_rows(mask: Tensor, rows: Tensor | None) -> Tensor:
    """The mask (N, 1, h) of nodes, or of the nodes of packed rows."""
    return mask if rows is None else mask.index_select(0, rows)
