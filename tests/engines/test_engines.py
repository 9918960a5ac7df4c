"""Operators of both engines: numerical gradients, empty and missing things, choice of engine, memory."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from dglcell import _dgl, schema
from dglcell.engines import choice, memory, segments
from dglcell.engines.base import Engine
from dglcell.engines.choice import choose, make_engine
from dglcell.engines.memory import auto_chunk
from dglcell.engines.operators import masked_softmax
from dglcell.errors import UsageError
from dglcell.nn.batch import Batch
from tests.cells import tiny_cell

GENOTYPES = [[], [0, 3], [4, 5, 6, 8, 9, 10]]
HEADS, WIDTH = 2, 3


@pytest.fixture(params=["dgl", "torch"])
def engine(request):
    return make_engine(request.param, small().dgl, "cpu")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Several blocks even on a tiny graph."""
    monkeypatch.setattr(segments, "_BLOCK_BYTES", {"cpu": 1})
    monkeypatch.setattr(segments, "_MIN_BLOCK", 7)


def small():
    return tiny_cell(genes=12, reactions=4, metabolites=6)


def alive_of(cell, genotypes=GENOTYPES):
    return Batch.from_perturbation(cell.knock_out(*cell.indices(genotypes)), cell).alive()


def random(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator).requires_grad_()


# B of the source, B of the target, whether genotypes are masked.
BROADCASTS = [(1, 1, False), (1, 1, True), (3, 3, True), (1, 3, True), (3, 1, True), (3, 1, False)]


def test_engines_have_the_interface(engine):
    assert isinstance(engine, Engine)
    assert engine.num_nodes == small().sizes


@pytest.mark.parametrize(("b_src", "b_dst", "masked"), BROADCASTS)
@pytest.mark.parametrize("relation", [schema.PHYSICAL, schema.GPR, schema.CATALYSED_BY])
def test_gatv2_gradient(engine, relation, b_src, b_dst, masked):
    cell = small()
    r = cell.relations[relation]
    x_src = random(cell.num_nodes(r.src_type), b_src, HEADS, WIDTH)
    x_dst = random(cell.num_nodes(r.dst_type), b_dst, HEADS, WIDTH, seed=1)
    alive = alive_of(cell) if masked else None
    inputs = x_src, x_dst, random(HEADS, WIDTH, seed=2), random(HEADS, WIDTH, seed=3)
    assert gradcheck(lambda s, d, a, b: engine.gatv2(relation, s, d, a, b, alive), inputs, fast_mode=True)


@pytest.mark.parametrize(("b_m", "b_r", "masked"), BROADCASTS)
def test_stoich_attention_gradient(engine, b_m, b_r, masked):
    cell = small()
    alive = alive_of(cell) if masked else None
    inputs = random(cell.num_nodes("metabolite"), b_m, HEADS), random(cell.num_nodes("reaction"), b_r, HEADS, seed=1)
    assert gradcheck(lambda m, r: engine.stoich_attention(m, r, alive), inputs, fast_mode=True)


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize(("b_x", "b_alpha", "masked"), BROADCASTS)
def test_stoichiometric_steps_gradient(engine, attention, b_x, b_alpha, masked):
    cell = small()
    alive = alive_of(cell) if masked else None
    edges = cell.relations[schema.IN].num_edges
    alpha = random(edges, b_alpha, HEADS, seed=1) if attention else None
    for step, sender in ((engine.to_reactions, "metabolite"), (engine.to_metabolites, "reaction")):
        x = random(cell.num_nodes(sender), b_x, HEADS, WIDTH)
        if alpha is None:
            assert gradcheck(lambda x, step=step: step(x, None, alive), (x,), fast_mode=True)
        else:
            assert gradcheck(lambda x, alpha, step=step: step(x, alpha, alive), (x, alpha), fast_mode=True)


@pytest.mark.parametrize(("b_values", "b_scores", "masked"), [case for case in BROADCASTS if case[0] <= case[1]])
def test_pool_gradient(engine, b_values, b_scores, masked):
    cell = small()
    alive = alive_of(cell) if masked else None
    inputs = random(12, b_values, WIDTH), random(12, b_scores, seed=1)
    assert gradcheck(lambda v, s: engine.pool(v, s, alive), inputs, fast_mode=True)


def test_an_absent_member_with_a_huge_score_does_not_drown_the_others():
    scores = torch.tensor([0.0, 1.0, 500.0])
    present = torch.tensor([True, True, False])
    expected = torch.cat([torch.softmax(scores[:2], 0), torch.zeros(1)])
    torch.testing.assert_close(masked_softmax(scores, present, 0), expected)


def test_a_lost_neighbour_with_a_huge_score_does_not_drown_the_others(engine):
    cell = small()
    x = random(12, 1, HEADS, WIDTH).detach().float()
    lost = 0
    loud = x.clone()
    loud[lost] = 1e4
    a = torch.ones(HEADS, WIDTH)
    alive = alive_of(cell, [[lost]])
    quiet = engine.gatv2(schema.PHYSICAL, x, x, a, a, alive)
    received = engine.gatv2(schema.PHYSICAL, loud, x, a, a, alive)
    torch.testing.assert_close(received[1:], quiet[1:], rtol=0, atol=1e-6)
    assert quiet.isfinite().all()


def test_nothing_received_is_the_bias(engine):
    cell = small()
    x = random(12, 1, HEADS, WIDTH)
    bias = random(HEADS, WIDTH, seed=1)
    y = engine.gatv2(schema.PHYSICAL, x, x, random(HEADS, WIDTH), bias, alive_of(cell, [list(range(11))]))
    assert torch.equal(y[:11], bias.expand_as(y[:11]))  # all neighbours are gone
    assert (y[11] - bias).abs().sum() > 0  # its own loop is left


@pytest.mark.parametrize("name", ["dgl", "torch"])
def test_relations_without_edges_and_types_without_nodes(name):
    cell = tiny_cell(metabolism=False, regulatory=False, self_loops=False)
    engine = make_engine(name, cell.dgl, "cpu")
    alive = alive_of(cell)
    genes, none = random(12, 1, HEADS, WIDTH), random(0, 1, HEADS, WIDTH)
    a = random(HEADS, WIDTH)
    for relation, src, dst in (
        (schema.REGULATORY, genes, genes),
        (schema.GPR, genes, none),
        ("catalysed_by", none, genes),
    ):
        y = engine.gatv2(relation, src, dst, a, a, alive)
        assert torch.equal(y, a.expand(len(dst), 3, HEADS, WIDTH))
    assert engine.stoich_attention(none[..., 0], none[..., 0], alive).shape == (0, 3, HEADS)
    for step in (engine.to_reactions, engine.to_metabolites):
        assert step(none, None, alive).shape[0] == 0


@pytest.mark.parametrize("name", ["dgl", "torch"])
def test_edge_order_does_not_matter(name):
    """Both engines keep edge data with its edge when the graph does not come sorted."""
    cell = small()
    dgl = _dgl.load()
    order = np.random.default_rng(0).permutation(cell.relations[schema.IN].num_edges)
    shuffled = {
        kind: tuple(
            torch.from_numpy(end[order] if kind[1] in (schema.IN, schema.OF) else end) for end in (r.src, r.dst)
        )
        for r in cell.relations.values()
        for kind in [r.canonical]
    }
    graph = dgl.heterograph(shuffled, num_nodes_dict=cell.sizes)
    for relation in (schema.IN, schema.OF):
        data = cell.relations[relation].data[schema.STOICHIOMETRY][order]
        graph.edges[relation].data[schema.STOICHIOMETRY] = torch.from_numpy(data)
    x, e = random(cell.num_nodes("metabolite"), 1, HEADS, WIDTH), random(cell.num_nodes("reaction"), 1, HEADS)
    results = []
    for engine in (make_engine(name, graph, "cpu"), make_engine("dgl", cell.dgl, "cpu")):
        alpha = engine.stoich_attention(x.sum(-1), e, None)
        u = engine.to_reactions(x, alpha, None)
        results.append((u, engine.to_metabolites(u, alpha, None)))
    for shuffled_result, result in zip(*results, strict=True):
        torch.testing.assert_close(shuffled_result, result, rtol=0, atol=1e-12)


def test_half_types_are_computed_in_float32(engine):
    cell = small()
    x = random(12, 1, HEADS, WIDTH).detach()
    a = random(HEADS, WIDTH).detach().float()
    y = engine.gatv2(schema.PHYSICAL, x.bfloat16(), x.bfloat16(), a, a, None)
    assert y.dtype == torch.float32
    exact = engine.gatv2(schema.PHYSICAL, x.bfloat16().double(), x.bfloat16().double(), a.double(), a.double(), None)
    torch.testing.assert_close(y, exact.float(), rtol=1e-5, atol=1e-5)
    m = random(cell.num_nodes("metabolite"), 1, HEADS, WIDTH).detach().bfloat16()
    assert engine.to_reactions(m, None, None).dtype == torch.float32
    assert engine.pool(x[:, :, 0].bfloat16(), x[:, :, 0, 0].bfloat16(), None).dtype == torch.float32


def test_choose_names_the_engine_and_the_reason(monkeypatch):
    assert choose("dgl", "cpu")[0] == "dgl"
    assert choose("torch", "cuda")[0] == "torch"
    assert choose("fused", "cpu")[0] == "fused"
    assert choose("auto", "cpu") == ("fused", "compiled loops, the fastest on a CPU")
    assert choose("auto", "cuda")[0] == "torch"
    monkeypatch.setattr(choice._dgl, "has_cuda", lambda: False)
    with pytest.raises(UsageError, match='engine="dgl" on CUDA'):
        choose("dgl", "cuda")
    with pytest.raises(UsageError, match='engine="fused" on CUDA'):
        choose("fused", "cuda")
    with pytest.raises(UsageError, match="engine numba - auto, dgl, torch or fused"):
        choose("numba", "cpu")


def test_auto_chunk_follows_free_memory(engine, monkeypatch):
    one = engine.bytes_per_genotype(64, 2)
    for free, expected in ((2 * 5 * one, 5), (0, 1), (1 << 60, 32)):
        kept = 32 * 3 * sum(engine.num_nodes.values()) * 64 * 4
        monkeypatch.setattr(memory, "free_memory", lambda _, free=free, kept=kept: free + 2 * kept)
        assert auto_chunk(engine, batch=32, layers=3, hidden=64, heads=2) == expected


def test_free_memory_is_a_plausible_number():
    assert 1 << 20 < memory.free_memory(torch.device("cpu")) < 1 << 50
