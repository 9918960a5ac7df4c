"""Screens, which are tables of measured genotypes -> `ScreenTable`; the layout is recognized by content.

To add a layout, list it in `screen_layouts`, or write a reader here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Protocol

import numpy as np

from dglcell import schema
from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.screens import delimited_screens, genotype_table
from dglcell.readers.screens.genotype_table import GenotypeRows, read_genotype_table
from dglcell.readers.screens.screen_layouts import PUBLISHED
from dglcell.readers.screens.screen_table import ScreenTable, join
from dglcell.readers.tables.chunked_text import BLOCK_SIZE, Block, is_workbook, sheets, text_blocks

__all__ = ["LAYOUTS", "GenotypeRows", "ScreenTable", "read_blocks", "read_genotype_table", "read_screen"]

_HEAD_SIZE = 1 << 16  # bytes at the start of a file by which its layout is recognized
_DCELL: Final = "DCell"
_EXPECTED: Final = (
    genotype_table.EXPECTED,
    *(layout.expected for layout in PUBLISHED if layout.expected),
    "DCell ('2 geneA geneB epsilon')",
)
LAYOUTS: Final = (genotype_table.LAYOUT, *(layout.name for layout in PUBLISHED), _DCELL)


class Reader(Protocol):
    """Reader of one file in a known layout."""

    @property
    def skip(self) -> int:
        """Lines before the first row."""

    def read(self, path: Path, block: Block, raw_scores: bool = False) -> ScreenTable:
        """Read the rows of one block."""


@dataclass(frozen=True)
class DCell:
    """Reader of DCell lines, `2 geneA geneB epsilon`: number of genes, the genes, their interaction.

    Ma et al. 2018, doi:10.1038/nmeth.4627.
    """

    skip: ClassVar[int] = 0

    @staticmethod
    def is_row(fields: Sequence[str]) -> bool:
        """Whether the fields of a line are a number of genes, these genes, and a score."""
        has_count = bool(fields) and re.fullmatch(r"[1-9]", fields[0]) and len(fields) == int(fields[0]) + 2
        return bool(has_count) and text_files.is_number(fields[-1]) and not any(map(text_files.is_number, fields[1:-1]))

    def read(self, path: Path, block: Block, raw_scores: bool = False) -> ScreenTable:
        """Read one block of rows. Trigenic scores count as raw, since the layout does not say that they are adjusted.

        Parameters
        ----------
        path : Path
            For error messages.
        block : Block
            Rows without the header.
        raw_scores : bool
            Use raw trigenic scores, which are not adjusted for the interactions of their pairs.

        Raises
        ------
        DataError
            A row has another form, or a score is not a number; with file and line.
        """
        problems, genotypes, cells, line_numbers = ErrorCollector(), [], [], []
        for line_number, line in enumerate(block.lines(), start=block.first_line):
            fields = line.split()
            if fields and (len(fields) < 2 or fields[0] != str(len(fields) - 2)):
                excerpt = text_files.shorten(line)
                problems.add(
                    f"{path}:{line_number}: '{excerpt}' - the number of genes, the genes and a score were expected"
                )
            elif fields:
                genotypes.append(fields[1:-1])
                cells.append(fields[-1])
                line_numbers.append(line_number)
        labels = np.full((len(line_numbers), len(schema.LABEL_COLUMNS)), np.nan, dtype=np.float32)
        column = schema.LABEL_COLUMNS.index(schema.INTERACTION)
        labels[:, column] = text_files.numbers(cells, line_numbers, path, schema.INTERACTION, problems)
        problems.check()
        report: dict[str, int | str] = {"rows": len(line_numbers)}
        is_raw = (np.array([len(genes) for genes in genotypes]) > 2) & np.isfinite(labels[:, column])
        if is_raw.any():
            report[delimited_screens.RAW_USED if raw_scores else delimited_screens.RAW_LEFT_OUT] = int(is_raw.sum())
            if not raw_scores:
                labels[is_raw, column] = np.nan
        report[f"rows with {schema.INTERACTION}"] = int(np.isfinite(labels[:, column]).sum())
        return ScreenTable.of(str(path), _DCELL, genotypes, labels, line_numbers, report)


def read_screen(path: Path | str, raw_scores: bool = False) -> ScreenTable:
    """Read a screen in any known layout, recognized by content: text, gzip, or an Excel workbook.

    Parameters
    ----------
    raw_scores : bool
        Use raw trigenic scores, which are not adjusted for the interactions of their pairs. By default they are left
        out.

    Raises
    ------
    DataError
        The file cannot be read, has an unknown layout, or has rows with problems; with file and line.
    """
    return join(list(read_blocks(path, raw_scores)))


def read_blocks(path: Path | str, raw_scores: bool = False, size: int = BLOCK_SIZE) -> Iterator[ScreenTable]:
    """Read a screen of any length in blocks of about `size` bytes; otherwise as `read_screen`.

    Parameters
    ----------
    path : Path
    raw_scores : bool
        See `read_screen`.
    size : int
        Approximate size of a block in bytes.

    Raises
    ------
    DataError
        As for `read_screen`, when the block is reached.
    """
    path = Path(path)
    rows = 0
    for reader, block in _blocks_with_reader(path, size):
        table = reader.read(path, block, raw_scores)
        rows += len(table)
        if len(table):
            yield table
    if not rows:
        raise DataError(f"{path} has a header but no rows - one genotype per row was expected")


def _blocks_with_reader(path: Path, size: int) -> Iterator[tuple[Reader, Block]]:
    """Blocks of rows without the header, each with the reader of the file."""
    if is_workbook(path):
        excerpt = ""
        for sheet in (next(s.blocks).without_blank_start() for s in sheets(path)):
            lines = _first_lines(sheet)
            if reader := _recognize(path, lines, sheet.first_line):
                yield reader, sheet.skip(reader.skip)
                return
            excerpt = excerpt or (lines[0] if lines else "")
        raise _unknown_layout(path, excerpt)
    blocks = text_blocks(path, size)
    first_block = next(blocks).without_blank_start()
    lines = _first_lines(first_block)
    reader = _recognize(path, lines, first_block.first_line)
    if reader is None:
        raise _unknown_layout(path, lines[0])
    for block in itertools.chain([first_block.skip(reader.skip)], blocks):
        yield reader, block


def _first_lines(block: Block) -> list[str]:
    data = block.data[:_HEAD_SIZE]
    return Block(block.first_line, data[: data.rfind(b"\n") + 1] or data + b"\n").lines()


def _recognize(path: Path, lines: Sequence[str], line_number: int) -> Reader | None:
    """The reader of a file; `line_number` is the number of its first line that is not blank."""
    if not lines:
        return None
    if genotype_table.is_genotype_table(lines):
        return genotype_table.Header.of(path, lines[0], line_number)
    if reader := delimited_screens.recognize(lines):
        return reader
    return DCell() if DCell.is_row(lines[0].split()) else None


def _unknown_layout(path: Path, line: str) -> DataError:
    return DataError(
        f"{path} is no screen of a known layout (it starts with '{text_files.shorten(line, 60)}') - "
        f"{'; or '.join(_EXPECTED)} was expected"
    )
