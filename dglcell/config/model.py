"""The settings of the architecture, which determine the shape and meaning of the weights."""

from __future__ import annotations

import dataclasses
from typing import Self

from dglcell import schema
from dglcell.config.settings import FACTORIZATION, MODEL, Settings, declare
from dglcell.errors import ErrorCollector, setting

_SET_ENCODER_HEADS = 4
_SET_ENCODER_VARIANTS = ("local", "both")
_FM_RANK = 128  # where there is a set encoder; the published variants have no factorization machine
FEATURES_MODES = ("concat", "replace")
FEATURES_MODE_HELP = "Gene features: concat uses them beside the learned gene embedding, replace instead of it."


@dataclasses.dataclass(frozen=True, repr=False)
class ModelConfig(Settings):
    """The architecture of a model, which determines the shape and meaning of its weights."""

    layers: int = declare(3, "Number of graph layers.", MODEL, min=1)
    hidden: int = declare(64, "Width of every hidden state.", MODEL, min=1)
    heads: int = declare(2, f"Number of attention heads; must divide {setting('hidden')}.", MODEL, min=1)
    variant: str = declare(
        "local",
        "How a deletion enters the model. local: one pass of the graph network over the wild type, then a set encoder "
        "over the deleted genes. difference, two-head: one pass for each genotype, without its deleted genes. both: "
        "local and difference together.",
        MODEL,
        choices=schema.VARIANTS,
    )
    feedback: bool = declare(True, "Reactions pass messages back to genes.", MODEL)
    residual: bool = declare(False, "Add the input of each graph layer to its output.", MODEL)
    gate: bool = declare(False, "Weight the metabolites of a reaction by a learned gate.", MODEL)
    attention: bool = declare(False, "Weight the metabolites of a reaction by attention.", MODEL)
    dropout: float = declare(0.1, "Dropout probability.", MODEL, min=0, below=1)
    features_mode: str | None = declare(
        None,
        FEATURES_MODE_HELP,
        MODEL,
        choices=FEATURES_MODES,
        unset="as stored in the cell graph",
    )
    lost_reactions: bool = declare(
        True, "The set encoder also sees the reactions that a genotype can no longer catalyze.", MODEL
    )
    structural_lethality: bool = declare(
        False,
        "The set encoder also sees whether the structure of the remaining metabolic network rules out growth.",
        MODEL,
    )
    multiplicative: bool = declare(
        False,
        "Predict the interaction of a pair as a correction to f_ij - f_i f_j, computed from the predicted fitness.",
        MODEL,
    )
    fm_rank: int | None = declare(
        None,
        "Rank of the gene factorization machine (0 = off).",
        FACTORIZATION,
        min=0,
        unset=f"{_FM_RANK} with {setting('variant', 'local')} or both, else 0",
    )
    ppr_alpha: float = declare(
        0.06,
        "Restart probability of personalized PageRank in each network; a higher one stays closer to the gene.",
        FACTORIZATION,
        above=0,
        max=1,
    )
    ppr_topk: int = declare(
        32,
        "Number of neighbors of a gene in each network: those with the highest PageRank, the gene included.",
        FACTORIZATION,
        min=1,
    )
    networks: tuple[str, ...] = declare(
        (),
        "Networks of the factorization machine: gene-gene relations of the cell graph, and metabolic (genes whose "
        "reactions share a metabolite).",
        FACTORIZATION,
        unset="all",
        example="binding,metabolic",
    )
    similarity: bool | None = declare(
        None,
        "Add a network of genes with similar effects, learned from the training rows.",
        FACTORIZATION,
        unset=f"on if {setting('fm_rank')} is above 0",
    )

    def resolve(self, features_mode: str | None = None) -> Self:
        """Replace each `None` by the value that it stands for, without checks.

        Parameters
        ----------
        features_mode : str, optional
            The mode of the cell graph. Without it, a `features_mode` of None stays None until the cell is known.
        """
        rank = self.fm_rank
        if rank is None:
            rank = _FM_RANK if self.variant in _SET_ENCODER_VARIANTS else 0
        return dataclasses.replace(
            self,
            fm_rank=rank,
            similarity=rank > 0 if self.similarity is None else self.similarity,
            features_mode=features_mode if self.features_mode is None else self.features_mode,
        )

    def check_together(self, problems: ErrorCollector) -> None:
        """Add combinations of values that contradict each other."""
        super().check_together(problems)
        if self.heads > 0 and self.hidden % self.heads:
            problems.add(
                f"{setting('heads')} {self.heads} does not divide {setting('hidden')} {self.hidden} - give a divisor "
                f"of {self.hidden}"
            )
        encodes_sets = self.variant in _SET_ENCODER_VARIANTS
        if encodes_sets and self.hidden % _SET_ENCODER_HEADS:
            problems.add(
                f"{setting('hidden')} {self.hidden} - a multiple of {_SET_ENCODER_HEADS} was expected (the set encoder "
                f"of {setting('variant', self.variant)} has {_SET_ENCODER_HEADS} heads)"
            )
        if self.structural_lethality and not (self.lost_reactions and encodes_sets):
            problems.add(
                f"{setting('structural_lethality')} needs the set encoder and its lost reactions - give "
                f"{setting('variant', 'local')} or both, and {setting('lost_reactions', True)}"
            )
        if self.multiplicative and self.variant != "local":
            problems.add(
                f"{setting('multiplicative')} with {setting('variant', self.variant)} - {setting('variant', 'local')} "
                "was expected, which predicts the single deletions at little cost"
            )
        if len(set(self.networks)) < len(self.networks):
            problems.add(f"{setting('networks')} {','.join(self.networks)} names a network twice - name each once")
        if self.similarity and self.fm_rank == 0:
            problems.add(
                f"{setting('similarity')} with {setting('fm_rank')} 0: the network belongs to the gene factorization "
                f"machine, which is off - give {setting('similarity', False)}, or a rank above 0"
            )
