"""Strain ids of the yeast screens -> genes and kinds of allele.

`_dma*`, `_sn*` deletion; `_tsa*`, `_tsq*` temperature-sensitive; `_damp*` reduced expression; `_S*` suppressor;
`YAL015C+YOL043C_tm72` a double-mutant query, in which YDL227C (HO) is the neutral control locus, not a deletion
(Kuzmin et al. 2018, doi:10.1126/science.aao1729).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.readers.screens.screen_table import offsets

Gene = tuple[str, int]  # name, kind of allele
GeneColumn = tuple[NDArray[np.int32], list[list[Gene]]]  # (n,) index of the value of each row; the genes of each value
CONTROL: Final = "YDL227C"
SEPARATOR: Final = "+"
_SUFFIX = re.compile(r"_(?:(dma|sn|tsa|tsq|damp|tm)\d*|(s)\d+)$", re.IGNORECASE)
_DELETION, _TS, _DAMP, _OTHER = range(len(schema.ALLELES))
_KIND = {"tsa": _TS, "tsq": _TS, "damp": _DAMP, "s": _OTHER}  # any other suffix, or none, is a deletion


def strip_strain(strain: str) -> tuple[str, str]:
    """Split a strain id into systematic name and kind of suffix (empty if there is none).

    Examples
    --------
    >>> strip_strain("YAL041W_tsq532")
    ('YAL041W', 'tsq')
    """
    match = _SUFFIX.search(strain)
    return (strain[: match.start()], (match.group(1) or match.group(2)).lower()) if match else (strain, "")


def parse_strain(strain: str, allele: str = "", query: bool = False) -> tuple[list[Gene], str]:
    """Genes of a strain with their kind of allele, and the suffix of the strain.

    The id of a double-mutant strain does not tell its kinds of allele. They are deletions, unless the name of the
    allele (in `allele`, names joined by `+`) is that of a point mutation such as `tfc3-g349e`, which is of kind
    `other`.

    Parameters
    ----------
    query : bool
        Whether the strain is one gene of a double-mutant query with its genes in separate columns.

    Returns
    -------
    genes : list of (str, int)
        Name and index into `schema.ALLELES`. The list is empty for a control strain; a name is empty if that part of
        the strain id is.
    suffix : str

    Examples
    --------
    >>> parse_strain("YAL015C+YOL043C_tm72")
    ([('YAL015C', 0), ('YOL043C', 0)], 'tm')
    >>> parse_strain("YAL015C+YDL227C_tm72")  # with the neutral control locus
    ([('YAL015C', 0)], 'tm')
    """
    stem, suffix = strip_strain(strain)
    gene_names = [gene_name.strip() for gene_name in stem.split(SEPARATOR)]
    is_double = query or len(gene_names) > 1
    kinds = [_KIND.get(suffix, _DELETION)] * len(gene_names)
    alleles = allele.lower().split(SEPARATOR)
    if is_double and len(alleles) == len(gene_names):
        pairs = zip(gene_names, alleles, strict=True)
        kinds = [_OTHER if "-" in name and name.strip() != gene.lower() else _DELETION for gene, name in pairs]
    genes = zip(gene_names, kinds, strict=True)
    return [gene for gene in genes if not (is_double and gene[0].upper() == CONTROL)], suffix


@dataclass(frozen=True)
class StrainColumn:
    """One column of strain ids.

    Attributes
    ----------
    values : sequence of str
        Distinct ids.
    codes : (n,) int32
        Index into `values` for each row.
    alleles : sequence of str
        Allele name of each distinct id, if the layout has a column for it.
    """

    values: Sequence[str]
    codes: NDArray[np.int32]
    alleles: Sequence[str] = ()


@dataclass(frozen=True)
class Mutations:
    """Genotypes as in `ScreenTable`, with counts for the report.

    Attributes
    ----------
    names, kinds, codes, ptr
        See `ScreenTable`.
    suffixes : Counter
        Strain suffixes by kind, over all rows.
    controls : int
        Control loci left out, over all rows.
    empty : (n,) bool
        Rows with an empty strain id, or an empty part of one.
    query : (n,) int8, optional
        See `ScreenTable`; None if there is a single column of strains, which does not tell the query.
    """

    names: tuple[str, ...]
    kinds: NDArray[np.int8]
    codes: NDArray[np.int32]
    ptr: NDArray[np.int64]
    suffixes: Counter[str]
    controls: int
    empty: NDArray[np.bool_]
    query: NDArray[np.int8] | None


def combine(columns: Sequence[StrainColumn], query: bool = False) -> Mutations:
    """Genotypes from columns of strains, the genes of the first column first; see `parse_strain` for `query`.

    Parameters
    ----------
    columns : sequence of StrainColumn
        Each has n rows.
    query : bool
        Whether the columns are the genes of one double-mutant query.
    """
    n = len(columns[0].codes)
    parsed: list[GeneColumn] = []
    suffixes, controls, empty = Counter[str](), 0, np.zeros(n, dtype=np.bool_)
    for column in columns:
        alleles = column.alleles or [""] * len(column.values)
        strains = [
            parse_strain(value.strip(), allele, query) for value, allele in zip(column.values, alleles, strict=True)
        ]
        num_rows = np.bincount(column.codes, minlength=len(strains)).tolist()
        for (genes, suffix), value, count in zip(strains, column.values, num_rows, strict=True):
            suffixes[suffix] += count
            controls += count * (value.count(SEPARATOR) + 1 - len(genes))
        is_blank = np.array([any(not gene for gene, _ in genes) for genes, _ in strains], dtype=np.bool_)
        empty |= is_blank[column.codes]
        parsed.append((column.codes, [[gene for gene in genes if gene[0]] for genes, _ in strains]))
    del suffixes[""]
    mutations = interleave(n, parsed)
    codes, first_genes = parsed[0]
    num_query = np.diff(mutations[-1]) if query else np.array([len(g) for g in first_genes], dtype=np.int64)[codes]
    query_counts = num_query.astype(np.int8) if query or len(columns) > 1 else None
    return Mutations(*mutations, suffixes, controls, empty, query_counts)


def interleave(
    num_rows: int, columns: Sequence[GeneColumn]
) -> tuple[tuple[str, ...], NDArray[np.int8], NDArray[np.int32], NDArray[np.int64]]:
    """Names, kinds, codes and ptr, as in `ScreenTable`, from genotypes with their genes in columns.

    Parameters
    ----------
    num_rows : int
    columns : sequence of GeneColumn
        For each column, the index of the value of each row (n,), and the genes of each value.
    """
    code_of: dict[Gene, int] = {}
    lengths = np.zeros(num_rows, dtype=np.int64)
    columns_flat = []
    for codes, values in columns:
        width = np.array([len(genes) for genes in values], dtype=np.int64)
        flat = np.array([code_of.setdefault(gene, len(code_of)) for genes in values for gene in genes], dtype=np.int32)
        columns_flat.append((codes, width, offsets(width)[:-1], flat))
        lengths += width[codes]
    ptr = offsets(lengths)
    genes_of_rows = np.empty(ptr[-1], dtype=np.int32)
    position = ptr[:-1].copy()  # of the next gene of each row
    for codes, width, start, flat in columns_flat:
        for k in range(int(width.max(initial=0))):
            rows = np.flatnonzero(width[codes] > k)
            genes_of_rows[position[rows]] = flat[start[codes[rows]] + k]
            position[rows] += 1
    kinds = np.array([kind for _, kind in code_of], dtype=np.int8)
    return tuple(name for name, _ in code_of), kinds, genes_of_rows, ptr
