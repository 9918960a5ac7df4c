"""Many genotypes through a model without gradients, in batches that share one encoding of the wild type."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dglcell import schema
from dglcell.graph.cell import CellGraph
from dglcell.nn.batch import Batch
from dglcell.nn.model import CellModel, WildType
from dglcell.ops.engines import Engine
from dglcell.train.device import autocast


class Scorer:
    """A model in evaluation mode, bound to a cell; the wild type is encoded once, at the first batch.

    Parameters
    ----------
    model : CellModel
    engine : Engine
        Bound to the cell's graph; its device is the model's.
    cell : CellGraph
    precision : str
        `fp32` or `bf16`.
    chunk : int or "auto"
        Genotypes that pass the graph together.
    """

    def __init__(
        self, model: CellModel, engine: Engine, cell: CellGraph, precision: str = "fp32", chunk: int | str = "auto"
    ) -> None:
        self._model, self._engine, self._cell = model, engine, cell
        self._precision, self._chunk = precision, chunk
        self._wild: WildType | None = None

    @torch.no_grad()
    def __call__(
        self, genes: NDArray[np.integer[Any]], ptr: NDArray[np.int64], batch_size: int = 1024
    ) -> NDArray[np.float32]:
        """Standardised predictions.

        Parameters
        ----------
        genes : (K,) int
            Gene rows, ascending and distinct within a genotype.
        ptr : (n + 1,) int64
            Genotype i deletes `genes[ptr[i]:ptr[i + 1]]`.
        batch_size : int
            Genotypes at a time.

        Returns
        -------
        (n, 2) float32
            Columns as `schema.LABELS`.
        """
        was_training = self._model.training
        self._model.eval()
        n = len(ptr) - 1
        out = np.empty((n, len(schema.LABELS)), np.float32)
        try:
            with autocast(self._engine.device, self._precision):
                if self._wild is None:
                    self._wild = self._model.wild_type(self._engine)
                for start in range(0, n, batch_size):
                    stop = min(start + batch_size, n)
                    lost = self._cell.lose(genes[ptr[start] : ptr[stop]], ptr[start : stop + 1] - ptr[start])
                    batch = Batch.from_perturbation(lost, self._cell, self._engine.device)
                    output = self._model(self._engine, batch, self._wild, self._chunk)
                    out[start:stop] = output.predictions.float().cpu().numpy()
        finally:
            self._model.train(was_training)
        return out
