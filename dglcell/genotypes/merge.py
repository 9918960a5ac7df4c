"""Screens of any length -> one genotype table, by the rules that a user gives; every row dropped or changed is counted.

Rows go through in parts: read, unknown genes left out, filtered. With a rule under which a row depends on others
(`ScreenRules.needs_all_rows`) the parts are put together first. Owns the order of the steps; the arithmetic on whole
tables is `genotypes.combine`.
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
from dglcell.genotypes import labels
from dglcell.genotypes.table import GenotypeTable, part_report
from dglcell.hashing import file_sha256
from dglcell.readers.screens.read import read_blocks
from dglcell.readers.screens.screen_table import ScreenTable, add_reports

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph

_FITNESS, _P = (schema.LABEL_COLUMNS.index(name) for name in (schema.FITNESS, schema.INTERACTION_P))
Counts = dict[str, int]


class ScreenMerger:
    """Several screens of one cell, on their way into one table.

    Parameters
    ----------
    cell : CellGraph
        Resolves the names.
    paths : sequence of Path or ScreenTable
        Screens in any known layout, or tables that have been read; the order is that of the rows.
    rules : ScreenRules, optional
        What is read, merged and left out, and what a gene does that the cell lacks.

    Attributes
    ----------
    sources : list of dict
        `path`, `sha256`, `layout`, `rules` and `report` of each file; complete once `parts` is exhausted.
    """

    def __init__(
        self, cell: CellGraph, paths: Sequence[Path | str | ScreenTable], rules: ScreenRules | None = None
    ) -> None:
        self.cell, self.paths = cell, [p if isinstance(p, ScreenTable) else Path(p) for p in paths]
        self.rules = (rules or ScreenRules()).validate()
        self.sources: list[dict[str, Any]] = []

    def parts(self) -> Iterator[GenotypeTable]:
        """The rows, some at a time; their `source` is the row of `sources`, which they do not carry themselves.

        Raises
        ------
        DataError
            A file cannot be read, a name is ambiguous, or a gene is unknown (unless these are skipped).
        """
        self.sources.clear()
        if not self.rules.needs_all_rows:
            for table, _, _ in self._read():
                yield self._clip(table)
            return
        read = list(self._read())
        table = GenotypeTable.concatenate(self.cell, [part for part, _, _ in read])
        if self.rules.derive_fitness:
            expected = np.concatenate([np.zeros(0, dtype=np.float32), *(expected for _, expected, _ in read)])
            twice = np.concatenate([np.zeros(0, dtype=np.bool_), *(twice for _, _, twice in read)])
            del read
            table, filled = labels.impute_labels(table, expected, twice, self.cell.num_nodes(schema.GENE))
            self._count(table, filled)
            self._count(table, {"rows that name a gene twice, without a part in derived labels": twice}, least=1)
        if self.rules.replicates == "mean":
            before = np.bincount(table.source, minlength=len(self.sources))
            table = labels.merge_replicates(table)
            merged = before - np.bincount(table.source, minlength=len(self.sources))
            for source, count in zip(self.sources, merged.tolist(), strict=True):
                source["report"]["replicates merged into a mean"] = count
        yield self._clip(table)

    def table(self) -> GenotypeTable:
        """All rows in memory."""
        united = GenotypeTable.concatenate(self.cell, list(self.parts()))
        return dataclasses.replace(united, sources=tuple(self.sources))

    def report(self) -> dict[str, Any]:
        """What was read, merged and dropped, and why, by file; complete once `parts` is exhausted."""
        rows = sum(source["report"]["rows in the table"] for source in self.sources)
        files = [{"path": s["path"], "layout": s["layout"], **s["report"]} for s in self.sources]
        return {"rows": rows, **{f"rule {k}": v for k, v in self.rules.rules().items()}, "files": files}

    def _read(self) -> Iterator[tuple[GenotypeTable, NDArray[np.float32], NDArray[np.bool_]]]:
        """Filtered parts, the fitness that the file expects of their pairs, and which rows name a gene twice."""
        for number, screen in enumerate(self.paths):
            source: dict[str, Any] = {
                "path": screen.path if isinstance(screen, ScreenTable) else str(screen),
                "sha256": "",
                "layout": "",
                "rules": self.rules.rules(),
                "report": {},
            }
            self.sources.append(source)
            names: set[str] = set()
            blocks = [screen] if isinstance(screen, ScreenTable) else read_blocks(screen, self.rules.raw_scores)
            for block in blocks:
                part, found = GenotypeTable.part_of(self.cell, block, number, self.rules.unknown_genes)
                names |= found.unknown.keys()
                kept, dropped = self._kept(part, ~found.incomplete)
                source["layout"] = block.layout
                counts = [part_report(block, found), dropped, {"rows in the table": len(kept)}]
                source["report"] = add_reports([source["report"], *counts]) | {"unknown genes": len(names)}
                twice = np.diff(found.ptr) != np.diff(block.ptr)  # of rows without an unknown gene, all that are kept
                yield part.take(kept), block.expected[kept], twice[kept]
            if not isinstance(screen, ScreenTable):
                source["sha256"] = file_sha256(screen)

    def _kept(self, part: GenotypeTable, known: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Counts]:
        counts: Counts = {}
        keep = known.copy()
        if self.rules.alleles == "deletion":
            owner = np.repeat(np.arange(len(part)), part.orders)
            other = np.zeros(len(part), dtype=np.bool_)
            other[owner[part.alleles != schema.DELETION]] = True
            counts["rows with an allele other than a deletion, left out"] = int((keep & other).sum())
            keep &= ~other
        if self.rules.max_p is not None:
            above = part.labels[:, _P] > self.rules.max_p
            counts[f"rows with a p-value above {self.rules.max_p:g}, left out"] = int((keep & above).sum())
            keep &= ~above
        return np.flatnonzero(keep), counts

    def _clip(self, table: GenotypeTable) -> GenotypeTable:
        """Count the fitness values below 0, and raise them to 0 if asked."""
        below = table.labels[:, _FITNESS] < 0
        what = "negative fitness values, " + ("set to 0" if self.rules.clip_fitness else "kept")
        self._count(table, {what: below}, least=1)
        if self.rules.clip_fitness:
            table.labels[below, _FITNESS] = 0.0  # the parts are this union's own
        rows = np.bincount(table.source, minlength=len(self.sources)).tolist()
        if self.rules.needs_all_rows:
            for source, count in zip(self.sources, rows, strict=True):
                source["report"]["rows in the table"] = count
        return table

    def _count(self, table: GenotypeTable, marked: Mapping[str, NDArray[np.bool_]], least: int = 0) -> None:
        """Add marked rows to the reports of the files that they came from."""
        for what, rows in marked.items():
            counts = np.bincount(table.source[rows], minlength=len(self.sources)).tolist()
            for source, count in zip(self.sources, counts, strict=True):
                if count >= least:
                    source["report"] = add_reports([source["report"], {what: count}])


def merge_screens(
    cell: CellGraph, paths: Sequence[Path | str | ScreenTable], rules: ScreenRules | None = None
) -> tuple[GenotypeTable, dict[str, Any]]:
    """Read screens into one table in memory; see `ScreenMerger`.

    Returns
    -------
    table : GenotypeTable
    report : dict
        What was read, merged and dropped, and why, by file.
    """
    union = ScreenMerger(cell, paths, rules)
    table = union.table()
    return table, {**union.report(), "genotypes": table.num_genotypes}


def described(report: Mapping[str, Any]) -> list[str]:
    """What `merge_screens` read, merged, dropped and changed, a line each: `{file}: {count} {what}`; nothing for a zero."""
    return [
        f"{Path(file['path']).name}: {count:,} {what}"
        for file in report["files"]
        for what, count in file.items()
        if isinstance(count, int) and count
    ]
