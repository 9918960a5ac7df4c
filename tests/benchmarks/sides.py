"""What is compared: ways to compute one model, behind one small interface.

`pyg`, `pyg-csc` and `dgl-batch` collate a subgraph a genotype; `dgl`, `torch` and `fused` are the engines, on masks
over the one shared graph. All have the variant `difference`, the same sizes, the same optimiser, the wild type once a
training step and cached for inference.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dglcell import _dgl
from dglcell.config import ModelConfig
from dglcell.engines.choice import make_engine
from dglcell.graph.cell import CellGraph
from dglcell.nn.batch import Batch
from dglcell.nn.dropout import StepDropout
from dglcell.nn.model import CellModel
from dglcell.nn.states import GraphSizes, WildType
from dglcell.schema import GENE, LABELS, NODE_TYPES

SIDES = ("pyg", "pyg-csc", "dgl-batch", "dgl", "torch", "fused")

Index = NDArray[np.int64]
States = dict[str, Tensor]


class Side(Protocol):
    """One way to compute the model.

    Attributes
    ----------
    at_once : int or None
        Genotypes of a step that are collated together, where a step was too large for the memory; None: all.
    """

    at_once: int | None

    def train_step(self, genes: Index, ptr: Index, labels: Tensor) -> None:
        """Collate, forward, mean square loss against (B, 2), backward, optimiser."""

    def infer(self, genes: Index, ptr: Index) -> Tensor:
        """Collate, forward without gradients: (B, 2). The wild type is computed at the first call after training."""


def make_side(name: str, cell: CellGraph, config: ModelConfig, at_once: int | None = None) -> Side:
    """A side with new weights."""
    if name in ("pyg", "pyg-csc"):
        return PygSubgraphs(cell, config, at_once, compressed=name == "pyg-csc")
    if name == "dgl-batch":
        return DglSubgraphs(cell, config, at_once)
    return Masks(name, cell, config)


def cell_model(cell: CellGraph, config: ModelConfig) -> CellModel:
    """The model without gene features: their widths differ between cells."""
    torch.manual_seed(0)
    return CellModel(config, GraphSizes.of(cell))


def _optimiser(model: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=1e-3)


class Masks:
    """An engine on masks over the shared graph, as `dglcell train` uses it."""

    at_once: int | None = None

    def __init__(self, name: str, cell: CellGraph, config: ModelConfig) -> None:
        self.cell, self.model = cell, cell_model(cell, config)
        self.engine = make_engine(name, cell.dgl, "cpu")
        self.optimiser = _optimiser(self.model)
        self._wild: WildType | None = None

    def _batch(self, genes: Index, ptr: Index) -> Batch:
        return Batch.from_perturbation(self.cell.knock_out(genes, ptr), self.cell)

    def train_step(self, genes: Index, ptr: Index, labels: Tensor) -> None:
        """See `Side.train_step`."""
        self._wild = None
        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        output = self.model(self.engine, self._batch(genes, ptr), chunk="auto")
        (output.predictions - labels).square().mean().backward()
        self.optimiser.step()

    @torch.no_grad()
    def infer(self, genes: Index, ptr: Index) -> Tensor:
        """See `Side.infer`."""
        self.model.eval()
        if self._wild is None:
            self._wild = self.model.wild_type(self.engine)
        predictions: Tensor = self.model(self.engine, self._batch(genes, ptr), self._wild, chunk="auto").predictions
        return predictions


class Subgraphs:
    """What both sides share that collate a subgraph a genotype.

    A step of more than `at_once` genotypes accumulates the gradients of several collations; the wild type and the
    genes' MLP still run once, forward and backward.
    """

    model: Any

    def __init__(self, cell: CellGraph, at_once: int | None) -> None:
        self.cell, self.at_once = cell, at_once
        self.optimiser = _optimiser(self.model)
        self._cached: tuple[States, Tensor] | None = None

    def wild_type(self) -> tuple[States, Tensor]:
        """Inputs of the wild type, and `z_w` (1, h)."""
        raise NotImplementedError

    def encode(self, inputs: States, genes: Index, ptr: Index) -> Tensor:
        """Collate genotypes and run them: `z_i` (B, h)."""
        raise NotImplementedError

    def predict(self, z_p: Tensor) -> Tensor:
        """The head: (B, h) -> (B, 2)."""
        raise NotImplementedError

    def _pieces(self, genes: Index, ptr: Index) -> Iterator[tuple[slice, Index, Index]]:
        n = len(ptr) - 1
        size = self.at_once or n
        for start in range(0, n, size):
            part = ptr[start : start + size + 1]
            yield slice(start, start + len(part) - 1), genes[part[0] : part[-1]], part - part[0]

    def train_step(self, genes: Index, ptr: Index, labels: Tensor) -> None:
        """See `Side.train_step`."""
        self._cached = None
        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        inputs, z_w = self.wild_type()
        shared = [*inputs.values(), z_w]
        leaves = [x.detach().requires_grad_() for x in shared]
        for rows, *genotypes in self._pieces(genes, ptr):
            z_i = self.encode(dict(zip(inputs, leaves[:-1], strict=True)), *genotypes)
            error = self.predict(leaves[-1] - z_i) - labels[rows]
            (error.square().sum() / labels.numel()).backward()  # type: ignore[no-untyped-call]
        torch.autograd.backward(shared, [x.grad for x in leaves])
        self.optimiser.step()

    @torch.no_grad()
    def infer(self, genes: Index, ptr: Index) -> Tensor:
        """See `Side.infer`."""
        self.model.eval()
        if self._cached is None:
            self._cached = self.wild_type()
        inputs, z_w = self._cached
        parts = [self.predict(z_w - self.encode(inputs, *piece)) for _, *piece in self._pieces(genes, ptr)]
        return torch.cat(parts)


class DglSubgraphs(Subgraphs):
    """`CellGraph.perturb` and `dgl.batch`, then our model with the `dgl` engine bound to the batch, B = 1."""

    def __init__(self, cell: CellGraph, config: ModelConfig, at_once: int | None) -> None:
        self.model: CellModel = cell_model(cell, config)
        super().__init__(cell, at_once)
        self._whole = make_engine("dgl", cell.dgl, "cpu")

    def _drop(self) -> StepDropout | None:
        return StepDropout(self.model.config.dropout) if self.model.training else None

    def wild_type(self) -> tuple[States, Tensor]:
        """See `Subgraphs.wild_type`."""
        wild = self.model.wild_type(self._whole, self._drop())
        assert wild.z_w is not None
        return wild.inputs, wild.z_w

    def encode(self, inputs: States, genes: Index, ptr: Index) -> Tensor:
        """See `Subgraphs.encode`."""
        dgl = _dgl.load()
        graph = dgl.batch([self.cell.perturb(genes[a:b].tolist()) for a, b in itertools.pairwise(ptr)])
        engine = make_engine("dgl", graph, "cpu")
        own = {t: inputs[t].index_select(0, graph.nodes[t].data[dgl.NID]) for t in NODE_TYPES}
        states = list(self.model.encode(engine, own, drop=self._drop()))[-1]
        assert self.model.pool is not None
        z_i: Tensor = self.model.pool(engine, states[GENE], None)
        return z_i

    def predict(self, z_p: Tensor) -> Tensor:
        """See `Subgraphs.predict`."""
        predictions: Tensor = self.model.readout.heads["shared"](z_p)
        return predictions


class PygSubgraphs(Subgraphs):
    """`HeteroData.subgraph` and `Batch.from_data_list`, then `pyg_side.PygModel`.

    With `compressed` the edges of a relation are an `EdgeIndex` sorted by target, so that PyG reduces segments.
    """

    def __init__(self, cell: CellGraph, config: ModelConfig, at_once: int | None, compressed: bool = False) -> None:
        from tests.benchmarks import pyg_side

        self._pyg: Any = pyg_side
        torch.manual_seed(0)
        self.model = pyg_side.PygModel(config, cell)
        super().__init__(cell, at_once)
        self._compressed = compressed
        self._data = pyg_side.hetero_data(cell)
        self._whole = pyg_side.collate(self._data, cell.knock_out([], [0, 0]), compressed)

    def wild_type(self) -> tuple[States, Tensor]:
        """See `Subgraphs.wild_type`."""
        inputs = self.model.inputs()
        return inputs, self.model.encode(inputs, self._whole)

    def encode(self, inputs: States, genes: Index, ptr: Index) -> Tensor:
        """See `Subgraphs.encode`."""
        batch = self._pyg.collate(self._data, self.cell.knock_out(genes, ptr), self._compressed)
        return self.model.encode(inputs, batch)

    def predict(self, z_p: Tensor) -> Tensor:
        """See `Subgraphs.predict`."""
        predictions: Tensor = self.model.head(z_p)
        return predictions


def labels_for(genotypes: int) -> Tensor:
    """Labels of a step: their values do not matter."""
    return torch.zeros(genotypes, len(LABELS))


@contextlib.contextmanager
def out_of_memory() -> Iterator[None]:
    """Raise MemoryError for what torch and DGL raise when an allocation fails."""
    try:
        yield
    except RuntimeError as error:
        if any(word in str(error).lower() for word in ("allocate", "out of memory", "bad_alloc")):
            raise MemoryError(str(error).splitlines()[0]) from error
        raise
