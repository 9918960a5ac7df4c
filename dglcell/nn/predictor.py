"""Predictions for many genotypes without gradients, in batches that all models of an ensemble share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dglcell import schema
from dglcell.engines.base import Engine
from dglcell.engines.device import autocast
from dglcell.graph.cell import CellGraph
from dglcell.nn.batch import Batch
from dglcell.nn.model import CellModel
from dglcell.nn.states import WildType


class Predictor:
    """Models in evaluation mode, bound to a cell; the wild type is encoded once by each, at the first batch.

    Parameters
    ----------
    models : sequence of CellModel
        The members of an ensemble, or a single model.
    engine : Engine
        Bound to the cell's graph; its device is the models'.
    cell : CellGraph
    precision : str
        `fp32` or `bf16`.
    chunk : int or "auto"
        Genotypes that are computed together in one pass through the graph.
    """

    def __init__(
        self,
        models: Sequence[CellModel],
        engine: Engine,
        cell: CellGraph,
        precision: str = "fp32",
        chunk: int | str = "auto",
    ) -> None:
        self._models, self._engine, self._cell = tuple(models), engine, cell
        self._precision, self._chunk = precision, chunk
        self._wild: tuple[WildType, ...] | None = None

    @torch.no_grad()
    def __call__(
        self, genes: NDArray[np.integer[Any]], ptr: NDArray[np.int64], batch_size: int = 1024
    ) -> NDArray[np.float32]:
        """Standardized predictions.

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
        (models, n, 2) float32
            Columns as `schema.LABELS`.
        """
        n = len(ptr) - 1
        out = np.empty((len(self._models), n, len(schema.LABELS)), np.float32)
        with self._evaluating():
            wild_types = self.wild_types()
            with autocast(self._engine.device, self._precision):
                for start in range(0, n, batch_size):
                    stop = min(start + batch_size, n)
                    bounds = ptr[start : stop + 1]
                    perturbation = self._cell.knock_out(genes[bounds[0] : bounds[-1]], bounds - bounds[0])
                    batch = Batch.from_perturbation(perturbation, self._cell, self._engine.device)
                    for k, (model, wild) in enumerate(zip(self._models, wild_types, strict=True)):
                        output = model(self._engine, batch, wild, self._chunk)
                        out[k, start:stop] = output.predictions.float().cpu().numpy()
        return out

    @torch.no_grad()
    def wild_types(self) -> tuple[WildType, ...]:
        """The wild type as each model encodes it, computed once."""
        if self._wild is None:
            with self._evaluating(), autocast(self._engine.device, self._precision):
                self._wild = tuple(model.wild_type(self._engine) for model in self._models)
        return self._wild

    @contextlib.contextmanager
    def _evaluating(self) -> Iterator[None]:
        """Inside, all models are in evaluation mode; afterwards they are in the mode that they had."""
        were_training = [model.training for model in self._models]
        try:
            for model in self._models:
                model.eval()
            yield
        finally:
            for model, was_training in zip(self._models, were_training, strict=True):
                model.train(was_training)
