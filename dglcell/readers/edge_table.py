"""Edges of one file, with genes named as in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

PHYSICAL: Final = "physical"
REGULATORY: Final = "regulatory"
RELATION: Final = "relation"
KINDS: Final = (PHYSICAL, REGULATORY, RELATION)


@dataclass(frozen=True, repr=False)
class EdgeTable:
    """Edges of one file, one per row, with duplicates and self-edges.

    Attributes
    ----------
    path : str
        The file.
    layout : str
        Format of the file, for example `BioGRID tab2 or tab3`.
    a, b : list of str
        Genes at the two ends of each edge; in a regulatory table, the transcription factor and its target.
    sign : (E,) float32, optional
        +1 activation, -1 repression, 0 unknown; None if the file has no signs.
    report : dict
        Counts of rows read and rows left out, by reason.
    confidence : (E,) float32, optional
        Between 0 and 1: the STRING score divided by 1000, a weight, or the similarity or overlap of two genes. NaN
        where a cell is empty; None if the file has no scores.
    synonyms : mapping of str to tuple of str
        Further names that the file has for a gene, the preferred first.
    column_names : tuple of str
        What the first row calls the columns of the two genes, in a list of edges that no database defines.
    """

    path: str
    layout: str
    a: list[str]
    b: list[str]
    sign: NDArray[np.float32] | None = None
    report: dict[str, int | str] = field(default_factory=dict)
    confidence: NDArray[np.float32] | None = None
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    column_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.a)

    def __repr__(self) -> str:
        extra = [name for name in ("sign", "confidence") if getattr(self, name) is not None]
        more = f" with {' and '.join(extra)}" if extra else ""
        return f"EdgeTable: {len(self):,} edges{more} from {Path(self.path).name} ({self.layout})"
