"""Training data shared by all members of an ensemble: everything that does not depend on the seed.

Prepared and checked once, before anything is written. Labels of the test subset are not used.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dglcell import schema
from dglcell.config import TrainConfig
from dglcell.engines.choice import make_engine
from dglcell.engines.device import autocast, resolve
from dglcell.engines.memory import auto_chunk, free_memory
from dglcell.errors import DataError, UsageError, setting, warn
from dglcell.genotypes.scaler import Scaler
from dglcell.genotypes.splits.make import TRAIN, VAL, Split, check_leakage
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph import pagerank
from dglcell.graph.cell import CellGraph
from dglcell.graph.pagerank import Neighbors
from dglcell.nn.batch import Batch
from dglcell.training import gene_similarity
from dglcell.training.losses import Losses
from dglcell.training.sample_weights import SampleWeights, deviations

_LOG = logging.getLogger(__name__)


class TrainingData:
    """A screen on a cell graph, split, standardized and bound to a device.

    Parameters
    ----------
    cell : CellGraph
    table : GenotypeTable
        Of this cell.
    split : Split
        Of this table.
    config : TrainConfig

    Attributes
    ----------
    config : TrainConfig
        Validated; its seed is that of the first member.
    device : torch.device
    train_rows, val_rows : (n,) int64
        Rows of the table with a label that the model learns, ascending.
    scaler : Scaler
        Of the training rows.
    sample_weights : SampleWeights or None
    losses : Losses
    engine : Engine
    chunk : int
        Genotypes that are computed together in one pass through the graph.

    Raises
    ------
    UsageError
        The configuration contradicts itself, the machine or the data.
    DataError
        The table belongs to another cell, the split leaks, or a subset has no label to learn from.
    """

    def __init__(self, cell: CellGraph, table: GenotypeTable, split: Split, config: TrainConfig) -> None:
        self.cell, self.table, self.split = cell, table, split
        self._wants_similarity = config.similarity is True  # None leaves it to the library
        self.config = config = config.for_cell(cell)
        table.require_cell(cell)
        check_leakage(table, split)  # also a split that was not made by `make_split`
        self.device = resolve(config.device)
        autocast(self.device, config.precision)
        self.train_rows, self.val_rows = self._rows("train"), self._rows("val")
        self.scaler = Scaler.fit(table, self.train_rows)
        self.sample_weights = SampleWeights.fit(table, self.train_rows) if config.weight_by_sd else None
        self.losses = Losses(config, list(self.targets(self.train_rows).T) if config.lambda_dist > 0 else None)
        self.engine = make_engine(config.engine, cell.dgl, self.device)
        self.chunk = (
            auto_chunk(self.engine, config.batch_size, config.layers, config.hidden, config.heads)
            if config.chunk == "auto"
            else int(config.chunk)
        )
        self._neighbors: dict[str, Neighbors] | None = None

    def _rows(self, subset: str) -> NDArray[np.int64]:
        labels = [name for name in schema.LABELS if self.config.label_weights.get(name, 0.0) > 0]
        rows = self.split.rows(subset)
        rows = rows[self.table.usable(labels)[rows]]
        if not len(rows):
            raise DataError(
                f"the {subset} subset of the split has no row with {' or '.join(labels)} - "
                f"change the split, the screen or {setting('label_weights')}"
            )
        return rows

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch; the last one may be smaller."""
        return -(-len(self.train_rows) // self.config.batch_size)

    def targets(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Standardized labels (len(rows), 2); NaN for rows that are neither training nor validation rows."""
        genotypes = self.table.take(rows)
        targets = self.scaler.transform(genotypes.targets, genotypes.orders)
        targets[~np.isin(self.split.subset[rows], (TRAIN, VAL))] = np.nan
        return targets

    def batch(self, rows: NDArray[np.int64]) -> tuple[Batch, Tensor, Tensor | None]:
        """Genotypes, standardized labels (B, 2) and, with `weight_by_sd`, their weights (B, 2), on the device."""
        genotypes = self.table.take(rows)
        perturbation = self.cell.knock_out(genotypes.genes, genotypes.ptr)
        batch = Batch.from_perturbation(perturbation, self.cell, self.device)
        labels = torch.from_numpy(self.targets(rows)).to(self.device)
        if self.sample_weights is None:
            return batch, labels, None
        return batch, labels, torch.from_numpy(self.sample_weights(deviations(self.table, rows))).to(self.device)

    def training_genes(self) -> Tensor:
        """Rows of the genes that are deleted in a training row, ascending."""
        return torch.from_numpy(np.unique(self.table.take(self.train_rows).genes)).long()

    def neighbors(self, networks: Sequence[str]) -> dict[str, Neighbors]:
        """The nearest genes of every gene in the networks of the gene factorization machine.

        Computed for the first member of an ensemble and reused for the others.

        Parameters
        ----------
        networks : sequence of str
            Of `pagerank.networks`, and `schema.SIMILARITY`.

        Raises
        ------
        UsageError
            Not enough memory.
        """
        if self._neighbors is None:
            self._neighbors = self._compute_neighbors(tuple(networks))
        return self._neighbors

    def _compute_neighbors(self, networks: tuple[str, ...]) -> dict[str, Neighbors]:
        names = tuple(name for name in networks if name != schema.SIMILARITY)
        similarity, alpha, k = schema.SIMILARITY in networks, self.config.ppr_alpha, self.config.ppr_topk
        self._require_memory(names, similarity)
        if not similarity:
            return pagerank.diffuse(self.cell, alpha, k, names)
        neighbors = gene_similarity.learn(
            self.cell, self.table.take(self.train_rows), self._similarity_labels(), alpha, k, names
        )
        nearest = neighbors[schema.SIMILARITY].index
        if (nearest == np.arange(len(nearest))[:, None]).all():
            self._say_that_similarity_is_empty()
        return neighbors

    def _say_that_similarity_is_empty(self) -> None:
        """A warning if the network was asked for, else a line of the log."""
        reason = (
            "too few pairs of genes were measured with the same other deletions to learn which genes have similar "
            "effects"
        )
        if self._wants_similarity:
            warn(f"{setting('similarity')} has no effect: {reason}")
        else:
            _LOG.info("no network of similar genes: %s", reason)

    def _similarity_labels(self) -> NDArray[np.float32]:
        """(n,) gene interactions if the model learns them and any was measured, else fitness."""
        targets = self.targets(self.train_rows)
        interactions = targets[:, schema.LABELS.index(schema.INTERACTION)]
        if self.config.label_weights.get(schema.INTERACTION, 0.0) > 0 and np.isfinite(interactions).any():
            return interactions
        return targets[:, schema.LABELS.index(schema.FITNESS)]

    def _require_memory(self, names: Sequence[str], similarity: bool) -> None:
        needed, free = pagerank.memory(self.cell), free_memory(torch.device("cpu"))
        if similarity:
            needed += gene_similarity.memory(self.cell, len(names))
        if names and needed > free:
            less = f"{setting('similarity', False)} or " if similarity else ""
            raise UsageError(
                f"{setting('fm_rank')} {self.config.fm_rank}: PageRank on the networks of "
                f"{self.cell.num_nodes(schema.GENE):,} genes needs {needed / 1e9:.1f} GB of memory, "
                f"{free / 1e9:.1f} GB are free - give {less}{setting('fm_rank', 0)}"
            )
