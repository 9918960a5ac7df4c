"""Peak memory of one training step, each side in a fresh process of its own.

    python -m tests.benchmarks.memory '{"side": "fused", "batch": 32}'

prints one line of JSON. What is loaded once (libraries, compiled kernels) is loaded by a step on a tiny cell; the
resident memory after that and after building graph and model is the baseline, the kernel's high-water mark (VmHWM, set
back just before the step) minus the baseline is what the step adds.
"""

from __future__ import annotations

import ctypes
import gc
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dglcell.config import ModelConfig
from dglcell.engines.memory import free_memory
from dglcell.graph.cell import CellGraph
from dglcell.nn.batch import Batch
from dglcell.schema import GENE
from tests.benchmarks import graphs, sides

ROOT = Path(__file__).parents[2]
GB = 1e9
DEFAULTS = {
    "side": "fused",
    "variant": "difference",
    "batch": 32,
    "hidden": 64,
    "layers": 3,
    "dropout": 0.1,
    "threads": 2,
    "cell": None,
    "counts": "NOTE",
    "genes": None,
    "at_once": None,
}


def in_child(**options: Any) -> dict[str, Any]:
    """Measure in a new process; `options` as `DEFAULTS`."""
    command = [sys.executable, "-m", "tests.benchmarks.memory", json.dumps(options)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    last = (done.stderr.strip().splitlines() or ["killed"])[-1]
    return {"side": options.get("side"), "batch": options.get("batch"), "failure": f"{last} (rc {done.returncode})"}


def load(cell: str | None, counts: str, genes: int | None) -> CellGraph:
    """A cell file, or a synthetic cell of named counts, maybe scaled."""
    if cell is not None:
        from dglcell.io import cell_file

        return cell_file.load(cell)
    named: graphs.Counts = getattr(graphs, counts)
    return graphs.synthetic(named.scaled(genes) if genes else named)


def limit_to_free_memory() -> float:
    """Let an allocation fail before the system runs out, and so before it kills anything: bytes still to be had.

    Linux counts private writable memory (RLIMIT_DATA); elsewhere nothing is limited.
    """
    free = 0.9 * free_memory(torch.device("cpu"))
    if sys.platform == "linux":
        used = _status("VmData")
        resource.setrlimit(resource.RLIMIT_DATA, (int(used + free), resource.RLIM_INFINITY))
    return free


def _status(field: str) -> int:
    """Bytes of a line of /proc/self/status."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) << 10
    raise OSError(f"/proc/self/status has no {field}")


def _reset_peak() -> None:
    """Set the high-water mark back to what is resident now; where that is refused it counts from the start."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def _trim() -> None:
    """Give freed memory back, so that the step cannot hide in it."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def _step(cell: CellGraph, config: ModelConfig, options: dict[str, Any], batch: int) -> tuple[Any, tuple[Any, ...]]:
    rng = np.random.default_rng(1)
    genotypes = graphs.double_deletions(cell.num_nodes(GENE), batch, rng)
    if config.variant != "difference":  # an engine alone knows it
        side: Any = sides.Masks(options["side"], cell, config)
    else:
        side = sides.make_side(options["side"], cell, config, options["at_once"])
    return side, (*genotypes, sides.labels_for(batch))


def measure(options: dict[str, Any]) -> dict[str, Any]:
    """Baseline, peak and time of one training step in this process."""
    torch.set_num_threads(options["threads"])
    names = ("variant", "hidden", "layers", "dropout")
    config = ModelConfig(fm_rank=0, **{name: options[name] for name in names})
    tiny = graphs.synthetic(graphs.NOTE.scaled(60))
    side, arguments = _step(tiny, config, options, 2)
    side.train_step(*arguments)
    cell = load(options["cell"], options["counts"], options["genes"])
    side, arguments = _step(cell, config, options, options["batch"])
    cell.knock_out(*arguments[:2])  # its matrices are made once a run
    Batch.from_perturbation(cell.knock_out(*arguments[:2]), cell)
    limit = limit_to_free_memory()
    _trim()
    found = {"side": options["side"], "batch": options["batch"], "at_once": options["at_once"]}
    baseline = _status("VmRSS")
    _reset_peak()
    started = time.perf_counter()
    try:
        with sides.out_of_memory():
            side.train_step(*arguments)
    except MemoryError:
        return found | {"failure": f"more than the {limit / GB:.1f} GB that were free", "more_than_gb": limit / GB}
    seconds = time.perf_counter() - started
    peak = _status("VmHWM")
    return found | {
        "baseline_gb": baseline / GB,
        "peak_gb": peak / GB,
        "increase_gb": (peak - baseline) / GB,
        "first_step_s": seconds,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(DEFAULTS | json.loads(sys.argv[1]))) + "\n")
