"""Imports go down the floors of the house, and no two packages import each other."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From the top down; a part may import those of lower floors, and of its own floor only itself.
FLOORS = (
    ("cli",),
    ("demo",),
    ("api",),
    ("evaluation",),
    ("baselines",),
    ("inference",),
    ("training",),
    ("nn",),
    ("engines",),
    ("plots",),
    ("io",),
    ("genotypes",),
    ("graph",),
    ("fba",),
    ("readers",),
    ("config",),
    ("_dgl",),
    ("schema", "errors", "hashing"),
)
FLOOR = {part: len(FLOORS) - k for k, floor in enumerate(FLOORS) for part in floor}


def part_of(module: str) -> str:
    """`dglcell.graph.cell` -> `graph`; the package itself, which is the public API, is its own part."""
    return module.split(".")[1] if "." in module else "dglcell"


def sources() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.glob("dglcell/**/*.py")):
        yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path
    for path in sorted(ROOT.glob("cli/*.py")):
        yield f"dglcell.cli.{path.stem}", path


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and module of every import from dglcell, those inside functions and for type checkers too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, a.name) for a in node.names if a.name.split(".")[0] == "dglcell")
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] == "dglcell":
            if node.module == "dglcell":
                yield from ((node.lineno, f"dglcell.{a.name}" if a.name in FLOOR else "dglcell") for a in node.names)
            else:
                yield node.lineno, node.module or ""


@pytest.mark.parametrize(("module", "path"), list(sources()), ids=lambda value: value if isinstance(value, str) else "")
def test_imports_go_down(module: str, path: Path) -> None:
    own = part_of(module)
    if own == "dglcell":
        return
    assert own in FLOOR, f"{own} has no floor"
    up = [
        f"line {line}: {name}"
        for line, name in imported(path)
        if (part_of(name) != own and part_of(name) not in ("dglcell",) and FLOOR[part_of(name)] >= FLOOR[own])
    ]
    assert not up, f"{module} imports upwards: {up}"


def test_there_is_no_relative_import_that_would_go_unseen() -> None:
    for module, path in sources():
        tree = ast.parse(path.read_text())
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level], module


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for type checkers and inside functions count too."""
    names = dict(sources())
    graph: dict[str, set[str]] = {}
    for module, path in names.items():
        targets: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dglcell."):
                whole = [f"{node.module}.{a.name}" for a in node.names if f"{node.module}.{a.name}" in names]
                targets.update(whole or {node.module or ""})
        graph[module] = targets & set(names) - {module}
    order = graphlib.TopologicalSorter(graph)
    order.prepare()  # CycleError names the circle
