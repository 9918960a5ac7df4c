"""What is maximized, and that deletions, rules and bounds are those of the cell graph."""

from __future__ import annotations

import pytest

from dglcell.cli.main import run
from dglcell.errors import DataError, UsageError, with_flags
from dglcell.fba import deletions
from dglcell.fba.growth import Growth
from dglcell.graph.build_cell import build_cell
from dglcell.readers.models import read_model

FBC = "xmlns:fbc='http://www.sbml.org/sbml/level3/version1/fbc/version2' fbc:required='false'"
BOUNDS = "fbc:lowerFluxBound='zero' fbc:upperFluxBound='high'"


def gene(identifier):
    return f"<fbc:geneProductRef fbc:geneProduct='{identifier}'/>"


def model(rules, fbc=True, objective="R_grow", kind="maximize", listed=(), names=("", "", "")):
    """A -> B by one reaction for each rule; `R_take` makes at most 10 A, and `R_grow` and `R_waste` use up B."""

    def reaction(identifier, left, right, rule="", name=""):
        sides = ""
        for side, species in (("Reactants", left), ("Products", right)):
            reference = f"<speciesReference species='{species}' stoichiometry='1' constant='true'/>"
            sides += f"<listOf{side}>{reference}</listOf{side}>" if species else ""
        note = f"<notes><p xmlns='http://www.w3.org/1999/xhtml'>GENE_ASSOCIATION: {rule}</p></notes>"
        values = {"LOWER_BOUND": 0, "UPPER_BOUND": 10, "OBJECTIVE_COEFFICIENT": int(identifier == objective)}
        law = "".join(f"<localParameter id='{name}' value='{value}'/>" for name, value in values.items())
        law = f"<kineticLaw><listOfLocalParameters>{law}</listOfLocalParameters></kineticLaw>"
        association = f"<fbc:geneProductAssociation>{rule}</fbc:geneProductAssociation>"
        return (
            f"<reaction id='{identifier}' name='{name}' reversible='false' fast='false' {BOUNDS if fbc else ''}>"
            f"{note if rule and not fbc else ''}{sides}{'' if fbc else law}{association if rule and fbc else ''}"
            "</reaction>"
        )

    species = "hasOnlySubstanceUnits='false' boundaryCondition='false' constant='false'"
    products = "".join(f"<fbc:geneProduct fbc:id='{i}' fbc:label='{i}'/>" for i in listed)
    objectives = (
        f"<fbc:listOfObjectives fbc:activeObjective='o'><fbc:objective fbc:id='o' fbc:type='{kind}'>"
        f"<fbc:listOfFluxObjectives><fbc:fluxObjective fbc:reaction='{objective}' fbc:coefficient='1'/>"
        "</fbc:listOfFluxObjectives></fbc:objective></fbc:listOfObjectives>"
    )
    return (
        f"<sbml xmlns='http://www.sbml.org/sbml/level3/version1/core' level='3' version='1' {FBC if fbc else ''}>"
        f"<model id='m' {'fbc:strict=' if fbc else ''}{chr(39) + 'true' + chr(39) if fbc else ''}>"
        "<listOfCompartments><compartment id='c' constant='true'/></listOfCompartments><listOfSpecies>"
        f"<species id='M_a' compartment='c' {species}/><species id='M_b' compartment='c' {species}/></listOfSpecies>"
        "<listOfParameters><parameter id='zero' value='0' constant='true'/>"
        "<parameter id='high' value='10' constant='true'/></listOfParameters><listOfReactions>"
        + reaction("R_take", "", "M_a", name=names[0])
        + "".join(reaction(f"R_make{k}", "M_a", "M_b", rule) for k, rule in enumerate(rules))
        + reaction("R_grow", "M_b", "", name=names[1])
        + reaction("R_waste", "M_b", "", name=names[2])
        + "</listOfReactions>"
        + (objectives if fbc and objective else "")
        + (f"<fbc:listOfGeneProducts>{products}</fbc:listOfGeneProducts>" if products else "")
        + "</model></sbml>"
    )


@pytest.fixture
def written(tmp_path):
    def write(*args, **kwargs):
        path = tmp_path / "m.xml"
        path.write_text(model(*args, **kwargs))
        return path

    return write


def fitness_of(screen):
    return dict(zip(screen.genotypes, screen.fitness.tolist(), strict=True))


FBC_IDS = ["G_orf19__46__1", "G_fig__124__1__46__2__46__peg__46__3", "G_orphan7", "G_Candy"]


def test_escaped_ids_are_the_genes_of_the_cell(written):
    path = written([f"<fbc:and>{gene(FBC_IDS[0])}{gene(FBC_IDS[1])}</fbc:and>", gene(FBC_IDS[2])], listed=FBC_IDS)
    screen = deletions.simulate(path)
    singles = [genotype[0] for genotype in screen.genotypes if len(genotype) == 1]
    assert singles == ["Candy", "fig|1.2.peg.3", "orf19.1", "orphan7"] == list(build_cell(path).ids["gene"])
    fitness = fitness_of(screen)
    assert fitness["orf19.1", "orphan7"] == fitness["fig|1.2.peg.3", "orphan7"] == 0
    assert fitness["fig|1.2.peg.3", "orf19.1"] == fitness["Candy", "orphan7"] == 1


@pytest.mark.parametrize(
    "rule", ["orf19.1 and Candy", "orphan7", "fig|1.2.peg.3 or orf19.1", "(orphan7 or X-1) and Y:2"]
)
def test_genes_of_notes_are_the_genes_of_the_cell(written, rule):
    path = written([rule], fbc=False)
    screen = deletions.simulate(path, orders=(1,))
    words = sorted(set(rule.replace("(", "").replace(")", "").split()) - {"and", "or"})
    assert [genotype[0] for genotype in screen.genotypes] == words == list(build_cell(path).ids["gene"])
    needed = {word for word in words if f"{word} or" not in rule and f"or {word}" not in rule}
    assert {genotype[0] for genotype, f in fitness_of(screen).items() if f == 0} == needed


def test_a_cobra_model_is_read_like_its_file(written):
    from cobra.io import read_sbml_model

    path = written([gene("G_x"), f"<fbc:or>{gene('G_x')}{gene('G_y')}</fbc:or>"], listed=["G_x", "G_y", "G_z"])
    screen = deletions.simulate(path, orders=(1, 2))
    same = deletions.simulate(read_sbml_model(str(path)), orders=(1, 2))
    assert screen.genotypes == same.genotypes == (("x",), ("y",), ("z",), ("x", "y"), ("x", "z"), ("y", "z"))
    assert screen.fitness.tolist() == same.fitness.tolist() == [1, 1, 1, 0, 1, 1]


@pytest.mark.parametrize("name", ["json", "yaml", "matlab", "sbml"])
def test_genes_and_bounds_are_those_of_the_cell_in_every_format(tmp_path, name):
    import cobra.io

    path = tmp_path / {"yaml": "m.yml", "matlab": "m.mat", "sbml": "m.xml"}.get(name, "m.json")
    write = {"sbml": cobra.io.write_sbml_model}.get(name) or getattr(cobra.io, f"save_{name}_model")
    core = cobra.io.load_model("textbook")
    write(core, str(path))
    growth = Growth(path)
    assert tuple(growth.genes) == build_cell(path).ids["gene"] and len(growth.genes) == 137
    bounds = {record.id: (record.lower, record.upper) for record in read_model(path).reactions}
    assert {reaction.id: reaction.bounds for reaction in growth._reactions} == bounds
    assert growth.wild_growth == pytest.approx(0.873922, abs=1e-6)
    assert growth.fitness(("b2926",)) == pytest.approx(Growth(core).fitness(("b2926",)))


def test_a_model_whose_bounds_exclude_each_other_is_named(written):
    path = written([gene("G_x")], listed=["G_x"])
    before, name, after = path.read_text().partition("'R_waste' name='' reversible='false' fast='false' ")
    after = after.replace("'zero'", "'far'", 1).replace("'high'", "'far'", 1)
    far = "<parameter id='far' value='99' constant='true'/></listOfParameters>"
    path.write_text(before.replace("</listOfParameters>", far) + name + after)
    with pytest.raises(DataError, match=r"m\.xml: the model has no solution within its bounds - check"):
        deletions.simulate(path)


def test_an_irreversible_reaction_without_bounds_runs_forward_only(written):
    """B -> A must not feed growth: only the isozymes of A -> B do."""
    path = written([gene("G_x"), gene("G_y")], listed=["G_x", "G_y"])
    text = path.read_text().replace("<reaction id='R_make1' name=''", "<reaction id='R_make1' name='' class=''")
    back = text.split("class='' ")[1].split("</reaction>")[0]
    turned = back.replace("M_a", "M_0").replace("M_b", "M_a").replace("M_0", "M_b").replace(BOUNDS, "")
    path.write_text(text.replace("class='' " + back, turned))
    assert fitness_of(deletions.simulate(path)) == {("x",): 0, ("y",): 1, ("x", "y"): 0}


def test_bounds_are_those_of_the_records(written, monkeypatch):
    import dataclasses

    from dglcell.fba import growth

    path = written([gene("G_x")], listed=["G_x"])
    records, cobra_model = growth.read_with_cobra(path)
    tight = [dataclasses.replace(r, upper=4.0) if r.id == "take" else r for r in records.reactions]
    monkeypatch.setattr(
        growth, "read_with_cobra", lambda p: (dataclasses.replace(records, reactions=tuple(tight)), cobra_model)
    )
    assert growth.Growth(path).wild_growth == pytest.approx(4)


def test_another_objective(written):
    path = written([gene("G_x"), gene("G_y")], listed=["G_x", "G_y"])
    assert deletions.simulate(path).report["objective"] == "grow"
    screen = deletions.simulate(path, objective="make0")
    assert screen.report["objective"] == "make0" and screen.report["wild-type growth (1/h)"] == 10
    assert fitness_of(screen) == {("x",): 0, ("y",): 1, ("x", "y"): 0}


def test_an_objective_that_is_minimized_is_replaced(written):
    path = written([gene("G_x")], listed=["G_x"], objective="R_waste", kind="minimize", names=("", "Growth", ""))
    with pytest.raises(DataError, match=r"m\.xml: its objective is to be minimized - .* objective grow$") as failure:
        deletions.simulate(path)
    assert "--objective grow" in with_flags(failure.value.template)
    assert fitness_of(deletions.simulate(path, orders=(1,), objective="grow")) == {("x",): 0}


@pytest.mark.parametrize("fbc", [True, False])
def test_a_model_without_an_objective_names_candidates(written, fbc):
    rule = gene("G_x") if fbc else "x"
    path = written([rule], fbc, listed=["G_x"] if fbc else [], objective="", names=("", "", "Biomass, old"))
    with pytest.raises(DataError, match=r"m\.xml: the model has no objective - .*objective waste$"):
        deletions.simulate(path)
    assert fitness_of(deletions.simulate(path, orders=(1,), objective="grow")) == {("x",): 0}
    assert build_cell(path).ids["gene"] == ("x",) and read_model(path).growth == ()


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("R_grow", "grow"),
        ("GROW", "grow"),
        ("groww", "grow"),
        ("final growth", "grow"),
        ("qqqqqq", "grow"),
        ("make", "make0"),
    ],
)
def test_an_unknown_objective_names_close_reactions(written, name, close):
    path = written([gene("G_x")], listed=["G_x"], names=("", "final growth", ""))
    with pytest.raises(UsageError, match=f"objective {name}: the model has no such reaction .* objective {close}\\b"):
        deletions.simulate(path, objective=name)


def test_the_command_line_takes_an_objective(written, tmp_path, capsys):
    path = written([gene("G_x")], listed=["G_x"], objective="", names=("", "growth", ""))
    table = tmp_path / "s.tsv"
    assert run(["simulate", "--sbml", str(path), "--out", str(table)]) == 1
    assert (
        "m.xml: the model has no objective - name the reaction to maximize: --objective grow\n"
        in capsys.readouterr().err
    )
    assert run(["simulate", "--sbml", str(path), "--objective", "gro", "--out", str(table)]) == 2
    assert "--objective gro: the model has no such reaction" in capsys.readouterr().err and not table.exists()
    assert run(["simulate", "--sbml", str(path), "--objective", "grow", "--out", str(table)]) == 0
    assert table.read_text() == "genes\tfitness\tgene_interaction\nx\t0\t\n"
