"""What the model must do whatever its weights: masks, chunks, dropout, batches, gradients."""

import dataclasses

import numpy as np
import pytest
import torch

from dglcell import _dgl
from dglcell.config import ModelConfig
from dglcell.engines.choice import make_engine
from dglcell.nn.batch import Batch
from dglcell.nn.dropout import StepDropout
from dglcell.nn.model import CellModel
from dglcell.nn.states import GraphSizes, Output
from dglcell.schema import NODE_TYPES, VARIANTS
from tests.cells import random_genotypes, tiny_cell

H = 8
GENOTYPES = [[], [0, 3], [2], [1, 2, 5, 7], [11], [4, 5, 6, 8, 9, 10]]
PER_GENOTYPE = [variant for variant in VARIANTS if variant != "local"]


@pytest.fixture(params=["dgl", "torch", "fused"])
def engine(request):
    return make_engine(request.param, tiny_cell().dgl, "cpu")


def make(dtype=torch.float64, cell=None, **options):
    """A model with random weights (biases and gains too) for the tiny cell, in evaluation mode."""
    torch.manual_seed(0)
    config = ModelConfig(
        **{"fm_rank": 0, "layers": 2, "hidden": H, "heads": 2, "gate": True, "attention": True, **options}
    )
    model = CellModel(config, GraphSizes.of(cell or tiny_cell()))
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    return model.to(dtype).eval()


def batch_of(genotypes, cell=None):
    cell = cell or tiny_cell()
    return Batch.from_perturbation(cell.knock_out(*cell.indices(genotypes)), cell)


def gradients(model, output):
    model.zero_grad()
    loss = output.predictions.square().sum() + output.z_p.sum() + (0 if output.z_i is None else output.z_i.sum())
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def assert_gradients_close(actual, expected, relative):
    """Parameter by parameter. Those that are 0 by symmetry (a bias under a softmax) are rounding of the rest."""
    assert actual.keys() == expected.keys()
    rounding = 1e-2 * relative * max(g.norm() for g in expected.values())
    for name, g in expected.items():
        assert (actual[name].to(g) - g).norm() <= relative * g.norm() + rounding, name


def on_subgraphs(model, engine_name, genotypes):
    """The forward pass with z_i from a `dgl.batch` of perturbed subgraphs instead of masks."""
    cell = tiny_cell()
    graph = _dgl.load().batch([cell.perturb(genes) for genes in genotypes])
    engine = make_engine(engine_name, graph, "cpu")
    wild = model.wild_type(make_engine(engine_name, cell.dgl, "cpu"))
    inputs = {t: wild.inputs[t][graph.nodes[t].data[_dgl.load().NID]] for t in NODE_TYPES}
    z_i = None
    if model.pool is not None:
        z_i = model.pool(engine, list(model.encode(engine, inputs))[-1]["gene"], None)
    predictions, z_p = model.readout(batch_of(genotypes), wild, z_i)
    return Output(predictions, wild.z_w, z_i, z_p)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("dtype", "forward", "backward"), [(torch.float64, 1e-10, 1e-10), (torch.float32, 1e-5, 1e-4)], ids=["f64", "f32"]
)
def test_masks_equal_batched_subgraphs(engine, variant, dtype, forward, backward):
    model = make(dtype, variant=variant, layers=3)
    masked = model(engine, batch_of(GENOTYPES))
    reference = on_subgraphs(model, "dgl" if engine.name == "fused" else engine.name, GENOTYPES)
    for name in ("predictions", "z_i", "z_p"):
        actual, expected = getattr(masked, name), getattr(reference, name)
        if actual is not None:
            torch.testing.assert_close(actual, expected, rtol=0, atol=forward)
    assert_gradients_close(gradients(model, masked), gradients(model, reference), backward)


@pytest.mark.parametrize("variant", VARIANTS)
def test_engines_agree_in_float32(variant):
    model = make(torch.float32, variant=variant, layers=3)
    results = []
    for name in ("dgl", "torch", "fused"):
        output = model(make_engine(name, tiny_cell().dgl, "cpu"), batch_of(GENOTYPES))
        results.append((output.predictions.detach(), gradients(model, output)))
    for predictions, grads in results[1:]:
        torch.testing.assert_close(predictions, results[0][0], rtol=0, atol=1e-5)
        assert_gradients_close(grads, results[0][1], 1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_prediction_stands_alone(engine, variant):
    """Neither neighbours in its batch, nor the batch's size or order, nor the chunk, nor the order of genes matter."""
    model = make(torch.float32, variant=variant)
    with torch.no_grad():
        together = model(engine, batch_of(GENOTYPES)).predictions
        alone = torch.cat([model(engine, batch_of([genes])).predictions for genes in GENOTYPES])
        reversed_ = model(engine, batch_of([genes[::-1] for genes in GENOTYPES[::-1]])).predictions.flip(0)
        others = [together, alone, reversed_]
        others += [model(engine, batch_of(GENOTYPES), chunk=chunk).predictions for chunk in (1, 2, 4, 6, 100, "auto")]
        wild = model.wild_type(engine)
        others.append(model(engine, batch_of(GENOTYPES), wild).predictions)
    for other in others:
        torch.testing.assert_close(other, together, rtol=0, atol=1e-5)


def test_the_order_of_genes_in_a_set_does_not_matter(engine):
    model = make(torch.float32, variant="both")
    batch = batch_of([[1, 2, 5, 7], [0, 3]])
    lost = batch.perturbation
    shuffled = dataclasses.replace(batch, perturbation=dataclasses.replace(lost, genes=lost.genes[[2, 0, 3, 1, 5, 4]]))
    with torch.no_grad():
        expected = model(engine, batch).predictions
        torch.testing.assert_close(model(engine, shuffled).predictions, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("variant", PER_GENOTYPE)
@pytest.mark.parametrize("training", [False, True])
def test_the_empty_genotype_is_the_wild_type(engine, variant, training):
    model = make(variant=variant).train(training)
    output = model(engine, batch_of([[], [0, 3], []]))
    for b in (0, 2):
        torch.testing.assert_close(output.z_i[b], output.z_w[0], rtol=0, atol=1e-12)
    if variant == "difference":
        assert output.z_p[0].abs().max() <= 1e-12
        assert output.z_p[1].abs().max() > 1e-3


def test_two_head_gives_every_genotype_the_same_interaction(engine):
    model = make(variant="two-head")
    output = model(engine, batch_of([[0, 3], [2], [1, 2, 5, 7], [11]]))
    fitness, interaction = output.predictions.unbind(1)
    assert fitness.std() > 1e-4
    torch.testing.assert_close(interaction, interaction[:1].expand(4), rtol=0, atol=1e-12)
    torch.testing.assert_close(output.z_p, output.z_p[:1].expand(4, -1), rtol=0, atol=1e-12)


def test_variants_return_the_vectors_they_have(engine):
    for variant in VARIANTS:
        output = make(variant=variant)(engine, batch_of(GENOTYPES))
        assert output.predictions.shape == (6, 2)
        assert output.z_p.shape == (6, H)
        assert (output.z_w is None) == (output.z_i is None) == (variant == "local")


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_feedback_gives_every_stoichiometric_weight_a_gradient(engine, variant, layers):
    model = make(variant=variant, layers=layers)
    gradients(model, model(engine, batch_of(GENOTYPES)))
    weights = {name: p for name, p in model.named_parameters() if ".stoichiometric." in name}
    assert sum("stoichiometric.weight" in name for name in weights) == layers
    for name, p in weights.items():
        assert p.grad is not None, name
        assert p.grad.abs().max() > 0, name


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_without_feedback_no_stoichiometric_weight_has_a_gradient(engine, variant, layers):
    model = make(variant=variant, layers=layers, feedback=False)
    gradients(model, model(engine, batch_of(GENOTYPES)))
    weights = {name: p for name, p in model.named_parameters() if ".stoichiometric." in name}
    assert sum("stoichiometric.weight" in name for name in weights) == layers
    for name, p in weights.items():
        assert p.grad is None or not p.grad.any(), name


def test_isozymes_that_only_together_lose_a_reaction_make_a_token():
    """The set encoder sees the lost reaction of the pair, which neither single deletion has; the ablation does not."""
    cell = tiny_cell()
    pair = next(
        (a, b)
        for a in range(12)
        for b in range(a)
        if len(batch_of([[a, b]]).perturbation.groups) > len(set(batch_of([[a], [b]]).perturbation.groups.tolist()))
    )
    outputs = {}
    for lost_reactions in (True, False):
        model = make(variant="local", lost_reactions=lost_reactions)
        batch = batch_of([pair])
        lost = batch.perturbation
        empty = {"groups": lost.groups[:0], "group_ptr": np.zeros_like(lost.group_ptr), "joint": lost.joint[:0]}
        without = dataclasses.replace(batch, perturbation=dataclasses.replace(lost, **empty))
        engine = make_engine("torch", cell.dgl, "cpu")
        outputs[lost_reactions] = [model(engine, b).predictions for b in (batch, without)]
    assert (outputs[True][0] - outputs[True][1]).abs().max() > 1e-3
    assert torch.equal(*outputs[False])


def path_of_genes():
    """Genes 0-1-2-...-7 in a row, joined to their neighbours only."""
    from dglcell.graph.cell import CellGraph
    from dglcell.graph.relation import Relation

    a, b = np.arange(7), np.arange(1, 8)
    relations = [
        Relation.of("physical_interaction", "gene", "gene", np.r_[a, b], np.r_[b, a], undirected=True),
        Relation.of("regulatory_interaction", "gene", "gene", np.arange(8), np.arange(8)),
    ]
    return CellGraph({"gene": [f"g{i}" for i in range(8)]}, relations)


@pytest.mark.parametrize("name", ["dgl", "torch"])
def test_rows_that_a_deletion_does_not_reach_equal_the_wild_type_under_dropout(name):
    cell = path_of_genes()
    model = make(cell=cell, variant="difference", dropout=0.5).train()
    engine = make_engine(name, cell.dgl, "cpu")
    drop = StepDropout(0.5)
    wild = model.wild_type(engine, drop)
    plan = engine.plan(batch_of([[0], [7]], cell).alive(), 2)
    states = list(model.encode(engine, wild.inputs, plan, drop))[-1]
    changed = (states["gene"] - wild.states["gene"]).abs().amax(-1) > 1e-9
    # Two layers carry a deletion two steps far. The deleted gene's own row is never read.
    assert not changed[3:, 0].any()
    assert not changed[:5, 1].any()
    assert changed[1:3, 0].any()


@pytest.mark.parametrize("variant", VARIANTS)
def test_chunks_do_not_change_a_training_step(engine, variant):
    model = make(variant=variant, dropout=0.3, layers=3).train()
    results = []
    for chunk in (None, 1, 2, 4, 6):
        torch.manual_seed(5)
        output = model(engine, batch_of(GENOTYPES), chunk=chunk)
        results.append((output.predictions.detach(), gradients(model, output)))
    for predictions, grads in results[1:]:
        torch.testing.assert_close(predictions, results[0][0], rtol=0, atol=1e-12)
        for name, g in results[0][1].items():
            torch.testing.assert_close(grads[name], g, rtol=0, atol=1e-10, msg=name)


@pytest.mark.parametrize("name", ["dgl", "torch"])  # those that recompute
def test_chunks_keep_less_for_the_backward_pass(name):
    engine = make_engine(name, tiny_cell().dgl, "cpu")
    model = make(variant="difference", layers=3).train()
    kept = []
    for chunk in (None, 2):
        sizes: dict[int, int] = {}

        def note(tensor, sizes=sizes):
            sizes[tensor.data_ptr()] = tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            model(engine, batch_of(random_genotypes(tiny_cell(), 32)), chunk=chunk)
        kept.append(sum(sizes.values()))
    assert kept[1] < kept[0] / 2


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_seed_gives_the_same_step(engine, variant):
    model = make(torch.float32, variant=variant, dropout=0.3).train()
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        output = model(engine, batch_of(GENOTYPES), chunk=2)
        results.append((output.predictions.detach(), gradients(model, output)))
    assert torch.equal(results[0][0], results[1][0])
    assert all(torch.equal(g, results[1][1][name]) for name, g in results[0][1].items())
    assert not torch.equal(results[0][0], results[2][0])


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_cell_without_metabolism_or_regulation(engine, variant):
    cell = tiny_cell(metabolism=False, regulatory=False, self_loops=False)
    model = make(cell=cell, variant=variant)
    engine = make_engine(engine.name, cell.dgl, "cpu")
    output = model(engine, batch_of([[], [0, 3], list(range(12))], cell), chunk=2)
    assert output.predictions.isfinite().all()
    if output.z_i is not None:
        assert not output.z_i[2].any()  # nothing is left to pool
    grads = gradients(model, output)
    assert all(g.isfinite().all() for g in grads.values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_gene_features_stay_out_of_the_checkpoint(variant):
    cell = tiny_cell(features=3)
    features, has = torch.from_numpy(cell.features), torch.from_numpy(cell.has_features)
    model = CellModel(ModelConfig(fm_rank=0, hidden=H, variant=variant), GraphSizes.of(cell), features, has)
    names = set(model.state_dict())
    assert names == {name for name, _ in model.named_parameters()}
    assert "no_features" in names


@pytest.mark.gpu
@pytest.mark.parametrize("variant", VARIANTS)
def test_cuda_agrees_with_the_cpu_and_trains_under_bf16(variant):
    model = make(torch.float32, variant=variant, layers=3)
    batch = batch_of(GENOTYPES)
    expected = model(make_engine("torch", tiny_cell().dgl, "cpu"), batch)
    grads = gradients(model, expected)
    model = model.cuda()
    engine = make_engine("auto", tiny_cell().dgl, "cuda")
    cell = tiny_cell()
    batch = Batch.from_perturbation(cell.knock_out(*cell.indices(GENOTYPES)), cell, "cuda")
    output = model(engine, batch, chunk=2)
    torch.testing.assert_close(output.predictions.cpu(), expected.predictions, rtol=1e-4, atol=1e-4)
    assert_gradients_close(gradients(model, output), grads, 1e-3)
    with torch.autocast("cuda", torch.bfloat16):
        half = model.train()(engine, batch, chunk=2)
    assert half.predictions.dtype == torch.float32
    assert all(g.isfinite().all() for g in gradients(model, half).values())
