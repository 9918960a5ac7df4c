"""Parts of genotypes that a file gives: a genotype table with a column `split`."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, ErrorCollector
from dglcell.genotypes.gene_index import encode_genes
from dglcell.genotypes.splits.leakage import check_leakage
from dglcell.genotypes.splits.split import ASSIGNMENTS, Split
from dglcell.genotypes.table import GenotypeTable

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph

_UNSET = -1


def read_parts(table: GenotypeTable, path: Path, cell: CellGraph) -> NDArray[np.int8]:
    """(genotypes,) the part of each gene set of a table, by its key.

    Rows of the file with a gene that the graph lacks are left out with a warning: no gene set of a table has one.

    Raises
    ------
    DataError
        The file does not give every gene set exactly one part.
    """
    from dglcell.readers.screens.read import read_genotype_table

    given = read_genotype_table(path)
    header = [name.strip().lower() for name in given.header]
    if "split" not in header:
        raise DataError(f"{path} has no column split - a column with {_words()} was expected")
    found = encode_genes(cell, given.genotypes)
    words = [row[header.index("split")].strip().lower() for row in given.rows]
    problems = ErrorCollector(DataError)
    for word in sorted(set(words) - set(ASSIGNMENTS)):
        problems.add(f"{path}: split {word!r} in {words.count(word)} rows - {_words()} was expected")
    problems.check()
    theirs = np.array([ASSIGNMENTS.index(word) for word in words], dtype=np.int8)
    if found.unknown:
        warnings.warn(
            f"{path}: genes that the graph does not have: {found.describe_unknown()}, whose rows are left out",
            stacklevel=3,
        )
    known = np.flatnonzero(~found.incomplete)
    return _match(table, GenotypeTable.of(cell, found.genes, found.ptr).take(known), theirs[known], path)


def _words() -> str:
    return ", ".join(ASSIGNMENTS[:-1]) + f" or {ASSIGNMENTS[-1]}"


def _match(table: GenotypeTable, listed: GenotypeTable, theirs: NDArray[np.int8], path: Path) -> NDArray[np.int8]:
    """Parts of the table's gene sets from those of the listed ones; sets that only the list has do not matter."""
    try:
        check_leakage(listed, Split(theirs, "file"))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    own_keys, keys = table.joint_keys(listed)
    part_of_all = np.full(len(table) + len(listed), _UNSET, dtype=np.int8)  # more than there are keys
    part_of_all[keys] = theirs
    part = np.full(table.num_genotypes, _UNSET, dtype=np.int8)
    part[table.genotype_keys()] = part_of_all[own_keys]
    absent = int(np.count_nonzero(part == _UNSET))
    if absent:
        raise DataError(
            f"{path} gives no part to {absent} of {len(part)} gene sets of the screen - list each of them once"
        )
    return part
