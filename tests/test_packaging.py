"""The wheel, installed somewhere else, is the whole program and nothing beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("dglcell", "cli", "data", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel of this checkout was installed without its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        item = ROOT / name
        if item.is_dir():
            shutil.copytree(item, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(item, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    wheels = folder / "wheels"
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels), str(source)]
    subprocess.run(build, check=True, timeout=600)
    target = folder / "site"
    (wheel,) = wheels.glob("*.whl")
    subprocess.run(
        [*pip, "install", "--no-deps", "--no-index", "--target", str(target), str(wheel)], check=True, timeout=600
    )
    return target


def test_help_from_an_empty_folder(site: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(site / "bin" / "dglcell"), "--help"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "preprocess" in done.stdout and "predict" in done.stdout


def test_the_command_line_comes_from_the_wheel(site: Path, tmp_path: Path) -> None:
    code = "import dglcell.cli.main, dglcell.data; print(dglcell.cli.main.__file__); print(dglcell.data.__file__)"
    env = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600
    )
    assert all(line.startswith(str(site)) for line in done.stdout.splitlines()), done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_nothing_but_dglcell_is_installed(site: Path) -> None:
    installed = {p.name for p in site.iterdir()} - {"bin", "__pycache__"}
    assert {name for name in installed if not name.endswith(".dist-info")} == {"dglcell"}
    assert (site / "dglcell" / "py.typed").is_file()
    assert (site / "dglcell" / "cli" / "__main__.py").is_file()


def test_every_module_is_packaged(site: Path) -> None:
    """A folder forgotten in setup.cfg would be missing from the wheel."""
    for folder, inside in (("dglcell", ""), ("cli", "cli"), ("data", "data")):
        for path in (ROOT / folder).rglob("*.py"):
            assert (site / "dglcell" / inside / path.relative_to(ROOT / folder)).is_file(), path


def test_recipes_are_found_in_the_wheel(site: Path, tmp_path: Path) -> None:
    code = "from dglcell.config import recipes; print(*recipes(), sep='\\n'); print(*recipes().values(), sep='\\n')"
    env = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
    )
    names = sorted(path.stem for path in (ROOT / "data" / "recipes").glob("*.toml"))
    lines = done.stdout.splitlines()
    assert lines[: len(names)] == names and len(names) == 2, done.stderr
    assert all(line.startswith(str(site)) for line in lines[len(names) :])
