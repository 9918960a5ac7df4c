"""Cell graphs and heterogeneous graph networks that score gene deletions in bulk.

From files to an evaluated model: `build_cell` returns a `CellGraph`, `read_screen` a `GenotypeTable` of measured
genotypes, `train` a `Run`; `evaluate` compares the run with baselines, and `Run.predict` scores genotypes. This is the
whole public interface; other modules may change without notice.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dglcell.api import evaluate, load_cell, read_screen, save_cell, train
    from dglcell.config import TrainConfig
    from dglcell.errors import DataError, DglcellError, FingerprintError, FormatError, RunError, UsageError
    from dglcell.genotypes.splits.make import make_split
    from dglcell.genotypes.splits.split import Split
    from dglcell.genotypes.table import GenotypeTable
    from dglcell.graph.build_cell import build_cell
    from dglcell.graph.cell import CellGraph
    from dglcell.inference.run import Run, load_run

__version__ = "0.2.0"
__all__ = [
    "CellGraph",
    "DataError",
    "DglcellError",
    "FingerprintError",
    "FormatError",
    "GenotypeTable",
    "Run",
    "RunError",
    "Split",
    "TrainConfig",
    "UsageError",
    "__version__",
    "build_cell",
    "evaluate",
    "load_cell",
    "load_run",
    "make_split",
    "read_screen",
    "save_cell",
    "train",
]

_MODULES = {
    "CellGraph": "graph.cell",
    "GenotypeTable": "genotypes.table",
    "Run": "inference.run",
    "Split": "genotypes.splits.split",
    "TrainConfig": "config",
    "build_cell": "graph.build_cell",
    "evaluate": "api",
    "load_cell": "api",
    "load_run": "inference.run",
    "make_split": "genotypes.splits.make",
    "read_screen": "api",
    "save_cell": "api",
    "train": "api",
    **dict.fromkeys(
        ("DataError", "DglcellError", "FingerprintError", "FormatError", "RunError", "UsageError"), "errors"
    ),
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562), so that `import dglcell` takes no time."""
    if name not in _MODULES:
        raise AttributeError(f"module 'dglcell' has no attribute {name!r}")
    value = getattr(import_module(f"dglcell.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
