"""The fused engine against the DGL one: whole models, single operators, and the rows that it shares."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from dglcell.config import ModelConfig
from dglcell.engines.choice import make_engine
from dglcell.engines.node_masks import NodeMasks
from dglcell.engines.numba import memory
from dglcell.engines.packed import affected_nodes, delta_states
from dglcell.engines.packed.affected_nodes import Sparse
from dglcell.engines.packed.delta_states import Rows
from dglcell.nn.batch import Batch
from dglcell.nn.dropout import StepDropout
from dglcell.nn.model import CellModel
from dglcell.nn.states import GraphSizes
from dglcell.schema import GENE, GPR, METABOLITE, PHYSICAL, REACTION
from tests.cells import random_genotypes, tiny_cell

NAMES = ("feedback", "residual", "gate", "attention")
OPTIONS = list(itertools.product([True, False], repeat=len(NAMES)))
IDS = ["-".join(itertools.compress(NAMES, options)) for options in OPTIONS]


def batch_of(cell, genotypes):
    return Batch.from_perturbation(cell.knock_out(*cell.indices(genotypes)), cell)


def results(cell, engine, config, genotypes):
    """Predictions, z_i and all gradients of a model with the same random weights whatever the engine."""
    torch.manual_seed(1)
    model = CellModel(config, GraphSizes.of(cell)).double()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    torch.manual_seed(2)
    output = model(make_engine(engine, cell.dgl, "cpu"), batch_of(cell, genotypes), drop=StepDropout(0.3))
    (output.predictions.sin().sum() + output.z_i.cos().sum()).backward()
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return {"predictions": output.predictions.detach(), "z_i": output.z_i.detach(), "z_w": output.z_w.detach(), **found}


@pytest.mark.parametrize("options", OPTIONS, ids=IDS)
@pytest.mark.parametrize("layers", [1, 3])
def test_every_option_equals_dgl(options, layers):
    """Dropout is on: its masks are shared, so sharing rows stays exact in training."""
    seed = sum(on << k for k, on in enumerate(options)) + 16 * layers
    cell = tiny_cell(seed, genes=20, reactions=9, self_loops=bool(seed % 2))
    config = ModelConfig(
        fm_rank=0, layers=layers, hidden=8, variant="both", dropout=0.0, **dict(zip(NAMES, options, strict=True))
    )
    genotypes = [*random_genotypes(cell, 6, seed=seed), cell.ids[GENE]]  # the last loses every gene
    expected, found = (results(cell, engine, config, genotypes) for engine in ("dgl", "fused"))
    assert expected.keys() == found.keys()
    for name in expected:
        torch.testing.assert_close(
            found[name], expected[name], rtol=1e-10, atol=1e-10, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.mark.parametrize("options", OPTIONS, ids=IDS)
@pytest.mark.parametrize("chunk", [None, 2])
def test_a_known_wild_type_is_not_computed_again(monkeypatch, options, chunk):
    """Rows that a pass leaves out hold NaN here, so that nothing can read them unnoticed."""
    cell = tiny_cell(3, genes=20, reactions=9)
    config = ModelConfig(
        fm_rank=0, layers=3, hidden=8, variant="both", dropout=0.0, **dict(zip(NAMES, options, strict=True))
    )
    model = CellModel(config, GraphSizes.of(cell)).double().eval()
    engine, batch = make_engine("fused", cell.dgl, "cpu"), batch_of(cell, random_genotypes(cell, 5, seed=3))
    with torch.no_grad():
        expected = model(engine, batch).predictions
        wild = model.wild_type(engine)
        monkeypatch.setattr(memory, "empty", lambda like, *shape: like.new_full(shape, torch.nan))
        x = torch.ones(20, 1, 1, 8).double()
        left_out = engine.gatv2(PHYSICAL, x, x, x[0, 0], x[0, 0], engine.plan(batch.alive(), 1, wild.layers)[0])[:20]
        found = model(engine, batch, wild, chunk=chunk).predictions
    assert left_out.isnan().all()
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("variant", ["local", "both"])
def test_a_cell_without_metabolism(variant):
    cell = tiny_cell(4, metabolism=False, regulatory=False)
    config = ModelConfig(fm_rank=0, layers=2, hidden=8, variant=variant)
    model = CellModel(config, GraphSizes.of(cell)).double().eval()
    batch = batch_of(cell, random_genotypes(cell, 4))
    found, expected = (model(make_engine(name, cell.dgl, "cpu"), batch).predictions for name in ("fused", "dgl"))
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_changes_rounding_alone(threads):
    cell = tiny_cell(3)
    config = ModelConfig(fm_rank=0, layers=2, hidden=8, variant="difference", gate=True, attention=True)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        found = results(cell, "fused", config, random_genotypes(cell, 5))
    finally:
        torch.set_num_threads(before)
    expected = results(cell, "dgl", config, random_genotypes(cell, 5))
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-10, atol=1e-10)


def operator(name):
    """An operator of the fused engine at the second layer of two genotypes, and inputs for it."""
    cell = tiny_cell(2)
    engine = make_engine("fused", cell.dgl, "cpu")
    where = engine.plan(batch_of(cell, [[0, 3], [5]]).alive(), 2)[1]
    torch.manual_seed(0)

    def states(rows, *shape):
        return torch.randn(len(rows), 1, *shape, dtype=torch.float64, requires_grad=True)

    before, after = where.before, where.after
    a, bias = (torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    alpha = torch.rand(
        len(engine.stoich_attention(states(before[METABOLITE], 2), states(before[REACTION], 2), where)), 1, 2
    )
    alpha = alpha.double().requires_grad_()
    return {
        "physical": (
            lambda s, d, a, b: engine.gatv2(PHYSICAL, s, d, a, b, where),
            [*[states(before[GENE], 2, 3)] * 2, a, bias],
        ),
        "gpr": (
            lambda s, d, a, b: engine.gatv2(GPR, s, d, a, b, where),
            [states(before[GENE], 2, 3), states(before[REACTION], 2, 3), a, bias],
        ),
        "attention": (
            lambda m, r: engine.stoich_attention(m, r, where),
            [states(before[METABOLITE], 2), states(before[REACTION], 2)],
        ),
        "to_reactions": (lambda x: engine.to_reactions(x, None, where), [states(before[METABOLITE], 2, 3)]),
        "to_reactions_alpha": (
            lambda x, w: engine.to_reactions(x, w, where),
            [states(before[METABOLITE], 2, 3), alpha],
        ),
        "to_metabolites": (lambda u: engine.to_metabolites(u, None, where), [states(after[REACTION], 2, 3)]),
        "to_metabolites_alpha": (
            lambda u, w: engine.to_metabolites(u, w, where),
            [states(after[REACTION], 2, 3), alpha],
        ),
        "pool": (lambda v, s: engine.pool(v, s, where), [states(after[GENE], 4), states(after[GENE])]),
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        *("physical", "gpr", "attention", "to_reactions", "to_reactions_alpha"),
        *("to_metabolites", "to_metabolites_alpha", "pool"),
    ],
)
def test_gradients_are_those_of_finite_differences(name):
    function, inputs = operator(name)
    assert torch.autograd.gradcheck(function, inputs, eps=1e-6, atol=1e-7)


def test_only_reached_rows_are_stored():
    """A chain 0 -> 1 -> .. -> 9: after layer l a deletion of gene 4 has changed genes 5 .. 4 + l, and no more."""
    chain = np.arange(9), np.arange(1, 10)
    none = np.zeros(0, dtype=np.int64)
    sizes = {GENE: 10, REACTION: 0, METABOLITE: 0}
    empty, empty_genes = Sparse.of(none, none, 0), Sparse.of(none, none, 10)
    relations = {"next": (GENE, GENE, Sparse.of(*chain, 10)), "catalysed_by": (REACTION, GENE, empty_genes)}
    for name, ends in (("gpr", (GENE, REACTION)), ("in", (METABOLITE, REACTION)), ("of", (REACTION, METABOLITE))):
        relations[name] = (*ends, empty)
    lost = {t: (none, np.zeros(3, dtype=np.int64)) for t in sizes}
    lost[GENE] = (np.array([4]), np.array([0, 0, 1]))
    for number, layer in enumerate(
        delta_states.plan(relations, sizes, NodeMasks(lost, sizes, torch.device("cpu")), 3), 1
    ):
        rows = layer.after[GENE]
        assert rows.node[10:].tolist() == list(range(5, 5 + number))
        assert (rows.genotype[10:] == 2).all()
        assert rows.lookup[2, 4] == -1 and (rows.lookup[:2] == np.arange(10)).all()


def test_bits_are_genotypes():
    """More genotypes than a word has bits; the same node lost by several."""
    ptr = np.arange(131)
    rows = np.arange(130) % 3
    bits = affected_nodes.pack((rows, ptr), 4)
    dense = affected_nodes.unpack(bits, 130)
    assert bits.shape == (4, 3)
    assert np.array_equal(dense, rows[:, None] == np.arange(4))
    assert affected_nodes.count(bits).tolist() == [44, 43, 43, 0]


def test_rows_find_their_predecessors():
    dead = np.zeros((1, 4), dtype=bool)
    dead[0, 0] = True
    before = Rows.changed(np.array([[False, True, False, False]]), dead)
    after = Rows.changed(np.array([[False, True, True, False]]), dead)
    assert after.within(before).tolist() == [0, 1, 2, 3, 4, 2]


def test_work_is_cut_evenly():
    edges = Sparse.of(np.zeros(100, dtype=np.int64), np.zeros(100, dtype=np.int64), 5)
    assert delta_states.cuts(Rows.shared(5), edges, 2).tolist() == [0, 0, 5]
    assert delta_states.cuts(Rows.shared(0), Sparse.of(np.zeros(0, int), np.zeros(0, int), 0), 2).tolist() == [0, 0, 0]
