"""Screens: measured genotypes in whatever layout they were published, recognised from content.

Owns the order in which layouts are tried. A new one is an entry in `published`, or a reader of its own here.
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
from dglcell.readers.chunked_text import SIZE, Block, is_workbook, sheets, text_blocks
from dglcell.readers.screens import delimited_screens, genotype_table
from dglcell.readers.screens.genotype_table import GenotypeRows, read_genotype_table
from dglcell.readers.screens.screen_layouts import PUBLISHED
from dglcell.readers.screens.screen_table import ScreenTable, join

__all__ = ["LAYOUTS", "GenotypeRows", "ScreenTable", "read_blocks", "read_genotype_table", "read_screen"]

_HEAD = 1 << 16  # bytes that a layout is recognised from
_DCELL: Final = "DCell"
_EXPECTED: Final = (
    genotype_table.EXPECTED,
    *(layout.expected for layout in PUBLISHED if layout.expected),
    "DCell ('2 geneA geneB epsilon')",
)
LAYOUTS: Final = (genotype_table.LAYOUT, *(layout.name for layout in PUBLISHED), _DCELL)


class Reader(Protocol):
    """A layout as found in one file."""

    @property
    def skip(self) -> int:
        """Lines before the first row."""

    def read(self, path: Path, block: Block, raw_scores: bool = False) -> ScreenTable:
        """The rows of one block."""


@dataclass(frozen=True)
class DCell:
    """`2 geneA geneB epsilon`: number of genes, the genes, their interaction (DCell, doi:10.1038/nmeth.4627)."""

    skip: ClassVar[int] = 0

    @staticmethod
    def is_row(fields: Sequence[str]) -> bool:
        """Whether fields are a count, as many genes, and a number."""
        counted = bool(fields) and re.fullmatch(r"[1-9]", fields[0]) and len(fields) == int(fields[0]) + 2
        return bool(counted) and text_files.is_number(fields[-1]) and not any(map(text_files.is_number, fields[1:-1]))

    def read(self, path: Path, block: Block, raw_scores: bool = False) -> ScreenTable:
        """One block of rows; the score of a triple is left out as in any layout that does not say it is tau."""
        problems, genotypes, cells, at = ErrorCollector(), [], [], []
        for number, line in enumerate(block.lines(), start=block.first):
            fields = line.split()
            if fields and (len(fields) < 2 or fields[0] != str(len(fields) - 2)):
                problems.add(
                    f"{path}:{number}: '{text_files.shorten(line)}' - a count, as many genes and a score were expected"
                )
            elif fields:
                genotypes.append(fields[1:-1])
                cells.append(fields[-1])
                at.append(number)
        labels = np.full((len(at), len(schema.LABEL_COLUMNS)), np.nan, dtype=np.float32)
        column = schema.LABEL_COLUMNS.index(schema.INTERACTION)
        labels[:, column] = text_files.numbers(cells, at, path, schema.INTERACTION, problems)
        problems.check()
        report: dict[str, int | str] = {"rows": len(at)}
        raw = (np.array([len(genes) for genes in genotypes]) > 2) & np.isfinite(labels[:, column])
        if raw.any():
            report[delimited_screens.RAW_TAKEN if raw_scores else delimited_screens.RAW_LEFT_OUT] = int(raw.sum())
            if not raw_scores:
                labels[raw, column] = np.nan
        report[f"rows with {schema.INTERACTION}"] = int(np.isfinite(labels[:, column]).sum())
        return ScreenTable.of(str(path), _DCELL, genotypes, labels, at, report)


def read_screen(path: Path | str, raw_scores: bool = False) -> ScreenTable:
    """Read a screen in any known layout, recognised from content: text, gzip, or an Excel workbook.

    Parameters
    ----------
    raw_scores : bool
        Take the scores of triples that are not adjusted for their pairs as interactions; else they are left out.

    Raises
    ------
    DataError
        A file that cannot be read, no known layout, or what the layout's reader finds wrong, with file and line.
    """
    return join(list(read_blocks(path, raw_scores)))


def read_blocks(path: Path | str, raw_scores: bool = False, size: int = SIZE) -> Iterator[ScreenTable]:
    """The same rows, some `size` bytes of the file at a time: what a screen of any length is read with."""
    path = Path(path)
    rows = 0
    for reader, block in _located(path, size):
        table = reader.read(path, block, raw_scores)
        rows += len(table)
        if len(table):
            yield table
    if not rows:
        raise DataError(f"{path} has a header and no rows - a genotype a row was expected")


def _located(path: Path, size: int) -> Iterator[tuple[Reader, Block]]:
    """Blocks of rows without their header, each with the reader of the file."""
    if is_workbook(path):
        begin = ""
        for sheet in map(Block.without_blank_start, sheets(path)):
            lines = _head(sheet)
            if reader := _recognise(path, lines, sheet.first):
                yield reader, sheet.after(reader.skip)
                return
            begin = begin or (lines[0] if lines else "")
        raise _unknown(path, begin)
    blocks = text_blocks(path, size)
    first = next(blocks).without_blank_start()
    lines = _head(first)
    reader = _recognise(path, lines, first.first)
    if reader is None:
        raise _unknown(path, lines[0])
    for block in itertools.chain([first.after(reader.skip)], blocks):
        yield reader, block


def _head(block: Block) -> list[str]:
    data = block.data[:_HEAD]
    return Block(block.first, data[: data.rfind(b"\n") + 1] or data + b"\n").lines()


def _recognise(path: Path, lines: Sequence[str], number: int) -> Reader | None:
    """The reader of a file whose first line that is not blank has this number."""
    if not lines:
        return None
    if genotype_table.is_genotype_table(lines):
        return genotype_table.Header.of(path, lines[0], number)
    if found := delimited_screens.recognise(lines):
        return found
    return DCell() if DCell.is_row(lines[0].split()) else None


def _unknown(path: Path, line: str) -> DataError:
    return DataError(
        f"{path}: unknown screen layout ('{text_files.shorten(line, 60)}') - {', or '.join(_EXPECTED)} was expected"
    )
