"""What a user can get wrong: one line on stderr, exit code 1 or 2, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import pytest

from dglcell.readers.models import textbook_path


def refused(done, code: int, *words: str) -> None:
    """The command stopped with this code and one line that holds these words."""
    assert done.code == code, done.err
    errors = [line for line in done.err.splitlines() if line.startswith("dglcell: error:")]
    assert len(errors) == 1, done.err
    assert "Traceback" not in done.err
    for word in words:
        assert word in errors[0], errors[0]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder of files that something is wrong with."""
    whole = textbook_path().read_bytes()
    files: dict[str, str | bytes] = {
        "not.xml": "<html><body>404</body></html>",
        "cut.xml.gz": whole[: len(whole) // 2],
        "genes.txt": "b0008\nb0114\nb0008\n",
        "one.tsv": "b0008\nb0114\n",
        "two.tsv": "b0008\tb0114\n",
        "empty.tsv": "",
        "links.txt": "protein1 protein2 combined_score\nb0008 b0114 high\n",
        "screen.tsv": "genes\tfitness\nb0008\t0.5\nb0114\tlow\n",
        "unknown.tsv": "genes\tfitness\nb0008\t0.5\nnobody\t0.1\n",
        "strangers.tsv": "genes\tfitness\nnobody\t0.1\n",
        "unlabelled.tsv": "genes\nb0008\n",
        "loops.tsv": "b0008\tb0008\n",
        "predicted.tsv": "genes\tpred_fitness\nb0008\t1\n",
        "fold.toml": "fold = 2\n",
        "layout.tsv": "alpha\tbeta\n1\t2\n",
        "genes.gff": "##gff-version 3\nchr\tS\tgene\t1\t9\t.\t+\t.\tID=b0008\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path


PREPROCESS = [
    (("--sbml", "not.xml"), 1, ("not.xml", "SBML")),
    (("--sbml", "cut.xml.gz"), 1, ("cut.xml.gz", "cut short")),
    (("--sbml", "none.xml"), 1, ("none.xml", "no such file")),
    (("--model", "ecoli", "--genes", "none.tab"), 1, ("ecoli: no such file", "`textbook`", "none.tab: no such file")),
    (("--model", "textbook", "--sbml", "cut.xml.gz"), 2, ("textbook cut.xml.gz", "one metabolic model")),
    (("--genes", "genes.txt"), 1, ("genes.txt", "b0008")),
    (("--genes", "empty.tsv"), 1, ("empty.tsv", "empty")),
    (("--model", "textbook", "--physical", "one.tsv"), 1, ("one.tsv", "no physical network of a known")),
    (("--model", "textbook", "--physical", "empty.tsv"), 1, ("empty.tsv", "empty")),
    (("--model", "textbook", "--physical", "links.txt"), 1, ("links.txt:2", "high")),
    (("--model", "textbook", "--screen", "screen.tsv"), 1, ("screen.tsv:3", "low")),
    (
        ("--model", "textbook", "--screen", "unknown.tsv"),
        1,
        ("unknown.tsv:3: 1 of 2", "nobody", "--unknown-genes skip"),
    ),
    (
        ("--model", "textbook", "--screen", "strangers.tsv", "--unknown-genes", "skip"),
        1,
        ("no row of 1", "--allow-empty"),
    ),
    (
        ("--model", "textbook", "--screen", "unlabelled.tsv"),
        1,
        ("unlabelled.tsv:1: no column of labels", "--allow-empty"),
    ),
    (("--model", "textbook", "--physical", "loops.tsv"), 1, ("loops.tsv: no edge of 1", "--allow-empty")),
    (("--model", "textbook", "--screen", "layout.tsv"), 1, ("layout.tsv", "no screen of a known layout")),
    (("--model", "textbook", "--features", "screen.tsv"), 1, ("screen.tsv", "low")),
    ((), 2, ("--model", "--genes")),
    (("--model", "textbook", "--relation", "close"), 2, ("NAME=FILE",)),
    (("--model", "textbook", "--relation", "gpr=two.tsv"), 2, ("relation gpr", "already in use")),
    (("--model", "textbook", "--relation", "physical=two.tsv"), 2, ("--relation physical", "--physical")),
    (("--model", "textbook", "--relation", "close=genes.gff"), 1, ("genes.gff", "--description", "--overlap")),
    (
        ("--model", "textbook", "--relation", "overlap=two.tsv", "--overlap", "genes.gff"),
        2,
        ("overlap", "already in use"),
    ),
    (("--model", "textbook", "--max-alternatives", "0"), 2, ("--max-alternatives 0",)),
    (("--model", "textbook", "--max-alternatives", "many"), 2, ("--max-alternatives",)),
]


@pytest.mark.parametrize(("arguments", "code", "words"), PREPROCESS, ids=[" ".join(a) for a, _, _ in PREPROCESS])
def test_preprocess(cli, broken: Path, monkeypatch: pytest.MonkeyPatch, arguments, code: int, words) -> None:
    monkeypatch.chdir(broken)
    before = sorted(p.name for p in broken.iterdir())
    refused(cli("preprocess", *arguments, "--out", "cell.h5"), code, *words)
    assert sorted(p.name for p in broken.iterdir()) == before


def test_a_malformed_rule_names_reaction_and_rule(cli, tmp_path: Path) -> None:
    sbml = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="m">
<listOfCompartments><compartment id="c"/></listOfCompartments>
<listOfSpecies><species id="M_a_c" compartment="c"/><species id="M_b_c" compartment="c"/></listOfSpecies>
<listOfReactions><reaction id="R_one" reversible="false">
<notes><html xmlns="http://www.w3.org/1999/xhtml"><p>GENE_ASSOCIATION: (g1 and g2</p></html></notes>
<listOfReactants><speciesReference species="M_a_c"/></listOfReactants>
<listOfProducts><speciesReference species="M_b_c"/></listOfProducts>
</reaction></listOfReactions></model></sbml>"""
    (tmp_path / "m.xml").write_text(sbml)
    refused(cli("preprocess", "--sbml", tmp_path / "m.xml", "--out", tmp_path / "c.h5"), 1, "one", "(g1 and g2")
    assert not (tmp_path / "c.h5").exists()


def test_an_output_that_exists_is_kept(cli, core: Path, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    (tmp_path / "t.tsv").write_text("genes\nb0008\n")
    for arguments in (
        ("preprocess", "--model", "textbook"),
        ("simulate", "--model", "textbook"),
        ("predict", trained, tmp_path / "t.tsv"),
    ):
        refused(cli(*arguments, "--out", tmp_path / "x"), 2, "exists", "--overwrite")
    refused(cli("train", core, "--out", trained), 2, "--overwrite")
    refused(cli("preprocess", "--model", "textbook", "--out", tmp_path / "no" / "x"), 2, "does not exist")
    assert (tmp_path / "x").read_text() == "mine"


TRAIN = [
    (("--layers", "0"), 2, ("--layers 0",)),
    (("--seed", "-1"), 2, ("--seed -1",)),
    (("--heads", "3"), 2, ("--heads 3", "--hidden 64")),
    (("--networks", "text"), 2, ("--networks text", "metabolic", "name some of these")),
    (("--networks", "a,,b"), 2, ("a,,b", "joined by commas")),
    (("--device", "cuda:99"), 2, ("cuda:99",)),
    (("--device", "abacus"), 2, ("--device abacus",)),
    (("--variant", "best"), 2, ("best",)),
    (("--val-fraction", "0.0001"), 2, ("val",)),
    (("--lambda-cell", "1"), 2, ("--lambda-cell", "local")),
    (("--label-weights", "fitness"), 2, ("fitness=1",)),
    (("--config", "none.toml"), 2, ("none.toml",)),
    (("--fold", "0"), 2, ("--fold 0 with --split random", "--split kfold")),
    (("--split", "unseen-gene", "--fold", "3"), 2, ("--fold 3 with --split unseen-gene",)),
    (("--config", "fold.toml"), 2, ("--fold 2 with --split random",)),
    (("--screen", "unlabelled.tsv"), 1, ("unlabelled.tsv:1: no column of labels",)),
    (("--screen", "unknown.tsv"), 1, ("nobody",)),
    (("--screen", "none.tsv"), 1, ("none.tsv", "no such file")),
    (("--resume",), 2, ("nothing to resume",)),
    (("--split-file", "screen.tsv"), 1, ("screen.tsv",)),
    (("--lr", "1e30", "--grad-clip", "1e30"), 1, ("training stopped",)),
]


@pytest.mark.parametrize(("arguments", "code", "words"), TRAIN, ids=[" ".join(a) for a, _, _ in TRAIN])
def test_train(cli, core: Path, broken: Path, monkeypatch: pytest.MonkeyPatch, arguments, code: int, words) -> None:
    monkeypatch.chdir(broken)
    refused(cli("train", core, "--hidden", "64", "--epochs", "1", *arguments, "--out", "run"), code, *words)


def test_predict(cli, trained: Path, core: Path, broken: Path) -> None:
    out = ("--out", broken / "p.tsv")
    refused(cli("predict", trained, broken / "unknown.tsv", "--unknown-genes", "error", *out), 1, "nobody", "skip")
    refused(cli("predict", trained, broken / "strangers.tsv", *out), 1, "strangers.tsv: no genotype", "nobody", "b0008")
    refused(cli("predict", trained, broken / "predicted.tsv", *out), 1, "pred_fitness")
    refused(cli("predict", trained, broken / "layout.tsv", *out), 1, "no table of genotypes of a known layout")
    refused(cli("predict", broken, broken / "unknown.tsv", *out), 1, "run")
    refused(cli("predict", broken / "nowhere", broken / "unknown.tsv", *out), 1, "no such")
    refused(cli("predict", trained, broken / "unknown.tsv", "--device", "cuda:99", *out), 2, "cuda:99")
    assert not (broken / "p.tsv").exists()


def test_usage(cli, core: Path, trained: Path, broken: Path) -> None:
    bare = cli()
    refused(bare, 2, "Missing command")
    assert bare.err.splitlines()[1:] == ["see: dglcell --help"]
    refused(cli("demo", "--out", broken / "two.tsv"), 2, "two.tsv")
    refused(cli("demo", "--seed", "-1", "--out", broken / "demo"), 2, "-1")
    refused(cli("simulate", "--model", "textbook", "--seed", "-1", "--out", broken / "s.tsv"), 2, "-1")
    refused(cli("teleport"), 2, "teleport")
    refused(cli("train"), 2, "CELL")
    refused(cli("train", core, "--layerz", "3", "--out", "x"), 2, "--layerz")
    refused(cli("info", "nowhere"), 1, "nowhere")
    refused(cli("info", trained / "model.safetensors"), 1, "give the run folder", str(trained))
    refused(cli("predict", core, core, "--out", "x"), 1)
    refused(cli("simulate", "--out", "x"), 2, "--model")


def test_verbose_adds_the_traceback(cli) -> None:
    done = cli("info", "nowhere", "-v")
    assert done.code == 1 and "Traceback" in done.err
