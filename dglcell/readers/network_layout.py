"""What a layout of a network is: the roles of its columns, and how rows and cells are read.

Roles of columns. The interactor at end 1 (in regulation the transcription factor) may have several columns of names:
`gene_1`, `symbol_1`, `accession_1`, `entrez_1`, in this sequence of preference; `_2` is the other end. `sign` and
`confidence` are cells to interpret, `score` is a number of known scale, `type` the kind of interaction, `mode` that of
STRING, `taxon_1` and `taxon_2` (or `taxon`) the organisms, `members` and `expanded` the molecules of a complex.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from dglcell.readers.edge_table import PHYSICAL, RELATION
from dglcell.readers.tables.layout import Layout

UNDIRECTED: Final = (PHYSICAL, RELATION)
NAMES: Final = ("gene", "symbol", "accession", "entrez")  # columns of names of one end, the preferred first
PLAIN, TAXON_PREFIX, PSI_MI, ACCESSIONS = "plain", "taxon prefix", "PSI-MI", "accessions"  # what a cell of names holds
EDGES, MEMBERS, PAIRS, SIF, MATRIX = "edges", "members", "pairs", "sif", "matrix"  # what a row holds
_MIN_FITTING: Final = 0.75  # share of the first rows that have the width of the layout
OTHER_NAMES: Final = tuple(f"{name}_{end}" for end in (1, 2) for name in NAMES[1:])


class Keep(NamedTuple):
    """Which rows of a table are read.

    Attributes
    ----------
    name : str
        What they have in common, for the report.
    pattern : str
        A regular expression for the whole cell, in lower case.
    """

    name: str
    pattern: str


@dataclass(frozen=True, kw_only=True)
class NetworkLayout(Layout):
    """One layout of a network.

    Attributes
    ----------
    kinds : tuple of str
        Kinds of network that it holds.
    is_general : bool
        It is tried for its kinds only. Any other layout is always recognized, and refused as another kind of network.
    rows : str
        What a row holds: `edges`, `members` of a complex, `pairs` in one cell, the line of a `sif` file, or a row of a
        `matrix`.
    ids : str
        What a cell of names holds: a `plain` name, a name with the `taxon prefix` of STRING, `PSI-MI` identifiers, or
        `accessions` joined by a vertical bar.
    keep : mapping of str to Keep
        Role to the rows that are read.
    scale : float
        Largest possible `score`.
    """

    kinds: tuple[str, ...] = UNDIRECTED
    is_general: bool = False
    rows: str = EDGES
    ids: str = PLAIN
    keep: Mapping[str, Keep] = field(default_factory=dict)
    scale: float = 1.0
    optional: Collection[str] = OTHER_NAMES

    def match_header(self, header: Sequence[str]) -> dict[str, int] | None:
        """The column of each role, or None if the header is not that of this layout; see `Layout.match_header`."""
        columns = super().match_header(header)
        if columns is None or self.rows != EDGES:
            return columns
        return columns if all(names_of_end(columns, end) for end in (1, 2)) else None

    def match_rows(self, rows: Sequence[Sequence[str]]) -> dict[str, int] | None:
        """The column of each role in a table without a header, or None; see `Layout.match_rows`."""
        num_fitting = sum(len(row) in self.widths for row in rows)
        return super().match_rows(rows) if num_fitting >= _MIN_FITTING * len(rows) else None


def names_of_end(columns: Mapping[str, int], end: int) -> list[str]:
    """The roles of the columns that name the interactor at an end (1 or 2), the preferred first."""
    return [f"{name}_{end}" for name in NAMES if f"{name}_{end}" in columns]
