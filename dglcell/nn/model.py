"""The whole model: embeddings, layers, pooling, readout, and the gene factorization machine beside them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from dglcell.config import ModelConfig
from dglcell.engines.base import Engine, LayerPlan
from dglcell.engines.memory import auto_chunk
from dglcell.errors import UsageError, setting
from dglcell.nn.batch import Batch
from dglcell.nn.dropout import StepDropout
from dglcell.nn.factorization_machine import GeneFactorizationMachine
from dglcell.nn.hetero_layer import HeteroLayer
from dglcell.nn.mlp import preprocessor
from dglcell.nn.pooling import AttentionalPool
from dglcell.nn.readout import Readout
from dglcell.nn.states import GraphSizes, Output, WildType
from dglcell.schema import GENE, METABOLITE, NODE_TYPES, REACTION, SIMILARITY


class CellModel(nn.Module):
    r"""Fitness and gene interaction of deletion genotypes from a cell graph.

    Embeddings of the three node types (genes: with their features, through a two-layer MLP) pass L layers
    (`HeteroLayer`). `z_w` pools the genes of the wild type, `z_i` the surviving genes of genotype i. The variants
    differ in `z_p`:

    `two-head`
        `z_p` pools copies of `z_w`, one per deleted gene; fitness is read from `z_i`, interaction from `z_p`. Known
        weakness: copies of one vector pool to that vector whatever their number, so `z_p` is the same for every
        genotype and the interaction head is a constant. Kept as published.
    `difference`
        ``z_p = z_w - z_i``, one head for both labels. Known weakness: the signal is what 2 of 6607 genes change in an
        average; published validation Pearson for interaction 0.021, against 0.43 once a head sees the deleted genes'
        own states. Kept as published.
    `local` (default)
        `z_p` encodes the set of the deleted genes' and lost reactions' wild-type states; one head each. The graph
        is computed once per step, not once per genotype.
    `both`
        The heads read `local`'s vector joined with ``z_w - z_i``; losses on `z_p` read `local`'s.

    Parameters
    ----------
    config : ModelConfig
    sizes : GraphSizes
    features : Tensor (N_g, d) or None
        Gene features; not part of the weights, so give them again when a checkpoint is loaded.
    has_features : Tensor (N_g,) of bool, or None
        Genes with a feature row; the others use one learned vector. None: all genes have one.

    Raises
    ------
    UsageError
        `config.networks` names one that the cell lacks.
    """

    features: Tensor | None
    has_features: Tensor | None

    def __init__(
        self,
        config: ModelConfig,
        sizes: GraphSizes,
        features: Tensor | None = None,
        has_features: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.config = config = config.resolve("concat")
        self._build_inputs(sizes, features, has_features)
        self.fm = None
        if config.fm_rank:
            genes, networks = sizes.num_nodes[GENE], sizes.select_networks(config.networks)
            if config.similarity:
                networks = _with_similarity(networks)
            neighbors = min(config.ppr_topk, genes)
            self.fm = GeneFactorizationMachine(genes, networks, config.fm_rank, neighbors, features, has_features)
        self.layers = nn.ModuleList(
            HeteroLayer(
                sizes.gene_relations,
                config.hidden,
                config.heads,
                feedback=config.feedback,
                residual=config.residual,
                gate=config.gate,
                attention=config.attention,
                last=number == config.layers - 1,
            )
            for number in range(config.layers)
        )
        self.pool = None if config.variant == "local" else AttentionalPool(config.hidden)
        self.readout = Readout(config, sizes.reaction_group)

    def _build_inputs(self, sizes: GraphSizes, features: Tensor | None, has_features: Tensor | None) -> None:
        h = self.config.hidden
        self.register_buffer("features", None if features is None else features.clone(), persistent=False)
        self.register_buffer("has_features", None if has_features is None else has_features.clone(), persistent=False)
        embedded: tuple[str, ...] = NODE_TYPES
        width = h
        if features is not None:
            self.no_features = nn.Parameter(torch.zeros(features.shape[1]))
            width = features.shape[1]
            if self.config.features_mode == "concat":
                width += h
            else:
                embedded = (REACTION, METABOLITE)
        self.embeddings = nn.ParameterDict({t: nn.Parameter(torch.randn(sizes.num_nodes[t], h)) for t in embedded})
        self.preprocess = preprocessor(width, h, self.config.dropout)

    def inputs(self) -> dict[str, Tensor]:
        """States before the first layer: (N, 1, h) of each node type."""
        parts = [self.embeddings[GENE]] if GENE in self.embeddings else []
        if self.features is not None:
            x = self.features.to(self.no_features.dtype)
            if self.has_features is not None:
                x = torch.where(self.has_features.unsqueeze(-1), x, self.no_features)
            parts.append(x)
        genes = self.preprocess(torch.cat(parts, dim=-1))
        states = {GENE: genes, REACTION: self.embeddings[REACTION], METABOLITE: self.embeddings[METABOLITE]}
        return {node_type: x.unsqueeze(1) for node_type, x in states.items()}

    def encode(
        self,
        engine: Engine,
        inputs: dict[str, Tensor],
        plans: Sequence[LayerPlan] | None = None,
        drop: StepDropout | None = None,
        recompute: bool = False,
    ) -> Iterator[dict[str, Tensor]]:
        """Pass states through the layers; yields the states after each layer.

        Parameters
        ----------
        engine : Engine
        inputs : dict
            (N, B or 1, h) of each node type.
        plans : sequence or None
            From `Engine.plan`, one for each layer; None for the wild type.
        drop : StepDropout or None
            None outside training.
        recompute : bool
            Keep only the inputs of a layer and recompute it in the backward pass.
        """
        states = inputs
        for number, layer in enumerate(self.layers):
            plan = None if plans is None else plans[number]
            if recompute:
                # All randomness of a layer is in `drop`, which keeps its masks.
                states = checkpoint(
                    layer, engine, states, plan, drop, number, use_reentrant=False, preserve_rng_state=False
                )
            else:
                states = layer(engine, states, plan, drop, number)
            yield states

    def wild_type(
        self,
        engine: Engine,
        drop: StepDropout | None = None,
        inputs: dict[str, Tensor] | None = None,
        states: dict[str, Tensor] | None = None,
    ) -> WildType:
        """Compute the wild type.

        Parameters
        ----------
        engine : Engine
        drop : StepDropout or None
            The same object that `forward` of this step gets; None outside training.
        inputs, states : dict or None
            States before the first and after the last layer, if they are known already.
        """
        inputs = self.inputs() if inputs is None else inputs
        layers = list(self.encode(engine, inputs, drop=drop)) if states is None else [states]
        z_w = None if self.pool is None else self.pool(engine, layers[-1][GENE], None)
        fm_states = None
        if self.fm is not None and not self.training:
            fm_states = self.fm.states(torch.arange(len(self.fm.identity), device=self.fm.identity.device))
        return WildType(inputs, layers, z_w, fm_states)

    def genotypes(
        self,
        engine: Engine,
        inputs: dict[str, Tensor],
        batch: Batch,
        drop: StepDropout | None = None,
        chunk: int | None = None,
        wild: Sequence[dict[str, Tensor]] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """`z_i` (B, h), computed for `chunk` genotypes at a time; also the last states of the first chunk.

        With gradients and more than one chunk, intermediate results are kept for one layer of one chunk only: peak
        memory is these and the layer inputs of the batch. The same holds for a single chunk if the engine asks for it
        (`Engine.recompute`). `wild` holds the wild type's states after every layer, if they are known already.
        """
        pool = self.pool
        if pool is None:
            raise RuntimeError(f"variant {self.config.variant} has no pooling")  # an error of the caller, not the user
        size = max(1, len(batch)) if chunk is None else chunk
        recompute = chunk is not None and (engine.recompute or size < len(batch)) and torch.is_grad_enabled()
        pooled: list[Tensor] = []
        first: dict[str, Tensor] = {}
        for start in range(0, len(batch), size):
            alive = batch.alive(start, min(start + size, len(batch)))
            plans = engine.plan(alive, len(self.layers), wild)
            states = deque(self.encode(engine, inputs, plans, drop, recompute), maxlen=1).pop()
            first, genes = first or states, states[GENE]
            if recompute:
                pooled.append(checkpoint(pool, engine, genes, plans[-1], use_reentrant=False, preserve_rng_state=False))
            else:
                pooled.append(pool(engine, genes, plans[-1]))
        return torch.cat(pooled), first

    def forward(
        self,
        engine: Engine,
        batch: Batch,
        wild: WildType | None = None,
        chunk: int | str | None = None,
        drop: StepDropout | None = None,
    ) -> Output:
        """Predict a batch of genotypes.

        Parameters
        ----------
        engine : Engine
        batch : Batch
        wild : WildType or None
            Computed here if None. For inference compute it once and pass it to every call.
        chunk : int, "auto" or None
            Genotypes that are computed together in one pass through the graph; `None` means all of them, without
            recomputation.
        drop : StepDropout or None
            Drawn here if None and training.

        Returns
        -------
        Output
            Predictions in float32 whatever the autocast (float64 for a float64 model).
        """
        if drop is None and self.training:
            drop = StepDropout(self.config.dropout)
        z_i = None
        if self.pool is None:
            wild = wild or self.wild_type(engine, drop)
        else:
            if chunk == "auto":
                chunk = auto_chunk(engine, len(batch), self.config.layers, self.config.hidden, self.config.heads)
            inputs = self.inputs() if wild is None else wild.inputs
            layers = None if wild is None or torch.is_grad_enabled() else wild.layers
            z_i, states = self.genotypes(engine, inputs, batch, drop, None if chunk is None else int(chunk), layers)
            wild = wild or self.wild_type(engine, drop, inputs, engine.wild_type(states))
        predictions, z_p = self.readout(batch, wild, z_i)
        squares = None
        if self.fm is not None:
            terms, squares = self.fm(batch, wild.fm_states)
            predictions = predictions + terms
        return Output(predictions, wild.z_w, z_i, z_p, squares)


def _with_similarity(networks: tuple[str, ...]) -> tuple[str, ...]:
    if SIMILARITY in networks:  # `build_cell` refuses the name, but a `CellGraph` can be constructed without it
        raise UsageError(
            f"{setting('similarity')}: the cell has a relation '{SIMILARITY}' - preprocess it again with another name "
            f"for that, leave it out of {setting('networks')}, or give {setting('similarity', False)}"
        )
    return (*networks, SIMILARITY)
