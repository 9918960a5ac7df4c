"""Screens, which are tables of measured genotypes -> `ScreenTable`; the layout is recognized by content.

To add a layout, list it in `screen_layouts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from dglcell import schema
from dglcell.errors import DataError, setting
from dglcell.readers.screens import matrices
from dglcell.readers.screens.screen_layouts import CUSTOM, LAYOUTS, LISTS
from dglcell.readers.screens.screen_reader import ScreenReader
from dglcell.readers.screens.screen_table import ScreenRows, ScreenTable, join
from dglcell.readers.screens.strains import IsGene
from dglcell.readers.tables.chunked_text import BLOCK_SIZE
from dglcell.readers.tables.column_map import ColumnMap
from dglcell.readers.tables.table import open_table

__all__ = ["ScreenRows", "ScreenTable", "read_blocks", "read_rows", "read_screen"]

_WIDE: Final = 5  # columns of a table without labels that may be a matrix
_NO_ROWS: Final = "has a header but no rows - one genotype per row was expected"


def read_screen(
    path: Path | str,
    raw_scores: bool = False,
    maps: Sequence[ColumnMap] = (),
    is_gene: IsGene | None = None,
    unlabeled: bool | None = None,
    matrix: str = matrices.AUTO,
    condition: str | None = None,
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
    matrix : str
        What the file holds if it is a matrix: `pairs`, `samples`, or `auto`; see `matrices`. A table with a header that
        names labels is read as a table.
    condition : str, optional
        The sample to read from a matrix of samples.

    Raises
    ------
    DataError
        The file cannot be read, has an unknown layout, has no labels, or has rows with problems; with file and line.
    """
    return join(list(read_blocks(path, raw_scores, BLOCK_SIZE, maps, is_gene, unlabeled, matrix, condition)))


def read_blocks(
    path: Path | str,
    raw_scores: bool = False,
    size: int = BLOCK_SIZE,
    maps: Sequence[ColumnMap] = (),
    is_gene: IsGene | None = None,
    unlabeled: bool | None = None,
    matrix: str = matrices.AUTO,
    condition: str | None = None,
) -> Iterator[ScreenTable]:
    """Read a screen of any length in blocks of about `size` bytes; otherwise as `read_screen`.

    Parameters
    ----------
    path : Path
    raw_scores : bool
        See `read_screen`.
    size : int
        Approximate size of a block in bytes.
    maps, is_gene, unlabeled, matrix, condition
        See `read_screen`.

    Raises
    ------
    DataError
        As for `read_screen`, when the block is reached.
    """
    path = Path(path)
    reader = _open(path, raw_scores, size, maps, is_gene, unlabeled, matrix)
    if reader is None:
        yield from matrices.read_matrix(path, matrix, condition, size, is_gene)
        return
    num_rows = 0
    for screen in reader.blocks():
        num_rows += len(screen)
        if len(screen):
            yield screen
    if not num_rows:
        raise DataError(f"{path} {_NO_ROWS}")


def _open(
    path: Path,
    raw_scores: bool,
    size: int,
    maps: Sequence[ColumnMap],
    is_gene: IsGene | None,
    unlabeled: bool | None,
    matrix: str,
) -> ScreenReader | None:
    """The reader of a table; None if the file is a matrix."""
    table = None
    try:
        table = open_table(path, LAYOUTS, "screen", maps, CUSTOM, size, (schema.FITNESS, schema.INTERACTION))
        reader = ScreenReader(table, raw_scores, is_gene, unlabeled=unlabeled if matrix == matrices.AUTO else None)
    except DataError as error:
        kind = matrices.recognize(path, matrix, size)
        if kind == matrices.UNCLEAR and (table is None or table.width >= _WIDE):
            hint = f"; of a matrix, say what it holds: {setting('matrix', 'pairs')} or {setting('matrix', 'samples')}"
            raise DataError(error.template + hint) from None
        if kind not in ("", matrices.UNCLEAR):
            return None
        raise
    is_certain = bool(reader.table.header) or reader.layout is CUSTOM or reader.layout.counted
    return reader if is_certain or not matrices.recognize(path, matrix, size) else None


def read_rows(path: Path | str, maps: Sequence[ColumnMap] = (), is_gene: IsGene | None = None) -> ScreenRows:
    """Read genotypes in any layout of a screen, or listed line by line, with the text of all cells and without labels.

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
    noun, unknown = "table of genotypes", None
    try:
        table = open_table(path, LAYOUTS, noun, maps, CUSTOM)
    except DataError as error:  # lists come last: in a workbook, any sheet of notes would be one
        table, unknown = open_table(path, (*LAYOUTS, *LISTS), noun, maps, CUSTOM), error
    rows = ScreenReader(table, is_gene=is_gene, labels=False).rows()
    if unknown is not None and is_gene is not None and not any(map(is_gene, rows.names)):
        raise unknown
    if not len(rows):
        raise DataError(f"{path} {_NO_ROWS}")
    return rows
