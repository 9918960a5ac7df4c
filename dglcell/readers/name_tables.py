"""Tables of ids and names without a header: which column holds the ids, and what is no such table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from dglcell.errors import DataError, setting
from dglcell.readers.gene_layout import GeneLayout
from dglcell.readers.gene_layouts import HEADER_NAME
from dglcell.readers.gene_records import GeneRecords
from dglcell.readers.gene_rows import GeneRow
from dglcell.readers.tables.layout import normalize
from dglcell.readers.tables.table import Table

_MIN_LIKE: Final = 10  # ids by which a header is told from them
_MAX_SHARED: Final = 0.1  # names in a name table that are ids of other genes
_MAX_NAMES: Final = 5  # of a gene in a name table, on average


def refuse_header(table: Table[GeneLayout], rows: list[GeneRow]) -> None:
    """Raise DataError if the first row of a table without a known header looks like names of columns."""
    first, *others = [row.ids[0] for row in rows if row.ids] or [""]
    has_digits = [any(map(str.isdigit, gene)) for gene in others]
    is_unlike = len(others) >= _MIN_LIKE and all(has_digits) and not any(map(str.isdigit, first))
    if is_unlike or re.fullmatch(HEADER_NAME, normalize(first)):
        cells = ", ".join(f"'{name}'" for name in [first, *rows[0].names, *rows[0].aliases])
        raise DataError(
            f"{table.path}:{rows[0].line}: {cells} - genes were expected, not names of columns; name those that are "
            f"meant, for example {setting('columns', f'gene={first}')}"
        )


def with_id_first(table: Table[GeneLayout], rows: list[GeneRow], records: GeneRecords) -> list[GeneRow]:
    """The rows of a name table without a header, with the column of ids first.

    Ids are those that look alike (`YAL001C`, `YBR002W`).

    Raises
    ------
    DataError
        Both columns hold the same kind of id, so that the table looks like a network.
    """
    pairs = [(row.ids[0], name) for row in rows if row.ids for name in row.names if name != row.ids[0]]
    ids = {gene for gene, _ in pairs}
    names = {name for _, name in pairs}
    likeness = [_likeness(column) for column in (ids, names)]
    is_same_shape = len(names) > 1 and _shapes(ids).most_common(1)[0][0] == _shapes(names).most_common(1)[0][0]
    if names and (
        len(names & ids) > _MAX_SHARED * len(names)
        or len(pairs) > _MAX_NAMES * len(ids)
        or (is_same_shape and min(likeness) > 0.8)
    ):
        raise DataError(
            f"{table.path} looks like a network ({pairs[0][0]}, {pairs[0][1]}) - a gene list was expected; give it as "
            f"{setting('physical')} or {setting('regulatory')}, or name its columns, for example "
            f"{setting('columns', 'gene=1,name=2')}"
        )
    if likeness[1] > likeness[0] + 0.2 and all(row.names for row in rows):
        records.count(f"names in column 1 and ids in column 2 of {table.path.name}")
        return [row._replace(ids=row.names[:1], names=row.ids, aliases=row.names[1:]) for row in rows]
    return rows


def _shapes(names: Iterable[str]) -> Counter[str]:
    """How many names have the same letters and digits: `A999A` for `Y001C`."""
    return Counter(re.sub(r"[A-Z]", "A", re.sub(r"\d", "9", name)) for name in names)


def _likeness(names: Iterable[str]) -> float:
    """The share of the most common shape among names with digits."""
    shapes = _shapes(names)
    common = max((n for shape, n in shapes.items() if "9" in shape), default=0)
    return common / max(1, shapes.total())
