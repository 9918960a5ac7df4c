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
from dglcell.config import ScreenRules
from dglcell.errors import DataError, setting
from dglcell.genotypes.gene_index import EncodedGenotypes, encode_screen
from dglcell.genotypes.splits.queries import query_pairs
from dglcell.graph.fingerprints import IDS, require_same
from dglcell.hashing import file_sha256, sha256
from dglcell.readers.screens.screen_table import offsets

if TYPE_CHECKING:
    from pandas import DataFrame

    from dglcell.graph.cell import CellGraph
    from dglcell.readers.screens.read import ScreenTable


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
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
        `path`, `sha256`, `layout` of each screen file; from `genotypes.unite` also its `report` and the `rules`.
    ids_fingerprint : str
        `ids` fingerprint of the cell graph.
    ids : mapping
        The cell graph's own ids, shared and not copied, so that a mismatch can name the first that differs.
    alleles : (K,) int8
        Kind of allele of each gene of `genes`, index into `schema.ALLELES`.
    interaction_std : (n,) float32
        Standard deviation of the interaction, NaN where missing.
    query : (n,) uint8
        Which of a row's genes are those of its query strain: bit k for gene `ptr[i] + k`; 0 where the screen does not
        say. A control locus is no gene, so a double-mutant query has two bits and its control one.
    """

    genes: NDArray[np.int32]
    ptr: NDArray[np.int64]
    labels: NDArray[np.float32]
    source: NDArray[np.int16]
    sources: tuple[dict[str, Any], ...]
    ids_fingerprint: str
    ids: Mapping[str, Sequence[str]]
    alleles: NDArray[np.int8]
    interaction_std: NDArray[np.float32]
    query: NDArray[np.uint8]

    @classmethod
    def of(
        cls,
        cell: CellGraph,
        genes: ArrayLike,
        ptr: ArrayLike,
        labels: ArrayLike | None = None,
        source: ArrayLike | None = None,
        sources: Sequence[Mapping[str, Any]] = (),
        alleles: ArrayLike | None = None,
        interaction_std: ArrayLike | None = None,
        query: ArrayLike | None = None,
    ) -> Self:
        """A table from arrays.

        Parameters
        ----------
        cell : CellGraph
        genes : (K,) int
            Gene rows of the cell, ascending and distinct within a genotype, as `CellGraph.indices` gives them.
        ptr : (n + 1,) int
            Genotype i deletes `genes[ptr[i]:ptr[i + 1]]`.
        labels : (n, 4) float, optional
            In the order of `schema.LABEL_COLUMNS`, NaN = missing; interactions below order 2 become NaN.
        source, sources : (n,) int and sequence of mappings, optional
            Which source each row came from, and what is known of the sources.
        alleles : (K,) int, optional
            Kind of allele of each gene; deletions by default.
        interaction_std : (n,) float, optional
        query : (n,) int, optional
            Genes of the query strain, as bits.

        Returns
        -------
        GenotypeTable
        """
        starts = np.asarray(ptr, dtype=np.int64)
        n = len(starts) - 1
        values = np.full((n, len(schema.LABEL_COLUMNS)), np.nan, dtype=np.float32)
        if labels is not None:
            values[:] = labels
        values[np.isnan(values)] = np.nan  # one bit pattern, so that equal tables have equal fingerprints
        low = np.diff(starts) < schema.MIN_ORDER[schema.INTERACTION]
        for column in _INTERACTION_COLUMNS:
            values[low, column] = np.nan
        std = np.full(n, np.nan, dtype=np.float32)
        if interaction_std is not None:
            std[:] = interaction_std
        std[low] = np.nan
        origin = np.zeros(n, dtype=np.int16) if source is None else np.asarray(source, dtype=np.int16)
        rows = np.asarray(genes, dtype=np.int32)
        kinds = np.full(len(rows), schema.DELETION) if alleles is None else alleles
        named = tuple(dict(s) for s in sources)
        kinds = np.asarray(kinds, dtype=np.int8)
        bits = np.zeros(n, dtype=np.uint8) if query is None else np.asarray(query, dtype=np.uint8)
        return cls(rows, starts, values, origin, named, cell.fingerprints[IDS], cell.ids, kinds, std, bits)

    @classmethod
    def from_records(
        cls, cell: CellGraph, screens: Sequence[ScreenTable], unknown: str = "error"
    ) -> tuple[Self, dict[str, Any]]:
        """Unite screens, in the order given; `genotypes.unite` does so by rules, and with files of any length.

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
        ScreenRules.require(unknown_genes=unknown)
        parts, files = [], []
        for number, screen in enumerate(screens):
            part, found = cls.part_of(cell, screen, number, unknown)
            origin = {"path": str(screen.path), "sha256": file_sha256(Path(screen.path)), "layout": screen.layout}
            parts.append(dataclasses.replace(part.take(np.flatnonzero(~found.incomplete)), sources=(origin,)))
            report = {"path": screen.path, "layout": screen.layout, "unknown genes": len(found.unknown)}
            files.append(report | part_report(screen, found))
        united = cls.concatenate(cell, parts)
        return united, {"rows": len(united), "genotypes": united.num_genotypes, "files": files}

    @classmethod
    def from_dataframe(
        cls, frame: DataFrame, cell: CellGraph, unknown_genes: str = "error", **rules: Any
    ) -> GenotypeTable:
        """A table from a pandas DataFrame, by the rules of a genotype table on disk.

        Parameters
        ----------
        frame : pandas.DataFrame
            A column `genes` (names joined by `;`, or a list of names in each row; empty is the wild type) or columns
            `gene_1`, `gene_2`, ..; and any of the labels `fitness`, `fitness_std`, `gene_interaction`,
            `gene_interaction_p_value`, `gene_interaction_std`. Further columns are ignored.
        cell : CellGraph
            Resolves the names: ids, standard names and aliases.
        unknown_genes : str
            What a gene that the cell lacks does: `error` stops, `skip` leaves the row out and counts it.
        **rules
            Fields of `ScreenRules`, such as `clip_fitness=True`.

        Returns
        -------
        GenotypeTable
            Rows in the order of the frame; `sources` says what was left out.

        Raises
        ------
        DataError
            No column of genes, text where a number belongs, an ambiguous name, or an unknown gene under `error`;
            `data frame:3` is the third row.

        Examples
        --------
        >>> import dglcell
        >>> import pandas as pd
        >>> cell = dglcell.build_cell(genes=["YAL001C", "YAL002W", "YAL003W"])
        >>> frame = pd.DataFrame({"genes": ["YAL001C", "YAL001C;YAL003W"], "fitness": [0.9, 0.7]})
        >>> table = dglcell.GenotypeTable.from_dataframe(frame, cell)
        >>> table.orders.tolist(), table.targets[:, 0].round(2).tolist()
        ([1, 2], [0.8999999761581421, 0.699999988079071])
        """
        from dglcell.genotypes.merge import merge_screens  # which is made of tables itself
        from dglcell.readers.data_frames import genotypes_of_frame

        return merge_screens(cell, [genotypes_of_frame(frame)], ScreenRules(unknown_genes=unknown_genes, **rules))[0]

    @classmethod
    def part_of(
        cls, cell: CellGraph, screen: ScreenTable, number: int = 0, unknown: str = "error"
    ) -> tuple[Self, EncodedGenotypes]:
        """All rows of one screen, or of one block of it, as source `number`, and what became of its names.

        A row with an unknown gene has no genes here: `EncodedGenotypes.incomplete` says which rows to leave out.

        Parameters
        ----------
        cell : CellGraph
        screen : ScreenTable
        number : int
            Position of its file among the sources.
        unknown : str
            `error` or `skip`.

        Returns
        -------
        table : GenotypeTable
        found : EncodedGenotypes

        Raises
        ------
        DataError
            An unknown gene under `error`, or an ambiguous name.
        """
        found = encode_screen(cell, screen)
        if found.unknown and unknown == "error":
            line = screen.lines[np.flatnonzero(found.incomplete)[0]]
            raise DataError(
                f"{screen.path}:{line}: genes that the graph does not have: {found.describe_unknown()} - "
                f"correct the names, or leave these rows out with {setting('unknown_genes', 'skip')}"
            )
        source, std = np.full(len(screen), number), screen.interaction_std
        return cls.of(cell, found.genes, found.ptr, screen.labels, source, (), found.alleles, std, found.query), found

    @classmethod
    def concatenate(cls, cell: CellGraph, parts: Sequence[GenotypeTable]) -> Self:
        """The rows of tables of one cell; the sources of each follow those of the one before.

        Parameters
        ----------
        cell : CellGraph
        parts : sequence of GenotypeTable

        Returns
        -------
        GenotypeTable
        """
        empty = cls.of(cell, [], [0])
        tables: list[GenotypeTable] = [empty, *parts]
        columns = {
            name: np.concatenate([getattr(t, name) for t in tables])
            for name in ("genes", "labels", "source", "alleles", "interaction_std", "query")
        }
        return cls(
            ptr=offsets(np.concatenate([t.orders for t in tables])),
            sources=tuple(s for t in tables for s in t.sources),
            ids_fingerprint=empty.ids_fingerprint,
            ids=empty.ids,
            **columns,
        )

    def __len__(self) -> int:
        return len(self.ptr) - 1

    def __repr__(self) -> str:
        rows = [f"GenotypeTable: {len(self):,} rows", f"  {'deletions':<18}{_listed_orders(self.orders)}"]
        present = np.isfinite(np.asarray(self.labels)).sum(axis=0).tolist()
        for name, n in zip(schema.LABEL_COLUMNS, present, strict=True):
            if name in schema.LABELS:
                rows.append(f"  {name:<18}{n:,} rows")
        for source in self.sources[:_SHOWN]:
            missing = source.get("report", {}).get(UNKNOWN_ROWS, 0)
            note = f", {missing:,} rows with an unknown gene left out" if missing else ""
            rows.append(f"  {'from':<18}{Path(source['path']).name} ({source['layout']}){note}")
        if len(self.sources) > _SHOWN:
            rows.append(f"  {'and':<18}{len(self.sources) - _SHOWN} further files")
        return "\n".join(rows)

    @functools.cached_property
    def orders(self) -> NDArray[np.int64]:
        """(n,) number of deleted genes."""
        return np.diff(self.ptr)

    @property
    def targets(self) -> NDArray[np.float32]:
        """(n, 2) the labels that the model predicts, `schema.LABELS`."""
        return self.labels[:, [schema.LABEL_COLUMNS.index(name) for name in schema.LABELS]]

    def usable(self, labels: Sequence[str] = schema.LABELS) -> NDArray[np.bool_]:
        """Which rows have at least one of some labels.

        Parameters
        ----------
        labels : sequence of str
            Of `schema.LABEL_COLUMNS`.

        Returns
        -------
        (n,) bool
        """
        present = np.isfinite(self.labels[:, [schema.LABEL_COLUMNS.index(name) for name in labels]])
        return np.asarray(present.any(axis=1))

    def take(self, rows: ArrayLike) -> GenotypeTable:
        """The table of some rows.

        Parameters
        ----------
        rows : (m,) int
            In any order; repeats are allowed.

        Returns
        -------
        GenotypeTable
        """
        index = np.asarray(rows, dtype=np.int64)
        lengths = self.orders[index]
        ptr = offsets(lengths)
        positions = np.arange(ptr[-1]) + np.repeat(self.ptr[index] - ptr[:-1], lengths)
        return dataclasses.replace(
            self,
            genes=self.genes[positions],
            ptr=ptr,
            labels=self.labels[index],
            source=self.source[index],
            alleles=self.alleles[positions],
            interaction_std=self.interaction_std[index],
            query=self.query[index],
        )

    @functools.cached_property
    def _keys(self) -> NDArray[np.int64]:
        keys = np.empty(len(self), dtype=np.int64)
        size = int(self.genes.max(initial=0)) + 1
        base = 0
        for order in np.unique(self.orders):
            rows = np.flatnonzero(self.orders == order)
            key, span = np.zeros(len(rows), dtype=np.int64), 1
            for column in range(order):
                if span > _LARGEST // size:  # ranks of prefixes stay below n, so the next product cannot overflow
                    key, span = np.unique(key, return_inverse=True)[1].reshape(-1), len(rows)
                key *= size
                key += self.genes[self.ptr[rows] + column]
                span *= size
            distinct, key = np.unique(key, return_inverse=True)
            keys[rows] = base + key.reshape(-1)
            base += len(distinct)
        return keys

    def genotype_keys(self) -> NDArray[np.int64]:
        """(n,) equal iff the gene sets are; 0, 1, .. in order of (order, genes), whatever the order of the rows."""
        return self._keys

    def joint_keys(self, other: GenotypeTable) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Keys of the rows of two tables of one cell: equal if and only if the gene sets are.

        Parameters
        ----------
        other : GenotypeTable
            m rows.

        Returns
        -------
        (n,) int64, (m,) int64
        """
        genes = np.concatenate([self.genes, other.genes])
        both = dataclasses.replace(self, genes=genes, ptr=np.concatenate([self.ptr, other.ptr[1:] + self.ptr[-1]]))
        keys = both.genotype_keys()
        return keys[: len(self)], keys[len(self) :]

    def allele_counts(self) -> dict[str, int]:
        """Rows with each kind of allele; a row with two kinds counts in both."""
        owner = np.repeat(np.arange(len(self)), self.orders)
        return {name: len(np.unique(owner[self.alleles == k])) for k, name in enumerate(schema.ALLELES)}

    @property
    def num_genotypes(self) -> int:
        """Distinct gene sets."""
        return int(self._keys.max(initial=-1)) + 1

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the rows, their labels and the graph's ids; file names do not enter."""
        return sha256(self.ids_fingerprint, self.genes, self.ptr, self.labels)

    def require_cell(self, cell: CellGraph, what: str = "the screen") -> None:
        """Refuse a graph with other ids (FingerprintError).

        Parameters
        ----------
        cell : CellGraph
        what : str
            What the message calls this table.
        """
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
            "alleles": self.allele_counts(),
            "query_pairs": len(query_pairs(self.genes, self.ptr, self.query)),
            "sources": [dict(s) for s in self.sources],
            "fingerprints": {"ids": self.ids_fingerprint, "screen": self.fingerprint},
        }


_SHOWN = 4  # files and orders of a `repr`
UNKNOWN_ROWS = "rows with an unknown gene, left out"
_LARGEST = np.iinfo(np.int64).max
_INTERACTION_COLUMNS = tuple(schema.LABEL_COLUMNS.index(n) for n in (schema.INTERACTION, schema.INTERACTION_P))


def _listed_orders(orders: NDArray[np.int64]) -> str:
    """`1: 120 rows, 2: 4,000 rows`, the rarest orders together."""
    counts = np.bincount(orders)
    numbers = np.flatnonzero(counts)
    shown = [f"{k}: {counts[k]:,} rows" for k in numbers[:_SHOWN]]
    rest = int(counts[numbers[_SHOWN:]].sum())
    return ", ".join([*shown, f"more: {rest:,} rows"] if rest else shown) or "none"


def part_report(screen: ScreenTable, found: EncodedGenotypes) -> dict[str, Any]:
    """What was read of a screen and became of its rows: counts, which add up over blocks, and the reader's texts."""
    low = np.diff(found.ptr) < schema.MIN_ORDER[schema.INTERACTION]
    undefined = low & ~found.incomplete & np.isfinite(screen.labels[:, _INTERACTION_COLUMNS[0]])
    return {
        "rows": len(screen),
        UNKNOWN_ROWS: int(found.incomplete.sum()),
        "rows that name a gene twice, merged": found.repeated,
        "interactions of fewer than two deletions, left out": int(undefined.sum()),
        **screen.report,
    }
