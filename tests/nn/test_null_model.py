"""Structural lethality and the multiplicative model in `CellModel`, against the dense restatement and switched off."""

import dataclasses

import numpy as np
import pytest
import torch

from dglcell.config import ModelConfig, TrainConfig
from dglcell.engines.choice import make_engine
from dglcell.errors import UsageError
from dglcell.genotypes.scaler import Moments
from dglcell.nn.batch import Batch
from dglcell.nn.model import CellModel
from dglcell.nn.states import GraphSizes
from dglcell.schema import FITNESS, INTERACTION, LABELS
from dglcell.training.trainer import new_model
from tests.cells import growing_cell, tiny_cell
from tests.reference import dense

GENOTYPES = [[], [7], [0], [1, 2], [0, 7], [3, 4], [1, 2, 5], [2, 1], [5, 6]]
SCALE = (Moments(0.8, 0.3, 10), Moments(-0.02, 0.1, 10))


def make(**options):
    cell = growing_cell()
    torch.manual_seed(0)
    model = CellModel(ModelConfig(fm_rank=0, layers=2, hidden=8, **options), GraphSizes.of(cell)).double().eval()
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(0, 0.6)
    if model.readout.null_model is not None:
        model.readout.null_model.set_moments(*SCALE)
    return cell, model


def predict(cell, model, genotypes):
    batch = Batch.from_perturbation(cell.knock_out(*cell.indices(genotypes)), cell)
    return model(make_engine("torch", cell.dgl, "cpu"), batch).predictions


def test_standstill_by_one_alone_and_by_all_together():
    cell = growing_cell()
    batch = Batch.from_perturbation(cell.knock_out(*cell.indices(GENOTYPES)), cell)
    alone, joint = batch.structural_lethality.bool().T.tolist()
    assert [g for g, a in zip(GENOTYPES, alone, strict=True) if a] == [[0], [0, 7]]
    assert [g for g, j in zip(GENOTYPES, joint, strict=True) if j] == [[1, 2], [3, 4], [1, 2, 5], [2, 1]]


@pytest.mark.parametrize("variant", ["local", "both"])
def test_standstill_restated(variant):
    cell, model = make(structural_lethality=True, variant=variant)
    expected = dense.model(dense.weights_of(model), model.config, cell, GENOTYPES)["predictions"]
    np.testing.assert_allclose(predict(cell, model, GENOTYPES).detach(), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("structural_lethality", [False, True])
def test_departure_from_the_multiplicative_model_restated(structural_lethality):
    cell, model = make(multiplicative=True, structural_lethality=structural_lethality)
    assert model.readout.null_model is not None
    sets = [tuple(sorted(genes)) for genes in GENOTYPES]
    singles = sorted({(gene,) for genes in sets for gene in genes})
    plain = dataclasses.replace(model.config, multiplicative=False)
    rows = [*sets, *singles]
    expected = dense.model(dense.weights_of(model), plain, cell, rows)["predictions"]
    fitness = dict(zip(rows, expected[:, LABELS.index(FITNESS)], strict=True))
    for row, genes in enumerate(sets):
        if len(genes) == 2:
            expected[row, LABELS.index(INTERACTION)] += dense.departures(
                fitness, genes, model.readout.null_model.scale.numpy()
            )
    actual = predict(cell, model, GENOTYPES).detach()
    np.testing.assert_allclose(actual, expected[: len(sets)], rtol=0, atol=1e-10)


def test_a_batch_is_a_loop_over_its_genotypes_in_any_order_of_genes():
    cell, model = make(multiplicative=True, structural_lethality=True)
    together = predict(cell, model, GENOTYPES)
    one_by_one = torch.cat([predict(cell, model, [genes[::-1]]) for genes in GENOTYPES])
    torch.testing.assert_close(together, one_by_one, rtol=0, atol=1e-10)


def test_each_switch_changes_what_it_says_and_nothing_else():
    cell, plain = make()
    _, still = make(structural_lethality=True)
    _, product = make(multiplicative=True)
    product.load_state_dict(plain.state_dict(), strict=False)
    weights = {name: w for name, w in plain.state_dict().items() if name != "readout.set_encoder.project.weight"}
    still.load_state_dict(weights, strict=False)
    with torch.no_grad():
        still.readout.set_encoder.project.weight[:, :-2] = plain.readout.set_encoder.project.weight
    before = predict(cell, plain, GENOTYPES)
    changed = (predict(cell, still, GENOTYPES) - before).abs().amax(1) > 1e-9
    assert changed.tolist() == [len(g) > 0 and g not in ([7], [5, 6]) for g in GENOTYPES]
    difference = (predict(cell, product, GENOTYPES) - before).abs() > 1e-9
    assert not difference[:, LABELS.index(FITNESS)].any()
    assert difference[:, LABELS.index(INTERACTION)].tolist() == [len(g) == 2 for g in GENOTYPES]


def test_gradients_of_interactions_reach_fitness_of_singles():
    cell, model = make(multiplicative=True)
    predict(cell, model, [[1, 2]])[0, LABELS.index(INTERACTION)].backward()
    assert model.readout.heads[FITNESS][0].weight.grad.any()


def test_what_cannot_be_is_refused():
    with pytest.raises(UsageError, match="structural_lethality needs the set encoder"):
        TrainConfig(structural_lethality=True, lost_reactions=False).validate()
    with pytest.raises(UsageError, match='multiplicative with variant="both"'):
        TrainConfig(multiplicative=True, variant="both").validate()
    with pytest.raises(UsageError, match="no growth reaction that can carry flux"):
        new_model(tiny_cell(), TrainConfig(structural_lethality=True))
