"""JSON, YAML and `.mat`, plain and compressed: the same records as from cobra, and files that are wrong."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile

import numpy as np
import pytest
import scipy.io

from dglcell.errors import DataError
from dglcell.readers import gpr, models

REACTIONS = {  # id: rule, lower bound, upper bound, stoichiometry
    "UP": ("", -10.0, 1000.0, {"a_c": 1.0}),
    "MID": ("fig|1.1.peg.2 and (b#2 or c)", 0.0, 1000.0, {"a_c": -1.0, "b_c": 2.0}),
    "ALT": ("c or Unknown", -5.0, 0.0, {"a_c": 1.0, "b_c": -2.0}),
    "BIO": ("YAL038W[m]", 0.0, 1000.0, {"b_c": -1.0}),
}
GENES = ["fig|1.1.peg.2", "b#2", "c", "YAL038W[m]", "Unknown"]
RULES = {"UP": "", "MID": "fig|1.1.peg.2 and (b#2 or c)", "ALT": "", "BIO": "YAL038W"}


def document(**changes):
    model = {
        "id": "tiny",
        "metabolites": [{"id": m, "name": m, "compartment": "c"} for m in ("a_c", "b_c")],
        "reactions": [
            {
                "id": name,
                "name": f"reaction {name}",
                "metabolites": stoichiometry,
                "lower_bound": lower,
                "upper_bound": upper,
                "gene_reaction_rule": rule,
                "objective_coefficient": float(name == "BIO"),
            }
            for name, (rule, lower, upper, stoichiometry) in REACTIONS.items()
        ],
        "genes": [{"id": gene, "name": f"name of {gene}"} for gene in GENES],
        "compartments": {"c": "cytosol"},
        "version": "1",
    }
    return {**model, **changes}


def in_yaml(model):
    lines = ["---", "!!omap"]
    for key in ("metabolites", "reactions", "genes"):
        lines.append(f"- {key}:")
        for entry in model[key]:
            lines += ["    - !!omap", *(f"      - {name}: {json.dumps(value)}" for name, value in entry.items())]
    return "\n".join([*lines, f"- id: {model['id']}", "- compartments: {c: cytosol}", ""]).encode()


def in_mat(model, rules_field="grRules", variable="tiny", **changes):
    def cells(values):
        return np.array([[value] for value in values], dtype=object)

    reactions, metabolites = model["reactions"], [m["id"] for m in model["metabolites"]]
    s = np.zeros((len(metabolites), len(reactions)))
    for column, reaction in enumerate(reactions):
        for metabolite, value in reaction["metabolites"].items():
            s[metabolites.index(metabolite), column] = value
    rules = [reaction["gene_reaction_rule"] for reaction in reactions]
    if rules_field == "rules":
        for number, gene in enumerate(GENES, 1):
            rules = [rule.replace(gene, f"x({number})") for rule in rules]
        rules = [rule.replace("and", "&").replace("or", "|") for rule in rules]
    struct = {
        "rxns": cells(r["id"] for r in reactions),
        "rxnNames": cells(r["name"] for r in reactions),
        "mets": cells(metabolites),
        "S": s,
        "lb": np.array([[r["lower_bound"]] for r in reactions]),
        "ub": np.array([[r["upper_bound"]] for r in reactions]),
        "c": np.array([[r["objective_coefficient"]] for r in reactions]),
        "genes": cells(GENES),
        "geneNames": cells(g["name"] for g in model["genes"]),
        rules_field: cells(rules),
        "description": "tiny",
        **changes,
    }
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {variable: {key: value for key, value in struct.items() if value is not None}})
    return buffer.getvalue()


@pytest.fixture
def read(tmp_path):
    def reader(content, name="model"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return models.read_model(path)

    return reader


def zipped(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/model", content)
    return buffer.getvalue()


CONTENTS = {
    "JSON": lambda: json.dumps(document()).encode(),
    "JSON with a byte order mark": lambda: b"\xef\xbb\xbf" + json.dumps(document(), indent=1).encode(),
    "JSON in UTF-16": lambda: json.dumps(document()).encode("utf-16"),
    "YAML": lambda: in_yaml(document()),
    "YAML in UTF-16": lambda: in_yaml(document()).decode().encode("utf-16"),
    "MAT": lambda: in_mat(document()),
    "MAT with rules by number": lambda: in_mat(document(), "rules"),
}
PACKED = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
}


@pytest.mark.parametrize(
    ("content", "packed"),
    [*((content, "plain") for content in CONTENTS), *((c, p) for c in ("JSON", "YAML", "MAT") for p in PACKED)],
)
def test_every_format_gives_the_same_records(read, content, packed):
    model = read(PACKED.get(packed, bytes)(CONTENTS[content]()))
    assert [r.id for r in model.reactions] == list(REACTIONS)
    assert {r.id: (r.lower, r.upper) for r in model.reactions} == {k: v[1:3] for k, v in REACTIONS.items()}
    assert {r.id: r.stoichiometry for r in model.reactions} == {k: v[3] for k, v in REACTIONS.items()}
    assert {r.id: gpr.to_text(r.rule) for r in model.reactions} == RULES
    assert model.metabolites == ("a_c", "b_c")
    assert model.genes == ("fig|1.1.peg.2", "b#2", "c", "YAL038W")
    assert model.gene_names["c"] == "name of c"
    assert model.gene_names["YAL038W"] == "name of YAL038W[m]"
    assert model.growth == ("BIO",)
    assert model.report["layout"] == content.split()[0]
    assert model.report["rules with placeholders, which are no genes"] == "1 (Unknown)"
    assert model.report["reactions with a gene rule"] == 2


@pytest.mark.parametrize("name", ["JSON", "YAML", "MAT"])
def test_cobras_own_file_in_every_format(tmp_path, name):
    """The core model of cobra, written by cobra in another format, gives the records of its SBML."""
    import cobra.io

    expected = models.read_model("textbook")
    cobra_model = cobra.io.read_sbml_model(str(models.textbook_path()))
    path = tmp_path / "model"
    if name == "JSON":
        cobra.io.save_json_model(cobra_model, str(path))
    elif name == "YAML":
        cobra.io.save_yaml_model(cobra_model, str(path))
    else:
        path = path.with_suffix(".mat")
        cobra.io.save_matlab_model(cobra_model, str(path))
    model = models.read_model(path)
    assert {r.id: r for r in model.reactions} == {r.id: r for r in expected.reactions}
    assert (set(model.genes), model.growth, model.gene_names) == (
        set(expected.genes),
        expected.growth,
        expected.gene_names,
    )


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b'{"reactions": [', r"model:1: not valid JSON .Expecting value"),
        (b'{"a": 1}', "is JSON, but no metabolic model"),
        (b'[{"map_name": "core"}, {"reactions": {}}]', "is JSON, but no metabolic model"),
        (document(reactions=[]), "the model has no reactions"),
        (document(reactions=["x"]), "`reactions` is no list of objects"),
        (document(metabolites=[]), "reaction UP names metabolite 'a_c', which the file does not list"),
        (document(genes=[{"id": "c"}, {"id": "c"}]), "duplicate gene id 'c'"),
        (document(reactions=document()["reactions"] * 2), "duplicate reaction id 'UP'"),
        (document(reactions=[{"id": "r", "metabolites": {"a_c": "many"}}]), "cobra cannot read this model"),
        (document(reactions=[{"id": "r"}]), "reaction r: no `metabolites`"),
        (document(reactions=[{"metabolites": {}}]), "a reaction has no id"),
        (
            document(reactions=[{"id": "r", "metabolites": {}, "gene_reaction_rule": "a and"}]),
            "reaction r: gene rule 'a and': a gene was expected",
        ),
        (
            b'{"reactions": [{"id": "r", "metabolites": {"a_c": NaN}}], "metabolites": [{"id": "a_c"}], "genes": []}',
            "nan",
        ),
        (b"reactions:\n  - id: [r\n", r"model:3: not valid YAML"),
        (b"reactions:\n  r: 1\n", "is YAML, but no metabolic model"),
        (b"a,b\n1,2\n", "is no metabolic model .it starts with 'a,b 1,2'"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS pointer"),
        (b"\x89HDF\r\n\x1a\n" + bytes(90), "HDF5"),
        (b"MATLAB 7.3 MAT-file, Platform" + bytes(600), "version 7.3 - save it in MATLAB with"),
        (b"MATLAB 5.0 MAT-file, Platform" + bytes(60), "MATLAB data that is damaged"),
    ],
)
def test_a_file_that_is_wrong_is_named_in_one_line(read, tmp_path, content, what):
    with pytest.raises(DataError, match=what) as caught:
        read(content)
    assert str(tmp_path / "model") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mat_files_that_are_wrong(read):
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"x": np.eye(2)})
    with pytest.raises(DataError, match=r"holds 0 metabolic models .x."):
        read(buffer.getvalue())
    with pytest.raises(DataError, match="rule 2 names gene 9 of 5"):
        read(in_mat(document(), rules=np.array([[""], ["x(9)"], [""], [""]], dtype=object), grRules=None))
    with pytest.raises(DataError, match="duplicate reaction id 'UP'"):
        read(in_mat(document(reactions=document()["reactions"][:1] * 2)))


def test_names_and_paths(tmp_path):
    with pytest.raises(DataError, match=r"ecoli: no such file .* or write `textbook`"):
        models.read_model("ecoli")
    assert models.read_model("textbook").reactions == models.read_model(models.textbook_path()).reactions
    with pytest.raises(DataError, match="is a folder"):
        models.read_model(tmp_path)
