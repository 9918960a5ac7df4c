"""The network learned from training rows: its numbers against dense loops, and what it finds where one misleads."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

import dglcell
from dglcell import schema
from dglcell.errors import UsageError
from dglcell.genotypes.splits.make import make_split
from dglcell.graph import pagerank as ppr
from dglcell.graph.cell import CellGraph
from dglcell.graph.pagerank import Neighbors, PageRank, diffuse, network, networks
from dglcell.graph.relation import Relation
from dglcell.inference.run import load_run
from dglcell.nn.model import CellModel
from dglcell.nn.states import GraphSizes
from dglcell.training import gene_similarity
from dglcell.training.data import TrainingData
from dglcell.training.loop import train
from dglcell.training.trainer import Trainer
from tests.cells import tiny_cell
from tests.graph.test_pagerank import adjacency_of, pagerank
from tests.runs import table_of, tiny_config, tiny_run, tiny_table

MODULES, GENES, UNSEEN = 6, 60, 59
TRUE, FALSE = schema.PHYSICAL, "misleading"


def ranks_of(cell, alpha, names):
    return {name: PageRank(network(cell, name), alpha) for name in names}


def candidates(cell, alpha, names):
    genes = cell.num_nodes(schema.GENE)
    return gene_similarity._candidates(cell, alpha, {name: Neighbors.alone(genes, 3) for name in names})[0]


def learned_of(*args):
    return gene_similarity.learn(*args)[schema.SIMILARITY]


def every_pair(genes):
    a, b = np.triu_indices(genes, 1)
    return gene_similarity._Pairs(a, b)


def replicates():
    """Genotypes of order 0 to 3 with missing labels, several of them measured twice."""
    cell = tiny_cell()
    table = tiny_table(cell, rows=150)
    table = table.take(np.concatenate([np.arange(len(table)), np.arange(40)]))
    values = np.random.default_rng(1).normal(size=len(table)).astype(np.float32)
    values[::7] = np.nan
    return cell, table, values


def dense_profiles(table, values):
    """{gene: {other deletions: mean}}, row after row."""
    found = {}
    for row, value in enumerate(values):
        genes = table.genes[table.ptr[row] : table.ptr[row + 1]].tolist()
        for gene in genes:
            if np.isfinite(value):
                others = tuple(g for g in genes if g != gene)
                found.setdefault(gene, {}).setdefault(others, []).append(float(value))
    return {gene: {c: np.mean(v) for c, v in contexts.items()} for gene, contexts in found.items()}


def test_covariances_are_means_over_common_contexts():
    _, table, values = replicates()
    profiles = dense_profiles(table, values)
    assert {len(context) for contexts in profiles.values() for context in contexts} == {0, 1, 2}
    pairs = every_pair(12)
    mean, count = gene_similarity._covariances(table, values, 12, pairs)
    for i, k, m, c in zip(pairs.first, pairs.second, mean, count, strict=True):
        common = profiles[i].keys() & profiles[k].keys()
        assert c == len(common)
        assert m == pytest.approx(np.mean([profiles[i][x] * profiles[k][x] for x in common]) if common else 0, abs=1e-5)


def test_covariances_in_blocks_are_the_same(monkeypatch):
    _, table, values = replicates()
    whole = gene_similarity._covariances(table, values, 12, every_pair(12))
    monkeypatch.setattr(gene_similarity, "_ENTRIES", 50.0)
    for a, b in zip(whole, gene_similarity._covariances(table, values, 12, every_pair(12)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_features_are_closeness_edge_and_degrees_of_each_network():
    cell = tiny_cell(3, genes=20, reactions=9, metabolites=9)
    names, pairs = networks(cell), every_pair(20)
    assert len(names) == 3
    x = gene_similarity._features(cell, 0.1, ranks_of(cell, 0.1, names), pairs)
    for k, name in enumerate(names):
        a = adjacency_of(cell, name)
        linked = a.any(1)
        p = pagerank(a, 0.1)
        degree = np.log1p((a > 0).sum(1))
        for row, (i, j) in enumerate(zip(pairs.first, pairs.second, strict=True)):
            closeness = p[i, j] / np.sqrt(p[i, i] * p[j, j]) if linked[i] and linked[j] else 0
            expected = [closeness, a[i, j], min(degree[i], degree[j]), max(degree[i], degree[j])]
            np.testing.assert_allclose(x[row, 4 * k : 4 * k + 4], expected, atol=2e-5)


def test_candidates_are_the_nearest_in_any_network(monkeypatch):
    monkeypatch.setattr(gene_similarity, "_CANDIDATES", 4)
    cell = tiny_cell(1, genes=20, reactions=9, metabolites=9)
    expected = set()
    for neighbors in diffuse(cell, 0.1, 4, networks(cell)).values():
        for gene, (index, weight) in enumerate(zip(neighbors.index, neighbors.weight, strict=True)):
            expected |= {(min(gene, g), max(gene, g)) for g in index[weight > 0].tolist() if g != gene}
    pairs = candidates(cell, 0.1, networks(cell))
    assert list(zip(pairs.first, pairs.second, strict=True)) == sorted(expected)


def test_each_gene_keeps_its_largest_weights_and_itself():
    rng, pairs = np.random.default_rng(0), every_pair(9)
    weight = rng.normal(size=36)
    weight[(pairs.first == 4) | (pairs.second == 4)] = -1.0
    found = gene_similarity._strongest(pairs, weight, Neighbors.alone(9, 4))
    dense = np.zeros((9, 9))
    dense[pairs.first, pairs.second] = dense[pairs.second, pairs.first] = np.maximum(weight, 0)
    for gene, row in enumerate(dense):
        expected = np.zeros(9)
        order = [g for g in np.argsort(-row) if row[g] > 0][:3]
        expected[order] = row[order]
        expected[gene] = row.max() or 1.0
        got = np.zeros(9)
        np.add.at(got, found.index[gene], found.weight[gene])
        np.testing.assert_allclose(got, expected / np.linalg.norm(expected), atol=1e-6)


def module_cell():
    """Genes of one module are joined in one network, in the other any genes; the last gene is in no row."""
    rng = np.random.default_rng(0)
    module = np.arange(GENES) % MODULES
    same = (module[:, None] == module) & ~np.eye(GENES, dtype=bool)
    other = np.triu(rng.random((GENES, GENES)) < 0.15, 1)
    relations = [
        Relation.of(name, schema.GENE, schema.GENE, *np.nonzero(edges), undirected=True)
        for name, edges in ((TRUE, same), (FALSE, other | other.T))
    ]
    relations += [
        Relation.of(schema.GPR, *schema.ENDS[schema.GPR]),
        Relation.of(schema.IN, *schema.ENDS[schema.IN], data={schema.STOICHIOMETRY: np.zeros(0, np.float32)}),
    ]
    ids = {schema.GENE: [f"G{i:02d}" for i in range(GENES)], schema.REACTION: [], schema.METABOLITE: []}
    return CellGraph(ids, relations, np.zeros(0, int), []), module


def module_screen(cell, module, noise=1.0):
    rng = np.random.default_rng(1)
    strength = rng.normal(size=(MODULES, MODULES))
    strength += strength.T
    pairs = np.array(list(itertools.combinations(range(UNSEEN), 2)))
    y = strength[module[pairs[:, 0]], module[pairs[:, 1]]] + noise * rng.normal(size=len(pairs))
    return table_of(cell, [tuple(p) for p in pairs.tolist()], np.full(len(pairs), np.nan), y), y.astype(np.float32)


def test_the_network_that_tells_is_found_for_a_gene_never_seen_too():
    cell, module = module_cell()
    table, y = module_screen(cell, module)
    assert UNSEEN not in table.genes
    found = learned_of(cell, table, y, 0.06, 8, (TRUE, FALSE))
    assert found.index.shape == found.weight.shape == (GENES, 8)
    np.testing.assert_allclose(np.linalg.norm(found.weight, axis=1), 1, rtol=1e-6)
    others = (found.weight > 0) & (found.index != np.arange(GENES)[:, None])
    assert others.sum(axis=1).min() >= 3
    pairs = len(candidates(cell, 0.06, (TRUE, FALSE)).first)
    edges = learned_of(cell, table, y, 0.06, GENES, (TRUE, FALSE)).weight[:, 1:].astype(bool).sum()
    assert 0.1 < edges / (2 * pairs) <= 0.2
    alike = module[found.index] == module[:, None]
    assert alike[others].mean() > 0.95
    assert alike[UNSEEN][others[UNSEEN]].all()
    neighbors = diffuse(cell, 0.06, 8, (TRUE, FALSE))[FALSE]
    assert (module[neighbors.index] == module[:, None]).mean() < 0.5  # so it was not the other network


def test_a_covariance_counts_as_often_as_it_was_measured(monkeypatch):
    """Half of the pairs of one module are alike in a hundred contexts, the other half the opposite in a single one."""
    cell, module = module_cell()
    table, y = module_screen(cell, module)

    def covariances(table, values, n, pairs):
        often = np.random.default_rng(0).random(len(pairs.first)) < 0.5
        alike = (module[pairs.first] == module[pairs.second]).astype(np.float32)
        return np.where(often, alike, -5 * alike), np.where(often, 100, 1).astype(np.float32)

    monkeypatch.setattr(gene_similarity, "_covariances", covariances)
    found = learned_of(cell, table, y, 0.06, 8, (TRUE, FALSE))
    others = (found.weight > 0) & (found.index != np.arange(GENES)[:, None])
    assert others.any(axis=1).all()
    assert (module[found.index] == module[:, None])[others].all()


def test_labels_that_say_nothing_of_modules_give_another_network():
    cell, module = module_cell()
    table, y = module_screen(cell, module)
    shuffled = np.random.default_rng(2).permutation(y)
    found = learned_of(cell, table, shuffled, 0.06, 8, (TRUE, FALSE))
    others = (found.weight > 0) & (found.index != np.arange(GENES)[:, None])
    assert (module[found.index] == module[:, None])[others].mean() < 0.7


def test_too_few_rows_leave_every_gene_alone():
    cell, module = module_cell()
    table, y = module_screen(cell, module, noise=0.0)
    alone = Neighbors.alone(GENES, 5)
    for genes, enough in ((30, False), (50, True)):  # 435 pairs of genes were measured with a common partner, and 1,225
        rows = np.flatnonzero(table.genes.reshape(-1, 2).max(axis=1) < genes)
        found = learned_of(cell, table.take(rows), y[rows], 0.06, 5, (TRUE, FALSE))
        assert np.array_equal(found.index, alone.index) != enough
        assert np.array_equal(found.weight, alone.weight) != enough


def noted(calls):
    """In the place of `gene_similarity.learn`: notes its arguments, finds nobody."""

    def learn(*args):
        calls.append(args)
        return {name: Neighbors.alone(12, 5) for name in (*args[5], schema.SIMILARITY)}

    return learn


@pytest.mark.parametrize(
    ("weights", "known", "column"),
    [
        ({"fitness": 1.0, "gene_interaction": 1.0}, True, schema.INTERACTION),
        ({"fitness": 1.0, "gene_interaction": 0.0}, True, schema.FITNESS),
        ({"fitness": 1.0, "gene_interaction": 1.0}, False, schema.FITNESS),
    ],
)
def test_genes_are_compared_by_the_label_that_is_learnt(monkeypatch, weights, known, column):
    cell = tiny_cell()
    table = tiny_table(cell)
    if not known:
        table.labels[:, schema.LABEL_COLUMNS.index(schema.INTERACTION)] = np.nan
    calls = []
    monkeypatch.setattr(gene_similarity, "learn", noted(calls))
    config = tiny_config(fm_rank=2, similarity=True, ppr_topk=5, label_weights=weights)
    data = TrainingData(cell, table, make_split(table, "random", 0, 0.2, 0.2), config)
    with pytest.warns(UserWarning, match="similarity has no effect: too few"):
        neighbors = data.neighbors((*networks(cell), schema.SIMILARITY))
    assert list(neighbors) == [*networks(cell), schema.SIMILARITY]
    (args,) = calls
    expected = data.targets(data.train_rows)[:, schema.LABELS.index(column)]
    assert np.isfinite(expected).any()
    np.testing.assert_array_equal(args[2], expected)
    assert args[5] == networks(cell)


def test_only_training_rows_are_read(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(gene_similarity, "learn", noted(calls))
    with pytest.warns(UserWarning, match="similarity has no effect: too few"):
        _, table, split, _ = tiny_run(tmp_path / "run", fm_rank=2, similarity=True, ppr_topk=5)
    (args,) = calls
    rows = split.rows("train")
    rows = rows[table.usable(schema.LABELS)[rows]]
    assert len(rows) < len(table)
    assert args[1].fingerprint == table.take(rows).fingerprint
    interaction = table.take(rows).targets[:, schema.LABELS.index(schema.INTERACTION)]
    np.testing.assert_array_equal(np.isnan(args[2]), np.isnan(interaction))


def test_the_last_bits_of_the_networks_do_not_matter(monkeypatch):
    cell, module = module_cell()
    table, y = module_screen(cell, module)
    found = learned_of(cell, table, y, 0.06, 8, (TRUE, FALSE))
    closeness, rng = gene_similarity._closeness, np.random.default_rng(0)
    monkeypatch.setattr(gene_similarity, "_closeness", lambda *a: (x := closeness(*a)) + 1e-8 * rng.normal(size=len(x)))
    again = learned_of(cell, table, y, 0.06, 8, (TRUE, FALSE))
    np.testing.assert_array_equal(found.index, again.index)
    np.testing.assert_array_equal(found.weight, again.weight)


@pytest.fixture
def inversions(monkeypatch):
    """Grows by one for each network that is inverted."""
    calls, invert = [], ppr._inverse
    monkeypatch.setattr(ppr, "_inverse", lambda *args: calls.append(args) or invert(*args))
    return calls


@pytest.mark.parametrize(("free", "expected"), [(1 << 40, 2), (4 * 4 * GENES**2, 4)])
def test_a_network_is_inverted_once_or_twice_where_memory_is_short(monkeypatch, inversions, free, expected):
    cell, module = module_cell()
    table, y = module_screen(cell, module)
    whole = gene_similarity.learn(cell, table, y, 0.06, 8, (TRUE, FALSE))
    inversions.clear()
    monkeypatch.setattr(gene_similarity, "free_memory", lambda device: free)
    networks_then = gene_similarity.learn(cell, table, y, 0.06, 8, (TRUE, FALSE))
    assert len(inversions) == expected
    for name, alone in diffuse(cell, 0.06, 8, (TRUE, FALSE)).items():
        np.testing.assert_array_equal(networks_then[name].index, alone.index)
        np.testing.assert_allclose(networks_then[name].weight, alone.weight, atol=1e-6)
    for name, neighbors in whole.items():
        np.testing.assert_array_equal(networks_then[name].index, neighbors.index)
        np.testing.assert_array_equal(networks_then[name].weight, neighbors.weight)


@pytest.mark.parametrize("similarity", [False, True])
def test_an_ensemble_computes_its_networks_once_and_a_resumed_run_never(monkeypatch, tmp_path, inversions, similarity):
    cell, module = module_cell()
    table, _ = module_screen(cell, module)
    split = make_split(table, "random", 0, 0.1, 0.1)
    learn, calls = gene_similarity.learn, []
    monkeypatch.setattr(gene_similarity, "learn", lambda *args: calls.append(args) or learn(*args))
    config = tiny_config(fm_rank=2, similarity=similarity, ppr_topk=6, epochs=1, batch_size=900, ensemble=3)
    train(cell, table, split, config, tmp_path)
    assert len(inversions) == 2 and len(calls) == similarity  # two networks
    train(cell, table, split, dataclasses.replace(config, epochs=2), tmp_path, resume=True)
    assert len(inversions) == 2 and len(calls) == similarity
    buffers = [dict(model.fm.named_buffers()) for model in load_run(tmp_path).models]
    assert buffers[0]["seen"].sum() == UNSEEN
    for further in buffers[1:]:
        assert all(torch.equal(further[name], values) for name, values in buffers[0].items())


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_sets_are_numbered_alike_if_they_are_equal(order):
    sets = np.random.default_rng(0).integers(0, 4, size=(60, order)).astype(np.int32)
    expected = {row: k for k, row in enumerate(sorted(set(map(tuple, sets.tolist()))))}
    for n in (4, 10**9):  # 10^9 ^ 3 does not fit into 64 bits
        assert gene_similarity._set_numbers(sets, n).tolist() == [expected[tuple(row)] for row in sets.tolist()]


def test_covariances_by_dense_products_are_the_same(monkeypatch):
    _, table, values = replicates()
    used = []
    dense, sparse = gene_similarity._dense, gene_similarity._sparse
    monkeypatch.setattr(gene_similarity, "_dense", lambda *args: used.append("dense") or dense(*args))
    monkeypatch.setattr(gene_similarity, "_sparse", lambda *args: used.append("sparse") or sparse(*args))
    monkeypatch.setattr(gene_similarity, "_COLUMNS", 3)
    found = []
    for denser in (0, 1e9):
        monkeypatch.setattr(gene_similarity, "_DENSER", denser)
        found.append(gene_similarity._covariances(table, values, 12, every_pair(12)))
    assert used == ["sparse", "sparse", "dense", "dense"]
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-6)
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_a_learned_network_is_stored_loaded_and_resumed(monkeypatch, tmp_path):
    cell, module = module_cell()
    table, _ = module_screen(cell, module)
    split = make_split(table, "random", 0, 0.1, 0.1)
    config = tiny_config(
        fm_rank=2, similarity=True, ppr_topk=6, epochs=3, batch_size=256, label_weights={"gene_interaction": 1.0}
    )
    trainer = Trainer(TrainingData(cell, table, split, config))
    learned = trainer.data.neighbors(trainer.model.fm.networks)[schema.SIMILARITY]
    assert (learned.weight[:, 1] > 0).mean() > 0.9
    train(cell, table, split, config, tmp_path / "whole")
    train(cell, table, split, dataclasses.replace(config, epochs=1), tmp_path / "parts")
    train(cell, table, split, config, tmp_path / "parts", resume=True)
    monkeypatch.setattr(gene_similarity, "learn", lambda *args: pytest.fail("learned when a run is loaded"))
    runs = [load_run(tmp_path / name) for name in ("whole", "parts")]
    for run in runs:
        fm = run.models[0].fm
        np.testing.assert_array_equal(fm.get_buffer("neighbors_similarity").numpy(), learned.index)
        np.testing.assert_array_equal(fm.get_buffer("ppr_similarity").numpy(), learned.weight)
    predicted = [run.predict_rows(table.genes, table.ptr) for run in runs]
    np.testing.assert_array_equal(*predicted)


def test_an_empty_network_that_nobody_asked_for_is_only_logged(caplog, tmp_path, recwarn):
    caplog.set_level("INFO", logger="dglcell")
    cell, table, split, _ = tiny_run(tmp_path / "run", fm_rank=2, similarity=None, ppr_topk=5)
    assert "no network of similar genes: too few pairs" in caplog.text
    config = tiny_config(fm_rank=2, similarity=None, ppr_topk=5)
    dglcell.train(cell, table, split, config, out=tmp_path / "other")
    assert not [warning for warning in recwarn if "similarity" in str(warning.message)]
    with pytest.warns(UserWarning, match="similarity has no effect"):
        dglcell.train(cell, table, split, dataclasses.replace(config, similarity=True), out=tmp_path / "wanted")


def test_too_few_rows_are_said_and_another_network_of_that_name_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="similarity has no effect: too few pairs of genes"):
        cell, *_ = tiny_run(tmp_path / "run", fm_rank=2, similarity=True, ppr_topk=5)
    sizes = dataclasses.replace(GraphSizes.of(cell), networks=(schema.PHYSICAL, schema.SIMILARITY))
    with pytest.raises(UsageError, match="the cell has a relation 'similarity'"):
        CellModel(tiny_config(fm_rank=2, similarity=True), sizes)
