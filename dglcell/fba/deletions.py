"""A screen computed from a metabolic model: fitness and gene interactions of deletions by flux balance analysis.

Epistasis of gene deletions by flux balance analysis: Segre et al. 2005, doi:10.1038/ng1489.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, compress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import UsageError, setting
from dglcell.fba.growth import Genotype, Growth

if TYPE_CHECKING:
    from cobra import Model

MAX_ORDER = 6  # the set partitions behind an interaction score grow as the Bell numbers: 203 at six genes
DECIMALS = 6  # of a label; the linear programs are solved to about 1e-9

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SimulatedScreen:
    """Genotypes with labels from flux balance analysis, sorted by number of deletions.

    Attributes
    ----------
    genotypes : tuple of tuple of str
        n genotypes; the genes of each are sorted.
    fitness : (n,) float64
        Growth rate divided by that of the wild type.
    interaction : (n,) float64
        `eps_ij` for pairs, `tau_ijk` for triples and so on; NaN for fewer than two deletions.
    report : dict
        Name and growth rate of the model; numbers of genes, genotypes and linear programs.
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
    objective: str | None = None,
) -> SimulatedScreen:
    """Fitness and interactions of gene deletions by flux balance analysis.

    The fitness `f_S` is the maximal growth rate without the reactions that need the deleted genes `S`, divided by that
    of the wild type; an infeasible linear program means no growth, `f_S = 0`. The interaction is the part of the
    fitness that smaller sets of the deletions do not explain (`interaction_score`).

    Parameters
    ----------
    model : path or cobra.Model
        File of a metabolic model, or a model, which is not changed.
    orders : sequence of int
        Numbers of deletions, each from 0 to 6 and one of them at least 1.
    sample : int, optional
        Largest number of genotypes of all orders above 0 together, drawn without replacement. From the lowest order
        up, each gets an equal share of what is left; an order with fewer genotypes than that is complete. By default
        all are computed.
    seed : int
        Seed of the sample; everything else is deterministic.
    progress : callable, optional
        Called with (number of finished genotypes, total number).
    objective : str, optional
        Id of the reaction whose flux is growth. By default, the objective of the model.

    Raises
    ------
    UsageError
        An order is not from 0 to 6, none is above 0, the sample size is below 1, or no reaction has the id `objective`.
    DataError
        The file cannot be read, the model has no genes or no objective, or its wild type does not grow.

    Examples
    --------
    >>> from dglcell.readers.models import textbook_path
    >>> screen = simulate(textbook_path(), orders=(1,))
    >>> len(screen), int((screen.fitness < 0.01).sum())
    (137, 7)
    """
    distinct_orders = _distinct_orders(orders, sample)
    solver = Growth(model, objective)
    rng = np.random.default_rng(seed)
    genotypes: list[Genotype] = []
    for order, size in _sample_sizes(len(solver.genes), distinct_orders, sample).items():
        genotypes += _genotypes_of_order(solver.genes, order, size, rng)
    fitness = np.empty(len(genotypes))
    scores = np.full(len(genotypes), np.nan)
    known_scores: dict[Genotype, float] = {}
    for row, genotype in enumerate(genotypes):
        fitness[row] = solver.fitness(genotype)
        if len(genotype) >= schema.MIN_ORDER[schema.INTERACTION]:
            scores[row] = interaction_score(genotype, solver.fitness, known_scores)
        if progress is not None and (row % 256 == 255 or row + 1 == len(genotypes)):
            progress(row + 1, len(genotypes))
    report: dict[str, int | float | str] = {
        "model": solver.name,
        "genes": len(solver.genes),
        "objective": solver.objective,
        "wild-type growth (1/h)": round(solver.wild_growth, DECIMALS),
        "linear programs": solver.solved,
    }
    report |= {f"genotypes of order {k}": sum(len(g) == k for g in genotypes) for k in distinct_orders}
    return SimulatedScreen(tuple(genotypes), _rounded(fitness), _rounded(scores), report)


def interaction_score(
    genotype: Genotype, fitness: Callable[[Genotype], float], known_scores: dict[Genotype, float] | None = None
) -> float:
    """The part of the fitness of a genotype that smaller sets of its deletions do not explain.

    `eps_S = f_S - sum over partitions P of S into two or more blocks of prod_{b in P} eps_b`, with `eps_{i} = f_i`:
    `eps_ij = f_ij - f_i f_j` and `tau_ijk = f_ijk - f_i f_j f_k - eps_jk f_i - eps_ik f_j - eps_ij f_k` (Kuzmin et al.
    2018, doi:10.1126/science.aao1729), continued in the same way above three genes.

    Parameters
    ----------
    genotype : tuple of str
        At least one gene.
    fitness : callable
        Fitness of a sorted genotype; called for every subset.
    known_scores : dict, optional
        Scores of smaller sets; missing ones are computed and added.

    Examples
    --------
    >>> fitness = {("a",): 0.8, ("b",): 0.5, ("a", "b"): 0.1}
    >>> round(interaction_score(("a", "b"), fitness.get), 3)  # 0.1 - 0.8 * 0.5
    -0.3
    """
    if len(genotype) == 1:
        return fitness(genotype)
    known_scores = {} if known_scores is None else known_scores
    if len(genotype) == 2:  # by far the most frequent case
        return fitness(genotype) - fitness(genotype[:1]) * fitness(genotype[1:])
    expected = 0.0
    for blocks in _set_partitions(genotype):
        if len(blocks) == 1:
            continue
        null_score = 1.0
        for block in blocks:
            if block not in known_scores:
                known_scores[block] = interaction_score(block, fitness, known_scores)
            null_score *= known_scores[block]
        expected += null_score
    return fitness(genotype) - expected


def _distinct_orders(orders: Sequence[int], sample: int | None) -> list[int]:
    distinct_orders = sorted(set(orders))
    if not distinct_orders or distinct_orders[0] < 0 or not 0 < distinct_orders[-1] <= MAX_ORDER:
        raise UsageError(
            f"{setting('orders')} {list(orders)} - numbers of deletions from 0 to {MAX_ORDER} were expected, one of "
            "them at least 1"
        )
    if sample is not None and sample < 1:
        raise UsageError(f"{setting('sample')} {sample} - a positive number of genotypes was expected")
    return distinct_orders


def _sample_sizes(num_genes: int, orders: Sequence[int], sample: int | None) -> dict[int, int]:
    """Number of genotypes of each order: from the lowest up, an equal share of what is left of the sample."""
    sizes = {order: math.comb(num_genes, order) for order in orders}
    if sample is None:
        return sizes
    bounded = [order for order in orders if order > 0]
    left = sample
    for position, order in enumerate(bounded):
        sizes[order] = min(sizes[order], left // (len(bounded) - position))
        left -= sizes[order]
    return sizes


def _genotypes_of_order(genes: Sequence[str], order: int, size: int, rng: np.random.Generator) -> Iterable[Genotype]:
    """All genotypes of an order, or a uniform sample of them, sorted."""
    total = math.comb(len(genes), order)
    if size == total:
        return combinations(genes, order)
    if size > total // 4:
        is_drawn = np.zeros(total, dtype=np.bool_)
        is_drawn[rng.choice(total, size, replace=False)] = True
        return compress(combinations(genes, order), is_drawn)
    subsets: set[tuple[int, ...]] = set()
    while len(subsets) < size:
        subset = np.sort(rng.choice(len(genes), order, replace=False))
        subsets.add(tuple(subset.tolist()))
    return (tuple(genes[k] for k in subset) for subset in sorted(subsets))


def _set_partitions(genes: Genotype) -> Iterator[list[Genotype]]:
    """Every set partition of sorted genes; the genes of each block are sorted."""
    if not genes:
        yield []
        return
    first, others = genes[0], genes[1:]
    for size in range(len(others) + 1):
        for companions in combinations(others, size):
            outside = tuple(i for i in others if i not in companions)
            for blocks in _set_partitions(outside):
                yield [(first, *companions), *blocks]


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.round(values, DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0
