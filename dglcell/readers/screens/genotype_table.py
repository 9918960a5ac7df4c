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
from typing import ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.chunked_text import Block
from dglcell.readers.screens.columns import Columns, ColumnSpec, read_fast, rows_of
from dglcell.readers.screens.screen_table import Report, ScreenTable
from dglcell.readers.screens.strains import GeneColumn, interleave

LAYOUT: Final = "genotype table"
EXPECTED: Final = "a table whose header has 'genes' or 'gene_1', 'gene_2', .."
GENES: Final = "genes"
SEPARATOR: Final = ";"
_NUMBERS: Final = (*schema.LABEL_COLUMNS, schema.INTERACTION_STD)
_GENE_COLUMN = re.compile(r"gene_(\d+)")


@dataclass(frozen=True, repr=False)
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
    return any(map(is_gene_column, _names(lines[0])))


def is_gene_column(name: str) -> bool:
    """Whether a column of this name, in lower case, holds genes: `genes`, `gene_1`, `gene_2`, .."""
    return name == GENES or bool(_GENE_COLUMN.fullmatch(name))


def is_used(name: str, labels: bool = True) -> bool:
    """Whether a column of this name, in lower case, holds genes or, with `labels`, a label."""
    return is_gene_column(name) or (labels and name in _NUMBERS)


def read_genotype_table(path: Path | str) -> GenotypeRows:
    """Read a genotype table and keep its cells; blank lines above its header are skipped.

    Raises
    ------
    DataError
        A file that cannot be read, no column of genes, both kinds of them, a column twice, no rows, rows of the wrong
        width, text where a number belongs; all at once, with file and line.
    """
    path = Path(path)
    lines = text_files.read_lines(path)
    number = next((k for k, line in enumerate(lines, start=1) if line.strip()), 1)
    lines = lines[number - 1 :]
    if not is_genotype_table(lines):
        shown = text_files.shorten(lines[0], 60)
        raise DataError(f"{path}:{number}: no column of genes in '{shown}' - {EXPECTED} was expected")
    head = Header.of(path, lines[0], number)
    block = Block(number + 1, "".join(line + "\n" for line in lines[1:]).encode())
    rows, columns = head.rows(path, block)
    if not rows:
        raise DataError(f"{path} has a header and no rows - a genotype a row was expected")
    genotypes = head.genotypes(rows)
    labels, std, report = head.labels(columns, len(rows))
    report["rows of the wild type"] = sum(not genotype for genotype in genotypes)
    more = {"header": head.cells, "rows": rows}
    return GenotypeRows.of(str(path), LAYOUT, genotypes, labels, columns.lines, report, std, **more)


@dataclass(frozen=True)
class Header:
    """The columns of one genotype table, and how its rows are read.

    Attributes
    ----------
    cells : list of str
        Names as the file has them.
    names : list of str
        The same in lower case.
    mark : str
        Between columns.
    """

    cells: list[str]
    names: list[str]
    mark: str
    skip: ClassVar[int] = 1
    layout: ClassVar[str] = LAYOUT

    @classmethod
    def of(cls, path: Path, line: str, number: int = 1) -> Self:
        """Read the line of this number; DataError for a column twice, or both ways to name genes."""
        cells = [name.strip() for name in next(csv.reader([line], delimiter=_mark(line)))]
        names = [name.lower() for name in cells]
        _check_header(f"{path}:{number}", names)
        return cls(cells, names, _mark(line))

    @classmethod
    def of_names(cls, where: str, names: list[str]) -> Self:
        """Columns with these names, in lower case; DataError, at `where`, as in `of`."""
        _check_header(where, names)
        return cls(names, names, "\t")

    @property
    def numbers(self) -> dict[int, str]:
        """Columns of labels."""
        return {self.names.index(name): name for name in _NUMBERS if name in self.names}

    @property
    def gene_columns(self) -> list[int]:
        """Columns that hold one gene each, in the order of their numbers."""
        matches = ((_GENE_COLUMN.fullmatch(name), column) for column, name in enumerate(self.names))
        return [column for _, column in sorted((int(match.group(1)), column) for match, column in matches if match)]

    def read(self, path: Path, block: Block, raw_scores: bool = False) -> ScreenTable:
        """One block of rows, without its header; its interactions are taken for what they say they are.

        Raises
        ------
        DataError
            Whatever is wrong with rows, with file and line.
        """
        found = self._fast(path, block)
        if found is None:
            rows, columns = self.rows(path, block)
            row_of: dict[tuple[str, ...], int] = {}
            codes = [row_of.setdefault(genotype, len(row_of)) for genotype in self.genotypes(rows)]
            values = [[(gene, schema.DELETION) for gene in genotype] for genotype in row_of]
            found = columns, [(np.array(codes, dtype=np.int32), values)]
        columns, genes = found
        n = len(columns.lines)
        mutations = interleave(n, genes)
        labels, std, report = self.labels(columns, n)
        report["rows of the wild type"] = int(np.count_nonzero(np.diff(mutations[-1]) == 0))
        missing = np.full(n, np.nan, dtype=np.float32)
        return ScreenTable(str(path), LAYOUT, *mutations, labels, std, missing, columns.lines, report)

    def _fast(self, path: Path, block: Block) -> tuple[Columns, list[GeneColumn]] | None:
        """Genes in columns, if this block holds nothing but pairs or has a column for each gene; else None."""
        wanted, data = ColumnSpec(len(self.names), self.gene_columns, self.numbers, self.mark, blank=True), block.data
        if GENES in self.names:
            # A pair a row and nothing but labels beside: its two genes are as good as two columns.
            only = len(self.numbers) + 1 == len(self.names) and self.names[0] == GENES
            if not only or data.count(SEPARATOR.encode()) != data.count(b"\n"):
                return None
            data = data.replace(SEPARATOR.encode(), self.mark.encode())
            wanted = ColumnSpec(len(self.names) + 1, (0, 1), {c + 1: w for c, w in self.numbers.items()}, self.mark)
        columns = read_fast(Block(block.first, data), wanted)
        if columns is None or (GENES in self.names and any(map(text_files.is_number, columns.values[1]))):
            return None  # a number among the genes: the separator stood in a label
        if GENES in self.names:
            columns.numbers.update({c: columns.numbers.pop(c + 1) for c in sorted(self.numbers)})
        genes = [
            (columns.codes[c], [[(v.strip(), schema.DELETION)] if v.strip() else [] for v in columns.values[c]])
            for c in wanted.text
        ]
        return columns, genes

    def rows(self, path: Path, block: Block) -> tuple[list[list[str]], Columns]:
        """Rows as cells, and their labels. A blank line is the wild type where there is one column, else nothing."""
        problems, width = ErrorCollector(), len(self.names)
        blank = [""] if width == 1 else None
        rows, at = rows_of(path, block, width, self.mark, problems, "cell", ", as in the header", blank)
        columns = Columns(lines=np.array(at, dtype=np.int64))
        for column, what in self.numbers.items():
            cells = [row[column] for row in rows]
            columns.numbers[column] = text_files.numbers(cells, columns.lines, path, what, problems)
        problems.check()
        return rows, columns

    def genotypes(self, rows: list[list[str]]) -> list[tuple[str, ...]]:
        """The genes of rows given as cells."""
        if GENES in self.names:
            column = self.names.index(GENES)
            return [tuple(g for part in row[column].split(SEPARATOR) if (g := part.strip())) for row in rows]
        columns = self.gene_columns
        return [tuple(g for k in columns if (g := row[k].strip())) for row in rows]

    def labels(self, columns: Columns, n: int) -> tuple[NDArray[np.float32], NDArray[np.float32], Report]:
        """Labels (n, 4), standard deviations of interactions (n,), and how many there are."""
        labels = np.full((n, len(schema.LABEL_COLUMNS)), np.nan, dtype=np.float32)
        std = np.full(n, np.nan, dtype=np.float32)
        report: Report = {"rows": n}
        for column, what in self.numbers.items():
            values = columns.numbers[column]
            report[f"rows with {what}"] = int(np.isfinite(values).sum())
            if what == schema.INTERACTION_STD:
                std[:] = values
            else:
                labels[:, schema.LABEL_COLUMNS.index(what)] = values
        return labels, std, report


def _mark(line: str) -> str:
    return "\t" if "\t" in line else ","


def _names(line: str) -> list[str]:
    return [name.strip().strip('"').strip().lower() for name in line.split(_mark(line))]


def _check_header(where: str, names: list[str]) -> None:
    problems = ErrorCollector()
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        problems.add(f"{where}: two columns are named '{name}' - give each its own name")
    if GENES in names and any(_GENE_COLUMN.fullmatch(name) for name in names):
        problems.add(f"{where}: both 'genes' and 'gene_1', .. are columns - keep one way to name the genes")
    problems.check()
