"""Growth rate of a metabolic model without some of its genes, by flux balance analysis with cobra and GLPK.

Genes, gene rules and bounds are those of the records from which a cell graph is built; cobra solves linear programs.

Flux balance analysis: Orth et al. 2010, doi:10.1038/nbt.1614.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dglcell.errors import DataError, setting
from dglcell.fba.objective import set_objective
from dglcell.readers import gpr
from dglcell.readers.models import from_cobra, read_with_cobra

if TYPE_CHECKING:
    from cobra import Model

    from dglcell.readers.metabolic_model import MetabolicModel

_IDLE = 1e-9  # a smaller flux, in mmol / gDW / h, is numerical noise of the solver

Genotype = tuple[str, ...]  # sorted genes


class Growth:
    """Fitness of genotypes in one model, with at most one linear program for each distinct set of closed reactions.

    No program is solved if the optimum for one deletion less has no flux through the reactions that are closed in
    addition. Sets of reactions are bit masks. Each program starts from the basis of the previous one.

    Parameters
    ----------
    source : path or cobra.Model
        File of a metabolic model, or a model, which is not changed.
    objective : str, optional
        Id of the reaction to maximize. Default: the objective of the model.

    Attributes
    ----------
    name : str
    genes : list of str
        Sorted ids, the same as in a cell graph of the model.
    objective : str
        Ids of the reactions whose flux is growth.
    wild_growth : float
        Growth rate without a deletion, 1/h.
    solved : int
        Number of linear programs solved so far.

    Raises
    ------
    UsageError
        No reaction has the id `objective`.
    DataError
        The file cannot be read, the model has no genes or nothing to maximize, or its wild type does not grow.
    """

    def __init__(self, source: str | Path | Model, objective: str | None = None) -> None:
        records, model = _load(source)
        self.name = str(model.id or "model")
        self._path = records.path
        self._model = model
        self._reactions = list(model.reactions)
        self.genes = sorted(records.genes)
        if not self.genes:
            raise DataError(
                f"{self._path}: the model has no genes - gene rules were expected, since otherwise nothing can be "
                "deleted"
            )
        self.objective = set_objective(model, objective, self._path)
        self._rules: dict[str, list[_Rule]] = {gene: [] for gene in self.genes}
        for k, (record, reaction) in enumerate(zip(records.reactions, self._reactions, strict=True)):
            reaction.bounds = record.lower, record.upper
            if record.rule is not None:
                rule = _Rule(1 << k, record.rule)
                for gene in rule.genes:
                    self._rules[gene].append(rule)
        # Reactions with bounds that exclude 0 (a maintenance demand): closing one can raise growth, so this is solved.
        self._forced = sum(1 << k for k, r in enumerate(self._reactions) if not r.lower_bound <= 0 <= r.upper_bound)
        self._growth: dict[int, float] = {}  # closed reactions -> growth rate
        self._active: dict[int, int] = {}  # closed reactions -> reactions with flux in the optimum
        self._closed: dict[Genotype, int] = {}
        self._fitness: dict[Genotype, float] = {}
        self.solved = 0
        self.wild_growth = self._solve(0)
        if not self.wild_growth > _IDLE:
            if self._model.solver.status == "infeasible":
                raise DataError(
                    f"{self._path}: the model has no solution within its bounds - check its medium and demands"
                )
            raise DataError(
                f"{self._path}: the model does not grow (flux {self.wild_growth:g} through {self.objective}) - check "
                f"its medium, or name another reaction with {setting('objective')}"
            )

    def fitness(self, genotype: Genotype) -> float:
        """Growth rate of a genotype (sorted genes), divided by that of the wild type."""
        if genotype not in self._fitness:
            self._fitness[genotype] = self._grow(genotype) / self.wild_growth
        return self._fitness[genotype]

    def closed_reactions(self, genotype: Genotype) -> int:
        """Reactions, as a bit mask, with a gene rule that is false without the genes of a genotype."""
        if genotype not in self._closed:
            deleted = set(genotype)
            mask = 0
            for gene in genotype:
                for rule in self._rules[gene]:
                    if not mask & rule.bit and not rule.is_met(deleted):
                        mask |= rule.bit
            self._closed[genotype] = mask
        return self._closed[genotype]

    def _grow(self, genotype: Genotype) -> float:
        closed = self.closed_reactions(genotype)
        if closed not in self._growth:
            for gene in genotype:  # an optimum without flux in the newly closed reactions remains optimal
                parent = tuple(g for g in genotype if g != gene)
                self.fitness(parent)
                parent_closed = self.closed_reactions(parent)
                newly_closed = closed & ~parent_closed
                growth, active = self._growth[parent_closed], self._active[parent_closed]
                if not newly_closed & self._forced and (growth == 0.0 or not newly_closed & active):
                    self._growth[closed], self._active[closed] = growth, active
                    break
            else:
                self._solve(closed)
        return self._growth[closed]

    def _solve(self, closed: int) -> float:
        reactions = [r for k, r in enumerate(self._reactions) if closed >> k & 1]
        bounds = [r.bounds for r in reactions]
        try:
            for reaction in reactions:
                reaction.bounds = (0.0, 0.0)
            growth = self._model.slim_optimize(error_value=math.nan)
            if self._model.solver.status == "unbounded":
                raise DataError(
                    f"{self._path}: the model grows without limit - its exchange reactions need finite bounds"
                )
            grows = math.isfinite(growth) and growth > _IDLE
            self._growth[closed] = float(growth) if grows else 0.0
            self._active[closed] = self._carrying() if grows else 0
        finally:
            for reaction, bound_pair in zip(reactions, bounds, strict=True):
                reaction.bounds = bound_pair
        self.solved += 1
        return self._growth[closed]

    def _carrying(self) -> int:
        values: Mapping[str, float] = self._model.solver.primal_values
        active = 0
        for k, reaction in enumerate(self._reactions):
            if abs(values[reaction.id] - values[reaction.reverse_id]) > _IDLE:
                active |= 1 << k
        return active


class _Rule:
    """The gene rule of one reaction, evaluated once for each set of its genes."""

    def __init__(self, bit: int, node: gpr.Node) -> None:
        self.bit, self.genes = bit, frozenset(node.genes())
        self._node = node
        self._known: dict[frozenset[str], bool] = {}

    def is_met(self, deleted: set[str]) -> bool:
        lost = self.genes & deleted
        met = self._known.get(lost)
        if met is None:
            met = self._known[lost] = gpr.is_met(self._node, lost)
        return met


def _load(source: str | Path | Model) -> tuple[MetabolicModel, Model]:
    """The records of a model, and a cobra model that uses GLPK, the same solver on every machine."""
    if isinstance(source, str | Path):
        records, model = read_with_cobra(source)
    else:
        model = source.copy()
        records = from_cobra(model)
    model.solver = "glpk"
    return records, model
