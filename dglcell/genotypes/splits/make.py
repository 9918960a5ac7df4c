"""Splits of a genotype table into training, validation and test.

All rows of a gene set are in the same subset. Every split is checked for this, and for the promise of its kind
(`split.check_leakage`), before it is returned.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.config import TrainConfig
from dglcell.errors import DataError, DglcellError, ErrorCollector, UsageError, number_of, setting, warn
from dglcell.genotypes.gene_index import encode_screen
from dglcell.genotypes.splits.held_out import hold_out
from dglcell.genotypes.splits.split import ASSIGNMENTS, SUBSETS, TEST, TRAIN, UNUSED, VAL, Split, check_leakage
from dglcell.genotypes.table import GenotypeTable

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph

__all__ = ["ASSIGNMENTS", "SUBSETS", "TEST", "TRAIN", "UNUSED", "VAL", "Split", "check_leakage", "make_split"]

FOLDS = 10  # of `kfold` as a configuration describes it
_UNSET = -1


def make_split(
    table: GenotypeTable,
    kind: str = "random",
    seed: int = 0,
    test_fraction: float = 0.1,
    val_fraction: float = 0.1,
    fold: int = 0,
    path: Path | None = None,
    folds: int = FOLDS,
    cell: CellGraph | None = None,
    columns: Sequence[str] = (),
) -> Split:
    """Split a table by gene sets; the result depends on the seed, but not on the sequence of the rows.

    Validation is held out from training in the same way as test. Fractions are shares of the gene sets; under
    `unseen-all`, of those that are used; under `query-pair`, of those with a double-mutant query.

    Parameters
    ----------
    table : GenotypeTable
    kind : str
        `random`: gene sets at random, with the same shares for each number of deletions. `kfold`: at random, and test
        is fold `fold` of `folds`. `unseen-gene`, `unseen-all`, `query-pair`: test has genes, or double-mutant queries,
        that training does not have (see `dglcell.genotypes.splits.split`). `file`: as listed in the file `path`.
    seed : int
        Seed of the random choice.
    test_fraction, val_fraction : float
        Shares of the test and validation subsets.
    fold, folds : int
        For `kfold`: the number of the test fold, from 0, and the number of folds.
    path : Path, optional
        For `file`: genotypes in any layout of a screen, with a column `split` that contains train, val, test or unused.
    cell : CellGraph, optional
        For `file`: resolves the genes.
    columns : sequence of str
        For `file`: columns of a file in no known layout, as `genes=strain,split=part`.

    Returns
    -------
    Split
        It records the arguments that it depends on.

    Raises
    ------
    UsageError
        A setting is out of range, the screen cannot be split in this way, or a subset has no labeled row.
    DataError
        No row has a label, or the file does not assign every gene set to exactly one subset.

    Examples
    --------
    >>> import dglcell
    >>> cell = dglcell.build_cell(model="textbook")
    >>> screen = dglcell.read_screen("textbook", cell)
    >>> dglcell.make_split(screen, "random", seed=0, test_fraction=0.2)
    Split random: 6,617 train, 946 val, 1,890 test
    """
    TrainConfig.require(seed=seed)
    usable = table.usable()
    if not usable.any():
        raise DataError(
            f"no row of the screen has a fitness or an interaction ({len(table)} rows) - at least one was expected"
        )
    _check_fractions(kind, test_fraction, val_fraction)
    error: type[DglcellError] = UsageError
    shares = f"{setting('test_fraction')} {test_fraction:g} and {setting('val_fraction')} {val_fraction:g}"
    description = f"{setting('split', kind)} with {shares}"
    if kind in (schema.UNSEEN_GENE, schema.UNSEEN_ALL, schema.QUERY_PAIR):
        subset = hold_out(table, kind, seed, test_fraction, val_fraction)
    elif kind == schema.SPLIT_FILE:
        if path is None or cell is None:
            raise UsageError(
                f"{setting('split', kind)} needs {setting('split_file')}, a table with the columns `genes` and `split`"
            )
        subset = _read_subsets(table, Path(path), cell, columns)[table.genotype_keys()]
        description, error = f"the split file {path}", DataError
    elif kind == schema.KFOLD:
        if folds < 2 or not 0 <= fold < folds:
            raise UsageError(f"{setting('fold')} {fold} - 0 to {folds - 1} was expected")
        subset = _kfold(table, seed, val_fraction, fold, folds)[table.genotype_keys()]
        description = f"{setting('split', 'kfold')} with {setting('fold')} {fold} of {folds}"
    elif kind == schema.RANDOM:
        subset = _random(table, seed, test_fraction, val_fraction)[table.genotype_keys()]
    else:
        raise UsageError(f"{setting('split')} {kind} - one of {', '.join(schema.SPLITS)} was expected")
    split = Split(subset, kind, **_parameters(kind, seed, test_fraction, val_fraction, fold, folds, path))
    for name in SUBSETS:
        if not usable[split.rows(name)].any():
            raise error(
                f"{description} leaves the subset {name} without a labeled row ({table.num_genotypes} gene sets) - "
                f"{_advice(kind, name)} or give more rows"
            )
    check_leakage(table, split)
    return split


def split_from_config(table: GenotypeTable, cell: CellGraph, config: TrainConfig) -> Split:
    """The split of a table that a configuration describes; errors as in `make_split`."""
    return make_split(
        table,
        config.split,
        seed=config.seed,
        test_fraction=config.test_fraction,
        val_fraction=config.val_fraction,
        fold=config.fold or 0,
        path=Path(config.split_file) if config.split_file else None,
        cell=cell,
        columns=config.columns,
    )


def config_with_split(config: TrainConfig, split: Split) -> tuple[TrainConfig, str]:
    """A configuration that describes a split, as far as it can.

    Parameters
    ----------
    config : TrainConfig
        Not yet validated. A setting with another value than its default must agree with the split, except for `seed`,
        which seeds the training as well and is kept.
    split : Split

    Returns
    -------
    config : TrainConfig
    reason : str
        Why it does not describe the split; empty if it does.

    Raises
    ------
    UsageError
        A setting contradicts the split; all of them are named.
    """
    parameters: dict[str, Any] = {"split": split.kind, **split.parameters}
    folds = parameters.pop("folds", FOLDS)
    if "path" in parameters:
        parameters["split_file"] = parameters.pop("path")
    reason = ""
    if not split.parameters:
        reason = "make_split did not make it"
        if split.kind == schema.SPLIT_FILE:  # a configuration cannot say so without the file
            del parameters["split"]
    elif folds != FOLDS:
        reason = f"it has {folds} folds, not {FOLDS}"
    problems = ErrorCollector(UsageError)
    defaults = TrainConfig()
    for name, value in parameters.items():
        current = getattr(config, name)
        if current in (value, getattr(defaults, name)):
            continue
        if name == "seed":
            reason = f"it was made with {setting(name)} {value}, the model is trained with {setting(name)} {current}"
        else:
            problems.add(
                f"{setting(name)} {current} in the configuration, but the split was made with {value} - give one of "
                f"them, or the same in both"
            )
    if config.split_file is not None and split.kind != schema.SPLIT_FILE:
        problems.add(
            f"{setting('split_file')} {config.split_file} in the configuration, but the split is {split.kind} - leave "
            "out one of them"
        )
    problems.check()
    if "seed" in parameters and config.seed != defaults.seed:
        del parameters["seed"]
    return dataclasses.replace(config, **parameters), reason


def _parameters(
    kind: str, seed: int, test_fraction: float, val_fraction: float, fold: int, folds: int, path: Path | None
) -> dict[str, Any]:
    """The arguments of `make_split` that a split of this kind depends on."""
    if kind == schema.SPLIT_FILE:
        return {"path": str(path)}
    shares = {"seed": int(seed), "val_fraction": float(val_fraction)}
    if kind == schema.KFOLD:
        return {**shares, "fold": int(fold), "folds": int(folds)}
    return {**shares, "test_fraction": float(test_fraction)}


def _advice(kind: str, subset: str) -> str:
    is_small = (kind == schema.RANDOM and subset != "train") or (kind == schema.KFOLD and subset == "val")
    return f"raise {setting(f'{subset}_fraction')}" if is_small else "change the split"


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
    """Strata of shuffled gene-set keys by number of deletions, those with a label first; and the number of these."""
    keys = table.genotype_keys()
    orders = np.zeros(table.num_genotypes, dtype=np.int64)
    orders[keys] = table.orders
    labeled = np.zeros(len(orders), dtype=np.bool_)
    labeled[keys[table.usable()]] = True
    rng = np.random.default_rng(seed)
    with_label, unlabeled = (
        [rng.permutation(np.flatnonzero((orders == order) & state)) for order in np.unique(orders[state])]
        for state in (labeled, ~labeled)
    )
    return [*with_label, *unlabeled], len(with_label)


def _quotas(sizes: list[int], capacities: list[int], fraction: float, labeled: int) -> list[int]:
    """Number of gene sets to draw from each stratum; if rounding gives no labeled one, one from each of the largest."""
    quotas = [round(fraction * size) for size in sizes]
    if not any(quotas[:labeled]):
        for k in np.argsort([-n for n in capacities[:labeled]], kind="stable")[
            : round(fraction * sum(sizes[:labeled]))
        ]:
            quotas[k] = 1
    return quotas


def _random(table: GenotypeTable, seed: int, test: float, val: float) -> NDArray[np.int8]:
    subset = np.full(table.num_genotypes, TRAIN, dtype=np.int8)
    strata, num_labeled = _strata(table, seed)
    sizes = [len(keys) for keys in strata]
    test_quotas = _quotas(sizes, sizes, test, num_labeled)
    val_quotas = _quotas(sizes, [size - n for size, n in zip(sizes, test_quotas, strict=True)], val, num_labeled)
    for keys, num_test, num_val in zip(strata, test_quotas, val_quotas, strict=True):
        subset[keys[:num_test]] = TEST
        subset[keys[num_test : num_test + num_val]] = VAL
    return subset


def _kfold(table: GenotypeTable, seed: int, val: float, fold: int, folds: int) -> NDArray[np.int8]:
    subset = np.full(table.num_genotypes, TRAIN, dtype=np.int8)
    strata, num_labeled = _strata(table, seed)
    remaining, start = [], 0
    for keys in strata:
        in_fold = (
            np.arange(start, start + len(keys)) % folds == fold
        )  # continued over strata, so that folds have equal sizes
        start += len(keys)
        subset[keys[in_fold]] = TEST
        remaining.append(keys[~in_fold])
    val_quotas = _quotas([len(keys) for keys in strata], [len(keys) for keys in remaining], val, num_labeled)
    for keys, num_val in zip(remaining, val_quotas, strict=True):
        subset[keys[:num_val]] = VAL
    return subset


def _read_subsets(table: GenotypeTable, path: Path, cell: CellGraph, columns: Sequence[str] = ()) -> NDArray[np.int8]:
    """Subsets of the gene sets of a table, from a file.

    Rows of the file with unknown genes are left out with a warning.

    Parameters
    ----------
    table : GenotypeTable
    path : Path
        Genotypes with a column `split`, which contains train, val, test or unused.
    cell : CellGraph
        Resolves the genes of the file.
    columns : sequence of str
        As in `make_split`.

    Returns
    -------
    (num_genotypes,) int8
        By key, `table.genotype_keys()`.

    Raises
    ------
    DataError
        The file does not assign every gene set of the table to exactly one subset.
    """
    from dglcell.readers.screens.read import read_rows
    from dglcell.readers.tables.column_map import SPLIT, ColumnMap, split_maps

    maps, name = split_maps(columns)
    rows = read_rows(path, maps, cell.has_gene)
    column = ColumnMap("", {SPLIT: name}).match_header(rows.header)
    if column is None:
        shown = ", ".join(f"'{name}'" for name in rows.header)
        raise DataError(f"{path} has no column `{name}` ({shown}) - a column with {_expected_names()} was expected")
    encoded = encode_screen(cell, rows)
    names = [row[column[SPLIT]].strip().lower() for row in rows.rows]
    problems = ErrorCollector(DataError)
    for name in sorted(set(names) - set(ASSIGNMENTS)):
        count = number_of(names.count(name), "row")
        problems.add(f"{path}: split {name!r} in {count} - {_expected_names()} was expected")
    problems.check()
    subsets = np.array([ASSIGNMENTS.index(name) for name in names], dtype=np.int8)
    if encoded.unknown:
        warn(f"{path}: unknown genes: {encoded.describe_unknown()}; these rows are left out")
    complete = np.flatnonzero(~encoded.incomplete)
    return _match_gene_sets(
        table, GenotypeTable.of(cell, encoded.genes, encoded.ptr).take(complete), subsets[complete], path
    )


def _expected_names() -> str:
    return ", ".join(ASSIGNMENTS[:-1]) + f" or {ASSIGNMENTS[-1]}"


def _match_gene_sets(
    table: GenotypeTable, file_table: GenotypeTable, file_subsets: NDArray[np.int8], path: Path
) -> NDArray[np.int8]:
    """Subsets of the gene sets of `table`, from those of the file; gene sets that only the file has are ignored."""
    try:
        check_leakage(file_table, Split(file_subsets, "file"))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    table_keys, file_keys = table.joint_keys(file_table)
    subset_of_key = np.full(len(table) + len(file_table), _UNSET, dtype=np.int8)  # at least the number of keys
    subset_of_key[file_keys] = file_subsets
    subset = np.full(table.num_genotypes, _UNSET, dtype=np.int8)
    subset[table.genotype_keys()] = subset_of_key[table_keys]
    num_absent = int(np.count_nonzero(subset == _UNSET))
    if num_absent:
        raise DataError(
            f"{path} gives no subset for {num_absent} of {len(subset)} gene sets of the screen - list each set once"
        )
    return subset
