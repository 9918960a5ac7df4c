"""The settings with which a cell graph is built from source files."""

from __future__ import annotations

import dataclasses

from dglcell.config.model import FEATURES_MODE_HELP, FEATURES_MODES
from dglcell.config.screen import declare_columns
from dglcell.config.settings import DATA, GRAPH, Settings, declare


@dataclasses.dataclass(frozen=True, repr=False)
class BuildConfig(Settings):
    """How a cell graph is built from source files."""

    string_mode: str = declare("binding", "Rows of STRING actions files to read, by their column `mode`.", DATA)
    taxon: str | None = declare(
        None,
        "Organism to read from networks and gene lists that hold several, as the file names it, for example 559292.",
        DATA,
        unset="the one with most rows",
    )
    matrix_rows: str = declare(
        "auto",
        "What the rows of a regulatory matrix are; auto finds it from the names and the size of both axes.",
        DATA,
        choices=("auto", "factors", "targets"),
    )
    columns: tuple[str, ...] = declare_columns()
    features_mode: str = declare(
        "concat",
        FEATURES_MODE_HELP,
        GRAPH,
        choices=FEATURES_MODES,
    )
    degrees: bool = declare(False, "Add to the gene features how many partners each gene has in each relation.", GRAPH)
    keep_unassigned: bool = declare(False, "Keep reactions without a gene rule; no deletion removes them.", GRAPH)
    max_alternatives: int = declare(
        10_000,
        "Largest number of alternative enzymes (isozymes or complexes) in one gene rule; a rule with more is an error.",
        GRAPH,
        min=1,
    )
    self_loops: bool = declare(True, "Give each gene an edge to itself in every gene-gene relation.", GRAPH)
    allow_empty: bool = declare(
        False,
        "Accept an input of which nothing is left because none of its genes is in the cell; a warning says so.",
        DATA,
    )
