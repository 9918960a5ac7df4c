"""Check and time the fused engine on a GPU, in one command that needs neither internet nor DGL.

    python -m tests.benchmarks.gpu_session --cell cell.h5 --minutes 9 --out result.json

On the synthetic graph of the note's size, and on the graph of `--cell` if there is one: parity of the engines, absence
of host-device synchronisation, training and inference of the `difference` variant, the kernels that take the time,
tile sizes. Every part reports its own failure and the others go on; what the time does not allow is left out and named.
A short table comes last. `--device cpu --tiny` tries the script itself (with TRITON_INTERPRET=1).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import itertools
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dglcell.config import ModelConfig
from dglcell.engines.device import autocast
from dglcell.engines.torch import TorchEngine
from dglcell.engines.triton import launcher
from dglcell.engines.triton.engine import TritonEngine
from dglcell.graph.cell import CellGraph
from dglcell.nn.batch import Batch
from dglcell.nn.model import CellModel
from dglcell.nn.states import GraphSizes
from tests.benchmarks.graphs import NOTE, synthetic
from tests.benchmarks.parts import Trainer
from tests.benchmarks.plain_graph import PlainGraph
from tests.cells import tiny_cell

ENGINES = {"torch": TorchEngine, "fused": TritonEngine}


def pairs(cell: CellGraph, batch: int, seed: int) -> Any:
    """The perturbation of `batch` random pairs of genes."""
    rng = np.random.default_rng(seed)
    return cell.knock_out(
        *cell.indices([rng.choice(cell.num_nodes("gene"), 2, replace=False).tolist() for _ in range(batch)])
    )


def model_of(
    cell: CellGraph, hidden: int, device: torch.device, dtype: torch.dtype = torch.float32, **options: Any
) -> CellModel:
    """A model with weights that depend on the seed alone."""
    torch.manual_seed(0)
    config = ModelConfig(
        **{"fm_rank": 0, "layers": 3, "hidden": hidden, "variant": "difference", "dropout": 0.1, **options}
    )
    return CellModel(config, GraphSizes.of(cell)).to(device, dtype)


def outcome(
    cell: CellGraph, kind: str, device: torch.device, dtype: torch.dtype, hidden: int, batch: int
) -> list[torch.Tensor]:
    """Predictions and all gradients, without dropout."""
    options = {"dropout": 0.0, "variant": "both", "gate": True, "attention": True, "residual": True}
    model = model_of(cell, hidden, device, dtype, **options)
    data = Batch.from_perturbation(pairs(cell, batch, 3), cell, device)
    output = model(
        ENGINES[kind](PlainGraph(cell), device), data, chunk="auto" if cell.num_nodes("gene") > 100 else None
    )
    output.predictions.sin().sum().backward()
    return [output.predictions.detach(), *(p.grad for p in model.parameters() if p.grad is not None)]


def parity(session: Trainer, cell: CellGraph, name: str, dtype: torch.dtype, hidden: int, batch: int) -> None:
    """Largest relative differences of fused from torch on the same device."""
    found, expected = (outcome(cell, kind, session.device, dtype, hidden, batch) for kind in ("fused", "torch"))
    least = 1e-4 * max(float(e.norm()) for e in expected[1:])  # some gradients are 0 but for rounding
    norms = [float((f - e).norm() / e.norm().clamp(min=least)) for f, e in zip(found, expected, strict=True)]
    session.say(
        f"parity {name} {str(dtype)[6:]} h {hidden} batch {batch}: predictions {norms[0]:.1e}, "
        f"gradients worst {max(norms[1:]):.1e} median {statistics.median(norms[1:]):.1e}"
    )


class Step:
    """One configuration, ready to train or to infer."""

    def __init__(self, session: Trainer, cell: CellGraph, kind: str, hidden: int, batch: int, precision: str) -> None:
        self.device, self.cell, self.batch, self.precision = session.device, cell, batch, precision
        self.engine = ENGINES[kind](PlainGraph(cell), self.device)
        self.model = model_of(cell, hidden, self.device).train()
        fused = {"fused": True} if self.device.type == "cuda" else {}
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3, **fused)
        self.target = torch.randn(batch, 2, device=self.device)
        self.number = 0
        self.wild: Any = None

    def data(self) -> Batch:
        """A new batch each time: collation is counted."""
        self.number += 1
        return Batch.from_perturbation(pairs(self.cell, self.batch, self.number), self.cell, self.device)

    def train(self) -> None:
        """Forward, backward, optimiser."""
        self.optimizer.zero_grad(set_to_none=True)
        with autocast(self.device, self.precision):
            output = self.model(self.engine, self.data(), chunk="auto")
        (output.predictions - self.target).square().mean().backward()
        self.optimizer.step()

    @torch.no_grad()
    def infer(self) -> None:
        """Predictions with the wild type at hand."""
        with autocast(self.device, self.precision):
            if self.wild is None:
                self.model.eval()
                self.wild = self.model.wild_type(self.engine)
            self.model(self.engine, self.data(), wild=self.wild, chunk="auto")


def timing(session: Trainer, cell: CellGraph, name: str, kind: str, hidden: int, batch: int, precision: str) -> None:
    """Genotypes a second and peak memory of one configuration."""
    step = Step(session, cell, kind, hidden, batch, precision)
    for what, work in (("train", step.train), ("infer", step.infer)):
        if session.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        seconds = session.seconds(work, 3 if kind == "torch" else 10, 1 if kind == "torch" else 3)
        peak = torch.cuda.max_memory_allocated() / 2**30 if session.device.type == "cuda" else 0.0
        record = {"graph": name, "engine": kind, "h": hidden, "batch": batch, "precision": precision, "what": what}
        record |= {
            "ms": round(seconds * 1e3, 2),
            "genotypes_per_s": round(batch / seconds, 1),
            "peak_gib": round(peak, 2),
        }
        session.records.append(record)
        session.say(" ".join(f"{value}" if key != "ms" else f"{value} ms" for key, value in record.items()))


def no_synchronisation(session: Trainer, cell: CellGraph) -> None:
    """A training step that waits for the device anywhere fails here."""
    step = Step(session, cell, "fused", 64, 16, "fp32")
    step.train()
    torch.cuda.set_sync_debug_mode("error")
    try:
        step.train()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    session.say("no host-device synchronisation in a fused training step")


def ceilings(session: Trainer) -> None:
    """What a plain copy and plain matrix products reach on this device."""
    size = 64 if session.tiny else 1 << 28
    a, b = torch.randn(2, size, device=session.device)
    seconds = session.seconds(lambda: b.copy_(a), 20)
    session.say(f"copy {8 * size / seconds / 1e9:.0f} GB/s")
    rows = 64 if session.tiny else 1 << 20
    for dtype in (torch.float32, torch.bfloat16):
        x, w = (
            torch.randn(rows, 64, device=session.device, dtype=dtype),
            torch.randn(64, 64, device=session.device, dtype=dtype),
        )
        seconds = session.seconds(lambda x=x, w=w: x @ w, 20)
        session.say(f"(N x 64 x 64) product {str(dtype)[6:]} {2 * rows * 64 * 64 / seconds / 1e9:.0f} GFLOP/s")


def kernels(session: Trainer, cell: CellGraph, batch: int, precision: str) -> None:
    """Where the time of a training step goes."""
    from torch.profiler import ProfilerActivity, profile

    step = Step(session, cell, "fused", 64, batch, precision)
    step.train()
    start = time.perf_counter()
    data = step.data()
    plan = step.engine.plan(data.alive(), 3)
    session.say(f"collation and plan of {batch} genotypes on the host: {1e3 * (time.perf_counter() - start):.1f} ms")
    shares = [len(p.after["gene"]) / cell.num_nodes("gene") / batch for p in plan]
    session.say("rows a genotype, genes, after each layer: " + " ".join(f"{s:.3f}" for s in shares))
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as trace:
        step.train()
        torch.cuda.synchronize()
    events = sorted(trace.key_averages(), key=lambda e: -e.self_device_time_total)[:16]
    for event in events:
        session.say(f"  {event.self_device_time_total / 1e3:8.2f} ms {event.count:5d} x {event.key[:70]}")


def tiles(session: Trainer, cell: CellGraph, batch: int) -> None:
    """Training steps with other tile sizes, warps and blocks of genotypes than `launch` has."""
    names = "TILE", "FORWARD_WARPS", "BACKWARD_WARPS", "_MOST_BLOCKS"
    before = [getattr(launcher, name) for name in names]
    step = Step(session, cell, "fused", 64, batch, "fp32")
    others = [(512, 1, 2, 64), (512, 1, 4, 64), (1024, 2, 4, 64), (1024, 1, 2, 64), (1024, 1, 8, 64), (2048, 2, 8, 64)]
    others += [(1024, 1, 4, 16), (1024, 1, 4, 32), (1024, 1, 4, 128)]
    try:
        for values in [tuple(before), *others]:
            if time.monotonic() > session.deadline:
                return
            for name, value in zip(names, values, strict=True):
                setattr(launcher, name, value)
            seconds = session.seconds(step.train, 3, 1)
            session.say(f"tile, forward warps, backward warps, blocks {values}: {1e3 * seconds:.2f} ms a training step")
    finally:
        for name, value in zip(names, before, strict=True):
            setattr(launcher, name, value)


def about(session: Trainer) -> None:
    """Machine and versions."""
    name = torch.cuda.get_device_name(session.device) if session.device.type == "cuda" else "CPU, Triton's interpreter"
    versions = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in ("torch", "triton", "numpy", "numba"))
    session.say(f"{name}; Python {sys.version.split()[0]}; {versions}")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cell", type=Path, help="a cell file, timed beside the synthetic graph")
    parser.add_argument("--minutes", type=float, default=9.0, help="no part starts later than this")
    parser.add_argument("--out", type=Path, help="write every figure as JSON here")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a tiny graph, one repetition: tries the script")
    return parser.parse_args()


def main() -> None:
    """All parts, the most important first."""
    options = arguments()
    session = Trainer(options)
    session.part("about", lambda: about(session))
    tiny = tiny_cell(2, genes=6, reactions=3, metabolites=4)
    cells = {"note": tiny if session.tiny else synthetic(NOTE)}
    if options.cell is not None:
        from dglcell.io import cell_file

        loaded = session.part("cell", lambda: cell_file.load(options.cell))
        cells |= {} if loaded is None else {options.cell.stem: loaded}
    note = cells["note"]
    session.part("parity", lambda: parity(session, tiny, "tiny", torch.float64, 12, 2 if session.tiny else 5))
    session.part("parity", lambda: parity(session, tiny, "tiny", torch.float32, 12, 2 if session.tiny else 5))
    if not session.tiny:
        session.part("parity", lambda: parity(session, note, "note", torch.float32, 64, 8))
    sizes = [(8, 2)] if session.tiny else [(64, 256), (64, 64), (128, 256), (128, 64)]
    precisions = ("fp32", "bf16") if session.device.type == "cuda" else ("fp32",)
    for (name, cell), (hidden, batch), precision in itertools.product(cells.items(), sizes[:1], precisions):
        _timed(session, cell, name, "fused", hidden, batch, precision)
    if session.device.type == "cuda":
        session.part("synchronisation", lambda: no_synchronisation(session, note))
        session.part("kernels", lambda: kernels(session, note, 256, "fp32"))
        session.part("kernels", lambda: kernels(session, note, 256, "bf16"))
    session.part("ceilings", lambda: ceilings(session))
    for (name, cell), precision in itertools.product(cells.items(), precisions):
        _timed(session, cell, name, "torch", *sizes[-1 if len(sizes) == 1 else 1], precision)
    for (name, cell), (hidden, batch), precision in itertools.product(cells.items(), sizes[1:], precisions):
        _timed(session, cell, name, "fused", hidden, batch, precision)
    if session.device.type == "cuda":
        session.part("tiles", lambda: tiles(session, note, 256))
    session.write()
    sys.stdout.write("\n== everything again, in short ==\n" + "\n".join(session.lines) + "\n")


def _timed(session: Trainer, cell: CellGraph, name: str, kind: str, hidden: int, batch: int, precision: str) -> None:
    what = f"{name} {kind} h {hidden} batch {batch} {precision}"
    session.part(what, lambda: timing(session, cell, name, kind, hidden, batch, precision))


if __name__ == "__main__":
    main()
