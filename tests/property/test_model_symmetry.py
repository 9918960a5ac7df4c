"""The model knows a cell by its relations: names, numbering and company change nothing."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dglcell import _dgl, schema
from dglcell.config import ModelConfig
from dglcell.engines.choice import make_engine
from dglcell.nn.batch import Batch
from dglcell.nn.model import CellModel
from dglcell.nn.states import GraphSizes
from dglcell.schema import NODE_TYPES
from tests.cells import random_genotypes, tiny_cell

few = settings(max_examples=8)
seeds = st.integers(0, 10_000)
variants = st.sampled_from(schema.VARIANTS)
engines = pytest.mark.parametrize("engine", ["dgl", "torch", "fused"])


def model_of(cell, seed, variant, feedback=True):
    torch.manual_seed(seed)
    config = ModelConfig(fm_rank=0, layers=2, hidden=8, variant=variant, feedback=feedback, gate=True, attention=True)
    return CellModel(config, GraphSizes.of(cell)).double().eval()


def batch_of(cell, genotypes):
    return Batch.from_perturbation(cell.knock_out(*cell.indices(genotypes)), cell)


def permuted_graph(cell, new, rng):
    """The same cell with row i of each type moved to `new[type][i]` and every relation's edges shuffled."""
    edges, data = {}, {}
    shuffles = {name: rng.permutation(r.num_edges) for name, r in cell.relations.items()}
    for name, r in cell.relations.items():
        order = shuffles[schema.REVERSE.get(name, name)]
        ends = (new[r.src_type][r.src][order], new[r.dst_type][r.dst][order])
        edges[r.canonical] = tuple(torch.from_numpy(end) for end in ends)
        data[name] = {key: torch.from_numpy(values[order]) for key, values in r.data.items()}
    graph = _dgl.load().heterograph(edges, num_nodes_dict=cell.sizes)
    for name, columns in data.items():
        for key, values in columns.items():
            graph.edges[name].data[key] = values
    return graph


@engines
@few
@given(seed=seeds, variant=variants, feedback=st.booleans())
def test_node_and_edge_permutation(engine, seed, variant, feedback):
    cell = tiny_cell(seed)
    rng = np.random.default_rng(seed)
    genotypes = random_genotypes(cell, 5, seed=seed)
    model = model_of(cell, seed, variant, feedback)
    batch = batch_of(cell, genotypes)
    expected = model(make_engine(engine, cell.dgl, "cpu"), batch).predictions

    new = {t: rng.permutation(cell.num_nodes(t)) for t in NODE_TYPES}
    graph = permuted_graph(cell, new, rng)
    group = np.empty_like(cell.reaction_group)
    group[new["reaction"]] = cell.reaction_group
    sizes = GraphSizes(cell.sizes, GraphSizes.of(cell).gene_relations, torch.from_numpy(group))
    moved = CellModel(model.config, sizes).double().eval()
    weights = model.state_dict()
    for t in NODE_TYPES:
        weights[f"embeddings.{t}"] = weights[f"embeddings.{t}"][torch.from_numpy(np.argsort(new[t]))]
    moved.load_state_dict(weights)
    lost = batch.perturbation
    moved_lost = dataclasses.replace(
        lost,
        genes=new["gene"][lost.genes],
        reactions=new["reaction"][lost.reactions],
        metabolites=new["metabolite"][lost.metabolites],
    )
    moved_batch = dataclasses.replace(batch, perturbation=moved_lost)
    actual = moved(make_engine(engine, graph, "cpu"), moved_batch).predictions
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-10)


@engines
@few
@given(seed=seeds, variant=variants, chunk=st.integers(1, 6))
def test_a_batch_is_a_loop_over_its_genotypes(engine, seed, variant, chunk):
    cell = tiny_cell(seed)
    genotypes = random_genotypes(cell, 5, max_order=12, seed=seed)
    model = model_of(cell, seed, variant)
    bound = make_engine(engine, cell.dgl, "cpu")
    together = model(bound, batch_of(cell, genotypes), chunk=chunk).predictions
    one_by_one = torch.cat([model(bound, batch_of(cell, [genotype])).predictions for genotype in genotypes])
    torch.testing.assert_close(together, one_by_one, rtol=0, atol=1e-10)


@engines
@few
@given(seed=seeds, variant=variants)
def test_an_isolated_gene_reaches_nobody_but_the_pool_and_itself(engine, seed, variant):
    """Deleting the last gene, which has no edge to another, leaves every other gene's state as it was."""
    cell = tiny_cell(seed)
    model = model_of(cell, seed, variant)
    bound = make_engine(engine, cell.dgl, "cpu")
    wild = model.wild_type(bound)
    last = cell.num_nodes("gene") - 1
    plan = bound.plan(batch_of(cell, [[last]]).alive(), len(model.layers))
    states = list(model.encode(bound, wild.inputs, plan))[-1]
    torch.testing.assert_close(states["gene"][:last], wild.states["gene"][:last], rtol=0, atol=1e-12)
