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
from dglcell.genotypes.screen_check import ScreenCheck
from dglcell.genotypes.table import GenotypeTable, block_report
from dglcell.hashing import file_sha256
from dglcell.readers.screens.read import read_blocks
from dglcell.readers.screens.screen_table import ScreenTable, add_reports

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph

_FITNESS, _FITNESS_STD, _SCORE, _P = range(len(schema.LABEL_COLUMNS))
_KINDS = len(schema.ALLELES)
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
    ) -> None:
        self.cell, self.paths = cell, [p if isinstance(p, ScreenTable) else Path(p) for p in paths]
        self.rules = (rules or ScreenRules()).validate()
        self.allow_empty = allow_empty
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
        rows = sum(source["report"]["rows in the table"] for source in self.sources)
        files = [{"path": s["path"], "layout": s["layout"], **s["report"]} for s in self.sources]
        return {"rows": rows, **{f"rule {k}": v for k, v in self.rules.rules().items()}, "files": files}

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
            blocks = [screen] if isinstance(screen, ScreenTable) else read_blocks(screen, self.rules.raw_scores)
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


def merge_screens(
    cell: CellGraph,
    paths: Sequence[Path | str | ScreenTable],
    rules: ScreenRules | None = None,
    allow_empty: bool | None = None,
) -> tuple[GenotypeTable, dict[str, Any]]:
    """Read screens into one table in memory; see `ScreenMerger`.

    Parameters
    ----------
    cell : CellGraph
        Resolves the names.
    paths : sequence of Path or ScreenTable
        Screens in any known layout, or tables that have been read.
    rules : ScreenRules, optional
    allow_empty : bool, optional
        As in `ScreenMerger`.

    Returns
    -------
    table : GenotypeTable
    report : dict
        Counts of rows read, merged and left out, by file and reason.
    """
    merger = ScreenMerger(cell, paths, rules, allow_empty)
    table = merger.table()
    return table, {**merger.report(), "genotypes": table.num_genotypes}


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """The report of `merge_screens` as lines `{file}: {item}: {count}`, without zeros."""
    return [
        f"{Path(file['path']).name}: {item}: {count:,}"
        for file in report["files"]
        for item, count in file.items()
        if isinstance(count, int) and count
    ]


def weighted_means(
    values: NDArray[np.floating], std: NDArray[np.floating], group: NDArray[np.integer], groups: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Mean of the finite values of each group, and the standard deviation of the mean.

    .. math:: \bar y = \sum_k w_k y_k / \sum_k w_k, \quad w_k = 1 / \sigma_k^2, \quad \bar\sigma = (\sum_k w_k)^{-1/2}

    if all values of the group have a standard deviation above 0; otherwise the unweighted mean, without a standard
    deviation. A single value keeps its standard deviation.

    Parameters
    ----------
    values, std : (n,) float
        NaN where missing.
    group : (n,) integer
        Group of each value.
    groups : int
        Number of groups.

    Returns
    -------
    mean, std : (groups,) float64
        NaN for a group without a value.

    Examples
    --------
    >>> mean, std = weighted_means(np.array([1.0, 4.0]), np.array([1.0, 2.0]), np.array([0, 0]), 1)
    >>> float(mean[0].round(3)), float(std[0].round(3))  # weights 1 and 1/4
    (1.6, 0.894)
    """
    finite = np.isfinite(values)
    group, y, sigma = group[finite], values[finite].astype(np.float64), std[finite].astype(np.float64)
    count = np.bincount(group, minlength=groups)
    has_std = np.bincount(group[sigma > 0], minlength=groups) == count
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(has_std[group], 1 / np.square(sigma), 1.0)
        total = np.bincount(group, weight, minlength=groups)
        # Relative to the unweighted mean, so that equal values give exactly that value, also with large weights.
        unweighted = np.bincount(group, y, minlength=groups) / count
        mean = unweighted + np.bincount(group, weight * (y - unweighted[group]), minlength=groups) / total
        mean_std = np.where(has_std, total**-0.5, np.nan)
    single = count[group] == 1
    mean_std[group[single]] = sigma[single]
    return np.where(count > 0, mean, np.nan), np.where(count > 0, mean_std, np.nan)


def merge_replicates(table: GenotypeTable) -> GenotypeTable:
    """Merge rows of one source with the same genes and kinds of allele into one, at the position of the first.

    Fitness and interaction are `weighted_means`, the p-value is the largest one. Merged rows of different query
    strains, such as reciprocal pairs, have no query.
    """
    typed = table.genes.astype(np.int64) * _KINDS + table.alleles
    keys = dataclasses.replace(table, genes=typed).genotype_keys() * (int(table.source.max(initial=0)) + 1)
    _, first_rows, group = np.unique(keys + table.source, return_index=True, return_inverse=True)
    groups = len(first_rows)
    fitness, fitness_std = weighted_means(table.labels[:, _FITNESS], table.labels[:, _FITNESS_STD], group, groups)
    score, score_std = weighted_means(table.labels[:, _SCORE], table.interaction_std, group, groups)
    p = np.full(groups, -np.inf)
    np.fmax.at(p, group, table.labels[:, _P].astype(np.float64))
    labels = np.stack([fitness, fitness_std, score, np.where(np.isfinite(p), p, np.nan)], axis=1).astype(np.float32)
    query = table.query[first_rows].copy()
    query[group[table.query != query[group]]] = 0
    rank = np.argsort(first_rows)
    table_of_first = table.take(first_rows[rank])
    std = score_std[rank].astype(np.float32)
    return dataclasses.replace(table_of_first, labels=labels[rank], interaction_std=std, query=query[rank])


def impute_labels(
    table: GenotypeTable, expected: NDArray[np.float32], is_repeated: NDArray[np.bool_], num_genes: int
) -> tuple[GenotypeTable, dict[str, NDArray[np.bool_]]]:
    r"""Compute a missing fitness of a pair from its interaction, or a missing interaction from its fitness.

    .. math:: f_{ij} = \epsilon_{ij} + f_i f_j, \qquad \epsilon_{ij} = f_{ij} - f_i f_j

    The single-mutant fitness values come from the row of the pair or, if it has none, from the single mutants of the
    table: the means over rows with only this gene and kind of allele. Pairs without both values do not change. Rows
    that name a gene twice are ignored: a cross of two strains of one gene is measured as a double mutant, not as a
    single mutant.

    Parameters
    ----------
    expected : (n,) float32
        `f_i f_j` from the row of the pair, NaN if it has none.
    is_repeated : (n,) bool
        Rows for which the file names a gene more than once.
    num_genes : int
        Number of genes of the cell.

    Returns
    -------
    table : GenotypeTable
    imputed : dict of str to (n,) bool
        Rows with a computed fitness, and rows with a computed interaction.
    """
    singles = np.flatnonzero((table.orders == 1) & ~is_repeated)
    single_starts = table.ptr[singles]
    group = table.genes[single_starts].astype(np.int64) * _KINDS + table.alleles[single_starts]
    values, std = table.labels[singles, _FITNESS], table.labels[singles, _FITNESS_STD]
    single, _ = weighted_means(values, std, group, num_genes * _KINDS)
    pairs = np.flatnonzero((table.orders == 2) & ~is_repeated)
    pair_starts = table.ptr[pairs]
    i, j = (table.genes[pair_starts + k].astype(np.int64) * _KINDS + table.alleles[pair_starts + k] for k in (0, 1))
    product = expected[pairs].astype(np.float64)
    product = np.where(np.isfinite(product), product, single[i] * single[j])
    labels = table.labels.copy()
    fitness, score = (labels[pairs, column].astype(np.float64) for column in (_FITNESS, _SCORE))
    imputed = {}
    for column, item, value in (
        (_FITNESS, "fitness derived from interaction", score + product),
        (_SCORE, "interaction derived from fitness", fitness - product),
    ):
        is_imputed = np.isnan(labels[pairs, column]) & np.isfinite(value)
        rows = pairs[is_imputed]
        labels[rows, column] = value[is_imputed]
        imputed[item] = np.zeros(len(table), dtype=np.bool_)
        imputed[item][rows] = True
    return dataclasses.replace(table, labels=labels), imputed
