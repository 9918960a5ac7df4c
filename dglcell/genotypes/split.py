"""Training, validation and test parts of a genotype table.

A part is chosen for a gene set, never for a row, so no genotype straddles two parts; every split proves it before it is
handed out. Owns the choice; knows nothing of models.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, DglcellError, Problems, UsageError
from dglcell.genotypes.dataset import GenotypeTable
from dglcell.genotypes.names import gene_rows
from dglcell.storage import sha256

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph

PARTS = ("train", "val", "test")
TRAIN, VAL, TEST = range(3)
KINDS = ("random", "kfold", "file")
_UNSET = -1


@dataclasses.dataclass(frozen=True)
class Split:
    """Which part each row is in.

    Attributes
    ----------
    part : (n,) int8
        0 train, 1 val, 2 test.
    kind : str
        One of `KINDS`.
    """

    part: NDArray[np.int8]
    kind: str = "random"

    def rows(self, name: str) -> NDArray[np.int64]:
        """Rows of the part `train`, `val` or `test`, ascending."""
        return np.flatnonzero(self.part == PARTS.index(name))

    @property
    def counts(self) -> dict[str, int]:
        """Rows by part."""
        return {name: len(self.rows(name)) for name in PARTS}

    @functools.cached_property
    def hash(self) -> str:
        """SHA-256 of the parts of all rows."""
        return sha256("split", self.part)


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
    """Split by gene set, stratified by order of deletion; the order of the rows has no influence.

    Parameters
    ----------
    kind : str
        `random`: fractions of the gene sets. `kfold`: fold number `fold` of `folds` is the test part, `val_fraction` of
        all gene sets, out of the rest, the validation part. `file`: `path` says.
    path : Path, optional
        A genotype table with a column `split` that holds train, val or test; needs `cell` to resolve the genes.

    Raises
    ------
    UsageError
        An option out of range, or a part without a labelled row.
    DataError
        The file does not give every gene set exactly one part.
    """
    error: type[DglcellError] = UsageError
    if kind == "random":
        _check_fractions(test_fraction, val_fraction)
        part_of = _random(table, seed, test_fraction, val_fraction)
        how = f"--split random with --test-fraction {test_fraction:g} and --val-fraction {val_fraction:g}"
    elif kind == "kfold":
        _check_fractions(0.0, val_fraction)
        if folds < 2 or not 0 <= fold < folds:
            raise UsageError(f"--fold {fold} - 0 to {folds - 1} was expected")
        part_of = _kfold(table, seed, val_fraction, fold, folds)
        how = f"--split kfold with --fold {fold} of {folds}"
    elif kind == "file":
        if path is None or cell is None:
            raise UsageError("--split file needs --split-file - give a table with the columns genes and split")
        part_of = _from_file(table, Path(path), cell)
        how, error = f"the split file {path}", DataError
    else:
        raise UsageError(f"--split {kind} - one of {', '.join(KINDS)} was expected")
    split = Split(part_of[table.genotype_keys()], kind)
    _check_parts(table, split, how, error)
    return split


def check_leaks(table: GenotypeTable, split: Split) -> None:
    """Stop if a gene set is in two parts (DataError)."""
    placed = np.sort(table.genotype_keys() * len(PARTS) + split.part)
    keys = placed // len(PARTS)
    straddling = np.count_nonzero((keys[1:] == keys[:-1]) & (placed[1:] != placed[:-1]))
    if straddling:
        raise DataError(f"{straddling} gene sets are in two parts of the split - every gene set must be in one")


def _check_fractions(test: float, val: float) -> None:
    problems = Problems(UsageError)
    for name, value in (("--test-fraction", test), ("--val-fraction", val)):
        if not 0 <= value < 1:
            problems.add(f"{name} {value} - a fraction of at least 0 and below 1 was expected")
    if test + val >= 1:
        problems.add(f"--test-fraction {test} and --val-fraction {val} leave nothing to train on")
    problems.check()


def _strata(table: GenotypeTable, seed: int) -> list[NDArray[np.int64]]:
    """Keys of the gene sets of each order, shuffled."""
    keys, first = np.unique(table.genotype_keys(), return_index=True)
    orders = table.orders[first]
    rng = np.random.default_rng(seed)
    return [rng.permutation(keys[orders == order]) for order in np.unique(orders)]


def _random(table: GenotypeTable, seed: int, test: float, val: float) -> NDArray[np.int8]:
    part = np.full(table.num_genotypes, TRAIN, dtype=np.int8)
    for keys in _strata(table, seed):
        n_test, n_val = round(test * len(keys)), round(val * len(keys))
        part[keys[:n_test]] = TEST
        part[keys[n_test : n_test + n_val]] = VAL
    return part


def _kfold(table: GenotypeTable, seed: int, val: float, fold: int, folds: int) -> NDArray[np.int8]:
    part = np.full(table.num_genotypes, TRAIN, dtype=np.int8)
    for keys in _strata(table, seed):
        in_fold = np.arange(len(keys)) % folds == fold
        part[keys[in_fold]] = TEST
        part[keys[~in_fold][: round(val * len(keys))]] = VAL
    return part


def _from_file(table: GenotypeTable, path: Path, cell: CellGraph) -> NDArray[np.int8]:
    from dglcell.sources.screens import read_genotype_table

    given = read_genotype_table(path)
    header = [name.strip().lower() for name in given.header]
    if "split" not in header:
        raise DataError(f"{path} has no column split - a column with train, val or test was expected")
    found = gene_rows(cell, given.genotypes)
    if found.unknown:
        raise DataError(f"{path}: genes that the graph does not have: {found.describe_unknown()} - correct the names")
    words = [row[header.index("split")].strip().lower() for row in given.rows]
    problems = Problems(DataError)
    for word in sorted(set(words) - set(PARTS)):
        problems.add(f"{path}: split {word!r} in {words.count(word)} rows - train, val or test was expected")
    problems.check()
    theirs = np.array([PARTS.index(word) for word in words], dtype=np.int8)
    return _match(table, GenotypeTable.of(cell, found.genes, found.ptr), theirs, path)


def _match(table: GenotypeTable, listed: GenotypeTable, theirs: NDArray[np.int8], path: Path) -> NDArray[np.int8]:
    """Parts of the table's gene sets from those of the listed ones; sets that only the list has do not matter."""
    both = dataclasses.replace(
        table,
        genes=np.concatenate([table.genes, listed.genes]),
        ptr=np.concatenate([table.ptr, listed.ptr[1:] + table.ptr[-1]]),
    )
    check_leaks_in_file(listed, theirs, path)
    part_of_all = np.full(both.num_genotypes, _UNSET, dtype=np.int8)
    keys = both.genotype_keys()
    part_of_all[keys[len(table) :]] = theirs
    part = np.full(table.num_genotypes, _UNSET, dtype=np.int8)
    part[table.genotype_keys()] = part_of_all[keys[: len(table)]]
    absent = int(np.count_nonzero(part == _UNSET))
    if absent:
        raise DataError(
            f"{path} gives no part to {absent} of {len(part)} gene sets of the screen - list each of them once"
        )
    return part


def check_leaks_in_file(listed: GenotypeTable, parts: NDArray[np.int8], path: Path) -> None:
    """Name the file when it puts one gene set into two parts (DataError)."""
    try:
        check_leaks(listed, Split(parts, "file"))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _check_parts(table: GenotypeTable, split: Split, how: str, error: type[DglcellError]) -> None:
    usable = table.usable()
    if not usable.any():
        raise DataError(f"no row of the screen has a fitness or an interaction ({len(table)} rows) - nothing to learn")
    for name in PARTS:
        if not usable[split.rows(name)].any():
            raise error(
                f"{how} leaves the part {name} without a labelled row ({table.num_genotypes} gene sets in all) - "
                "change the split or give more rows"
            )
    check_leaks(table, split)
