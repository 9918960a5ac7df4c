"""GenotypeTable: measured genotypes as gene rows of one cell graph, ragged, with their labels.

Owns the merge of screens, what an unknown gene does to a row, and which labels count. Knows no file layouts.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dglcell import schema
from dglcell.errors import DataError, UsageError
from dglcell.genotypes.names import GeneRows, gene_rows, offsets
from dglcell.graph.fingerprints import IDS, require_same
from dglcell.storage import file_sha256, sha256

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph
    from dglcell.sources.screens import ScreenTable


@dataclasses.dataclass(frozen=True, eq=False)
class GenotypeTable:
    """n genotypes of one cell graph; make one with `of` or `from_records`.

    Attributes
    ----------
    genes : (K,) int32
        Gene rows, ascending and distinct within a genotype.
    ptr : (n + 1,) int64
        Genotype i deletes `genes[ptr[i]:ptr[i + 1]]`.
    labels : (n, 4) float32
        `schema.LABEL_COLUMNS`; NaN = missing. Interactions below order 2 are missing.
    source : (n,) int16
        Row of `sources` that a genotype came from.
    sources : tuple of dict
        `path`, `sha256`, `layout` of each screen file.
    ids_fingerprint : str
        `ids` fingerprint of the cell graph.
    ids : mapping
        The cell graph's own ids, shared and not copied, so that a mismatch can name the first that differs.
    """

    genes: NDArray[np.int32]
    ptr: NDArray[np.int64]
    labels: NDArray[np.float32]
    source: NDArray[np.int16]
    sources: tuple[dict[str, Any], ...]
    ids_fingerprint: str
    ids: Mapping[str, Sequence[str]] = dataclasses.field(repr=False)

    @classmethod
    def of(
        cls,
        cell: CellGraph,
        genes: ArrayLike,
        ptr: ArrayLike,
        labels: ArrayLike | None = None,
        source: ArrayLike | None = None,
        sources: Sequence[Mapping[str, Any]] = (),
    ) -> Self:
        """A table from arrays; a missing `labels` is all NaN. Interactions below order 2 become NaN."""
        offsets = np.asarray(ptr, dtype=np.int64)
        n = len(offsets) - 1
        values = np.full((n, len(schema.LABEL_COLUMNS)), np.nan, dtype=np.float32)
        if labels is not None:
            values[:] = labels
        values[np.isnan(values)] = np.nan  # one bit pattern, so that equal tables have equal fingerprints
        low = np.diff(offsets) < schema.MIN_ORDER[schema.INTERACTION]
        for column in _INTERACTION_COLUMNS:
            values[low, column] = np.nan
        origin = np.zeros(n, dtype=np.int16) if source is None else np.asarray(source, dtype=np.int16)
        rows = np.asarray(genes, dtype=np.int32)
        return cls(rows, offsets, values, origin, tuple(dict(s) for s in sources), cell.fingerprints[IDS], cell.ids)

    @classmethod
    def from_records(
        cls, cell: CellGraph, screens: Sequence[ScreenTable], unknown: str = "error"
    ) -> tuple[Self, dict[str, Any]]:
        """Unite screens, in the order given.

        Parameters
        ----------
        cell : CellGraph
            Resolves the names.
        screens : sequence of ScreenTable
            Names as in the files.
        unknown : str
            What a gene that the graph lacks does: `error` stops, `skip` leaves the row out and counts it.

        Returns
        -------
        table : GenotypeTable
        report : dict
            Rows read and kept, rows and names unknown, interactions without two deletions, by file and in all.

        Raises
        ------
        DataError
            An unknown gene under `error`, or an ambiguous name.
        """
        if unknown not in ("error", "skip"):
            raise UsageError(f"--unknown-genes {unknown} - error or skip was expected")
        parts, files = [], []
        for number, screen in enumerate(screens):
            found = gene_rows(cell, screen.genotypes)
            if found.unknown and unknown == "error":
                line = screen.lines[np.flatnonzero(found.incomplete)[0]]
                raise DataError(
                    f"{screen.path}:{line}: genes that the graph does not have: {found.describe_unknown()} - "
                    "correct the names, or leave these rows out with --unknown-genes skip"
                )
            origin = {"path": str(screen.path), "sha256": file_sha256(Path(screen.path)), "layout": screen.layout}
            table = cls.of(
                cell, found.genes, found.ptr, screen.labels, np.full(len(screen.genotypes), number), [origin]
            )
            files.append(_file_report(screen, found))
            parts.append(table.take(np.flatnonzero(~found.incomplete)))
        united = cls._concatenate(cell, parts)
        return united, {"rows": len(united), "genotypes": united.num_genotypes, "files": files}

    @classmethod
    def _concatenate(cls, cell: CellGraph, parts: Sequence[GenotypeTable]) -> Self:
        empty = cls.of(cell, [], [0])
        tables: list[GenotypeTable] = [empty, *parts]
        return cls(
            np.concatenate([t.genes for t in tables]),
            offsets(np.concatenate([t.orders for t in tables])),
            np.concatenate([t.labels for t in tables]),
            np.concatenate([t.source for t in tables]),
            tuple(s for t in tables for s in t.sources),
            empty.ids_fingerprint,
            empty.ids,
        )

    def __len__(self) -> int:
        return len(self.ptr) - 1

    @functools.cached_property
    def orders(self) -> NDArray[np.int64]:
        """(n,) number of deleted genes."""
        return np.diff(self.ptr)

    @property
    def targets(self) -> NDArray[np.float32]:
        """(n, 2) the labels that the model predicts, `schema.LABELS`."""
        return self.labels[:, [schema.LABEL_COLUMNS.index(name) for name in schema.LABELS]]

    def usable(self, labels: Sequence[str] = schema.LABELS) -> NDArray[np.bool_]:
        """(n,) bool: rows with at least one of these labels."""
        present = np.isfinite(self.labels[:, [schema.LABEL_COLUMNS.index(name) for name in labels]])
        return np.asarray(present.any(axis=1))

    def take(self, rows: ArrayLike) -> GenotypeTable:
        """The table of these rows, in this order, repeats allowed."""
        index = np.asarray(rows, dtype=np.int64)
        lengths = self.orders[index]
        ptr = offsets(lengths)
        positions = np.arange(ptr[-1]) + np.repeat(self.ptr[index] - ptr[:-1], lengths)
        return dataclasses.replace(
            self, genes=self.genes[positions], ptr=ptr, labels=self.labels[index], source=self.source[index]
        )

    @functools.cached_property
    def _keys(self) -> NDArray[np.int64]:
        keys = np.empty(len(self), dtype=np.int64)
        size = int(self.genes.max(initial=0)) + 1
        base = 0
        for order in np.unique(self.orders):
            rows = np.flatnonzero(self.orders == order)
            key = np.zeros(len(rows), dtype=np.int64)
            for column in range(order):  # ranks of prefixes stay below n, so the product cannot overflow
                gene = self.genes[self.ptr[rows] + column]
                key = np.unique(key * size + gene, return_inverse=True)[1].reshape(-1)
            keys[rows] = base + key
            base += int(key.max()) + 1
        return keys

    def genotype_keys(self) -> NDArray[np.int64]:
        """(n,) equal iff the gene sets are; 0, 1, .. in order of (order, genes), whatever the order of the rows."""
        return self._keys

    @property
    def num_genotypes(self) -> int:
        """Distinct gene sets."""
        return int(self._keys.max(initial=-1)) + 1

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the rows, their labels and the graph's ids; file names do not enter."""
        return sha256(self.ids_fingerprint, self.genes, self.ptr, self.labels)

    def require_cell(self, cell: CellGraph, what: str = "the screen") -> None:
        """Refuse a graph with other ids (FingerprintError)."""
        require_same(cell.fingerprints, {IDS: self.ids_fingerprint}, cell.ids, self.ids, what)

    def info(self) -> dict[str, Any]:
        """Counts, sources and fingerprints, ready for JSON."""
        orders, counts = np.unique(self.orders, return_counts=True)
        present = np.isfinite(self.labels).sum(axis=0)
        return {
            "rows": len(self),
            "genotypes": self.num_genotypes,
            "orders": {str(k): int(c) for k, c in zip(orders, counts, strict=True)},
            "labels": {name: int(c) for name, c in zip(schema.LABEL_COLUMNS, present, strict=True)},
            "sources": [dict(s) for s in self.sources],
            "fingerprints": {"ids": self.ids_fingerprint, "screen": self.fingerprint},
        }


_INTERACTION_COLUMNS = tuple(schema.LABEL_COLUMNS.index(n) for n in (schema.INTERACTION, schema.INTERACTION_P))


def _file_report(screen: ScreenTable, found: GeneRows) -> dict[str, Any]:
    low = np.diff(found.ptr) < schema.MIN_ORDER[schema.INTERACTION]
    undefined = low & ~found.incomplete & np.isfinite(screen.labels[:, _INTERACTION_COLUMNS[0]])
    return {
        "path": str(screen.path),
        "layout": screen.layout,
        "rows": len(screen.genotypes),
        "rows with an unknown gene, left out": int(found.incomplete.sum()),
        "unknown genes": len(found.unknown),
        "rows that name a gene twice, merged": found.repeated,
        "interactions of fewer than two deletions, left out": int(undefined.sum()),
        **screen.report,
    }
