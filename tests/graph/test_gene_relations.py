"""Degrees as gene features, counted edge by edge."""

import numpy as np
import pytest

from dglcell import schema
from dglcell.errors import DataError, DglcellWarning, UsageError
from dglcell.graph.build import build
from dglcell.graph.gene_relations import degree_features
from dglcell.graph.relation import Relation
from dglcell.readers.edge_table import EdgeTable
from dglcell.readers.gene_list import GeneList
from tests.cells import tiny_cell

GENES = GeneList(("g1", "g2", "g3", "g4"))


def standardized(values):
    return (values - values.mean()) / values.std()


def columns_of(*counts):
    logs = [standardized(np.log1p(count)) for count in counts]
    return np.stack([column for log in logs for column in (log, standardized(log**2))], axis=1)


def neighbor_counts(cell):
    """Partners of each gene, by a loop over edges."""
    found = []
    for relation in cell.forward:
        out, into = np.zeros((2, cell.num_nodes(schema.GENE)))
        for src, dst in zip(relation.src, relation.dst, strict=True):
            if relation.name == schema.GPR:
                out[src] += 1
            elif relation.src_type == relation.dst_type == schema.GENE and src != dst:
                out[src] += 1
                into[dst] += 1
        found += [out] if relation.undirected or relation.name == schema.GPR else [out, into]
    return [count for count in found if count.min() < count.max()]


def test_degrees():
    cell = tiny_cell()
    x = degree_features(cell.forward, 12)
    assert x.dtype == np.float32
    assert x.shape[1] == 8  # physical, regulatory both ways, reactions
    np.testing.assert_allclose(x, columns_of(*neighbor_counts(cell)), atol=1e-5)


def test_a_count_that_is_the_same_for_all_is_left_out():
    ring = Relation.of("ring", schema.GENE, schema.GENE, [0, 1, 2], [1, 2, 0])
    assert degree_features([ring], 3).shape == (3, 0)


def test_built_with_degrees():
    table = EdgeTable("edges", "columns", ["g1", "g1", "g2"], ["g2", "g3", "g3"])
    cell = build(genes=GENES, physical=[table], degrees=True)
    assert cell.has_features.all()
    assert cell.report["degrees"] == {"columns": 2}
    np.testing.assert_allclose(cell.features[:, 0], standardized(np.log1p([2, 2, 2, 0])), atol=1e-6)


def test_without_an_edge_there_are_none():
    with pytest.raises(UsageError, match="degrees: all genes have equal degrees"):
        build(genes=GENES, degrees=True)


def test_a_gene_is_found_by_another_name_of_the_file():
    genes = GeneList(("g1", "g2", "g3"), {"three": ("g3",), "both": ("g1", "g2")})
    names = {"x1": ("y1", "G1"), "both": ("g2",), "x3": ("y3",), "g3": ("g1",)}
    table = EdgeTable("edges", "columns", ["x1", "both", "x3"], ["both", "g3", "g3"], synonyms=names)
    with pytest.warns(DglcellWarning, match="1 of 3 edges is left out"):
        cell = build(genes=genes, physical=[table])
    relation = cell.relations[schema.PHYSICAL]
    edges = {(src, dst) for src, dst in zip(relation.src.tolist(), relation.dst.tolist(), strict=True) if src < dst}
    assert edges == {(0, 1), (1, 2)}  # g1-g2 and g2-g3
    file = cell.report[schema.PHYSICAL]["files"][0]
    assert (file["ids resolved by another name in the file"], file["ids outside the gene list"]) == (2, 1)
    with pytest.raises(DataError, match="ambiguous"):
        build(genes=genes, physical=[EdgeTable("edges", "columns", ["both"], ["g3"])])


def test_genes_of_the_cell_are_no_names_of_columns():
    with pytest.raises(DataError, match=r"t: the first row is taken for the names of columns \(g1 and g2\)"):
        build(genes=GENES, physical=[EdgeTable("t", "two columns", ["g3"], ["g4"], column_names=("g1", "g2"))])
    cell = build(genes=GENES, physical=[EdgeTable("t", "two columns", ["g3"], ["g4"], column_names=("g1", "gene"))])
    assert cell.report["physical_interaction"]["pairs"] == 1
