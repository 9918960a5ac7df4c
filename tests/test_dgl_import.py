"""`dglcell._dgl` against DGL installations that work, that need help, and that nothing helps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPORT = "from dglcell import _dgl; print(_dgl.load().__version__, *_dgl.stand_ins())"


def run(code: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter that finds the modules under `paths` first."""
    setup = "import sys; " + "".join(f"sys.path.insert(0, {str(p)!r}); " for p in paths)
    return subprocess.run([sys.executable, "-c", setup + code], capture_output=True, text=True, timeout=600)


def package(root: Path, name: str, code: str = "") -> Path:
    folder = root / Path(*name.split("."))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(code)
    return root


def test_installed_dgl_loads_quietly_and_names_its_stand_ins(tmp_path: Path) -> None:
    done = run(f"import os; os.environ['HOME'] = {str(tmp_path)!r}; {REPORT}")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith("2.")
    assert not list(tmp_path.iterdir())  # no settings file left in the user's home


def test_a_working_dgl_is_left_untouched(tmp_path: Path) -> None:
    package(tmp_path, "dgl", "import setuptools.extern.packaging\n__version__ = '2.9'")
    package(tmp_path, "setuptools")
    package(tmp_path, "setuptools.extern")
    package(tmp_path, "setuptools.extern.packaging")
    done = run(REPORT, tmp_path)
    assert done.stdout.split() == ["2.9"], done.stderr


def test_graphbolt_is_replaced_only_when_its_library_is_missing(tmp_path: Path) -> None:
    import torch

    version = torch.__version__.split("+")[0]
    package(tmp_path, "dgl", "from dgl import graphbolt\n__version__ = graphbolt.__dict__.get('REAL', 'replaced')")
    package(tmp_path, "dgl.graphbolt", "REAL = 'real'")
    package(tmp_path, "setuptools.extern.packaging")
    package(tmp_path, "setuptools.extern")
    package(tmp_path, "setuptools")
    package(tmp_path, "torchdata")
    package(tmp_path, "torchdata.datapipes")
    assert run(REPORT, tmp_path).stdout.split() == ["replaced", "dgl.graphbolt"]
    (tmp_path / "dgl" / "graphbolt" / f"libgraphbolt_pytorch_{version}.so").touch()
    assert run(REPORT, tmp_path).stdout.split() == ["real"]


def test_a_hopeless_dgl_is_explained_in_one_line(tmp_path: Path) -> None:
    package(tmp_path, "dgl", "raise OSError('libdgl.so: wrong ELF class\\nmore')")
    done = run(
        "from dglcell import _dgl, errors\ntry:\n _dgl.load()\nexcept errors.RunError as e: print(e)",
        tmp_path,
    )
    assert "does not import" in done.stdout and "wrong ELF class" in done.stdout, done.stderr
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("name", ["hetero_from_coo", "__wrapped__"])
def test_the_graphbolt_stand_in_says_what_it_is(name: str) -> None:
    from dglcell import _dgl

    if "dgl.graphbolt" not in _dgl.stand_ins():
        pytest.skip("this DGL has a working graphbolt")
    with pytest.raises(AttributeError, match=name):
        getattr(sys.modules["dgl.graphbolt"], name)


def test_only_one_module_imports_dgl() -> None:
    root = Path(__file__).parents[1]
    code = [p for folder in ("dglcell", "cli") for p in (root / folder).rglob("*.py")]
    importers = [
        p.name
        for p in code
        if any(
            line.strip().startswith(("import dgl\n", "import dgl ", "from dgl ", "from dgl."))
            for line in p.read_text().splitlines(keepends=True)
        )
    ]
    assert importers == []
    assert 'import_module("dgl")' in (root / "dglcell" / "_dgl.py").read_text()
