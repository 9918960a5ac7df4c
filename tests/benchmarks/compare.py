"""All sides of the comparison in one process: PyG, DGL on batched subgraphs, and the engines on masks.

    python -m tests.benchmarks.compare --cell cell.h5 --hidden 64 128 --memory --local --out figures.json

A table goes to stdout, progress to stderr. README.md beside this file says what is compared and how.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import sys
import warnings
from pathlib import Path
from typing import Any

import numba
import numpy as np
import torch

from dglcell.config import ModelConfig
from dglcell.graph.cell import CellGraph
from dglcell.schema import GENE
from dglcell.training.trainer import versions
from tests.benchmarks import graphs, local, memory, roofline, sides, timing

LAYERS = 3
ROOFLINE = "fused"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.compare", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--cell", metavar="FILE", help="also this cell file, such as the yeast graph; `local` then runs on it")
    add("--no-synthetic", action="store_true", help="leave the synthetic graph out")
    add("--genes", type=int, help="genes of the synthetic graph, everything else in proportion [6607]")
    add(
        "--sides",
        nargs="+",
        choices=sides.SIDES,
        default=[s for s in sides.SIDES if s != "pyg-csc"],
        help="%(default)s",
    )
    add("--hidden", type=int, nargs="+", default=[64], metavar="H")
    add("--batches", type=int, nargs="*", default=[4, 16, 32, 64], metavar="B", help="none: no steps are timed")
    add("--repeats", type=int, default=5, help="steps timed of each side [%(default)s]")
    add("--patience", type=float, default=300, help="seconds after which a side is timed no more than 3 times")
    add("--at-once", type=int, help="genotypes that pyg and dgl-batch collate at most; gradients add up over a step")
    add("--dropout", type=float, default=0.1)
    add("--threads", type=int, default=os.cpu_count(), help="[%(default)s]")
    add("--memory", action="store_true", help="peak memory of a training step, each side in a process of its own")
    add("--memory-batch", type=int, default=32)
    add("--local", action="store_true", help="speed of the variant local, training and all pairs")
    add("--local-rows", type=int, default=163_160)
    add("--local-pairs", type=int, default=500_000)
    add("--local-batch", type=int, default=1024)
    add("--local-predict-batch", type=int, default=1024)
    add("--out", type=Path, metavar="FILE.json")
    return parser.parse_args(arguments)


def machine(threads: int) -> dict[str, Any]:
    """What the figures depend on beside the code."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = (
            line for line in info.read_text(encoding="ascii", errors="replace").splitlines() if "model name" in line
        )
        model = next(names, model).split(":")[-1].strip()
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "threads": threads,
        "memory_gb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9,
        "system": platform.platform(),
        "load_average": os.getloadavg(),
    }


def _versions() -> dict[str, str]:
    found = versions() | {"numba": numba.__version__}
    try:
        found["torch-geometric"] = importlib.metadata.version("torch-geometric")
    except importlib.metadata.PackageNotFoundError:
        found["torch-geometric"] = "not installed"
    return found


class Comparison:
    """One run of the command.

    Parameters
    ----------
    args : argparse.Namespace
        As `parse` gives them.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.report: dict[str, Any] = {
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "command": " ".join(["python -m tests.benchmarks.compare", *sys.argv[1:]]),
            "machine": machine(args.threads),
            "versions": _versions(),
            "layers": LAYERS,
            "dropout": args.dropout,
            "graphs": {},
            "steps": [],
            "memory": [],
            "ceilings": {},
            "roofline": [],
            "local": [],
        }

    def run(self) -> dict[str, Any]:
        """Everything that was asked for."""
        args = self.args
        torch.set_num_threads(args.threads)
        self.report["free_memory_gb"] = memory.limit_to_free_memory() / memory.GB
        cells = {} if args.no_synthetic else {"synthetic": memory.load(None, "NOTE", args.genes)}
        if args.cell:
            cells[Path(args.cell).stem] = memory.load(args.cell, "NOTE", None)
        if not cells:
            raise SystemExit("--no-synthetic without --cell leaves no graph")
        for name, cell in cells.items():
            self.report["graphs"][name] = cell.info()
            for hidden in args.hidden:
                if args.memory:
                    self.memory(name, hidden)
                self.steps(name, cell, hidden)
        if args.local:
            name, cell = list(cells.items())[-1]
            self.local(name, cell)
        self.report["load_average_after"] = os.getloadavg()
        return self.report

    def steps(self, graph: str, cell: CellGraph, hidden: int) -> None:
        """Training and inference steps of all sides at all batch sizes, and the roofline of the fused engine."""
        if not self.args.batches:
            return
        ceiling = roofline.ceilings(hidden)
        self.report["ceilings"][str(hidden)] = ceiling
        config = ModelConfig(layers=LAYERS, hidden=hidden, variant="difference", dropout=self.args.dropout)
        made = {name: sides.make_side(name, cell, config, self.args.at_once) for name in self.args.sides}
        for kind in timing.KINDS:
            for side in made.values():
                side.at_once = self.args.at_once  # what did not fit in training may fit in inference
            for batch in self.args.batches:
                found = timing.measure(cell, made, kind, batch, self.args.repeats, self.args.patience, say)
                self.report["steps"] += [{"graph": graph, "hidden": hidden, **record} for record in found]
                self._roofline(graph, cell, hidden, found, ceiling)

    def _roofline(
        self, graph: str, cell: CellGraph, hidden: int, found: list[dict[str, Any]], ceiling: dict[str, float]
    ) -> None:
        """What a step of the fused engine needs, on average deletions, against its median time."""
        for record in found:
            if record["side"] != ROOFLINE or "median_s" not in record:
                continue
            rng = np.random.default_rng(record["batch"])
            genotypes = graphs.double_deletions(cell.num_nodes(GENE), record["batch"], rng)
            counted = roofline.count(cell, *genotypes, hidden, LAYERS)
            self.report["roofline"].append(
                {
                    "graph": graph,
                    "hidden": hidden,
                    "kind": record["kind"],
                    "batch": record["batch"],
                    "layers": counted["layers"],
                    "unshared_gflop": counted["unshared"][record["kind"]].operations / 1e9,
                    **roofline.compare(counted[record["kind"]], record["median_s"], ceiling),
                }
            )

    def memory(self, graph: str, hidden: int) -> None:
        """A training step of every side in a process of its own."""
        args = self.args
        of_file = graph != "synthetic"
        for side in args.sides:
            found = memory.in_child(
                side=side,
                batch=args.memory_batch,
                hidden=hidden,
                layers=LAYERS,
                dropout=args.dropout,
                threads=args.threads,
                cell=args.cell if of_file else None,
                genes=None if of_file else args.genes,
                at_once=args.at_once,
            )
            say(f"memory: {found}")
            self.report["memory"].append({"graph": graph, "hidden": hidden, **found})

    def local(self, graph: str, cell: CellGraph) -> None:
        """The variant `local` at each width."""
        args = self.args
        for hidden in args.hidden:
            found = local.measure(
                cell, args.local_rows, args.local_pairs, 3, hidden, args.local_batch, args.local_predict_batch
            )
            say(f"local: {found}")
            self.report["local"].append({"graph": graph, **found})


def say(line: str) -> None:
    """Progress."""
    sys.stderr.write(f"{line}\n")


def table(report: dict[str, Any]) -> str:
    """The report as tables of text."""
    parts = [f"{report['date']}  {report['machine']['cpu']}, {report['machine']['threads']} threads"]
    parts.append("  ".join(f"{name} {version}" for name, version in report["versions"].items()))
    key = ("graph", "hidden", "kind", "batch", "side")
    speed = ("steps", "median_s", "ms_per_genotype", "genotypes_per_s", "times_pyg", "at_once", "failure")
    parts.append(_columns(report["steps"], (*key, *speed)))
    amounts = ("baseline_gb", "peak_gb", "increase_gb", "failure")
    parts.append(_columns(report["memory"], ("graph", "hidden", "batch", "side", *amounts)))
    parts.append(_columns([{"hidden": h, **c} for h, c in report["ceilings"].items()], _CEILINGS))
    parts.append(_columns(report["roofline"], _ROOFLINE))
    parts.append(_columns(_layers(report["roofline"]), _LAYERS))
    parts.append(_columns(report["local"], _LOCAL))
    return "\n\n".join(part for part in parts if part)


_CEILINGS = ("hidden", "matmul_gflops", "copy_gb_s")
_ROOFLINE = (
    *("graph", "hidden", "kind", "batch", "gflop", "unshared_gflop", "moved_gb", "gathered_gb"),
    *("seconds", "bound_s", "gflops", "of_matmul", "gb_s", "of_copy"),
)
_LAYERS = ("graph", "hidden", "batch", "layer", "gene", "reaction", "metabolite", "gflop", "linear_gflop", "moved_gb")
_LOCAL = ("graph", "hidden", "batch", "training_per_s", "predict_batch", "predicted_per_s", "all_pairs_minutes")


def _layers(roofs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row a layer: the share of rows that deletions reached, and what its forward pass needs."""
    return [
        {**roof, "layer": number, **layer, **layer["reached"]}
        for roof in roofs
        if roof["kind"] == "training"
        for number, layer in enumerate(roof["layers"], 1)
    ]


def _columns(rows: list[dict[str, Any]], names: tuple[str, ...]) -> str:
    if not rows:
        return ""
    names = tuple(name for name in names if any(row.get(name) is not None for row in rows))
    cells = [names, *(tuple(_text(row.get(name)) for name in names) for row in rows)]
    widths = [max(len(row[k]) for row in cells) for k in range(len(names))]
    return "\n".join("  ".join(text.rjust(w) for text, w in zip(row, widths, strict=True)) for row in cells)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main(arguments: list[str] | None = None) -> None:
    """Run, print, store."""
    args = parse(arguments)
    warnings.filterwarnings("ignore", module="torch_geometric")
    report = Comparison(args).run()
    sys.stdout.write(table(report) + "\n")
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
