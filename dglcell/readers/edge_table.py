"""Edges of one interaction file, and what every reader of such files shares.

Knows no layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import ErrorCollector
from dglcell.readers import text_files

PHYSICAL: Final = "physical"
REGULATORY: Final = "regulatory"
RELATION: Final = "relation"
KINDS: Final = (PHYSICAL, REGULATORY, RELATION)

EXPECTED = {
    PHYSICAL: "two columns of gene ids, BioGRID tab3, STRING links or STRING actions was expected",
    REGULATORY: "two columns (factor, target) with an optional sign, or a 0/1 matrix with targets in rows was expected",
    RELATION: "two columns of gene ids, STRING links, STRING actions or a gene annotation with descriptions "
    "or places (SGD_features.tab, GFF3) was expected",
}


@dataclass(frozen=True, repr=False)
class EdgeTable:
    """Edges of one file, in file order, duplicates and self-edges included.

    Attributes
    ----------
    path : str
        The file.
    layout : str
        The format it was recognised as.
    a, b : list of str
        The two ends; in a regulatory table the factor and its target.
    sign : (E,) float32, optional
        +1 activates, -1 represses, 0 unknown; None when the file has no signs.
    report : dict
        What was read and left out.
    confidence : (E,) float32, optional
        In [0, 1], STRING's score over 1000, NaN where a cell is empty; None when the file has no scores.
    """

    path: str
    layout: str
    a: list[str]
    b: list[str]
    sign: NDArray[np.float32] | None = None
    report: dict[str, int | str] = field(default_factory=dict)
    confidence: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.a)

    def __repr__(self) -> str:
        extra = [name for name in ("sign", "confidence") if getattr(self, name) is not None]
        more = f" with {' and '.join(extra)}" if extra else ""
        return f"EdgeTable: {len(self):,} edges{more} from {Path(self.path).name} ({self.layout})"


def fields_of(
    path: Path, lines: Sequence[str], start: int, mark: str | None, width: int, problems: ErrorCollector
) -> tuple[list[list[str]], list[int]]:
    """Rows from line index `start` on with exactly `width` fields, and their line numbers; others are problems."""
    rows, numbers = [], []
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line or line.isspace() or line[0] == "#":
            continue
        fields = line.split(mark)
        if len(fields) != width:
            problems.add(
                f"{path}:{number}: {text_files.counted(len(fields), 'column')} - {width} were expected, as in the first row"
            )
            continue
        rows.append(fields)
        numbers.append(number)
    return rows, numbers
