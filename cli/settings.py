"""`TrainConfig` as command-line options: one option a field, spelt like the field, its default read from the class."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from dglcell import schema
from dglcell.cli import options
from dglcell.config import KEEP, SCHEDULES, TrainConfig, flag, read_toml
from dglcell.errors import ErrorCollector, UsageError
from dglcell.model_config import usual_factors
from dglcell.screen_rules import CHOICES, ScreenRules

SCREEN_HELP = {
    "alleles": "Keep all alleles, or the rows of deletions alone (no temperature-sensitive, DAmP or other ones).",
    "replicates": "Keep rows of one file with the same genes and alleles, or make them one, weighted by 1/sd^2.",
    "max_p": "Leave out rows with a larger p-value.",
    "clip_fitness": "Set negative fitness to 0.",
    "derive_fitness": "Fill in the missing one of a pair's fitness and interaction, f_ij = eps_ij + f_i f_j.",
    "raw_scores": "Take scores of triples that are not adjusted for their pairs as interactions.",
}
_HELP = {
    **SCREEN_HELP,
    "layers": "Graph layers.",
    "hidden": "Width of every state.",
    "heads": "Attention heads; they divide --hidden.",
    "variant": "local passes the graph once a step; both, difference and two-head once a genotype.",
    "feedback": "Reactions pass messages back to genes.",
    "residual": "Add a layer's input to its output.",
    "gate": "Learn how much each metabolite counts.",
    "attention": "Attention over the metabolites of a reaction.",
    "dropout": "Dropout probability.",
    "lost_reactions": "The set encoder sees the reactions that a genotype loses.",
    "structural_lethality": "The set encoder is told where the structure of the metabolic network rules growth out.",
    "multiplicative": "Interactions of pairs begin from predicted fitness, f_ij - f_i f_j.",
    "fm_rank": "Length of the factors that genes have for pair terms; 0 leaves these out.",
    "ppr_alpha": "Restart probability of the walks over which factors diffuse.",
    "ppr_topk": "Neighbors that a gene's factors diffuse from, in each network.",
    "networks": "Networks over which factors diffuse, as binding,metabolic; without it, all of them.",
    "similarity": "Factors also diffuse over a network that is learned from the training rows.",
    "epochs": "Most passes over the training rows.",
    "batch_size": "Genotypes a step.",
    "max_steps": "Stop after this many steps.",
    "lr": "Learning rate of AdamW.",
    "weight_decay": "Weight decay of AdamW.",
    "grad_clip": "Largest gradient norm.",
    "lr_factor": "What the learning rate is multiplied by when validation no longer improves.",
    "lr_patience": "Epochs without a better validation score before that.",
    "patience": "Epochs without a better validation score before training stops.",
    "keep": "Weights to keep: of the epoch that validated best, or of the last, which also stops nothing early.",
    "lambda_dist": "Weight of the distribution loss.",
    "lambda_supcr": "Weight of the contrastive loss on z_p.",
    "lambda_cell": "Weight of the loss z_i = z_w + z_p (only --variant both or two-head).",
    "l2_identity": "Penalty of a gene's own factors, for each of its deletions.",
    "l2_network": "Penalty of the factors around genes, and of the weights of gene features.",
    "fm_lr": "Learning rate of factors, and of their weights of gene features.",
    "schedule": "plateau: the learning rate falls when validation stalls; cosine: it rises for a tenth of all steps, "
    "then falls to 0.",
    "label_weights": "Weight of each label, as fitness=1,gene_interaction=1.",
    "weight_by_sd": "Let values with a smaller standard deviation count more, by 1/(sd^2 + median sd^2).",
    "split": "How genotypes are divided. unseen-gene: each test genotype holds a gene that training never sees; "
    "unseen-all: training sees none of its genes; query-pair: training never sees its double-mutant query.",
    "split_file": "Table of genotypes with a column `split` (train, val, test, unused); implies --split file.",
    "fold": "Which tenth is the test part of --split kfold.",
    "test_fraction": "Share of the genotypes kept for the test, as near as the split allows.",
    "val_fraction": "Share of the genotypes kept for validation, likewise.",
    "device": "auto, cpu, cuda or cuda:N.",
    "engine": "Who computes: auto, dgl (the reference), torch or fused.",
    "chunk": "Genotypes that pass the graph together; auto asks the free memory.",
    "precision": "fp32, or bf16 under autocast on CUDA.",
    "seed": "Seed of weights, split, order and dropout.",
    "ensemble": "Models to train, which differ in their seed alone; predictions are their mean, with their sd beside.",
    "screen": "Screen tables; without any, the one stored in CELL.",
}
_CHOICES = {
    **CHOICES,
    "variant": schema.VARIANTS,
    "keep": KEEP,
    "schedule": SCHEDULES,
    "split": schema.SPLITS,
    "engine": schema.ENGINES,
    "precision": ("fp32", "bf16"),
}
_SHOWN = {
    "fm_rank": f"{usual_factors('local')}; with difference and two-head 0",
    "similarity": "--similarity; without factors --no-similarity",
}
_FROM_GRAPH = "features_mode"  # belongs to the graph, not to a training run


class _LabelWeights(options.ParamType):
    name = "label=weight,.."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, float]:
        try:
            pairs = [item.split("=") for item in value.split(",")]
            return {name.strip(): float(weight) for name, weight in pairs}
        except ValueError:
            self.fail(f"{value!r} - fitness=1,gene_interaction=1 was expected", param, ctx)


class _Names(options.ParamType):
    name = "name,.."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        names = [name.strip() for name in value.split(",")]
        return names if all(names) else self.fail(f"{value!r} - names joined by commas were expected", param, ctx)


class _Chunk(options.ParamType):
    name = "auto|integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | int:
        if value == "auto":
            return "auto"
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} - auto or a number of genotypes was expected", param, ctx)


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for every field of `TrainConfig`; one that is not given arrives as None (or an empty tuple)."""
    for field in reversed(dataclasses.fields(TrainConfig)):
        if field.name != _FROM_GRAPH:
            command = _option(field)(command)
    return command


def screen_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for every field of `ScreenRules`; one that is not given arrives as None."""
    for field in reversed(dataclasses.fields(ScreenRules)):
        command = _option(field)(command)
    return command


def screen_rules(given: Mapping[str, Any]) -> ScreenRules:
    """The rules that options give; checked."""
    rules = ScreenRules(**{name: given[name] for name in SCREEN_HELP if given[name] is not None})
    problems = ErrorCollector(UsageError)
    rules.check_rules(problems)
    problems.check()
    return rules


def _option(field: dataclasses.Field[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    name, text = field.name, _HELP[field.name]
    if name == "screen":
        return click.option("--screen", multiple=True, type=options.FILE, help=text)
    if name in ("label_weights", "networks"):
        kind = _LabelWeights() if name == "label_weights" else _Names()
        return click.option(flag(name), type=kind, help=text)
    default = field.default
    shown = "" if default is None else f" [{_SHOWN.get(name) or _spelling(name, default)}]"
    if isinstance(default, bool):
        return click.option(f"{flag(name)}/--no-{name.replace('_', '-')}", default=None, help=text + shown)
    if name == "chunk":
        return click.option(flag(name), type=_Chunk(), help=text + shown)
    if name in _CHOICES:
        return click.option(flag(name), type=click.Choice(_CHOICES[name]), help=text + shown)
    if name == "split_file":
        return click.option(flag(name), type=options.FILE, help=text)
    kinds: dict[str, Any] = {"int": int, "float": float, "str": str}
    return click.option(flag(name), type=kinds[str(field.type).removesuffix(" | None")], help=text + shown)


def _spelling(name: str, default: Any) -> str:
    if isinstance(default, bool):
        return flag(name) if default else "--no-" + name.replace("_", "-")
    return f"{default:g}" if isinstance(default, float) else str(default)


def configuration(given: Mapping[str, Any], config_file: Path | None, features_mode: str) -> TrainConfig:
    """Defaults, then the TOML file, then the flags that were given; checked.

    Raises
    ------
    UsageError
        Something in it cannot be used.
    """
    values: dict[str, Any] = read_toml(config_file) if config_file else {}
    flags = {k: v for k, v in given.items() if v is not None and v != ()}
    if "screen" in flags:
        flags["screen"] = [str(p) for p in flags["screen"]]
    if "split_file" in flags:
        flags["split_file"] = str(flags["split_file"])
        flags.setdefault("split", "file")
    values |= flags
    values.setdefault(_FROM_GRAPH, features_mode)
    values.setdefault("fm_rank", usual_factors(values.get("variant", TrainConfig.variant)))
    values.setdefault("similarity", bool(values["fm_rank"]))
    config = TrainConfig.from_dict(values, str(config_file) if config_file else "the options").validate()
    if config.split != schema.KFOLD and ("fold" in flags or config.fold):
        raise UsageError(
            f"--fold {config.fold} with --split {config.split}, which has no folds - give --split kfold, or no --fold"
        )
    return config
