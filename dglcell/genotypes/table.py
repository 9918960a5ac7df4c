"""GenotypeTable: measured genotypes as gene rows of one cell graph, with their labels."""

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
from dglcell.errors import number_of
from dglcell.genotypes.gene_index import EncodedGenotypes, encode_screen
from dglcell.genotypes.screen_check import ScreenCheck
from dglcell.genotypes.splits.membership import query_pairs
from dglcell.graph.fingerprints import IDS, require_same
from dglcell.hashing import sha256
from dglcell.readers.screens.screen_table import offsets

if TYPE_CHECKING:
    from pandas import DataFrame

    from dglcell.graph.cell import CellGraph
    from dglcell.readers.screens.read import ScreenTable


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class GenotypeTable:
    """n genotypes of one cell graph.

    Use `of` for arrays, `from_dataframe` for a pandas DataFrame, and `genotypes.merge` for screens.

    Attributes
    ----------
    genes : (K,) int32
        Gene rows, ascending and distinct within a genotype.
    ptr : (n + 1,) int64
        Genotype i deletes `genes[ptr[i]:ptr[i + 1]]`.
    labels : (n, 4) float32
        Columns of `schema.LABEL_COLUMNS`, NaN = missing. Interactions of fewer than two deletions are missing.
    source : (n,) int16
        File of each row, index into `sources`.
    sources : tuple of dict
        `path`, `sha256`, `layout`, `rules` and `report` of each screen file; see `genotypes.merge.ScreenMerger`.
    ids_fingerprint : str
        `ids` fingerprint of the cell graph.
    ids : mapping
        Ids of the cell graph (not a copy), so that an error can name the first difference.
    alleles : (K,) int8
        Kind of allele of each gene of `genes`, index into `schema.ALLELES`.
    interaction_std : (n,) float32
        Standard deviation of the interaction, NaN where missing.
    query : (n,) uint8
        Genes of the query strain of each row: bit k stands for gene `ptr[i] + k`; 0 if the query is unknown. The
        control locus is not a deletion, so a double-mutant query has two bits, and its single-mutant control one.

    Examples
    --------
    >>> import dglcell
    >>> cell = dglcell.build_cell(genes=["YAL001C", "YAL002W", "YAL003W"])
    >>> genes, ptr = cell.indices([["YAL001C"], ["YAL001C", "YAL003W"]])
    >>> table = GenotypeTable.of(cell, genes, ptr, [[0.9, 0.1, float("nan"), float("nan")], [0.5, 0.1, -0.3, 0.01]])
    >>> table
    GenotypeTable: 2 rows
      deletions         1: 1 row, 2: 1 row
      fitness           2 rows
      gene_interaction  1 row
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
            Gene rows of the cell, ascending and distinct within a genotype, as from `CellGraph.indices`.
        ptr : (n + 1,) int
            Genotype i deletes `genes[ptr[i]:ptr[i + 1]]`.
        labels : (n, 4) float, optional
            Columns of `schema.LABEL_COLUMNS`, NaN = missing; interactions of fewer than two deletions become NaN.
        source, sources : (n,) int and sequence of mappings, optional
            File of each row as an index into `sources`, and the description of each file.
        alleles : (K,) int, optional
            Kind of allele of each gene; deletions by default.
        interaction_std : (n,) float, optional
        query : (n,) int, optional
            Genes of the query strain as bits.

        Returns
        -------
        GenotypeTable
        """
        starts = np.asarray(ptr, dtype=np.int64)
        num_rows = len(starts) - 1
        values = np.full((num_rows, len(schema.LABEL_COLUMNS)), np.nan, dtype=np.float32)
        if labels is not None:
            values[:] = labels
        values[np.isnan(values)] = np.nan  # a single bit pattern of NaN, so that equal tables have equal fingerprints
        no_interaction = np.diff(starts) < schema.MIN_ORDER[schema.INTERACTION]
        for column in _INTERACTION_COLUMNS:
            values[no_interaction, column] = np.nan
        std = np.full(num_rows, np.nan, dtype=np.float32)
        if interaction_std is not None:
            std[:] = interaction_std
        std[no_interaction] = np.nan
        origin = np.zeros(num_rows, dtype=np.int16) if source is None else np.asarray(source, dtype=np.int16)
        rows = np.asarray(genes, dtype=np.int32)
        kinds = np.full(len(rows), schema.DELETION) if alleles is None else alleles
        source_list = tuple(dict(s) for s in sources)
        kinds = np.asarray(kinds, dtype=np.int8)
        bits = np.zeros(num_rows, dtype=np.uint8) if query is None else np.asarray(query, dtype=np.uint8)
        return cls(rows, starts, values, origin, source_list, cell.fingerprints[IDS], cell.ids, kinds, std, bits)

    @classmethod
    def from_dataframe(cls, frame: DataFrame, cell: CellGraph, unknown_genes: str = "few") -> GenotypeTable:
        """A table from a pandas DataFrame, with the columns of a genotype table.

        Parameters
        ----------
        frame : pandas.DataFrame
            A column `genes` (names joined by `;`, or a list of names in each row; empty is the wild type) or columns
            `gene_1`, `gene_2`, ..; and any of the labels `fitness`, `fitness_std`, `gene_interaction`,
            `gene_interaction_p_value`, `gene_interaction_std`. Further columns are ignored.
        cell : CellGraph
            Resolves the names: ids, standard names and aliases.
        unknown_genes : str
            What to do with rows that name a gene which the cell lacks: `few` leaves them out but raises an error if
            they are a tenth or more, `skip` leaves them out in any case, `error` raises an error at the first.

        Returns
        -------
        GenotypeTable
            Rows as in the frame; `sources` counts the rows that were left out.

        Raises
        ------
        DataError
            There is no column of genes, text instead of a number, a number beyond single precision, an ambiguous name,
            too many unknown genes, or no row left. In the message, `data frame:3` is the third row.

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
        from dglcell.readers.data_frames import genotypes_of_frame

        ScreenRules.require(unknown_genes=unknown_genes)
        screen = genotypes_of_frame(frame, is_gene=cell.has_gene)
        table, encoded = cls.from_block(cell, screen)
        check = ScreenCheck(cell, screen.path, unknown_genes)
        check.add(screen, encoded)
        table = table.take(np.flatnonzero(~encoded.incomplete))
        check.keep(table.labels)
        check.finish(labels=False)  # a table without labels can be predicted
        report = {**block_report(screen, encoded), "rows in the table": len(table), **check.report()}
        rules = ScreenRules(unknown_genes=unknown_genes).rules()
        source = {"path": screen.path, "sha256": "", "layout": screen.layout, "rules": rules, "report": report}
        return dataclasses.replace(table, sources=(source,))

    @classmethod
    def from_block(cls, cell: CellGraph, screen: ScreenTable, number: int = 0) -> tuple[Self, EncodedGenotypes]:
        """All rows of one screen or block, and their encoded genotypes.

        Rows with an unknown gene have no genes in the table; `EncodedGenotypes.incomplete` marks them.

        Parameters
        ----------
        cell : CellGraph
        screen : ScreenTable
        number : int
            Index of the file among the sources.

        Returns
        -------
        table : GenotypeTable
        encoded : EncodedGenotypes

        Raises
        ------
        DataError
            A name is ambiguous.
        """
        encoded = encode_screen(cell, screen)
        source, std = np.full(len(screen), number), screen.interaction_std
        return cls.of(
            cell, encoded.genes, encoded.ptr, screen.labels, source, (), encoded.alleles, std, encoded.query
        ), encoded

    @classmethod
    def concatenate(cls, cell: CellGraph, tables: Sequence[GenotypeTable]) -> Self:
        """Join the rows and sources of several tables of one cell.

        Parameters
        ----------
        cell : CellGraph
        tables : sequence of GenotypeTable

        Returns
        -------
        GenotypeTable
        """
        empty = cls.of(cell, [], [0])
        all_tables: list[GenotypeTable] = [empty, *tables]
        columns = {
            name: np.concatenate([getattr(t, name) for t in all_tables])
            for name in ("genes", "labels", "source", "alleles", "interaction_std", "query")
        }
        return cls(
            ptr=offsets(np.concatenate([t.orders for t in all_tables])),
            sources=tuple(s for t in all_tables for s in t.sources),
            ids_fingerprint=empty.ids_fingerprint,
            ids=empty.ids,
            **columns,
        )

    def __len__(self) -> int:
        return len(self.ptr) - 1

    def __repr__(self) -> str:
        rows = [f"GenotypeTable: {number_of(len(self), 'row')}", f"  {'deletions':<18}{_describe_orders(self.orders)}"]
        present = np.isfinite(np.asarray(self.labels)).sum(axis=0).tolist()
        for name, num_rows in zip(schema.LABEL_COLUMNS, present, strict=True):
            if name in schema.LABELS:
                rows.append(f"  {name:<18}{number_of(num_rows, 'row')}")
        for source in self.sources[:_SHOWN]:
            num_unknown = source.get("report", {}).get(UNKNOWN_ROWS, 0)
            note = f", {number_of(num_unknown, 'row')} with an unknown gene left out" if num_unknown else ""
            rows.append(f"  {'from':<18}{Path(source['path']).name} ({source['layout']}){note}")
        if len(self.sources) > _SHOWN:
            rows.append(f"  {'and':<18}{len(self.sources) - _SHOWN} further files")
        return "\n".join(rows)

    @functools.cached_property
    def orders(self) -> NDArray[np.int64]:
        """(n,) numbers of deleted genes."""
        return np.diff(self.ptr)

    @property
    def targets(self) -> NDArray[np.float32]:
        """(n, 2) labels that models predict, columns `schema.LABELS`."""
        return self.labels[:, [schema.LABEL_COLUMNS.index(name) for name in schema.LABELS]]

    def usable(self, labels: Sequence[str] = schema.LABELS) -> NDArray[np.bool_]:
        """Rows that have at least one of the labels.

        Parameters
        ----------
        labels : sequence of str
            Names from `schema.LABEL_COLUMNS`.

        Returns
        -------
        (n,) bool
        """
        present = np.isfinite(self.labels[:, [schema.LABEL_COLUMNS.index(name) for name in labels]])
        return np.asarray(present.any(axis=1))

    def take(self, rows: ArrayLike) -> GenotypeTable:
        """A table of selected rows.

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
        num_genes = int(self.genes.max(initial=0)) + 1
        offset = 0
        for order in np.unique(self.orders):
            rows = np.flatnonzero(self.orders == order)
            key, num_keys = np.zeros(len(rows), dtype=np.int64), 1
            for column in range(order):
                if (
                    num_keys > _LARGEST // num_genes
                ):  # ranks of prefixes are below n, so the next product cannot overflow
                    key, num_keys = np.unique(key, return_inverse=True)[1].reshape(-1), len(rows)
                key *= num_genes
                key += self.genes[self.ptr[rows] + column]
                num_keys *= num_genes
            unique_keys, key = np.unique(key, return_inverse=True)
            keys[rows] = offset + key.reshape(-1)
            offset += len(unique_keys)
        return keys

    def genotype_keys(self) -> NDArray[np.int64]:
        """Keys of gene sets.

        Returns
        -------
        (n,) int64
            Equal for equal gene sets, numbered from 0 by (number of deletions, genes).
        """
        return self._keys

    def joint_keys(self, other: GenotypeTable) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Keys of the rows of this table and another one of the same cell; equal for equal gene sets.

        Parameters
        ----------
        other : GenotypeTable
            m rows.

        Returns
        -------
        (n,) int64, (m,) int64
        """
        genes = np.concatenate([self.genes, other.genes])
        union = dataclasses.replace(self, genes=genes, ptr=np.concatenate([self.ptr, other.ptr[1:] + self.ptr[-1]]))
        keys = union.genotype_keys()
        return keys[: len(self)], keys[len(self) :]

    def allele_counts(self) -> dict[str, int]:
        """Number of rows with each kind of allele.

        Returns
        -------
        dict of str to int
            By the names in `schema.ALLELES`; a row with two kinds counts for both.
        """
        row = np.repeat(np.arange(len(self)), self.orders)
        return {name: len(np.unique(row[self.alleles == k])) for k, name in enumerate(schema.ALLELES)}

    @property
    def num_genotypes(self) -> int:
        """Number of distinct gene sets."""
        return int(self._keys.max(initial=-1)) + 1

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the genotypes, their labels and the ids of the cell graph, but not of file names."""
        return sha256(self.ids_fingerprint, self.genes, self.ptr, self.labels)

    def require_cell(self, cell: CellGraph, what: str = "the screen") -> None:
        """Raise FingerprintError if the ids of a cell graph differ from those of this table.

        Parameters
        ----------
        cell : CellGraph
        what : str
            Name of this table in the message.
        """
        require_same(cell.fingerprints, {IDS: self.ids_fingerprint}, cell.ids, self.ids, what)

    def info(self) -> dict[str, Any]:
        """Counts, sources and fingerprints, as plain values for JSON.

        Returns
        -------
        dict
            Numbers of `rows` and `genotypes`; rows by number of deletions (`orders`), label and kind of allele;
            `query_pairs`, `sources` and `fingerprints`.
        """
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


_SHOWN = 4  # files, and numbers of deletions, in a `repr`
UNKNOWN_ROWS = "rows with an unknown gene, left out"
_LARGEST = np.iinfo(np.int64).max
_INTERACTION_COLUMNS = tuple(schema.LABEL_COLUMNS.index(n) for n in (schema.INTERACTION, schema.INTERACTION_P))


def _describe_orders(orders: NDArray[np.int64]) -> str:
    """Rows by number of deletions, as `1: 120 rows, 2: 4,000 rows`."""
    counts = np.bincount(orders)
    numbers = np.flatnonzero(counts)
    counts_shown = [f"{k}: {number_of(counts[k], 'row')}" for k in numbers[:_SHOWN]]
    num_others = int(counts[numbers[_SHOWN:]].sum())
    return ", ".join([*counts_shown, f"more: {number_of(num_others, 'row')}"] if num_others else counts_shown) or "none"


def block_report(screen: ScreenTable, encoded: EncodedGenotypes) -> dict[str, Any]:
    """Counts of the rows of a block, which can be summed over blocks, with the report of the reader.

    Parameters
    ----------
    screen : ScreenTable
        The block.
    encoded : EncodedGenotypes
        Its genotypes.
    """
    no_interaction = np.diff(encoded.ptr) < schema.MIN_ORDER[schema.INTERACTION]
    is_undefined = no_interaction & ~encoded.incomplete & np.isfinite(screen.labels[:, _INTERACTION_COLUMNS[0]])
    return {
        "rows": len(screen),
        UNKNOWN_ROWS: int(encoded.incomplete.sum()),
        "rows that name a gene twice, merged": encoded.repeated,
        "interactions of fewer than two deletions, left out": int(is_undefined.sum()),
        **screen.report,
    }
