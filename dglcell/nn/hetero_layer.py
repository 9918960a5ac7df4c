"""One layer over all relations of a cell graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from torch import Tensor, nn

from dglcell.engines.base import Engine, LayerPlan
from dglcell.engines.operators import Norm
from dglcell.nn.dropout import StepDropout
from dglcell.nn.gatv2 import GATv2
from dglcell.nn.stoich_conv import StoichConv
from dglcell.schema import CATALYSED_BY, GENE, GPR, IN, METABOLITE, OF, REACTION

States = Mapping[str, Tensor]  # node type -> (N, B, h)


class HeteroLayer(nn.Module):
    r"""Message passing between genes, reactions and metabolites.

    A block is ``dropout(ReLU(LayerNorm(conv(.))))``; the blocks onto a node type are summed. With feedback:

    .. math::

        r' &= \mathrm{block}(\mathrm{gpr}(g \to r)) + \mathrm{block}(U(m)) \\
        m' &= \mathrm{block}(Y(m)) \\
        g' &= \sum_{\rho\,\in\,\text{gene relations}} \mathrm{block}(\rho(g \to g))
              + \mathrm{block}(\mathrm{catalysed\_by}(r' \to g))

    so metabolism affects the genes at any depth; ``Y`` is not computed in the last layer, where nothing uses it.

    Without feedback (the original architecture, kept for comparison) every relation reads the layer's input:
    reactions get `gpr` only, metabolites get ``Y``, genes get the gene relations. No path leads from a metabolite to
    a reaction state or from a reaction to a gene, so the output does not depend on any stoichiometric weight:
    metabolism cannot affect the output and its weights get no gradient. This is the flaw of the original.

    Parameters
    ----------
    gene_relations : sequence of str
        Names of the gene -> gene relations.
    hidden, heads : int
    feedback, residual, gate, attention : bool
        As in `ModelConfig`.
    last : bool
        Whether this is the last layer.
    """

    def __init__(
        self,
        gene_relations: Sequence[str],
        hidden: int,
        heads: int,
        *,
        feedback: bool,
        residual: bool,
        gate: bool,
        attention: bool,
        last: bool,
    ) -> None:
        super().__init__()
        self.gene_relations = tuple(gene_relations)
        self.feedback = feedback
        self.residual = residual
        attended = (*gene_relations, GPR, CATALYSED_BY) if feedback else (*gene_relations, GPR)
        second_step = not (feedback and last)
        self.attended = nn.ModuleDict({_key(name): GATv2(hidden, heads) for name in attended})
        self.stoichiometric = StoichConv(hidden, heads, gate, attention, second_step)
        stoichiometric = ((IN,) if feedback else ()) + ((OF,) if second_step else ())
        self.norms = nn.ModuleDict({_key(name): nn.LayerNorm(hidden) for name in (*attended, *stoichiometric)})

    def forward(
        self, engine: Engine, states: States, plan: LayerPlan, drop: StepDropout | None, layer: int = 0
    ) -> dict[str, Tensor]:
        """One round of messages.

        Parameters
        ----------
        engine : Engine
        states : mapping
            (N, B, h) of each node type; B may be 1.
        plan : LayerPlan
            None for the wild type.
        drop : StepDropout or None
            None outside training.
        layer : int
            Number of this layer, part of the key of its dropout masks.

        Returns
        -------
        dict
            New states; those of lost nodes are undefined and not used.
        """

        def block(name: str, y: Tensor, target: str, onto: Tensor | None = None) -> Tensor:
            """The sum of a node type's blocks so far, `onto`, and this one."""
            norm = cast(nn.LayerNorm, self.norms[_key(name)])
            mask = None if drop is None else drop.mask(f"{layer}/{name}", y, engine.num_nodes[target])
            return engine.block(y, Norm(norm.weight, norm.bias, norm.eps), mask, target, plan, onto)

        def attend(name: str, source: Tensor, target: str, onto: Tensor | None = None) -> Tensor:
            conv = cast(GATv2, self.attended[_key(name)])
            return block(name, conv(engine, name, source, states[target], plan), target, onto)

        def finish(total: Tensor | None, target: str) -> Tensor:
            """The new state: the sum of the blocks, plus the input with `residual`; without any block the input."""
            if total is None:
                return engine.carry(states[target], target, plan)
            if self.residual:
                total = total + engine.carry(states[target], target, plan)
            return engine.complete(total, target, plan)

        genes, reactions, metabolites = states[GENE], states[REACTION], states[METABOLITE]
        u, y = self.stoichiometric(engine, metabolites, reactions, plan)
        enzymes = attend(GPR, genes, REACTION)
        new = {REACTION: finish(block(IN, u, REACTION, enzymes) if self.feedback else enzymes, REACTION)}
        if y is not None:
            new[METABOLITE] = finish(block(OF, y, METABOLITE), METABOLITE)
        total: Tensor | None = None
        for name in self.gene_relations:
            total = attend(name, genes, GENE, total)
        if self.feedback:
            total = attend(CATALYSED_BY, new[REACTION], GENE, total)
        new[GENE] = finish(total, GENE)
        return {**states, **new}


def _key(relation: str) -> str:
    """A relation's name as a key of `nn.ModuleDict`, which forbids dots and the names of its own methods."""
    return f"{relation.replace('.', '%2E')}_block"
