"""Columns that the user names, for a table of a layout that nobody foresaw: `gene_1=ORF_A,gene_2=ORF_B,fitness=3`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dglcell import schema
from dglcell.errors import DataError, ErrorCollector, UsageError, setting
from dglcell.readers.tables.layout import normalize

SPLIT: Final = "split"
SCREEN_ROLES: Final = frozenset(("genes", *schema.LABEL_COLUMNS, schema.INTERACTION_STD))
_ROLE = r"[a-z]+(?:_[a-z0-9]+)*"
_ITEM = re.compile(rf"({_ROLE})=((?:(?!,{_ROLE}=).)+)")


@dataclass
class ColumnMap:
    """The columns of one or more tables by role.

    Attributes
    ----------
    text : str
        As given.
    columns : dict of str to str
        Role to the name of a column, or to its number, from 1.
    file : str
        Name of the file to which it applies; empty for every table that has all of these columns.
    used : bool
        Whether a table was read with it.
    """

    text: str
    columns: dict[str, str]
    file: str = ""
    used: bool = field(default=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> ColumnMap:
        """Read `ROLE=COLUMN,ROLE=COLUMN` or `FILE:ROLE=COLUMN,..`.

        Raises
        ------
        UsageError
            The text has another form.

        Examples
        --------
        >>> ColumnMap.parse("gene_1=ORF A,gene_2=3").columns
        {'gene_1': 'ORF A', 'gene_2': '3'}
        >>> ColumnMap.parse("hits.csv:genes=strain, full name").file
        'hits.csv'
        """
        start = re.match(rf"(?:(.*?):)?(?={_ROLE}=)", text)
        items = text[start.end() :] if start else ""
        columns = {match[1]: match[2].strip() for match in _ITEM.finditer(items)}
        if start is None or ",".join(match[0] for match in _ITEM.finditer(items)) != items:
            raise UsageError(
                f"{setting('columns', text)} - ROLE=COLUMN,.. was expected, for example "
                f"{setting('columns', 'gene_1=ORF_A,gene_2=ORF_B,gene_interaction=eps')}"
            )
        return cls(text, columns, start[1] or "")

    def applies_to(self, path: Path, roles: Collection[str]) -> bool:
        """Whether it may be meant for this file, in a table with these roles (`gene_*` for numbered ones)."""
        is_named = bool(self.file) and (path.name == self.file or str(path).endswith("/" + self.file))
        if self.file:
            return is_named
        return all(_is_role(role, roles) for role in self.columns)

    def check_roles(self, path: Path, roles: Collection[str]) -> None:
        """Raise UsageError for roles that such a table does not have."""
        unknown = [role for role in self.columns if not _is_role(role, roles)]
        if unknown:
            raise UsageError(
                f"{setting('columns', self.text)}: {', '.join(unknown)} in {path.name} - "
                f"{', '.join(sorted(roles))} were expected"
            )

    def match_header(self, header: Sequence[str]) -> dict[str, int] | None:
        """The column of each role, or None if the header lacks one of the names."""
        exact = {name.strip(): k for k, name in reversed(list(enumerate(header)))}
        loose = {normalize(name): k for k, name in reversed(list(enumerate(header)))}
        found: dict[str, int] = {}
        for role, name in self.columns.items():
            column = exact.get(name, loose.get(normalize(name)) if normalize(name) else None)
            if column is None and name.isdigit() and 1 <= int(name) <= len(header):
                column = int(name) - 1
            if column is None:
                return None
            found[role] = column
        return found

    @property
    def has_names(self) -> bool:
        """Whether any column is given by its name, so that the table needs a header."""
        return not all(name.isdigit() for name in self.columns.values())


def _is_role(role: str, roles: Collection[str]) -> bool:
    return role in roles or re.sub(r"_\d+$", "_*", role) in roles


def divide(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """The texts of maps for screens, which have a role of screens alone, and those of other tables.

    Examples
    --------
    >>> divide(["genes=strain,fitness=f", "gene_1=A,gene_2=B"])
    (['genes=strain,fitness=f'], ['gene_1=A,gene_2=B'])
    """
    parts: tuple[list[str], list[str]] = ([], [])
    for text in texts:
        is_of_screen = not SCREEN_ROLES.isdisjoint(ColumnMap.parse(text).columns)
        parts[0 if is_of_screen else 1].append(text)
    return parts


def screen_maps(texts: Iterable[str]) -> list[ColumnMap]:
    """The maps for screens; those with the role `split` are for a split file."""
    return [column_map for column_map in parse_maps(texts) if SPLIT not in column_map.columns]


def split_maps(texts: Iterable[str]) -> tuple[list[ColumnMap], str]:
    """The maps for a split file without the role `split`, and its column, by name or number.

    Examples
    --------
    >>> maps, column = split_maps(["genes=strain,fitness=f", "genes=strain,split=part"])
    >>> maps[0].columns, column
    ({'genes': 'strain'}, 'part')
    """
    maps = [column_map for column_map in parse_maps(texts) if SPLIT in column_map.columns]
    column = next((column_map.columns[SPLIT] for column_map in maps), SPLIT)
    without = [dataclasses.replace(m, columns={k: v for k, v in m.columns.items() if k != SPLIT}) for m in maps]
    return [column_map for column_map in without if column_map.columns], column


def parse_maps(texts: Iterable[str]) -> list[ColumnMap]:
    """Column maps from their texts; see `ColumnMap.parse`."""
    return [ColumnMap.parse(text) for text in texts]


def check_used(maps: Iterable[ColumnMap]) -> None:
    """Raise DataError for maps with which no table was read."""
    problems = ErrorCollector(DataError)
    for column_map in maps:
        if not column_map.used:
            problems.add(
                f"{setting('columns', column_map.text)}: no table has all of these columns - compare them with the "
                "headers of the files"
            )
    problems.check()
