"""What goes into a model beside its configuration, and what its parts hand to each other."""

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
    """What the shape of the weights depends on, beside the configuration.

    Attributes
    ----------
    num_nodes : dict of str to int
        Nodes of each type.
    gene_relations : tuple of str
        Names of the gene -> gene relations.
    reaction_group : Tensor (N_r,) int64
        Which reaction of the metabolic model a reaction node belongs to.
    networks : tuple of str
        Over which gene factors diffuse.
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

    def chosen(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the networks that are wanted, in the cell's order; all if none is named.

        Raises
        ------
        UsageError
            One is not among them.
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
    """The undeleted cell, computed once a step in training and once in all for inference.

    Attributes
    ----------
    inputs : dict
        Before the layers: (N, 1, h) of each node type.
    layers : list of dict
        After each layer; after the last alone where it was computed with the genotypes.
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
    """What a forward pass gives.

    Attributes
    ----------
    predictions : Tensor (B, 2)
        In the order of `schema.LABELS`, on the scale of the training labels.
    z_w : Tensor (1, h) or None
    z_i : Tensor (B, h) or None
    z_p : Tensor (B, h)
        The perturbation vector that losses read.
    squares : (Tensor (), Tensor ()) or None
        Of the factors, which penalties multiply; see `GeneFactorizationMachine`.
    """

    predictions: Tensor
    z_w: Tensor | None
    z_i: Tensor | None
    z_p: Tensor
    squares: tuple[Tensor, Tensor] | None = None
