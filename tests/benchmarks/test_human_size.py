"""A metabolic model of human size: in how much time and memory it becomes a cell graph."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.human_size import REACTIONS, write


@pytest.mark.slow
def test_a_model_of_human_size_is_read_in_little_time_and_memory(tmp_path: Path) -> None:
    model, out = tmp_path / "human.xml.gz", tmp_path / "cell.h5"
    write(model)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["preprocess", "--model", str(model), "--out", str(out), "--json", "-q"]
    printed = subprocess.run([sys.executable, "-m", "dglcell.cli", *command], check=True, stdout=subprocess.PIPE).stdout
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    memory = used.ru_maxrss / 1e6  # GB
    sys.stderr.write(f"\n{REACTIONS:,} reactions: {cpu:.1f} s of CPU, {memory:.2f} GB\n")
    assert json.loads(printed)["nodes"] == {"gene": 2900, "reaction": 31517, "metabolite": 8236}
    assert cpu < 30
    assert memory < 1.2
