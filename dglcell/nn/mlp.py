"""The small networks at both ends of the model."""

from __future__ import annotations

from torch import nn


def dense_block(width_in: int, width_out: int, dropout: float) -> list[nn.Module]:
    """Linear, LayerNorm, ReLU, dropout (drawn per row)."""
    return [nn.Linear(width_in, width_out), nn.LayerNorm(width_out), nn.ReLU(), nn.Dropout(dropout)]


def preprocessor(width_in: int, hidden: int, dropout: float) -> nn.Sequential:
    """The gene MLP: two layers, each with its own norm; (N_g, width_in) -> (N_g, h)."""
    return nn.Sequential(*dense_block(width_in, hidden, dropout), *dense_block(hidden, hidden, dropout))


def head(width_in: int, hidden: int, outputs: int, dropout: float) -> nn.Sequential:
    """A prediction head: linear, ReLU, dropout, linear; (B, width_in) -> (B, outputs).

    No LayerNorm: the size of ``z_w - z_i`` shows how much a deletion changes, and a norm would remove it.
    """
    return nn.Sequential(nn.Linear(width_in, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, outputs))
