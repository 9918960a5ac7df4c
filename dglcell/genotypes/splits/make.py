"""Training, validation and test parts of a genotype table.

A part is chosen for a gene set, never for a row, so no genotype straddles two parts; every split proves this, and the
promise of its kind, before it is handed out. Owns the kinds and the choice by chance; knows nothing of models.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, DglcellError, ErrorCollector, UsageError, setting
from dglcell.genotypes.splits.from_file import read_parts
from dglcell.genotypes.splits.held_out import hold_out
from dglcell.genotypes.splits.leakage import check_leakage
from dglcell.genotypes.splits.split import ASSIGNMENTS, SUBSETS, TEST, TRAIN, UNUSED, VAL, Split
from dglcell.genotypes.table import GenotypeTable

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph

__all__ = ["ASSIGNMENTS", "SUBSETS", "TEST", "TRAIN", "UNUSED", "VAL", "Split", "check_leakage", "make_split"]


def make_split(
    table: GenotypeTable,
    kind: str = "random",
    seed: int = 0,
    test_fraction: float = 0.1,
    val_fraction: float = 0.1,
    fold: int = 0,
    path: Path | None = None,
    folds: int = 10,
    cell: CellGraph | None = None,
) -> Split:
    """Split by gene set; the seed decides, the order of the rows has no influence.

    Validation stands to training as test does. Fractions are shares of the gene sets, under `unseen-all` of those that
    are used, under `query-pair` of those that hold a query.

    Parameters
    ----------
    table : GenotypeTable
    kind : str
        `random`: any gene set, the same share of every order of deletion. `kfold`: the same, fold number `fold` of
        `folds` is the test part. `unseen-gene`, `unseen-all`, `query-pair`: see `leaks` for what is promised. `file`:
        `path` says.
    seed : int
        Of the choice by chance.
    test_fraction, val_fraction : float
        Shares of the test and validation subsets.
    fold, folds : int
        Of `kfold`: which fold is the test subset, and how many there are.
    path : Path, optional
        A genotype table with a column `split` that holds train, val, test or unused; needs `cell` to resolve the genes.
    cell : CellGraph, optional

    Returns
    -------
    Split

    Raises
    ------
    UsageError
        An option out of range, a screen that this kind cannot divide, or a part without a labelled row.
    DataError
        No row has a label, or the file does not give every gene set exactly one part.

    Examples
    --------
    >>> import dglcell
    >>> cell = dglcell.build_cell(model="textbook")
    >>> screen = dglcell.read_screen("textbook", cell)
    >>> dglcell.make_split(screen, "random", seed=0, test_fraction=0.2)
    Split random: 6,617 train, 946 val, 1,890 test
    """
    usable = table.usable()
    if not usable.any():
        raise DataError(f"no row of the screen has a fitness or an interaction ({len(table)} rows) - nothing to learn")
    _check_fractions(kind, test_fraction, val_fraction)
    error: type[DglcellError] = UsageError
    shares = f"{setting('test_fraction')} {test_fraction:g} and {setting('val_fraction')} {val_fraction:g}"
    how = f"{setting('split', kind)} with {shares}"
    if kind in (schema.UNSEEN_GENE, schema.UNSEEN_ALL, schema.QUERY_PAIR):
        part = hold_out(table, kind, seed, test_fraction, val_fraction)
    elif kind == schema.SPLIT_FILE:
        if path is None or cell is None:
            raise UsageError(
                f"{setting('split', kind)} needs {setting('split_file')}, a table with the columns genes and split"
            )
        part = read_parts(table, Path(path), cell)[table.genotype_keys()]
        how, error = f"the split file {path}", DataError
    elif kind == schema.KFOLD:
        if folds < 2 or not 0 <= fold < folds:
            raise UsageError(f"{setting('fold')} {fold} - 0 to {folds - 1} was expected")
        part = _kfold(table, seed, val_fraction, fold, folds)[table.genotype_keys()]
        how = f"{setting('split', 'kfold')} with {setting('fold')} {fold} of {folds}"
    elif kind == schema.RANDOM:
        part = _random(table, seed, test_fraction, val_fraction)[table.genotype_keys()]
    else:
        raise UsageError(f"{setting('split')} {kind} - one of {', '.join(schema.SPLITS)} was expected")
    split = Split(part, kind)
    for name in SUBSETS:
        if not usable[split.rows(name)].any():
            raise error(
                f"{how} leaves the part {name} without a labelled row ({table.num_genotypes} gene sets in all) - "
                f"{_advice(kind, name)} or give more rows"
            )
    check_leakage(table, split)
    return split


def _advice(kind: str, part: str) -> str:
    raised = (kind == schema.RANDOM and part != "train") or (kind == schema.KFOLD and part == "val")
    return f"raise {setting(f'{part}_fraction')}" if raised else "change the split"


def _check_fractions(kind: str, test: float, val: float) -> None:
    problems = ErrorCollector(UsageError)
    if kind == schema.SPLIT_FILE:
        return
    if kind == schema.KFOLD:
        test = 0.0
    for name, value in (("test_fraction", test), ("val_fraction", val)):
        if not 0 <= value < 1:
            problems.add(f"{setting(name)} {value} - a fraction of at least 0 and below 1 was expected")
    if test + val >= 1:
        problems.add(f"{setting('test_fraction')} {test} and {setting('val_fraction')} {val} leave nothing to train on")
    problems.check()


def _strata(table: GenotypeTable, seed: int) -> tuple[list[NDArray[np.int64]], int]:
    """Shuffled keys of the gene sets of each order, those with a label first; and how many orders these have."""
    keys = table.genotype_keys()
    orders = np.zeros(table.num_genotypes, dtype=np.int64)
    orders[keys] = table.orders
    labelled = np.zeros(len(orders), dtype=np.bool_)
    labelled[keys[table.usable()]] = True
    rng = np.random.default_rng(seed)
    with_label, without = (
        [rng.permutation(np.flatnonzero((orders == order) & state)) for order in np.unique(orders[state])]
        for state in (labelled, ~labelled)
    )
    return [*with_label, *without], len(with_label)


def _quotas(sizes: list[int], room: list[int], fraction: float, labelled: int) -> list[int]:
    """How many of each stratum; where rounding leaves none of any with labels, one each of those with most room."""
    quotas = [round(fraction * size) for size in sizes]
    if not any(quotas[:labelled]):
        for k in np.argsort([-n for n in room[:labelled]], kind="stable")[: round(fraction * sum(sizes[:labelled]))]:
            quotas[k] = 1
    return quotas


def _random(table: GenotypeTable, seed: int, test: float, val: float) -> NDArray[np.int8]:
    part = np.full(table.num_genotypes, TRAIN, dtype=np.int8)
    strata, labelled = _strata(table, seed)
    sizes = [len(keys) for keys in strata]
    tests = _quotas(sizes, sizes, test, labelled)
    vals = _quotas(sizes, [size - n for size, n in zip(sizes, tests, strict=True)], val, labelled)
    for keys, n_test, n_val in zip(strata, tests, vals, strict=True):
        part[keys[:n_test]] = TEST
        part[keys[n_test : n_test + n_val]] = VAL
    return part


def _kfold(table: GenotypeTable, seed: int, val: float, fold: int, folds: int) -> NDArray[np.int8]:
    part = np.full(table.num_genotypes, TRAIN, dtype=np.int8)
    strata, labelled = _strata(table, seed)
    rest, before = [], 0
    for keys in strata:
        in_fold = np.arange(before, before + len(keys)) % folds == fold  # counted on, so that folds are equally large
        before += len(keys)
        part[keys[in_fold]] = TEST
        rest.append(keys[~in_fold])
    vals = _quotas([len(keys) for keys in strata], [len(keys) for keys in rest], val, labelled)
    for keys, n_val in zip(rest, vals, strict=True):
        part[keys[:n_val]] = VAL
    return part
