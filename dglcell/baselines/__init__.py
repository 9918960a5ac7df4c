"""Simple models to compare a run with: if one of them does as well, the graph added nothing.

All have the same interface: `fit` uses only the training rows, and `predict` returns labels on the original scale. None
passes messages along the network. `mean`, `query-mean`, `gene-ridge`, `matrix-factorization` and `embedding-mlp` use
only the identity of the deleted genes; `spectral-ridge` and `spectral-trees` use their positions in the gene-gene
networks; `lost-reactions-mlp` uses the gene-protein-reaction rules.
"""

from __future__ import annotations

from collections.abc import Callable

from dglcell.baselines.base import AdamWFit, Baseline
from dglcell.baselines.embedding_bag import EmbeddingBagMLP, LargeScreen, deleted_genes, lost_reactions
from dglcell.baselines.factorization import MatrixFactorization
from dglcell.baselines.linear import GeneRidge, Mean, QueryMean
from dglcell.baselines.spectral import SpectralRidge, SpectralTrees
from dglcell.errors import UsageError, setting

__all__ = [
    "NAMES",
    "QUICK",
    "Baseline",
    "EmbeddingBagMLP",
    "GeneRidge",
    "MatrixFactorization",
    "Mean",
    "QueryMean",
    "SpectralRidge",
    "SpectralTrees",
    "deleted_genes",
    "lost_reactions",
    "make",
    "select",
]


def _embedding_mlp() -> Baseline:
    large = LargeScreen(AdamWFit(epochs=60, batch_size=1024, lr=3e-3, weight_decay=1e-2, patience=8))
    return EmbeddingBagMLP("embedding-mlp", deleted_genes, first_relu=False, large=large, fill=True)


def _lost_reactions_mlp() -> Baseline:
    return EmbeddingBagMLP("lost-reactions-mlp", lost_reactions, first_relu=True)


_MAKERS: dict[str, Callable[[], Baseline]] = {
    Mean.name: Mean,
    QueryMean.name: QueryMean,
    GeneRidge.name: GeneRidge,
    MatrixFactorization.name: MatrixFactorization,
    "embedding-mlp": _embedding_mlp,
    SpectralRidge.name: SpectralRidge,
    SpectralTrees.name: SpectralTrees,
    "lost-reactions-mlp": _lost_reactions_mlp,
}
NAMES = tuple(_MAKERS)
QUICK = (Mean.name, QueryMean.name, GeneRidge.name)  # seconds on any screen
_SLOW = ("lost-reactions-mlp",)  # a fixed number of epochs
_FEW = 50_000  # up to this number of training rows, these take minutes too


def make(name: str) -> Baseline:
    """A baseline by name, one of `NAMES`."""
    if name not in _MAKERS:
        raise UsageError(f"baseline {name!r} - one of {', '.join(NAMES)} was expected")
    return _MAKERS[name]()


def _default_names(rows: int) -> tuple[str, ...]:
    """Baselines that take at most minutes with this many training rows."""
    return tuple(name for name in NAMES if rows <= _FEW or name not in _SLOW)


def select(text: str, rows: int) -> tuple[str, ...]:
    """Names of baselines from the name of a group, `default`, `all`, `quick` or `none`, or from a list.

    Parameters
    ----------
    text : str
        The name of a group, or names of baselines joined by commas.
    rows : int
        Training rows; with many of them `default` leaves out baselines that would take hours.

    Raises
    ------
    UsageError
        A name that is not in `NAMES`.
    """
    groups = {"default": _default_names(rows), "all": NAMES, "quick": QUICK, "none": ()}
    if text in groups:
        return groups[text]
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    unknown = [name for name in names if name not in _MAKERS]
    if unknown:
        allowed = f"{', '.join(groups)}, or some of {', '.join(NAMES)}"
        raise UsageError(f"{setting('baselines')} {', '.join(unknown)} - {allowed} was expected")
    return names
