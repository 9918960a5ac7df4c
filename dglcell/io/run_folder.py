"""The run folder: names of its files, checks before it is written, and its small files.

A run can be moved and copied: paths of files outside it are relative to it. Every file is written completely or not at
all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dglcell.config import TrainConfig
from dglcell.errors import DataError, FormatError, UsageError, setting
from dglcell.genotypes.splits.make import SUBSETS, Split
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.io import cell_file, checkpoint
from dglcell.io.atomic import write_text

_SHARED = ("config.toml", "cell.h5", "split.safetensors")
_OWN = ("model.safetensors", "resume.pt", "metrics.jsonl")
_PLOTS, _EVALUATION = "plots", "evaluation"


class RunFolder:
    """Paths of the files of one run, for one member of its ensemble.

    | file | content |
    |---|---|
    | `config.toml` | the configuration of the run, which `--config` can read |
    | `cell.h5` | the graph alone |
    | `split.safetensors` | subset of each row (0 train, 1 val, 2 test, 3 unused), kind, arguments, hash, screen |
    | `model.safetensors` | weights of the best epoch, and everything else that prediction needs |
    | `resume.pt` | state after the last complete epoch |
    | `metrics.jsonl` | one line per epoch |
    | `plots/` | plots, as PNG |
    | `evaluation/` | reports, as TSV and JSON |

    Further members of an ensemble have `model_2.safetensors`, `resume_2.pt`, `metrics_2.jsonl` and so on.

    Parameters
    ----------
    path : Path
    member : int
        Number of the member, from 1.
    """

    def __init__(self, path: Path | str, member: int = 1) -> None:
        self.path, self.member = Path(path), member
        self.config, self.cell, self.split = (self.path / name for name in _SHARED)
        self.model, self.resume, self.metrics = (self.path / self._own(name) for name in _OWN)
        self.plots, self.evaluation = self.path / _PLOTS, self.path / _EVALUATION

    def __repr__(self) -> str:
        member = f", member {self.member}" if self.member > 1 else ""
        return f"RunFolder {self.path}{member}"

    def _own(self, name: str) -> str:
        stem, suffix = name.rsplit(".", 1)
        return name if self.member == 1 else f"{stem}_{self.member}.{suffix}"

    def plot(self, name: str) -> Path:
        """Path of a plot of this member: `plots/training.png` for `training`, `plots/training_2.png` for member 2."""
        return self.plots / self._own(f"{name}.png")

    def members(self) -> list[RunFolder]:
        """The members of the ensemble that have weights, from the first on."""
        members, folder = [], RunFolder(self.path)
        while folder.model.is_file():
            members.append(folder)
            folder = RunFolder(self.path, folder.member + 1)
        return members

    def relative(self, path: Path) -> str:
        """Path of a file relative to this folder, with `/` on every system; on another drive only the file name."""
        try:
            return Path(os.path.relpath(path.parent.resolve() / path.name, self.path.resolve())).as_posix()
        except ValueError:
            return path.name

    def locate(self, relative: str) -> Path:
        """The inverse of `relative`."""
        return Path(os.path.normpath(self.path.resolve() / relative))

    def screen_reference(self, table: GenotypeTable, screen_file: Path | None) -> dict[str, Any]:
        """Where `evaluate` finds the screen of the run: the cell file or else the text files, and a fingerprint.

        If a cell file holds the screen, only the names of the text files are stored, since they are not needed.
        """
        files = []
        for source in table.sources:
            path = Path(source["path"])
            is_text = screen_file is None and source["sha256"]
            files.append({**source, "path": self.relative(path) if is_text else path.name})
        cell = None if screen_file is None else self.relative(Path(screen_file))
        return {"cell": cell, "files": files, "fingerprint": table.fingerprint}

    def require(self) -> None:
        """Raise DataError if the path is not a run folder, or if the run has no weights yet."""
        if not self.path.is_dir():
            problem = " is a file" if self.path.exists() else ": no such folder"
            raise DataError(f"{self.path}{problem} - a run folder, which training writes, was expected")
        if not self.model.is_file():
            state = "the run has not finished its first epoch" if self.resume.is_file() else "this is not a run folder"
            raise DataError(f"{self.path} has no {self.model.name}: {state} - train a model, or give another folder")

    def refuse_existing(self, overwrite: bool) -> None:
        """Raise UsageError if this folder cannot be written: it is a file, or not empty."""
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is a file - a folder was expected; give another {setting('out')}")
        if self.path.is_dir() and any(self.path.iterdir()) and not overwrite:
            raise UsageError(
                f"{self.path} is not empty - give another {setting('out')}, or {setting('overwrite', True)} to replace "
                f"the run, or {setting('resume', True)} to continue it"
            )

    def create(self, config: TrainConfig, cell: CellGraph, split: Split, screen: str, overwrite: bool) -> None:
        """Create the folder, remove only the files of an older run, write cell graph, split and configuration.

        `screen` is the fingerprint of the genotype table that `split` divides.
        """
        self.refuse_existing(overwrite)
        self.plots.mkdir(parents=True, exist_ok=True)
        members = [path for name in _OWN for path in self.path.glob(name.replace(".", "_[0-9]*."))]
        self.forget_evaluation()
        for path in [*(self.path / n for n in _SHARED + _OWN), *members, *self.plots.glob("*.png")]:
            path.unlink(missing_ok=True)
        cell_file.save(cell, self.cell)
        metadata = {"kind": split.kind, "hash": split.hash, "screen": screen, "parameters": split.parameters}
        checkpoint.write(self.split, checkpoint.SPLIT, {"subset": split.subset}, metadata)
        self.write_config(config)

    def forget_evaluation(self) -> None:
        """Remove the reports and plots of earlier evaluations, since the weights are about to change."""
        plots = [path for name in (*SUBSETS, "screen") for path in self.plots.glob(f"{name}_*.png")]
        for path in [*self.evaluation.glob("*.*"), *plots]:
            path.unlink(missing_ok=True)

    def write_config(self, config: TrainConfig) -> None:
        """Write the configuration of the run."""
        write_text(self.config, config.to_toml())

    def read_split(self) -> tuple[Split, str]:
        """The split, and the fingerprint of the screen that it divides."""
        tensors, metadata = checkpoint.read(self.split, checkpoint.SPLIT)
        split = Split(tensors["subset"], metadata["kind"], **metadata["parameters"])
        if split.hash != metadata["hash"]:
            raise FormatError(f"{self.split} is damaged: its rows do not match its hash - train again")
        return split, str(metadata["screen"])

    def read_metrics(self) -> list[dict[str, Any]]:
        """The records of `metrics.jsonl`; an empty list if the file is missing or damaged, since no result needs it."""
        try:
            return [json.loads(line) for line in self.metrics.read_text().splitlines()]
        except (OSError, ValueError):
            return []

    def write_metrics(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Write one JSON line per epoch."""
        write_text(self.metrics, "".join(json.dumps(r, allow_nan=False) + "\n" for r in history))
