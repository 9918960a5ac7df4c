"""Gene names of many genotypes -> gene rows of a cell graph, each distinct name looked up once.

Owns what happens to names that the graph does not have. Knows no files and no labels.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, Problems

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph

_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class GeneRows:
    """Genotypes given by names, as gene rows of a cell graph.

    Attributes
    ----------
    genes : (K,) int64
        Ascending and distinct within a genotype; none for a genotype with an unknown gene.
    ptr : (n + 1,) int64
        Offsets into `genes`.
    incomplete : (n,) bool
        Genotypes with a gene that the graph does not have.
    unknown : dict of str to int
        How often each unknown name occurs, in order of appearance.
    repeated : int
        Genotypes that name a gene more than once.
    """

    genes: NDArray[np.int64]
    ptr: NDArray[np.int64]
    incomplete: NDArray[np.bool_]
    unknown: dict[str, int]
    repeated: int

    def describe_unknown(self) -> str:
        """The first unknown names and how many genotypes they touch, for a message."""
        names = ", ".join(repr(name) for name in list(self.unknown)[:_SHOWN])
        more = f" and {len(self.unknown) - _SHOWN} more" if len(self.unknown) > _SHOWN else ""
        return f"{names}{more} in {int(self.incomplete.sum())} of {len(self.incomplete)} genotypes"


def gene_rows(cell: CellGraph, genotypes: Sequence[Sequence[str]]) -> GeneRows:
    """Resolve the names of many genotypes at once.

    Raises
    ------
    DataError
        An ambiguous name.
    """
    n = len(genotypes)
    names = list(itertools.chain.from_iterable(genotypes))
    lengths = np.fromiter(map(len, genotypes), dtype=np.int64, count=n)
    row_of: dict[str, int] = {}
    problems = Problems(DataError)
    for name in dict.fromkeys(names):
        try:
            row = cell.resolve(name)
        except DataError as error:
            problems.add(str(error))
            row = None
        row_of[name] = -1 if row is None else row
    problems.check()
    rows = np.fromiter((row_of[name] for name in names), dtype=np.int64, count=len(names))
    owner = np.repeat(np.arange(n), lengths)
    incomplete = np.bincount(owner[rows < 0], minlength=n) > 0
    unknown: dict[str, int] = {}
    for k in np.flatnonzero(rows < 0):
        unknown[names[k]] = unknown.get(names[k], 0) + 1
    kept = ~incomplete[owner]
    size = max(1, cell.num_nodes(schema.GENE))
    distinct = np.unique(owner[kept] * size + rows[kept])
    owner, genes = np.divmod(distinct, size)
    ptr = offsets(np.bincount(owner, minlength=n))
    repeated = int(np.count_nonzero((np.diff(ptr) != lengths) & ~incomplete))
    return GeneRows(genes, ptr, incomplete, unknown, repeated)


def offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n + 1,) where each of n ragged rows starts, from their lengths."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
