"""The checks of one screen file over all its blocks: unknown genes, implausible values, rows and labels that are left.

Nothing is judged by a part of a file, so that a long one may be read in blocks: `ScreenCheck.finish` comes at its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, ErrorCollector, number_of, setting, warn
from dglcell.genotypes.gene_index import EncodedGenotypes
from dglcell.readers.left_out import EXAMPLES, LeftOut, examples, or_allow_empty
from dglcell.readers.screens.screen_table import Report, ScreenTable

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph

UNKNOWN_GENES: Final = "unknown genes"
LARGEST: Final = float(1 << 24)  # float32 holds every integer up to here
PLAUSIBLE_FITNESS: Final = 3.0  # of a wild type of 1
_FITNESS = schema.LABEL_COLUMNS.index(schema.FITNESS)
_LABELS = [schema.LABEL_COLUMNS.index(name) for name in schema.LABELS]
_NUMBERS = (*schema.LABEL_COLUMNS, schema.INTERACTION_STD)


class ScreenCheck:
    """Checks one screen file, block by block.

    Parameters
    ----------
    cell : CellGraph
    path : str
        The file, in messages.
    unknown_genes : str
        `few`, `skip` or `error`, as in `ScreenRules`.
    allow_empty : bool or None
        Accept a file of which no row or no label is left; None if the caller has no such choice.
    """

    def __init__(self, cell: CellGraph, path: str, unknown_genes: str, allow_empty: bool | None = None) -> None:
        self.cell, self.path, self.unknown_genes, self.allow_empty = cell, path, unknown_genes, allow_empty
        self._unknown: dict[str, int] = {}
        self._first_unknown = 0
        self._rows = self._incomplete = self._kept = self._labeled = 0
        self._implausible, self._first_implausible, self._extreme = 0, 0, 0.0

    def add(self, block: ScreenTable, encoded: EncodedGenotypes) -> None:
        """Check the rows of a block.

        Raises
        ------
        DataError
            A number is too large for single precision, or with `error` a gene is unknown.
        """
        self._refuse_large(block)
        fitness = block.labels[:, _FITNESS]
        rows = np.flatnonzero(np.abs(fitness) > PLAUSIBLE_FITNESS)
        if len(rows):
            self._first_implausible = self._first_implausible or int(block.lines[rows[0]])
            self._implausible += len(rows)
            extreme = float(fitness[rows[np.argmax(np.abs(fitness[rows]))]])
            self._extreme = max(self._extreme, extreme, key=abs)
        self._rows += len(block)
        if not encoded.unknown:
            return
        first = int(block.lines[np.flatnonzero(encoded.incomplete)[0]])
        if self.unknown_genes == "error":
            raise DataError(
                f"{self.path}:{first}: unknown genes: {encoded.describe_unknown()} - correct the names, or leave these "
                f"rows out with {setting('unknown_genes', 'skip')}"
            )
        self._first_unknown = self._first_unknown or first
        self._incomplete += int(encoded.incomplete.sum())
        for name, count in encoded.unknown.items():
            self._unknown[name] = self._unknown.get(name, 0) + count

    def keep(self, labels: NDArray[np.float32]) -> None:
        """Count the rows of a block that are left after all rules, by their labels (n, 4)."""
        self._kept += len(labels)
        self._labeled += int(np.isfinite(labels[:, _LABELS]).any(axis=1).sum())

    def report(self) -> Report:
        """Number of unknown genes so far, and examples."""
        report: Report = {UNKNOWN_GENES: len(self._unknown)}
        return report | ({UNKNOWN_GENES + EXAMPLES: examples(self._unknown)} if self._unknown else {})

    def finish(self, left_out: Mapping[str, int | str] | None = None, labels: bool = True) -> None:
        """Judge the whole file.

        Parameters
        ----------
        left_out : mapping, optional
            Numbers of rows that the rules left out, for the message if no row is left.
        labels : bool
            Whether a row with a fitness or an interaction is needed.

        Raises
        ------
        DataError
            No row is left, no row has a label, or with `few` a tenth of the rows has an unknown gene.
        """
        if self._implausible:
            rows = number_of(self._implausible, "row")
            warn(
                f"{self.path}:{self._first_implausible}: the fitness of {rows} is beyond {PLAUSIBLE_FITNESS:g} "
                f"(most extreme: {self._extreme:g}) - fitness relative to a wild type of 1 was expected, no logarithms"
            )
        problems = ErrorCollector(DataError)
        unknown = LeftOut(
            self.path, "row", self._rows, self._incomplete, self._kept, self._unknown, self.cell.ids[schema.GENE]
        )
        if self._kept and unknown.is_much and self.unknown_genes == "few":
            where = f"{self.path}:{self._first_unknown}"
            names = "names" if self._incomplete == 1 else "name"
            problems.add(
                f"{where}: {self._incomplete:,} of {number_of(self._rows, 'row')} {names} a gene that the cell lacks "
                f"({unknown.sides}) - correct the names, or leave the rows out with {setting('unknown_genes', 'skip')}"
            )
        else:
            counts = [f"{item}: {n:,}" for item, n in (left_out or {}).items() if isinstance(n, int) and n]
            fits = "has only genes of the cell" if self._incomplete else "is left by the rules for screens"
            unknown.check(problems, fits, ", ".join(counts), self.allow_empty)
        if self._kept and not self._labeled and labels:
            message = (
                f"{self.path}: none of {number_of(self._kept, 'row')} has a {schema.FITNESS} or {schema.INTERACTION}"
            )
            if self.allow_empty:
                warn(message)
            else:
                problems.add(f"{message} - a screen with one of them was expected{or_allow_empty(self.allow_empty)}")
        problems.check()

    def _refuse_large(self, block: ScreenTable) -> None:
        numbers = (*block.labels.T, block.interaction_std)
        if not any(np.nanmax(np.abs(values), initial=0.0) > LARGEST for values in numbers):
            return
        problems = ErrorCollector(DataError)
        for name, values in zip(_NUMBERS, numbers, strict=True):
            for row in np.flatnonzero(np.abs(values) > LARGEST):
                problems.add(
                    f"{self.path}:{block.lines[row]}: {name} {values[row]:g} - a number of at most {LARGEST:,.0f} in "
                    "size was expected; leave the cell empty if the value is missing"
                )
        problems.check()
