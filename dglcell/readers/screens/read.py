"""Screens, which are tables of measured genotypes -> `ScreenTable`; the layout is recognized by content.

To add a layout, list it in `screen_layouts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from dglcell.errors import DataError
from dglcell.readers.screens.screen_layouts import CUSTOM, LAYOUTS
from dglcell.readers.screens.screen_reader import ScreenReader
from dglcell.readers.screens.screen_table import ScreenRows, ScreenTable, join
from dglcell.readers.screens.strains import IsGene
from dglcell.readers.tables.chunked_text import BLOCK_SIZE
from dglcell.readers.tables.column_map import ColumnMap
from dglcell.readers.tables.table import open_table

__all__ = ["ScreenRows", "ScreenTable", "read_blocks", "read_rows", "read_screen"]

_NO_ROWS: Final = "has a header but no rows - one genotype per row was expected"


def read_screen(
    path: Path | str,
    raw_scores: bool = False,
    maps: Sequence[ColumnMap] = (),
    is_gene: IsGene | None = None,
    unlabeled: bool | None = None,
) -> ScreenTable:
    """Read a screen in any known layout, recognized by content: text, compressed or not, or an Excel workbook.

    Parameters
    ----------
    path : Path
    raw_scores : bool
        Use raw trigenic scores, which are not adjusted for the interactions of their pairs. By default they are left
        out.
    maps : sequence of ColumnMap
        Columns that the user names.
    is_gene : callable, optional
        Whether the cell graph knows a name. An id that it knows is not split, even if it holds a comma or a bar.
    unlabeled : bool, optional
        Whether there need not be a column of labels. `None` means no, and that the caller has no such choice.

    Raises
    ------
    DataError
        The file cannot be read, has an unknown layout, has no labels, or has rows with problems; with file and line.
    """
    return join(list(read_blocks(path, raw_scores, maps=maps, is_gene=is_gene, unlabeled=unlabeled)))


def read_blocks(
    path: Path | str,
    raw_scores: bool = False,
    size: int = BLOCK_SIZE,
    maps: Sequence[ColumnMap] = (),
    is_gene: IsGene | None = None,
    unlabeled: bool | None = None,
) -> Iterator[ScreenTable]:
    """Read a screen of any length in blocks of about `size` bytes; otherwise as `read_screen`.

    Parameters
    ----------
    path : Path
    raw_scores : bool
        See `read_screen`.
    size : int
        Approximate size of a block in bytes.
    maps, is_gene, unlabeled
        See `read_screen`.

    Raises
    ------
    DataError
        As for `read_screen`, when the block is reached.
    """
    path = Path(path)
    table = open_table(path, LAYOUTS, "screen", maps, CUSTOM, size)
    reader = ScreenReader(table, raw_scores, is_gene, unlabeled=unlabeled)
    num_rows = 0
    for screen in reader.blocks():
        num_rows += len(screen)
        if len(screen):
            yield screen
    if not num_rows:
        raise DataError(f"{path} {_NO_ROWS}")


def read_rows(path: Path | str, maps: Sequence[ColumnMap] = (), is_gene: IsGene | None = None) -> ScreenRows:
    """Read genotypes in any layout of a screen, with the text of all cells and without labels.

    Parameters
    ----------
    path : Path
    maps, is_gene
        See `read_screen`.

    Raises
    ------
    DataError
        As for `read_screen`; there need not be labels.
    """
    path = Path(path)
    table = open_table(path, LAYOUTS, "table of genotypes", maps, CUSTOM)
    rows = ScreenReader(table, is_gene=is_gene, labels=False).rows()
    if not len(rows):
        raise DataError(f"{path} {_NO_ROWS}")
    return rows
