"""Growth of a metabolic model without some of its genes, by flux balance: linear programmes through cobra and GLPK.

Owns which programmes need solving at all; knows nothing of screens and scores. Flux balance analysis: Orth et al. 2010,
doi:10.1038/nbt.1614.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dglcell.errors import DataError
from dglcell.readers.sbml import read_cobra

if TYPE_CHECKING:
    from cobra import Model

_IDLE = 1e-9  # a smaller flux, in mmol / gDW / h, is numerical noise of the solver

Genotype = tuple[str, ...]  # sorted genes


class Growth:
    """Fitness of genotypes in one model; each distinct set of lost reactions is solved at most once.

    Sets of reactions are bit masks. The solver keeps its basis between programmes, so each starts warm.

    Parameters
    ----------
    source : path or cobra.Model
        SBML file, or a model that was read already (it is not changed).

    Attributes
    ----------
    name : str
    genes : list of str
        Sorted.
    wild_growth : float
        Growth without a deletion, 1/h.
    solved : int
        Linear programmes so far.

    Raises
    ------
    DataError
        The file cannot be read, the model has no genes, or its wild type does not grow.
    """

    def __init__(self, source: str | Path | Model) -> None:
        model = _load(source)
        self.name = str(model.id or "model")
        self._model = model
        self._reactions = list(model.reactions)
        self.genes = sorted(gene.id for gene in model.genes)
        if not self.genes:
            raise DataError(f"model {self.name} has no genes - gene rules were expected; nothing can be deleted")
        position = {reaction.id: k for k, reaction in enumerate(self._reactions)}
        self._rules = {
            gene.id: [(1 << position[r.id], r.gpr) for r in sorted(gene.reactions, key=lambda r: position[r.id])]
            for gene in model.genes
        }
        # Closing a reaction that may not rest at 0 (a maintenance demand) is no restriction but another programme.
        self._forced = sum(1 << k for k, r in enumerate(self._reactions) if not r.lower_bound <= 0 <= r.upper_bound)
        self._growth: dict[int, float] = {}  # lost reactions -> growth
        self._active: dict[int, int] = {}  # lost reactions -> reactions that carry flux in the optimum found
        self._lost: dict[Genotype, int] = {}
        self._fitness: dict[Genotype, float] = {}
        self.solved = 0
        self.wild_growth = self._solve(0)
        if not self.wild_growth > _IDLE:
            raise DataError(f"model {self.name} does not grow (objective {self.wild_growth:g}) - check its medium")

    def fitness(self, genotype: Genotype) -> float:
        """Growth of a sorted genotype over wild-type growth."""
        if genotype not in self._fitness:
            self._fitness[genotype] = self._grow(genotype) / self.wild_growth
        return self._fitness[genotype]

    def lost(self, genotype: Genotype) -> int:
        """The reactions whose rule fails without the genotype's genes."""
        if genotype not in self._lost:
            absent = set(genotype)
            lost = 0
            for gene in genotype:
                for bit, rule in self._rules[gene]:
                    if not lost & bit and not rule.eval(absent):
                        lost |= bit
            self._lost[genotype] = lost
        return self._lost[genotype]

    def _grow(self, genotype: Genotype) -> float:
        lost = self.lost(genotype)
        if lost not in self._growth:
            for gene in genotype:  # an optimum of a smaller deletion that does not use what is lost stays the optimum
                parent = tuple(g for g in genotype if g != gene)
                self.fitness(parent)
                before = self.lost(parent)
                extra = lost & ~before
                dead = self._growth[before] == 0.0
                if not extra & self._forced and (dead or not extra & self._active[before]):
                    self._growth[lost], self._active[lost] = self._growth[before], self._active[before]
                    break
            else:
                self._solve(lost)
        return self._growth[lost]

    def _solve(self, lost: int) -> float:
        closed = [r for k, r in enumerate(self._reactions) if lost >> k & 1]
        bounds = [r.bounds for r in closed]
        try:
            for reaction in closed:
                reaction.bounds = (0.0, 0.0)
            growth = self._model.slim_optimize(error_value=math.nan)
            if self._model.solver.status == "unbounded":
                raise DataError(f"model {self.name} grows without limit - its exchange reactions need finite bounds")
            grows = math.isfinite(growth) and growth > _IDLE
            self._growth[lost] = float(growth) if grows else 0.0
            self._active[lost] = self._carrying() if grows else 0
        finally:
            for reaction, old in zip(closed, bounds, strict=True):
                reaction.bounds = old
        self.solved += 1
        return self._growth[lost]

    def _carrying(self) -> int:
        values: Mapping[str, float] = self._model.solver.primal_values
        active = 0
        for k, reaction in enumerate(self._reactions):
            if abs(values[reaction.id] - values[reaction.reverse_id]) > _IDLE:
                active |= 1 << k
        return active


def _load(model: str | Path | Model) -> Model:
    """A private copy on GLPK: the caller's model stays as it is, and every machine uses the same solver."""
    loaded = read_cobra(Path(model)) if isinstance(model, str | Path) else model.copy()
    loaded.solver = "glpk"
    return loaded
