"""Memory of a training step at yeast size: 3 layers, h 64, batch 32."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def step(*options):
    command = [sys.executable, "-m", "tests.benchmarks.yeast_size", *options]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=900)
    return json.loads(result.stdout)


@pytest.mark.slow
@pytest.mark.timeout(1000)
@pytest.mark.parametrize("engine", ["dgl", "torch", "fused"])
def test_a_chunked_training_step_fits_in_8_gb(engine):
    assert step("--engine", engine, "--variant", "difference", "--batch", "32")["peak_gib"] < 8e9 / (1 << 30)


def test_local_at_batch_256_fits_in_2_gb():
    assert step("--variant", "local", "--batch", "256")["peak_gib"] < 2e9 / (1 << 30)
