"""One relation of a cell graph: its ends, its edges in their fixed order, its edge data.

Owns the edge order. Knows nothing of files, DGL or the other relations.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclasses.dataclass(frozen=True, repr=False)
class Relation:
    """Edges of one kind between two node types; make one with `Relation.of`.

    Attributes
    ----------
    name, src_type, dst_type : str
        The DGL canonical edge type, `(src_type, name, dst_type)`.
    src, dst : (E,) int64
        Rows in the ids of the two types, sorted by (dst, src).
    data : dict of str to (E,) array
        Edge data, in edge order.
    undirected : bool
        Every edge is stored both ways.
    """

    name: str
    src_type: str
    dst_type: str
    src: NDArray[np.int64]
    dst: NDArray[np.int64]
    data: dict[str, NDArray[Any]] = dataclasses.field(default_factory=dict)
    undirected: bool = False

    @classmethod
    def of(
        cls,
        name: str,
        src_type: str,
        dst_type: str,
        src: ArrayLike = (),
        dst: ArrayLike = (),
        data: Mapping[str, ArrayLike] | None = None,
        undirected: bool = False,
    ) -> Self:
        """Build a relation from edges in any order.

        Raises
        ------
        ValueError
            Ends or data of unequal lengths, or an edge given twice.
        """
        s, d = np.asarray(src, dtype=np.int64), np.asarray(dst, dtype=np.int64)
        if s.ndim != 1 or s.shape != d.shape:
            raise ValueError(f"relation {name}: src {s.shape} and dst {d.shape} differ in shape")
        order = np.lexsort((s, d))
        s, d = s[order], d[order]
        if ((s[1:] == s[:-1]) & (d[1:] == d[:-1])).any():
            raise ValueError(f"relation {name}: an edge is given twice")
        columns = {key: np.asarray(values)[order] for key, values in (data or {}).items()}
        return cls(name, src_type, dst_type, s, d, columns, undirected)

    def __repr__(self) -> str:
        return f"Relation {self.name}, {self.src_type} -> {self.dst_type}: {self.describe()}"

    def describe(self) -> str:
        """How many edges, and their data, in a few words."""
        if self.src_type == self.dst_type:
            one, many = ("pair of genes", "pairs of genes") if self.undirected else ("directed edge", "directed edges")
        else:
            one, many = (f"edge {self.src_type} -> {self.dst_type}", f"edges {self.src_type} -> {self.dst_type}")
        data = f" with {', '.join(sorted(self.data))}" if self.data else ""
        return f"{self.num_pairs:,} {one if self.num_pairs == 1 else many}{data}"

    @property
    def canonical(self) -> tuple[str, str, str]:
        """The DGL canonical edge type."""
        return self.src_type, self.name, self.dst_type

    @property
    def num_edges(self) -> int:
        """Stored edges E, both ways and loops included."""
        return len(self.src)

    @property
    def num_pairs(self) -> int:
        """Distinct pairs without loops: unordered where undirected, else ordered."""
        distinct = int(np.count_nonzero(self.src != self.dst)) if self.src_type == self.dst_type else self.num_edges
        return distinct // 2 if self.undirected else distinct

    @functools.cached_property
    def _by_end(self) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """For `src` and `dst`: the edges in order of that end, and that end of each."""
        found = {}
        for end in ("src", "dst"):
            rows: NDArray[np.int64] = getattr(self, end)
            order = np.argsort(rows, kind="stable")
            found[end] = (order, rows[order])
        return found

    def edges_at(self, end: str, nodes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Edges that have each of the nodes as their `src` or `dst`.

        Returns
        -------
        edges : (K,) int64
            Those of the first node, then those of the second, and so on.
        counts : (nodes,) int64
            How many of them each node has.
        """
        order, rows = self._by_end[end]
        first = np.searchsorted(rows, nodes, side="left")
        counts = np.searchsorted(rows, nodes, side="right") - first
        starts = np.cumsum(counts) - counts
        return order[np.arange(counts.sum()) + np.repeat(first - starts, counts)], counts

    def reversed(self, name: str) -> Relation:
        """The same edges the other way round; edge k stays edge k, so the order is this relation's own."""
        return Relation(name, self.dst_type, self.src_type, self.dst, self.src, self.data, self.undirected)
