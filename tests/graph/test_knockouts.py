"""Deletions against a restatement of the rules with Python sets, and masks against subgraphs."""

import numpy as np
import pytest

from dglcell import schema
from dglcell._dgl import load as load_dgl
from tests.cells import random_genotypes, reaction_to_genes, tiny_cell

CELLS = [
    {},
    {"features": 3},
    {"seed": 1, "self_loops": False},
    {"seed": 2, "regulatory": False},
    {"seed": 3, "reactions": 15, "metabolites": 12, "genes": 20},
    {"seed": 4, "metabolism": False},
]


def by_the_rules(cell, genotype):
    """What survives, straight from the definition: sets of ids by type, sets of edge numbers by relation."""
    genes = set(cell.ids["gene"]) - set(genotype)
    reactions = {node for node, needed in reaction_to_genes(cell).items() if needed <= genes}
    parts = cell.relations["in"]
    of_metabolite = {m: set() for m in cell.ids["metabolite"]}
    for m, r in zip(parts.src, parts.dst, strict=True):
        of_metabolite[cell.ids["metabolite"][m]].add(cell.ids["reaction"][r])
    metabolites = {m for m, used in of_metabolite.items() if not used or used & reactions}
    edges = {}
    for name, relation in cell.relations.items():
        ends = [
            (cell.ids[relation.src_type][s], cell.ids[relation.dst_type][d])
            for s, d in zip(relation.src, relation.dst, strict=True)
        ]
        if relation.src_type == relation.dst_type == "gene":
            edges[name] = {k for k, (a, b) in enumerate(ends) if a in genes and b in genes}
        else:
            which = 0 if relation.src_type == "reaction" else 1
            edges[name] = {k for k, pair in enumerate(ends) if pair[which] in reactions}
    return {"gene": genes, "reaction": reactions, "metabolite": metabolites}, edges


@pytest.mark.parametrize("options", CELLS)
def test_masks_follow_the_rules(options):
    cell = tiny_cell(**options)
    genotypes = random_genotypes(cell, 40, max_order=4, seed=7)
    masks = cell.masks(genotypes)
    for b, genotype in enumerate(genotypes):
        nodes, edges = by_the_rules(cell, genotype)
        for node_type, ids in cell.ids.items():
            kept = {ids[k] for k in np.flatnonzero(~masks.nodes[node_type][b])}
            assert kept == nodes[node_type], (genotype, node_type)
        for name in cell.relations:
            assert set(np.flatnonzero(~masks.edges[name][b]).tolist()) == edges[name], (genotype, name)


@pytest.mark.parametrize("options", CELLS)
def test_perturb_equals_masks(options):
    dgl = load_dgl()
    cell = tiny_cell(**options)
    genotypes = random_genotypes(cell, 25, max_order=4, seed=3)
    masks = cell.masks(genotypes)
    labels = np.random.default_rng(0).standard_normal((25, 4)).astype(np.float32)
    for b, genotype in enumerate(genotypes):
        graph = cell.perturb(genotype, labels[b])
        _same_graph(dgl, cell, masks, b, graph)
        assert graph.nodes[schema.GENOTYPE].data[schema.LABEL_DATA].tolist() == [labels[b].tolist()]
        rows = masks.perturbed_index[masks.ptr[b] : masks.ptr[b + 1]]
        assert graph.nodes[schema.DELETED].data[dgl.NID].tolist() == rows.tolist()
        assert {cell.ids["gene"][r] for r in rows} == set(genotype)
        if cell.features is not None:
            kept = ~masks.nodes["gene"][b]
            assert graph.nodes["gene"].data["x"].tolist() == cell.features[kept].tolist()
            assert graph.nodes["gene"].data["has_x"].tolist() == cell.has_features[kept].tolist()
            assert graph.nodes[schema.DELETED].data["x"].tolist() == cell.features[rows].tolist()


def _same_graph(dgl, cell, masks, b, graph):
    """Nodes, edges, edge data and original ids of a subgraph are those that the masks leave."""
    rows = {}
    for node_type in cell.ids:
        rows[node_type] = graph.nodes[node_type].data[dgl.NID].numpy()
        assert rows[node_type].tolist() == np.flatnonzero(~masks.nodes[node_type][b]).tolist()
    for name, relation in cell.relations.items():
        kept = np.flatnonzero(~masks.edges[name][b])
        assert graph.edges[name].data[dgl.EID].tolist() == kept.tolist()
        src, dst = graph.edges(etype=relation.canonical, order="eid")
        assert rows[relation.src_type][src.numpy()].tolist() == relation.src[kept].tolist()
        assert rows[relation.dst_type][dst.numpy()].tolist() == relation.dst[kept].tolist()
        for key, values in relation.data.items():
            assert graph.edges[name].data[key].tolist() == values[kept].tolist()


def test_the_wild_type_loses_nothing():
    cell = tiny_cell()
    masks = cell.masks([()])
    assert not any(mask.any() for mask in (*masks.nodes.values(), *masks.edges.values()))
    graph = cell.perturb(())
    assert all(graph.num_nodes(t) == n for t, n in cell.sizes.items())
    assert graph.num_nodes(schema.DELETED) == 0


def test_mask_lengths_and_ragged_offsets():
    cell = tiny_cell()
    genotypes = [("G001", "G003"), (), ("G000",), ("G004", "G002", "G009", "G004")]
    masks = cell.masks(genotypes)
    assert len(masks) == 4
    assert masks.ptr.tolist() == [0, 2, 2, 3, 6]
    assert masks.perturbed_index.tolist() == [1, 3, 0, 2, 4, 9]
    assert {t: mask.shape for t, mask in masks.nodes.items()} == {t: (4, n) for t, n in cell.sizes.items()}
    assert {n: mask.shape for n, mask in masks.edges.items()} == {
        n: (4, r.num_edges) for n, r in cell.relations.items()
    }
    assert all(mask.dtype == bool for mask in (*masks.nodes.values(), *masks.edges.values()))
    assert len(cell.masks([])) == 0


def test_a_perturbation_is_the_masks_in_ragged_form():
    cell = tiny_cell(seed=3, reactions=15, genes=20)
    genotypes = random_genotypes(cell, 60, max_order=5, seed=1)
    lost = cell.knock_out(*cell.indices(genotypes))
    masks = cell.masks(genotypes)
    assert len(lost) == 60
    assert lost.order.tolist() == [len(g) for g in genotypes]
    for node_type in cell.ids:
        rows, ptr = lost.lost(node_type)
        for b in range(60):
            assert rows[ptr[b] : ptr[b + 1]].tolist() == np.flatnonzero(masks.nodes[node_type][b]).tolist()
    for b in range(60):
        alive = set(cell.reaction_group[~masks.nodes["reaction"][b]].tolist())
        gone = sorted(set(range(len(cell.group_names))) - alive)
        assert lost.groups[lost.group_ptr[b] : lost.group_ptr[b + 1]].tolist() == gone
    assert len(lost.groups)


def test_a_reaction_is_lost_jointly_iff_no_deletion_alone_loses_it():
    cell = tiny_cell(seed=3, reactions=15, genes=20)
    genotypes = random_genotypes(cell, 60, max_order=5, seed=1)
    lost = cell.knock_out(*cell.indices(genotypes))
    for b, genotype in enumerate(genotypes):
        alone = set(cell.knock_out(*cell.indices([(gene,) for gene in genotype])).groups.tolist())
        rows = slice(lost.group_ptr[b], lost.group_ptr[b + 1])
        assert lost.joint[rows].tolist() == [group not in alone for group in lost.groups[rows].tolist()]
    assert lost.joint.any() and not lost.joint.all()


def test_one_batch_equals_single_genotypes():
    cell = tiny_cell(seed=5, reactions=12)
    genotypes = random_genotypes(cell, 12, seed=2)
    together = cell.masks(genotypes)
    for b, genotype in enumerate(genotypes):
        alone = cell.masks([genotype])
        for key, mask in together.nodes.items():
            assert (mask[b] == alone.nodes[key][0]).all()
        for key, mask in together.edges.items():
            assert (mask[b] == alone.edges[key][0]).all()


def test_dgl_batches_four_perturbed_cells():
    """The numbers of the design note: 4 genotypes with 11 deletions keep 4 N - 11 genes; the mask has 4 N entries."""
    dgl = load_dgl()
    cell = tiny_cell(features=2)
    genotypes = [("G000", "G001", "G002"), ("G003", "G004"), ("G005", "G006", "G007", "G008"), ("G009", "G010")]
    labels = np.arange(16, dtype=np.float32).reshape(4, 4)
    batch = dgl.batch([cell.perturb(g, y) for g, y in zip(genotypes, labels, strict=True)])
    masks = cell.masks(genotypes)
    assert batch.num_nodes("gene") == 4 * 12 - 11
    assert masks.nodes["gene"].size == 4 * 12
    assert int((~masks.nodes["gene"]).sum()) == 4 * 12 - 11
    assert batch.batch_num_nodes(schema.DELETED).tolist() == np.diff(masks.ptr).tolist()
    assert batch.nodes[schema.GENOTYPE].data[schema.LABEL_DATA].tolist() == labels.tolist()
    for name, mask in masks.edges.items():
        assert batch.batch_num_edges(cell.relations[name].canonical).tolist() == (~mask).sum(axis=1).tolist()


def test_labels_that_are_missing_stay_missing():
    graph = tiny_cell().perturb(["G001"])
    assert np.isnan(graph.nodes[schema.GENOTYPE].data[schema.LABEL_DATA].numpy()).all()


def test_an_isolated_gene_takes_only_its_loops():
    cell = tiny_cell()
    masks = cell.masks([("G011",)])
    assert {name: int(mask.sum()) for name, mask in masks.edges.items() if mask.any()} == {
        schema.PHYSICAL: 1,
        schema.REGULATORY: 1,
    }
    assert not masks.nodes["reaction"].any()
