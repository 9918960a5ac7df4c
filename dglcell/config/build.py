"""How a cell graph is built from its source files."""

from __future__ import annotations

import dataclasses

from dglcell.config.model import FEATURES_MODE_HELP, FEATURES_MODES
from dglcell.config.settings import DATA, GRAPH, Settings, declare


@dataclasses.dataclass(frozen=True, repr=False)
class BuildConfig(Settings):
    """How a cell graph is built from its source files."""

    string_mode: str = declare(
        "binding", "Type of interaction (column `mode`) to read from STRING actions files.", DATA
    )
    features_mode: str = declare(
        "concat",
        FEATURES_MODE_HELP,
        GRAPH,
        choices=FEATURES_MODES,
    )
    degrees: bool = declare(
        False, "Add the number of partners that a gene has in each relation to the gene features.", GRAPH
    )
    keep_unassigned: bool = declare(False, "Keep reactions without a gene rule.", GRAPH)
    max_alternatives: int = declare(
        10_000,
        "Refuse a gene rule with more alternative enzymes (isozymes or complexes) than this.",
        GRAPH,
        min=1,
    )
    self_loops: bool = declare(True, "Give each gene an edge to itself in every gene-gene relation.", GRAPH)
