"""The whole model: embeddings, layers, pooling, one of four ways to compare a genotype with the wild type, heads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from dglcell.config import ModelConfig
from dglcell.engines.base import Engine, Where, auto_chunk
from dglcell.errors import UsageError
from dglcell.nn.batch import Batch
from dglcell.nn.dropout import StepDropout
from dglcell.nn.factorization_machine import GeneFactorizationMachine
from dglcell.nn.hetero_layer import HeteroLayer
from dglcell.nn.mlp import head, preprocessor
from dglcell.nn.null_model import MultiplicativeNullModel
from dglcell.nn.pooling import AttentionalPool
from dglcell.nn.set_encoder import SetEncoder
from dglcell.nn.states import GraphSizes, Output, WildType
from dglcell.schema import FITNESS, GENE, INTERACTION, LABELS, METABOLITE, NODE_TYPES, REACTION, SIMILARITY


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
        runs once a step, not once a genotype.
    `both`
        The heads read `local`'s vector joined with ``z_w - z_i``; losses on `z_p` read `local`'s.

    Parameters
    ----------
    config : ModelConfig
    sizes : GraphSizes
    features : Tensor (N_g, d) or None
        Gene features; not part of the weights, so give them again when a checkpoint is loaded.
    has_features : Tensor (N_g,) of bool, or None
        Genes that have a row; the others use one learned vector. None: all have.

    Raises
    ------
    UsageError
        `config.networks` names one that the cell lacks.
    """

    reaction_group: Tensor
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
        h, variant, dropout = config.hidden, config.variant, config.dropout
        self.register_buffer("reaction_group", sizes.reaction_group.clone(), persistent=False)
        self.num_groups = int(sizes.reaction_group.max()) + 1 if len(sizes.reaction_group) else 0
        self._build_inputs(sizes, features, has_features)
        self.fm = None
        if config.fm_rank:
            genes, networks = sizes.num_nodes[GENE], sizes.chosen(config.networks)
            if config.similarity:
                networks = _with_similarity(networks)
            nearest = min(config.ppr_topk, genes)
            self.fm = GeneFactorizationMachine(genes, networks, config.fm_rank, nearest, features, has_features)
        self.layers = nn.ModuleList(
            HeteroLayer(
                sizes.gene_relations,
                h,
                config.heads,
                feedback=config.feedback,
                residual=config.residual,
                gate=config.gate,
                attention=config.attention,
                last=number == config.layers - 1,
            )
            for number in range(config.layers)
        )
        self.pool = None if variant == "local" else AttentionalPool(h)
        self.perturbed_pool = AttentionalPool(h) if variant == "two-head" else None
        self.set_encoder = SetEncoder(h, dropout, config.structural_lethality) if variant in ("local", "both") else None
        self.null_model = MultiplicativeNullModel() if config.multiplicative else None
        if variant == "difference":
            self.heads = nn.ModuleDict({"shared": head(h, h, len(LABELS), dropout)})
        else:
            width = 2 * h if variant == "both" else h
            self.heads = nn.ModuleDict({label: head(width, h, 1, dropout) for label in LABELS})

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
        plan: Sequence[Where] | None = None,
        drop: StepDropout | None = None,
        recompute: bool = False,
        known: Sequence[dict[str, Tensor]] | None = None,
    ) -> Iterator[dict[str, Tensor]]:
        """Pass states through the layers; the states after each, one after the other.

        Parameters
        ----------
        engine : Engine
        inputs : dict
            (N, B or 1, h) of each node type.
        plan : sequence or None
            As `Engine.plan` makes it, one entry a layer; None for the wild type.
        drop : StepDropout or None
            None outside training.
        recompute : bool
            Keep only the inputs of a layer and compute it again in the backward pass.
        known : sequence or None
            The wild type's states after each layer, if `plan` takes them as known.
        """
        states = inputs
        for number, layer in enumerate(self.layers):
            where = None if plan is None else plan[number]
            if recompute:
                # All randomness of a layer is in `drop`, which keeps what it drew.
                states = checkpoint(
                    layer, engine, states, where, drop, number, use_reentrant=False, preserve_rng_state=False
                )
            else:
                states = layer(engine, states, where, drop, number, None if known is None else known[number])
            yield states

    def wild_type(self, engine: Engine, drop: StepDropout | None = None) -> WildType:
        """Run the undeleted cell.

        Parameters
        ----------
        engine : Engine
        drop : StepDropout or None
            The same object that `forward` of this step gets; None outside training.
        """
        inputs = self.inputs()
        layers = list(self.encode(engine, inputs, drop=drop))
        z_w = None if self.pool is None else self.pool(engine, layers[-1][GENE], None)
        return WildType(inputs, layers, z_w, self._fm_states())

    def _fm_states(self) -> Tensor | None:
        if self.fm is None or self.training:
            return None
        return self.fm.states(torch.arange(len(self.fm.identity), device=self.fm.identity.device))

    def genotypes(
        self,
        engine: Engine,
        inputs: dict[str, Tensor],
        batch: Batch,
        drop: StepDropout | None = None,
        chunk: int | None = None,
        known: Sequence[dict[str, Tensor]] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """`z_i` (B, h): the graph run with masks, `chunk` genotypes at a time; also the last states of the first chunk.

        With more than one chunk and gradients wanted, a layer's internals are kept for one chunk only: peak memory is
        the layer inputs of the batch and the internals of one layer of one chunk. So it is with a single chunk for an
        engine that keeps much (`Engine.recompute`).
        """
        pool = self.pool
        if pool is None:
            raise RuntimeError(f"variant {self.config.variant} has no pooling")  # a caller's mistake, not a user's
        size = max(1, len(batch)) if chunk is None else chunk
        recompute = chunk is not None and (engine.recompute or size < len(batch)) and torch.is_grad_enabled()
        parts: list[Tensor] = []
        first: dict[str, Tensor] = {}
        for start in range(0, len(batch), size):
            plan = engine.plan(batch.alive(start, min(start + size, len(batch))), len(self.layers), known is not None)
            states = deque(self.encode(engine, inputs, plan, drop, recompute, known), maxlen=1).pop()
            first, genes = first or states, states[GENE]
            if recompute:
                parts.append(checkpoint(pool, engine, genes, plan[-1], use_reentrant=False, preserve_rng_state=False))
            else:
                parts.append(pool(engine, genes, plan[-1]))
        return torch.cat(parts), first

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
            Computed here if None. For inference compute it once and give it to every call.
        chunk : int, "auto" or None
            Genotypes that pass the graph together; `None` means all of them, without recomputation.
        drop : StepDropout or None
            Made here if None and training.

        Returns
        -------
        Output
            Predictions in float32 whatever the autocast (float64 for a float64 model).
        """
        if drop is None and self.training:
            drop = StepDropout(self.config.dropout)
        if self.pool is None:
            return self.compare(batch, wild or self.wild_type(engine, drop), None)
        if chunk == "auto":
            chunk = auto_chunk(engine, len(batch), self.config.layers, self.config.hidden, self.config.heads)
        size = None if chunk is None else int(chunk)
        if wild is None and not (engine.wild_type_first and len(batch)):
            wild = self.wild_type(engine, drop)
        inputs = self.inputs() if wild is None else wild.inputs
        known = None
        if wild is not None and engine.wild_type_first and not torch.is_grad_enabled():
            known = wild.layers
        z_i, states = self.genotypes(engine, inputs, batch, drop, size, known)
        if wild is None:  # its rows have just been computed with the genotypes'
            states = {t: x[: engine.num_nodes[t]] for t, x in states.items()}
            wild = WildType(inputs, [states], self.pool(engine, states[GENE], None), self._fm_states())
        return self.compare(batch, wild, z_i)

    def compare(self, batch: Batch, wild: WildType, z_i: Tensor | None) -> Output:
        """The variant's perturbation vector and its heads.

        Parameters
        ----------
        batch : Batch
        wild : WildType
        z_i : Tensor (B, h) or None
            None in `local`.
        """
        z_w = wild.z_w
        if self.set_encoder is not None:
            z_p = self._encode_set(batch, wild.states)
        elif self.perturbed_pool is not None and z_w is not None:
            longest = int(batch.perturbation.order.max(initial=1))
            z_p = self.perturbed_pool.copies(z_w, batch.lost[GENE][1].diff(), longest)
        else:
            z_p = _difference(z_w, z_i)
        if self.config.variant == "two-head":
            read = dict(zip(LABELS, (z_i, z_p), strict=True))
        elif self.config.variant == "both":
            read = dict.fromkeys(LABELS, torch.cat([z_p, _difference(z_w, z_i)], dim=-1))
        else:
            read = dict.fromkeys(LABELS, z_p)
        if "shared" in self.heads:
            predictions = self.heads["shared"](z_p)
        else:
            predictions = torch.cat([self.heads[label](read[label]) for label in LABELS], dim=-1)
        if predictions.dtype != torch.float64:
            predictions = predictions.float()
        if self.null_model is not None:
            predictions = self._from_fitness(batch, wild, predictions)
        squares = None
        if self.fm is not None:
            terms, squares = self.fm(batch, wild.fm_states)
            predictions = predictions + terms
        return Output(predictions, z_w, z_i, z_p, squares)

    def _encode_set(self, batch: Batch, states: dict[str, Tensor]) -> Tensor:
        tokens = batch.tokens(self.config.lost_reactions)
        # index_select and not [..]: the gradient of [..] adds up in no fixed order on several CPU threads
        means = _group_means(states[REACTION][:, 0], self.reaction_group, self.num_groups)
        lost = means.index_select(0, tokens.groups)
        assert self.set_encoder is not None
        still = batch.structural_lethality if self.config.structural_lethality else None
        return self.set_encoder(states[GENE][:, 0].index_select(0, tokens.genes), lost, tokens, still)

    def _from_fitness(self, batch: Batch, wild: WildType, predictions: Tensor) -> Tensor:
        """Predictions (B, 2) with the departure from the multiplicative model added to the interactions."""
        assert self.null_model is not None
        fitness = LABELS.index(FITNESS)
        singles = self.heads[FITNESS](self._encode_set(batch.singles, wild.states)).squeeze(-1)
        departure = self.null_model(batch, predictions[:, fitness], singles.to(predictions.dtype))
        interaction = torch.arange(len(LABELS), device=predictions.device) == LABELS.index(INTERACTION)
        return predictions + departure.unsqueeze(-1) * interaction


def _with_similarity(networks: tuple[str, ...]) -> tuple[str, ...]:
    if SIMILARITY in networks:  # no name of a relation in cells made today
        raise UsageError(
            f"--similarity: the cell has a relation '{SIMILARITY}' - preprocess it again with another name for that, "
            "leave it out of --networks, or add --no-similarity"
        )
    return (*networks, SIMILARITY)


def _group_means(states: Tensor, group: Tensor, groups: int) -> Tensor:
    """Mean state of each reaction's nodes: (N_r, h) -> (groups, h)."""
    total = states.new_zeros(groups, states.shape[1]).index_add_(0, group, states)
    return total / torch.bincount(group, minlength=groups).clamp(min=1).unsqueeze(-1)


def _difference(z_w: Tensor | None, z_i: Tensor | None) -> Tensor:
    if z_w is None or z_i is None:
        raise RuntimeError("this variant needs the pooled wild type and genotypes")  # a caller's mistake, not a user's
    return z_w - z_i
