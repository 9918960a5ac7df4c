"""Split: the subset of each row of a genotype table, and a check that it keeps what its kind promises.

| kind | promise, in addition to: no gene set is in two subsets |
|---|---|
| `unseen-gene` | each test genotype has a gene that is in no training and no validation genotype |
| `unseen-all` | no gene of a test genotype is in a training or validation genotype |
| `query-pair` | each test genotype has a double-mutant query that is in no training and no validation genotype |

Validation keeps the same promise with regard to training. The check uses only the rows, not how the split was made.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, number_of, setting
from dglcell.genotypes.splits.membership import MembershipIndex
from dglcell.genotypes.table import GenotypeTable
from dglcell.hashing import sha256

SUBSETS = schema.SUBSETS
ASSIGNMENTS = (*SUBSETS, "unused")
TRAIN, VAL, TEST, UNUSED = range(4)
_BROKEN_PROMISES = {
    schema.UNSEEN_GENE: "no gene that is new to",
    schema.UNSEEN_ALL: "a gene that is also in",
    schema.QUERY_PAIR: "no double-mutant query that is new to",
}


@dataclasses.dataclass(frozen=True, repr=False)
class Split:
    """The subset of each row.

    Attributes
    ----------
    subset : (n,) int8
        0 train, 1 val, 2 test, 3 unused. Under `unseen-all`, a row with genes of two subsets is unused.
    kind : str
        One of `schema.SPLITS`.
    seed, test_fraction, val_fraction, fold, folds, path : int, float, float, int, int, str, optional
        What `make_split` made it from, as far as the kind depends on it; None in a split that was made otherwise.

    Examples
    --------
    >>> split = Split(np.array([0, 0, 2, 1], dtype=np.int8))
    >>> split
    Split random: 2 train, 1 val, 1 test
    >>> split.rows("train").tolist()
    [0, 1]
    """

    subset: NDArray[np.int8]
    kind: str = "random"
    seed: int | None = None
    test_fraction: float | None = None
    val_fraction: float | None = None
    fold: int | None = None
    folds: int | None = None
    path: str | None = None

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
        """Number of rows of each subset, and of unused rows."""
        counts = np.bincount(self.subset, minlength=len(ASSIGNMENTS)).tolist()
        return dict(zip(ASSIGNMENTS, counts, strict=True))

    @property
    def parameters(self) -> dict[str, int | float | str]:
        """What `make_split` made the split from, without what is None; empty if it was made otherwise."""
        names = ("seed", "test_fraction", "val_fraction", "fold", "folds", "path")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    @functools.cached_property
    def hash(self) -> str:
        """SHA-256 of the subsets of all rows."""
        return sha256("split", self.subset)


def check_leakage(table: GenotypeTable, split: Split) -> None:
    """Check that no gene set is in two subsets, and that the split keeps the promise of its kind.

    Parameters
    ----------
    table : GenotypeTable
    split : Split

    Raises
    ------
    DataError
        The check fails; the message gives the number of gene sets or rows.
    """
    if len(split.subset) != len(table):
        raise DataError(f"the split has {len(split.subset)} rows, the screen {len(table)} - split the screen again")
    if len(table) and not 0 <= split.subset.min() <= split.subset.max() < len(ASSIGNMENTS):
        raise DataError(f"the split has a subset other than 0 to {len(ASSIGNMENTS) - 1} - split the screen again")
    keys = table.genotype_keys()
    subset_of = np.zeros(table.num_genotypes, dtype=np.int8)
    subset_of[keys] = split.subset
    num_straddling = len(np.unique(keys[subset_of[keys] != split.subset]))
    if num_straddling:
        raise DataError(f"{num_straddling} gene sets are in two subsets of the split - every gene set must be in one")
    if split.kind in _BROKEN_PROMISES:
        items = MembershipIndex.of(table.genes, table.ptr, table.query, split.kind)
        _check_promise(items, split, TEST, (TRAIN, VAL))
        _check_promise(items, split, VAL, (TRAIN,))


def _check_promise(items: MembershipIndex, split: Split, subset: int, seen_by: tuple[int, ...]) -> None:
    is_hidden = items.degrees(np.isin(split.subset, seen_by)) == 0
    num_unseen: NDArray[np.int64] = items.counts(is_hidden)
    minimum = items.lengths if split.kind == schema.UNSEEN_ALL else 1
    num_broken = int(np.count_nonzero((split.subset == subset) & ((num_unseen < minimum) | (num_unseen == 0))))
    if num_broken:
        rows, verb = number_of(num_broken, "row"), "has" if num_broken == 1 else "have"
        seen_names = " and ".join(ASSIGNMENTS[k] for k in seen_by)
        raise DataError(
            f"the split leaks: {rows} of {ASSIGNMENTS[subset]} {verb} {_BROKEN_PROMISES[split.kind]} {seen_names} "
            f"- split the screen again for {setting('split', split.kind)}"
        )
