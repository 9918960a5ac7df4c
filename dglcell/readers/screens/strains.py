"""Strain ids of the yeast screens -> genes and kinds of allele.

`_dma*`, `_sn*` deletion; `_tsa*`, `_tsq*` temperature-sensitive; `_damp*` reduced expression; `_S*` suppressor;
`YAL015C+YOL043C_tm72` a double-mutant query, in which YDL227C (HO) is the neutral control locus and no deletion
(Kuzmin et al. 2018, doi:10.1126/science.aao1729). Owns the vocabulary of a block; knows no columns and no labels.
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
GeneColumn = tuple[
    NDArray[np.int32], list[list[Gene]]
]  # (n,) which of its values each row has, the genes of each value
CONTROL: Final = "YDL227C"
PLUS: Final = "+"
_SUFFIX = re.compile(r"_(?:(dma|sn|tsa|tsq|damp|tm)\d*|(s)\d+)$", re.IGNORECASE)
_DELETION, _TS, _DAMP, _OTHER = range(len(schema.ALLELES))
_KIND = {"tsa": _TS, "tsq": _TS, "damp": _DAMP, "s": _OTHER}  # any other suffix, or none: a deletion


def strip_strain(strain: str) -> tuple[str, str]:
    """A strain id as (systematic name, kind of suffix or empty): `YAL041W_tsq532` -> (`YAL041W`, `tsq`)."""
    match = _SUFFIX.search(strain)
    return (strain[: match.start()], (match.group(1) or match.group(2)).lower()) if match else (strain, "")


def parse_strain(strain: str, allele: str = "", query: bool = False) -> tuple[list[Gene], str]:
    """Genes of a strain with their kind of allele (index into `schema.ALLELES`), and its suffix.

    A double-mutant strain says nothing of its alleles, so they are deletions unless `allele`, their names joined by
    `+`, has a point mutation for a gene (`tfc3-g349e`): that is `other`.

    Parameters
    ----------
    query : bool
        The strain is a part of a double-mutant query, named apart.

    Returns
    -------
    genes : list of (str, int)
        None for a control strain; an empty name where a part of the strain is empty.
    suffix : str
    """
    stem, suffix = strip_strain(strain)
    parts = [part.strip() for part in stem.split(PLUS)]
    double = query or len(parts) > 1
    kinds = [_KIND.get(suffix, _DELETION)] * len(parts)
    alleles = allele.lower().split(PLUS)
    if double and len(alleles) == len(parts):
        names = zip(parts, alleles, strict=True)
        kinds = [_OTHER if "-" in name and name.strip() != part.lower() else _DELETION for part, name in names]
    genes = zip(parts, kinds, strict=True)
    return [gene for gene in genes if not (double and gene[0].upper() == CONTROL)], suffix


@dataclass(frozen=True)
class Strains:
    """One column of strain ids: the distinct ones, and which each row has.

    Attributes
    ----------
    values : sequence of str
        Distinct ids.
    codes : (n,) int32
        Rows of `values`.
    alleles : sequence of str
        Allele name of each distinct id, where the file gives one that matters.
    """

    values: Sequence[str]
    codes: NDArray[np.int32]
    alleles: Sequence[str] = ()


@dataclass(frozen=True)
class Mutations:
    """Genotypes as in `ScreenTable`, and what was met on the way.

    Attributes
    ----------
    names, kinds, codes, ptr
        See `ScreenTable`.
    suffixes : Counter
        Strain suffixes by kind, over all rows.
    controls : int
        Control loci left out, over all rows.
    empty : (n,) bool
        Rows with an empty strain id, or a part of one.
    query : (n,) int8, optional
        See `ScreenTable`; None where there is one column of strains, which no query is told from.
    """

    names: tuple[str, ...]
    kinds: NDArray[np.int8]
    codes: NDArray[np.int32]
    ptr: NDArray[np.int64]
    suffixes: Counter[str]
    controls: int
    empty: NDArray[np.bool_]
    query: NDArray[np.int8] | None


def combine(columns: Sequence[Strains], query: bool = False) -> Mutations:
    """The genes of each row's strains, the first column's first; see `parse_strain` for `query`."""
    n = len(columns[0].codes)
    parsed: list[GeneColumn] = []
    suffixes, controls, empty = Counter[str](), 0, np.zeros(n, dtype=np.bool_)
    for column in columns:
        alleles = column.alleles or [""] * len(column.values)
        found = [parse_strain(value.strip(), name, query) for value, name in zip(column.values, alleles, strict=True)]
        uses = np.bincount(column.codes, minlength=len(found)).tolist()
        for (genes, suffix), value, used in zip(found, column.values, uses, strict=True):
            suffixes[suffix] += used
            controls += used * (value.count(PLUS) + 1 - len(genes))
        blank = np.array([any(not name for name, _ in genes) for genes, _ in found], dtype=np.bool_)
        empty |= blank[column.codes]
        parsed.append((column.codes, [[gene for gene in genes if gene[0]] for genes, _ in found]))
    del suffixes[""]
    mutations = interleave(n, parsed)
    codes, first = parsed[0]
    of_query = np.diff(mutations[-1]) if query else np.array([len(g) for g in first], dtype=np.int64)[codes]
    known = of_query.astype(np.int8) if query or len(columns) > 1 else None
    return Mutations(*mutations, suffixes, controls, empty, known)


def interleave(
    n: int, columns: Sequence[GeneColumn]
) -> tuple[tuple[str, ...], NDArray[np.int8], NDArray[np.int32], NDArray[np.int64]]:
    """Names, kinds, codes and ptr of genotypes whose genes stand in columns."""
    row_of: dict[Gene, int] = {}
    lengths = np.zeros(n, dtype=np.int64)
    ragged = []
    for codes, values in columns:
        width = np.array([len(genes) for genes in values], dtype=np.int64)
        flat = np.array([row_of.setdefault(gene, len(row_of)) for genes in values for gene in genes], dtype=np.int32)
        ragged.append((codes, width, offsets(width)[:-1], flat))
        lengths += width[codes]
    ptr = offsets(lengths)
    genes_of_rows = np.empty(ptr[-1], dtype=np.int32)
    at = ptr[:-1].copy()  # where the next gene of each row goes
    for codes, width, start, flat in ragged:
        for k in range(int(width.max(initial=0))):
            rows = np.flatnonzero(width[codes] > k)
            genes_of_rows[at[rows]] = flat[start[codes[rows]] + k]
            at[rows] += 1
    kinds = np.array([kind for _, kind in row_of], dtype=np.int8)
    return tuple(name for name, _ in row_of), kinds, genes_of_rows, ptr
