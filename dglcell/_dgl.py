"""Import of DGL, with stand-ins for the modules that its wheel lacks on a current PyTorch. No other module imports it.

DGL 2.1's wheel imports `packaging` from `setuptools.extern`, which setuptools dropped, and `dgl.graphbolt`, which wants
`torchdata.datapipes` and a C++ library built for the exact PyTorch version. dglcell uses DGL's core alone, so both are
replaced by stand-ins before the first import, each only if the real one cannot be imported.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import sys
import types
from pathlib import Path
from typing import Any

from dglcell.errors import RunError

_registered: list[str] = []


def _exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _graphbolt_loads(root: Path) -> bool:
    """Whether `dgl.graphbolt` can be imported: its data pipes and the library for this PyTorch are both installed."""
    import torch

    if not (root / "graphbolt").is_dir():
        return True  # a DGL without graphbolt does not import it
    version = torch.__version__.split("+")[0]
    libraries = list((root / "graphbolt").glob("*graphbolt_pytorch_*"))
    return _exists("torchdata.datapipes") and any(f"_{version}." in library.name for library in libraries)


def _stand_in_packaging() -> None:
    import packaging
    import packaging.version

    extern = types.ModuleType("setuptools.extern")
    extern.__path__ = []
    extern.packaging = packaging  # type: ignore[attr-defined]
    sys.modules["setuptools.extern"] = extern
    sys.modules["setuptools.extern.packaging"] = packaging
    sys.modules["setuptools.extern.packaging.version"] = packaging.version
    _registered.append("setuptools.extern.packaging")


def _stand_in_graphbolt() -> None:
    def absent(name: str) -> Any:
        if name.startswith("__"):  # import machinery and inspection ask for these
            raise AttributeError(name)
        raise AttributeError(
            f"dgl.graphbolt.{name}: graphbolt does not load on this PyTorch and dglcell does not use it"
        )

    module = types.ModuleType("dgl.graphbolt")
    module.__getattr__ = absent  # type: ignore[method-assign]
    sys.modules["dgl.graphbolt"] = module
    _registered.append("dgl.graphbolt")


@functools.cache
def load() -> Any:
    """Import DGL once, with stand-ins for what is missing, and return the module.

    Raises
    ------
    RunError
        DGL is not installed, or cannot be imported even with the stand-ins.
    """
    if "dgl" in sys.modules:
        return sys.modules["dgl"]
    spec = importlib.util.find_spec("dgl")
    if spec is None or not spec.submodule_search_locations:
        raise RunError("DGL is not installed - dgl>=2.1,<2.3 was expected; run: pip install 'dgl>=2.1,<2.3'")
    os.environ.setdefault("DGLBACKEND", "pytorch")  # else DGL writes a file into the home folder and prints about it
    if not _exists("setuptools.extern.packaging"):
        _stand_in_packaging()
    if not _graphbolt_loads(Path(next(iter(spec.submodule_search_locations)))):
        _stand_in_graphbolt()
    try:
        return importlib.import_module("dgl")
    except Exception as error:  # its import runs native loaders: any exception type can come out
        import torch

        for name in _registered:
            sys.modules.pop(name, None)
        reason = str(error).strip().split("\n")[0]
        raise RunError(
            f"DGL does not import with PyTorch {torch.__version__} ({type(error).__name__}: {reason}) - "
            "dgl>=2.1,<2.3 with torch>=2.6,<2.14 was expected; see `dglcell doctor`"
        ) from error


def stand_ins() -> tuple[str, ...]:
    """Names of the modules that were replaced when DGL was loaded; empty if DGL works without stand-ins."""
    load()
    return tuple(_registered)


@functools.cache
def has_cuda() -> bool:
    """Whether this DGL build can hold a graph on a CUDA device (its pip wheel cannot)."""
    import torch

    if not torch.cuda.is_available():
        return False
    dgl = load()
    try:
        dgl.graph(([0], [0])).to("cuda")
    except Exception:  # DGLError, or a RuntimeError of its C API: either way no CUDA
        return False
    return True
