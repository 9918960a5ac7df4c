"""Memory of a training step at yeast size: 3 layers, h 64."""

from __future__ import annotations

import pytest

from tests.benchmarks import memory


def peak(**options) -> float:
    """GB of the whole process."""
    found = memory.in_child(counts="YEAST", **options)
    assert "peak_gb" in found, found
    return found["peak_gb"]


@pytest.mark.slow
@pytest.mark.timeout(1000)
@pytest.mark.parametrize("engine", ["dgl", "torch", "fused"])
def test_a_chunked_training_step_fits_in_8_gb(engine):
    assert peak(side=engine, batch=32) < 8


@pytest.mark.slow
def test_local_at_batch_256_fits_in_2_gb():
    assert peak(side="auto", variant="local", batch=256) < 2
