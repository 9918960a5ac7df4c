import dataclasses
import warnings

import numpy as np
import pytest

from dglcell import schema
from dglcell.errors import DataError, DglcellWarning, UsageError, with_flags
from dglcell.graph.build import build, complex_edges
from dglcell.graph.reactions import complex_pairs
from dglcell.readers.features import FeatureTable
from dglcell.readers.gene_list import GeneList
from tests.cells import reaction_to_genes
from tests.records import TOY, edge_table, gene_list, toy_model


def incidences(cell):
    relation = cell.relations["in"]
    found = {}
    for m, r, s in zip(relation.src, relation.dst, relation.data[schema.STOICHIOMETRY], strict=True):
        found.setdefault(cell.ids["reaction"][r], {})[cell.ids["metabolite"][m]] = float(s)
    return found


def test_every_alternative_and_direction_is_a_reaction_node():
    cell = build(toy_model())
    assert reaction_to_genes(cell) == {
        "back/1/reverse": {"g6"},
        "blocked/1/forward": {"g1", "g6"},
        "blocked/2/forward": {"g6"},  # `A or A or (A and B)`: identical clauses merge, nothing is absorbed
        "both/1/forward": {"g1", "g2"},
        "both/1/reverse": {"g1", "g2"},
        "both/2/forward": {"g3"},
        "both/2/reverse": {"g3"},
        "onward/1/forward": {"g1", "g4"},
        "onward/2/forward": {"g1", "g5"},
    }
    names = [cell.group_names[g] for g in cell.reaction_group]
    assert names == [node.split("/")[0] for node in cell.ids["reaction"]]


def test_stoichiometry_is_signed_and_reversed():
    found = incidences(build(toy_model()))
    assert found["both/1/forward"] == {"m1": -1.0, "m2": 0.5}
    assert found["both/2/reverse"] == {"m1": 1.0, "m2": -0.5}
    assert found["back/1/reverse"] == {"m3": 2.0, "m4": -1.0}
    assert found["blocked/1/forward"] == {"m4": -1.0, "m1": 1.0}


def test_reactions_without_a_rule_are_kept_on_request():
    without, with_them = build(toy_model()), build(toy_model(), keep_unassigned=True)
    assert "m5" not in without.ids["metabolite"]
    assert reaction_to_genes(with_them)["leak/1/forward"] == frozenset()
    assert "m5" in with_them.ids["metabolite"]
    assert without.report["metabolism"]["without a gene rule, left out"] == 1
    assert without.report["metabolism"]["metabolites without a reaction in the graph, left out"] == 1
    assert with_them.report["metabolism"]["without a gene rule, included"] == 1
    everything = with_them.masks([tuple(with_them.ids["gene"])])
    assert [
        n for n, gone in zip(with_them.ids["reaction"], everything.nodes["reaction"][0], strict=True) if not gone
    ] == ["leak/1/forward"]


def test_bounds_of_zero_are_kept_and_counted():
    assert build(toy_model()).report["metabolism"]["with both bounds 0, included as forward"] == 1


def test_zero_coefficients_are_left_out_and_counted():
    cell = build(toy_model([("r", 0.0, 1.0, {"m1": -1.0, "m2": 0.0}, "g1")]))
    assert cell.ids["metabolite"] == ("m1",)
    assert cell.report["metabolism"]["zero coefficients, left out"] == 1


def test_a_gene_of_the_model_that_the_list_lacks_is_added_and_reported():
    cell = build(toy_model(), GeneList(("g1", "g2", "g9")))
    assert cell.ids["gene"] == ("g1", "g2", "g3", "g4", "g5", "g6", "g9")
    assert cell.report["genes"]["added from the metabolic model"] == ["g3", "g4", "g5", "g6"]


def test_genes_of_the_model_resolve_through_the_gene_list():
    genes = GeneList(("YA", "YB", "g3", "g4", "g5", "g6"), {"g1": ("YA",), "g2": ("YA",)})
    cell = build(toy_model(), genes)
    assert reaction_to_genes(cell)["both/1/forward"] == {"YA"}  # g1 and g2 are names of one gene
    assert cell.ids["gene"] == genes.ids
    assert cell.resolve("G1") == 0


def test_model_genes_and_names_stand_in_for_a_gene_list():
    model = toy_model()
    model.gene_names.update({"g1": "PFK", "g2": "TWIN", "g3": "TWIN", "g4": "G5"})
    cell = build(model)
    assert cell.ids["gene"] == ("g1", "g2", "g3", "g4", "g5", "g6")
    assert cell.resolve("pfk") == 0
    assert cell.resolve("G5") == 4  # a name never hides an id
    assert "g5" not in cell.aliases
    with pytest.raises(DataError, match="ambiguous: g2, g3"):
        cell.resolve("twin")


def test_ambiguous_genes_of_the_model_are_named():
    genes = GeneList(("YA", "YB"), {"g1": ("YA", "YB")})
    with pytest.raises(DataError, match="'g1' is ambiguous: YA, YB"):
        build(toy_model(), genes)


def test_a_rule_that_explodes_is_refused_by_name():
    rule = " and ".join(f"(g1 or x{i})" for i in range(40))
    genes = ["g1", *(f"x{i}" for i in range(40))]
    with pytest.raises(DataError, match=r"reaction bomb: .*more than 100 alternatives - raise max_alternatives"):
        build(toy_model([("bomb", 0.0, 1.0, {"m1": -1.0}, rule)], genes), max_alternatives=100)


def test_an_edge_is_as_sure_as_its_surest_source():
    def scored(ends, scores):
        return dataclasses.replace(edge_table(ends), confidence=np.float32(scores))

    tables = [
        scored([("g1", "g2"), ("g2", "g1"), ("g3", "g4"), ("g2", "g3")], [0.2, 0.3, 0.9, np.nan]),
        edge_table([("g3", "g4"), ("g1", "g3"), ("g1", "g2")]),  # a source without scores counts as 0.5
    ]
    cell = build(genes=gene_list(4), physical=tables, relations={"other": tables[1:], "way:directed": tables[:1]})
    relation = cell.relations[schema.PHYSICAL]
    ids = cell.ids["gene"]
    found = {
        (ids[a], ids[b]): c
        for a, b, c in zip(relation.src, relation.dst, relation.data[schema.CONFIDENCE].tolist(), strict=True)
    }
    once = {("g1", "g2"): 0.5, ("g3", "g4"): 0.9, ("g1", "g3"): 0.5, ("g2", "g3"): 0.5}
    both = once | {(b, a): c for (a, b), c in once.items()} | {(g, g): 1.0 for g in ids}
    assert found == {ends: pytest.approx(c) for ends, c in both.items()}
    assert schema.CONFIDENCE not in cell.relations["other"].data
    assert sorted(cell.relations["way"].data[schema.CONFIDENCE].tolist())[:2] == pytest.approx([0.2, 0.3])
    assert cell.fingerprints["content"] != build(genes=gene_list(4), physical=tables[1:]).fingerprints["content"]


def test_physical_edges_unite_merge_and_go_both_ways():
    tables = [
        edge_table([("g1", "g2"), ("g2", "g1"), ("g1", "g1")]),
        edge_table([("G2", "g1"), ("g3", "g4"), ("g1", "zz")]),
    ]
    cell = build(genes=gene_list(4), physical=tables)
    assert pairs_of(cell, schema.PHYSICAL) == {
        *(("g1", "g2"), ("g2", "g1"), ("g3", "g4"), ("g4", "g3")),
        *((g, g) for g in cell.ids["gene"]),
    }
    report = cell.report[schema.PHYSICAL]
    assert (report["pairs"], report["duplicate rows, merged"]) == (2, 2)
    assert report["files"][0]["self-edges of the file, left out"] == 1
    assert report["files"][1]["edges with an id outside the gene list, left out"] == 1
    assert cell.info()["pairs"] == {schema.PHYSICAL: 2, schema.REGULATORY: 0}


def test_regulatory_edges_keep_their_direction():
    cell = build(genes=gene_list(3), regulatory=[edge_table([("g1", "g2"), ("g2", "g1"), ("g3", "g3"), ("g1", "g2")])])
    assert pairs_of(cell, schema.REGULATORY) - {(g, g) for g in cell.ids["gene"]} == {("g1", "g2"), ("g2", "g1")}
    assert cell.info()["pairs"][schema.REGULATORY] == 2
    assert cell.info()["edges"][schema.REGULATORY] == 2 + 3
    assert schema.SIGN not in cell.relations[schema.REGULATORY].data


def test_signs_unite_known_beats_unknown_and_contradiction_is_unknown():
    pairs = [("g1", "g2"), ("g2", "g3"), ("g3", "g1"), ("g1", "g3")]
    tables = [edge_table(pairs, [1, -1, 1, -1]), edge_table(pairs[:3], [0, -1, -1]), edge_table([("g1", "g3")])]
    cell = build(genes=gene_list(3), regulatory=tables)
    relation = cell.relations[schema.REGULATORY]
    signs = {
        (cell.ids["gene"][s], cell.ids["gene"][d]): float(v)
        for s, d, v in zip(relation.src, relation.dst, relation.data[schema.SIGN], strict=True)
        if s != d
    }
    assert signs == {("g1", "g2"): 1, ("g2", "g3"): -1, ("g3", "g1"): 0, ("g1", "g3"): -1}
    assert relation.data[schema.SIGN].dtype == np.float32


def test_no_self_loops_leaves_out_the_source_s_own_too():
    table = edge_table([("g1", "g1"), ("g1", "g2")])
    cell = build(genes=gene_list(3), physical=[table], regulatory=[table], self_loops=False)
    assert pairs_of(cell, schema.PHYSICAL) == {("g1", "g2"), ("g2", "g1")}
    assert pairs_of(cell, schema.REGULATORY) == {("g1", "g2")}


def test_no_tables_give_empty_relations():
    cell = build(toy_model(), self_loops=False)
    assert cell.info()["edges"][schema.PHYSICAL] == cell.info()["edges"][schema.REGULATORY] == 0
    assert cell.dgl.num_edges(schema.PHYSICAL) == 0


def test_extra_relations_are_undirected_unless_they_say_so():
    tables = {"coexpression": [edge_table([("g1", "g2")])], "kinase:directed": [edge_table([("g1", "g2")])]}
    cell = build(genes=gene_list(2), relations=tables, self_loops=False)
    assert pairs_of(cell, "coexpression") == {("g1", "g2"), ("g2", "g1")}
    assert pairs_of(cell, "kinase") == {("g1", "g2")}
    assert cell.dgl.num_edges("coexpression") == 2
    assert cell.masks([("g1",)]).edges["coexpression"].all()
    assert cell.info()["pairs"] == {"coexpression": 1, "kinase": 1, schema.PHYSICAL: 0, schema.REGULATORY: 0}


@pytest.mark.parametrize(
    "names", [["gpr"], ["physical_interaction"], ["a", "a:directed"], ["not a name"], ["deleted_in"]]
)
def test_names_of_extra_relations_must_be_free(names):
    with pytest.raises(UsageError, match="relation"):
        build(genes=gene_list(2), relations={name: [] for name in names})


def test_an_ambiguous_gene_in_a_network_names_the_file():
    genes = GeneList(("g1", "g2"), {"x": ("g1", "g2")})
    with pytest.raises(DataError, match=r"edges\.tsv: gene name 'X' is ambiguous: g1, g2"):
        build(genes=genes, physical=[edge_table([("g1", "X")])])


FAR = [(f"Q{k}", f"Q{k + 1}") for k in range(8)]


def test_a_network_without_a_gene_of_the_cell_is_refused_with_names_of_both_sides():
    with pytest.raises(DataError) as caught:
        build(genes=gene_list(7), physical=[edge_table([("g1", "g2")]), edge_table(FAR)])
    assert str(caught.value) == (
        "edges.tsv: no edge of 8 joins two genes of the cell (in the file: Q0, Q1, Q2, Q3, Q4, ..; in the cell: g1, "
        "g2, g3, g4, g5, ..) - name the genes as the cell does, or allow_empty=True"
    )
    assert "--allow-empty" in with_flags(caught.value.template)


@pytest.mark.parametrize("name", ["physical", "regulatory", "relations"])
def test_a_network_of_self_edges_is_refused_unless_it_may_be_empty(name):
    tables = [edge_table([("g1", "g1"), ("g2", "G2"), ("g1", "zz")])]
    given = {name: {"other": tables} if name == "relations" else tables}
    message = (
        r"no edge of 3 joins two genes of the cell \(in the file: zz; in the cell: g1, g2; 2 edges from a gene to it"
    )
    with pytest.raises(DataError, match=message):
        build(genes=gene_list(2), **given)
    with pytest.warns(DglcellWarning, match=message + r"self\)$"):
        cell = build(genes=gene_list(2), allow_empty=True, **given)
    assert set(cell.info()["pairs"].values()) == {0}


def test_a_tenth_of_the_edges_left_out_is_one_warning_a_file_and_less_is_none():
    close = [(f"g{k}", f"g{k + 1}") for k in range(1, 10)]
    with pytest.warns(DglcellWarning) as caught:
        cell = build(genes=gene_list(10), physical=[edge_table([*close, ("zz", "g1")]), edge_table([*close * 2, *FAR])])
    zz_sides = "in the file: zz; in the cell: g1, g10, g2, g3, g4, .."
    sides = "in the file: Q0, Q1, Q2, Q3, Q4, ..; in the cell: g1, g10, g2, g3, g4, .."
    assert [str(warning.message) for warning in caught] == [
        f"edges.tsv: 1 of 10 edges is left out, as the cell lacks a gene ({zz_sides})",
        f"edges.tsv: 8 of 26 edges are left out, as the cell lacks a gene ({sides})",
    ]
    report = cell.report[schema.PHYSICAL]["files"][1]
    assert report["edges with an id outside the gene list, left out"] == 8
    assert report["ids outside the gene list"] == 9
    assert report["ids outside the gene list, for example"] == "Q0, Q1, Q2, Q3, Q4, .."
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cell = build(genes=gene_list(10), physical=[edge_table([*close, ("g1", "g3"), ("zz", "g1")])])
    assert cell.report[schema.PHYSICAL]["files"][0]["edges with an id outside the gene list, left out"] == 1


def test_genes_of_a_model_that_the_list_lacks_are_a_warning_from_a_tenth():
    names = [f"g{k}" for k in range(1, 12)]
    model = toy_model([("r", 0.0, 1.0, {"m1": -1.0}, " and ".join(names))], names)
    with pytest.warns(DglcellWarning) as caught:
        build(model, GeneList(("YA", *names[1:-1])))
    assert str(caught[0].message) == (
        "toy.xml: 2 of 11 genes are not in the gene list and are added to it (in the model: g1, g11; in the gene list: "
        "YA, g2, g3, g4, g5, ..)"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cell = build(model, GeneList(tuple(sorted(names[1:]))))
    assert cell.report["genes"]["added from the metabolic model"] == ["g1"]


@pytest.mark.parametrize("keep_unassigned", [False, True])
def test_a_model_without_gene_rules_is_refused_unless_it_may_be_empty(keep_unassigned):
    model = toy_model([("r", 0.0, 1.0, {"m1": -1.0}, ""), ("s", 0.0, 1.0, {"m1": -1.0}, "")], ["g1"])
    with pytest.raises(DataError, match=r"toy.xml: none of its 2 reactions has a gene rule.*or allow_empty=True"):
        build(model, keep_unassigned=keep_unassigned)
    with pytest.warns(DglcellWarning, match="toy.xml: none of its 2 reactions has a gene rule"):
        cell = build(model, keep_unassigned=keep_unassigned, allow_empty=True)
    assert cell.num_nodes("reaction") == 2 * keep_unassigned


def test_features_of_other_genes_are_a_warning_from_a_tenth_and_may_be_all():
    with pytest.warns(
        DglcellWarning, match=r"features.tsv: 1 of 3 rows is left out, as the cell lacks a gene \(in the f"
    ):
        cell = build(genes=gene_list(2), features=features(["g1", "g2", "zz"], [[1], [2], [3]]))
    assert cell.report["features"]["rows of genes outside the gene list, left out"] == 1
    assert cell.report["features"]["rows of genes outside the gene list, left out, for example"] == "zz"
    with pytest.warns(DglcellWarning, match=r"features.tsv: no row of 1 is of a gene"):
        cell = build(genes=gene_list(2), features=features(["zz"], [[1]]), allow_empty=True)
    assert cell.features is None


def features(ids, x):
    return FeatureTable("features.tsv", "table", tuple(ids), np.array(x, dtype=np.float32))


def test_features_follow_the_genes_and_count_the_missing():
    cell = build(
        genes=gene_list(3), features=features(["G3", "zz", "g1"], [[3, 3], [9, 9], [1, 1]]), features_mode="replace"
    )
    assert cell.features.tolist() == [[1, 1], [0, 0], [3, 3]]
    assert cell.has_features.tolist() == [True, False, True]
    assert cell.features_mode == "replace"
    report = cell.report["features"]
    assert (report["rows of genes outside the gene list, left out"], report["genes without a row"]) == (1, 1)


def test_degrees_are_added_to_features():
    table = features(["g1"], [[5, 6]])
    cell = build(genes=gene_list(3), features=table, physical=[edge_table([("g1", "g2")])], degrees=True)
    assert cell.features[:, :2].tolist() == [[5, 6], [5, 6], [5, 6]]
    assert cell.features.shape[1] > 2
    assert cell.has_features.all()


@pytest.mark.parametrize(
    ("ids", "x", "message"),
    [
        (["g1", "G1"], [[1], [2]], "g1 has two rows"),
        (["g1"], [[np.nan]], "missing or infinite"),
        (
            ["a", "b"],
            [[1], [2]],
            r"features.tsv: no row of 2 is of a gene of the cell .in the file: a, b; in the cell: g1, g2.",
        ),
    ],
)
def test_features_that_make_no_sense_are_refused(ids, x, message):
    with pytest.raises(DataError, match=message):
        build(genes=gene_list(2), features=features(ids, x))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no metabolic model and no gene list"),
        ({"genes": gene_list(2), "max_alternatives": 0}, "max_alternatives 0"),
        ({"genes": gene_list(2), "features_mode": "add"}, "features_mode add"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(UsageError, match=message):
        build(**options)


def test_complexes_are_the_pairs_of_and_clauses():
    assert complex_pairs(toy_model()) == [("g1", "g2"), ("g1", "g4"), ("g1", "g5"), ("g1", "g6")]
    cell = build(toy_model(), physical=[complex_edges(toy_model())], self_loops=False)
    assert cell.info()["pairs"][schema.PHYSICAL] == 4


def test_losing_one_isozyme_spares_the_reaction_and_both_lose_it():
    cell = build(toy_model(TOY[:1]))
    lost = cell.knock_out(*cell.indices([("g3",), ("g1",), ("g1", "g3")]))
    assert lost.reaction_ptr.tolist() == [0, 2, 4, 8]
    assert lost.group_ptr.tolist() == [0, 0, 0, 1]
    assert lost.metabolite_ptr.tolist() == [0, 0, 0, 2]


def pairs_of(cell, name):
    relation = cell.relations[name]
    genes = cell.ids["gene"]
    return {(genes[s], genes[d]) for s, d in zip(relation.src, relation.dst, strict=True)}
