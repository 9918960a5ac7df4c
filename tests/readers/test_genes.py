"""Gene lists: three layouts, names that resolve, names that do not."""

from __future__ import annotations

import pytest

from dglcell.errors import DataError
from dglcell.readers.gene_layouts import LAYOUTS
from dglcell.readers.genes import read_genes

SGD = """S1\tORF\tVerified\tYAL003W\tEFB1\teEF1B|TEF5\tchr 1
S2\tCDS\t\t\t\t\tYAL003W
S3\tORF\tDubious\tYAL002W\t\tYAL003W-X|EFB1|SHARED\tchr 1
S4\tORF\tVerified\tYAL001C\tTFC3\tSHARED|yal002w||\tchr 1
"""
GFF = """##gff-version 3
# made by hand
chrI\tSGD\tchromosome\t1\t230218\t.\t.\t.\tID=chrI
chrI\tSGD\tgene\t335\t649\t.\t+\t.\tID=YAL069W;Name=YAL069W;Alias=AAA%2C1,BBB;gene=FLO9
chr\tRefSeq\tgene\t190\t255\t.\t+\t.\tID=gene-b0001;Name=thrL;gene=thrL;gene_synonym=ECK0001;locus_tag=b0001
IV\tEnsembl\tgene\t1\t9\t.\t-\t.\tID=gene:YDL248W;Name=COS7;gene_id=YDL248W
IV\tEnsembl\tmRNA\t1\t9\t.\t-\t.\tID=transcript:YDL248W
chr\tRefSeq\tgene\t300\t355\t.\t+\t.\tID=gene-b0001;Name=thrL;locus_tag=b0001
##FASTA
>chrI
ACGT
"""


def test_sgd_features(write):
    genes = read_genes(write(SGD))
    assert genes.ids == ("YAL001C", "YAL002W", "YAL003W")
    assert genes.resolve("YAL003W") == genes.resolve("yal003w") == genes.resolve("efb1") == "YAL003W"
    assert genes.resolve("TEF5") == genes.resolve(" EEF1B ") == "YAL003W"
    assert genes.resolve("EFB1") == "YAL003W"  # a standard name wins over an alias of YAL002W
    assert genes.resolve("YAL002W") == "YAL002W"  # an id wins over an alias of YAL001C
    assert genes.resolve("chr 1") is None
    assert genes.resolve("") is None
    assert genes.report["features other than ORF, left out"] == 1
    assert "yal002w" not in genes.aliases


def test_an_ambiguous_name_is_an_error_only_where_it_is_used(write):
    genes = read_genes(write(SGD))
    assert genes.report["ambiguous names (an error only if used)"] == 1
    with pytest.raises(DataError, match="'shared' is ambiguous: YAL001C, YAL002W - give the systematic id"):
        genes.resolve("shared")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "abc\nxyz\nABC\n",
            "genes.txt:3: the same gene twice, 'ABC' and, at .*genes.txt:1, 'abc' - give each gene one",
        ),
        (SGD + "S5\tORF\tVerified\tyal003w\t\t\n", "genes.txt:5: the same gene twice, 'yal003w' .*:1, 'YAL003W'"),
        (
            GFF.replace("##FASTA", "I\tX\tgene\t1\t9\t.\t+\t.\tID=B0001\n##FASTA"),
            "genes.txt:9: .*'B0001' .*:5, 'b0001",
        ),
    ],
)
def test_an_id_in_upper_and_in_lower_case_is_the_same_gene_twice(write, text, what):
    with pytest.raises(DataError, match=what):
        read_genes(write(text))


def test_the_same_gene_in_two_files(write):
    assert read_genes([write("abc\n", "a"), write("abc\nd\n", "b")]).ids == ("abc", "d")
    with pytest.raises(DataError, match=r"b:2: the same gene twice, 'Abc' and, at .*a:1, 'abc'"):
        read_genes([write("abc\n", "a"), write("d\nAbc\n", "b")])


@pytest.mark.parametrize("head", ["##gff-version 3\n# made by hand\n", ""])
def test_gff3(write, head):
    genes = read_genes(write(GFF.replace("##gff-version 3\n# made by hand\n", head)))
    assert genes.ids == ("YAL069W", "YDL248W", "b0001")
    names = {
        "flo9": "YAL069W",
        "AAA,1": "YAL069W",
        "bbb": "YAL069W",
        "THRL": "b0001",
        "ECK0001": "b0001",
        "cos7": "YDL248W",
    }
    assert {name: genes.resolve(name) for name in names} == names
    assert genes.report["further pieces of a gene, merged"] == 1
    assert genes.report["features other than gene, left out"] == 2


@pytest.mark.parametrize("text", ["b\na\n", "gene_id\nb\na\n", "# note\n\nb\n\na", '"b"\r\n"a"\r\n', "Gene\nb\na\n"])
def test_one_id_a_line(write, text):
    assert read_genes(write(text)).ids == ("a", "b")


def test_several_files_are_united_and_ids_added(write):
    genes = read_genes([write(SGD, "a"), write("YAL003W\nYBR001C\n", "b")])
    assert genes.ids == ("YAL001C", "YAL002W", "YAL003W", "YBR001C")
    more = genes.with_added(["YCL001W", "YAL003W", "TEF5"])
    assert more.ids == ("TEF5", "YAL001C", "YAL002W", "YAL003W", "YBR001C", "YCL001W")
    assert more.resolve("tfc3") == "YAL001C"
    assert more.resolve("tef5") == "TEF5"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a\nb\n\na\nb\n", r"genes.txt:4: duplicate gene id 'a', first at line 1 .*genes.txt:5: duplicate gene id 'b'"),
        (SGD + SGD.splitlines()[0], "genes.txt:5: duplicate gene id 'YAL003W', first at line 1"),
        (SGD + "S5\tORF\tVerified\t\tNAME\t\t\n", "genes.txt:5: no gene id in column 4 - every gene needs one"),
        (SGD + "S5\tORF\tVerified\n", "genes.txt:5: no gene id in column 4"),
        ("a\nb\nd\nb c\n", "genes.txt:4: 'b c' is not one gene id"),
        ("a\tb\te\nc\td\tf\n", "is no gene list of a known layout .its columns are 'a', 'b', 'e'"),
        (">seq\nACGT\n", r"looks like sequences \(FASTA\) - a gene list was expected"),
        ("{}\n", "is JSON"),
        ("# only a comment\n", "is no gene list of a known layout"),
        ("gene_id\n", "has no gene ids"),
        ("##gff-version 3\nchrI\tSGD\tCDS\t1\t9\t.\t+\t.\tID=x\n", "has no rows of type gene"),
        ("##gff-version 3\nchrI\tSGD\tgene\t1\t9\t.\t+\t.\tfoo\n", "genes.txt:2: a gene without ID="),
        ("##gff-version 3\nchrI gene x\n", "is no gene list of a known layout .it starts with 'chrI gene x'"),
        ("", "is empty"),
        ("<html>", "is an HTML page"),
    ],
)
def test_bad_lists(write, text, what):
    with pytest.raises(DataError, match=what) as caught:
        read_genes(write(text))
    assert "\n" not in str(caught.value)


TFC3 = {"tfc3": "YAL001C", "fun24": "YAL001C", "tsv115": "YAL001C"}
DPM1 = {"8813", "cdgie", "mpds", "o60762"}
KEGG = (
    ("b0001", "b0002"),
    {
        **{"thrl": "b0001", "thr operon leader peptide": "b0001"},
        **{"thra": "b0002", "thra1": "b0002", "fused aspartate kinase": "b0002"},
    },
)
# Of the example of each layout: its ids, and its names with their genes.
EXAMPLES = {
    "NCBI gene_info": (
        ("851256", "YAL001C"),
        {**TFC3, "mir1": "851256", "851262": "YAL001C", "s000000001": "YAL001C"},
    ),
    "HGNC complete set": (("DPM1",), dict.fromkeys({*DPM1, "hgnc:3005", "ensg00000000419"}, "DPM1")),
    "Human-GEM genes.tsv": (
        ("ENSG00000000419",),
        dict.fromkeys({*DPM1, "dpm1", "ensp00000507119", "enst00000371582", "enst00000466152"}, "ENSG00000000419"),
    ),
    "identifiers, from and to": (("YAL001C",), {"tfc3": "YAL001C", "fun24": "YAL001C", "p34111": "YAL001C"}),
    "UniProt": (
        ("P39109", "YAL001C"),
        {**TFC3, "p34111": "YAL001C", "tfc3_yeast": "YAL001C", "ycf1": "P39109", "ycfi_yeast": "P39109"},
    ),
    "STRING proteins": (("YAL001C",), {"tfc3": "YAL001C"}),
    "gene table, systematic names": (("YAL001C", "YAL037W"), TFC3),
    "gene table, Ensembl ids": (("ENSG00000000419",), dict.fromkeys({*DPM1, "dpm1"}, "ENSG00000000419")),
    "gene table": (("b0002", "b0003"), {"thra": "b0002", "thra1": "b0002", "thra2": "b0002", "thrb": "b0003"}),
    "gene table, symbols": (("DPM1",), {"mpds": "DPM1", "cdgie": "DPM1"}),
    "SGD_features.tab": (("YAL001C", "YAL037W"), TFC3),
    "GTF": (("YAL001C",), {"tfc3": "YAL001C"}),
    "GFF3": (
        ("YAL001C",),
        {"tfc3": "YAL001C", "fun24": "YAL001C", "p34111": "YAL001C", "s000000001": "YAL001C"},
    ),
    "SGD dbxref.tab": (("YAL001C",), {"tfc3": "YAL001C", "p34111": "YAL001C", "851262": "YAL001C"}),
    "UniProt idmapping": (("YAL001C",), {"tfc3": "YAL001C", "p34111": "YAL001C", "851262": "YAL001C"}),
    "KEGG list, two columns": KEGG,
    "KEGG list": KEGG,
    "one id per line": (("YAL001C", "YAL002W"), {}),
    "two columns, id and name": (("YAL001C", "YAL002W", "YAL037W"), {"tfc3": "YAL001C", "vps8": "YAL002W"}),
}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_the_example_of_each_layout(write, layout):
    path = write(layout.example)
    others = [write("YAL001C\n", "ids.txt")] if layout.refers and not layout.alone else []
    genes = read_genes([path, *others])
    ids, names = EXAMPLES[layout.name]
    assert genes.ids == ids
    assert genes.aliases == {name: (gene,) for name, gene in names.items()}
    assert str(genes.report["layout of genes.txt"]).partition(" (ids:")[0] == layout.name
