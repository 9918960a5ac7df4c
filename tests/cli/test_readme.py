"""The README's commands do what it says; installation and the test command itself are left to the user."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text()


def block(mark: str, language: str = "bash") -> str:
    """The fenced block after `<!-- mark -->`."""
    found = re.search(rf"<!-- {mark} -->\n```{language}\n(.*?)```", README, re.S)
    assert found, f"README.md has no block marked {mark}"
    return found.group(1)


def dglcell(command: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run one `dglcell ..` line of the README in a folder."""
    name, *arguments = shlex.split(command)
    assert name == "dglcell"
    line = [sys.executable, "-m", "dglcell.cli", *arguments, *more]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def test_the_demo(tmp_path: Path) -> None:
    install, command = block("demo").strip().split(" && ")
    assert install == "python -m pip install -e ."
    done = dglcell(command, tmp_path)
    rows = [line.split("\t") for line in done.stdout.splitlines() if not line.startswith("#")]
    scores = {model: value for model, value, *_ in rows}
    assert float(scores["embedding-mlp"]) > float(scores["gene-ridge"]) > 0
    others = ("embedding-mlp", "lost-reactions-mlp", "dglcell without lost reactions")
    assert float(scores["dglcell"]) > max(float(scores[name]) for name in others)
    assert (tmp_path / "demo" / "predictions.tsv").is_file()
    assert len(list((tmp_path / "demo" / "run" / "plots").glob("*.png"))) >= 3


@pytest.mark.yeast
def test_yeast_step_by_step(yeast: Path, tmp_path: Path) -> None:
    for file in yeast.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "genotypes.tsv").write_text(block("genotypes", ""))
    (tmp_path / "costanzo2010.toml").symlink_to(Path(__file__).parents[2] / "data" / "costanzo2010.toml")
    preprocess, train, evaluate, predict = block("yeast").strip().splitlines()
    done = dglcell(preprocess, tmp_path)
    for fact in ("6,604", "4,881", "2,534", "142,505", "11,307", "79,930", "163,160", "353"):
        assert fact in README and fact in done.stdout
    # A few steps, not a few hours, and a hundredth of the screen to score instead of a fifth.
    dglcell(train, tmp_path, "--max-steps", "2", "--test-fraction", "0.005", "--val-fraction", "0.005")
    assert "gene-ridge" in dglcell(evaluate, tmp_path, "--baselines", "quick").stdout  # seconds, not minutes
    dglcell(predict, tmp_path)
    header, *rows = (tmp_path / "predictions.tsv").read_text().splitlines()
    assert header.split("\t")[-2:] == ["pred_fitness", "pred_gene_interaction"]
    assert len(rows) == 2 and all(row.split("\t")[-1] for row in rows)
    done = subprocess.run(
        [sys.executable, "-c", block("python", "python")], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_every_option_in_the_readme_exists() -> None:
    helps = ""
    for command in ("preprocess", "train", "evaluate", "predict", "simulate", "demo"):
        line = [sys.executable, "-m", "dglcell.cli", command, "--help"]
        helps += subprocess.run(line, capture_output=True, text=True, check=True).stdout
    ours = README.replace(block("test"), "")  # whose options are pytest's
    for option in set(re.findall(r"`[^`]*?(--[a-z][a-z-]+)", ours)):
        assert option in helps, option
