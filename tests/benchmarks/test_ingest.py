"""A long screen: how fast it is read into a cell file, and in how much memory.

`DGLCELL_INGEST_ROWS=20000000 python -m pytest -m slow -s --timeout 900 tests/benchmarks/test_ingest.py` takes a minute
to make the file (100 bytes a row) and a minute to read it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

GENES = 6600
BLOCK = 200_000
HEADER = (
    "Query Strain ID\tQuery allele name\tArray Strain ID\tArray allele name\tArraytype/Temp\t"
    "Genetic interaction score\tP-value\tQuery SMF\tArray SMF\tDouble mutant fitness\tstandard deviation\n"
)


def write_screen(path: Path, rows: int) -> None:
    """A screen in the layout of Costanzo 2016 with random pairs and scores."""
    rng = np.random.default_rng(0)
    with open(path, "w") as file:
        file.write(HEADER)
        for start in range(0, rows, BLOCK):
            n = min(BLOCK, rows - start)
            a = rng.integers(0, GENES, n)
            b = (a + rng.integers(1, GENES, n)) % GENES
            score, p, q, r = rng.normal(0, 0.05, n), rng.random(n), rng.random(n), rng.random(n)
            columns = (x.tolist() for x in (a, b, score, p, q, r))
            file.writelines(
                f"Y{i:04d}_sn{i}\ty{i}\tY{j:04d}_dma{j}\ty{j}\tDMA30\t{e:.4f}\t{s:.3e}\t{u:.4f}\t{v:.4f}"
                f"\t{u * v + e:.4f}\t{abs(e):.4f}\n"
                for i, j, e, s, u, v in zip(*columns, strict=True)
            )


def cpu_seconds() -> float:
    """Of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.slow
def test_a_long_screen_is_read_fast_and_in_little_memory(tmp_path: Path) -> None:
    rows = int(os.environ.get("DGLCELL_INGEST_ROWS", "2000000"))
    screen, genes = tmp_path / "screen.tsv", tmp_path / "genes.txt"
    genes.write_text("".join(f"Y{i:04d}\n" for i in range(GENES)))
    write_screen(screen, rows)
    out = tmp_path / "cell.h5"
    command = ["preprocess", "--genes", str(genes), "--screen", str(screen), "--out", str(out), "-q"]
    before, started = cpu_seconds(), time.perf_counter()
    subprocess.run([sys.executable, "-m", "dglcell.cli", *command], check=True, stdout=subprocess.DEVNULL)
    wall, cpu = time.perf_counter() - started, cpu_seconds() - before
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6  # GB
    size = out.stat().st_size
    screen.unlink()
    out.unlink()
    speed = f"{rows:,} rows: {wall:.1f} s by the clock, {cpu:.1f} s of CPU, {rows / wall:,.0f} rows/s"
    sys.stderr.write(f"\n{speed}, {memory:.2f} GB, {size / rows:.0f} bytes a row\n")
    assert rows / cpu > 200_000  # not by the clock: the machine may be busy with other things
    assert memory < 2
    assert size / rows < 60
