"""Gene names of many genotypes -> gene rows of a cell graph, each distinct name looked up once.

Owns what happens to names that the graph does not have. Knows no files and no labels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, ErrorCollector
from dglcell.readers.screens.screen_table import ScreenTable, offsets

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph

_SHOWN = 5
_QUERY_BITS = 8  # of a byte; no published query with its array strain has more genes


@dataclasses.dataclass(frozen=True)
class EncodedGenotypes:
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
    alleles : (K,) int8
        Kind of allele of each gene, index into `schema.ALLELES`; of a gene named more than once, the one furthest from
        a deletion.
    query : (n,) uint8
        Which genes are the query strain's, as in `GenotypeTable`.
    """

    genes: NDArray[np.int64]
    ptr: NDArray[np.int64]
    incomplete: NDArray[np.bool_]
    unknown: dict[str, int]
    repeated: int
    alleles: NDArray[np.int8]
    query: NDArray[np.uint8]

    def describe_unknown(self) -> str:
        """The first unknown names and how many genotypes they touch, for a message."""
        names = ", ".join(repr(name) for name in list(self.unknown)[:_SHOWN])
        more = f" and {len(self.unknown) - _SHOWN} more" if len(self.unknown) > _SHOWN else ""
        return f"{names}{more} in {int(self.incomplete.sum())} of {len(self.incomplete)} genotypes"


def encode_genes(cell: CellGraph, genotypes: Sequence[Sequence[str]]) -> EncodedGenotypes:
    """Resolve the names of many genotypes at once.

    Raises
    ------
    DataError
        An ambiguous name.
    """
    return encode_screen(cell, ScreenTable.of("", "", genotypes, None, np.arange(len(genotypes))))


def encode_screen(cell: CellGraph, screen: ScreenTable) -> EncodedGenotypes:
    """The same for the rows of a screen, with their kinds of allele.

    Raises
    ------
    DataError
        An ambiguous name.
    """
    n, lengths = len(screen), np.diff(screen.ptr)
    rows = _resolve(cell, screen.names)[screen.codes]
    owner = np.repeat(np.arange(n), lengths)
    incomplete = np.zeros(n, dtype=np.bool_)
    incomplete[owner[rows < 0]] = True
    kept = ~incomplete[owner]
    size, kinds = max(1, cell.num_nodes(schema.GENE)), len(schema.ALLELES)
    key = ((owner[kept] * size + rows[kept]) * kinds + screen.kinds[screen.codes[kept]]).astype(np.int64)
    if screen.query is not None:
        key = key * 2 + (np.arange(len(owner)) - screen.ptr[owner] < screen.query[owner])[kept]
        kinds *= 2
    key.sort()
    place, state = np.divmod(key, kinds)
    last = np.append(place[1:] != place[:-1], np.ones(min(1, len(place)), dtype=np.bool_))
    owner, genes = np.divmod(place[last], size)
    ptr = offsets(np.bincount(owner, minlength=n))
    repeated = int(np.count_nonzero((np.diff(ptr) != lengths) & ~incomplete))
    unknown = _unknown(screen, screen.codes[rows < 0])
    query = np.zeros(n, dtype=np.uint8)
    if screen.query is not None:
        state, of_query = np.divmod(state, 2)
        if len(last):  # a gene that is named twice is the query's if one of its names is
            of_query = np.bitwise_or.reduceat(of_query, np.flatnonzero(np.append(True, last[:-1])))
        query = _query_bits(of_query, owner, ptr)
    return EncodedGenotypes(genes, ptr, incomplete, unknown, repeated, state[last].astype(np.int8), query)


def _query_bits(of_query: NDArray[np.int64], owner: NDArray[np.int64], ptr: NDArray[np.int64]) -> NDArray[np.uint8]:
    """One byte a row from one flag a gene; 0 for a row with more genes than a byte has bits."""
    place = np.arange(len(owner)) - ptr[owner]
    fits = np.diff(ptr)[owner] <= _QUERY_BITS
    bits = np.where(fits, of_query << np.where(fits, place, 0), 0)
    return np.bincount(owner, bits, minlength=len(ptr) - 1).astype(np.uint8)


def _resolve(cell: CellGraph, names: Sequence[str]) -> NDArray[np.int64]:
    """Gene row of each name, -1 where the graph has none."""
    problems = ErrorCollector(DataError)
    rows = np.full(len(names), -1, dtype=np.int64)
    for k, name in enumerate(names):
        try:
            row = cell.resolve(name)
        except DataError as error:
            problems.add(str(error))
            continue
        rows[k] = -1 if row is None else row
    problems.check()
    return rows


def _unknown(screen: ScreenTable, codes: NDArray[np.int32]) -> dict[str, int]:
    """How often each of these names occurs, in order of appearance."""
    found, first, counts = np.unique(codes, return_index=True, return_counts=True)
    unknown: dict[str, int] = {}
    for k in np.argsort(first):
        name = screen.names[found[k]]
        unknown[name] = unknown.get(name, 0) + int(counts[k])
    return unknown
