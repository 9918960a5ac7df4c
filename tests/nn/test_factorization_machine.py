"""Pair terms of gene factors, against a dense restatement over sets of any size."""

import dataclasses

import numpy as np
import pytest
import torch

from dglcell.config import ModelConfig
from dglcell.engines.choice import make_engine
from dglcell.errors import UsageError
from dglcell.graph.pagerank import diffuse, networks
from dglcell.nn.batch import Batch
from dglcell.nn.factorization_machine import GeneFactorizationMachine
from dglcell.nn.model import CellModel
from dglcell.nn.states import GraphSizes
from dglcell.schema import FITNESS, GENE, INTERACTION, LABELS, METABOLIC, PHYSICAL, REGULATORY, VARIANTS
from tests.cells import tiny_cell

K, NEAREST = 3, 5
GENOTYPES = [[], [0, 3], [2], [1, 2, 5, 7], [11], [4, 5, 6], [11, 0]]
UNSEEN = 11


@pytest.fixture(params=[0, 4], ids=["no features", "features"])
def cell(request):
    return tiny_cell(features=request.param)


@pytest.fixture
def factors(cell):
    torch.manual_seed(0)
    features = None if cell.features is None else torch.from_numpy(cell.features)
    made = GeneFactorizationMachine(12, networks(cell), K, NEAREST, features, torch.from_numpy(cell.has_features))
    made.set_neighbors(diffuse(cell, 0.1, NEAREST, networks(cell)), torch.arange(UNSEEN))
    with torch.no_grad():
        for p in made.parameters():
            p.copy_(torch.randn_like(p))
    return made.double()


def batch_of(cell, genotypes=GENOTYPES):
    return Batch.from_perturbation(cell.knock_out(*cell.indices(genotypes)), cell)


def numbers(tensor):
    return tensor.detach().numpy()


def dense_states(cell, factors):
    states = numbers(factors.identity).copy()
    states[UNSEEN] = 0
    sources = len(factors.networks) + (cell.features is not None)
    if cell.features is not None:
        has = np.flatnonzero(cell.has_features)
        assert 0 < len(has) < 12
        middle = sum(cell.features[g] for g in has) / len(has)
        length = np.sqrt(np.mean([(cell.features[g] - middle) @ (cell.features[g] - middle) for g in has]))
        for g in has:
            x = (cell.features[g] - middle) / length / np.sqrt(sources)
            states[g, 2 * K :] += x @ numbers(factors.feature_weight)
    for name, neighbors in diffuse(cell, 0.1, NEAREST, networks(cell)).items():
        around = numbers(factors.network[f"of_{name}"])
        for gene in range(12):
            for index, weight in zip(neighbors.index[gene], neighbors.weight[gene], strict=True):
                states[gene] += weight.astype(float) * around[index] / np.sqrt(sources)
    return states


def dense_terms(states, genotypes):
    u, v, b = states[:, :K], states[:, K : 2 * K], states[:, 2 * K :]
    terms = np.zeros((len(genotypes), len(LABELS)))
    for row, genes in enumerate(genotypes):
        for i in genes:
            terms[row] += 0.3 * b[i]
            terms[row, LABELS.index(INTERACTION)] += sum(u[i] @ v[j] for j in genes if i != j)
    return terms


@pytest.mark.parametrize("training", [True, False])
def test_terms(cell, factors, training):
    factors.train(training)
    states = dense_states(cell, factors)
    terms, squares = factors(batch_of(cell))
    close = 1e-12 if cell.features is None else 1e-5  # features are scaled in float32
    np.testing.assert_allclose(numbers(terms), dense_terms(states, GENOTYPES), atol=close)
    np.testing.assert_allclose(numbers(factors.states(torch.arange(12))), states, atol=close)
    assert (squares is None) == (not training)
    if not training:
        table = factors.states(torch.arange(12))
        np.testing.assert_allclose(numbers(factors(batch_of(cell), table)[0]), numbers(terms), atol=1e-14)


def test_squares(cell, factors):
    identity, networks = factors(batch_of(cell))[1]
    squares = {
        name: (numbers(f)[:, :-2] ** 2).sum(1) + 0.2 * (numbers(f)[:, -2:] ** 2).sum(1)
        for name, f in {"own": factors.identity, **{n: factors.network[f"of_{n}"] for n in factors.networks}}.items()
    }
    assert identity.item() == pytest.approx(
        sum(squares["own"][g] for genes in GENOTYPES for g in genes) / len(GENOTYPES)
    )
    of_features = 0 if cell.features is None else 0.2 * (numbers(factors.feature_weight) ** 2).sum()
    assert networks.item() == pytest.approx((sum(squares[name].sum() for name in factors.networks) + of_features) / 12)


def test_gradients(cell, factors):
    batch = batch_of(cell)
    names = [name for name, _ in factors.named_parameters()]

    def compute(*values):
        terms, (identity, networks) = torch.func.functional_call(
            factors, dict(zip(names, values, strict=True)), (batch,)
        )
        return terms, identity, networks

    assert torch.autograd.gradcheck(compute, [p.detach().clone().requires_grad_() for p in factors.parameters()])


def test_own_factors_of_a_gene_that_training_does_not_see_say_nothing(cell, factors):
    batch = batch_of(cell, [[UNSEEN, 0], [UNSEEN]])
    before = numbers(factors(batch)[0])
    factors(batch)[0].sum().backward()
    assert not factors.identity.grad[UNSEEN].any()
    assert factors.identity.grad[0].any()
    with torch.no_grad():
        factors.identity[UNSEEN] += 1
    np.testing.assert_array_equal(numbers(factors(batch)[0]), before)
    with torch.no_grad():
        factors.identity[0] += 1
    assert not np.allclose(numbers(factors(batch)[0])[0], before[0])


@pytest.mark.parametrize("name", ["values", "training", "copy", "type"])
def test_a_network_may_be_called_like_a_method(name):
    factors = GeneFactorizationMachine(4, (name,), K, 2)
    assert factors.eval().states(torch.arange(4)).shape == (4, 2 * K + 2)


def test_networks_can_be_chosen(cell):
    sizes, config = GraphSizes.of(cell), ModelConfig(layers=1, hidden=8, fm_rank=K, similarity=False, ppr_topk=NEAREST)
    assert CellModel(config, sizes).fm.networks == (PHYSICAL, REGULATORY, METABOLIC)
    chosen = dataclasses.replace(config, networks=(METABOLIC, PHYSICAL))
    model = CellModel(chosen, sizes)
    assert model.fm.networks == (PHYSICAL, METABOLIC)
    assert not any(REGULATORY in name for name in model.fm.state_dict())
    words = "networks binding,text - the cell has physical_interaction, regulatory_interaction, metabolic"
    with pytest.raises(UsageError, match=words):
        CellModel(dataclasses.replace(config, networks=("text", PHYSICAL, "binding")), sizes)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_model_adds_them_to_its_heads(cell, variant):
    """Without factors a model predicts what one with factors does, less the terms."""
    torch.manual_seed(0)
    sizes, config = GraphSizes.of(cell), {"layers": 1, "hidden": 8, "heads": 2, "variant": variant}
    model = CellModel(ModelConfig(**config, fm_rank=K, similarity=False, ppr_topk=NEAREST), sizes).double().eval()
    model.fm.set_neighbors(diffuse(cell, 0.1, NEAREST, networks(cell)), torch.arange(UNSEEN))
    plain = CellModel(ModelConfig(fm_rank=0, **config), sizes).double().eval()
    plain.load_state_dict({n: t for n, t in model.state_dict().items() if not n.startswith("fm.")})
    engine, batch = make_engine("torch", cell.dgl, "cpu"), batch_of(cell)
    found = model(engine, batch)
    assert found.squares is None
    terms = model.fm(batch)[0]
    assert terms[1:].abs().min(dim=0).values[LABELS.index(FITNESS)] == 0  # biases start at 0
    torch.testing.assert_close(found.predictions, plain(engine, batch).predictions + terms, rtol=0, atol=1e-12)
    given = model(engine, batch, model.wild_type(engine))
    torch.testing.assert_close(given.predictions, found.predictions, rtol=0, atol=1e-12)
    assert model.wild_type(engine).fm_states.shape == (cell.num_nodes(GENE), 2 * K + 2)
    assert model.train()(engine, batch).squares is not None
