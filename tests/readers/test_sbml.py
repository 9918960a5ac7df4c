"""SBML: what is read, rules from every place a file may keep them, and files that are wrong."""

from __future__ import annotations

import gzip
import logging

import pytest

from dglcell.errors import DataError
from dglcell.graph.build import build
from dglcell.readers import gpr, models
from dglcell.readers.metabolic_model import ReactionRecord

TREE_RULE = (
    "<fbc:geneProductAssociation><fbc:or><fbc:and><fbc:geneProductRef fbc:geneProduct='G_a__45__1'/>"
    "<fbc:geneProductRef fbc:geneProduct='G_b'/></fbc:and><fbc:geneProductRef fbc:geneProduct='G_c'/></fbc:or>"
    "</fbc:geneProductAssociation>"
)


def document(rule="", notes="", fbc=2, extra="", species="M_x", value="2", lower="-5", products="G_b"):
    """A model with one reaction `R_r` (line 9) of one metabolite; `extra` follows the reaction."""
    package = (
        f"xmlns:fbc='http://www.sbml.org/sbml/level3/version1/fbc/version{fbc}' fbc:required='false'" if fbc else ""
    )
    bounds = "fbc:lowerFluxBound='lb' fbc:upperFluxBound='ub'" if fbc == 2 else ""
    listed = "".join(f"<fbc:geneProduct fbc:id='{g}' fbc:label='{g}' fbc:name='{g}x'/>" for g in products.split())
    note = f"<notes><body xmlns='http://www.w3.org/1999/xhtml'><p>GENE_ASSOCIATION: {notes}</p></body></notes>"
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<sbml xmlns='http://www.sbml.org/sbml/level3/version1/core' level='3' version='1' {package}>
<model id='m' {"fbc:strict='true'" if fbc == 2 else ""}>
<listOfCompartments><compartment id='c' constant='true'/></listOfCompartments><listOfSpecies>
<species id='M_x' compartment='c' hasOnlySubstanceUnits='false' boundaryCondition='false' constant='false'/>
</listOfSpecies>
<listOfParameters><parameter id='lb' value='{lower}' constant='true'/>
<parameter id='ub' value='10' constant='true'/></listOfParameters>
<listOfReactions><reaction id='R_r' reversible='true' fast='false' {bounds}>{note if notes else ""}
<listOfReactants><speciesReference species='{species}' stoichiometry='{value}' constant='true'/></listOfReactants>
{rule}</reaction>{extra}</listOfReactions>
{f"<fbc:listOfGeneProducts>{listed}</fbc:listOfGeneProducts>" if fbc == 2 and listed else ""}
</model></sbml>"""


REACTION = "<reaction id='{}' reversible='true' fast='false' fbc:lowerFluxBound='lb' fbc:upperFluxBound='ub'/>"


@pytest.fixture
def read(tmp_path):
    def reader(text, name="model.xml"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return models.read_model(path)

    return reader


@pytest.mark.parametrize("name", ["model.xml", "model.xml.gz", "model.sbml"])
def test_records(read, name):
    model = read(document(TREE_RULE), name)
    rule = gpr.parse("(a-1 and b) or c")
    assert model.reactions == (ReactionRecord("r", "", -5, 10, {"x": -2}, rule),)
    assert model.metabolites == ("x",)
    assert model.genes == ("b", "a-1", "c")  # those the file lists, then those that only rules name
    assert model.gene_names == {"b": "G_bx"}
    assert model.report["reactions with a gene rule"] == 1
    assert gpr.alternatives(model.reactions[0].rule) == (("a-1", "b"), ("c",))


def test_textbook():
    model = models.read_model(models.textbook_path())
    assert (len(model.reactions), len(model.metabolites), len(model.genes)) == (95, 72, 137)
    pfk = next(reaction for reaction in model.reactions if reaction.id == "PFK")
    assert pfk.stoichiometry == {"adp_c": 1, "atp_c": -1, "f6p_c": -1, "fdp_c": 1, "h_c": 1}
    assert (pfk.lower, pfk.upper, gpr.to_text(pfk.rule)) == (0, 1000, "b3916 or b1723")
    assert model.gene_names["b3916"] == "pfkA"


def test_a_tree_reaches_the_graph_without_being_read_again(read):
    """Ids with characters that mean something in a rule stay one gene each."""
    ids = ["G_fig__124__12__46__peg__46__3", "G_a__32__or__32__b", "G_x__40__1__41__"]
    refs = "".join(f"<fbc:geneProductRef fbc:geneProduct='{i}'/>" for i in ids)
    rule = f"<fbc:geneProductAssociation><fbc:and>{refs}</fbc:and></fbc:geneProductAssociation>"
    cell = build(read(document(rule, products=" ".join(ids))), self_loops=False)
    assert cell.ids["gene"] == ("a or b", "fig|12.peg.3", "x(1)")
    assert cell.relations["gpr"].src.tolist() == [0, 1, 2, 0, 1, 2]  # one enzyme in both directions


def test_a_cobra_model_gives_the_same_records():
    model, cobra_model = models.read_with_cobra(models.textbook_path())
    records = models.from_cobra(cobra_model)
    assert records.reactions == model.reactions
    assert (records.metabolites, records.genes, records.gene_names) == (
        model.metabolites,
        model.genes,
        model.gene_names,
    )
    assert records.growth == model.growth == ("Biomass_Ecoli_core",)


@pytest.mark.parametrize(
    ("notes", "rule"),
    [
        ("a and b", "a and b"),
        ("(G_a AND G_b) OR c.1", "(a and b) or c.1"),
        ("a or (a and b)", "a or (a and b)"),
        (" ", ""),
    ],
)
def test_rules_in_the_notes_of_old_files(read, notes, rule):
    model = read(document(notes=notes, fbc=0))
    assert gpr.to_text(model.reactions[0].rule) == rule
    assert set(model.genes) == set(gpr.parse(rule).genes() if rule else ())


@pytest.mark.parametrize(
    ("fbc", "notes"), [(0, "(a and b"), (1, "(a and b"), (0, "a b"), (0, "a and"), (2, "a and (b")]
)
def test_a_malformed_rule_names_file_line_reaction_and_rule(read, fbc, notes):
    with pytest.raises(DataError) as caught:
        read(document(notes=notes, fbc=fbc))
    assert "model.xml:9: reaction r: gene rule '" + notes in str(caught.value)


@pytest.mark.parametrize(
    ("fbc", "notes"), [(0, "a And b"), (0, "a &amp;&amp; b"), (0, "a || b"), (1, "a and b"), (2, "a and b")]
)
def test_a_rule_that_cobra_silently_empties_is_refused(read, fbc, notes):
    """Cobra reads each of these as no rule at all, so the reaction would survive every deletion."""
    with pytest.raises(DataError, match="is read as empty by cobra") as caught:
        read(document(notes=notes, fbc=fbc))
    assert f"model.xml:9: reaction r: gene rule '{notes.replace('&amp;', '&')}'" in str(caught.value)


@pytest.mark.parametrize(
    ("association", "what"),
    [("", "association is empty"), ("<fbc:or/>", "an 'or' of its gene product association has no genes")],
)
def test_an_empty_association_is_malformed(read, association, what):
    with pytest.raises(DataError, match=f"reaction r: .*{what}"):
        read(document(f"<fbc:geneProductAssociation>{association}</fbc:geneProductAssociation>"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("hello", "is not SBML"),
        ("{'reactions': []}", "is not SBML"),
        ("<html><body>404</body></html>", "is not SBML"),
        ("<sbml>", "model.xml:2: not valid XML or SBML"),
        (document()[:900], "not valid XML or SBML"),
        ("<sbml xmlns='http://www.sbml.org/sbml/level3/version1/core' level='3' version='1'></sbml>", "no model"),
        (document().split("<reaction")[0] + "</listOfReactions></model></sbml>", "has no reactions"),
        (document(value="two"), "model.xml:10: not valid XML or SBML .Attribute type mismatch"),
        (document(lower="lots"), "model.xml:7: not valid XML or SBML .Attribute type mismatch"),
        (document(value="NaN"), "reaction r: coefficient of x is nan"),
        (document(lower="NaN"), "cobra cannot read this model .*bounds .* nan"),
        (document(species="M_y"), "model.xml:10: reaction r names species 'M_y', which the file does not list"),
        (document(extra=REACTION.format("R_r")), "duplicate reaction id 'r', first at line 9"),
        (document(extra=REACTION.format("r")), "duplicate reaction id 'r', first at line 9"),
        (document(products="G_b b"), "duplicate gene id 'b'"),
        (document(extra=REACTION.format("q").replace("'ub'", "'none'")), "cobra cannot read this model"),
        ("", "is empty"),
    ],
)
def test_a_file_that_is_wrong_is_named_in_one_line(read, tmp_path, text, what):
    with pytest.raises(DataError, match=what) as caught:
        read(text)
    assert str(tmp_path / "model.xml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_malformed_rules_are_named_at_once(read):
    extra = REACTION.format("R_q").replace("/>", "><fbc:geneProductAssociation/></reaction>")
    with pytest.raises(DataError, match=r"reaction r: .*; .*reaction q: "):
        read(document("<fbc:geneProductAssociation/>", extra=extra))


def test_gzip_cut_short_and_missing_file(tmp_path):
    path = tmp_path / "model.xml.gz"
    path.write_bytes(gzip.compress(document().encode())[:-12])
    with pytest.raises(DataError, match="gzip data is cut short"):
        models.read_model(path)
    with pytest.raises(DataError, match="no such file"):
        models.read_model(tmp_path / "nix.xml")


def test_missing_bounds_and_boundary_metabolites_are_reported(read):
    text = document().replace("boundaryCondition='false'", "boundaryCondition='true'")
    model = read(text.replace("fbc:lowerFluxBound='lb'", ""))
    assert [reaction.id for reaction in model.reactions] == ["EX_x", "r"]
    assert model.report["exchange reactions added for boundary metabolites"] == 1
    assert model.report["reactions without bounds, set to cobra's defaults"] == 1


def test_reading_is_quiet_and_leaves_logging_alone(read, capfd, caplog, recwarn):
    level = logging.getLogger("cobra").level
    read(document().replace("id='m'", ""))
    with pytest.raises(DataError):
        read(document(notes="(a", fbc=0))
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert not recwarn.list
    assert logging.getLogger("cobra").level == level
