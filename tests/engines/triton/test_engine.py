"""The Triton engine: parity under the interpreter or on a GPU, compilation for a GPU, and when it is chosen.

Triton decides at import whether it interprets, so what needs the interpreter runs in a process of its own.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from packaging.version import Version

from dglcell.engines import choice
from dglcell.engines.choice import choose
from dglcell.errors import UsageError

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def triton_version() -> Version:
    if importlib.util.find_spec("triton") is None:
        pytest.skip("Triton is not installed: pip install 'dglcell[kernels]'")
    return Version(importlib.metadata.version("triton"))


def run(*arguments: str, **environment: str) -> None:
    """Run Python on the checkout and show what it printed if it failed."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"


def cases(marked: str, **environment: str) -> None:
    """The cases that a marker expression selects; an empty one selects all."""
    file = str(HERE / "cases.py")
    run("-m", "pytest", "-x", "-p", "no:cacheprovider", "-m", marked, file, **environment)


@pytest.mark.parametrize("marked", ["not slow", pytest.param("slow", marks=pytest.mark.slow)])
def test_parity_under_the_interpreter(marked: str) -> None:
    if triton_version() < Version("3.9") and Version(np.__version__) >= Version("2.4"):
        pytest.skip("the interpreter of Triton before 3.9 wants numpy < 2.4")
    cases(marked, TRITON_INTERPRET="1")


@pytest.mark.gpu
def test_parity_on_a_gpu() -> None:
    triton_version()
    cases("", TRITON_INTERPRET="0")


@pytest.mark.slow
def test_kernels_compile_for_a_gpu(tmp_path: Path) -> None:
    """The interpreter accepts much that the compiler does not; compiling needs no GPU."""
    triton_version()
    run(str(HERE / "compilation.py"), TRITON_INTERPRET="0", TRITON_CACHE_DIR=str(tmp_path))


def test_auto_falls_back_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dglcell.engines.choice.fused_problem", lambda device: f"no {device.type} here")
    assert choose("auto", "cuda") == ("torch", "runs on any device; fused does not run here: no cuda here")
    assert choose("auto", "cpu")[0] == "torch"
    with pytest.raises(UsageError, match='engine="fused" on CUDA: no cuda here - give engine="torch" or auto'):
        choose("fused", "cuda")
    monkeypatch.setattr("dglcell.engines.choice.fused_problem", lambda device: None)
    assert choose("auto", "cuda")[0] == choose("fused", "cuda")[0] == "fused"


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CUDA device seems to answer, and nothing is remembered of it."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    for function in (choice.triton_problem, choice.numba_problem):
        function.cache_clear()
    yield
    for function in (choice.triton_problem, choice.numba_problem):
        function.cache_clear()


def problem() -> str:
    found = choice.triton_problem(torch.device("cuda"))
    assert found is not None
    return found


@pytest.mark.usefixtures("forgetful")
def test_reasons_not_to_use_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(choice.importlib.util, "find_spec", lambda name: None)
        assert problem().startswith("Triton is not installed")
    choice.triton_problem.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
        assert problem() == "compute capability 7.5, 8.0 or later was expected"
    choice.triton_problem.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        assert problem() == "no CUDA device answers"


@pytest.mark.usefixtures("forgetful")
def test_a_numba_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ImportError("Numba needs NumPy 2.3 or less")

    monkeypatch.setattr(choice.importlib, "import_module", refuse)
    assert choice.fused_problem(torch.device("cpu")) == "numba does not load: Numba needs NumPy 2.3 or less"
