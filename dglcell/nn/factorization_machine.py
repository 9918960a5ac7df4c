"""Pairwise terms between deleted genes: a factorization machine over gene identity and gene networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, pad

from dglcell.nn.batch import Batch
from dglcell.schema import GENE, INTERACTION, LABELS

_SPREAD = 0.1  # standard deviation of the initial factors
_BIAS_SCALE = 0.3  # factor of the biases in the prediction
_BIAS_PENALTY = 0.2  # weight of a squared bias in the penalty, relative to that of a squared factor
_PAIRS = LABELS.index(INTERACTION)


class GeneFactorizationMachine(nn.Module):
    r"""A factorization machine over the deleted genes whose factors diffuse over the networks.

    .. math::

        e_i = s_i\,o_i + \frac{1}{\sqrt R} \Big(\sum_r \sum_j P^r_{ij} f^r_j + [0, 0, x_i W]\Big) = [u_i, v_i, b_i],
        \qquad t_S = \sum_{i \in S} b_i + \sum_{i \ne j \in S} u_i \cdot v_j

    `o_i` are the identity factors of gene i, used only if the gene has a training row (`s_i` is 1 then, else 0).
    `f^r_j` are the network factors of the genes j near it in network r, weighted by personalized PageRank `P^r`
    (`dglcell.graph.pagerank`). So a gene without a training row is predicted from its neighbors. Gene features x,
    centered and scaled so that the mean squared length of their rows is 1, contribute to the biases only. R is the
    number of networks, plus 1 with gene features. Fitness has a bias and no pair term. Squared error with penalties on
    the squares of `o`, `f` and `W` is matrix factorization (Koren, Bell and Volinsky 2009, doi:10.1109/MC.2009.263;
    over sets Rendle 2010, doi:10.1109/ICDM.2010.127) plus a low-rank pairwise kernel regression on the networks
    (Ben-Hur and Noble 2005, doi:10.1093/bioinformatics/bti1016).

    Parameters
    ----------
    num_genes : int
    networks : sequence of str
        As `dglcell.graph.pagerank.networks` names them.
    rank : int
        Length k of u and v.
    neighbors : int
        Number K of neighbors of a gene in each network.
    features : Tensor (N_g, d) or None
        Gene features; not part of the weights.
    has_features : Tensor (N_g,) of bool, or None
        Genes with a feature row; the others contribute nothing. None: all genes have one.
    """

    seen: Tensor
    features: Tensor | None

    def __init__(
        self,
        num_genes: int,
        networks: Sequence[str],
        rank: int,
        neighbors: int,
        features: Tensor | None = None,
        has_features: Tensor | None = None,
    ) -> None:
        super().__init__()
        scaled = None if features is None else _scaled(features, has_features)
        self.register_buffer("features", scaled, persistent=False)
        if features is not None:
            self.feature_weight = nn.Parameter(features.new_zeros(features.shape[1], len(LABELS)))
        self._rank = rank
        self.networks = tuple(networks)
        self.identity = nn.Parameter(self._start(num_genes))
        # A name alone might be one of the dict's own methods: `values`, `copy`, ..
        self.network = nn.ParameterDict({f"of_{name}": nn.Parameter(self._start(num_genes)) for name in self.networks})
        self.register_buffer("seen", torch.zeros(num_genes, dtype=torch.bool))
        for name in self.networks:
            self.register_buffer(f"neighbors_{name}", torch.zeros(num_genes, neighbors, dtype=torch.int32))
            self.register_buffer(f"ppr_{name}", torch.zeros(num_genes, neighbors))

    def _start(self, num_genes: int) -> Tensor:
        return torch.cat([_SPREAD * torch.randn(num_genes, 2 * self._rank), torch.zeros(num_genes, len(LABELS))], 1)

    @torch.no_grad()
    def set_neighbors(self, neighbors: Mapping[str, Any], genes: Tensor) -> None:
        """Set the networks' `dglcell.graph.pagerank.Neighbors`, and the genes that have a training row."""
        for name in self.networks:
            self.get_buffer(f"neighbors_{name}").copy_(torch.from_numpy(neighbors[name].index))
            self.get_buffer(f"ppr_{name}").copy_(torch.from_numpy(neighbors[name].weight))
        self.seen.zero_()
        self.seen[genes] = True

    def states(self, genes: Tensor) -> Tensor:
        """`e` of these genes: (R,) -> (R, 2 k + labels)."""
        states = self.identity.index_select(0, genes) * self.seen.index_select(0, genes).unsqueeze(-1)
        sources = len(self.networks) + (self.features is not None)
        for name in self.networks:
            index = self.get_buffer(f"neighbors_{name}").index_select(0, genes)
            weight = self.get_buffer(f"ppr_{name}").index_select(0, genes)
            vectors = embedding_bag(index, self.network[f"of_{name}"], mode="sum", per_sample_weights=weight)
            states = states + vectors / sources**0.5
        if self.features is not None:
            biases = self.features.index_select(0, genes) @ self.feature_weight
            states = states + pad(biases / sources**0.5, (2 * self._rank, 0))
        return states

    def forward(self, batch: Batch, table: Tensor | None = None) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """The terms of a batch, and the sums of squares for the penalties.

        Parameters
        ----------
        batch : Batch
        table : Tensor (N_g, 2 k + labels) or None
            `states` of all genes, to save work without gradients.

        Returns
        -------
        terms : Tensor (B, labels)
            Columns as `schema.LABELS`, on the scale of the training labels.
        squares : (Tensor (), Tensor ()) or None
            Sum of squares of the identity factors, per genotype; of the network factors and W, per gene of the cell.
            None outside training.
        """
        genes, place = batch.distinct
        states = self.states(genes) if table is None else table.index_select(0, genes)
        squares = squares_of(self.identity.index_select(0, genes), self._rank) if self.training else None
        interactions, biases, identity = pair_terms(states, self._rank, place, batch.lost[GENE][1][:-1], squares)
        terms = _BIAS_SCALE * biases
        pairs = torch.zeros_like(terms)
        pairs[:, _PAIRS] = interactions
        if not self.training:
            return terms + pairs, None
        network = sum(
            (squares_of(factors, self._rank).sum() for factors in self.network.values()), start=terms.new_zeros(())
        )
        if self.features is not None:
            network = network + _BIAS_PENALTY * self.feature_weight.square().sum()
        return terms + pairs, (identity.mean(), network / len(self.identity))


def _scaled(features: Tensor, has: Tensor | None) -> Tensor:
    """Features of the genes that have a row, centered, with a mean squared row length of 1; 0 for the other genes."""
    present = torch.ones(len(features), dtype=torch.bool) if has is None else has.cpu()
    x = features.double().cpu()
    x = (x - x[present].mean(0)) * present.unsqueeze(-1)
    length = (x.square().sum() / present.sum()).sqrt()
    return (x / length if length > 0 else x).to(features)


def pair_terms(
    states: Tensor, rank: int, index: Tensor, starts: Tensor, squares: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Sums over sets of genes with factors `[u, v, b]`, in time linear in a set's size.

    `sum_{i != j} u_i . v_j = (sum_i u_i) . (sum_j v_j) - sum_i u_i . v_i`

    Parameters
    ----------
    states : Tensor (R, 2 rank + w)
        One row for each gene: u and v `(rank,)` each, then b.
    rank : int
    index : Tensor (K,)
        Rows of `states`, concatenated over the sets.
    starts : Tensor (B,)
        Where each set begins in `index`.
    squares : Tensor (R,), optional
        Also summed over each set.

    Returns
    -------
    pairs : Tensor (B,)
    biases : Tensor (B, w)
    squares : Tensor (B,)
        Zeros without `squares`.
    """
    width = states.shape[1] - 2 * rank
    u, v, _ = torch.split(states, [rank, rank, width], dim=1)
    alone = (u * v).sum(1)
    columns = [alone, torch.zeros_like(alone) if squares is None else squares]
    sums = embedding_bag(index, torch.cat([states, torch.stack(columns, 1)], 1), starts, mode="sum")
    u, v, b, alone, squares = torch.split(sums, [rank, rank, width, 1, 1], dim=1)
    return (u * v).sum(1) - alone.squeeze(1), b, squares.squeeze(1)


def squares_of(states: Tensor, rank: int) -> Tensor:
    """Sum of squares of each row (R,), biases with a weight of 0.2."""
    whole = states.square()
    return whole[:, : 2 * rank].sum(1) + _BIAS_PENALTY * whole[:, 2 * rank :].sum(1)
