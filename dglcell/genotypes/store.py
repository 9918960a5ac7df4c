"""A genotype table as the arrays and meta of an HDF5 file, under the prefix `screen/`.

Owns the names of those datasets. The envelope (checksums, versions) is `dglcell.storage`; the file is the cell graph's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from dglcell.errors import FormatError
from dglcell.genotypes.dataset import GenotypeTable

PREFIX = "screen/"
_COLUMNS = ("genes", "ptr", "labels", "source", "alleles", "interaction_std")


def to_arrays(table: GenotypeTable) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Datasets and meta of a table."""
    arrays = {PREFIX + name: getattr(table, name) for name in _COLUMNS}
    return arrays, {"sources": list(table.sources), "ids_fingerprint": table.ids_fingerprint}


def from_arrays(
    arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], ids: Mapping[str, Sequence[str]]
) -> GenotypeTable:
    """The inverse of `to_arrays`, given the ids of the cell graph.

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
    fits = n >= 0 and labels.shape == (n, 4) and source.shape == std.shape == (n,)
    if not fits or not int(ptr[-1]) == len(genes) == len(alleles):
        raise FormatError("the datasets of the stored screen do not fit together - build the file again")
    return GenotypeTable(genes, ptr, labels, source, tuple(meta["sources"]), meta["ids_fingerprint"], ids, alleles, std)
