"""The genotype table of dglcell: deleted genes and labels, one genotype per row.

The header has `genes` (ids joined by `;`) or `gene_1`, `gene_2`, ..; label columns (`schema.LABEL_COLUMNS`) are
optional, and other columns are stored, so that an output table can repeat them. Columns are separated by tab or comma,
in a plain or gzip file. Genes are named as in the file.
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
from dglcell.readers.screens.columns import Columns, ColumnSpec, parse_rows, read_fast
from dglcell.readers.screens.screen_table import Report, ScreenTable
from dglcell.readers.screens.strains import GeneColumn, interleave
from dglcell.readers.tables.chunked_text import Block

LAYOUT: Final = "genotype table"
EXPECTED: Final = "a table whose header has 'genes' or 'gene_1', 'gene_2', .."
GENES: Final = "genes"
SEPARATOR: Final = ";"
_NUMBERS: Final = (*schema.LABEL_COLUMNS, schema.INTERACTION_STD)
_GENE_COLUMN = re.compile(r"gene_(\d+)")


@dataclass(frozen=True, repr=False)
class GenotypeRows(ScreenTable):
    """A genotype table with its cells as text, so that an output table can repeat them.

    Attributes
    ----------
    header : list of str
        Column names of the file.
    rows : list of list of str
        One cell per column.
    """

    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


def is_genotype_table(lines: Sequence[str]) -> bool:
    """Whether the first line names a column of genes."""
    return any(map(is_gene_column, _lower_names(lines[0])))


def is_gene_column(name: str) -> bool:
    """Whether a column of this name, in lower case, holds genes: `genes`, `gene_1`, `gene_2`, .."""
    return name == GENES or bool(_GENE_COLUMN.fullmatch(name))


def is_used(name: str, labels: bool = True) -> bool:
    """Whether a column of this name, in lower case, holds genes or, with `labels`, a label."""
    return is_gene_column(name) or (labels and name in _NUMBERS)


def read_genotype_table(path: Path | str) -> GenotypeRows:
    """Read a genotype table with the text of its cells; blank lines above the header are skipped.

    Raises
    ------
    DataError
        The file cannot be read, has no column of genes or both `genes` and `gene_1`, two columns of one name, no rows,
        rows of the wrong width, or text instead of a number; all problems with file and line.
    """
    path = Path(path)
    lines = text_files.read_lines(path)
    line_number = next((k for k, line in enumerate(lines, start=1) if line.strip()), 1)
    lines = lines[line_number - 1 :]
    if not is_genotype_table(lines):
        excerpt = text_files.shorten(lines[0], 60)
        raise DataError(f"{path}:{line_number}: no column of genes in '{excerpt}' - {EXPECTED} was expected")
    header = Header.of(path, lines[0], line_number)
    block = Block(line_number + 1, "".join(line + "\n" for line in lines[1:]).encode())
    rows, columns = header.rows(path, block)
    if not rows:
        raise DataError(f"{path} has a header but no rows - one genotype per row was expected")
    genotypes = header.genotypes(rows)
    labels, std, report = header.labels(columns, len(rows))
    report["rows of the wild type"] = sum(not genotype for genotype in genotypes)
    text = {"header": header.cells, "rows": rows}
    return GenotypeRows.of(str(path), LAYOUT, genotypes, labels, columns.lines, report, std, **text)


@dataclass(frozen=True)
class Header:
    """The columns of one genotype table, and the reader of its rows.

    Attributes
    ----------
    cells : list of str
        Column names of the file.
    names : list of str
        The same in lower case.
    delimiter : str
        Character between columns.
    """

    cells: list[str]
    names: list[str]
    delimiter: str
    skip: ClassVar[int] = 1
    layout: ClassVar[str] = LAYOUT

    @classmethod
    def of(cls, path: Path, line: str, line_number: int = 1) -> Self:
        """Parse a header line.

        Parameters
        ----------
        path : Path
            For error messages.
        line : str
            The header.
        line_number : int

        Raises
        ------
        DataError
            Two columns have the same name, or there are both `genes` and `gene_1`.
        """
        cells = [name.strip() for name in next(csv.reader([line], delimiter=_delimiter(line)))]
        names = [name.lower() for name in cells]
        _check_header(f"{path}:{line_number}", names)
        return cls(cells, names, _delimiter(line))

    @classmethod
    def of_names(cls, where: str, names: list[str]) -> Self:
        """A header of these names, in lower case; checks as in `of`, with `where` in messages."""
        _check_header(where, names)
        return cls(names, names, "\t")

    @property
    def numbers(self) -> dict[int, str]:
        """Columns of labels, with their names."""
        return {self.names.index(name): name for name in _NUMBERS if name in self.names}

    @property
    def gene_columns(self) -> list[int]:
        """Columns `gene_1`, `gene_2`, .., sorted by number."""
        matches = ((_GENE_COLUMN.fullmatch(name), column) for column, name in enumerate(self.names))
        return [column for _, column in sorted((int(match.group(1)), column) for match, column in matches if match)]

    def read(self, path: Path, block: Block, raw_scores: bool = False) -> ScreenTable:
        """Read one block of rows without the header; `raw_scores` has no effect, as there are no raw scores.

        Raises
        ------
        DataError
            Rows have problems; all are listed with file and line.
        """
        parsed = self._fast(path, block)
        if parsed is None:
            rows, columns = self.rows(path, block)
            code_of: dict[tuple[str, ...], int] = {}
            codes = [code_of.setdefault(genotype, len(code_of)) for genotype in self.genotypes(rows)]
            values = [[(gene, schema.DELETION) for gene in genotype] for genotype in code_of]
            parsed = columns, [(np.array(codes, dtype=np.int32), values)]
        columns, genes = parsed
        num_rows = len(columns.lines)
        mutations = interleave(num_rows, genes)
        labels, std, report = self.labels(columns, num_rows)
        report["rows of the wild type"] = int(np.count_nonzero(np.diff(mutations[-1]) == 0))
        missing = np.full(num_rows, np.nan, dtype=np.float32)
        return ScreenTable(str(path), LAYOUT, *mutations, labels, std, missing, columns.lines, report)

    def _fast(self, path: Path, block: Block) -> tuple[Columns, list[GeneColumn]] | None:
        """Read the block with pandas, if it has only pairs or one column per gene; otherwise None."""
        spec, data = (
            ColumnSpec(len(self.names), self.gene_columns, self.numbers, self.delimiter, blank=True),
            block.data,
        )
        if GENES in self.names:
            # If each row is a pair and all other columns are labels, the separator may count as a delimiter.
            only_labels = len(self.numbers) + 1 == len(self.names) and self.names[0] == GENES
            if not only_labels or data.count(SEPARATOR.encode()) != data.count(b"\n"):
                return None
            data = data.replace(SEPARATOR.encode(), self.delimiter.encode())
            spec = ColumnSpec(len(self.names) + 1, (0, 1), {c + 1: w for c, w in self.numbers.items()}, self.delimiter)
        columns = read_fast(Block(block.first_line, data), spec)
        if columns is None or (GENES in self.names and any(map(text_files.is_number, columns.values[1]))):
            return None  # a number among the genes: the separator occurs in a label
        if GENES in self.names:
            columns.numbers.update({c: columns.numbers.pop(c + 1) for c in sorted(self.numbers)})
        genes = [
            (columns.codes[c], [[(v.strip(), schema.DELETION)] if v.strip() else [] for v in columns.values[c]])
            for c in spec.text
        ]
        return columns, genes

    def rows(self, path: Path, block: Block) -> tuple[list[list[str]], Columns]:
        """Rows as cells, and their labels. A blank line is skipped; if there is only one column, it is the wild type.

        Raises
        ------
        DataError
            Rows have the wrong width, or there is text instead of a number; with file and line.
        """
        problems, width = ErrorCollector(), len(self.names)
        blank = [""] if width == 1 else None
        rows, line_numbers = parse_rows(
            path, block, width, self.delimiter, problems, "cell", ", as in the header", blank
        )
        columns = Columns(lines=np.array(line_numbers, dtype=np.int64))
        for column, name in self.numbers.items():
            cells = [row[column] for row in rows]
            columns.numbers[column] = text_files.numbers(cells, columns.lines, path, name, problems)
        problems.check()
        return rows, columns

    def genotypes(self, rows: list[list[str]]) -> list[tuple[str, ...]]:
        """The genes of each row."""
        if GENES in self.names:
            column = self.names.index(GENES)
            return [tuple(g for name in row[column].split(SEPARATOR) if (g := name.strip())) for row in rows]
        columns = self.gene_columns
        return [tuple(g for k in columns if (g := row[k].strip())) for row in rows]

    def labels(self, columns: Columns, num_rows: int) -> tuple[NDArray[np.float32], NDArray[np.float32], Report]:
        """Labels (n, 4), standard deviations of interactions (n,), and counts for the report."""
        labels = np.full((num_rows, len(schema.LABEL_COLUMNS)), np.nan, dtype=np.float32)
        std = np.full(num_rows, np.nan, dtype=np.float32)
        report: Report = {"rows": num_rows}
        for column, name in self.numbers.items():
            values = columns.numbers[column]
            report[f"rows with {name}"] = int(np.isfinite(values).sum())
            if name == schema.INTERACTION_STD:
                std[:] = values
            else:
                labels[:, schema.LABEL_COLUMNS.index(name)] = values
        return labels, std, report


def _delimiter(line: str) -> str:
    return "\t" if "\t" in line else ","


def _lower_names(line: str) -> list[str]:
    return [name.strip().strip('"').strip().lower() for name in line.split(_delimiter(line))]


def _check_header(where: str, names: list[str]) -> None:
    problems = ErrorCollector()
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        problems.add(f"{where}: two columns are named '{name}' - give each its own name")
    if GENES in names and any(_GENE_COLUMN.fullmatch(name) for name in names):
        problems.add(f"{where}: columns 'genes' and 'gene_1', .. - give one of the two")
    problems.check()
