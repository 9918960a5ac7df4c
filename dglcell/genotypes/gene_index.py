"""Gene names of many genotypes -> gene rows of a cell graph; each distinct name is resolved once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, ErrorCollector, number_of
from dglcell.readers.screens.screen_table import ScreenTable, offsets

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph

_SHOWN = 5
_QUERY_BITS = 8  # of a byte; no genotype of a published screen has more genes


@dataclasses.dataclass(frozen=True)
class EncodedGenotypes:
    """Genotypes as gene rows of a cell graph.

    Attributes
    ----------
    genes : (K,) int64
        Gene rows, ascending and distinct within a genotype; a genotype with an unknown gene has none.
    ptr : (n + 1,) int64
        Offsets into `genes`.
    incomplete : (n,) bool
        Genotypes with a gene that the graph does not have.
    unknown : dict of str to int
        Number of occurrences of each unknown name; the first in the screen comes first.
    repeated : int
        Number of genotypes that name a gene more than once.
    alleles : (K,) int8
        Kind of allele of each gene, index into `schema.ALLELES`; the highest index if a gene is named more than once.
    query : (n,) uint8
        Genes of the query strain as bits, as in `GenotypeTable`.
    """

    genes: NDArray[np.int64]
    ptr: NDArray[np.int64]
    incomplete: NDArray[np.bool_]
    unknown: dict[str, int]
    repeated: int
    alleles: NDArray[np.int8]
    query: NDArray[np.uint8]

    def describe_unknown(self) -> str:
        """The first unknown names and the number of genotypes with one, for a message."""
        names = ", ".join(repr(name) for name in list(self.unknown)[:_SHOWN])
        ending = f" and {len(self.unknown) - _SHOWN:,} more" if len(self.unknown) > _SHOWN else ""
        return f"{names}{ending} in {self.incomplete.sum():,} of {number_of(len(self.incomplete), 'genotype')}"


def encode_genes(cell: CellGraph, genotypes: Sequence[Sequence[str]]) -> EncodedGenotypes:
    """Gene rows of genotypes with genes by name.

    Parameters
    ----------
    cell : CellGraph
        Resolves the names.
    genotypes : sequence of sequences of str
        Names of the genes of each genotype.

    Raises
    ------
    DataError
        A name is ambiguous. In the message, `genotypes:3` is the third genotype.

    Examples
    --------
    >>> import dglcell
    >>> cell = dglcell.build_cell(genes=["YAL001C", "YAL002W", "YAL003W"])
    >>> encoded = encode_genes(cell, [["YAL003W", "YAL001C"], ["YBR999W"]])
    >>> encoded.genes.tolist(), encoded.ptr.tolist(), encoded.unknown
    ([0, 2], [0, 2, 2], {'YBR999W': 1})
    """
    return encode_screen(cell, ScreenTable.of("genotypes", "", genotypes, None, np.arange(1, len(genotypes) + 1)))


def encode_screen(cell: CellGraph, screen: ScreenTable) -> EncodedGenotypes:
    """Gene rows of the genotypes of a screen, with kinds of allele and query genes.

    Parameters
    ----------
    cell : CellGraph
        Resolves the names.
    screen : ScreenTable

    Raises
    ------
    DataError
        A name is ambiguous; with file and line.
    """
    num_rows, lengths = len(screen), np.diff(screen.ptr)
    gene_rows = _resolve(cell, screen)[screen.codes]
    row = np.repeat(np.arange(num_rows), lengths)
    incomplete = np.zeros(num_rows, dtype=np.bool_)
    incomplete[row[gene_rows < 0]] = True
    is_known = ~incomplete[row]
    size, kinds = max(1, cell.num_nodes(schema.GENE)), len(schema.ALLELES)
    keys = ((row[is_known] * size + gene_rows[is_known]) * kinds + screen.kinds[screen.codes[is_known]]).astype(
        np.int64
    )
    if screen.query is not None:
        keys = keys * 2 + (np.arange(len(row)) - screen.ptr[row] < screen.query[row])[is_known]
        kinds *= 2
    keys.sort()
    gene_key, state = np.divmod(keys, kinds)
    is_last = np.append(gene_key[1:] != gene_key[:-1], np.ones(min(1, len(gene_key)), dtype=np.bool_))
    row, genes = np.divmod(gene_key[is_last], size)
    ptr = offsets(np.bincount(row, minlength=num_rows))
    repeated = int(np.count_nonzero((np.diff(ptr) != lengths) & ~incomplete))
    unknown = _count_unknown(screen, screen.codes[gene_rows < 0])
    query = np.zeros(num_rows, dtype=np.uint8)
    if screen.query is not None:
        state, in_query = np.divmod(state, 2)
        if len(is_last):  # a gene that is named twice is in the query if one of its names is
            in_query = np.bitwise_or.reduceat(in_query, np.flatnonzero(np.append(True, is_last[:-1])))
        query = _query_bits(in_query, row, ptr)
    return EncodedGenotypes(genes, ptr, incomplete, unknown, repeated, state[is_last].astype(np.int8), query)


def _query_bits(in_query: NDArray[np.int64], row: NDArray[np.int64], ptr: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(n,) one byte per row, from one flag per gene; 0 for a row with more genes than bits."""
    position = np.arange(len(row)) - ptr[row]
    has_bit = np.diff(ptr)[row] <= _QUERY_BITS
    bits = np.where(has_bit, in_query << np.where(has_bit, position, 0), 0)
    return np.bincount(row, bits, minlength=len(ptr) - 1).astype(np.uint8)


def _resolve(cell: CellGraph, screen: ScreenTable) -> NDArray[np.int64]:
    """Gene row of each of `screen.names`, -1 if the graph has no such gene."""
    problems = ErrorCollector(DataError)
    rows = np.full(len(screen.names), -1, dtype=np.int64)
    ambiguous: set[str] = set()
    for k, name in enumerate(screen.names):
        try:
            row = cell.resolve(name)
        except DataError as error:
            if name not in ambiguous:
                problems.add(f"{_place(screen, k)}: {error}")
            ambiguous.add(name)  # a name occurs once per kind of allele
            continue
        rows[k] = -1 if row is None else row
    problems.check()
    return rows


def _place(screen: ScreenTable, code: int) -> str:
    """File and line of the first genotype with a gene, given by its row in `screen.names`."""
    entry = np.flatnonzero(screen.codes == code)[0]
    row = int(np.searchsorted(screen.ptr, entry, side="right")) - 1
    return f"{screen.path}:{screen.lines[row]}"


def _count_unknown(screen: ScreenTable, codes: NDArray[np.int32]) -> dict[str, int]:
    """Number of occurrences of each name; the first in the screen comes first."""
    unique_codes, first_use, counts = np.unique(codes, return_index=True, return_counts=True)
    unknown: dict[str, int] = {}
    for k in np.argsort(first_use):
        name = screen.names[unique_codes[k]]
        unknown[name] = unknown.get(name, 0) + int(counts[k])
    return unknown
