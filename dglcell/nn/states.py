"""Sizes of the graph that a model is built for, and the records that the parts of a model exchange."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor

from dglcell.errors import UsageError, setting
from dglcell.graph.pagerank import networks
from dglcell.schema import GENE, NODE_TYPES


@dataclasses.dataclass(frozen=True, eq=False)
class GraphSizes:
    """Sizes of a graph, which together with the configuration determine the shapes of the weights.

    Attributes
    ----------
    num_nodes : dict of str to int
        Nodes of each type.
    gene_relations : tuple of str
        Names of the gene -> gene relations.
    reaction_group : Tensor (N_r,) int64
        Which reaction of the metabolic model a reaction node belongs to.
    networks : tuple of str
        Networks of the gene factorization machine.
    """

    num_nodes: dict[str, int]
    gene_relations: tuple[str, ...]
    reaction_group: Tensor
    networks: tuple[str, ...] = ()

    @classmethod
    def of(cls, cell: Any) -> Self:
        """Read them from a `CellGraph`."""
        return cls(
            {node_type: int(cell.num_nodes(node_type)) for node_type in NODE_TYPES},
            tuple(name for name, r in cell.relations.items() if r.src_type == r.dst_type == GENE),
            torch.as_tensor(cell.reaction_group, dtype=torch.int64),
            networks(cell),
        )

    def select_networks(self, names: Sequence[str]) -> tuple[str, ...]:
        """The named networks, in the sequence of the cell; all of them without names.

        Raises
        ------
        UsageError
            The cell lacks a network.
        """
        unknown = sorted(set(names) - set(self.networks))
        if unknown:
            available = ", ".join(self.networks) or "no network"
            raise UsageError(
                f"{setting('networks')} {','.join(unknown)} - the cell has {available}; name some of these, or none "
                "for all"
            )
        return tuple(name for name in self.networks if name in names or not names)


@dataclasses.dataclass(frozen=True, eq=False)
class WildType:
    """The wild type, computed once per step in training and only once for inference.

    Attributes
    ----------
    inputs : dict
        Before the layers: (N, 1, h) of each node type.
    layers : list of dict
        After each layer; only after the last if it was computed together with the genotypes.
    z_w : Tensor (1, h) or None
        Pooled genes; None in `local`, which does not pool.
    fm_states : Tensor (N_g, 2 k + labels) or None
        `GeneFactorizationMachine.states` of all genes, outside training.
    """

    inputs: dict[str, Tensor]
    layers: list[dict[str, Tensor]]
    z_w: Tensor | None
    fm_states: Tensor | None = None

    @property
    def states(self) -> dict[str, Tensor]:
        """After the last layer."""
        return self.layers[-1]


@dataclasses.dataclass(frozen=True, eq=False)
class Output:
    """Result of a forward pass.

    Attributes
    ----------
    predictions : Tensor (B, 2)
        Columns as `schema.LABELS`, on the scale of the training labels.
    z_w : Tensor (1, h) or None
    z_i : Tensor (B, h) or None
    z_p : Tensor (B, h)
        The perturbation vector that losses read.
    squares : (Tensor (), Tensor ()) or None
        Sums of squares for the penalties; see `GeneFactorizationMachine`.
    """

    predictions: Tensor
    z_w: Tensor | None
    z_i: Tensor | None
    z_p: Tensor
    squares: tuple[Tensor, Tensor] | None = None
