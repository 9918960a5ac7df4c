"""The documents as a reader meets them: pages, their fenced blocks in order, and how a block is run as it stands."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "data" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
_BLOCK = re.compile(r"(?:^<!-- (\w+)(?:: (.*?))? -->\n)?^```(\w*)\n(.*?)^```$", re.M | re.S)

# What a mark above a block says. `run` and `slow` blocks are run, `file` blocks are files that a reader writes.
MARKS = ("run", "slow", "gpu", "file", "demo", "test", "install", "excerpt", "example", "session", "script")


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block: `<!-- mark: note -->`, its language and its text."""

    page: Path
    line: int
    mark: str
    note: str
    language: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text()
    return [
        Block(page, text.count("\n", 0, m.start()) + 1, m[1] or "", m[2] or "", m[3], m[4])
        for m in _BLOCK.finditer(text)
    ]


def block(page: Path, mark: str, note: str | None = None) -> Block:
    """The only block of a page with this mark, and this note where one is given."""
    (found,) = (b for b in blocks(page) if b.mark == mark and note in (None, b.note))
    return found


def commands(block: Block) -> list[list[str]]:
    """The words of each `dglcell` command of a block, `dglcell` itself left out."""
    lines = block.text.replace("\\\n", " ").splitlines()
    parts = [shlex.split(part) for line in lines for part in line.split("&&")]
    return [words[1:] for words in parts if words and words[0] == "dglcell"]


def run_block(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a block in a folder as it stands, or write its file there."""
    if block.mark == "file":
        (folder / block.note).write_text(block.text)
        return subprocess.CompletedProcess([], 0, "", "")
    if block.language == "pycon":
        return run_session(block, folder)
    line = (
        ["bash", "-euo", "pipefail", "-c", block.text]
        if block.language == "bash"
        else [sys.executable, "-c", block.text]
    )
    return run_line(line, block, folder)


def run_session(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run an interactive session and compare what it prints."""
    (folder / "session.txt").write_text(block.text)
    code = "import doctest, sys; sys.exit(doctest.testfile('session.txt', module_relative=False).failed)"
    return run_line([sys.executable, "-c", code], block, folder)


def run_line(line: list[str], block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one command line as in a shell in which this Python's environment is active."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}  # `python -m tests..` is for a clone
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{block.where}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done
