"""Fitness and interaction labels by flux balance: a screen computed from a metabolic model, without a download.

Owns which genotypes are drawn, and the interaction scores. Knows nothing of the cell graph. Gene deletions by flux
balance and their epistasis: Segre et al. 2005, doi:10.1038/ng1489.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import UsageError
from dglcell.fba.growth import Genotype, Growth

if TYPE_CHECKING:
    from cobra import Model

MAX_ORDER = 6  # the set partitions behind an interaction score grow as the Bell numbers: 203 at six genes
DECIMALS = 6  # of a label; the linear programmes are solved to about 1e-9

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SimulatedScreen:
    """Genotypes with flux-balance labels, in increasing order of deletion.

    Attributes
    ----------
    genotypes : tuple of tuple of str
        n sorted gene sets.
    fitness : (n,) float64
        Growth over wild-type growth.
    interaction : (n,) float64
        `eps_ij`, `tau_ijk` and so on; NaN below two deletions.
    report : dict
        What was solved.
    """

    genotypes: tuple[Genotype, ...]
    fitness: NDArray[np.float64]
    interaction: NDArray[np.float64]
    report: dict[str, int | float | str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.genotypes)


def simulate(
    model: str | Path | Model,
    orders: Sequence[int] = (1, 2),
    sample: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> SimulatedScreen:
    """Flux-balance fitness and interactions of gene deletions.

    `f_S` is the largest growth with the reactions of the deleted genes `S` closed, over that of the wild type; an
    infeasible programme means no growth, `f_S = 0`. The interaction is what the interactions of all smaller sets do
    not explain (`interaction_score`).

    Parameters
    ----------
    model : path or cobra.Model
        SBML file, or a model that was read already (it is not changed).
    orders : sequence of int
        Numbers of deleted genes, each 0 to 6.
    sample : int, optional
        Draw this many genotypes of each order above 1 that has more, without replacement.
    seed : int
        Of that draw. Everything else is deterministic.
    progress : callable, optional
        Called with (genotypes done, genotypes in all).

    Raises
    ------
    UsageError
        An order or the sample size cannot be used.
    DataError
        The file cannot be read, the model has no genes, or its wild type does not grow.
    """
    wanted = _check(orders, sample)
    solver = Growth(model)
    rng = np.random.default_rng(seed)
    genotypes: list[Genotype] = []
    for order in wanted:
        genotypes += _genotypes(solver.genes, order, sample, rng)
    fitness = np.empty(len(genotypes))
    scores = np.full(len(genotypes), np.nan)
    known: dict[Genotype, float] = {}
    for row, genotype in enumerate(genotypes):
        fitness[row] = solver.fitness(genotype)
        if len(genotype) >= schema.MIN_ORDER[schema.INTERACTION]:
            scores[row] = interaction_score(genotype, solver.fitness, known)
        if progress is not None and (row % 256 == 255 or row + 1 == len(genotypes)):
            progress(row + 1, len(genotypes))
    report: dict[str, int | float | str] = {
        "model": solver.name,
        "genes": len(solver.genes),
        "wild-type growth (1/h)": round(solver.wild_growth, DECIMALS),
        "linear programmes": solver.solved,
    }
    report |= {f"genotypes of order {k}": sum(len(g) == k for g in genotypes) for k in wanted}
    return SimulatedScreen(tuple(genotypes), _rounded(fitness), _rounded(scores), report)


def interaction_score(
    genotype: Genotype, fitness: Callable[[Genotype], float], known: dict[Genotype, float] | None = None
) -> float:
    """The part of a genotype's fitness that no smaller set of its deletions explains.

    `eps_S = f_S - sum over partitions P of S into two or more blocks of prod_{b in P} eps_b`, with `eps_{i} = f_i`:
    `eps_ij = f_ij - f_i f_j` and `tau_ijk = f_ijk - f_i f_j f_k - eps_jk f_i - eps_ik f_j - eps_ij f_k` (Kuzmin et al.
    2018, doi:10.1126/science.aao1729), continued in the same way above three genes.

    Parameters
    ----------
    genotype : tuple of str
        At least one gene.
    fitness : callable
        Sorted genotype to fitness, of every subset.
    known : dict, optional
        Scores of smaller sets, read and filled.
    """
    if len(genotype) == 1:
        return fitness(genotype)
    known = {} if known is None else known
    if len(genotype) == 2:  # by far the most frequent: no need to list partitions
        return fitness(genotype) - fitness(genotype[:1]) * fitness(genotype[1:])
    expected = 0.0
    for blocks in _partitions(genotype):
        if len(blocks) == 1:
            continue
        product = 1.0
        for block in blocks:
            if block not in known:
                known[block] = interaction_score(block, fitness, known)
            product *= known[block]
        expected += product
    return fitness(genotype) - expected


def _check(orders: Sequence[int], sample: int | None) -> list[int]:
    wanted = sorted(set(orders))
    if not wanted or wanted[0] < 0 or wanted[-1] > MAX_ORDER:
        raise UsageError(f"orders {list(orders)} - one or more numbers from 0 to {MAX_ORDER} were expected")
    if sample is not None and sample < 1:
        raise UsageError(f"sample {sample} - a positive number of genotypes was expected")
    return wanted


def _genotypes(genes: Sequence[str], order: int, sample: int | None, rng: np.random.Generator) -> Iterable[Genotype]:
    """All genotypes of an order, or a uniform draw of them, in lexicographic order."""
    if order < 2 or sample is None or sample >= math.comb(len(genes), order):
        return combinations(genes, order)
    drawn: set[tuple[int, ...]] = set()
    while len(drawn) < sample:
        row = np.sort(rng.choice(len(genes), order, replace=False))
        drawn.add(tuple(row.tolist()))
    return (tuple(genes[k] for k in row) for row in sorted(drawn))


def _partitions(items: Genotype) -> Iterator[list[Genotype]]:
    """Every set partition of sorted items, its blocks sorted too."""
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for size in range(len(rest) + 1):
        for chosen in combinations(rest, size):
            others = tuple(i for i in rest if i not in chosen)
            for blocks in _partitions(others):
                yield [(first, *chosen), *blocks]


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.round(values, DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0
