"""The demo's model beside its baselines by cross-validation, inside the pairs that the demo does not test on.

    python -m tests.benchmarks.demo_folds
    python -m tests.benchmarks.demo_folds --alone --ensemble 1 --set batch_size=256 epochs=25 schedule=plateau

prints the Pearson correlation of predicted and measured interactions over all folds together. The demo's settings were
chosen by this figure, not by the demo's test pairs.
"""

import argparse
import dataclasses
import sys
import tempfile
import tomllib
from pathlib import Path

import numpy as np
import torch

from dglcell import baselines, demo, schema
from dglcell.genotypes.splits.make import make_split
from dglcell.inference.run import load_run
from dglcell.training.loop import train

INTERACTION = schema.LABELS.index(schema.INTERACTION)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--ensemble", type=int, default=demo.CONFIG.ensemble)
    parser.add_argument("--seed", type=int, default=demo.CONFIG.seed, help="of the weights")
    parser.add_argument("--without", nargs="*", default=[], choices=("structural_lethality", "multiplicative"))
    parser.add_argument("--alone", action="store_true", help="no baselines and no ablation")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="other settings than the demo's")
    arguments = parser.parse_args()
    folds = arguments.folds
    torch.set_num_threads(1)  # as the demo
    off = dict.fromkeys(arguments.without, False)
    other = tomllib.loads("\n".join(_toml(text) for text in arguments.set))
    config = dataclasses.replace(demo.CONFIG, ensemble=arguments.ensemble, seed=arguments.seed, **off, **other)
    cell, everything = demo.example()
    held_out = make_split(everything, "random", 0, config.test_fraction, config.val_fraction).subset == 2
    table = everything.take(np.flatnonzero(~held_out))
    models = {
        "dglcell without lost reactions": dataclasses.replace(config, lost_reactions=False, structural_lethality=False),
        "dglcell": config,
    }
    if arguments.alone:
        del models["dglcell without lost reactions"]
    values: dict[str, list[np.ndarray]] = {"measured": []}
    for fold in range(folds):
        split = make_split(table, "kfold", seed=1, val_fraction=config.val_fraction, fold=fold, folds=folds)
        pairs = split.rows("test")
        pairs = pairs[table.orders[pairs] == 2]
        part = table.take(pairs)
        values["measured"].append(part.targets[:, INTERACTION])
        for name in () if arguments.alone else ("embedding-mlp", "lost-reactions-mlp"):
            fitted = baselines.make(name).fit(cell, table, split.rows("train"), config.seed)
            values.setdefault(name, []).append(fitted.predict(part)[:, INTERACTION])
        for name, settings in models.items():
            with tempfile.TemporaryDirectory() as folder:
                train(cell, table, split, settings, Path(folder) / "run")
                predicted = load_run(Path(folder) / "run").predict_rows(part.genes, part.ptr)
            values.setdefault(name, []).append(predicted[:, INTERACTION])
        sys.stdout.write(f"fold {fold + 1} of {folds}: {_scores(values, slice(fold, None))}\n")
        sys.stdout.flush()
    sys.stdout.write(f"all {folds} folds: {_scores(values, slice(None))}\n")


def _toml(text: str) -> str:
    """`schedule=plateau` as TOML writes it."""
    name, _, value = text.partition("=")
    return f"{name} = {value if not value.isalpha() or value in ('true', 'false') else repr(value)}"


def _scores(values: dict[str, list[np.ndarray]], folds: slice) -> str:
    measured = np.concatenate(values["measured"][folds])
    scores = {
        name: np.corrcoef(np.concatenate(predicted[folds]), measured)[0, 1]
        for name, predicted in values.items()
        if name != "measured"
    }
    return ", ".join(f"{name} {score:.3f}" for name, score in scores.items())


if __name__ == "__main__":
    main()
