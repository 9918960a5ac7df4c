"""Spellings of gene names, and the gene that a name stands for."""

from __future__ import annotations

import pytest

import dglcell
from dglcell.errors import DataError
from dglcell.readers.gene_list import GeneList
from dglcell.readers.gene_names import variants

IDS = ("ENSG00000000419", "YAL001C", "YJL206C", "YPL016W", "fig|1.16.peg.1", "orf19", "s::1")
ALIASES = {
    "tfc3": ("YAL001C",),
    "8813": ("ENSG00000000419",),
    "adam4": ("YAL001C",),
    "ade5,7": ("YJL206C",),
    "sbf1": ("YJL206C", "YPL016W"),
    "sw1": ("YAL001C",),
    "12": ("YPL016W",),
}


@pytest.fixture(params=["gene list", "cell graph"])
def resolve(request):
    """`GeneList.resolve` and `CellGraph.resolve`, both to the id."""
    genes = GeneList(IDS, ALIASES)
    if request.param == "gene list":
        return genes.resolve
    cell = dglcell.build_cell(genes=genes)
    return lambda name: None if (row := cell.resolve(name)) is None else cell.ids["gene"][row]


@pytest.mark.parametrize(
    ("name", "gene"),
    [
        ("Tfc3p", "YAL001C"),
        ("Ade5,7p", "YJL206C"),
        ("YJL206Cp", "YJL206C"),
        ("Yjl206cp", "YJL206C"),
        ("tfc3\N{GREEK CAPITAL LETTER DELTA}", "YAL001C"),
        ("tfc3\N{INCREMENT}", "YAL001C"),
        ("\N{INCREMENT}tfc3", "YAL001C"),
        ("tfc3\N{INCREMENT}0::KanMX4", "YAL001C"),
        ("yal001c::KanMX4", "YAL001C"),
        ("TFC3-delta", "YAL001C"),
        ("TFC3 (6854)", "YAL001C"),
        ("DPM1 (8813)", "ENSG00000000419"),  # the symbol is unknown, the id is not
        ("SBF1 (YPL016W)", "YPL016W"),  # the symbol is ambiguous, the id is not
        ("4932.YAL001C", "YAL001C"),
        ("4932.Tfc3p", "YAL001C"),
        ("sce:YAL001C", "YAL001C"),
        ("ENSG00000000419.12", "ENSG00000000419"),
        ("TFC3\N{NO-BREAK SPACE}(12345)", "YAL001C"),
        ("\N{NO-BREAK SPACE}tfc3\N{NO-BREAK SPACE}", "YAL001C"),
        ("'TFC3'", "YAL001C"),
        ('"tfc3\N{INCREMENT}"', "YAL001C"),
        ("\N{LEFT DOUBLE QUOTATION MARK}TFC3\N{RIGHT DOUBLE QUOTATION MARK}", "YAL001C"),
        ("fig|1.16.peg.1", "fig|1.16.peg.1"),
        ("s::1", "s::1"),  # an id as it stands has precedence over its variants
    ],
)
def test_a_name_in_another_spelling(resolve, name, gene):
    assert resolve(name) == gene


@pytest.mark.parametrize(
    "name",
    [
        *("TFC3P", "tfc3p", "map"),  # a protein is written Tfc3p
        *("adam-delta", "sw-delta"),  # a Greek letter in words is part of many names
        *("orf19.1", "4932.12", "YAL001C.2"),  # versions are those of Ensembl, and a taxon stands before a letter
        *("fig|1.16.peg.2", "", "()", "Np", "YAL001C or YJL206C"),
    ],
)
def test_what_is_no_spelling_of_a_gene_stays_unknown(resolve, name):
    assert resolve(name) is None


@pytest.mark.parametrize(
    ("name", "candidates"),
    [
        ("SBF1", "YJL206C, YPL016W"),
        ("Sbf1p", "YJL206C, YPL016W"),
        ("SBF1 (8813)", "ENSG00000000419, YJL206C, YPL016W"),  # the id contradicts the symbol
        ("TFC3 (8813)", "ENSG00000000419, YAL001C"),
    ],
)
def test_spellings_of_several_genes_are_ambiguous(resolve, name, candidates):
    with pytest.raises(DataError) as caught:
        resolve(name)
    assert str(caught.value) == f"gene name '{name}' is ambiguous: {candidates} - give the systematic id"


def test_variants_are_sorted_by_how_likely_they_are():
    assert variants("DPM1 (8813)") == ["DPM1", "8813"]
    assert variants("HGNC:HGNC:12") == ["HGNC:12", "12"]
    assert variants("YAL001C") == []
