"""SBML: what is read, rules from every place a file may keep them, and files that are wrong."""

from __future__ import annotations

import gzip
import logging

import pytest

from dglcell.errors import DataError, DglcellWarning
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
    from cobra.io import load_model

    model = models.read_model("textbook")
    records = models.from_cobra(load_model("textbook"))
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
    ("notes", "rule", "fbc"),
    [
        ("a And b", "a and b", 0),
        ("a &amp;&amp; b", "a and b", 0),
        ("a || b", "a or b", 0),
        ("a and b", "a and b", 1),
        ("a and b", "a and b", 2),
        ("gene#1 or lcl@2/3", "gene#1 or lcl@2/3", 0),
        ("1351 and 9167? and b-1'", "1351 and 9167? and b-1'", 0),
        ("fig|12.peg.3 or fig|12.peg.4", "fig|12.peg.3 or fig|12.peg.4", 0),
        ("orf19.1 and orphan2", "orf19.1 and orphan2", 0),
    ],
)
def test_a_rule_that_cobra_reads_as_empty_or_wrongly_is_read(read, notes, rule, fbc):
    """Cobra reads most of these as no rule at all, so the reaction would survive every deletion."""
    model = read(document(notes=notes, fbc=fbc, products=""))
    assert gpr.to_text(model.reactions[0].rule) == rule
    assert set(model.genes) == set(model.reactions[0].rule.genes())


@pytest.mark.parametrize(
    ("notes", "rule"),
    [
        ("(a and\n b) or\n c", "(a and b) or c"),
        ("(a and<br/>b) or <i>c</i>", "(a and b) or c"),
        ("a &amp;amp; b", "a and b"),
        ("a &lt;br&gt; and b", "a and b"),
        ("a&#160;or&#xA0;b", "a or b"),
        ("a or b<br/>SUBSYSTEM: Glycolysis or gluconeogenesis<br/>AUTHORS:x", "a or b"),
        ("HGNC:1 or\nHGNC:2", "HGNC:1 or HGNC:2"),
    ],
)
def test_rules_over_lines_and_with_markup(read, notes, rule):
    assert gpr.to_text(read(document(notes=notes, fbc=0)).reactions[0].rule) == rule


def test_notes_that_agree_count_once_and_those_that_differ_are_refused(read):
    second = "</p><p>GENE ASSOCIATION: {}"
    agreeing = ("a  and b", "b and a", "", " (a and b) ")
    for text in agreeing:
        model = read(document(notes="a and b" + second.format(text), fbc=0))
        assert gpr.alternatives(model.reactions[0].rule) == (("a", "b"),)
    with pytest.raises(DataError, match=r"reaction r: .*2 GENE_ASSOCIATION notes that differ .'a and b' and 'a or b'"):
        read(document(notes="a and b" + second.format("a or b"), fbc=0))


def test_a_rule_that_cobra_reads_otherwise_is_refused(read):
    """Python's `|` binds tighter than `and`, so cobra reads the second as `a and (b or c)`."""
    assert gpr.to_text(read(document(notes="a &amp; b | c", fbc=0)).reactions[0].rule) == "(a and b) or c"
    with pytest.raises(DataError, match=r"read as '.a and b. or c' here, and as 'a and .b or c.' by cobra"):
        read(document(notes="a and b | c", fbc=0))


def test_placeholders_are_no_genes_in_any_place(read):
    model = read(document(notes="SPONTANEOUS", fbc=0))
    assert (model.reactions[0].rule, model.genes) == (None, ())
    assert model.report["rules with placeholders, which are no genes"] == "1 (SPONTANEOUS)"
    refs = "".join(f"<fbc:geneProductRef fbc:geneProduct='G_{i}'/>" for i in ("a", "Unknown"))
    rule = f"<fbc:geneProductAssociation><fbc:and>{refs}</fbc:and></fbc:geneProductAssociation>"
    model = read(document(rule, products="G_a G_Unknown"))
    assert (gpr.to_text(model.reactions[0].rule), model.genes) == ("a", ("a",))


def test_compartments_of_genes(read):
    """The model has the compartment `c`; a listed id keeps its ending unless it is in brackets."""
    model = read(document(notes="YAL038W_c or YOR347C[m] or YAL038W_x or TFC3", fbc=0))
    assert gpr.to_text(model.reactions[0].rule) == "YAL038W or YOR347C or YAL038W_x or TFC3"
    assert model.report["genes without their compartment suffix"] == "2 (YAL038W_c, YOR347C[m])"
    refs = "".join(f"<fbc:geneProductRef fbc:geneProduct='G_{i}'/>" for i in ("a_c", "b__91__m__93__"))
    rule = f"<fbc:geneProductAssociation><fbc:or>{refs}</fbc:or></fbc:geneProductAssociation>"
    model = read(document(rule, products="G_a_c G_b__91__m__93__ G_b"))
    assert gpr.to_text(model.reactions[0].rule) == "a_c or b"
    assert model.genes == ("a_c", "b")
    assert model.gene_names == {"a_c": "G_a_cx", "b": "G_b__91__m__93__x"}


@pytest.mark.parametrize(
    ("reversible", "bounds", "expected", "num_irreversible", "num_defaults"),
    [
        ("reversible='true'", {}, (-1000, 1000), 0, 1),
        ("", {}, (-1000, 1000), 0, 1),  # true is the default of level 2
        ("reversible='false'", {}, (0, 1000), 1, 0),
        ("reversible='false'", {"UPPER_BOUND": 7}, (0, 7), 1, 0),
        ("reversible='false'", {"LOWER_BOUND": -7}, (-7, 1000), 0, 1),
        ("reversible='false'", {"LOWER_BOUND": -7, "UPPER_BOUND": 5}, (-7, 5), 0, 0),
        ("reversible='true'", {"LOWER_BOUND": 0, "UPPER_BOUND": 5}, (0, 5), 0, 0),
    ],
)
def test_a_reaction_without_bounds_runs_as_the_file_says(
    tmp_path, reversible, bounds, expected, num_irreversible, num_defaults
):
    parameters = "".join(f"<parameter id='{name}' value='{value}'/>" for name, value in bounds.items())
    path = tmp_path / "model.xml"
    path.write_text(
        f"""<?xml version='1.0' encoding='UTF-8'?>
<sbml xmlns='http://www.sbml.org/sbml/level2/version4' level='2' version='4'><model id='m'>
<listOfCompartments><compartment id='c'/></listOfCompartments>
<listOfSpecies><species id='x' compartment='c'/></listOfSpecies>
<listOfReactions><reaction id='r' {reversible}>
<listOfReactants><speciesReference species='x'/></listOfReactants>
<kineticLaw><math xmlns='http://www.w3.org/1998/Math/MathML'><ci>x</ci></math>
<listOfParameters>{parameters}</listOfParameters></kineticLaw></reaction></listOfReactions></model></sbml>"""
    )
    model, cobra_model = models.read_with_cobra(path)
    assert (model.reactions[0].lower, model.reactions[0].upper) == expected
    assert cobra_model.reactions[0].bounds == expected
    assert model.report.get("irreversible reactions without a lower bound, set to 0", 0) == num_irreversible
    assert model.report.get("reactions without bounds, set to cobra's defaults", 0) == num_defaults


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1", "cp1252"])
def test_encodings(tmp_path, encoding):
    text = document(TREE_RULE).replace("encoding='UTF-8'", f"encoding='{encoding.removesuffix('-sig')}'")
    path = tmp_path / "model.xml"
    path.write_bytes(text.replace("fbc:name='G_bx'", "fbc:name='b\u00e9ta \u00b5'").encode(encoding))
    assert models.read_model(path).gene_names == {"b": "b\u00e9ta \u00b5"}


@pytest.mark.parametrize(
    ("declared", "actual", "what"),
    [
        ("UTF-8", "iso-8859-1", r"model.xml: the file is UTF-8 by its declaration, but is not .line 12: invalid"),
        ("UTF-16", "utf-8", r"is UTF-16 by its declaration, but is not .its characters are single bytes"),
        ("klingon", "utf-8", "names the encoding 'klingon', which is unknown"),
        ("ascii", "utf-8", "is ascii by its declaration"),
    ],
)
def test_a_wrong_declaration_of_the_encoding_is_named(tmp_path, declared, actual, what):
    text = document(TREE_RULE).replace("UTF-8", declared).replace("fbc:name='G_bx'", "fbc:name='b\u00e9ta'")
    path = tmp_path / "model.xml"
    path.write_bytes(text.encode(actual))
    with pytest.raises(DataError, match=what):
        models.read_model(path)


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
        ("hello", "is no metabolic model .it starts with 'hello'"),
        ("{'reactions': []}", "model.xml:1: not valid JSON"),
        ("<html><body>404</body></html>", "is an HTML page, not SBML"),
        ("<svg/>", "is XML, not SBML"),
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


def test_a_reaction_with_the_id_of_an_added_exchange_keeps_its_bounds(read):
    """Cobra adds EX_x for the boundary metabolite, and would drop the reaction of the file."""
    text = document(TREE_RULE, value="1").replace("boundaryCondition='false'", "boundaryCondition='true'")
    model = read(text.replace("R_r", "R_EX_x"))
    rule = gpr.parse("(a-1 and b) or c")
    assert model.reactions == (ReactionRecord("EX_x", "EX_x", -5, 10, {"x": -1}, rule),)
    with pytest.raises(DataError, match=r"model.xml:9: reaction EX_x has the id .* 'M_x', but is another one"):
        read(text.replace("R_r", "R_EX_x").replace("stoichiometry='1'", "stoichiometry='2'"))


def test_reading_is_quiet_and_leaves_logging_alone(read, capfd, caplog, recwarn):
    level = logging.getLogger("cobra").level
    read(document().replace("id='m'", ""))
    with pytest.raises(DataError):
        read(document(notes="(a", fbc=0))
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert not recwarn.list
    assert logging.getLogger("cobra").level == level


RDF = "<annotation>\n<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\n<r:li/></r:RDF></annotation>"
OLD_RULE = (
    "<annotation>{}<listOfGeneAssociations xmlns='http://www.sbml.org/sbml/level3/version1/fbc/version1'>"
    "<geneAssociation id='g' reaction='R_r'><or><gene reference='b1'/><gene reference='b2'/></or>"
    "</geneAssociation></listOfGeneAssociations></annotation>"
)


def test_descriptions_do_not_count_but_their_lines_do(read):
    note = "<notes>\n<body xmlns='http://www.w3.org/1999/xhtml'>\n<p>about this</p></body></notes>"
    text = document(TREE_RULE)
    described = text.replace("'><listOfSpecies>", "'>\n<listOfSpecies>").replace(
        "<listOfParameters>", "<listOfParameters>" + note + RDF
    )
    assert read(described) == read(text)
    with pytest.raises(DataError, match=r"model\.xml:13: reaction r"):
        read(described.replace(TREE_RULE, "<fbc:geneProductAssociation/>"))


@pytest.mark.parametrize("beside", ["", RDF.removeprefix("<annotation>").removesuffix("</annotation>")])
def test_gene_associations_in_an_annotation_are_kept(read, beside):
    text = document(fbc=1).replace("<listOfCompartments>", OLD_RULE.format(beside) + "<listOfCompartments>", 1)
    assert read(text).reactions[0].rule == gpr.parse("b1 or b2")


@pytest.mark.parametrize("gene", ["b0001", "YAL001C-A", "orf19.1", "100_1", "G_b3"])
def test_ids_of_fbc_version_1_are_those_of_the_file(read, gene):
    """libsbml turns them into `gp_b__ZERO____ONE__` on the way to version 2."""
    text = document(fbc=1).replace("<listOfCompartments>", OLD_RULE.format("") + "<listOfCompartments>", 1)
    assert set(read(text.replace("b2", gene)).genes) == {"b1", gene.removeprefix("G_")}


def test_genes_that_differ_in_case_alone_are_told(read):
    text = document(notes="YAL001C or yal001c or b", fbc=0)
    with pytest.warns(
        DglcellWarning, match=r"model.xml: 2 genes differ .* \(YAL001C, yal001c\) - if they are one gene"
    ):
        build(model=read(text))
