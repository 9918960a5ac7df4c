"""Rows that deletions changed are the engines' own business: no module above them imports or names them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import dglcell
from dglcell.cli import main

PACKAGES = (Path(dglcell.__file__).parent, Path(main.__file__).parent)
ENGINES = PACKAGES[0] / "engines"
WORDS = re.compile(r"packed|delta_?states|affected_?nodes", re.IGNORECASE)
BACK_ENDS = ("dgl", "numba", "packed", "torch", "triton")
OUTSIDE = sorted(path for folder in PACKAGES for path in folder.rglob("*.py") if ENGINES not in path.parents)


def mentions(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    return [f"{path.name}:{number}: {line.strip()}" for number, line in enumerate(lines, 1) if WORDS.search(line)]


def back_ends(path: Path) -> list[str]:
    """The modules of back ends that a file imports, functions included."""
    modules = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules += [f"{node.module}.{alias.name}" for alias in node.names]
    return [module for module in modules if module.startswith(tuple(f"dglcell.engines.{name}" for name in BACK_ENDS))]


def test_no_module_outside_the_engines_names_packed_rows() -> None:
    assert len(OUTSIDE) > 60
    assert [line for path in OUTSIDE for line in mentions(path)] == []


def test_no_module_outside_the_engines_imports_a_back_end() -> None:
    assert [(path.name, module) for path in OUTSIDE for module in back_ends(path)] == []


def test_the_engines_do_both() -> None:
    """Else the words and names above are the wrong ones."""
    inside = sorted(ENGINES.rglob("*.py"))
    assert sum(bool(mentions(path)) for path in inside) > 3
    assert sum(bool(back_ends(path)) for path in inside) > 3
