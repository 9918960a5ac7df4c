"""Split: which part of a study each row of a genotype table is in.

Owns the codes of the parts; knows not how they are chosen.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from dglcell.hashing import sha256

SUBSETS = ("train", "val", "test")
ASSIGNMENTS = (*SUBSETS, "unused")
TRAIN, VAL, TEST, UNUSED = range(4)


@dataclasses.dataclass(frozen=True, repr=False)
class Split:
    """Which part each row is in.

    Attributes
    ----------
    subset : (n,) int8
        0 train, 1 val, 2 test, 3 unused: a row that no part may have, such as one with a gene of the test part and a
        gene of the training part under `unseen-all`.
    kind : str
        One of `schema.SPLITS`.
    """

    subset: NDArray[np.int8]
    kind: str = "random"

    def __repr__(self) -> str:
        return f"Split {self.kind}: " + ", ".join(f"{n:,} {name}" for name, n in self.counts.items() if n)

    def rows(self, name: str) -> NDArray[np.int64]:
        """Rows of one subset.

        Parameters
        ----------
        name : str
            `train`, `val`, `test` or `unused`.

        Returns
        -------
        (k,) int64
            Ascending.
        """
        return np.flatnonzero(self.subset == ASSIGNMENTS.index(name))

    @property
    def counts(self) -> dict[str, int]:
        """Rows by part, those that are unused too."""
        counts = np.bincount(self.subset, minlength=len(ASSIGNMENTS)).tolist()
        return dict(zip(ASSIGNMENTS, counts, strict=True))

    @functools.cached_property
    def hash(self) -> str:
        """SHA-256 of the parts of all rows."""
        return sha256("split", self.subset)
