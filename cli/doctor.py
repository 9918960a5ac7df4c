"""`dglcell doctor`: what is installed, what works, and which engine `auto` chooses on this machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import Any

import click

from dglcell import __version__
from dglcell.cli import console, options
from dglcell.cli.help import Command
from dglcell.errors import DglcellError

_PACKAGES = (
    "torch",
    "dgl",
    "numpy",
    "scipy",
    "h5py",
    "cobra",
    "pandas",
    "safetensors",
    "matplotlib",
    "openpyxl",
    "numba",
    "triton",
)


@click.command(cls=Command)
@options.as_json
@options.verbose
def command(as_json: bool) -> None:
    """Check the installation: versions, DGL and its stand-ins, CUDA, engine, memory.

    The exit code is 1 if something that all commands need does not work.
    """
    report = _report()
    if as_json:
        console.result(report)
    else:
        _print(report)
    if report["problems"]:
        raise click.exceptions.Exit(1)


def _report() -> dict[str, Any]:
    problems: list[str] = []
    report: dict[str, Any] = {
        "versions": {"dglcell": __version__, "python": platform.python_version(), **_versions()},
        "dgl": _dgl_state(problems),
        "cuda": _cuda_state(),
        "engine": _engine_choice(problems),
        "fused": _fused_state(),
        "memory": _memory(),
        "cpu_threads": os.cpu_count(),
    }
    report["problems"] = problems
    return report


def _versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def _dgl_state(problems: list[str]) -> dict[str, Any]:
    from dglcell import _dgl

    try:
        return {"loads": True, "stand_ins": list(_dgl.stand_ins()), "cuda": _dgl.has_cuda()}
    except DglcellError as error:
        problems.append(str(error))
        return {"loads": False, "stand_ins": [], "cuda": False}


def _cuda_state() -> dict[str, Any]:
    import torch

    if not torch.cuda.is_available():
        why = "this PyTorch is built without CUDA" if torch.version.cuda is None else "no CUDA device was found"
        return {"available": False, "why": why, "devices": []}
    return {
        "available": True,
        "why": "",
        "devices": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }


def _engine_choice(problems: list[str]) -> dict[str, dict[str, str]]:
    import torch

    choices = {}
    for device in ("cpu", *(["cuda"] if torch.cuda.is_available() else [])):
        try:
            from dglcell.engines.choice import choose

            name, why = choose("auto", torch.device(device))
        except DglcellError as error:
            problems.append(str(error))
            continue
        choices[device] = {"picked": name, "why": why}
    return choices


def _fused_state() -> dict[str, str | None]:
    """Why the fused engine does not run on each kind of device; None if it does."""
    import torch

    from dglcell.engines.choice import fused_problem

    return {device: fused_problem(torch.device(device)) for device in ("cpu", "cuda")}


def _memory() -> dict[str, int]:
    import torch

    from dglcell.engines.memory import free_memory

    return {d: free_memory(torch.device(d)) for d in ("cpu", *(["cuda"] if torch.cuda.is_available() else []))}


def _print(report: dict[str, Any]) -> None:
    dgl, cuda = report["dgl"], report["cuda"]
    rows: list[tuple[str, str]] = [(name, version or "not installed") for name, version in report["versions"].items()]
    rows.append(("DGL loads", "yes" if dgl["loads"] else "NO"))
    rows.append(("DGL stand-ins in use", ", ".join(dgl["stand_ins"]) or "none"))
    rows.append(
        ("DGL on CUDA", "yes" if dgl["cuda"] else "no: graphs stay on the CPU, their tensors are copied to the GPU")
    )
    rows.append(("CUDA", ", ".join(cuda["devices"]) if cuda["available"] else f"no: {cuda['why']}"))
    for device, choice in report["engine"].items():
        rows.append((f"engine on {device}", f"{choice['picked']}: {choice['why']}"))
    for device, problem in report["fused"].items():
        rows.append((f"fused engine on {device}", "works" if problem is None else f"no: {problem}"))
    for device, size in report["memory"].items():
        rows.append((f"free memory, {device}", f"{size / 2**30:.1f} GiB"))
    rows.append(("CPU threads", str(report["cpu_threads"])))
    console.table(("item", "state"), rows)
    for problem in report["problems"]:
        console.error(problem)
    if not report["problems"]:
        console.say("The installation works.")
