"""The Triton engine against the torch engine in float64; run by `test_engine.py` in a process of its own.

The interpreter takes a second a case: by default it runs one case for every kernel and option, the slow ones with
`-m slow`; a GPU runs them all.

Under Triton's interpreter (TRITON_INTERPRET=1) on the CPU, else on a CUDA device. Every case gives packed rows random
states of their own, unpacks them for the reference, and compares packed results and gradients.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from dglcell.config import ModelConfig
from dglcell.engines import operators
from dglcell.engines.base import Engine
from dglcell.engines.choice import make_engine
from dglcell.engines.packed import delta_states
from dglcell.engines.triton import block, functions, incidences, launcher
from dglcell.engines.triton import rows as triton_rows
from dglcell.engines.triton.engine import TritonEngine
from dglcell.graph.cell import CellGraph
from dglcell.graph.relation import Relation
from dglcell.nn.batch import Batch
from dglcell.nn.dropout import StepDropout
from dglcell.nn.model import CellModel
from dglcell.nn.states import GraphSizes
from dglcell.schema import CATALYSED_BY, GENE, GPR, METABOLITE, NODE_TYPES, PHYSICAL, REACTION, REGULATORY
from tests.cells import tiny_cell

DEVICE = torch.device("cpu" if os.environ.get("TRITON_INTERPRET") == "1" else "cuda")
GENOTYPES = [[0, 3], [5], [1, 2, 4], [0, 1, 2, 3, 4, 5]]  # two blocks; the last loses every gene


@pytest.fixture(autouse=True)
def several_of_everything(monkeypatch):
    """Several tiles of edges and of nodes even on a tiny graph."""
    monkeypatch.setattr(launcher, "_MOST_EDGES", 4)
    monkeypatch.setattr(triton_rows, "_HEAVY", 4)
    monkeypatch.setattr(incidences, "_INCIDENCES", 2)
    monkeypatch.setattr(functions, "_CHUNK", 4)
    monkeypatch.setattr(functions, "_POOL_NODES", 2)


def small(**options):
    return tiny_cell(1, **{"genes": 6, "reactions": 3, "metabolites": 4, **options})


def survivors_of(cell, genotypes=GENOTYPES, device="cpu"):
    return Batch.from_perturbation(cell.knock_out(*cell.indices(genotypes)), cell, device).alive()


class Bench:
    """The engine, the reference, and the rows of one layer; `layer` None is the wild type."""

    def __init__(self, cell, layer, genotypes=GENOTYPES, dtype=torch.float64):
        self.engine = TritonEngine(cell.dgl, DEVICE)
        self.reference = make_engine("torch", cell.dgl, "cpu")
        self.alive = survivors_of(cell, genotypes)
        plan = None if layer is None else self.engine.plan(self.alive, layer + 1)
        self.where = None if plan is None else plan[layer]
        wild = {t: delta_states.Rows.shared(n) for t, n in self.engine.num_nodes.items()}
        self.rows = self.engine._wild if plan is None else self.where
        assert plan is not None or all(len(self.rows.after[t]) == len(wild[t]) for t in NODE_TYPES)
        self.generator = torch.Generator().manual_seed(0)
        self.dtype = dtype

    def random(self, *shape):
        """float64 numbers that the tested type can hold."""
        return torch.randn(*shape, dtype=torch.float64, generator=self.generator).to(self.dtype).double()

    def states(self, side: str, node_type: str, *shape):
        rows = getattr(self.rows, side)[node_type]
        return self.random(len(rows), 1, *shape), rows

    def check(self, operator, inputs, made, tolerance=1e-10, half=1e-10):
        """`operator(engine, where, *tensors)`; `inputs` are (tensor, rows or None) with None for what is not packed."""
        tested = [leaf(x, DEVICE, self.dtype) for x, _ in inputs]
        y = operator(self.engine, self.where, *tested)
        cotangent = self.random(*y.shape)
        y.backward(cotangent.to(y))
        plain = [leaf(x) for x, _ in inputs]
        dense = [unpack(x, rows) for x, (_, rows) in zip(plain, inputs, strict=True)]
        if self.where is None:
            expected = operator(self.reference, None, *plain)
        else:
            wild = [x if rows is None else x[: rows.num_nodes] for x, (_, rows) in zip(plain, inputs, strict=True)]
            expected = repack(operator(self.reference, None, *wild), operator(self.reference, self.alive, *dense), made)
        (expected * cotangent).sum().backward()
        assert y.dtype == (torch.float64 if self.dtype == torch.float64 else torch.float32)
        close(y, expected, tolerance)
        for found, right in zip(tested, plain, strict=True):
            close(found.grad, right.grad, max(tolerance, half))


def leaf(x, *to):
    """A copy that takes a gradient."""
    return x.detach().clone().to(*to or ["cpu"]).requires_grad_()


def close(found, expected, tolerance):
    scale = max(1.0, float(expected.detach().abs().max())) if expected.numel() else 1.0
    torch.testing.assert_close(found.detach().cpu().double(), expected.detach(), rtol=0, atol=tolerance * scale)


def unpack(x, rows):
    """(P, 1, ..) -> (N, B, ..); a lost node's row is 0."""
    if rows is None:
        return x
    table = rows.lookup[1:].cpu().long().t()
    dense = x[:, 0][table.clamp(min=0)]
    return dense * (table >= 0).view(*table.shape, *[1] * (dense.dim() - 2))


def repack(wild, dense, rows):
    """(N, 1, ..) and (N, B, ..) -> (P, 1, ..)."""
    genotype, node = (names.cpu().long() for names in rows.genotype_and_node)
    dense = dense.expand(-1, len(rows.lookup) - 1, *dense.shape[2:])
    return torch.cat([wild, dense], dim=1)[node, genotype].unsqueeze(1)


def attend(relation):
    return lambda engine, where, s, d, a, b: engine.gatv2(relation, s, d, a, b, where)


def attention_inputs(bench, relation, shape):
    source, target = {PHYSICAL: (GENE, GENE), GPR: (GENE, REACTION), CATALYSED_BY: (REACTION, GENE)}[relation]
    sending = "after" if relation == CATALYSED_BY else "before"
    return [
        bench.states(sending, source, *shape),
        bench.states("before", target, *shape),
        *[(bench.random(*shape), None) for _ in range(2)],
    ]


@pytest.mark.parametrize(
    ("relation", "layer", "shape"),
    [
        (PHYSICAL, None, (2, 3)),
        pytest.param(PHYSICAL, 0, (3, 4), marks=pytest.mark.slow),
        (PHYSICAL, 1, (1, 5)),
        (GPR, 1, (2, 3)),
        (CATALYSED_BY, 1, (2, 1)),
    ],
)
def test_attention(relation, layer, shape):
    bench = Bench(small(), layer)
    made = bench.rows.after[REACTION if relation == GPR else GENE]
    bench.check(attend(relation), attention_inputs(bench, relation, shape), made)


@pytest.mark.parametrize(("dtype", "forward", "gradient"), [(torch.float32, 1e-5, 1e-4), (torch.bfloat16, 1e-5, 8e-3)])
def test_attention_in_fewer_bits(dtype, forward, gradient):
    """bfloat16 inputs are exact in float32, so only gradients of bfloat16 inputs are rounded to it."""
    bench = Bench(small(), 1, GENOTYPES[:2], dtype)
    inputs = attention_inputs(bench, PHYSICAL, (2, 4))
    bench.check(attend(PHYSICAL), inputs, bench.rows.after[GENE], forward, gradient)


def test_a_hub():
    """A gene with many more edges than a tile, as a sender and as a receiver; full-sized tiles."""
    launcher._MOST_EDGES = 32  # restored by the fixture
    n = 36
    leaves = np.arange(1, n)
    hub = np.zeros(n - 1, dtype=np.int64)
    ends = np.concatenate([leaves, hub]), np.concatenate([hub, leaves])
    none = np.zeros(0, dtype=np.int64)
    cell = CellGraph(
        {GENE: [f"G{i:02d}" for i in range(n)], REACTION: [], METABOLITE: []},
        [
            Relation.of(PHYSICAL, GENE, GENE, *ends, undirected=True),
            Relation.of(GPR, GENE, REACTION, none, none),
            Relation.of("in", METABOLITE, REACTION, none, none, data={"stoichiometry": none.astype(np.float32)}),
        ],
        reaction_group=[],
        group_names=[],
    )
    bench = Bench(cell, 0, [[3]])
    (x_src, rows), received, (a, _), bias = attention_inputs(bench, PHYSICAL, (1, 2))
    ramp = torch.linspace(0.1, 2, n, dtype=torch.float64)[rows.index.cpu()].view(-1, 1, 1, 1)
    inputs = [
        (ramp + 0.01 * x_src, rows),
        received,
        (a.abs(), None),
        bias,
    ]  # so that the later tile has the highest score
    bench.check(attend(PHYSICAL), inputs, bench.rows.after[GENE])


@pytest.mark.parametrize("layer", [None, 1])
def test_stoichiometric_attention_and_sums(layer):
    """Attention, both directions with and without it: gradients through all of them."""
    bench = Bench(small(), layer)

    def both(engine: Engine, where, q_m, q_r, x, u):
        alpha = engine.stoich_attention(q_m, q_r, where)
        return engine.to_reactions(x, alpha, where) + engine.to_reactions(x.sin(), None, where)

    def back(engine: Engine, where, q_m, q_r, x, u):
        alpha = engine.stoich_attention(q_m, q_r, where)
        return engine.to_metabolites(u, alpha, where) + engine.to_metabolites(u.sin(), None, where)

    inputs = [
        bench.states("before", METABOLITE, 2),
        bench.states("before", REACTION, 2),
        bench.states("before", METABOLITE, 2, 3),
        bench.states("after", REACTION, 2, 3),
    ]
    bench.check(without(both, 3), inputs[:3], bench.rows.after[REACTION])
    bench.check(without(back, 2), [*inputs[:2], inputs[3]], bench.rows.after[METABOLITE])


def without(operator, place):
    """`operator` with None in a place."""
    return lambda engine, where, *x: operator(engine, where, *x[:place], None, *x[place:])


@pytest.mark.parametrize(("layer", "genotypes"), [(None, [[]]), (1, GENOTYPES), (0, [[2]])])
def test_pool(layer, genotypes):
    bench = Bench(small(), layer, genotypes)
    values, rows = bench.states("after", GENE, 5)
    scores, _ = bench.states("after", GENE)
    tested = [leaf(x, DEVICE) for x in (values, scores)]
    plain = [leaf(x) for x in (values, scores)]
    z = bench.engine.pool(*tested, bench.where)
    if layer is None:
        expected = bench.reference.pool(*plain, None)
    else:
        expected = bench.reference.pool(*(unpack(x, rows) for x in plain), bench.alive)
    cotangent = bench.random(*z.shape)
    z.backward(cotangent.to(DEVICE))
    (expected * cotangent).sum().backward()
    close(z, expected, 1e-10)
    for found, right in zip(tested, plain, strict=True):
        close(found.grad, right.grad, 1e-10)


def test_carried_rows():
    bench = Bench(small(), 1)
    x, rows = bench.states("before", GENE, 3)
    tested, plain = leaf(x, DEVICE), leaf(x)
    y = bench.engine.carry(tested, GENE, bench.where)
    expected = repack(plain[: rows.num_nodes], unpack(plain, rows), bench.rows.after[GENE])
    cotangent = bench.random(*y.shape)
    y.backward(cotangent.to(DEVICE))
    (expected * cotangent).sum().backward()
    close(y, expected, 0)
    close(tested.grad, plain.grad, 1e-12)


@pytest.mark.parametrize(("masked", "packed_rows", "width"), [(True, True, 5), (True, False, 4), (False, False, 1)])
def test_block(masked, packed_rows, width, monkeypatch):
    """Several tiles of rows, some programs with several of them."""
    monkeypatch.setattr(block, "TILE", 16)
    monkeypatch.setattr(block, "_MOST_PROGRAMS", 3)
    generator = torch.Generator().manual_seed(0)
    rows = torch.tensor([0, 1, 2, 3, 2, 2, 0, 1, 3]) if packed_rows else None
    x = torch.randn(9, 1, width, generator=generator, dtype=torch.float64)
    mask = (torch.rand(4 if packed_rows else 9, 1, width, generator=generator) > 0.3).double() / 0.7
    weight, bias = torch.randn(2, width, generator=generator, dtype=torch.float64)
    tested, plain = ([leaf(t, place) for t in (x, weight, bias)] for place in (DEVICE, "cpu"))
    outputs = []
    for (x, weight, bias), compute in ((tested, block.block), (plain, operators.block)):
        given = mask.to(x.device) if masked else None
        y = compute(x, operators.Norm(weight, bias, 1e-5), given, None if rows is None else rows.to(x.device))
        y.sin().sum().backward()
        outputs.append(y)
    close(*outputs, 1e-12)
    for found, right in zip(tested, plain, strict=True):
        close(found.grad, right.grad, 1e-10)


def test_nothing_to_compute():
    """No reactions, no metabolites, a relation without edges, no self-loops."""
    cell = small(metabolism=False, regulatory=False, self_loops=False)
    bench = Bench(cell, 0)
    genes, none = leaf(bench.random(6, 1, 2, 3), DEVICE), torch.zeros(0, 1, 2, 3).double().to(DEVICE)
    a = bench.random(2, 3).to(DEVICE)
    for relation, src, dst in ((REGULATORY, genes, genes), (GPR, genes, none), (CATALYSED_BY, none, genes)):
        y = bench.engine.gatv2(relation, src, dst, a, a, bench.where)
        assert torch.equal(y, a.expand(len(y), 1, 2, 3))
        y.sum().backward()
    assert not genes.grad.any()
    assert bench.engine.stoich_attention(none[..., 0], none[..., 0], bench.where).shape == (0, 1, 2)
    for step in (bench.engine.to_reactions, bench.engine.to_metabolites):
        assert step(none, None, bench.where).shape[0] == 0


def test_rows_are_those_of_the_host():
    cell = small()
    engine = TritonEngine(cell.dgl, DEVICE)
    host = delta_states.plan(engine._in_edges, engine.num_nodes, survivors_of(cell), 3)
    for found, expected in zip(engine.plan(survivors_of(cell), 3), host, strict=True):
        for t in NODE_TYPES:
            assert same_rows(found.after[t], expected.after[t]), t
            names = found.after[t].genotype_and_node
            lookup = found.after[t].lookup
            assert torch.equal(lookup[names[0].long(), names[1].long()].cpu(), torch.arange(len(found.after[t])).int())


def same_rows(found, expected):
    """The same nodes have rows of their own, in whatever order."""
    kind = [np.where(table < 0, -1, table < table.shape[1]) for table in (found.lookup.cpu().numpy(), expected.lookup)]
    return np.array_equal(*kind) and len(found) == len(expected)


def results(cell, engine, config, genotypes):
    torch.manual_seed(1)
    model = CellModel(config, GraphSizes.of(cell)).double()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    model.to(engine.device)
    batch = Batch.from_perturbation(cell.knock_out(*cell.indices(genotypes)), cell, engine.device)
    drop = StepDropout(0.3)
    masks = torch.Generator().manual_seed(3)
    for layer in range(config.layers):  # the same on every device
        for name, relation in cell.relations.items():
            keep = torch.rand(cell.num_nodes(relation.dst_type), 1, config.hidden, generator=masks) >= 0.3
            drop._masks[f"{layer}/{name}"] = (keep.double() / 0.7).to(engine.device)
    output = model(engine, batch, drop=drop, chunk=1 if config.variant == "difference" else None)
    (output.predictions.sin().sum() + (0 if output.z_i is None else output.z_i.cos().sum())).backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return {"predictions": output.predictions, "z_p": output.z_p, **gradients}


@pytest.mark.parametrize(
    ("variant", "options"),
    [
        ("both", {"gate": True, "attention": True, "residual": True}),
        pytest.param("difference", {"layers": 1, "heads": 4}, marks=pytest.mark.slow),
        ("two-head", {"layers": 1, "feedback": False}),
        pytest.param("local", {"layers": 1}, marks=pytest.mark.slow),
    ],
)
def test_whole_models(variant, options):
    """Weights, dropout masks and genotypes are the same; `difference` in two chunks that are computed again."""
    cell = tiny_cell(2, genes=5, reactions=3, metabolites=4)
    config = ModelConfig(**{"fm_rank": 0, "layers": 2, "hidden": 12, "variant": variant, "dropout": 0.0, **options})
    enzyme = cell.ids[GENE][cell.relations[GPR].src[0]]
    genotypes = [(enzyme,), cell.ids[GENE]]
    reference = make_engine("torch", cell.dgl, "cpu")
    found, expected = (results(cell, e, config, genotypes) for e in (TritonEngine(cell.dgl, DEVICE), reference))
    assert found.keys() == expected.keys()
    for name in expected:
        close(found[name], expected[name], 1e-10)


def test_a_model_under_bf16_autocast():
    """Half types reach every operator; results are those of the torch engine but for the rounding of bfloat16."""
    cell = tiny_cell(2, genes=5, reactions=3, metabolites=4)
    options = {"layers": 1, "hidden": 8, "gate": True, "attention": True, "residual": True, "dropout": 0.0}
    torch.manual_seed(1)
    model = CellModel(ModelConfig(variant="difference", **options), GraphSizes.of(cell)).to(DEVICE)
    batch = Batch.from_perturbation(cell.knock_out(*cell.indices([[0, 2]])), cell, DEVICE)
    outcomes = []
    for engine in (TritonEngine(cell.dgl, DEVICE), make_engine("torch", cell.dgl, DEVICE)):
        model.zero_grad()
        with torch.autocast(DEVICE.type, torch.bfloat16):
            z_i = model(engine, batch).z_i
        assert z_i.dtype == torch.float32
        z_i.sin().sum().backward()
        outcomes.append([z_i.detach(), *(p.grad.clone() for p in model.parameters() if p.grad is not None)])
    largest = max(float(expected.norm()) for expected in outcomes[1])
    for found, expected in zip(*outcomes, strict=True):
        assert float((found - expected).norm()) < 2e-2 * max(float(expected.norm()), 0.1 * largest)
