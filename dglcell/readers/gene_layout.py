"""What a layout of a gene list is: columns of ids and names, and how their cells are understood."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dglcell.readers import text_files
from dglcell.readers.tables.layout import Layout


@dataclass(frozen=True, kw_only=True)
class GeneLayout(Layout):
    """One layout of a gene list.

    Attributes
    ----------
    ids : tuple of str
        Roles of the columns that may hold the id, the first one that is not blank; the others are names. By default
        the columns with a role `gene` or `gene_*` from left to right.
    kept : mapping of str to str
        Role to a regular expression for the cells of the rows that are read.
    others : str
        What the other rows are, for the report.
    separators : str or None
        Characters between several names in a cell; by default whatever fits (`gene_cells.split_names`).
    prefix : str
        Regular expression for the start of ids that does not belong to them.
    once : bool
        Whether each gene has one row; otherwise its rows are merged.
    refers : bool
        Whether the table gives names to genes of other files.
    alone : bool
        Whether a table that refers to other genes may also be the only file; its ids are then those of the genes.
    content : str
        What was expected in the rows, for a message.
    option : str
        For what is no gene list: the setting to which such a file belongs, if any.
    """

    wide_titles: bool = False
    ids: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    others: str = "rows of other kinds, left out"
    separators: str | None = None
    prefix: str = ""
    once: bool = False
    refers: bool = False
    alone: bool = False
    content: str = "genes"
    option: str = ""

    def match_header(self, header: Sequence[str]) -> dict[str, int] | None:
        """The column of each role, or None if the header is not that of this layout; see `Layout.match_header`.

        A header has no numbers. A table of several columns has names, descriptions or positions beside the ids. A
        column that is called `name` or `gene name` is a description if another column holds the symbols.
        """
        if any(text_files.is_number(cell, missing=False) for cell in header):
            return None
        if len(header) == 1 and re.search(r"[,;|\t]", header[0]):  # columns with another delimiter
            return None
        columns = super().match_header(header)
        if columns is None:
            return None
        ids = {column for role, column in columns.items() if role.startswith("gene_")}
        columns = {r: column for r, column in columns.items() if r.startswith("gene_") or column not in ids}
        is_bare = all(role == "taxon" or role.startswith("gene_") for role in columns)
        if is_bare and not (self.option or self.widths):
            return None
        symbols = any(role.startswith("name_") and ("symbol" in role or "standard" in role) for role in columns)
        for role in ("name_name", "name_genename"):
            if symbols and role in columns:
                columns.setdefault("description", columns.pop(role))
        return columns
