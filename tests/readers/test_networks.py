"""Interaction tables: every layout recognised from content, everything else named."""

from __future__ import annotations

import gzip

import numpy as np
import openpyxl
import pytest

from dglcell.errors import DataError, DglcellWarning
from dglcell.readers.edge_table import KINDS, PHYSICAL, REGULATORY, RELATION
from dglcell.readers.network_layout import UNDIRECTED
from dglcell.readers.network_layouts import LAYOUTS
from dglcell.readers.networks import read_network
from dglcell.readers.tables.column_map import ColumnMap

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


@pytest.mark.parametrize(
    "text", ["GENE1\tGENE2\nGENE2\tGENE1\n", "gene1,gene2,0.5\na,b,0.25\n", "tf1,target1,2\na,b,1\n"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_an_edge_of_genes_with_usual_names_is_no_header(read, text, kind):
    assert len(read(text, kind)) == 2


@pytest.mark.parametrize(
    "head",
    [
        "Documented target;TF",
        "Downstream gene;Upstream TF",
        "controlled gene;regulatory protein",
        "Gene;Bound by factor",
    ],
)
def test_the_direction_of_regulation_is_that_of_any_header(read, head):
    """A header that is not in the usual words must not be taken for an edge, and its direction not be lost."""
    table = read(f"{head}\nT1;F\nT2;F\n", REGULATORY)
    assert pairs(table) == [("F", "T1"), ("F", "T2")]
    head = ";".join(reversed(head.split(";")))
    assert pairs(read(f"{head}\nF;T1\nF;T2\n", REGULATORY)) == [("F", "T1"), ("F", "T2")]


def test_the_sheet_of_a_workbook_is_named(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["a note"])
    for title in ("first", "second"):
        sheet = book.create_sheet(title)
        sheet.append(["gene1", "gene2"])
        sheet.append(["a", title])
    book.save(tmp_path / "x.xlsx")
    table = read_network(tmp_path / "x.xlsx")
    assert (pairs(table), table.report["sheet"]) == ([("a", "first")], "first")


def test_the_column_0_of_pandas_is_a_weight(read):
    table = read("gene1,gene2,0\na,b,0.5\n")
    assert pairs(table) == [("a", "b")]
    assert values(table.confidence) == [0.5]
    assert table.column_names == ("gene1", "gene2")


@pytest.mark.parametrize("name", ["score", "weight"])
def test_proteins_with_another_column_than_string_s(read, name):
    """They are not taken for links of STRING from which the score was cut."""
    assert values(read(f"protein1,protein2,{name}\na,b,0.5\n").confidence) == [0.5]


def test_columns_of_a_regulatory_table_go_by_their_names(read):
    assert pairs(read("target\tregulator\nT\tF\n", REGULATORY)) == [("F", "T")]
    assert pairs(read("tf\ttarget\nF\tT\n", REGULATORY)) == [("F", "T")]
    assert pairs(read("F\tT\n", REGULATORY)) == [("F", "T")]


def test_string_actions(read):
    table = read(ACTIONS)
    assert table.layout == "STRING actions"
    assert pairs(table) == [("Q0045", "Q0050"), ("Q0050", "Q0045"), ("YAL001C", "Q0050.x")]
    assert table.report == {
        "rows": 4,
        "rows of a mode other than binding, left out": 1,
        "organism": "4932 (or strain 559292)",
    }


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
        (
            "A\nB\n",
            PHYSICAL,
            "no physical network of a known layout .it starts with 'A'. - STRING actions; .*; two columns was",
        ),
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
        ("genes\tfitness\nA;B\t0.5\n", PHYSICAL, "net.txt is a screen, with a column fitness"),
        ("A pp B\nA pp C\nA pp D\nC pp\n", PHYSICAL, "net.txt:4: 'C pp' - a gene, a type"),
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
    "hu.MAP": ([("O95789", "P0C869")], None, None),
    "Cytoscape edge table": ([("YAL001C", "YBR123C")], None, None),
    "SGD regulation": ([("YKL112W", "YAL054C")], [1], None),
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
    kinds = {"matrix": (REGULATORY,), "SIF": UNDIRECTED, "Cytoscape edge table": UNDIRECTED}.get(
        layout.name, layout.kinds
    )
    for kind in kinds:
        table = read(layout.example, kind)
        assert (pairs(table), values(table.sign)) == (edges, sign)
        assert values(table.confidence) == (None if confidence is None else np.float32(confidence).tolist())
        assert table.layout == layout.name or layout.name == "matrix"


def test_every_layout_has_an_example():
    assert EXAMPLES.keys() == {layout.name for layout in LAYOUTS}
    assert len(LAYOUTS) == len(EXAMPLES)


@pytest.mark.parametrize(
    ("text", "kind", "edges", "sign", "confidence"),
    [
        ("A\tB\t900\nC\tD\t450\n", PHYSICAL, "A-B C-D", None, [1, 0.5]),
        ("A,B,-0.9\nC,D,0.5\nE,F,0\n", RELATION, "A-B C-D", None, [0.9, 0.5]),
        ("A;B;0,9\nC;D;0,5\n", PHYSICAL, "A-B C-D", None, [0.9, 0.5]),
        ("gene1,gene2,weight\nA,B,0.9\nC,D,\n", PHYSICAL, "A-B C-D", None, [0.9, np.nan]),
        ("tf;target;weight\nA;B;-0,9\nC;D;0,5\n", REGULATORY, "A-B C-D", [-1, 1], [0.9, 0.5]),
        ("target,weight,tf\nB,-1,A\nD,1,C\n", REGULATORY, "A-B C-D", [-1, 1], None),
        ("source,target,weight,PMID\nA,B,1,3\nC,D,-1,4;5\n", REGULATORY, "A-B C-D", [1, -1], None),
        ("TF\ttarget\timportance\nA\tB\t12.5\nC\tD\t2.5\n", REGULATORY, "A-B C-D", None, [1, 0.2]),
        ("A\tB\t1\nA\tC\t0\nB\tC\t1\n", REGULATORY, "A-B B-C", None, None),
        ("A\tB\t1\nA\tC\t-1\nB\tC\t0\n", REGULATORY, "A-B A-C B-C", [1, -1, 0], None),
        ("tf\ttarget\tsign\nA\tB\t1\nA\tC\t0\n", REGULATORY, "A-B A-C", [1, 0], None),
        (
            "A\tB\tRepression\t229\nA\tC\tUnknown\t17\nA\tD\tActivation\t2;3\n",
            REGULATORY,
            "A-B A-C A-D",
            [-1, 0, 1],
            None,
        ),
        ("source,interaction,target\nA,activates,B\nC,inhibits,D\n", REGULATORY, "A-B C-D", [1, -1], None),
        ("source,interaction,target\nA,pp,B\nC,pp,D\n", PHYSICAL, "A-B C-D", None, None),
        ("A\tpp\tB\tC\nD\tpp\tE\nF\n", PHYSICAL, "A-B A-C D-E", None, None),
        ("A interacts-with B\nC pd D\n", PHYSICAL, "A-B", None, None),
        ("A activates B\nC inhibits D\nA pd D\nE pp F\n", REGULATORY, "A-B C-D A-D", [1, -1, 0], None),
        ("A\tlinks\tB\nC\tlinks\tD\nE\tlinks\tF\n", RELATION, "A-B C-D E-F", None, None),
        ("# a\nA\tB\n# c\n\nC\tD\n", PHYSICAL, "A-B C-D", None, None),
        ('\ufeff"Gene_A","Gene_B"\r\n"A","B"\r\n# note\r\n"ADE5,7","D"\r\n', PHYSICAL, "A-B ADE5,7-D", None, None),
        ("A\tB\t\nC\tD\t\n", PHYSICAL, "A-B C-D", None, None),
        ("A\tB\t\t\t\nC\tD\t\t\t\n", REGULATORY, "A-B C-D", None, None),
        ("Bait ORF,Prey ORF,score\nA,B,0.5\n", PHYSICAL, "A-B", None, [0.5]),
        (
            "Direction,Gene.secondaryIdentifier,Regulators.secondaryIdentifier\nPositive,T,F\n",
            REGULATORY,
            "F-T",
            [1],
            None,
        ),
    ],
)
def test_lists(read, text, kind, edges, sign, confidence):
    table = read(text, kind)
    assert pairs(table) == [tuple(edge.split("-")) for edge in edges.split()]
    assert values(table.sign) == sign
    if confidence is None:
        assert table.confidence is None
    else:
        np.testing.assert_array_equal(table.confidence, np.float32(confidence))


def test_what_is_left_out_of_a_list_or_divided_is_said(read):
    assert read("A\tB\t1\nA\tC\t0\n", REGULATORY).report == {
        "rows": 2,
        "column 3": "0 and 1, whether there is an edge; signs are unknown",
        "rows of 0, no edges, left out": 1,
    }
    assert read("gene_a\tgene_b\tscore\tn\nA\tB\t-8\t1\nA\tC\t\t1\nA\tD\t0\t1\n").report == {
        "rows": 3,
        "columns not read": "n",
        "rows of weight 0, no edges, left out": 1,
        "rows without a weight": 1,
        "confidence from column score": "absolute value divided by the maximum, 8",
    }
    assert read("A pp B\nC pd D\nE\n").report == {
        "rows": 3,
        "rows of a single gene, left out": 1,
        "rows of type pd, left out": 1,
    }


ORGANISMS = (
    "#BioGRID Interaction ID\tSystematic Name Interactor A\tSystematic Name Interactor B\tExperimental System Type\t"
    "Organism ID Interactor A\tOrganism ID Interactor B\n1\tA\tB\tphysical\t559292\t4932\n"
    "2\tA\tC\tphysical\t559292\t559292\n3\tTP53\tMDM2\tphysical\t9606\t9606\n4\tA\tMDM2\tphysical\t559292\t9606\n"
)


def test_one_organism_is_read(read):
    with pytest.warns(
        DglcellWarning, match="2 rows of 4 with genes of organisms other than 4932 .or strain 559292. are left out"
    ):
        table = read(ORGANISMS)
    assert pairs(table) == [("A", "B"), ("A", "C")]  # 559292 is a strain of 4932
    assert table.report["organism"] == "4932 (or strain 559292), the one with most rows"
    assert table.report["rows with a gene of another organism, left out"] == 2
    assert pairs(read(ORGANISMS, taxon="9606")) == [("TP53", "MDM2")]
    assert pairs(read(ORGANISMS, taxon="559292")) == [("A", "B"), ("A", "C")]
    with pytest.raises(
        DataError, match=r'no row with both genes of taxon="10090" - it has 4932 .2 rows., 9606 .1 rows.'
    ):
        read(ORGANISMS, taxon="10090")
    with pytest.raises(DataError, match=r'as many rows of 4932 and 9606 - choose one, for example taxon="4932"'):
        read(ORGANISMS.replace("2\tA\tC\tphysical\t559292\t559292\n", ""))
    links = "protein1 protein2 combined_score\n9606.A 9606.B 400\n10090.A 10090.C 300\n9606.A 9606.D 200\n"
    with pytest.warns(DglcellWarning, match="1 row of 3"):
        assert pairs(read(links)) == [("A", "B"), ("A", "D")]
    assert pairs(read(links, taxon="10090")) == [("A", "C")]
    assert read("A\tB\n", taxon="9606").report["organism 9606"] == "not looked for: the file names no organisms"


INTACT = (
    "#ID(s) interactor A\tID(s) interactor B\tAlt. ID(s) interactor A\tAlt. ID(s) interactor B\t"
    "Alias(es) interactor A\tAlias(es) interactor B\tInteraction detection method(s)\t"
    "Taxid interactor A\tTaxid interactor B\tInteraction type(s)\tConfidence value(s)\n"
    "uniprotkb:P34111\tuniprotkb:P38904-2\tintact:EBI-1\t-\tpsi-mi:tfc3_yeast(display_long)|"
    "uniprotkb:YAL001C(locus name)|uniprotkb:TFC3(gene name)\tuniprotkb:SPP41(gene name)\tx\t"
    "taxid:559292(yeast)\ttaxid:559292(yeast)\t"
    'psi-mi:"MI:0915"(physical association)\tintact-miscore:0.56|other:2\n'
    "uniprotkb:P34111\tuniprotkb:P1\t-\t-\t-\t-\tx\ttaxid:559292(yeast)\ttaxid:559292(yeast)\t"
    'psi-mi:"MI:0794"(synthetic genetic interaction defined by inequality)\t-\n'
)


def test_names_of_psi_mitab(read):
    table = read(INTACT)
    assert pairs(table) == [("YAL001C", "P38904")]
    assert table.synonyms == {"YAL001C": ("P34111", "TFC3"), "P38904": ("SPP41",)}
    assert values(table.confidence) == [np.float32(0.56)]
    assert table.report["rows of a type other than physical, left out"] == 1


def test_biogrid_has_several_names_of_a_gene(read):
    table = read(BIOGRID)
    assert table.synonyms == {"YAL001C": ("TFC3",), "YAL002W": ("VPS8",), "YAL003W": ("EFB1",)}


def test_members_of_complexes(read):
    molecules = "Identifiers (and stoichiometry) of molecules in complex"
    head = f"#Complex ac\tTaxonomy identifier\t{molecules}\tExpanded participant list\n"
    rows = (
        "CPX-1\t559292\tP1(1)|P2-PRO_0000000001(2)|URS0001_559292(0)|CHEBI:15422(1)\t-\n"
        "CPX-2\t559292\tCPX-1(1)|P3(1)\tP1(1)|P2(2)|P3(1)\n"
        "CPX-3\t559292\tCPX-9(1)|P4(1)\t-\n"
    )
    table = read(head + rows, RELATION)
    assert pairs(table) == [("P1", "P2"), ("P1", "P2"), ("P1", "P3"), ("P2", "P3")]
    assert table.report == {
        "complexes": 3,
        "organism": "4932 (or strain 559292)",
        "RNAs in complexes, left out": 1,
        "small molecules in complexes, left out": 1,
        "nested complexes in complexes, left out": 1,
        "complexes with fewer than two proteins, no edges": 1,
    }


def test_a_table_of_a_database_without_rows_is_an_empty_network(read):
    with pytest.warns(DglcellWarning, match="has a header and no rows - the network is empty"):
        table = read(BIOGRID.split("\n")[0] + "\n")
    assert (len(table), table.layout) == (0, "BioGRID tab2 or tab3")


def test_scores_that_were_divided_before_stay(read):
    text = "protein1\tprotein2\tcombined_score\nA\tB\t0.4\nA\tC\t1\n"
    assert values(read(text).confidence) == np.float32([0.4, 1]).tolist()
    assert values(read(text.replace("0.4", "400")).confidence) == np.float32([0.4, 0.001]).tolist()


def test_columns_that_the_user_names(read):
    text = "n,hit,bait,r\n1,B,A,-0.5\n2,C,A,1\n"
    maps = [ColumnMap.parse("gene_1=bait,gene_2=hit,confidence=r")]
    table = read(text, REGULATORY, maps=maps)
    assert (pairs(table), values(table.sign), values(table.confidence)) == ([("A", "B"), ("A", "C")], [-1, 1], [0.5, 1])
    assert maps[0].used
    assert pairs(read("1 A B\n2 A C\n", RELATION, maps=[ColumnMap.parse("gene_1=2,gene_2=3")])) == [
        ("A", "B"),
        ("A", "C"),
    ]
    signed = read("x,A,B,-\n", REGULATORY, maps=[ColumnMap.parse("gene_1=2,gene_2=3,sign=4")])
    assert (pairs(signed), values(signed.sign)) == ([("A", "B")], [-1])


@pytest.mark.parametrize("header", [True, False])
def test_interactions_that_were_tested_and_not_seen_are_no_edges(read, header):
    row = ["uniprotkb:P1", "uniprotkb:P2", *["-"] * 9, 'psi-mi:"MI:0915"(x)', *["-"] * 30]
    names = ["#ID(s) interactor A", "ID(s) interactor B", *[f"c{k}" for k in range(9)], "Interaction type(s)"]
    names += [f"d{k}" for k in range(23)] + ["Negative"] + [f"e{k}" for k in range(6)]
    rows = [[*row[:35], flag, *row[36:]] for flag in ("false", "true", "-")]
    rows = [[f"uniprotkb:P{k}", *cells[1:]] for k, cells in enumerate(rows, start=5)]
    text = "".join("\t".join(cells) + "\n" for cells in ([names] if header else []) + rows)
    table = read(text)
    assert pairs(table) == [("P5", "P2"), ("P7", "P2")]
    assert table.report["rows of a negative other than false, left out"] == 1


@pytest.mark.parametrize(("value", "kind"), [("+", REGULATORY), ("activator", REGULATORY), ("0.5", PHYSICAL)])
def test_a_second_gene_that_all_edges_share_is_no_type_of_interaction(read, value, kind):
    table = read("".join(f"F{k}\tTARGET\t{value}\n" for k in range(4)), kind)
    assert pairs(table) == [(f"F{k}", "TARGET") for k in range(4)]
    values = table.sign if kind == REGULATORY else table.confidence
    assert values.tolist() == [1.0 if kind == REGULATORY else 0.5] * 4
