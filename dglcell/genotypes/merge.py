"""Screens -> one genotype table, by the rules of `ScreenRules`, with counts of all rows that are left out or changed.

Rows are read and filtered in blocks, so that a screen may be longer than memory. Two rules need all rows at once
(`ScreenRules.needs_all_rows`): means over replicates, and labels imputed by `eps_ij = f_ij - f_i f_j` (Costanzo et al.
2016, doi:10.1126/science.aaf1420). A value that was not measured stays missing, never zero.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.config import ScreenRules
from dglcell.genotypes.replicates import impute_labels, merge_replicates
from dglcell.genotypes.screen_check import ScreenCheck
from dglcell.genotypes.table import GenotypeTable, block_report
from dglcell.hashing import file_sha256
from dglcell.readers.left_out import EXAMPLES
from dglcell.readers.screens.read import read_blocks
from dglcell.readers.screens.screen_table import ScreenTable, add_reports
from dglcell.readers.tables.column_map import check_used, screen_maps

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph

_FITNESS, _FITNESS_STD, _SCORE, _P = range(len(schema.LABEL_COLUMNS))
Counts = dict[str, int]


class ScreenMerger:
    """Merges several screens of one cell into one table.

    Parameters
    ----------
    cell : CellGraph
        Resolves the names.
    paths : sequence of Path or ScreenTable
        Screens in any known layout, or tables that have been read; their rows follow one another.
    rules : ScreenRules, optional
        Rules for rows to leave out or merge, and for genes that are not in the cell graph.
    allow_empty : bool, optional
        Accept a file of which no row, or no row with a fitness or an interaction, is left; None if the caller has no
        such choice, so that no message offers it.
    all_columns : bool
        Whether each entry of `rules.columns` must belong to one of the files.

    Attributes
    ----------
    sources : list of dict
        `path`, `sha256`, `layout`, `rules` and `report` of each file; complete when all `blocks` are read.
    """

    def __init__(
        self,
        cell: CellGraph,
        paths: Sequence[Path | str | ScreenTable],
        rules: ScreenRules | None = None,
        allow_empty: bool | None = None,
        all_columns: bool = True,
    ) -> None:
        self.cell, self.paths = cell, [p if isinstance(p, ScreenTable) else Path(p) for p in paths]
        self.rules = (rules or ScreenRules()).validate()
        self.allow_empty, self.all_columns = allow_empty, all_columns
        self._maps = screen_maps(self.rules.columns)
        self.sources: list[dict[str, Any]] = []

    def blocks(self) -> Iterator[GenotypeTable]:
        """The rows in blocks; `source` of a block refers to `sources` of this object, the block itself has no sources.

        Raises
        ------
        DataError
            A file cannot be read, a name is ambiguous, too many genes are unknown, a number is too large, or no row
            with a label is left; of a whole file, this is known when all its blocks have been read.
        """
        self.sources.clear()
        if not self.rules.needs_all_rows:
            for table, _, _ in self._read():
                yield self._clip(table)
            return
        blocks = list(self._read())
        table = GenotypeTable.concatenate(self.cell, [block_table for block_table, _, _ in blocks])
        if self.rules.derive_fitness:
            expected = np.concatenate([np.zeros(0, dtype=np.float32), *(expected for _, expected, _ in blocks)])
            is_repeated = np.concatenate([np.zeros(0, dtype=np.bool_), *(is_repeated for _, _, is_repeated in blocks)])
            del blocks
            table, imputed = impute_labels(table, expected, is_repeated, self.cell.num_nodes(schema.GENE))
            self._count(table, imputed)
            self._count(table, {"rows that name a gene twice, not used to derive labels": is_repeated}, minimum=1)
        if self.rules.replicates == "mean":
            num_before = np.bincount(table.source, minlength=len(self.sources))
            table = merge_replicates(table)
            num_merged = num_before - np.bincount(table.source, minlength=len(self.sources))
            for source, count in zip(self.sources, num_merged.tolist(), strict=True):
                source["report"]["replicates merged into a mean"] = count
        yield self._clip(table)

    def table(self) -> GenotypeTable:
        """All rows in one table."""
        table = GenotypeTable.concatenate(self.cell, list(self.blocks()))
        return dataclasses.replace(table, sources=tuple(self.sources))

    def report(self) -> dict[str, Any]:
        """Counts of rows read, merged and left out, by file and reason; complete when all `blocks` are read."""
        return screen_report(sum(source["report"]["rows in the table"] for source in self.sources), self.sources)

    def _read(self) -> Iterator[tuple[GenotypeTable, NDArray[np.float32], NDArray[np.bool_]]]:
        """Filtered blocks, with `f_i f_j` from the file for each row, and whether the row names a gene twice."""
        for number, screen in enumerate(self.paths):
            source: dict[str, Any] = {
                "path": screen.path if isinstance(screen, ScreenTable) else str(screen),
                "sha256": "",
                "layout": "",
                "rules": self.rules.rules(),
                "report": {},
            }
            self.sources.append(source)
            check = ScreenCheck(self.cell, source["path"], self.rules.unknown_genes, self.allow_empty)
            left_out: Counts = {}
            blocks = [screen] if isinstance(screen, ScreenTable) else self._blocks(screen)
            for block in blocks:
                table, encoded = GenotypeTable.from_block(self.cell, block, number)
                check.add(block, encoded)
                rows, counts = self._filter(table, ~encoded.incomplete)
                left_out = {item: left_out.get(item, 0) + n for item, n in counts.items()}
                source["layout"] = block.layout
                counts_of_block = [block_report(block, encoded), counts, {"rows in the table": len(rows)}]
                source["report"] = add_reports([source["report"], *counts_of_block]) | check.report()
                check.keep(table.labels[rows])
                is_repeated = np.diff(encoded.ptr) != np.diff(block.ptr)  # for rows without an unknown gene
                yield table.take(rows), block.expected[rows], is_repeated[rows]
            check.finish(left_out)
            if not isinstance(screen, ScreenTable):
                source["sha256"] = file_sha256(screen)
        if self.all_columns:
            check_used(self._maps)

    def _blocks(self, path: Path) -> Iterator[ScreenTable]:
        rules = self.rules
        return read_blocks(
            path,
            rules.raw_scores,
            is_gene=self.cell.has_gene,
            unlabeled=self.allow_empty,
            matrix=rules.matrix,
            condition=rules.condition,
            maps=self._maps,
        )

    def _filter(self, table: GenotypeTable, complete: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Counts]:
        counts: Counts = {}
        is_used = complete.copy()
        if self.rules.alleles == "deletion":
            owner = np.repeat(np.arange(len(table)), table.orders)
            is_other = np.zeros(len(table), dtype=np.bool_)
            is_other[owner[table.alleles != schema.DELETION]] = True
            counts["rows with an allele other than a deletion, left out"] = int((is_used & is_other).sum())
            is_used &= ~is_other
        if self.rules.max_p is not None:
            is_above = table.labels[:, _P] > self.rules.max_p
            counts[f"rows with a p-value above {self.rules.max_p:g}, left out"] = int((is_used & is_above).sum())
            is_used &= ~is_above
        return np.flatnonzero(is_used), counts

    def _clip(self, table: GenotypeTable) -> GenotypeTable:
        """Count negative fitness values; with `clip_fitness`, set them to 0."""
        is_negative = table.labels[:, _FITNESS] < 0
        item = "negative fitness values, " + ("set to 0" if self.rules.clip_fitness else "kept")
        self._count(table, {item: is_negative}, minimum=1)
        if self.rules.clip_fitness:
            table.labels[is_negative, _FITNESS] = 0.0  # the arrays belong to this merger
        rows = np.bincount(table.source, minlength=len(self.sources)).tolist()
        if self.rules.needs_all_rows:
            for source, count in zip(self.sources, rows, strict=True):
                source["report"]["rows in the table"] = count
        return table

    def _count(self, table: GenotypeTable, rows_by_item: Mapping[str, NDArray[np.bool_]], minimum: int = 0) -> None:
        """Add numbers of rows, if at least `minimum`, to the reports of their files."""
        for item, rows in rows_by_item.items():
            counts = np.bincount(table.source[rows], minlength=len(self.sources)).tolist()
            for source, count in zip(self.sources, counts, strict=True):
                if count >= minimum:
                    source["report"] = add_reports([source["report"], {item: count}])


def screen_report(num_rows: int, sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The report of a screen of so many rows from its sources: the rules, and for each file what was left out."""
    rules = sources[0].get("rules") or {} if sources else {}
    files = [{"path": s["path"], "layout": s["layout"], **s["report"]} for s in sources]
    return {"rows": num_rows, **{f"rule {name}": value for name, value in rules.items()}, "files": files}


def merge_screens(
    cell: CellGraph,
    paths: Sequence[Path | str | ScreenTable],
    rules: ScreenRules | None = None,
    allow_empty: bool | None = None,
    all_columns: bool = True,
) -> tuple[GenotypeTable, dict[str, Any]]:
    """Read screens into one table in memory; see `ScreenMerger`.

    Parameters
    ----------
    cell : CellGraph
        Resolves the names.
    paths : sequence of Path or ScreenTable
        Screens in any known layout, or tables that have been read.
    rules : ScreenRules, optional
    allow_empty, all_columns
        As in `ScreenMerger`.

    Returns
    -------
    table : GenotypeTable
    report : dict
        Counts of rows read, merged and left out, by file and reason.
    """
    merger = ScreenMerger(cell, paths, rules, allow_empty, all_columns)
    table = merger.table()
    return table, {**merger.report(), "genotypes": table.num_genotypes}


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """The report of `merge_screens` as lines `{file}: {item}: {count}`, with examples and without zeros."""
    return [
        f"{Path(file['path']).name}: {item}: {count:,}" + (f" ({more})" if (more := file.get(item + EXAMPLES)) else "")
        for file in report["files"]
        for item, count in file.items()
        if isinstance(count, int) and count
    ]
