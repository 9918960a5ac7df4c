"""Interaction tables: every layout recognised from content, everything else named."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from dglcell.errors import DataError
from dglcell.readers.edge_table import KINDS, PHYSICAL, REGULATORY, RELATION
from dglcell.readers.networks import read_network

ACTIONS = """item_id_a\titem_id_b\tmode\taction\tis_directional\ta_is_acting\tscore
4932.Q0045\t4932.Q0050\tbinding\t\tf\tf\t900
4932.Q0045\t4932.YAL001C\treaction\t\tt\tt\t540
4932.Q0050\t4932.Q0045\tbinding\t\tf\tf\t900
511145.b0001\t511145.b0002.x\tbinding\tactivation\tf\tf\t1
"""
LINKS = "protein1 protein2 combined_score\n4932.Q0010 4932.YMR210W 190\n4932.Q0010 4932.YOR228C 204\n"
BIOGRID = (
    "#BioGRID Interaction ID\tSystematic Name Interactor A\tSystematic Name Interactor B\t"
    "Official Symbol Interactor A\tOfficial Symbol Interactor B\tExperimental System Type\n"
    "1\tYAL001C\tYAL002W\tTFC3\tVPS8\tphysical\n2\tYAL001C\tYAL003W\tTFC3\tEFB1\tgenetic\n3\t-\tYAL003W\tTP53\tEFB1\tphysical\n"
)
MATRIX = "SystematicName\tTF1\tTF2\nT1\t0\t1\nT2\t1\t1\nT3\t0\t0\n"


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
    assert pairs(table) == [("Q0045", "Q0050"), ("Q0050", "Q0045"), ("b0001", "b0002.x")]
    assert table.report == {"rows": 4, "rows of a mode other than binding, left out": 1}


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
    assert table.layout == "BioGRID tab3"
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
        ("A\nB\n", PHYSICAL, "net.txt:1: 1 column .'A'. - two columns of gene ids, BioGRID tab3, STRING links"),
        ("A\nB\n", REGULATORY, "net.txt:1: 1 column .'A'. - two columns .transcription factor, target."),
        (
            "A\tB\tC\tD\n",
            RELATION,
            "net.txt:1: 4 columns .* - two columns of gene ids, STRING links or STRING actions was",
        ),
        ("A\tB\t0.5\n", PHYSICAL, "net.txt:1: 3 columns"),
        ("A\tB\nC\nD\tE\nF\tG\tH\n", PHYSICAL, "net.txt:2: 1 column - 2 .*net.txt:4: 3 columns - 2"),
        ("A\tB\nC\t\n", PHYSICAL, "net.txt:2: an empty gene id"),
        ("A\tB\t+\nC\tD\tmaybe\nE\tF\t0.9\n", REGULATORY, "net.txt:2: sign 'maybe' .*net.txt:3: sign '0.9'"),
        (MATRIX + "T4\t1\tyes\n", REGULATORY, "net.txt:5: 'yes' in column TF2 - 0 or 1 was expected"),
        (MATRIX + "T4\t1\t2\n", REGULATORY, "net.txt:5: '2' in column TF2"),
        (MATRIX + "T4\t1\n", REGULATORY, "net.txt:5: 2 columns - 3"),
        (MATRIX.replace("TF2", "TF1"), REGULATORY, "net.txt:1: factor 'TF1' has two columns"),
        (MATRIX.replace("1", "0"), REGULATORY, "has no edges"),
        (MATRIX, PHYSICAL, "net.txt:1: 3 columns"),
        (LINKS + "4932.A 4932.B high\n", PHYSICAL, "net.txt:4: 'high' in column combined_score - a number"),
        (LINKS + "4932.A 4932.B\n", PHYSICAL, "net.txt:4: 2 columns - 3"),
        (ACTIONS + "4932.A\t4932.B\tbinding\n", PHYSICAL, "net.txt:6: 3 columns - 7"),
        (
            ACTIONS.replace("binding", "ptmod"),
            PHYSICAL,
            "no row of mode binding - give one of its modes, ptmod, reaction",
        ),
        (BIOGRID + "4\tA\n", PHYSICAL, "net.txt:5: 2 columns - 6"),
        (BIOGRID, REGULATORY, "net.txt:2: 6 columns"),
        ("gene_a\tgene_b\n", PHYSICAL, "has no edges"),
        ("# nothing\n", PHYSICAL, "has no rows"),
        ("", PHYSICAL, "is empty"),
        ("<!DOCTYPE html>\n", PHYSICAL, "is an HTML page"),
    ],
)
def test_bad_tables(read, text, kind, what):
    with pytest.raises(DataError, match=what) as caught:
        read(text, kind)
    assert "\n" not in str(caught.value)


def test_an_unknown_kind_is_a_mistake_of_the_caller(read):
    with pytest.raises(ValueError, match="kind"):
        read("A\tB\n", "genetic")
