"""One layer over all relations of a cell graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from torch import Tensor, nn

from dglcell.engines.base import Engine, Where
from dglcell.engines.block import Norm
from dglcell.nn.dropout import StepDropout
from dglcell.nn.gatv2 import GATv2
from dglcell.nn.stoich_conv import StoichConv
from dglcell.schema import CATALYSED_BY, GENE, GPR, IN, METABOLITE, OF, REACTION

States = Mapping[str, Tensor]  # node type -> (N, B, h)


class HeteroLayer(nn.Module):
    r"""Message passing between genes, reactions and metabolites.

    A block is ``dropout(ReLU(LayerNorm(conv(.))))``; a node type sums the blocks that reach it. With feedback:

    .. math::

        r' &= \mathrm{block}(\mathrm{gpr}(g \to r)) + \mathrm{block}(U(m)) \\
        m' &= \mathrm{block}(Y(m)) \\
        g' &= \sum_{\rho\,\in\,\text{gene relations}} \mathrm{block}(\rho(g \to g))
              + \mathrm{block}(\mathrm{catalysed\_by}(r' \to g))

    so metabolism reaches the genes at any depth; ``Y`` is not built in the last layer, where nothing would read it.

    Without feedback (the original architecture, kept for comparison) every relation reads the layer's input:
    reactions get `gpr` only, metabolites get ``Y``, genes get the gene relations. No path leads from a metabolite to
    a reaction state or from a reaction to a gene, so nothing that the output reads depends on a stoichiometric
    weight: metabolism cannot reach the output and its weights get no gradient. That is the original's flaw.

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
        self,
        engine: Engine,
        states: States,
        where: Where,
        drop: StepDropout | None,
        layer: int = 0,
        known: States | None = None,
    ) -> dict[str, Tensor]:
        """One round of messages.

        Parameters
        ----------
        engine : Engine
        states : mapping
            (N, B, h) of each node type; B may be 1.
        where : None or element of `Engine.plan`
            None for the wild type.
        drop : StepDropout or None
            None outside training.
        layer : int
            Number of this layer, which tells its dropout masks from those of the others.
        known : mapping or None
            The wild type's new states, where the plan takes them as known.

        Returns
        -------
        dict
            New states; rows of lost nodes hold values that nothing reads.
        """

        def block(name: str, y: Tensor, target: str, onto: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
            """A node type's blocks so far, `onto`, and this one."""
            norm = cast(nn.LayerNorm, self.norms[_key(name)])
            mask = None if drop is None else drop.mask(f"{layer}/{name}", y, engine.num_nodes[target])
            return engine.block(y, Norm(norm.weight, norm.bias, norm.eps), mask, target, where, bias, onto)

        def attend(name: str, source: Tensor, target: str, onto: Tensor | None = None) -> Tensor:
            conv = cast(GATv2, self.attended[_key(name)])
            return block(name, conv(engine, name, source, states[target], where), target, onto, conv.bias)

        def finish(total: Tensor | None, target: str) -> Tensor:
            """Its input too with `residual`, alone if nothing reaches it."""
            if total is None:
                return engine.carry(states[target], target, where)
            if self.residual:
                total = total + engine.carry(states[target], target, where)
            if known is not None:
                total[: len(known[target])] = known[target]
            return total

        genes, reactions, metabolites = states[GENE], states[REACTION], states[METABOLITE]
        u, y = self.stoichiometric(engine, metabolites, reactions, where)
        made = attend(GPR, genes, REACTION)
        new = {REACTION: finish(block(IN, u, REACTION, made) if self.feedback else made, REACTION)}
        if y is not None:
            new[METABOLITE] = finish(block(OF, y, METABOLITE), METABOLITE)
        reached = None
        for name in self.gene_relations:
            reached = attend(name, genes, GENE, reached)
        if self.feedback:
            reached = attend(CATALYSED_BY, new[REACTION], GENE, reached)
        new[GENE] = finish(reached, GENE)
        return {**states, **new}


def _key(relation: str) -> str:
    """A relation's name as a key of `nn.ModuleDict`, which allows no dot and none of its own methods' names."""
    return f"{relation.replace('.', '%2E')}_block"
