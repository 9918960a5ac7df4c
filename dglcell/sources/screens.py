"""Screens: measured genotypes in whatever layout they were published.

Owns the registry of layouts. A new one is a recogniser and a reader in `published` and a line in `LAYOUTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dglcell.errors import DataError
from dglcell.sources import genotype_table, published, textio
from dglcell.sources.genotype_table import GenotypeRows, ScreenTable, read_genotype_table

__all__ = ["LAYOUTS", "GenotypeRows", "Layout", "ScreenTable", "read_genotype_table", "read_screen"]


@dataclass(frozen=True)
class Layout:
    """One file format of screens.

    Attributes
    ----------
    name : str
        As reports and stored screens name it.
    expected : str
        How an error describes it.
    matches : callable
        Lines of a file -> whether it is this layout; looks at the first few alone.
    read : callable
        Path (for messages) and lines -> `ScreenTable`.
    """

    name: str
    expected: str
    matches: Callable[[Sequence[str]], bool]
    read: Callable[[Path, Sequence[str]], ScreenTable]


def _without_cells(path: Path, lines: Sequence[str]) -> ScreenTable:
    table = genotype_table.parse_genotype_table(path, lines)
    return ScreenTable(table.path, table.layout, table.genotypes, table.labels, table.lines, table.report)


LAYOUTS: Final[tuple[Layout, ...]] = (
    Layout(genotype_table.LAYOUT, genotype_table.EXPECTED, genotype_table.is_genotype_table, _without_cells),
    Layout(
        published.COSTANZO_2010,
        published.COSTANZO_2010_EXPECTED,
        published.is_costanzo_2010,
        published.read_costanzo_2010,
    ),
)


def read_screen(path: Path | str) -> ScreenTable:
    """Read a screen in any known layout, recognised from content, plain or gzip.

    Raises
    ------
    DataError
        A file that cannot be read, no known layout, or what the layout's reader finds wrong, with file and line.
    """
    path = Path(path)
    lines = textio.read_lines(path)
    for layout in LAYOUTS:
        if layout.matches(lines):
            return layout.read(path, lines)
    expected = ", or ".join(layout.expected for layout in LAYOUTS)
    raise DataError(f"{path}: unknown screen layout ('{textio.shorten(lines[0], 60)}') - {expected} was expected")
