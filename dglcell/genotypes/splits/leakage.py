"""Whether a split keeps the promise of its kind: found from the rows themselves, whoever made the split.

| kind | promise, beside that no gene set is in two parts |
|---|---|
| `unseen-gene` | each test genotype holds a gene that is in no training and no validation genotype |
| `unseen-all` | no gene of a test genotype is in a training or validation genotype |
| `query-pair` | each test genotype holds a double-mutant query that no training or validation genotype holds |

Validation keeps the same promise against training.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError
from dglcell.genotypes.splits.membership import MembershipIndex
from dglcell.genotypes.splits.split import ASSIGNMENTS, TEST, TRAIN, VAL, Split
from dglcell.genotypes.table import GenotypeTable

_BROKEN = {
    schema.UNSEEN_GENE: "hold no gene that is absent from",
    schema.UNSEEN_ALL: "hold a gene that is not absent from",
    schema.QUERY_PAIR: "hold no double-mutant query that is absent from",
}


def check_leakage(table: GenotypeTable, split: Split) -> None:
    """Stop if a gene set is in two parts, or the promise of the split's kind is broken.

    Raises
    ------
    DataError
        Says how many genotypes break it.
    """
    if len(split.subset) != len(table):
        raise DataError(f"the split has {len(split.subset)} rows, the screen {len(table)} - split this screen")
    if len(table) and not 0 <= split.subset.min() <= split.subset.max() < len(ASSIGNMENTS):
        raise DataError(f"a part of the split is none of 0 to {len(ASSIGNMENTS) - 1} - split the screen again")
    keys = table.genotype_keys()
    part_of = np.zeros(table.num_genotypes, dtype=np.int8)
    part_of[keys] = split.subset
    straddling = len(np.unique(keys[part_of[keys] != split.subset]))
    if straddling:
        raise DataError(f"{straddling} gene sets are in two parts of the split - every gene set must be in one")
    if split.kind in _BROKEN:
        items = MembershipIndex.of(table, split.kind)
        _check_hidden(items, split, TEST, (TRAIN, VAL))
        _check_hidden(items, split, VAL, (TRAIN,))


def _check_hidden(items: MembershipIndex, split: Split, part: int, seen_by: tuple[int, ...]) -> None:
    hidden = items.degrees(np.isin(split.subset, seen_by)) == 0
    unseen: NDArray[np.int64] = items.counts(hidden)
    least = items.lengths if split.kind == schema.UNSEEN_ALL else 1
    broken = int(np.count_nonzero((split.subset == part) & ((unseen < least) | (unseen == 0))))
    if broken:
        others = " and ".join(ASSIGNMENTS[k] for k in seen_by)
        raise DataError(
            f"the split leaks: {broken} rows of the part {ASSIGNMENTS[part]} {_BROKEN[split.kind]} {others}, "
            f"against what {split.kind} promises - split the screen again"
        )
