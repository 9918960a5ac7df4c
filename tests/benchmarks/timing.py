"""Steps of all sides, one side after the other in every round, timed by the clock."""

from __future__ import annotations

import dataclasses
import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dglcell.graph.cell import CellGraph
from dglcell.schema import GENE
from tests.benchmarks import graphs, sides

Call = Callable[[sides.Side, graphs.Index, graphs.Index], Any]
REFERENCE = "pyg"


@dataclasses.dataclass
class Timing:
    """How long one side took for one kind of step.

    Attributes
    ----------
    side, kind : str
        `kind` is `training` or `inference`.
    batch : int
        Genotypes a step.
    seconds : list of float
        Of every step that counts.
    failure : str or None
        Why there are none.
    at_once : int or None
        Genotypes that were collated together; None: the whole batch.
    """

    side: str
    kind: str
    batch: int
    seconds: list[float] = dataclasses.field(default_factory=list)
    failure: str | None = None
    at_once: int | None = None

    @property
    def median(self) -> float:
        """Median seconds of a step."""
        return statistics.median(self.seconds)

    def record(self, reference: Timing | None) -> dict[str, Any]:
        """What the table and the JSON file say of it; the ratio is of medians, above 1 where this side is faster."""
        found: dict[str, Any] = {"side": self.side, "kind": self.kind, "batch": self.batch, "at_once": self.at_once}
        if self.failure or not self.seconds:
            return found | {"failure": self.failure or "no step was timed"}
        ratio = reference.median / self.median if reference and reference.seconds else None
        return found | {
            "steps": len(self.seconds),
            "median_s": self.median,
            "min_s": min(self.seconds),
            "max_s": max(self.seconds),
            "ms_per_genotype": 1e3 * self.median / self.batch,
            "genotypes_per_s": self.batch / self.median,
            f"times_{REFERENCE}": ratio,
        }


def train(side: sides.Side, genes: graphs.Index, ptr: graphs.Index) -> None:
    """A training step, collation and optimiser included."""
    side.train_step(genes, ptr, sides.labels_for(len(ptr) - 1))


def infer(side: sides.Side, genes: graphs.Index, ptr: graphs.Index) -> None:
    """A batch predicted, collation included; the wild type is cached after the first."""
    side.infer(genes, ptr)


KINDS: Mapping[str, Call] = {"training": train, "inference": infer}


def measure(
    cell: CellGraph,
    made: Mapping[str, sides.Side],
    kind: str,
    batch: int,
    repeats: int,
    patience: float,
    say: Callable[[str], None] = lambda line: None,
) -> list[dict[str, Any]]:
    """Time every side on the same random double deletions, other ones in every round.

    Every round takes the sides in turn, each round starting with another one, so that what else the machine does hits
    all alike. A side's first step is not counted. A collating side that runs out of memory collates half as many
    genotypes at once and tries again.

    Parameters
    ----------
    cell : CellGraph
    made : mapping of str to Side
    kind : str
        `training` or `inference`.
    batch, repeats : int
        Genotypes a step, steps a side.
    patience : float
        Seconds after which a side that has been timed three times is timed no more.
    say : callable
        Hears of progress.

    Returns
    -------
    list of dict
        `Timing.record` of each side.
    """
    rng = np.random.default_rng(batch)
    timings = {name: Timing(name, kind, batch) for name in made}
    for name, side in made.items():
        genes, ptr = graphs.double_deletions(cell.num_nodes(GENE), batch, rng)
        timings[name].failure = _fit(KINDS[kind], side, genes, ptr)
        timings[name].at_once = side.at_once
    names = [name for name in made if timings[name].failure is None]
    for round_ in range(repeats):
        genotypes = graphs.double_deletions(cell.num_nodes(GENE), batch, rng)
        for name in names[round_ % len(names) :] + names[: round_ % len(names)]:
            timing = timings[name]
            if timing.failure or (len(timing.seconds) >= 3 and sum(timing.seconds) > patience):
                continue
            gc.collect()
            started = time.perf_counter()
            try:
                with sides.out_of_memory():
                    KINDS[kind](made[name], *genotypes)
            except MemoryError:  # these deletions leave more than the first did: smaller collations from here on
                timing.seconds.clear()
                timing.failure = _fit(KINDS[kind], made[name], *genotypes, smaller=True)
                timing.at_once = made[name].at_once
                continue
            timing.seconds.append(time.perf_counter() - started)
            say(f"{kind} batch {batch} round {round_ + 1}: {name} {timing.seconds[-1]:.3f} s")
    return [timing.record(timings.get(REFERENCE)) for timing in timings.values()]


def _fit(call: Call, side: sides.Side, genes: graphs.Index, ptr: graphs.Index, smaller: bool = False) -> str | None:
    """Warm up, collating fewer genotypes at once while the memory does not suffice; why it never did, or None."""
    while True:
        if smaller:
            now = min(side.at_once or len(ptr) - 1, len(ptr) - 1)
            if now == 1 or isinstance(side, sides.Masks):
                return "out of memory"
            side.at_once = now // 2
        gc.collect()
        try:
            with sides.out_of_memory():
                call(side, genes, ptr)
            return None
        except MemoryError:
            smaller = True
