"""One vector for a set of deleted genes and lost reactions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dglcell.nn.pool import AttentionalPool
from dglcell.ops.attention import masked_softmax

HEADS = 4
BLOCKS = 2
MAX_LOST = 32  # lost reactions that are tokens of their own
GENE_TYPE, ALONE_TYPE, JOINT_TYPE = range(3)
# Spread of the type vectors at the start. Jointly lost reactions are few; their common vector starts larger than their
# states, so that what they share is learnt before each of them is.
_SPREAD = (0.1, 0.1, 3.0)


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

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        """(B, T, h) and (B, T) bool -> (B, T, h); rows that are not present hold values that nothing reads."""
        q, k, v = (
            part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in self.qkv(self.norm_attention(x)).chunk(3, -1)
        )
        weights = masked_softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, present[:, None, None, :], dim=-1)
        mixed = (weights.to(v.dtype) @ v).transpose(1, 2).flatten(2)
        x = x + self.out(mixed)
        return x + self.mlp(self.norm_mlp(x))


class SetEncoder(nn.Module):
    r"""Deleted genes and lost reactions -> ``z_p``; permutation-invariant, any order of deletion.

    .. math::

        z_p = P\,\big[\,\mathrm{pool}(\mathrm{SAB}(\mathrm{SAB}(\{x_i + t_{\mathrm{type}(i)}\}))),\;
        \log(1 + n_{\mathrm{genes}}),\; \log(1 + n_{\mathrm{reactions}})\,\big]

    Tokens are wild-type states plus one of three learned type vectors: deleted gene; reaction that one of the deletions
    loses alone; reaction that they lose only jointly. A lost reaction is one of the metabolic model, of which no node
    (isozyme alternative, direction) survives, and its state is the mean over its nodes: a pair of isozymes that only
    together loses a reaction shows here and in neither single deletion, which is how metabolic epistasis arises.
    A genotype that loses more than 32 reactions has one token for them, the mean of their states; the count stays
    exact. The empty set pools to 0, so ``z_p`` is then the bias of P.

    Parameters
    ----------
    hidden : int
        Width h, a multiple of 4.
    dropout : float
        Of the blocks' MLPs.
    """

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.types = nn.Parameter(torch.randn(3, hidden) * torch.tensor(_SPREAD).unsqueeze(-1))
        self.blocks = nn.ModuleList(SelfAttentionBlock(hidden, dropout) for _ in range(BLOCKS))
        self.pool = AttentionalPool(hidden)
        self.project = nn.Linear(hidden + 2, hidden)

    def forward(
        self, genes: Tensor, gene_ptr: Tensor, reactions: Tensor, reaction_ptr: Tensor, joint: Tensor
    ) -> Tensor:
        """Encode B sets.

        Parameters
        ----------
        genes : Tensor (K, h)
            States of the deleted genes, genotype after genotype.
        gene_ptr : Tensor (B + 1,)
            Genotype b has rows `gene_ptr[b]:gene_ptr[b + 1]`.
        reactions : Tensor (R, h)
            States of the lost reactions, likewise.
        reaction_ptr : Tensor (B + 1,)
        joint : Tensor (R,) of bool
            Reactions that no deletion of their genotype loses alone.

        Returns
        -------
        Tensor (B, h)
        """
        counts = torch.stack([gene_ptr.diff(), reaction_ptr.diff()], dim=-1)
        reactions = reactions + self.types[torch.where(joint, JOINT_TYPE, ALONE_TYPE)]
        reactions, rows = _merge_many(reactions, reaction_ptr)
        states = torch.cat([genes + self.types[GENE_TYPE], reactions])
        tokens, present = _pad(states, torch.cat([_rows(gene_ptr), rows]), len(counts))
        for block in self.blocks:
            tokens = block(tokens, present)
        pooled = self.pool.tokens(tokens.transpose(0, 1), present.transpose(0, 1))
        return self.project(torch.cat([pooled, torch.log1p(counts.to(pooled.dtype))], dim=-1))


def _rows(ptr: Tensor) -> Tensor:
    """The genotype of every entry of a ragged array."""
    return torch.repeat_interleave(torch.arange(len(ptr) - 1, device=ptr.device), ptr.diff())


def _merge_many(states: Tensor, ptr: Tensor) -> tuple[Tensor, Tensor]:
    """Replace the entries of genotypes with more than `MAX_LOST` by their mean; also the genotype of each entry."""
    counts, rows = ptr.diff(), _rows(ptr)
    many = counts > MAX_LOST
    if not bool(many.any()):
        return states, rows
    total = states.new_zeros(len(counts), states.shape[1]).index_add_(0, rows, states)
    own = ~many[rows]
    kept, pooled = own.nonzero().squeeze(-1), many.nonzero().squeeze(-1)
    merged = total.index_select(0, pooled) / counts[pooled].unsqueeze(-1)
    return torch.cat([states.index_select(0, kept), merged]), torch.cat([rows[kept], pooled])


def _pad(states: Tensor, rows: Tensor, genotypes: int) -> tuple[Tensor, Tensor]:
    """Ragged tokens (K, h) of `rows` (K,) as (B, T, h), and which places are filled, (B, T)."""
    rows, order = torch.sort(rows, stable=True)
    counts = torch.bincount(rows, minlength=genotypes)
    place = torch.arange(len(rows), device=rows.device) - (counts.cumsum(0) - counts)[rows]
    longest = max(1, int(counts.max())) if genotypes else 1
    tokens = states.new_zeros(genotypes, longest, states.shape[1]).index_put(
        (rows, place), states.index_select(0, order)
    )
    return tokens, torch.arange(longest, device=rows.device) < counts.unsqueeze(-1)
