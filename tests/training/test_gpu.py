"""Training on CUDA, in both precisions, and its runs on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dglcell import schema
from dglcell.inference.run import load_run
from tests.cells import random_genotypes
from tests.runs import tiny_run

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("variant", schema.VARIANTS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_run_on_cuda_predicts_on_the_cpu(tmp_path: Path, variant: str, precision: str) -> None:
    changes = {"lambda_dist": 0.1} | ({} if variant == "two-head" else {"lambda_supcr": 0.1})
    tiny_run(tmp_path / "run", variant=variant, precision=precision, device="cuda", engine="auto", **changes)
    on_gpu, on_cpu = (load_run(tmp_path / "run", device=device) for device in ("cuda", "cpu"))
    genotypes = random_genotypes(on_cpu.cell, 30, max_order=3)
    found, expected = (run.predict(genotypes).iloc[:, 1:].to_numpy() for run in (on_gpu, on_cpu))
    assert np.allclose(found, expected, rtol=0, atol=1e-4 if precision == "fp32" else 0.05, equal_nan=True)


def test_a_run_on_cuda_can_be_resumed_on_the_cpu(tmp_path: Path) -> None:
    from dglcell.training.loop import train
    from tests.runs import tiny_config

    cell, table, split, _ = tiny_run(tmp_path / "run", device="cuda", epochs=1)
    (summary,) = train(cell, table, split, tiny_config(epochs=2), tmp_path / "run", resume=True)
    assert summary.epochs == 2
