import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from dglcell import schema
from dglcell.errors import DataError, FingerprintError
from dglcell.graph.cell import CellGraph
from dglcell.graph.relation import Relation
from tests.cells import random_genotypes, tiny_cell


def test_info_is_the_documented_json():
    cell = tiny_cell()
    info = json.loads(json.dumps(cell.info()))
    assert info["nodes"] == {"gene": 12, "reaction": len(cell.ids["reaction"]), "metabolite": 8}
    assert set(info["edges"]) == {schema.PHYSICAL, schema.REGULATORY, "gpr", "catalysed_by", "in", "of"}
    physical = cell.relations[schema.PHYSICAL]
    assert info["edges"][schema.PHYSICAL] == 2 * info["pairs"][schema.PHYSICAL] + 12 == physical.num_edges
    assert set(info["fingerprints"]) == {"ids", "content"}


def test_the_heterograph_has_every_relation_in_edge_order():
    cell = tiny_cell(features=3, regulatory=False)
    graph = cell.dgl
    assert cell.dgl is graph
    for name, relation in cell.relations.items():
        src, dst = graph.edges(etype=relation.canonical, order="eid")
        assert src.tolist() == relation.src.tolist()
        assert dst.tolist() == relation.dst.tolist()
        for key, values in relation.data.items():
            assert graph.edges[name].data[key].tolist() == values.tolist()
    assert graph.num_edges(schema.REGULATORY) == 0
    assert graph.nodes["gene"].data["x"].shape == (12, 3)
    assert graph.nodes["gene"].data["has_x"].tolist() == cell.has_features.tolist()
    assert graph.nodes["gene"].data["x"][1].tolist() == [0, 0, 0]


def test_a_cell_without_metabolism_has_its_relations_empty():
    cell = tiny_cell(metabolism=False)
    assert cell.sizes == {"gene": 12, "reaction": 0, "metabolite": 0}
    for name in (*schema.ENDS,):
        assert cell.relations[name].canonical == (schema.ENDS[name][0], name, schema.ENDS[name][1])
        assert cell.dgl.num_edges(name) == 0
    assert cell.perturb(["G000"]).num_nodes("gene") == 11
    assert len(cell.knock_out([0, 1], [0, 1, 2]).groups) == 0


@pytest.mark.parametrize(
    ("name", "row"), [("G003", 3), ("g003", 3), (" g003 ", 3), ("ALPHA", 0), ("alpha", 0), ("nobody", None), ("", None)]
)
def test_names_resolve_case_insensitively(name, row):
    assert tiny_cell().resolve(name) == row


def test_an_ambiguous_name_is_an_error_that_names_the_candidates():
    with pytest.raises(DataError, match="'twice' is ambiguous: G000, G001"):
        tiny_cell().resolve("twice")


def test_ids_that_differ_in_case_alone_need_the_exact_spelling():
    cell = CellGraph({"gene": ["A", "a"]}, [])
    assert (cell.resolve("A"), cell.resolve("a")) == (0, 1)
    assert cell.fingerprints["ids"] != CellGraph({"gene": ["A", "b"]}, []).fingerprints["ids"]


def test_indices_sorts_merges_and_takes_names_or_rows():
    genes, ptr = tiny_cell().indices([("G005", "G002", "g005"), (), [3, "alpha"]])
    assert genes.tolist() == [2, 5, 0, 3]
    assert ptr.tolist() == [0, 2, 2, 4]


@pytest.mark.parametrize("gene", ["YFG1", 12, -1])
def test_an_unknown_gene_in_a_genotype_is_named(gene):
    with pytest.raises(DataError, match=f"{gene!r} is not in the graph"):
        tiny_cell().masks([(gene,)])


def test_a_genotype_given_as_one_string_is_refused():
    with pytest.raises(TypeError, match="a list of genes was expected"):
        tiny_cell().masks(["G001"])


@pytest.mark.parametrize(
    ("change", "which"),
    [
        (lambda c: {"ids": c.ids | {"gene": (*c.ids["gene"][:-1], "Z")}}, "ids"),
        (lambda c: {"ids": c.ids | {"metabolite": (*c.ids["metabolite"][:-1], "z")}}, "ids"),
        (lambda c: {"relations": [_without_last_edge(r) if r.name == "gpr" else r for r in c.forward]}, "content"),
        (lambda c: {"relations": [_scaled(r) if r.name == "in" else r for r in c.forward]}, "content"),
        (lambda c: {"relations": [_rewired(r) if r.name == "gpr" else r for r in c.forward]}, "content"),
        (lambda c: {"features": c.features + 1}, "content"),
        (lambda c: {"has_features": np.ones(12, dtype=bool)}, "content"),
        (lambda c: {"group_names": tuple(f"Q{n}" for n in c.group_names)}, "content"),
    ],
)
def test_each_fingerprint_sees_its_own_part(change, which):
    cell = tiny_cell(features=2)
    other = CellGraph(**(_parts(cell) | change(cell)))
    other_which = "content" if which == "ids" else "ids"
    assert other.fingerprints[which] != cell.fingerprints[which]
    assert other.fingerprints[other_which] == cell.fingerprints[other_which]
    assert CellGraph(**_parts(cell)).fingerprints == cell.fingerprints


def test_aliases_reports_and_feature_mode_do_not_enter_the_fingerprints():
    cell = tiny_cell()
    other = CellGraph(**(_parts(cell) | {"aliases": {}, "report": {"a": 1}, "features_mode": "replace"}))
    assert other.fingerprints == cell.fingerprints


def test_a_mismatch_names_both_values_and_the_first_id():
    cell, other = tiny_cell(), tiny_cell(genes=13)
    with pytest.raises(FingerprintError) as error:
        cell.require_same(other.fingerprints, other.ids, what="run x")
    message = str(error.value)
    assert message.startswith("run x belongs to a cell graph with other")
    assert cell.fingerprints["ids"] in message
    assert other.fingerprints["ids"] in message
    assert "first difference: gene 12 is G012 in the file and absent in the graph" in message
    assert "\n" not in message
    cell.require_same(cell.fingerprints, cell.ids)
    cell.require_same({"ids": cell.fingerprints["ids"]})


def test_other_edges_are_named():
    cell = tiny_cell()
    gpr = cell.relations["gpr"]
    gone = f"{cell.ids['gene'][gpr.src[-1]]} to {cell.ids['reaction'][gpr.dst[-1]]}"
    other = CellGraph(
        **(_parts(cell) | {"relations": [_without_last_edge(r) if r.name == "gpr" else r for r in cell.forward]})
    )
    with pytest.raises(FingerprintError, match=r"other edges or features.*catalysed_by from .* is missing in the file"):
        cell.require_equal(other)
    with pytest.raises(FingerprintError) as error:
        cell.require_equal(other)
    assert all(name in str(error.value) for name in gone.split(" to "))
    scaled = CellGraph(**(_parts(cell) | {"relations": [_scaled(r) if r.name == "in" else r for r in cell.forward]}))
    with pytest.raises(FingerprintError, match="the edge data of in"):
        cell.require_equal(scaled)
    cell.require_equal(CellGraph(**_parts(cell)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": {"gene": ("b", "a")}}, "not sorted and distinct"),
        ({"ids": {"gene": ("a", "a")}}, "not sorted and distinct"),
        ({"relations": [Relation.of("r", "gene", "gene", [0], [2])]}, "outside gene"),
        ({"reaction_group": [0]}, "reaction_group has shape"),
        ({"features": np.zeros((3, 1), dtype=np.float32)}, "one row per gene"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        CellGraph(**({"ids": {"gene": ("a", "b")}, "relations": []} | change))


def test_describing_a_cell_imports_neither_torch_nor_dgl(tmp_path):
    from dglcell.genotypes.table import GenotypeTable
    from dglcell.io.cell_file import save

    cell = tiny_cell()
    path = tmp_path / "cell.h5"
    save(cell, path, GenotypeTable.of(cell, *cell.indices(random_genotypes(cell, 5))))
    code = (
        "import sys\n"
        "from dglcell.io import cell_file as store\nfrom dglcell.graph import build, knockouts\n"
        "from dglcell.genotypes import table, scaler\nfrom dglcell.genotypes.splits import make\n"
        "assert 'scipy' not in sys.modules and 'h5py' not in sys.modules\n"
        f"cell = store.load({str(path)!r}); cell.info(); store.load_screen({str(path)!r}).info()\n"
        "cell.masks([('G001',)])\n"
        "heavy = {'torch', 'dgl', 'cobra', 'pandas', 'openpyxl', 'libsbml'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _parts(cell):
    return {
        "ids": cell.ids,
        "relations": cell.forward,
        "reaction_group": cell.reaction_group,
        "group_names": cell.group_names,
        "features": cell.features,
        "has_features": cell.has_features,
        "aliases": cell.aliases,
    }


def _without_last_edge(r):
    return Relation.of(r.name, r.src_type, r.dst_type, r.src[:-1], r.dst[:-1])


def _scaled(r):
    return Relation.of(r.name, r.src_type, r.dst_type, r.src, r.dst, {k: v * 2 for k, v in r.data.items()})


def _rewired(r):
    """The same sources, one edge led to another target."""
    dst = r.dst.copy()
    dst[0] -= 1
    return dataclasses.replace(r, dst=dst)
