"""From states to predictions: the perturbation vector of each variant, and its heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dglcell.config import ModelConfig
from dglcell.nn.batch import Batch
from dglcell.nn.mlp import head
from dglcell.nn.null_model import MultiplicativeNullModel
from dglcell.nn.pooling import AttentionalPool
from dglcell.nn.set_encoder import SetEncoder
from dglcell.nn.states import WildType
from dglcell.schema import FITNESS, GENE, INTERACTION, LABELS, REACTION


class Readout(nn.Module):
    """Compares a genotype with the wild type and predicts its labels; see `CellModel` for the variants.

    Parameters
    ----------
    config : ModelConfig
    reaction_group : Tensor (N_r,) int64
        The reaction of the metabolic model that each reaction node belongs to.
    """

    reaction_group: Tensor

    def __init__(self, config: ModelConfig, reaction_group: Tensor) -> None:
        super().__init__()
        self.config = config
        h, variant, dropout = config.hidden, config.variant, config.dropout
        self.register_buffer("reaction_group", reaction_group.clone(), persistent=False)
        self.num_groups = int(reaction_group.max()) + 1 if len(reaction_group) else 0
        self.perturbed_pool = AttentionalPool(h) if variant == "two-head" else None
        encodes_sets = variant in ("local", "both")
        self.set_encoder = SetEncoder(h, dropout, config.structural_lethality) if encodes_sets else None
        self.null_model = MultiplicativeNullModel() if config.multiplicative else None
        if variant == "difference":
            self.heads = nn.ModuleDict({"shared": head(h, h, len(LABELS), dropout)})
        else:
            width = 2 * h if variant == "both" else h
            self.heads = nn.ModuleDict({label: head(width, h, 1, dropout) for label in LABELS})

    def forward(self, batch: Batch, wild: WildType, z_i: Tensor | None) -> tuple[Tensor, Tensor]:
        """Predictions (B, labels), in float32 whatever the autocast (float64 for a float64 model), and `z_p` (B, h).

        Parameters
        ----------
        batch : Batch
        wild : WildType
        z_i : Tensor (B, h) or None
            Pooled genotypes; None in `local`.
        """
        z_p = self._perturbation_vector(batch, wild, z_i)
        if "shared" in self.heads:
            predictions = self.heads["shared"](z_p)
        else:
            inputs = self._head_inputs(z_p, wild.z_w, z_i)
            predictions = torch.cat([self.heads[label](inputs[label]) for label in LABELS], dim=-1)
        if predictions.dtype != torch.float64:
            predictions = predictions.float()
        if self.null_model is not None:
            predictions = predictions + self._null_interaction(self.null_model, batch, wild, predictions)
        return predictions, z_p

    def _perturbation_vector(self, batch: Batch, wild: WildType, z_i: Tensor | None) -> Tensor:
        if self.set_encoder is not None:
            return self._encode_set(batch, wild.states)
        if self.perturbed_pool is not None and wild.z_w is not None:
            longest = int(batch.perturbation.order.max(initial=1))
            return self.perturbed_pool.copies(wild.z_w, batch.lost[GENE][1].diff(), longest)
        return _difference(wild.z_w, z_i)

    def _head_inputs(self, z_p: Tensor, z_w: Tensor | None, z_i: Tensor | None) -> dict[str, Tensor | None]:
        """Input of the head of each label."""
        if self.config.variant == "two-head":
            return dict(zip(LABELS, (z_i, z_p), strict=True))
        if self.config.variant == "both":
            return dict.fromkeys(LABELS, torch.cat([z_p, _difference(z_w, z_i)], dim=-1))
        return dict.fromkeys(LABELS, z_p)

    def _encode_set(self, batch: Batch, states: dict[str, Tensor]) -> Tensor:
        tokens = batch.tokens(self.config.lost_reactions)
        # index_select and not [..]: the sums in the gradient of [..] depend on the timing of CPU threads
        means = _group_means(states[REACTION][:, 0], self.reaction_group, self.num_groups)
        lost = means.index_select(0, tokens.groups)
        assert self.set_encoder is not None
        lethal = batch.structural_lethality if self.config.structural_lethality else None
        return self.set_encoder(states[GENE][:, 0].index_select(0, tokens.genes), lost, tokens, lethal)

    def _null_interaction(
        self, null_model: MultiplicativeNullModel, batch: Batch, wild: WildType, predictions: Tensor
    ) -> Tensor:
        """Term of the multiplicative null model (B, labels): 0 except for interactions of double deletions."""
        singles = self.heads[FITNESS](self._encode_set(batch.singles, wild.states)).squeeze(-1)
        epsilon = null_model(batch, predictions[:, LABELS.index(FITNESS)], singles.to(predictions.dtype))
        interaction = torch.arange(len(LABELS), device=predictions.device) == LABELS.index(INTERACTION)
        return epsilon.unsqueeze(-1) * interaction


def _group_means(states: Tensor, group: Tensor, groups: int) -> Tensor:
    """Mean state of each reaction's nodes: (N_r, h) -> (groups, h)."""
    total = states.new_zeros(groups, states.shape[1]).index_add_(0, group, states)
    return total / torch.bincount(group, minlength=groups).clamp(min=1).unsqueeze(-1)


def _difference(z_w: Tensor | None, z_i: Tensor | None) -> Tensor:
    if z_w is None or z_i is None:
        raise RuntimeError("this variant needs the pooled wild type and genotypes")  # an error of the caller
    return z_w - z_i
