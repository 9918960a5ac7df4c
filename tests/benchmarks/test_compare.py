"""The sides of the comparison compute one model, and the command runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from dglcell.config import ModelConfig
from dglcell.engines.choice import make_engine
from dglcell.nn.batch import Batch
from dglcell.nn.model import CellModel
from dglcell.nn.states import GraphSizes
from tests.benchmarks import graphs, roofline, sides
from tests.cells import tiny_cell

ROOT = Path(__file__).parents[2]
GENOTYPES = [[0, 3], [2], [1, 2, 5, 7], [], [4, 5, 6, 8, 9, 10]]
CONFIG = ModelConfig(layers=3, hidden=8, variant="difference", dropout=0.0)


def test_pyg_attention_is_our_attention():
    geometric = pytest.importorskip("torch_geometric.nn")
    cell = tiny_cell()
    relation = cell.relations["catalysed_by"]
    generator = torch.Generator().manual_seed(0)
    source, target, a = (torch.randn(n, 2, 4, generator=generator) for n in (cell.num_nodes("reaction"), 12, 1))
    conv = geometric.GATv2Conv(8, 4, heads=2, add_self_loops=False)
    identity = {
        f"lin_{side}.{kind}": x
        for side in "lr"
        for kind, x in (("weight", torch.eye(8)), ("bias", 0 * a[0, 0, 0].expand(8)))
    }
    conv.load_state_dict({**identity, "att": a, "bias": torch.zeros(8)})
    expected = conv((source.flatten(1), target.flatten(1)), torch.from_numpy(np.stack([relation.src, relation.dst])))
    for name in ("dgl", "torch", "fused"):
        engine = make_engine(name, cell.dgl, "cpu")
        y = engine.gatv2("catalysed_by", source.unsqueeze(1), target.unsqueeze(1), a[0], None)
        torch.testing.assert_close(y.flatten(1), expected, rtol=0, atol=1e-5)


@pytest.fixture(params=[False, True], ids=["pyg", "pyg-csc"])
def both(request):
    """Our model and PyG's with the same random weights, in float64."""
    pytest.importorskip("torch_geometric")
    from tests.benchmarks import pyg_side

    cell = tiny_cell()
    torch.manual_seed(0)
    ours = CellModel(CONFIG, GraphSizes.of(cell)).double()
    with torch.no_grad():
        for p in ours.parameters():
            p.normal_(0, 0.6)
    side = sides.PygSubgraphs(cell, CONFIG, None, compressed=request.param)
    side.model.double()
    for node_type in (("metabolite", "in", "reaction"), ("reaction", "of", "metabolite")):
        for data in (side._data, side._whole):
            data[node_type].edge_weight = data[node_type].edge_weight.double()
    pyg_side.copy_weights(ours, side.model)
    return cell, ours, side


def test_pyg_has_our_weights(both):
    _, ours, side = both
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in side.model.parameters())


def test_pyg_predicts_what_we_predict(both):
    """Every weight is random and is read, so this holds for attention, stoichiometry, pooling and collation alike."""
    cell, ours, side = both
    genes, ptr = cell.indices(GENOTYPES)
    batch = Batch.from_perturbation(cell.knock_out(genes, ptr), cell)
    expected = ours(make_engine("dgl", cell.dgl, "cpu"), batch).predictions
    assert expected.std(0).min() > 1e-3
    tolerance = 1e-7  # PyG's side divides stoichiometry by its sum in float32, before the model
    torch.testing.assert_close(side.infer(genes, ptr), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", sides.SIDES)
def test_every_side_trains_and_predicts(name):
    """Same seed, same model (PyG draws its own weights); several collations a step give the gradient of one."""
    if name.startswith("pyg"):
        pytest.importorskip("torch_geometric")
    cell = graphs.synthetic(graphs.NOTE.scaled(100))
    genes, ptr = graphs.double_deletions(100, 5, np.random.default_rng(0))
    side = sides.make_side(name, cell, CONFIG)
    reference = sides.make_side("pyg" if name.startswith("pyg") else "dgl-batch", cell, CONFIG, at_once=2)
    for one in (side, reference):
        one.train_step(genes, ptr, torch.ones(5, 2))
    torch.testing.assert_close(side.infer(genes, ptr), reference.infer(genes, ptr), rtol=0, atol=1e-4)


def test_the_synthetic_cell_has_the_counts_that_it_is_named_for():
    for counts in (graphs.NOTE, graphs.YEAST):
        cell = graphs.synthetic(counts)
        stored = {name: r.num_edges for name, r in cell.relations.items()}
        assert stored["physical_interaction"] in (counts.physical, counts.physical - 1)
        assert stored["regulatory_interaction"] == counts.regulatory
        assert (stored["gpr"], stored["in"]) == (counts.gpr, counts.incidences)
        assert list(cell.sizes.values()) == [counts.genes, counts.reactions, counts.metabolites]
        assert np.bincount(cell.relations["physical_interaction"].dst).max() > 10 * counts.physical / counts.genes


def test_a_deletion_that_reaches_nothing_costs_nothing():
    cell, h = tiny_cell(), 8
    counted = roofline.count(cell, *cell.indices([[]]), h, 2)
    assert counted["inference"].linear == 0
    assert counted["inference"].messages == 2 * h * cell.num_nodes("gene")  # the weighted sum over genes
    assert counted["training"].linear < counted["unshared"]["training"].linear


def test_messages_are_counted_edge_by_edge():
    cell, h = tiny_cell(), 8
    whole = {t: np.arange(n) for t, n in cell.sizes.items()}
    work = roofline.layer_work(cell, whole, whole, h, last=False)
    edges = {name: r.num_edges for name, r in cell.relations.items()}
    incidences = edges["in"] + edges["of"]
    assert work.messages == h * (6 * (sum(edges.values()) - incidences) + 2 * incidences)
    g, r, m = cell.sizes.values()
    assert work.linear == 2 * h * h * (2 * g + 2 * g + 2 * (g + r) + m)


@pytest.mark.slow
def test_the_command(tmp_path):
    out = tmp_path / "figures.json"
    options = "--genes 60 --batches 2 --repeats 1 --sides dgl-batch fused --threads 1 --memory --memory-batch 2"
    options += " --local --local-rows 200 --local-pairs 50 --local-batch 64 --at-once 1"
    command = [sys.executable, "-m", "tests.benchmarks.compare", *options.split(), "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert not any("failure" in row for row in report["steps"] + report["memory"])
    assert [(row["side"], row["kind"]) for row in report["steps"]] == [
        (side, kind) for kind in ("training", "inference") for side in ("dgl-batch", "fused")
    ]
    assert all(row["increase_gb"] > 0 for row in report["memory"])
    assert {row["kind"] for row in report["roofline"]} == {"training", "inference"}
    assert report["local"][0]["predicted_per_s"] > 0
    assert "genotypes_per_s" in done.stdout and "of_matmul" in done.stdout
