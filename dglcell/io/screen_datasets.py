"""A genotype table as the datasets and meta of an HDF5 file, under the prefix `screen/`.

Owns the names of those datasets. The envelope (checksums, versions) is `dglcell.io.hdf5`; the file is the cell graph's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import FormatError
from dglcell.genotypes.table import GenotypeTable
from dglcell.io.columns import loaded

PREFIX = "screen/"
_COLUMNS = ("genes", "ptr", "labels", "source", "alleles", "interaction_std")
_QUERY = "query"  # files from before it was stored lack it


def to_blocks(parts: Iterable[GenotypeTable]) -> Iterator[dict[str, NDArray[Any]]]:
    """The datasets of consecutive parts of one table, as blocks of rows to append; one block at least."""
    empty, end = True, 0
    for part in parts:
        block = {PREFIX + name: loaded(getattr(part, name)) for name in (*_COLUMNS, _QUERY)}
        ptr = block[PREFIX + "ptr"] + end
        block[PREFIX + "ptr"] = ptr if empty else ptr[1:]
        empty, end = False, int(ptr[-1])
        yield block


def from_arrays(
    arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], ids: Mapping[str, Sequence[str]]
) -> GenotypeTable:
    """A table from its datasets, arrays or columns on disk, and its meta; `ids` are those of the cell graph.

    Raises
    ------
    FormatError
        A dataset lacks or does not fit the others.
    """
    try:
        genes, ptr, labels, source, alleles, std = (arrays[PREFIX + name] for name in _COLUMNS)
    except KeyError as error:
        raise FormatError(f"the stored screen has no dataset {error.args[0]} - build the file again") from error
    n = len(ptr) - 1
    query = arrays.get(PREFIX + _QUERY)
    if query is None:
        query = np.zeros(max(0, n), dtype=np.uint8)
    fits = n >= 0 and labels.shape == (n, 4) and source.shape == std.shape == query.shape == (n,)
    if not fits or not int(ptr[-1]) == len(genes) == len(alleles):
        raise FormatError("the datasets of the stored screen do not fit together - build the file again")
    sources, fingerprint = tuple(meta["sources"]), meta["ids_fingerprint"]
    return GenotypeTable(genes, ptr, labels, source, sources, fingerprint, ids, alleles, std, query)
