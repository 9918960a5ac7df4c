"""The project's own genotype table: deleted genes and labels, one genotype a row.

Header with `genes` (ids joined by `;`) or `gene_1`, `gene_2`, ..; optional label columns (`schema.LABEL_COLUMNS`); any
further column is kept for whoever repeats the rows. Tab or comma, plain or gzip. Names stay as the file has them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, Problems
from dglcell.sources import textio

LAYOUT: Final = "genotype table"
EXPECTED: Final = "a table whose header has 'genes' or 'gene_1', 'gene_2', .."
GENES: Final = "genes"
SEPARATOR: Final = ";"
_GENE_COLUMN = re.compile(r"gene_(\d+)")


@dataclass(frozen=True)
class ScreenTable:
    """Genotypes and labels of one file.

    Attributes
    ----------
    path, layout : str
        The file and the format it was recognised as.
    genotypes : list of tuple of str
        Deleted genes as the file names them, strain suffixes removed; empty for the wild type.
    labels : (n, 4) float32
        Columns of `schema.LABEL_COLUMNS`, NaN where missing.
    lines : (n,) int64
        Line number of each row.
    report : dict
        What was read.
    """

    path: str
    layout: str
    genotypes: list[tuple[str, ...]]
    labels: NDArray[np.float32]
    lines: NDArray[np.int64]
    report: dict[str, int | str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.genotypes)


@dataclass(frozen=True)
class GenotypeRows(ScreenTable):
    """A genotype table with its cells as text, so that an output can repeat them.

    Attributes
    ----------
    header : list of str
        Column names as the file has them.
    rows : list of list of str
        One cell a column.
    """

    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


def is_genotype_table(lines: Sequence[str]) -> bool:
    """Whether the first line names a column of genes."""
    names = _names(lines[0])
    return GENES in names or any(_GENE_COLUMN.fullmatch(name) for name in names)


def read_genotype_table(path: Path | str) -> GenotypeRows:
    """Read a genotype table and keep its cells.

    Raises
    ------
    DataError
        A file that cannot be read, no column of genes, both kinds of them, a column twice, no rows, rows of the wrong
        width, text where a number belongs; all at once, with file and line.
    """
    path = Path(path)
    lines = textio.read_lines(path)
    if not is_genotype_table(lines):
        raise DataError(f"{path}:1: no column of genes in '{textio.shorten(lines[0], 60)}' - {EXPECTED} was expected")
    return parse_genotype_table(path, lines)


def parse_genotype_table(path: Path, lines: Sequence[str]) -> GenotypeRows:
    """As `read_genotype_table`, from lines already read."""
    problems = Problems()
    header = [name.strip() for name in next(csv.reader(lines[:1], delimiter=_mark(lines[0])))]
    names = [name.lower() for name in header]
    _check_header(path, names)
    rows, numbers = _rows(path, lines, len(header), problems)
    at = np.array(numbers, dtype=np.int64)
    labels = np.full((len(rows), len(schema.LABEL_COLUMNS)), np.nan, dtype=np.float32)
    report: dict[str, int | str] = {"rows": len(rows)}
    for k, name in enumerate(schema.LABEL_COLUMNS):
        if name in names:
            column = names.index(name)
            labels[:, k] = textio.numbers([row[column] for row in rows], at, path, name, problems)
            report[f"rows with {name}"] = int(np.isfinite(labels[:, k]).sum())
    problems.check()
    if not rows:
        raise DataError(f"{path} has a header and no rows - a genotype a row was expected")
    genotypes = _genotypes(names, rows)
    report["rows of the wild type"] = sum(not genotype for genotype in genotypes)
    return GenotypeRows(str(path), LAYOUT, genotypes, labels, at, report, header, rows)


def _mark(line: str) -> str:
    return "\t" if "\t" in line else ","


def _names(line: str) -> list[str]:
    return [name.strip().strip('"').strip().lower() for name in line.split(_mark(line))]


def _check_header(path: Path, names: list[str]) -> None:
    problems = Problems()
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        problems.add(f"{path}:1: two columns are named '{name}' - give each its own name")
    if GENES in names and any(_GENE_COLUMN.fullmatch(name) for name in names):
        problems.add(f"{path}:1: both 'genes' and 'gene_1', .. are columns - keep one way to name the genes")
    problems.check()


def _rows(path: Path, lines: Sequence[str], width: int, problems: Problems) -> tuple[list[list[str]], list[int]]:
    """Body rows and their line numbers. In a table of one column a blank line is the wild type, else it is skipped."""
    rows, numbers = [], []
    # Strict, and no cell over several lines: one stray quote would otherwise swallow the rows after it.
    reader = csv.reader(lines[1:], delimiter=_mark(lines[0]), strict=True)
    number = 1
    try:
        for row in reader:
            number += 1
            if reader.line_num + 1 != number:
                problems.add(f"{path}:{number}: a quoted cell runs on over the next line - close the quote on its line")
                number = reader.line_num + 1
                continue
            if not row:
                if width > 1:
                    continue
                row = [""]
            if len(row) != width:
                problems.add(
                    f"{path}:{number}: {textio.counted(len(row), 'cell')} - {width} were expected, as in the header"
                )
                continue
            rows.append(row)
            numbers.append(number)
    except csv.Error as error:
        problems.add(f"{path}:{number + 1}: {error} - check the quotes of this line and those after it")
    return rows, numbers


def _genotypes(names: list[str], rows: list[list[str]]) -> list[tuple[str, ...]]:
    if GENES in names:
        column = names.index(GENES)
        return [tuple(g for part in row[column].split(SEPARATOR) if (g := part.strip())) for row in rows]
    found = [(int(match.group(1)), k) for k, name in enumerate(names) if (match := _GENE_COLUMN.fullmatch(name))]
    columns = [k for _, k in sorted(found)]
    return [tuple(g for k in columns if (g := row[k].strip())) for row in rows]
