"""Genotypes that cannot grow, recognized from the structure of the remaining metabolic network.

A genotype that is lethal here does not grow in flux balance analysis either, if the cell has all reactions of its model
(up to the rounding of float32). The converse does not hold: many genotypes that do not grow are not recognized. There
are two tests, dead ends and draining pools. Both use the signs and sums of the stoichiometry at steady state, in which
every metabolite is produced as fast as it is consumed; neither solves a linear program, and the only bounds are the
directions of reaction nodes. A genome-scale model takes about 20 ms per distinct set of lost reactions: fast enough for
screens, not for all pairs.

Dead ends: Satish Kumar et al. 2007, doi:10.1186/1471-2105-8-212. Draining pools are siphons of a Petri net: Angeli et
al. 2007, doi:10.1016/j.mbs.2007.07.003.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from dglcell.graph.knockouts import Mask, Perturbation
from dglcell.graph.relation import Relation

_ROUNDING = 2.0**-24  # of a float32 coefficient, relative


class StructuralLethality:
    r"""Recognizes genotypes in which no growth reaction can run.

    Dead ends: a node stops if no other running reaction produces one of its substrates or consumes one of its products;
    this is repeated until nothing changes. The two directions of one reaction do not count as other reactions.

    Draining pools: let Z be a set of metabolites with

    .. math:: \sum_{m \in Z} S_{mr} \le 0

    for every running node r. At steady state, the sums weighted by the rates of the nodes add up to 0, so no node with
    a negative sum can run. This is tested for each substrate of growth that is only produced from itself; Z is then the
    set of metabolites that are not produced without the substrate and from which it is produced.

    Parameters
    ----------
    incidences : Relation
        metabolite -> reaction with `stoichiometry`.
    reaction_group : (N_r,) int64
    metabolites : int
        Number of metabolites, N_m.
    growth : collection of int
        Groups (rows of `CellGraph.group_names`) that are growth reactions.
    """

    def __init__(
        self, incidences: Relation, reaction_group: NDArray[np.int64], metabolites: int, growth: Collection[int]
    ) -> None:
        self._metabolite, self._node = incidences.src, incidences.dst
        self._s = incidences.data["stoichiometry"].astype(np.float64)
        self._is_substrate, self._is_product = self._s < 0, self._s > 0
        self._group, self._metabolites = reaction_group, metabolites
        self._growth = np.isin(reaction_group, list(growth))
        self._cache: dict[bytes, bool] = {}

    def __call__(self, lost: Perturbation) -> Mask:
        """(B,) bool, True where no growth reaction can run.

        Each distinct set of lost reactions is tested once. A reaction with a remaining alternative counts as unchanged.
        """
        lethal = np.zeros(len(lost), dtype=bool)
        for row, (start, stop) in enumerate(zip(lost.group_ptr[:-1], lost.group_ptr[1:], strict=True)):
            groups = lost.groups[start:stop]
            key = groups.tobytes()
            if key not in self._cache:
                self._cache[key] = self._is_lethal(~np.isin(self._group, groups))
            lethal[row] = self._cache[key]
        return lethal

    def _is_lethal(self, alive: Mask) -> bool:
        running = self._without_dead_ends(alive)
        if not (running & self._growth).any():
            return True
        active = running[self._node]
        substrates = np.unique(self._metabolite[active & self._is_substrate & self._growth[self._node]])
        return any(self._is_draining(running, active, int(m)) for m in substrates)

    def _without_dead_ends(self, running: Mask) -> Mask:
        """(N_r,) bool: nodes that can run after all dead ends have stopped."""
        while True:
            active = running[self._node]
            dead_ends = active & self._is_substrate & ~self._in_other_reaction(active & self._is_product)
            dead_ends |= active & self._is_product & ~self._in_other_reaction(active & self._is_substrate)
            if not dead_ends.any():
                return running
            running = running.copy()
            running[self._node[dead_ends]] = False

    def _in_other_reaction(self, partners: Mask) -> Mask:
        """(E,) bool: incidences whose metabolite is also in an incidence of `partners` of another reaction."""
        groups = self._group[self._node]
        lowest = np.full(self._metabolites, len(self._group))
        highest = np.full(self._metabolites, -1)
        np.minimum.at(lowest, self._metabolite[partners], groups[partners])
        np.maximum.at(highest, self._metabolite[partners], groups[partners])
        low, high = lowest[self._metabolite], highest[self._metabolite]
        return (high >= 0) & ((low != groups) | (high != groups))

    def _is_draining(self, running: Mask, active: Mask, substrate: int) -> bool:
        """Whether growth drains a pool of metabolites around one of its substrates that no reaction fills."""
        independent, depleted = self._without_substrate(running, active, substrate)
        if (independent[self._node] & self._is_product & (self._metabolite == substrate)).any():
            return False
        pool = np.zeros(self._metabolites, dtype=bool)
        pool[substrate] = True
        while True:
            producers = np.zeros(len(self._group), dtype=bool)
            producers[self._node[active & self._is_product & pool[self._metabolite]]] = True
            extended = pool.copy()
            extended[self._metabolite[producers[self._node] & self._is_substrate & depleted[self._metabolite]]] = True
            if (extended == pool).all():
                break
            pool = extended
        weights = self._s * pool[self._metabolite]
        net = np.bincount(self._node, weights, minlength=len(self._group))[running]
        sizes = np.bincount(self._node, np.abs(weights), minlength=len(self._group))[running]
        tolerance = sizes * _ROUNDING
        growth = self._growth[running]
        return bool((net <= tolerance).all() and (net[growth] < -tolerance[growth]).all())

    def _without_substrate(self, running: Mask, active: Mask, substrate: int) -> tuple[Mask, Mask]:
        """Nodes that can run without `substrate`, and metabolites that are not produced without it."""
        depleted = np.zeros(self._metabolites, dtype=bool)
        depleted[substrate] = True
        produced = np.zeros(self._metabolites, dtype=bool)
        produced[self._metabolite[active & self._is_product]] = True
        while True:
            remaining = running.copy()
            remaining[self._node[self._is_substrate & depleted[self._metabolite]]] = False
            still_produced = np.zeros(self._metabolites, dtype=bool)
            still_produced[self._metabolite[remaining[self._node] & self._is_product]] = True
            extended = depleted | (produced & ~still_produced)
            if (extended == depleted).all():
                return remaining, depleted
            depleted = extended
