"""What is computed from cells, tables or weights lives in the object that owns it, never in a module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Facts and resources of the process, with the reason.
ALLOWED = {
    "dglcell._dgl": {"_registered"},  # stand-ins in sys.modules
    "dglcell.engines.numba.memory": {"_blocks", "_lock"},  # scratch memory to use again
}
CACHED = {  # decorated by functools.cache: modules, devices and threads, which a process has once
    "dglcell._dgl": {"load", "has_cuda"},
    "dglcell.engines.choice": {"numba_problem", "triton_problem"},
    "dglcell.engines.numba.threads": {"_threads"},
}
CHANGES = {"append", "extend", "insert", "remove", "pop", "popitem", "clear", "update", "setdefault", "add", "discard"}


def sources() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "dglcell").rglob("*.py")):
        yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def cached_functions(tree: ast.Module) -> set[str]:
    """Functions under `functools.cache` or `lru_cache`, with or without arguments."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                target = decorator.func if isinstance(decorator, ast.Call) else decorator
                if (target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")) in (
                    "cache",
                    "lru_cache",
                ):
                    names.add(node.name)
    return names


def changed_globals(tree: ast.Module) -> set[str]:
    """Names bound in the module's body that a function rebinds, writes into or changes by a method."""
    bound = set()
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            bound |= {
                name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            }
    changed = set()
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Global):
                changed |= set(node.names)
            elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
                changed |= {node.value.id} & bound if isinstance(node.value, ast.Name) else set()
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
                changed |= {node.func.value.id} & bound if isinstance(node.func.value, ast.Name) else set()
    return changed


@pytest.mark.parametrize(("module", "path"), list(sources()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_module_keeps_no_results(module: str, path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert cached_functions(tree) <= CACHED.get(module, set())
    assert changed_globals(tree) <= ALLOWED.get(module, set())


@pytest.mark.parametrize(
    "body",
    [
        "_last = {}\ndef f(key):\n    _last[key] = 1",
        "_last: dict[int, int] = {}\ndef f():\n    _last.clear()",
        "_last = None\ndef f():\n    global _last\n    _last = 1",
        "_last = {}\ndef f(key):\n    del _last[key]",
        "import functools\n@functools.lru_cache(maxsize=1)\ndef f(cell): ...",
        "from functools import cache\n@cache\ndef f(cell): ...",
    ],
)
def test_a_cache_would_be_seen(body: str) -> None:
    tree = ast.parse(body)
    assert cached_functions(tree) | changed_globals(tree)
