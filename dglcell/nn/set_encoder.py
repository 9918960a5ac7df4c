"""One vector for a set of deleted genes and lost reactions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dglcell.engines.operators import masked_softmax
from dglcell.nn.batch import GENE_TYPE, Tokens
from dglcell.nn.pooling import AttentionalPool

HEADS = 4
BLOCKS = 2
# Standard deviation of the initial type vectors. Jointly lost reactions are few; their type vector starts larger than
# their states, so that their common effect is learned before the effect of each of them.
_SPREAD = (0.1, 0.1, 3.0)
_LETHAL_SPREAD = 3.0  # standard deviation of the initial weights of structural lethality, for the same reason


class SelfAttentionBlock(nn.Module):
    r"""A pre-norm transformer block over a set (Set Transformer, arXiv:1810.00825): no positions, any size.

    .. math:: x \leftarrow x + \mathrm{MHA}(\mathrm{LN}(x)), \qquad x \leftarrow x + \mathrm{MLP}(\mathrm{LN}(x))

    The MLP is linear h -> 2h, ReLU, dropout (drawn per row), linear -> h.

    Parameters
    ----------
    hidden : int
        Width h, a multiple of 4 (the number of heads).
    dropout : float
        Of the MLP.
    """

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(hidden)
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)
        self.norm_mlp = nn.LayerNorm(hidden)
        self.mlp = nn.Sequential(
            nn.Linear(hidden, 2 * hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(2 * hidden, hidden)
        )

    def forward(self, x: Tensor, tokens: Tokens) -> Tensor:
        """Tokens (K, h) -> (K, h); each attends to those of its own set."""
        x = x + self.out(self._attend(self.qkv(self.norm_attention(x)), tokens))
        return x + self.mlp(self.norm_mlp(x))

    def _attend(self, qkv: Tensor, tokens: Tokens) -> Tensor:
        """Multi-head attention: (K, 3 h) -> (K, h)."""
        parts = [qkv.new_zeros(0, qkv.shape[1] // 3)]
        for bucket in tokens.buckets:
            picked = qkv.index_select(0, bucket.index.flatten()).view(*bucket.index.shape, 3, HEADS, -1)
            q, k, v = picked.permute(2, 0, 3, 1, 4)
            scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
            weights = masked_softmax(scores, bucket.present[:, None, None, :], dim=-1)
            parts.append((weights.to(v.dtype) @ v).transpose(1, 2).flatten(2).flatten(0, 1))
        return torch.cat(parts).index_select(0, tokens.place)


class SetEncoder(nn.Module):
    r"""Deleted genes and lost reactions -> ``z_p``; permutation-invariant, any number of deletions.

    .. math::

        z_p = P\,\big[\,\mathrm{pool}(\mathrm{SAB}(\mathrm{SAB}(\{x_i + t_{\mathrm{type}(i)}\}))),\;
        \log(1 + n_{\mathrm{genes}}),\; \log(1 + n_{\mathrm{reactions}})\,\big]

    Tokens are wild-type states plus one of three learned type vectors: deleted gene; reaction lost by one of the
    deletions alone; reaction lost only by several deletions together. A reaction of the metabolic model is lost if none
    of its nodes (isozyme alternative, direction) survives; its state is the mean over its nodes. A reaction that is
    lost only if both of two isozymes are deleted appears in the double deletion and in neither single one, which is how
    metabolic epistasis arises. A genotype that loses more than 32 reactions has one token for them, the mean of their
    states; the count stays exact. The empty set pools to 0, so ``z_p`` is then the bias of P.

    Parameters
    ----------
    hidden : int
        Width h, a multiple of 4.
    dropout : float
        Of the blocks' MLPs.
    structural_lethality : bool
        Add two numbers: whether one deletion alone is structurally lethal, and whether only all of them together are.
    """

    def __init__(self, hidden: int, dropout: float, structural_lethality: bool = False) -> None:
        super().__init__()
        self.types = nn.Parameter(torch.randn(3, hidden) * torch.tensor(_SPREAD).unsqueeze(-1))
        self.blocks = nn.ModuleList(SelfAttentionBlock(hidden, dropout) for _ in range(BLOCKS))
        self.pool = AttentionalPool(hidden)
        self.project = nn.Linear(hidden + (4 if structural_lethality else 2), hidden)
        if structural_lethality:
            with torch.no_grad():
                self.project.weight[:, -2:] = torch.randn(hidden, 2) * _LETHAL_SPREAD

    def forward(self, genes: Tensor, reactions: Tensor, tokens: Tokens, lethal: Tensor | None = None) -> Tensor:
        """Encode B sets.

        Parameters
        ----------
        genes : Tensor (K_g, h)
            States of `tokens.genes`.
        reactions : Tensor (R, h)
            States of `tokens.groups`.
        tokens : Tokens
        lethal : Tensor (B, 2) or None
            `Batch.structural_lethality`, with the setting of this name.

        Returns
        -------
        Tensor (B, h)
        """
        reactions = reactions + self.types.index_select(0, tokens.types)
        if tokens.merged is not None:
            token, share = tokens.merged
            weighted = reactions * share.to(reactions.dtype).unsqueeze(-1)
            reactions = reactions.new_zeros(tokens.reactions, reactions.shape[1]).index_add(0, token, weighted)
        x = torch.cat([genes + self.types[GENE_TYPE], reactions])
        for block in self.blocks:
            x = block(x, tokens)
        pooled = self.pool.sets(x, tokens)
        numbers = [torch.log1p(tokens.counts.to(pooled.dtype))]
        if lethal is not None:
            numbers.append(lethal.to(pooled.dtype))
        return self.project(torch.cat([pooled, *numbers], dim=-1))
