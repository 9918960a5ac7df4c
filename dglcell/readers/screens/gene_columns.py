"""Columns of gene names or strain ids -> genotypes as arrays. Each distinct text is parsed once per block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dglcell.readers.screens.screen_table import offsets
from dglcell.readers.screens.strains import SEPARATOR, Gene, IsGene, Strain, parse_genes, parse_strain


@dataclass(frozen=True)
class GeneColumn:
    """A column whose cells stand for genes.

    Attributes
    ----------
    codes : (n,) int32
        Index of the distinct cell of each row.
    ptr : (v + 1,) int64
        The genes of the k-th distinct cell are `genes[ptr[k]:ptr[k + 1]]`.
    genes : (K,) int32
        Index into the genes of a `GeneIndex`.
    """

    codes: NDArray[np.int32]
    ptr: NDArray[np.int64]
    genes: NDArray[np.int32]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) number of genes of each row."""
        return np.diff(self.ptr)[self.codes]


@dataclass
class GeneIndex:
    """The distinct genes of a block, and what was removed from their names.

    Attributes
    ----------
    position : dict of (str, int) to int
        Name and kind of allele to position, in the sequence of their first use.
    notes : Counter
        Number of rows by what was removed, for the report.
    """

    position: dict[Gene, int] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)

    def column(self, codes: NDArray[np.int32], strains: Sequence[Strain]) -> GeneColumn:
        """A column from the strain of each distinct cell; empty names are left out."""
        ptr, genes = self._genes(strains, np.bincount(codes, minlength=len(strains)))
        return GeneColumn(codes, ptr, genes)

    def list_column(self, codes: NDArray[np.int32], values: Sequence[str], is_gene: IsGene | None) -> GeneColumn:
        """A column from distinct cells that list genes; there may be as many of them as rows.

        Parameters
        ----------
        codes : (n,) int32
        values : sequence of str
            The distinct cells.
        is_gene : callable, optional
            Whether the cell graph knows a name.
        """
        import pandas

        if not values:
            return GeneColumn(codes, np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32))
        num_parts = np.fromiter((cell.count(SEPARATOR) for cell in values), dtype=np.int64, count=len(values)) + 1
        parts = "\n".join(values).replace(SEPARATOR, "\n").split("\n")
        part_codes, distinct_parts = pandas.factorize(np.array(parts, dtype=object))
        # A cell without the separator may have another one; in the others, each part is one strain.
        part_codes = part_codes * 2 + np.repeat(num_parts == 1, num_parts)
        keys = np.flatnonzero(np.bincount(part_codes))
        part_codes = np.searchsorted(keys, part_codes)
        strains = [
            parse_genes(distinct_parts[key // 2].strip(), is_gene)
            if key % 2
            else parse_strain(distinct_parts[key // 2].strip(), in_list=True, is_gene=is_gene)
            for key in keys.tolist()
        ]
        cell_of_part = np.repeat(np.arange(len(values)), num_parts)
        num_rows = np.bincount(part_codes, np.bincount(codes, minlength=len(values))[cell_of_part], len(strains))
        ptr, genes = self._genes(strains, num_rows)
        lengths = np.diff(ptr)[part_codes]
        starts = np.repeat(ptr[:-1][part_codes] - offsets(lengths)[:-1], lengths)
        cell_lengths = np.bincount(cell_of_part, lengths, len(values)).astype(np.int64)
        return GeneColumn(codes, offsets(cell_lengths), genes[starts + np.arange(len(starts))])

    def _genes(
        self, strains: Sequence[Strain], num_rows: NDArray[np.number]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Offsets and positions of the genes of strains; their notes are counted."""
        genes = [[gene for gene in strain.genes if gene[0]] for strain in strains]
        for k, strain in enumerate(strains):
            for note in strain.notes:
                self.notes[note] += int(num_rows[k])
        lengths = np.array([len(row) for row in genes], dtype=np.int64)
        flat = [self.position.setdefault(gene, len(self.position)) for row in genes for gene in row]
        return offsets(lengths), np.array(flat, dtype=np.int32)


def interleave(num_rows: int, columns: Sequence[GeneColumn]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Codes and ptr, as in `ScreenTable`, of genotypes whose genes stand in columns; those of the first come first."""
    ptr = offsets(sum((column.lengths for column in columns), np.zeros(num_rows, dtype=np.int64)))
    genes = np.empty(ptr[-1], dtype=np.int32)
    position = ptr[:-1].copy()  # of the next gene of each row
    for column in columns:
        lengths, start = column.lengths, column.ptr[:-1][column.codes]
        for k in range(int(lengths.max(initial=0))):
            rows = np.flatnonzero(lengths > k)
            genes[position[rows]] = column.genes[start[rows] + k]
            position[rows] += 1
    return genes, ptr
