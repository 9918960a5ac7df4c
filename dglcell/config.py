"""What a training run is made with: a frozen dataclass, its checks, TOML in and out.

A field, its command-line flag (`--batch-size` = `batch_size`) and its name in a checkpoint are spelt the same.
Knows nothing of the command line or of torch.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from dglcell import schema
from dglcell.errors import ErrorCollector, UsageError
from dglcell.model_config import ModelConfig
from dglcell.screen_rules import ScreenRules

KEEP = ("best", "last")
SCHEDULES = ("plateau", "cosine")


@dataclasses.dataclass(frozen=True)
class TrainConfig(ScreenRules, ModelConfig):
    """A whole training run: the architecture, how screens are read, the optimisation, the split and the machine.

    Attributes
    ----------
    max_steps : int or None
        Stop after this many optimiser steps, whatever the epoch.
    patience : int
        Epochs without a better validation score before training stops.
    keep : str
        `best`: the weights of the epoch with the best validation score. `last`: those of the last epoch, whatever its
        score, and no early stopping; for a validation part too small to choose by.
    lr_factor, lr_patience : float, int
        The learning rate is multiplied by this after so many epochs without a better validation score.
    lambda_dist, lambda_supcr, lambda_cell : float
        Weights of the distribution, contrastive and cell losses; 0 leaves a term out.
    l2_identity, l2_network : float
        Penalties of the factors: of a gene's own, for each of its deletions in a batch; of those around it and of the
        weights of gene features.
    fm_lr : float
        Learning rate of the factors and of the weights of gene features, which have no weight decay.
    schedule : str
        `plateau`: the learning rate falls when the validation score stalls (`lr_factor`, `lr_patience`). `cosine`: it
        rises for a tenth of all steps and then falls to 0 with the last epoch.
    label_weights : dict
        Weight of each label in the average over labels.
    weight_by_sd : bool
        A measured value with a smaller standard deviation counts more in the squared error.
    ensemble : int
        Models that differ in their seed alone (`seed`, `seed + 1`, ..), trained on the same split; predictions are
        their mean.
    chunk : int or "auto"
        Genotypes that pass the graph together in variants that run it per genotype.
    screen : tuple of str
        Screen files as given; empty for the one stored with the graph.
    """

    epochs: int = 50
    batch_size: int = 256
    max_steps: int | None = None
    lr: float = 1e-3
    weight_decay: float = 1e-2
    grad_clip: float = 10.0
    lr_factor: float = 0.5
    lr_patience: int = 5
    patience: int = 10
    keep: str = "best"
    lambda_dist: float = 0.0
    lambda_supcr: float = 0.0
    lambda_cell: float = 0.0
    l2_identity: float = 0.2
    l2_network: float = 0.8
    fm_lr: float = 1e-3
    schedule: str = "plateau"
    label_weights: dict[str, float] = dataclasses.field(default_factory=lambda: dict.fromkeys(schema.LABELS, 1.0))
    weight_by_sd: bool = False
    split: str = "random"
    split_file: str | None = None
    fold: int = 0
    test_fraction: float = 0.1
    val_fraction: float = 0.1
    device: str = "auto"
    engine: str = "auto"
    chunk: int | str = "auto"
    precision: str = "fp32"
    seed: int = 0
    ensemble: int = 1
    screen: tuple[str, ...] = ()

    def validate(self) -> Self:
        """Return self, or raise one `UsageError` that names everything wrong.

        Raises
        ------
        UsageError
            A value is out of range, or two values contradict each other.
        """
        problems = ErrorCollector(UsageError)
        self.check(problems)
        self.check_rules(problems)
        self._check_numbers(problems)
        self._check_choices(problems)
        self._check_losses(problems)
        problems.check()
        return self

    def _check_numbers(self, problems: ErrorCollector) -> None:
        for name in ("epochs", "batch_size", "patience", "lr_patience", "max_steps", "ensemble"):
            value = getattr(self, name)
            if value is not None and value < 1:
                problems.add(f"{flag(name)} {value} - at least 1 was expected")
        for name in ("lr", "grad_clip", "fm_lr"):
            if not getattr(self, name) > 0:
                problems.add(f"{flag(name)} {getattr(self, name)} - a positive number was expected")
        for name in (
            "weight_decay",
            "lambda_dist",
            "lambda_supcr",
            "lambda_cell",
            "l2_identity",
            "l2_network",
            "fold",
            "seed",
        ):
            if not getattr(self, name) >= 0:
                problems.add(f"{flag(name)} {getattr(self, name)} - zero or more was expected")
        for name in ("test_fraction", "val_fraction", "lr_factor"):
            if not 0 < getattr(self, name) < 1:
                problems.add(f"{flag(name)} {getattr(self, name)} - a fraction between 0 and 1 was expected")
        if self.test_fraction + self.val_fraction >= 1:
            problems.add(
                f"--test-fraction {self.test_fraction} and --val-fraction {self.val_fraction} leave nothing to train on"
            )
        if self.chunk != "auto" and (not isinstance(self.chunk, int) or self.chunk < 1):
            problems.add(f"--chunk {self.chunk} - auto or a number of genotypes was expected")

    def _check_choices(self, problems: ErrorCollector) -> None:
        choices = {
            "split": schema.SPLITS,
            "device": ("auto", "cpu", "cuda"),
            "engine": schema.ENGINES,
            "precision": ("fp32", "bf16"),
            "keep": KEEP,
            "schedule": SCHEDULES,
        }
        for name, allowed in choices.items():
            value = getattr(self, name)
            if value not in allowed and not (name == "device" and str(value).startswith("cuda:")):
                problems.add(f"{flag(name)} {value} - one of {', '.join(allowed)} was expected")
        if (self.split == "file") != (self.split_file is not None):
            problems.add("--split file and --split-file F go together - give both or neither")
        for label, weight in self.label_weights.items():
            if label not in schema.LABELS:
                problems.add(f"--label-weights {label} - {' or '.join(schema.LABELS)} was expected")
            elif not weight >= 0:
                problems.add(f"--label-weights {label}={weight} - zero or more was expected")
        if not any(weight > 0 for weight in self.label_weights.values()):
            problems.add("--label-weights leaves no label to learn - give one of them a positive weight")

    def _check_losses(self, problems: ErrorCollector) -> None:
        if self.lambda_supcr > 0 and self.variant == "two-head":
            problems.add(
                "--lambda-supcr with --variant two-head: its z_p is the same for every genotype - use another variant"
            )
        if self.lambda_cell > 0 and self.variant == "difference":
            problems.add(
                "--lambda-cell with --variant difference: z_p is z_w - z_i, the loss would be degenerate - use both"
            )
        if self.lambda_cell > 0 and self.variant == "local":
            problems.add("--lambda-cell with --variant local: it makes no z_i to compare with - use both")

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON and TOML can hold; None is left out."""
        values = {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}
        return {k: v for k, v in values.items() if v is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "the configuration") -> Self:
        """Build from plain values, checking names and types.

        Raises
        ------
        UsageError
            An unknown key or a value of the wrong type; all of them are named.
        """
        problems = ErrorCollector(UsageError)
        fields = {f.name: f for f in dataclasses.fields(cls)}
        known: dict[str, Any] = {}
        for key, value in values.items():
            if key not in fields:
                problems.add(f"{where}: unknown key {key!r}")
                continue
            try:
                known[key] = _convert(key, value, str(fields[key].type))
            except (TypeError, ValueError):
                problems.add(f"{where}: {key} = {value!r} - {fields[key].type} was expected")
        problems.check()
        return cls(**known)


def _convert(name: str, value: Any, kind: str) -> Any:
    if name in ("screen", "networks"):
        return tuple([value] if isinstance(value, str) else [str(v) for v in value])
    if name == "label_weights":
        return {str(k): float(v) for k, v in dict(value).items()}
    if name == "chunk":
        return value if value == "auto" else _integer(value)
    base = kind.removesuffix(" | None")
    if value is None and kind.endswith("None"):
        return None
    if base == "bool":
        if not isinstance(value, bool):
            raise TypeError(value)
        return value
    if isinstance(value, bool):
        raise TypeError(value)
    kinds: dict[str, Callable[[Any], Any]] = {"int": _integer, "float": float, "str": _text}
    return kinds[base](value)


def _integer(value: Any) -> int:
    if int(value) != value and not isinstance(value, str):
        raise ValueError(value)
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def flag(name: str) -> str:
    """The command-line spelling of a field: `batch_size` -> `--batch-size`."""
    return "--" + name.replace("_", "-")


def read_toml(path: Path) -> dict[str, Any]:
    """The top-level table of a TOML file.

    Raises
    ------
    UsageError
        There is no such file, or it is not TOML.
    """
    try:
        with open(path, "rb") as handle:
            return tomllib.load(handle)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror} - a TOML configuration was expected") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error


def to_toml(values: Mapping[str, Any]) -> str:
    """Flat values (and one level of tables) as TOML text that `read_toml` reads back equal."""
    import json

    def literal(value: Any) -> str:
        if isinstance(value, dict):
            return "{ " + ", ".join(f"{k} = {literal(v)}" for k, v in value.items()) + " }"
        if isinstance(value, list):
            return "[" + ", ".join(literal(v) for v in value) + "]"
        return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | str) else repr(value)

    return "".join(f"{key} = {literal(value)}\n" for key, value in values.items())
