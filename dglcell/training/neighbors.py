"""Which genes a gene's factors diffuse from: near it in the networks of its cell, and alike as training rows tell.

Owns what a run asks of `diffusion` and `similarity`. Knows no model.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from dglcell import schema
from dglcell.config import TrainConfig
from dglcell.engines.memory import free_memory
from dglcell.errors import DglcellWarning, UsageError, setting
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph import pagerank
from dglcell.graph.cell import CellGraph
from dglcell.graph.pagerank import Neighbors
from dglcell.training import gene_similarity


def neighbors(
    cell: CellGraph,
    config: TrainConfig,
    networks: Sequence[str],
    table: GenotypeTable,
    targets: NDArray[np.float32],
) -> dict[str, Neighbors]:
    """Of each network that gene factors diffuse over.

    Parameters
    ----------
    cell : CellGraph
    config : TrainConfig
    networks : sequence of str
        Of `pagerank.networks`, and `schema.SIMILARITY`.
    table : GenotypeTable
        Training rows alone.
    targets : (n, labels)
        Their standardised labels, NaN where missing. Genes are compared by their interactions if these are learnt and
        any is known, else by fitness.

    Raises
    ------
    UsageError
        There is not memory enough.
    """
    names = tuple(name for name in networks if name != schema.SIMILARITY)
    learns = schema.SIMILARITY in networks
    needed, free = pagerank.memory(cell), free_memory(torch.device("cpu"))
    if learns:
        needed += gene_similarity.memory(cell, len(names))
    if names and needed > free:
        less = f"{setting('similarity', False)} or " if learns else ""
        raise UsageError(
            f"{setting('fm_rank')} {config.fm_rank}: to diffuse over the networks of {cell.num_nodes(schema.GENE):,} "
            f"genes takes {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free - give {less}{setting('fm_rank', 0)}"
        )
    found = pagerank.diffuse(cell, config.ppr_alpha, config.ppr_topk, names)
    if not learns:
        return found
    values = targets[:, schema.LABELS.index(schema.INTERACTION)]
    if not (config.label_weights.get(schema.INTERACTION, 0.0) > 0 and np.isfinite(values).any()):
        values = targets[:, schema.LABELS.index(schema.FITNESS)]
    learned = gene_similarity.learn(cell, table, values, config.ppr_alpha, config.ppr_topk, names)
    if (learned.index == np.arange(len(learned.index))[:, None]).all():
        warnings.warn(
            DglcellWarning(
                f"{setting('similarity')} has no effect: too few training rows share their other deletions to tell "
                "which genes behave alike"
            ),
            stacklevel=3,
        )
    return {**found, schema.SIMILARITY: learned}
