"""Layers and variants against the dense restatement, to 1e-10 in float64, on both engines."""

import numpy as np
import pytest
import torch

from dglcell.config import ModelConfig
from dglcell.engines import segments
from dglcell.engines.choice import make_engine
from dglcell.graph.knockouts import Perturbation
from dglcell.nn.batch import Batch, Tokens
from dglcell.nn.gatv2 import GATv2
from dglcell.nn.hetero_layer import HeteroLayer
from dglcell.nn.model import CellModel
from dglcell.nn.pooling import AttentionalPool
from dglcell.nn.set_encoder import SetEncoder
from dglcell.nn.states import GraphSizes
from dglcell.nn.stoich_conv import StoichConv
from dglcell.schema import NODE_TYPES, VARIANTS
from tests.cells import tiny_cell
from tests.reference import dense

H = 8
GENOTYPES = [[], [0, 3], [2], [1, 2, 5, 7], [11], [4, 5, 6, 8, 9, 10]]


@pytest.fixture(params=["dgl", "torch"])
def engine_name(request, monkeypatch):
    monkeypatch.setattr(segments, "_BLOCK_BYTES", {"cpu": 1})  # several blocks even on a tiny graph
    monkeypatch.setattr(segments, "_MIN_BLOCK", 7)
    return request.param


def randomise(module, seed=0):
    """Every weight random, so that no bias of 0 and no gain of 1 hides a mistake."""
    torch.manual_seed(seed)
    module.double().eval()
    with torch.no_grad():
        for p in module.parameters():
            p.normal_(0, 0.6)
    return module


def states(cell, genotypes, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return {
        t: torch.randn(cell.num_nodes(t), genotypes, H, dtype=torch.float64, generator=generator) for t in NODE_TYPES
    }


def batch_of(cell, genotypes):
    return Batch.from_perturbation(cell.knock_out(*cell.indices(genotypes)), cell)


def rows_of(cell, x, b, genes):
    left = dense.Cell(cell, genes)
    return left, {t: x[t][:, b % x[t].shape[1]].numpy()[left.kept[t]] for t in NODE_TYPES}


def assert_close(actual, expected, tolerance=1e-10):
    np.testing.assert_allclose(actual.detach().numpy(), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("shared", [1, len(GENOTYPES)], ids=["shared_input", "own_input"])
@pytest.mark.parametrize("relation", ["physical_interaction", "regulatory_interaction", "gpr", "catalysed_by"])
def test_gatv2(engine_name, relation, shared):
    cell = tiny_cell()
    conv = randomise(GATv2(H, 2))
    engine = make_engine(engine_name, cell.dgl, "cpu")
    x = states(cell, shared)
    r = cell.relations[relation]
    y = conv(engine, relation, x[r.src_type], x[r.dst_type], batch_of(cell, GENOTYPES).alive())
    for b, genes in enumerate(GENOTYPES):
        left, rows = rows_of(cell, x, b, genes)
        expected = dense.gatv2(dense.weights_of(conv), rows[r.src_type], rows[r.dst_type], left.edges[relation])
        assert_close(y[left.kept[r.dst_type], b], expected)


@pytest.mark.parametrize("shared", [1, len(GENOTYPES)], ids=["shared_input", "own_input"])
@pytest.mark.parametrize("gate", [False, True])
@pytest.mark.parametrize("attention", [False, True])
def test_stoichiometric_convolution(engine_name, gate, attention, shared):
    cell = tiny_cell()
    conv = randomise(StoichConv(H, 2, gate, attention))
    engine = make_engine(engine_name, cell.dgl, "cpu")
    x = states(cell, shared)
    u, y = conv(engine, x["metabolite"], x["reaction"], batch_of(cell, GENOTYPES).alive())
    for b, genes in enumerate(GENOTYPES):
        left, rows = rows_of(cell, x, b, genes)
        weights = dense.weights_of(conv)
        U, Y = dense.stoich(weights, rows["metabolite"], rows["reaction"], left.S, left.incidence, heads=2)
        c = min(b, u.shape[1] - 1)
        assert_close(u[left.kept["reaction"], c], U)
        assert_close(y[left.kept["metabolite"], c], Y)


def test_stoichiometric_convolution_follows_its_matrix_formula(engine_name):
    cell = tiny_cell()
    conv = randomise(StoichConv(H, 1, gate=False, attention=False))
    x = states(cell, 1)
    u, y = conv(make_engine(engine_name, cell.dgl, "cpu"), x["metabolite"], x["reaction"], None)
    S = torch.from_numpy(dense.Cell(cell).S)
    W, b = conv.weight.weight.T, conv.bias
    U = torch.diag(1 / S.abs().sum(0)) @ S.T @ x["metabolite"][:, 0] @ W
    D = S.abs().sum(1)
    inverse = torch.where(D > 0, 1 / D, 0.0)  # the last metabolite has no reaction
    assert D[-1] == 0
    torch.testing.assert_close(u[:, 0], U, rtol=0, atol=1e-10)
    torch.testing.assert_close(y[:, 0], torch.diag(inverse) @ S @ U + b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("feedback", [True, False])
@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("last", [True, False])
def test_layer(engine_name, feedback, residual, last):
    cell = tiny_cell()
    config = ModelConfig(fm_rank=0, hidden=H, heads=2, feedback=feedback, residual=residual)
    relations = ["physical_interaction", "regulatory_interaction"]
    options = {"feedback": feedback, "residual": residual, "gate": True, "attention": True, "last": last}
    layer = randomise(HeteroLayer(relations, H, 2, **options))
    x = states(cell, len(GENOTYPES))
    new = layer(make_engine(engine_name, cell.dgl, "cpu"), x, batch_of(cell, GENOTYPES).alive(), None)
    for b, genes in enumerate(GENOTYPES):
        left, rows = rows_of(cell, x, b, genes)
        expected = dense.layer(dense.weights_of(layer), config, left, relations, rows, last)
        for t in NODE_TYPES:
            assert_close(new[t][left.kept[t], b], expected[t])


def test_pool(engine_name):
    cell = tiny_cell()
    pool = randomise(AttentionalPool(H))
    everything = list(range(cell.num_nodes("gene")))
    genotypes = [*GENOTYPES, everything]
    x = states(cell, len(genotypes))["gene"]
    z = pool(make_engine(engine_name, cell.dgl, "cpu"), x, batch_of(cell, genotypes).alive())
    for b, genes in enumerate(genotypes):
        kept = [g for g in everything if g not in genes]
        assert_close(z[b], dense.pool(dense.weights_of(pool), x[kept, b].numpy()))
    assert torch.equal(z[-1], torch.zeros(H, dtype=torch.float64))  # the empty set


def test_set_encoder():
    encoder = randomise(SetEncoder(H, 0.1))
    gene_counts, reaction_counts = [2, 0, 1, 3, 0], [0, 0, 32, 33, 1]
    genes, reactions = (torch.randn(sum(n), H, dtype=torch.float64) for n in (gene_counts, reaction_counts))
    gene_ptr, reaction_ptr = (torch.tensor([0, *np.cumsum(n)]) for n in (gene_counts, reaction_counts))
    joint = torch.arange(len(reactions)) % 3 == 0
    nothing, nowhere = np.empty(0, np.int64), np.zeros(6, np.int64)
    lost = Perturbation(
        *(np.arange(len(genes)), gene_ptr.numpy()),
        *(nothing, nowhere, nothing, nowhere),
        *(np.arange(len(reactions)), reaction_ptr.numpy(), joint.numpy()),
    )
    z = encoder(genes, reactions, Tokens.of(lost))
    parts = ((genes, gene_ptr), (reactions, reaction_ptr), (joint, reaction_ptr))
    for b in range(5):
        mine = [x[p[b] : p[b + 1]].numpy() for x, p in parts]
        assert_close(z[b], dense.set_encoder(dense.weights_of(encoder), *mine))
    torch.testing.assert_close(z[1], encoder.project.bias)  # the empty set pools to 0


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"feedback": False},
        {"residual": True, "gate": True, "attention": True, "layers": 3},
        {"features_mode": "replace", "layers": 1, "lost_reactions": False},
    ],
    ids=["default", "no_feedback", "all_on", "replace"],
)
def test_variants(engine_name, variant, options):
    cell = tiny_cell(features=3)
    config = ModelConfig(**{"fm_rank": 0, "layers": 2, "hidden": H, "heads": 2, "variant": variant, **options})
    features, has = torch.from_numpy(cell.features).double(), torch.from_numpy(cell.has_features)
    model = randomise(CellModel(config, GraphSizes.of(cell), features, has))
    output = model(make_engine(engine_name, cell.dgl, "cpu"), batch_of(cell, GENOTYPES))
    expected = dense.model(dense.weights_of(model), config, cell, GENOTYPES)
    assert_close(output.predictions, expected["predictions"])
    for name in ("z_i", "z_p"):
        actual = getattr(output, name)
        assert (actual is None) == (expected[name] is None)
        if actual is not None:
            assert_close(actual, expected[name])
    if output.z_w is not None:
        assert_close(output.z_w[0], expected["z_w"])


def test_without_gene_features_the_embedding_is_enough(engine_name):
    cell = tiny_cell()
    config = ModelConfig(fm_rank=0, layers=1, hidden=H, variant="both")
    model = randomise(CellModel(config, GraphSizes.of(cell)))
    output = model(make_engine(engine_name, cell.dgl, "cpu"), batch_of(cell, GENOTYPES))
    assert_close(output.predictions, dense.model(dense.weights_of(model), config, cell, GENOTYPES)["predictions"])


def test_the_restatement_covers_every_weight():
    """No parameter is left out of the parity tests because nothing reads it."""
    cell = tiny_cell(features=3)
    features, has = torch.from_numpy(cell.features).double(), torch.from_numpy(cell.has_features)
    for variant in VARIANTS:
        config = ModelConfig(fm_rank=0, layers=2, hidden=H, variant=variant, gate=True, attention=True)
        model = randomise(CellModel(config, GraphSizes.of(cell), features, has))
        model(make_engine("torch", cell.dgl, "cpu"), batch_of(cell, GENOTYPES)).predictions.sum().backward()
        unread = [name for name, p in model.named_parameters() if p.grad is None]
        assert not unread, unread
