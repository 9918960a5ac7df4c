"""What a user waits for, in seconds, on a machine that does nothing else; the suite counts the work instead.

`python -m pytest -m slow -n 0 tests/benchmarks/test_times.py`
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dglcell.graph.build import build
from dglcell.readers import genes, models, networks
from dglcell.readers.edge_table import PHYSICAL, REGULATORY
from dglcell.readers.screens import read as screens
from tests.records import table_of

pytestmark = pytest.mark.slow


def fastest(call: Callable[[], object], times: int = 1) -> float:
    """Seconds of the fastest of some calls: what it costs, not what else the machine does."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


@pytest.mark.parametrize("command", [[], ["train"], ["preprocess"]], ids=["dglcell", "train", "preprocess"])
def test_help_answers_within_0_3_seconds(command: list[str]) -> None:
    line = [sys.executable, "-m", "dglcell.cli", *command, "--help"]
    assert fastest(lambda: subprocess.run(line, capture_output=True, check=True), 5) < 0.3


def test_the_yeast_files_are_read_within_15_seconds(yeast: Path) -> None:
    import cobra.io  # noqa: F401 - paid once a process, not counted below

    def read() -> None:
        models.read_model(yeast / "yeast-GEM-9.0.2.xml.gz")
        genes.read_genes(yeast / "SGD_features.tab.gz")
        networks.read_network(yeast / "biogrid_physical.tsv.gz", PHYSICAL)
        networks.read_network(yeast / "4932.protein.actions.v11.0.txt.gz", PHYSICAL)
        networks.read_network(yeast / "YEASTRACT_20190713_BOTH.tsv.gz", REGULATORY)
        screens.read_screen(yeast / "sgadata_costanzo2009_intermediateCutoff_101120.txt.gz")

    assert fastest(read) < 15


def test_the_yeast_cell_is_built_within_10_seconds(yeast_records) -> None:
    assert fastest(lambda: build(**yeast_records)) < 10


def test_the_costanzo_screen_becomes_a_table_within_5_seconds(yeast_files, yeast_cell) -> None:
    assert fastest(lambda: table_of(yeast_cell, [yeast_files.costanzo], unknown="skip")) < 5


def test_a_thousand_genotypes_are_knocked_out_within_10_milliseconds(yeast_cell) -> None:
    rng = np.random.default_rng(0)
    metabolic = np.unique(yeast_cell.relations["gpr"].src)
    rows = np.concatenate([np.sort(rng.choice(metabolic, size=2, replace=False)) for _ in range(1024)])
    assert fastest(lambda: yeast_cell.knock_out(rows, np.arange(0, 2049, 2)), 5) < 0.01
