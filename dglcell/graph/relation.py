"""One relation of a cell graph: two node types, sorted edges and edge data."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclasses.dataclass(frozen=True, repr=False)
class Relation:
    """Edges of one type between two node types; `Relation.of` sorts the edges.

    Attributes
    ----------
    name, src_type, dst_type : str
        The DGL canonical edge type, `(src_type, name, dst_type)`.
    src, dst : (E,) int64
        Rows in the ids of the two types, sorted by (dst, src).
    data : dict of str to (E,) array
        Edge data, one value per edge.
    undirected : bool
        Whether every edge is stored in both directions.
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
        """A relation from unsorted edges.

        Parameters
        ----------
        name, src_type, dst_type : str
            The DGL canonical edge type, `(src_type, name, dst_type)`.
        src, dst : (E,) int
            Rows of the two ends of each edge.
        data : mapping of str to (E,) array, optional
            Edge data.
        undirected : bool
            Whether the edges include both directions of every pair.

        Raises
        ------
        ValueError
            `src` and `dst` differ in length, or an edge is repeated.

        Examples
        --------
        >>> relation = Relation.of("physical_interaction", "gene", "gene", [2, 0], [0, 2], undirected=True)
        >>> relation
        Relation physical_interaction, gene -> gene: 1 pair of genes
        >>> relation.src.tolist(), relation.dst.tolist()
        ([2, 0], [0, 2])
        """
        s, d = np.asarray(src, dtype=np.int64), np.asarray(dst, dtype=np.int64)
        if s.ndim != 1 or s.shape != d.shape:
            raise ValueError(f"relation {name}: src {s.shape} and dst {d.shape} differ in shape")
        sorter = np.lexsort((s, d))
        s, d = s[sorter], d[sorter]
        if ((s[1:] == s[:-1]) & (d[1:] == d[:-1])).any():
            raise ValueError(f"relation {name}: an edge occurs twice")
        columns = {key: np.asarray(values)[sorter] for key, values in (data or {}).items()}
        return cls(name, src_type, dst_type, s, d, columns, undirected)

    def __repr__(self) -> str:
        return f"Relation {self.name}, {self.src_type} -> {self.dst_type}: {self.describe()}"

    def describe(self) -> str:
        """Number of edges and names of the edge data, as text."""
        if self.src_type == self.dst_type:
            singular, plural = (
                ("pair of genes", "pairs of genes") if self.undirected else ("directed edge", "directed edges")
            )
        else:
            singular, plural = (f"edge {self.src_type} -> {self.dst_type}", f"edges {self.src_type} -> {self.dst_type}")
        data = f" with {', '.join(sorted(self.data))}" if self.data else ""
        return f"{self.num_pairs:,} {singular if self.num_pairs == 1 else plural}{data}"

    @property
    def canonical(self) -> tuple[str, str, str]:
        """The DGL canonical edge type."""
        return self.src_type, self.name, self.dst_type

    @property
    def num_edges(self) -> int:
        """Number of stored edges E, with both directions and loops."""
        return len(self.src)

    @property
    def num_pairs(self) -> int:
        """Number of distinct pairs without loops; in a directed relation, both directions count."""
        num_pairs = int(np.count_nonzero(self.src != self.dst)) if self.src_type == self.dst_type else self.num_edges
        return num_pairs // 2 if self.undirected else num_pairs

    @functools.cached_property
    def _by_end(self) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """For `src` and for `dst`, edges sorted by this end, and the sorted ends."""
        edges_by_end = {}
        for end in ("src", "dst"):
            rows: NDArray[np.int64] = getattr(self, end)
            sorter = np.argsort(rows, kind="stable")
            edges_by_end[end] = (sorter, rows[sorter])
        return edges_by_end

    def edges_at(self, end: str, nodes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Edges that have one of the nodes as their `src` or `dst`.

        Parameters
        ----------
        end : str
            `src` or `dst`.
        nodes : (n,) int64

        Returns
        -------
        edges : (K,) int64
            Those of the first node, then those of the second, and so on.
        counts : (n,) int64
            Number of edges of each node.
        """
        sorter, rows = self._by_end[end]
        first = np.searchsorted(rows, nodes, side="left")
        counts = np.searchsorted(rows, nodes, side="right") - first
        starts = np.cumsum(counts) - counts
        return sorter[np.arange(counts.sum()) + np.repeat(first - starts, counts)], counts

    def reversed(self, name: str) -> Relation:
        """The same edges in the other direction, under another name; edge k remains edge k."""
        return Relation(name, self.dst_type, self.src_type, self.dst, self.src, self.data, self.undirected)
