"""The command line in this process, and small files to feed it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from dglcell.cli.main import run


@dataclasses.dataclass
class Done:
    """How a command line ended."""

    code: int
    out: str
    err: str


Cli = Callable[..., Done]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs `dglcell ARGUMENTS` in this process."""

    def call(*arguments: object) -> Done:
        capsys.readouterr()
        code = run([str(a) for a in arguments])
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The E. coli core cell graph with a screen of a few hundred pairs stored in it."""
    folder = tmp_path_factory.mktemp("core")
    screen = folder / "screen.tsv"
    assert run(["simulate", "--model", "textbook", "--sample", "437", "--out", str(screen), "-q"]) == 0
    assert (
        run(["preprocess", "--model", "textbook", "--screen", str(screen), "--out", str(folder / "cell.h5"), "-q"]) == 0
    )
    return folder / "cell.h5"


@pytest.fixture(scope="session")
def trained(core: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs on the core cell."""
    out = tmp_path_factory.mktemp("runs") / "run"
    assert run(["train", str(core), "--hidden", "16", "--layers", "2", "--epochs", "2", "--out", str(out), "-q"]) == 0
    return out
