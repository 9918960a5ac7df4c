"""Interaction tables: every layout recognised from content, everything else named."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from dglcell.errors import DataError
from dglcell.readers.edge_list_layouts import LAYOUTS
from dglcell.readers.edge_table import KINDS, PHYSICAL, REGULATORY, RELATION
from dglcell.readers.networks import read_network

ACTIONS = """item_id_a\titem_id_b\tmode\taction\tis_directional\ta_is_acting\tscore
4932.Q0045\t4932.Q0050\tbinding\t\tf\tf\t900
4932.Q0045\t4932.YAL001C\treaction\t\tt\tt\t540
4932.Q0050\t4932.Q0045\tbinding\t\tf\tf\t900
4932.YAL001C\t4932.Q0050.x\tbinding\tactivation\tf\tf\t1
"""
LINKS = "protein1 protein2 combined_score\n4932.Q0010 4932.YMR210W 190\n4932.Q0010 4932.YOR228C 204\n"
BIOGRID = (
    "#BioGRID Interaction ID\tSystematic Name Interactor A\tSystematic Name Interactor B\t"
    "Official Symbol Interactor A\tOfficial Symbol Interactor B\tExperimental System Type\n"
    "1\tYAL001C\tYAL002W\tTFC3\tVPS8\tphysical\n2\tYAL001C\tYAL003W\tTFC3\tEFB1\tgenetic\n3\t-\tYAL003W\tTP53\tEFB1\tphysical\n"
)
MATRIX = "SystematicName\tTF1\tTF2\nT1\t0\t1\nT2\t1\t1\nT3\t0\t0\nT4\t0\t0\nT5\t0\t0\n"


@pytest.fixture
def read(tmp_path):
    def reader(text, kind=PHYSICAL, packed=False, **options):
        path = tmp_path / "net.txt"
        path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        return read_network(path, kind, **options)

    return reader


def pairs(table):
    return list(zip(table.a, table.b, strict=True))


@pytest.mark.parametrize("mark", ["\t", ",", " ", ";", "   "])
@pytest.mark.parametrize("head", ["", "gene_a{}gene_b\n", "Source{}Target\n", "protein1{}protein2\n", "# note\n\n"])
@pytest.mark.parametrize("kind", KINDS)
def test_two_columns(read, mark, head, kind):
    table = read(head.format(mark) + f"A{mark}B\n\nB{mark}C-1\nB{mark}A\nC-1{mark}C-1", kind, packed=mark == ",")
    assert pairs(table) == [("A", "B"), ("B", "C-1"), ("B", "A"), ("C-1", "C-1")]
    assert table.sign is None
    assert table.report["rows"] == 4
    assert ("STRING" in table.layout) == ("protein1" in head and kind != REGULATORY)


@pytest.mark.parametrize("first", ["b1121\tb2211", "a\tb", "TF\tB", "A1\tB1", "YAL001C\tYBR002W", "1\t2", "source\tB"])
def test_the_first_edge_is_no_header(read, first):
    assert len(read(first + "\nC\tD\n")) == 2


def test_a_name_that_comes_up_again_heads_no_column(read):
    assert pairs(read("TF\tID1\nTF\tB\n")) == [("TF", "ID1"), ("TF", "B")]


def test_columns_of_a_regulatory_table_go_by_their_names(read):
    assert pairs(read("target\tregulator\nT\tF\n", REGULATORY)) == [("F", "T")]
    assert pairs(read("tf\ttarget\nF\tT\n", REGULATORY)) == [("F", "T")]
    assert pairs(read("F\tT\n", REGULATORY)) == [("F", "T")]


def test_string_actions(read):
    table = read(ACTIONS)
    assert table.layout == "STRING actions"
    assert pairs(table) == [("Q0045", "Q0050"), ("Q0050", "Q0045"), ("YAL001C", "Q0050.x")]
    assert table.report == {"rows": 4, "rows of a mode other than binding, left out": 1, "organism": "4932"}


def test_string_actions_of_one_mode_are_a_relation(read):
    assert pairs(read(ACTIONS, RELATION, mode="reaction")) == [("Q0045", "YAL001C")]
    with pytest.raises(
        DataError, match="no row of mode glue - give one of its modes, binding, reaction, as string_mode"
    ):
        read(ACTIONS, RELATION, mode="glue")


def test_confidence_is_string_s_score(read):
    np.testing.assert_array_equal(read(ACTIONS).confidence, np.float32([0.9, 0.9, 0.001]))
    np.testing.assert_array_equal(read(LINKS).confidence, np.float32([0.19, 0.204]))
    np.testing.assert_array_equal(read(ACTIONS.replace("900", "", 1)).confidence, np.float32([np.nan, 0.9, 0.001]))
    assert read("A\tB\n").confidence is None
    for wrong in ("1001", "-1", "much"):
        with pytest.raises(DataError, match=f"net.txt:2: .*{wrong}"):
            read(ACTIONS.replace("900", wrong, 1))
        with pytest.raises(DataError, match=f"net.txt:2: .*{wrong}"):
            read(LINKS.replace("190", wrong))


@pytest.mark.parametrize("kind", [PHYSICAL, RELATION])
def test_string_links(read, kind):
    table = read(LINKS, kind)
    assert table.layout == "STRING links"
    assert pairs(table) == [("Q0010", "YMR210W"), ("Q0010", "YOR228C")]


def test_biogrid_keeps_physical_rows(read):
    table = read(BIOGRID)
    assert table.layout == "BioGRID tab2 or tab3"
    assert pairs(table) == [("YAL001C", "YAL002W"), ("TP53", "YAL003W")]
    assert table.report["rows of a type other than physical, left out"] == 1
    assert table.report["genes without a systematic name, read by official symbol"] == 1


@pytest.mark.parametrize("text", [MATRIX, MATRIX.replace("SystematicName\t", ""), MATRIX.replace("\t", ",")])
def test_regulatory_matrix_runs_from_column_to_row(read, text):
    table = read(text, REGULATORY)
    assert table.layout == "regulatory matrix"
    assert pairs(table) == [("TF2", "T1"), ("TF1", "T2"), ("TF2", "T2")]
    assert table.sign is None


def test_matrix_of_one_factor_and_of_signs(read):
    assert pairs(read("gene\tF\nT1\t1\nT2\t0\n", REGULATORY)) == [("F", "T1")]
    table = read("gene\tF\tG\nT1\t1\t-1\nT2\t0\t1.0\n", REGULATORY)
    assert pairs(table) == [("F", "T1"), ("G", "T1"), ("G", "T2")]
    assert table.sign.tolist() == [1, -1, 1]


def test_signs(read):
    table = read(
        "tf\ttarget\tsign\nA\tB\t+\nA\tC\t-1\nA\tD\t?\nA\tE\tActivator\nA\tF\trepression\nA\tG\t\n", REGULATORY
    )
    assert table.sign.tolist() == [1, -1, 0, 1, -1, 0]
    assert table.sign.dtype == "float32"


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("A\nB\n", PHYSICAL, "net.txt is no physical network of a known layout .it starts with 'A'."),
        ("A\nB\n", REGULATORY, "net.txt is no regulatory network of a known layout"),
        ("A\tB\tC\tD\n", RELATION, "no gene-gene network .*'A', 'B', 'C', 'D'.*name its columns, .*gene_1=A,gene_2=B"),
        ("A\tB\tx\n", PHYSICAL, "net.txt:1: 'x' in column 3 - a number was expected"),
        ("A\tB\nC\nD\tE\nF\tG\tH\n", PHYSICAL, "net.txt:2: 1 column - 2 .*net.txt:4: 3 columns - 2"),
        ("A\tB\nC\t\n", PHYSICAL, "net.txt:2: an empty gene id"),
        ("A\tB\t+\nC\tD\tmaybe\nE\tF\t0.9\n", REGULATORY, "net.txt:2: sign 'maybe' .*net.txt:3: sign '0.9'"),
        (MATRIX + "T6\t1\tyes\n", REGULATORY, "net.txt:7: 'yes' in column TF2 - a number was expected"),
        (MATRIX + "T6\t1\n", REGULATORY, "net.txt:7: 2 columns - 3"),
        (MATRIX.replace("TF2", "TF1"), REGULATORY, "net.txt:1: 'TF1' has two columns that differ"),
        (MATRIX.replace("\t1", "\t0"), REGULATORY, "has no edges .rows: 5"),
        (MATRIX, PHYSICAL, "rows .T1, T2, T3, ... and columns .TF1, TF2. name different genes"),
        (LINKS + "4932.A 4932.B high\n", PHYSICAL, "net.txt:4: 'high' in column combined_score - a number"),
        (LINKS + "4932.A 4932.B\n", PHYSICAL, "net.txt:4: 2 columns - 3"),
        (LINKS, REGULATORY, "is in the layout STRING links, which is no regulatory network"),
        (ACTIONS + "4932.A\t4932.B\tbinding\n", PHYSICAL, "net.txt:6: 3 columns - 7"),
        (
            ACTIONS.replace("binding", "ptmod"),
            PHYSICAL,
            "no row of mode binding - give one of its modes, ptmod, reaction",
        ),
        (BIOGRID + "4\tA\n", PHYSICAL, "net.txt:5: 2 columns - 6"),
        (BIOGRID.replace("\tphysical", "\tgenetic"), PHYSICAL, "has no row of type physical - it has genetic"),
        (BIOGRID, REGULATORY, "is in the layout BioGRID tab2 or tab3, which is no regulatory network - it is read as"),
        ("gene_a\tgene_b\n", PHYSICAL, "has no edges"),
        ("# nothing\n", PHYSICAL, "is no physical network"),
        ("", PHYSICAL, "is empty"),
        ("<!DOCTYPE html>\n", PHYSICAL, "is an HTML page"),
        ("gene_1\tgene_2\tfitness\nA\tB\t0.5\n", PHYSICAL, "net.txt is a screen, with a column fitness"),
        ("A pp B\nA pp C\nA pp D\nC pp\n", PHYSICAL, "net.txt:4: 2 columns - a gene, a type"),
        ("A pd B\nC pd D\n", PHYSICAL, "has rows of type pd only"),
    ],
)
def test_bad_tables(read, text, kind, what):
    with pytest.raises(DataError, match=what) as caught:
        read(text, kind)
    assert "\n" not in str(caught.value)


def test_an_unknown_kind_is_a_mistake_of_the_caller(read):
    with pytest.raises(ValueError, match="kind"):
        read("A\tB\n", "genetic")


# For each layout, the edges of its example: (gene, gene), sign, confidence; None where it has none.
EXAMPLES = {
    "STRING actions": ([("Q0045", "Q0050")], None, [0.9]),
    "STRING links": ([("Q0010", "YMR210W"), ("Q0010", "YOR228C")], None, [0.19, 0.204]),
    "STRING links without scores": ([("Q0010", "YMR210W"), ("Q0010", "YOR228C")], None, None),
    "STRING website export": ([("YAL001C", "YBR123C")], None, [0.519]),
    "STRING interface": ([("YAL001C", "YBR123C")], None, [0.519]),
    "BioGRID tab2 or tab3": ([("YAL001C", "YBR123C")], None, None),
    "BioGRID tab1": ([("YAL001C", "YBR123C")], None, None),
    "PSI-MITAB": ([("YAL001C", "YBR123C")], None, None),
    "PSI-MITAB without a header": ([("YAL001C", "YBR123C")], None, None),
    "SGD interaction data": ([("YAL001C", "YBR123C")], None, None),
    "Complex Portal": (
        [("P32797", "P38960"), ("P32797", "P38960"), ("P32797", "Q07921"), ("P38960", "Q07921")],
        None,
        None,
    ),
    "CORUM": ([("P41182", "P56524")], None, None),
    "RegulonDB, release 11 or later": ([("acrR", "acrA")], [-1], None),
    "RegulonDB": ([("AcrR", "acrA"), ("ArcA", "aceE")], [-1, 0], None),
    "RegulonDB with ids": ([("AcrR", "acrA"), ("AcrR", "acrB")], [-1, 1], None),
    "YeastMine regulators": ([("YKL112W", "YAL054C"), ("YKL112W", "YGL234W")], [1, -1], None),
    "SIGNOR": ([("TP53", "CDKN1A")], [1], None),
    "DoRothEA": ([("ADNP", "ATF7IP"), ("ADNP", "DYRK1A")], [1, -1], None),
    "regulation with named columns": ([("ABF1", "YAL054C"), ("ABF1", "YGL234W")], [-1, 1], [1, 0.5]),
    "edges with named columns": ([("YAL001C", "YBR123C"), ("YER095W", "YGL163C")], None, [0.9, 0.5]),
    "matrix": (
        [("TEC1", "STE12"), ("STE12", "TEC1"), ("TEC1", "TEC1"), ("STE12", "FUS1"), ("TEC1", "FLO11")],
        None,
        None,
    ),
    "SIF": ([("YAL001C", "YBR123C"), ("YAL001C", "YDR362C"), ("YER095W", "YGL163C")], None, None),
    "two columns": ([("YAL001C", "YBR123C"), ("YER095W", "YGL163C")], None, None),
}


def values(array):
    return None if array is None else array.tolist()


@pytest.mark.filterwarnings("ignore::dglcell.errors.DglcellWarning")
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_example_of_each_layout(read, layout):
    edges, sign, confidence = EXAMPLES[layout.name]
    kinds = {"matrix": (REGULATORY,), "SIF": (PHYSICAL, RELATION)}.get(layout.name, layout.kinds)
    for kind in kinds:
        table = read(layout.example, kind)
        assert (pairs(table), values(table.sign)) == (edges, sign)
        assert values(table.confidence) == (None if confidence is None else np.float32(confidence).tolist())
        assert table.layout == layout.name or layout.name == "matrix"


def test_every_layout_has_an_example():
    assert EXAMPLES.keys() == {layout.name for layout in LAYOUTS}
    assert len(LAYOUTS) == len(EXAMPLES)
