"""What a step has to do, from the graph and its deletions alone, against what this machine can do at most.

The counts say what the computation needs when states are shared exactly: the wild type's rows once, and beside them
only the rows that a deletion has reached (`Engine.plan`). They are no measurement: instructions of the kernels that are
not in the equations (indices, exponentials, recomputation) are left out. README.md says how each figure is defined.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from dglcell.engines.choice import make_engine
from dglcell.graph.cell import CellGraph
from dglcell.nn.batch import Batch
from dglcell.schema import CATALYSED_BY, GENE, IN, METABOLITE, NODE_TYPES, OF, REACTION
from tests.benchmarks import graphs

_ATTENTION = 6  # operations an edge and feature: add, LeakyReLU, multiply and add for the score, and for the sum
_BLOCK = 10  # a row and feature: LayerNorm 8, ReLU, dropout
_FLOAT, _INDEX = 4, 4  # bytes
BACKWARD = 2  # times the forward pass: each product has two gradients, each message two ends


def ceilings(hidden: int, rows: int = 6607 * 16, seconds: float = 1.0) -> dict[str, float]:
    """The best that this machine does at the two things that a layer is made of.

    Parameters
    ----------
    hidden : int
        h.
    rows : int
        N.
    seconds : float
        Spent on each; the fastest run counts.

    Returns
    -------
    dict
        `matmul_gflops`: (N, h) @ (h, h) in float32, 2 N h^2 operations. `copy_gb_s`: 256 MB to another place, each byte
        counted once read and once written.
    """
    a, b = torch.randn(rows, hidden), torch.randn(hidden, hidden)
    product = torch.empty(rows, hidden)
    source = torch.zeros(1 << 26)
    target = torch.ones_like(source)
    matmul = _fastest(lambda: torch.mm(a, b, out=product), seconds)
    copy = _fastest(lambda: target.copy_(source), seconds)
    return {
        "matmul_gflops": 2 * rows * hidden * hidden / matmul / 1e9,
        "copy_gb_s": 2 * source.numel() * source.element_size() / copy / 1e9,
    }


def _fastest(call: Callable[[], Any], seconds: float) -> float:
    call()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - started)
    return best


@dataclasses.dataclass
class Work:
    """Operations and bytes of a forward pass.

    Attributes
    ----------
    linear, messages, elementwise : float
        Operations of linear maps, of messages (attention, stoichiometric sums, pooling), of norms and activations.
    moved : float
        Bytes if every operator reads its inputs and writes its outputs once.
    gathered : float
        Bytes that messages read if no row is ever reused from a cache.
    """

    linear: float = 0.0
    messages: float = 0.0
    elementwise: float = 0.0
    moved: float = 0.0
    gathered: float = 0.0

    @property
    def operations(self) -> float:
        """All of them."""
        return self.linear + self.messages + self.elementwise

    def __add__(self, other: Work) -> Work:
        return Work(*(getattr(self, f.name) + getattr(other, f.name) for f in dataclasses.fields(Work)))

    def __mul__(self, times: float) -> Work:
        return Work(*(getattr(self, f.name) * times for f in dataclasses.fields(Work)))

    def map(self, rows: int, width_in: int, width_out: int) -> None:
        """A linear map of rows."""
        self.linear += 2 * rows * width_in * width_out
        self.moved += _FLOAT * rows * (width_in + width_out)

    def send(self, edges: int, rows: int, senders: int, width: int, operations: int) -> None:
        """Messages along edges from some rows to others."""
        self.messages += operations * edges * width
        self.moved += _FLOAT * width * (senders + rows) + _INDEX * edges
        self.gathered += _FLOAT * width * edges

    def block(self, rows: int, width: int) -> None:
        """Norm, activation and dropout of rows."""
        self.elementwise += _BLOCK * rows * width
        self.moved += 2 * _FLOAT * rows * width


Rows = Mapping[str, np.ndarray]  # node type -> node of every row


def layer_work(cell: CellGraph, before: Rows, after: Rows, hidden: int, last: bool) -> Work:
    """One layer with feedback, in which rows `before` become rows `after`."""
    work, h = Work(), hidden
    for name, relation in cell.relations.items():
        if name in (IN, OF):
            continue
        senders = len((after if name == CATALYSED_BY else before)[relation.src_type])
        made = after[relation.dst_type]
        edges = int(_degree(relation.dst, cell.num_nodes(relation.dst_type))[made].sum())
        work.map(senders, h, h)
        work.map(len(before[relation.dst_type]), h, h)
        work.send(edges, len(made), senders + len(before[relation.dst_type]), h, _ATTENTION)
        work.block(len(made), h)
    work.map(len(before[METABOLITE]), h, h)
    for name, sending in ((IN, before[METABOLITE]), (OF, after[REACTION])):
        if last and name == OF:
            continue  # nothing reads it
        relation = cell.relations[name]
        made = after[relation.dst_type]
        edges = int(_degree(relation.dst, cell.num_nodes(relation.dst_type))[made].sum())
        work.send(edges, len(made), len(sending), h, 2)
        work.block(len(made), h)
    return work


def _degree(ends: np.ndarray, n: int) -> np.ndarray:
    return np.bincount(ends, minlength=n)


def _pool_work(rows: int, sets: int, members: int, hidden: int) -> Work:
    """Gate and value of every row, and a weighted sum over the members of each set."""
    work, half = Work(), max(1, hidden // 2)
    work.map(rows, hidden, hidden)
    work.map(rows, hidden, half)
    work.map(rows, half, 1)
    work.send(sets * members, sets, rows, hidden, 2)
    return work


def count(cell: CellGraph, genes: graphs.Index, ptr: graphs.Index, hidden: int, layers: int) -> dict[str, Any]:
    """Count a forward pass of these genotypes.

    Returns
    -------
    dict
        `layers`: of each what its forward pass needs, and the share of (node, genotype) that deletions reached.
        `training`: `Work` of a step, forward and backward, wild type included. `inference`: forward, the wild type's
        own rows excluded. `unshared`: both with every node of every genotype.
    """
    engine = make_engine("fused", cell.dgl, "cpu")
    batch = Batch.from_perturbation(cell.knock_out(genes, ptr), cell)
    size = len(batch)
    whole = {t: np.arange(cell.num_nodes(t)) for t in NODE_TYPES}
    before, shared, wild, found = whole, Work(), Work(), []
    for number, where in enumerate(engine.plan(batch.alive(), layers)):
        after = {t: _rows(engine.rows(t, where)) for t in NODE_TYPES}
        last = number == layers - 1
        work = layer_work(cell, before, after, hidden, last)
        wild += layer_work(cell, whole, whole, hidden, last)
        shared += work
        reached = {t: (len(after[t]) - len(whole[t])) / max(1, len(whole[t]) * size) for t in NODE_TYPES}
        found.append({"reached": reached, **_summary(work)})
        before = after
    n = cell.num_nodes(GENE)
    pool = _pool_work(len(before[GENE]), size + 1, n, hidden)
    wild_pool = _pool_work(n, 1, n, hidden)
    inputs = Work()
    for _ in range(2):
        inputs.map(n, hidden, hidden)
        inputs.block(n, hidden)
    return {
        "layers": found,
        "training": (inputs + shared + pool) * (1 + BACKWARD),
        "inference": shared + pool + (wild + wild_pool) * -1,
        "unshared": {
            "training": (inputs + (wild + wild_pool) * (size + 1)) * (1 + BACKWARD),
            "inference": (wild + wild_pool) * size,
        },
    }


def _rows(rows: torch.Tensor | None) -> np.ndarray:
    if rows is None:
        raise RuntimeError("an engine with packed rows was expected")
    return rows.numpy()


def _summary(work: Work) -> dict[str, float]:
    return {
        "gflop": work.operations / 1e9,
        "linear_gflop": work.linear / 1e9,
        "moved_gb": work.moved / 1e9,
        "gathered_gb": work.gathered / 1e9,
    }


def compare(work: Work, seconds: float, ceiling: Mapping[str, float]) -> dict[str, float]:
    """A step against the ceilings.

    Returns
    -------
    dict
        Rates, their shares of the ceilings, and `bound_s`, the time that the scarcer of the two alone would take.
    """
    gflops, gb_s = work.operations / seconds / 1e9, work.moved / seconds / 1e9
    return {
        **_summary(work),
        "seconds": seconds,
        "gflops": gflops,
        "gb_s": gb_s,
        "of_matmul": gflops / ceiling["matmul_gflops"],
        "of_copy": gb_s / ceiling["copy_gb_s"],
        "bound_s": max(work.operations / 1e9 / ceiling["matmul_gflops"], work.moved / 1e9 / ceiling["copy_gb_s"]),
    }
