"""Layouts of tables: which columns a table has, and what each of them means.

A layout is data. It gives every column that is read a role (`gene_1`, `fitness`, ..) and says by what the column is
recognized: by its name in the header or, in a table without a header, by its position and its cells.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dglcell.errors import DataError
from dglcell.readers import text_files

_NOT_WORD = re.compile(r"[^a-z0-9]+")
_MIN_MATCHING: Final = 0.75  # share of the first rows in which a cell is of its kind
PREFERENCE: Final = " > "  # between two expressions for the name of a column
TEXT, NUMBER, ANY = "text", "number", "any"  # kinds of cells


def normalize(name: str) -> str:
    """The name of a column in lower case, with Latin letters and digits only.

    Examples
    --------
    >>> normalize("Gene interaction"), normalize('"Genetic interaction score (ε)"'), normalize(" P-value")
    ('geneinteraction', 'geneticinteractionscore', 'pvalue')
    """
    return _NOT_WORD.sub("", name.lower())


@dataclass(frozen=True, kw_only=True)
class Layout:
    r"""One layout of a table.

    Attributes
    ----------
    name : str
        Name in reports and messages.
    reads : str
        What is read and what is left out, in a few words.
    example : str
        The first lines of such a table.
    columns : mapping of str to str
        For a table with a header: role to a regular expression for the normalized name of its column (`normalize`).
        `orf > gene` stands for two expressions, of which the second counts where no column has the first. A role
        `gene_*` stands for `gene_1`, `gene_2`, ..; the number, or a word, is the first group of its expression.
        Empty for a table without a header.
    optional : collection of str
        Roles that may be absent.
    positions : mapping of str to int
        For a table without a header: role to column, from 0.
    cells : mapping of str to str
        For a table without a header: role to the kind of its cells, `text` (not a number), `number` (or blank), `any`,
        or a regular expression for the whole cell.
    widths : collection of int
        Possible numbers of columns; by default any number in a table with a header.
    end : str
        Regular expression for the line at which the table ends, such as the start of the sequences in GFF3.
    wide_titles : bool
        Whether lines of a title may have as many cells as the header below them. Without it, no row of a table without
        a header is taken for one.
    pads : bool
        Whether a row may lack blank cells at its end, which some editors remove.
    source : str
        Where such tables come from.
    """

    name: str
    reads: str
    example: str
    columns: Mapping[str, str] = field(default_factory=dict)
    optional: Collection[str] = ()
    positions: Mapping[str, int] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)
    widths: Collection[int] = ()
    end: str = ""
    wide_titles: bool = True
    pads: bool = False
    source: str = ""

    def match_header(self, header: Sequence[str]) -> dict[str, int] | None:
        """The column of each role, or None if the header is not that of this layout.

        Raises
        ------
        DataError
            Two columns have the same role.

        Examples
        --------
        >>> names = {"gene_*": r"orf(\\d)", "fitness": "fitness|smf"}
        >>> layout = Layout(name="pairs", reads="", example="", columns=names)
        >>> layout.match_header(["ORF 1", "orf-2", "SMF"]), layout.match_header(["ORF 1", "orf-2"])
        ({'gene_1': 0, 'gene_2': 1, 'fitness': 2}, None)
        """
        found: dict[str, int] = {}
        repeated: list[str] = []
        names = [normalize(name) for name in header]
        for role, patterns in self.columns.items():
            columns_of_role = _columns_of_role(role, patterns, names)
            if not columns_of_role and role not in self.optional:
                return None
            for full_role, column in columns_of_role:
                if full_role in found:
                    repeated.append(f"'{header[found[full_role]]}' and '{header[column]}' ({full_role})")
                found.setdefault(full_role, column)
        if repeated and found:
            raise DataError(f"two columns have one meaning: {'; '.join(repeated)} - keep one of them")
        return found or None

    def match_rows(self, rows: Sequence[Sequence[str]]) -> dict[str, int] | None:
        """The column of each role in a table without a header, or None if the first rows are not of this layout.

        Parameters
        ----------
        rows : sequence of sequence of str
            The first rows.
        """
        num_rows = len(rows)
        rows = [row for row in rows if len(row) in self.widths]
        if not self.positions or not rows or 2 * len(rows) < num_rows:
            return None
        for role, kind in self.cells.items():
            if role in self.positions:
                cells = [row[self.positions[role]] for row in rows if self.positions[role] < len(row)]
                if sum(_is_kind(cell, kind) for cell in cells) < _MIN_MATCHING * len(rows):
                    return None
        return {role: column for role, column in self.positions.items() if column < len(rows[0])}


def _columns_of_role(role: str, patterns: str, names: Sequence[str]) -> list[tuple[str, int]]:
    """The columns whose names have the first of the patterns that any name has, each with its role."""
    for pattern in patterns.split(PREFERENCE):
        matches = [(re.fullmatch(pattern, name), column) for column, name in enumerate(names) if name]
        found = [(role.replace("*", m[1]) if "*" in role else role, column) for m, column in matches if m]
        if found:
            return found
    return []


def _is_kind(cell: str, kind: str) -> bool:
    cell = cell.strip()
    if kind == ANY:
        return True
    if kind == NUMBER:
        return text_files.is_number(cell.replace(",", "."))
    if kind == TEXT:
        return bool(cell) and not text_files.is_number(cell)
    return bool(re.fullmatch(kind, cell))
