"""The architecture of a model: what decides the shape and meaning of its weights."""

from __future__ import annotations

import dataclasses

from dglcell import schema
from dglcell.errors import ErrorCollector

_SET_ENCODER_HEADS = 4
_USUAL_FACTORS = 128


def usual_factors(variant: str) -> int:
    """Length of the factors where none is asked for: the published variants have none."""
    return _USUAL_FACTORS if variant in ("local", "both") else 0


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """The architecture: everything that decides the shape and meaning of the weights.

    Attributes
    ----------
    layers, hidden, heads : int
        Graph layers, width h of every state, attention heads H (H divides h).
    variant : str
        One of `schema.VARIANTS`.
    feedback : bool
        Reactions pass messages back to genes, so metabolism reaches the output.
    residual, gate, attention : bool
        Add a layer's input to its output; gate metabolites; attention over the metabolites of a reaction.
    dropout : float
        Probability, in [0, 1).
    features_mode : str
        `concat` joins gene features to the learned embedding, `replace` drops the embedding.
    lost_reactions : bool
        The set encoder sees the reactions that a genotype loses, not its deleted genes alone.
    structural_lethality : bool
        The set encoder is told where the structure of the network rules growth out (`dglcell.graph.structural_lethality`).
    multiplicative : bool
        The interaction of a pair begins from the predicted fitness of the pair and of its single deletions
        (`dglcell.nn.null_model`), and its head predicts what is left.
    fm_rank : int
        Length of the factors that genes have for their pair terms (`dglcell.nn.factorization_machine`); 0 leaves these out. The
        command line has another default, `usual_factors`.
    ppr_alpha : float
        Of the walks over which factors diffuse: these have about 1 / restart steps.
    ppr_topk : int
        Neighbors that a gene's factors diffuse from, in each network.
    networks : tuple of str
        Over which factors diffuse: gene-gene relations of the cell, and `metabolic`; empty for all of them.
    similarity : bool
        Factors also diffuse over a network learned from these and the training rows (`dglcell.training.gene_similarity`). The
        command line has another default: wherever there are factors.
    """

    layers: int = 3
    hidden: int = 64
    heads: int = 2
    variant: str = "local"
    feedback: bool = True
    residual: bool = False
    gate: bool = False
    attention: bool = False
    dropout: float = 0.1
    features_mode: str = "concat"
    lost_reactions: bool = True
    structural_lethality: bool = False
    multiplicative: bool = False
    fm_rank: int = 0
    ppr_alpha: float = 0.06
    ppr_topk: int = 32
    networks: tuple[str, ...] = ()
    similarity: bool = False

    def check(self, problems: ErrorCollector) -> None:
        """Add everything that makes this architecture impossible to `problems`."""
        for name in ("layers", "hidden", "heads"):
            if getattr(self, name) < 1:
                problems.add(f"--{name} {getattr(self, name)} - at least 1 was expected")
        if self.heads > 0 and self.hidden % self.heads:
            problems.add(f"--heads {self.heads} does not divide --hidden {self.hidden} - give a divisor of it")
        if self.variant in ("local", "both") and self.hidden % _SET_ENCODER_HEADS:
            problems.add(
                f"--hidden {self.hidden} - a multiple of {_SET_ENCODER_HEADS} was expected (the set encoder of "
                f"--variant {self.variant} has {_SET_ENCODER_HEADS} heads)"
            )
        if self.structural_lethality and not (self.lost_reactions and self.variant in ("local", "both")):
            problems.add(
                "--structural-lethality needs the set encoder and its lost reactions (--variant local or both)"
            )
        if self.multiplicative and self.variant != "local":
            problems.add("--multiplicative needs --variant local, which predicts the single deletions at little cost")
        if self.variant not in schema.VARIANTS:
            problems.add(f"--variant {self.variant} - one of {', '.join(schema.VARIANTS)} was expected")
        if self.fm_rank < 0:
            problems.add(f"--fm-rank {self.fm_rank} - zero or more was expected")
        if not 0 < self.ppr_alpha <= 1:
            problems.add(f"--ppr-alpha {self.ppr_alpha} - a probability above 0 was expected")
        if len(set(self.networks)) < len(self.networks):
            problems.add(f"--networks {','.join(self.networks)} names one twice - name each once")
        if self.similarity and not self.fm_rank:
            problems.add(
                "--similarity with --fm-rank 0: no factors would diffuse over it - add --no-similarity, or give factors"
            )
        if self.ppr_topk < 1:
            problems.add(f"--ppr-topk {self.ppr_topk} - at least 1 was expected")
        if not 0 <= self.dropout < 1:
            problems.add(f"--dropout {self.dropout} - a probability below 1 was expected")
        if self.features_mode not in ("concat", "replace"):
            problems.add(f"--features-mode {self.features_mode} - concat or replace was expected")
