"""The registry of all formats that are read: what `dglcell formats` prints and the documentation shows.

Layouts of tables stand beside their readers, which recognize tables by them; this module only lists them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dglcell.readers.gene_layouts import LAYOUTS as GENES
from dglcell.readers.network_layouts import LAYOUTS as NETWORKS
from dglcell.readers.screens import matrices, screen_layouts
from dglcell.readers.tables.layout import Layout
from dglcell.readers.tables.rows import DELIMITERS, split_rows

MODEL: Final = "metabolic model"
GENE_LIST: Final = "gene list"
NETWORK: Final = "network"
SCREEN: Final = "screen"
FEATURE_TABLE: Final = "gene features"


@dataclass(frozen=True)
class Format:
    """One format that dglcell reads.

    Attributes
    ----------
    group : str
        What such a file is: `metabolic model`, `gene list`, `network`, `screen` or `gene features`.
    name : str
    options : tuple of str
        Settings that take such a file.
    columns : dict of str to tuple of str
        Role to the columns that are read, by name or by number from 1; empty if the format is no table.
    reads : str
        What is read and what is left out, with settings marked as in the template of an error (`errors.setting`).
    example : str
        The first lines of such a file; empty if it is no text.
    source : str
        Where such files come from.
    """

    group: str
    name: str
    options: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    reads: str
    example: str = ""
    source: str = ""


_MODELS: Final = (
    (
        "SBML",
        "levels 2 and 3 with the fbc package, version 1 or 2, or with GENE_ASSOCIATION notes: stoichiometry, bounds, "
        "gene rules and objective",
        "BiGG, yeast-GEM, Human-GEM, ModelSEED",
    ),
    ("JSON", "stoichiometry, bounds, gene rules and objective", "BiGG, cobra"),
    ("YAML", "stoichiometry, bounds, gene rules and objective", "cobra, RAVEN"),
    ("MATLAB .mat", "versions 5 to 7: stoichiometry, bounds, gene rules and objective", "COBRA Toolbox, RAVEN"),
)
_FEATURES: Final = (
    ("HDF5", "the datasets `ids` (n,) and `x` (n, d)", "h5py"),
    ("table", "the id of a gene, then numbers; with or without a header", "own tables"),
    ("gene annotation", "512 numbers that summarize the description of a gene, and its name", "SGD_features.tab, GFF3"),
)


def all_formats() -> list[Format]:
    """Every format, by group and in the sequence in which layouts are compared with a file."""
    formats = [Format(MODEL, name, ("model",), {}, reads, "", source) for name, reads, source in _MODELS]
    formats += [_table(GENE_LIST, ("genes",), layout) for layout in GENES]
    formats += [_table(NETWORK, layout.kinds, layout) for layout in NETWORKS]
    screens = _distinct(screen_layouts.LAYOUTS, screen_layouts.LISTS, matrices.LAYOUTS)
    formats += [_table(SCREEN, ("screen",), layout) for layout in screens]
    formats += [Format(FEATURE_TABLE, name, ("features",), {}, reads, "", source) for name, reads, source in _FEATURES]
    return formats


def find_formats(name: str) -> list[Format]:
    """The formats whose group or name contains all words of a text, in upper or lower case.

    Examples
    --------
    >>> [item.name for item in find_formats("biogrid tab3")]
    ['BioGRID tab2 or tab3']
    """
    words = name.lower().split()
    return [item for item in all_formats() if all(word in f"{item.group} {item.name}".lower() for word in words)]


def _distinct(*groups: Iterable[Layout]) -> list[Layout]:
    return list({layout.name: layout for layouts in groups for layout in layouts}.values())


def _table(group: str, options: tuple[str, ...], layout: Layout) -> Format:
    columns: dict[str, tuple[str, ...]] = {}
    for role, name in _columns(layout).items():
        kind = role.partition("_")[0] if group == GENE_LIST else role  # several columns hold aliases, for example
        if name not in columns.get(kind, ()):
            columns[kind] = (*columns.get(kind, ()), name)
    return Format(group, layout.name, options, columns, layout.reads, layout.example, layout.source)


def _columns(layout: Layout) -> dict[str, str]:
    """The column of each role, as it is called in the example of a layout."""
    lines = layout.example.splitlines()
    for line in lines if layout.columns else []:
        for delimiter in DELIMITERS:
            for row in split_rows([line.lstrip("#").lstrip()], 1, delimiter):
                columns = layout.match_header(row.cells)
                if columns is not None:
                    return {role: row.cells[column].strip() for role, column in columns.items()}
    return {role: f"column {column + 1}" for role, column in layout.positions.items()}
