"""The settings of a training run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Protocol, Self

from dglcell import schema
from dglcell.config.model import ModelConfig
from dglcell.config.screen import ScreenRules
from dglcell.config.settings import COMPUTE, DATA, FACTORIZATION, LOSS, SPLIT, TRAINING, declare
from dglcell.config.toml import find_config, read_toml
from dglcell.errors import ErrorCollector, setting


class _Cell(Protocol):
    """The part of a cell graph that a configuration needs."""

    features_mode: str


@dataclasses.dataclass(frozen=True, repr=False)
class TrainConfig(ScreenRules, ModelConfig):
    """All settings of a training run: architecture, reading of screens, split, optimization, compute.

    Each field has the same name on the command line (`batch_size` is `--batch-size`) and in TOML. A field that is None
    has no limit, or gets its value from `validate`.

    Examples
    --------
    >>> config = TrainConfig(variant="both", epochs=10).validate()
    >>> config.fm_rank, config.similarity
    (128, True)
    >>> TrainConfig(variant="both", epochs=10)  # what differs from the defaults
    TrainConfig(variant='both', epochs=10)
    """

    screen: tuple[str, ...] = declare(
        (), "Screens: tables of measured genotypes.", DATA, unset="the screen in the cell graph", path=True
    )
    weight_by_sd: bool = declare(
        False, "Weight each label by 1/(sd^2 + median sd^2), so that uncertain values count less.", DATA
    )
    split: str = declare(
        "random",
        "How genotypes are divided into training, validation and test. random, kfold: at random. unseen-gene: each "
        "test genotype has a gene that training never sees. unseen-all: training sees none of the genes of a test "
        "genotype. query-pair: training never sees the double-mutant query of a test genotype. file: as listed in "
        f"{setting('split_file')}.",
        SPLIT,
        choices=schema.SPLITS,
    )
    split_file: str | None = declare(
        None,
        "Table of genotypes, in any layout of a screen, with a column `split` (train, val, test or unused); implies "
        f"{setting('split', 'file')}.",
        SPLIT,
        path=True,
    )
    fold: int | None = declare(
        None,
        f"Number of the test fold, 0 to 9, with {setting('split', 'kfold')}.",
        SPLIT,
        min=0,
        max=9,
        unset="0",
    )
    test_fraction: float = declare(
        0.1, "Fraction of genotypes in the test subset, as near as the split allows.", SPLIT, above=0, below=1
    )
    val_fraction: float = declare(
        0.1, "Fraction of genotypes in the validation subset, as near as the split allows.", SPLIT, above=0, below=1
    )
    fm_lr: float = declare(
        1e-3,
        "Learning rate of the factorization machine, which has no weight decay.",
        FACTORIZATION,
        above=0,
    )
    l2_identity: float = declare(
        0.2, "L2 penalty on a gene's own vector, added each time the gene is deleted in a batch.", FACTORIZATION, min=0
    )
    l2_network: float = declare(
        0.8,
        "L2 penalty on the vectors that genes share with their network neighbors, and on the weights of gene features.",
        FACTORIZATION,
        min=0,
    )
    epochs: int = declare(50, "Maximum number of passes over the training rows.", TRAINING, min=1)
    max_steps: int | None = declare(None, "Maximum number of steps.", TRAINING, min=1, unset="no limit")
    batch_size: int = declare(256, "Number of genotypes in one step.", TRAINING, min=1)
    lr: float = declare(1e-3, "Learning rate of AdamW.", TRAINING, above=0)
    weight_decay: float = declare(1e-2, "Weight decay of AdamW.", TRAINING, min=0)
    grad_clip: float = declare(10.0, "Maximum norm of the gradient.", TRAINING, above=0)
    schedule: str = declare(
        "plateau",
        "Learning rate over time. plateau: it falls when the validation score stalls. cosine: it rises for a tenth of "
        "the steps, then falls to 0.",
        TRAINING,
        choices=("plateau", "cosine"),
    )
    lr_factor: float = declare(
        0.5, f"Factor by which {setting('schedule', 'plateau')} lowers the learning rate.", TRAINING, above=0, below=1
    )
    lr_patience: int = declare(
        5,
        f"{setting('schedule', 'plateau')} lowers the learning rate after this many epochs without a better validation "
        "score.",
        TRAINING,
        min=1,
    )
    patience: int = declare(10, "Stop after this many epochs without a better validation score.", TRAINING, min=1)
    keep: str = declare(
        "best",
        "Weights to keep. best: those of the epoch with the best validation score. last: the final ones; there is no "
        "early stopping.",
        TRAINING,
        choices=("best", "last"),
    )
    ensemble: int = declare(
        1,
        "Number of models, which differ only in their seed; predictions are their mean, with a standard deviation.",
        TRAINING,
        min=1,
    )
    seed: int = declare(
        0, "Seed of the split, the initial weights, the shuffling of rows and dropout.", TRAINING, min=0
    )
    label_weights: dict[str, float] = declare(
        dict.fromkeys(schema.LABELS, 1.0),
        "Weight of each label in the loss.",
        LOSS,
        example="fitness=1,gene_interaction=1",
    )
    lambda_dist: float = declare(0.0, "Weight of the distribution loss (0 = off).", LOSS, min=0)
    lambda_supcr: float = declare(
        0.0, "Weight of the contrastive loss on z_p, the state of the deletion (0 = off).", LOSS, min=0
    )
    lambda_cell: float = declare(
        0.0,
        f"Weight of the loss by which mutant = wild type + deletion, z_i = z_w + z_p (0 = off); only with "
        f"{setting('variant', 'both')} or two-head.",
        LOSS,
        min=0,
    )
    device: str = declare("auto", "Device to compute on.", COMPUTE, choices=("auto", "cpu", "cuda", "cuda:N"))
    engine: str = declare(
        "auto", "Compute backend; dgl is the reference, fused the fastest.", COMPUTE, choices=schema.ENGINES
    )
    chunk: int | str = declare(
        "auto",
        "Number of genotypes in one pass of the graph network, in variants that run it for each genotype; auto: "
        "as free memory allows.",
        COMPUTE,
        choices=("auto",),
        min=1,
    )
    precision: str = declare(
        "fp32", "Arithmetic: fp32, or bf16 (mixed precision, CUDA only).", COMPUTE, choices=("fp32", "bf16")
    )

    @classmethod
    def from_recipe(cls, name: str | Path) -> Self:
        """The settings of a recipe that comes with dglcell, by name, or of a TOML file, by path.

        Parameters
        ----------
        name : str or path
            A recipe such as `costanzo2010`, or the path of a TOML file.

        Returns
        -------
        TrainConfig
            Not yet validated.

        Raises
        ------
        UsageError
            There is neither a recipe nor a file of this name (the message lists the recipes), or a name or value in the
            file is wrong.

        Examples
        --------
        >>> TrainConfig.from_recipe("costanzo2010").epochs
        10
        """
        path = find_config(name)
        return cls.from_dict(read_toml(path), str(name))

    def resolve(self, features_mode: str | None = None) -> Self:
        """Replace each `None` by the value that it stands for, without checks.

        Parameters
        ----------
        features_mode : str, optional
            The mode of the cell graph, if it is known.

        Returns
        -------
        TrainConfig
        """
        split, fold = self.split, self.fold
        if self.split_file is not None and split == schema.RANDOM:
            split = schema.SPLIT_FILE
        if split == schema.KFOLD and fold is None:
            fold = 0
        return dataclasses.replace(super().resolve(features_mode), split=split, fold=fold)

    def for_cell(self, cell: _Cell) -> Self:
        """The same settings, validated, with the values that depend on the cell graph.

        Parameters
        ----------
        cell : CellGraph

        Returns
        -------
        TrainConfig

        Raises
        ------
        UsageError
            As `validate`.
        """
        return self.validate().resolve(cell.features_mode)

    def to_toml(self) -> str:
        """The settings as TOML, which `--config` and `from_recipe` read.

        Returns
        -------
        str
            Without the settings that are None.
        """
        import tomli_w

        return tomli_w.dumps(self.to_dict())

    def check_together(self, problems: ErrorCollector) -> None:
        """Add combinations of values that contradict each other.

        Parameters
        ----------
        problems : ErrorCollector
        """
        super().check_together(problems)
        self._check_split(problems)
        self._check_losses(problems)

    def _check_split(self, problems: ErrorCollector) -> None:
        if self.test_fraction + self.val_fraction >= 1:
            problems.add(
                f"{setting('test_fraction')} {self.test_fraction:g} and {setting('val_fraction')} "
                f"{self.val_fraction:g} leave nothing to train on"
            )
        if self.split == schema.SPLIT_FILE and self.split_file is None:
            problems.add(f"{setting('split', 'file')} needs {setting('split_file')} - give both, or another split")
        if self.split_file is not None and self.split != schema.SPLIT_FILE:
            problems.add(
                f"{setting('split_file')} {self.split_file} with {setting('split', self.split)} - give "
                f"{setting('split', 'file')}, or no file"
            )
        if self.fold is not None and self.split != schema.KFOLD:
            problems.add(
                f"{setting('fold')} {self.fold} with {setting('split', self.split)}, which has no folds - give "
                f"{setting('split', 'kfold')}, or no {setting('fold')}"
            )

    def _check_losses(self, problems: ErrorCollector) -> None:
        name = setting("label_weights")
        for label, weight in self.label_weights.items():
            if label not in schema.LABELS:
                problems.add(f"{name} {label} - {' or '.join(schema.LABELS)} was expected")
            elif not weight >= 0:
                problems.add(f"{name} {label}={weight:g} - zero or more was expected")
        if not any(weight > 0 for weight in self.label_weights.values()):
            problems.add(f"{name} leaves no label to learn - give one of them a positive weight")
        variant = setting("variant", self.variant)
        if self.lambda_supcr > 0 and self.variant == "two-head":
            problems.add(
                f"{setting('lambda_supcr')} with {variant}: its z_p is the same for all genotypes - use another variant"
            )
        if self.lambda_cell > 0 and self.variant == "difference":
            problems.add(
                f"{setting('lambda_cell')} with {variant}: z_p is z_w - z_i, so the loss is degenerate - use "
                f"{setting('variant', 'both')}"
            )
        if self.lambda_cell > 0 and self.variant == "local":
            problems.add(
                f"{setting('lambda_cell')} with {variant}: it has no z_i to compare with - use "
                f"{setting('variant', 'both')}"
            )
