"""Where genes lie -> edges between genes that share bases of a chromosome.

A deletion removes the bases that its gene shares with others, so these are damaged too; most dubious open reading
frames lie on a gene that has a function. Owns what counts as shared; the layouts are `annotations`' part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from dglcell.errors import DataError
from dglcell.readers.annotations import GenomicInterval
from dglcell.readers.edge_table import EdgeTable
from dglcell.readers.genes import read_genes

_LEAST = 0.25  # fewer bases in common are often no more than the ends of both


def read_overlaps(path: Path | str) -> EdgeTable:
    """Join genes that overlap, on either strand, by at least a quarter of the shorter one.

    The confidence of the edge is the share of bases `|A & B| / min(|A|, |B|)`, the overlap coefficient. Of a gene in
    several pieces it is the largest share of any of them.

    Parameters
    ----------
    path : Path
        SGD_features.tab or GFF3, plain or gzip.

    Raises
    ------
    DataError
        A file that cannot be read, or in which no two genes overlap.
    """
    genes = read_genes(path)
    shares: dict[tuple[str, str], float] = {}
    for one, other, share in _overlaps(genes.places):
        pair = min(one, other), max(one, other)
        if one != other and share >= _LEAST:
            shares[pair] = max(share, shares.get(pair, 0.0))
    if not shares:
        raise DataError(
            f"{path} places {len(genes.places)} genes, no two of which overlap by a quarter - SGD_features.tab with "
            "columns 9 to 11 (chromosome, start, stop) or GFF3 was expected"
        )
    report: dict[str, int | str] = {
        "genes with a place": len(genes.places),
        "genes without": len(genes.ids) - len(genes.places),
    }
    a, b = zip(*sorted(shares), strict=True)
    score = np.array([shares[pair] for pair in zip(a, b, strict=True)], np.float32)
    return EdgeTable(str(path), "overlaps of genes", list(a), list(b), None, report, score)


def _overlaps(places: Mapping[str, Sequence[GenomicInterval]]) -> Iterator[tuple[str, str, float]]:
    """Pairs of pieces that share bases, and the share of the shorter one."""
    rows = defaultdict(list)
    for gene, pieces in places.items():
        for chromosome, first, last in pieces:
            rows[chromosome].append((first, last, gene))
    for found in rows.values():
        open_: list[tuple[int, int, str]] = []
        for first, last, gene in sorted(found):
            open_ = [piece for piece in open_ if piece[1] >= first]
            for begin, end, other in open_:
                shared = min(end, last) - first + 1
                yield other, gene, shared / (min(end - begin, last - first) + 1)
            open_.append((first, last, gene))
