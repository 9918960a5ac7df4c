"""Cell graphs and heterogeneous graph networks that score gene deletions in bulk.

`load_graph(path)` gives a `CellGraph`; `load_run(path).predict(genotypes)` scores genotypes with a trained run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dglcell.inference.run import load_run
    from dglcell.io.cell_file import load as load_graph

__version__ = "0.1.0"
__all__ = ["__version__", "load_graph", "load_run"]


def __getattr__(name: str) -> Any:
    """Import the heavy parts when they are first asked for (PEP 562)."""
    if name == "load_graph":
        from dglcell.io.cell_file import load

        return load
    if name == "load_run":
        from dglcell.inference.run import load_run

        return load_run
    raise AttributeError(f"module 'dglcell' has no attribute {name!r}")
