"""What matrices of pairs and of samples have in common: the genes on an axis, and a table of one label."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.readers.screens.gene_columns import GeneIndex, interleave
from dglcell.readers.screens.screen_table import Report, ScreenTable
from dglcell.readers.screens.strains import Gene, Strain, strip_strain
from dglcell.readers.tables.layout import Layout, normalize
from dglcell.readers.tables.matrix import Axis

_ID = re.compile(r"(?i:Y[A-P][LR]\d{3}[WC](?:-[A-Z])?|Q0\d{3}|SP[ABCMN]\w+\.\w+|b\d{4}|ENSG\d{11})(?:[_ (-].*)?")
_TITLES: Final = (  # what names of genes are called, the best first
    *("orf", "yorf", "systematicname", "sysname", "locustag", "ensemblgeneid", "uniqid", "strainid", "strain"),
    *("locusid", "gene", "geneid", "genename", "symbol", "genesymbol", "name", "id"),
)
_MUTATIONS: Final = {  # a word that says how a gene was mutated -> suffix of a strain id
    **dict.fromkeys(("deletion", "del", "delta", "ko", "knockout", "null"), ""),
    **dict.fromkeys(("damp", "knockdown"), "_damp"),
    **dict.fromkeys(("ts", "tsa", "temperaturesensitive"), "_tsa"),
    "tsq": "_tsq",
}
_QUERIES, _ARRAYS = ("sn", "tsq", "tm"), ("dma", "tsa")  # suffixes of strain ids; DAmP alleles are on either side


def strains(axis: Axis) -> list[str]:
    """A strain id, as `strains.parse_strain` reads it, for each row or column; empty if it has no name.

    Of several kinds of names, systematic ids are preferred, then names by their title (`ORF`, `sysName`, `gene`, ..),
    then the first kind. A kind that says `DELETION` or `DAMP` of every gene gives the kind of allele.

    Examples
    --------
    >>> names = [("TFC3", "YAL001C", "DAMP"), ("TFC1", "YBR123C", "DELETION")]
    >>> strains(Axis(("gene", "ORF", "mutation"), names, [1, 2]))
    ['YAL001C_damp', 'YBR123C']
    >>> strains(Axis(("",), [("SPBC32F12.02(rec14) - DAMP",), ("RAD51 - YER095W",)], [1, 2]))
    ['SPBC32F12.02(rec14)_damp', 'RAD51 (YER095W)']
    """
    kinds = range(len(axis.titles))
    words = [[normalize(name) for name in axis.kind(kind)] for kind in kinds]
    mutation = next((k for k in kinds if len(kinds) > 1 and all(word in _MUTATIONS for word in words[k])), None)
    best = max((k for k in kinds if k != mutation), key=lambda k: (are_ids(axis.kind(k)), -_rank(axis, k), -k))
    spare = [k for k in kinds if k != best and normalize(axis.titles[k]) in _TITLES]
    ids = []
    for number, names in enumerate(axis.names):
        name = names[best] or next(iter(sorted((names[k] for k in spare if names[k]), key=str.isdigit)), "")
        ids.append(_strain(name) + (_MUTATIONS[words[mutation][number]] if mutation is not None and name else ""))
    return ids


def _rank(axis: Axis, kind: int) -> int:
    title = normalize(axis.titles[kind])
    return _TITLES.index(title) if title in _TITLES else len(_TITLES)


def _strain(name: str) -> str:
    """A name such as `RAD51 - DAMP` or `RAD51 - YER095W` as other readers write it."""
    stem, dash, end = name.rpartition(" - ")
    if not dash or not stem.strip():
        return name
    suffix = _MUTATIONS.get(normalize(end))
    return f"{stem.strip()} ({end.strip()})" if suffix is None else stem.strip() + suffix


def are_ids(names: Sequence[str]) -> bool:
    """Whether at least half of the names are systematic ids of genes or strains."""
    return 2 * sum(bool(_ID.fullmatch(name)) for name in names) >= max(1, len(names))


def are_queries(names: Sequence[str]) -> bool:
    """Whether strain ids are those of queries, by their suffixes."""
    suffixes = [strip_strain(name)[1] for name in names]
    return sum(suffix in _QUERIES for suffix in suffixes) > sum(suffix in _ARRAYS for suffix in suffixes)


def axes(rows: Axis, columns: Axis) -> str:
    """The size of a matrix, for messages."""
    return f"{len(rows):,} rows x {len(columns):,} columns"


def genes_of(strain: Strain) -> Sequence[Gene]:
    """The genes of a strain, without parts that have no name."""
    return [gene for gene in strain.genes if gene[0]]


def matrix_table(
    path: Path,
    layout: Layout,
    strains: Sequence[tuple[Sequence[Strain], NDArray[np.integer]]],
    label: str,
    values: NDArray[np.floating],
    lines: NDArray[np.int64],
    shape: str,
    counts: Mapping[str, int],
) -> ScreenTable:
    """One row for each value of a matrix, with one label.

    Parameters
    ----------
    path : Path
    layout : Layout
    strains : sequence of (sequence of Strain, (n,) int)
        The strains of an axis, and which of them each value belongs to.
    label : str
        One of `schema.LABEL_COLUMNS`.
    values : (n,) float
    lines : (n,) int64
    shape, counts
        For the report.
    """
    index = GeneIndex()
    columns = [index.column(codes.astype(np.int32), ids) for ids, codes in strains]
    gene_codes, ptr = interleave(len(values), columns)
    labels = np.full((len(values), len(schema.LABEL_COLUMNS)), np.nan, dtype=np.float32)
    labels[:, schema.LABEL_COLUMNS.index(label)] = values
    report: Report = {"matrix": shape, "rows": len(values), f"rows with {label}": len(values)}
    report |= {item: count for item, count in counts.items() if count}
    report |= dict(sorted(index.notes.items()))
    missing = np.full(len(values), np.nan, dtype=np.float32)
    kinds = np.array([kind for _, kind in index.position], dtype=np.int8)
    genotypes = tuple(name for name, _ in index.position), kinds, gene_codes, ptr
    return ScreenTable(str(path), layout.name, *genotypes, labels, missing, missing, lines, report)
