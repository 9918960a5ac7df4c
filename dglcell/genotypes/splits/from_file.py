"""Subsets of genotypes from a file: a genotype table with a column `split`."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, ErrorCollector
from dglcell.genotypes.gene_index import encode_genes
from dglcell.genotypes.splits.split import ASSIGNMENTS, Split, check_leakage
from dglcell.genotypes.table import GenotypeTable

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph

_UNSET = -1


def read_subsets(table: GenotypeTable, path: Path, cell: CellGraph) -> NDArray[np.int8]:
    """Subsets of the gene sets of a table.

    Rows of the file with a gene that the cell does not have are left out with a warning.

    Parameters
    ----------
    table : GenotypeTable
    path : Path
        Genotype table with a column `split` of train, val, test or unused.
    cell : CellGraph
        Resolves the genes of the file.

    Returns
    -------
    (num_genotypes,) int8
        By key, `table.genotype_keys()`.

    Raises
    ------
    DataError
        The file does not assign every gene set of the table to exactly one subset.
    """
    from dglcell.readers.screens.read import read_genotype_table

    rows = read_genotype_table(path)
    header = [name.strip().lower() for name in rows.header]
    if "split" not in header:
        raise DataError(f"{path} has no column split - a column with {_expected_names()} was expected")
    encoded = encode_genes(cell, rows.genotypes)
    names = [row[header.index("split")].strip().lower() for row in rows.rows]
    problems = ErrorCollector(DataError)
    for name in sorted(set(names) - set(ASSIGNMENTS)):
        problems.add(f"{path}: split {name!r} in {names.count(name)} rows - {_expected_names()} was expected")
    problems.check()
    subsets = np.array([ASSIGNMENTS.index(name) for name in names], dtype=np.int8)
    if encoded.unknown:
        warnings.warn(
            f"{path}: genes that the graph does not have: {encoded.describe_unknown()}, whose rows are left out",
            stacklevel=3,
        )
    complete = np.flatnonzero(~encoded.incomplete)
    return _match_gene_sets(
        table, GenotypeTable.of(cell, encoded.genes, encoded.ptr).take(complete), subsets[complete], path
    )


def _expected_names() -> str:
    return ", ".join(ASSIGNMENTS[:-1]) + f" or {ASSIGNMENTS[-1]}"


def _match_gene_sets(
    table: GenotypeTable, file_table: GenotypeTable, file_subsets: NDArray[np.int8], path: Path
) -> NDArray[np.int8]:
    """Subsets of the gene sets of `table` from those of the file; gene sets that only the file has are ignored."""
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
            f"{path} gives no subset for {num_absent} of {len(subset)} gene sets of the screen - list each of them once"
        )
    return subset
