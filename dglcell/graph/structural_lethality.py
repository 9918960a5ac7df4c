"""Which genotypes cannot grow whatever their fluxes, by the structure of what is left of the metabolic network.

Two arguments from the signs and sums of the stoichiometry, at a steady state where every metabolite is made as fast as
it is used. Both are sound, up to the rounding of float32, of a cell with all reactions of its model: a genotype that
stands still here has no growth in flux balance. They are not complete: of many genotypes without growth they say
nothing. No linear programme is solved; knows no labels, and no bounds but the directions that reaction nodes have. Some
20 ms for each distinct set of lost reactions of a genome-scale model: for screens, not for all pairs of a genome.

Dead ends: Satish Kumar et al. 2007, doi:10.1186/1471-2105-8-212. Sets of metabolites that only drain are siphons of a
Petri net: Angeli et al. 2007, doi:10.1016/j.mbs.2007.07.003.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from dglcell.graph.knockouts import Mask, Perturbation
from dglcell.graph.relation import Relation

_ROUNDING = 2.0**-24  # of a float32 coefficient, relative


class StructuralLethality:
    r"""Finds growth reactions that cannot run once some reaction nodes are lost.

    Dead ends: a node stops if one of its substrates is made by no other running reaction, or one of its products is
    used by no other; again until nothing more stops. The two directions of a reaction are not partners of each other.

    Draining pools: let Z be a set of metabolites with

    .. math:: \sum_{m \in Z} S_{mr} \le 0

    for every running node r. At steady state the rates times these sums add up to 0, so every node with a sum below 0
    stands still. For each substrate of growth that nothing makes but from itself, Z is what is not made without it and
    leads back to it.

    Parameters
    ----------
    incidences : Relation
        metabolite -> reaction with `stoichiometry`.
    reaction_group : (N_r,) int64
    metabolites : int
        N_m.
    growth : collection of int
        Groups that are growth.
    """

    def __init__(
        self, incidences: Relation, reaction_group: NDArray[np.int64], metabolites: int, growth: Collection[int]
    ) -> None:
        self._met, self._node = incidences.src, incidences.dst
        self._s = incidences.data["stoichiometry"].astype(np.float64)
        self._takes, self._gives = self._s < 0, self._s > 0
        self._group, self._metabolites = reaction_group, metabolites
        self._growth = np.isin(reaction_group, list(growth))
        self._known: dict[bytes, bool] = {}

    def __call__(self, lost: Perturbation) -> Mask:
        """(B,) bool, True where growth stands still; each distinct set of lost reactions is worked out once.

        A reaction that keeps an alternative can do all that it could.
        """
        found = np.zeros(len(lost), dtype=bool)
        for row, (start, stop) in enumerate(zip(lost.group_ptr[:-1], lost.group_ptr[1:], strict=True)):
            groups = lost.groups[start:stop]
            key = groups.tobytes()
            if key not in self._known:
                self._known[key] = self._stands_still(~np.isin(self._group, groups))
            found[row] = self._known[key]
        return found

    def _stands_still(self, alive: Mask) -> bool:
        running = self._without_dead_ends(alive)
        if not (running & self._growth).any():
            return True
        on = running[self._node]
        needed = np.unique(self._met[on & self._takes & self._growth[self._node]])
        return any(self._drains(running, on, int(m)) for m in needed)

    def _without_dead_ends(self, alive: Mask) -> Mask:
        """Nodes (N_r,) that still run when all that stop for want of a partner have stopped."""
        while True:
            on = alive[self._node]
            lonely = on & self._takes & ~self._elsewhere(on & self._gives)
            lonely |= on & self._gives & ~self._elsewhere(on & self._takes)
            if not lonely.any():
                return alive
            alive = alive.copy()
            alive[self._node[lonely]] = False

    def _elsewhere(self, partners: Mask) -> Mask:
        """(E,) bool: an incidence's metabolite is among the incidences `partners` of another reaction than its own."""
        groups = self._group[self._node]
        least = np.full(self._metabolites, len(self._group))
        most = np.full(self._metabolites, -1)
        np.minimum.at(least, self._met[partners], groups[partners])
        np.maximum.at(most, self._met[partners], groups[partners])
        return (most[self._met] >= 0) & ((least[self._met] != groups) | (most[self._met] != groups))

    def _drains(self, running: Mask, on: Mask, substrate: int) -> bool:
        """Whether growth uses up a pool around one of its substrates that nothing fills."""
        without, starved = self._absent(running, on, substrate)
        if (without[self._node] & self._gives & (self._met == substrate)).any():
            return False
        pool = np.zeros(self._metabolites, dtype=bool)
        pool[substrate] = True
        while True:
            makers = np.zeros(len(self._group), dtype=bool)
            makers[self._node[on & self._gives & pool[self._met]]] = True
            wider = pool.copy()
            wider[self._met[makers[self._node] & self._takes & starved[self._met]]] = True
            if (wider == pool).all():
                break
            pool = wider
        weights = self._s * pool[self._met]
        net = np.bincount(self._node, weights, minlength=len(self._group))[running]
        sizes = np.bincount(self._node, np.abs(weights), minlength=len(self._group))[running]
        room = sizes * _ROUNDING
        growth = self._growth[running]
        return bool((net <= room).all() and (net[growth] < -room[growth]).all())

    def _absent(self, running: Mask, on: Mask, substrate: int) -> tuple[Mask, Mask]:
        """Nodes that need no `substrate`, even by way of others, and metabolites that nothing makes without it."""
        starved = np.zeros(self._metabolites, dtype=bool)
        starved[substrate] = True
        made = np.zeros(self._metabolites, dtype=bool)
        made[self._met[on & self._gives]] = True
        while True:
            left = running.copy()
            left[self._node[self._takes & starved[self._met]]] = False
            still = np.zeros(self._metabolites, dtype=bool)
            still[self._met[left[self._node] & self._gives]] = True
            wider = starved | (made & ~still)
            if (wider == starved).all():
                return left, starved
            starved = wider
