"""Every command on small input: what it prints, where it prints it, what it writes."""

from __future__ import annotations

import csv
import itertools
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dglcell.inference.run import load_run
from dglcell.io import cell_file

COMMANDS = ("preprocess", "simulate", "train", "evaluate", "predict", "info", "doctor", "demo")
MODULES = 300
HEAVY = ("torch", "dgl", "cobra", "numpy", "pandas", "scipy", "sklearn", "h5py", "numba", "matplotlib", "openpyxl")


def test_help_lists_every_command() -> None:
    done = subprocess.run([sys.executable, "-m", "dglcell.cli", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)], ids=" ".join)
def test_help_imports_nothing_heavy(command: tuple[str, ...]) -> None:
    """Nothing heavy, and few modules in all: so it answers at once (`tests/benchmarks/test_times.py` times it)."""
    code = (
        "import sys; before = len(sys.modules); from dglcell.cli.main import run; code = run(sys.argv[1:]); "
        f"print(len(sys.modules) - before, *[m for m in {HEAVY!r} if m in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *command, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    modules, *heavy = done.stdout.splitlines()[-1].split()
    assert not heavy
    assert int(modules) < MODULES


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_a_run_that_is_not_there_is_told_before_torch_loads(command: str, tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("genes\nb0008\n")
    more = ["t.tsv", "--out", "p.tsv"] if command == "predict" else []
    code = "import sys; from dglcell.cli.main import run; print(run(sys.argv[1:]), 'torch' in sys.modules)"
    line = [sys.executable, "-c", code, command, "nowhere", *more]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "1 False", done.stderr
    assert "nowhere: no such folder" in done.stderr


def test_idle_threads_sleep_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os; from dglcell.cli.main import run; run(['doctor', '-h']); print(os.environ['OMP_WAIT_POLICY'])"
    for given, expected in ((None, "PASSIVE"), ("ACTIVE", "ACTIVE")):
        monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
        if given:
            monkeypatch.setenv("OMP_WAIT_POLICY", given)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.splitlines()[-1:] == [expected], done.stderr


def test_degrees_and_descriptions_as_gene_features(cli, core: Path, tmp_path: Path) -> None:
    """From an annotation to a prediction: what a run keeps of features that no file lists as numbers."""
    genes = cell_file.load(core).ids["gene"]
    rows = (f"I\tS\tgene\t1\t9\t.\t+\t.\tID={g};description=one of {k % 7} and {k % 3}" for k, g in enumerate(genes))
    (tmp_path / "genes.gff").write_text("\n".join(["##gff-version 3", *rows]) + "\n")
    cell, run = tmp_path / "cell.h5", tmp_path / "run"
    options = ("--features", tmp_path / "genes.gff", "--degrees", "--features-mode", "replace")
    done = cli("preprocess", "--model", "textbook", *options, "--json", "--out", cell)
    assert done.code == 0, done.err
    report = json.loads(done.out)["report"]
    assert (report["features"]["columns"], report["degrees"]["columns"]) == (
        cell_file.load(cell).features.shape[1] - 2,
        2,
    )
    table = tmp_path / "screen.tsv"
    table.write_text("genes\tfitness\n" + "".join(f"{g}\t{k % 3 / 4}\n" for k, g in enumerate(genes)))
    small = ("--screen", table, "--layers", 1, "--hidden", 8, "--fm-rank", 2, "--fm-lr", 0.1, "--epochs", 3, "-q")
    assert cli("train", cell, *small, "--out", run).code == 0
    (tmp_path / "wanted.tsv").write_text(f"genes\n{genes[0]}\n")
    done = cli("predict", run, tmp_path / "wanted.tsv", "--out", tmp_path / "scores.tsv")
    assert done.code == 0, done.err
    before = float((tmp_path / "scores.tsv").read_text().split()[-1])
    again, without = load_run(run), load_run(run)
    assert again.predict([[genes[0]]])["pred_fitness"][0] == pytest.approx(before, rel=1e-4)
    without.models[0].fm.features.zero_()
    assert without.predict([[genes[0]]])["pred_fitness"][0] != pytest.approx(before, rel=1e-3)


@pytest.mark.parametrize("what", ["info", "preprocess"])
def test_graphs_are_built_and_read_without_torch(what: str, core: Path, tmp_path: Path) -> None:
    arguments = {"info": ["info", str(core)], "preprocess": ["preprocess", "--model", "textbook", "--out", "cell.h5"]}
    code = "import sys; from dglcell.cli.main import run; run(sys.argv[1:]); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *arguments[what]], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "False", done.stderr


def test_info_of_a_run_needs_no_torch(trained: Path) -> None:
    code = "import sys; from dglcell.cli.main import run; run(sys.argv[1:]); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "info", str(trained)], capture_output=True, text=True)
    assert "set encoder" in done.stdout and "gene MLP" in done.stdout
    assert done.stdout.splitlines()[-1] == "False", done.stderr


def test_info_of_a_run_says_what_its_repr_says(cli, core: Path, trained: Path, tmp_path: Path) -> None:
    lines = [line.split("\t") for line in cli("info", trained).out.splitlines()]
    run, rows = load_run(trained), {row[0]: row[1] for row in lines}
    assert rows["settings"] == "--layers 2 --hidden 16 --epochs 2"  # of the fixture, without any default
    assert rows["screen"] == "screen.tsv" and rows["split"] == "random" and rows["variant"] == "local"
    counts = run.metadata["split"]["rows"]
    assert [rows[f"{name} rows"] for name in ("training", "validation", "test")] == [
        str(counts[subset]) for subset in ("train", "val", "test")
    ]
    assert rows["epoch of the weights"] == str(run.metadata["epoch"])
    for label in ("fitness", "gene_interaction"):
        assert float(rows[f"validation Pearson, {label}"]) == pytest.approx(
            run.metadata["validation"][label]["pearson"], rel=1e-3
        )
    assert len(rows) == len(lines)
    options = "--hidden 8 --no-similarity --networks metabolic --split kfold --max-steps 1 --batch-size 32"
    options += " --label-weights fitness=1,gene_interaction=0.5"
    assert cli("train", core, *options.split(), "--out", tmp_path / "run", "-q").code == 0
    (settings,) = [line for line in cli("info", tmp_path / "run").out.splitlines() if line.startswith("settings")]
    assert sorted(f" {settings.split(chr(9))[1]}".split(" --")) == sorted(f" {options}".split(" --"))


def test_info_json_of_a_graph(cli, core: Path) -> None:
    document = json.loads(cli("info", core, "--json").out)
    assert document["nodes"] == {"gene": 137, "reaction": 171, "metabolite": 69}
    assert document["edges"]["in"] == document["edges"]["of"] == 679
    assert document["pairs"] == {"physical_interaction": 0, "regulatory_interaction": 0}
    assert set(document["fingerprints"]) == {"ids", "content"}
    assert document["screen"]["orders"] == {"1": 137, "2": 300}


def test_what_was_left_out_is_shown_with_examples_by_preprocess_and_info(cli, tmp_path: Path) -> None:
    ids = [f"g{k:02d}" for k in range(12)]
    (tmp_path / "genes.txt").write_text("\n".join(ids) + "\n")
    (tmp_path / "net.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in itertools.pairwise(ids)) + "g01\tQ7\n")
    (tmp_path / "s.tsv").write_text("genes\tfitness\n" + "".join(f"{g}\t1\n" for g in [*ids, "Q8"]))
    files = ("--genes", tmp_path / "genes.txt", "--physical", tmp_path / "net.tsv", "--screen", tmp_path / "s.tsv")
    done = cli("preprocess", *files, "--out", tmp_path / "cell.h5")
    assert done.code == 0 and "warning" not in done.err
    lines = [
        "physical_interaction: net.tsv\tedges with an id outside the gene list, left out\t1",
        "physical_interaction: net.tsv\tids outside the gene list\t1 (Q7)",
        "screen: s.tsv\trows with an unknown gene, left out\t1",
        "screen: s.tsv\tunknown genes\t1 (Q8)",
    ]
    printed = done.out.splitlines()
    assert [line for line in lines if line not in printed] == []
    info = cli("info", tmp_path / "cell.h5").out.splitlines()
    assert [line for line in lines if line not in info] == []
    assert (
        "genes\tadded from the metabolic model\t0" in printed and "genes\tadded from the metabolic model\t0" not in info
    )
    document = json.loads(cli("info", tmp_path / "cell.h5", "--json").out)
    assert document["report"]["physical_interaction"]["files"][0]["ids outside the gene list, for example"] == "Q7"
    assert document["screen"]["sources"][0]["report"]["unknown genes, for example"] == "Q8"


def test_an_empty_network_and_screen_are_accepted_on_request(cli, tmp_path: Path) -> None:
    (tmp_path / "genes.txt").write_text("a\nb\n")
    (tmp_path / "net.tsv").write_text("q\tr\n")
    (tmp_path / "s.tsv").write_text("genes\tfitness\nq\t1\n")
    files = ("--genes", tmp_path / "genes.txt", "--physical", tmp_path / "net.tsv", "--screen", tmp_path / "s.tsv")
    refused = cli("preprocess", *files, "--out", tmp_path / "cell.h5")
    assert refused.code == 1 and "net.tsv: no edge of 1" in refused.err and not (tmp_path / "cell.h5").exists()
    done = cli("preprocess", *files, "--allow-empty", "--out", tmp_path / "cell.h5")
    warned = [line for line in done.err.splitlines() if "warning" in line]
    assert done.code == 0 and len(warned) == 2 and "net.tsv: no edge of 1" in warned[0] and "s.tsv: no row" in warned[1]
    assert json.loads(cli("info", tmp_path / "cell.h5", "--json").out)["screen"]["rows"] == 0
    trained = cli("train", tmp_path / "cell.h5", "--out", tmp_path / "run")
    assert trained.code == 1 and "no row with fitness" in trained.err


def test_an_ambiguous_name_in_a_table_to_predict_is_told_with_its_line(cli, trained: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.tsv"
    table.write_text("genes\tnote\nb0008\tx\nb0008;b0114 (b0115)\ty\n")
    done = cli("predict", trained, table, "--out", tmp_path / "p.tsv")
    assert done.code == 1 and f"{table}:3: gene name 'b0114 (b0115)' is ambiguous: b0114, b0115" in done.err
    assert not (tmp_path / "p.tsv").exists()


def test_info_of_a_graph_with_any_name(cli, core: Path, tmp_path: Path) -> None:
    (tmp_path / "graph").write_bytes(core.read_bytes())
    assert json.loads(cli("info", tmp_path / "graph", "--json").out)["nodes"]["gene"] == 137


def test_info_of_a_screen_table(cli, tmp_path: Path) -> None:
    (tmp_path / "s.tsv").write_text("genes\tfitness\na;b\t0.5\nb;a\t\n\t1\n")
    document = json.loads(cli("info", tmp_path / "s.tsv", "--json").out)
    assert (document["rows"], document["genotypes"], document["labels"]["fitness"]) == (3, 2, 2)
    names = [line.split("\t")[0] for line in cli("info", tmp_path / "s.tsv").out.splitlines()]
    assert len(names) == len(set(names))


def test_preprocess_is_repeatable_and_takes_several_files(cli, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("b0008\tb0114\nb0114\tb0115\n")
    (tmp_path / "b.tsv").write_text("b0115\tb0116\nb0114\tb0008\n")
    (tmp_path / "r.tsv").write_text("b0008\tb0114\t-1\n")
    (tmp_path / "d.tsv").write_text("b0008\tb0114\n")
    found = []
    for files in (("a.tsv", "b.tsv"), ("b.tsv", "a.tsv")):
        paths = [tmp_path / f for f in files]
        done = cli(
            *("preprocess", "--model", "textbook", "--physical", *paths, "--regulatory", tmp_path / "r.tsv"),
            *(
                "--relation",
                f"close={tmp_path / 'a.tsv'}",
                tmp_path / "b.tsv",
                "--relation",
                f"above:directed={tmp_path / 'd.tsv'}",
            ),
            *("--out", tmp_path / "cell.h5", "--overwrite", "--json"),
        )
        assert done.code == 0, done.err
        found.append(json.loads(done.out))
    assert found[0]["fingerprints"] == found[1]["fingerprints"]
    assert found[0]["pairs"] == {
        "physical_interaction": 3,
        "regulatory_interaction": 1,
        "above": 1,
        "close": 3,
    }
    assert found[0]["edges"]["physical_interaction"] == 2 * 3 + 137
    assert found[0]["edges"]["above"] == 1 + 137


def test_what_a_relation_is_called_decides_nothing(cli, tmp_path: Path) -> None:
    genes = {"b0008": ("1", "100", "alpha"), "b0114": ("51", "150", "alpha"), "b0115": ("400", "500", "beta")}
    rows = [f"c\tS\tgene\t{a}\t{b}\t.\t+\t.\tID={g};Note={note} strand" for g, (a, b, note) in genes.items()]
    (tmp_path / "genes.gff").write_text("\n".join(["##gff-version 3", *rows]) + "\n")
    (tmp_path / "pairs.tsv").write_text("b0008\tb0115\n")
    options = ("preprocess", "--model", "textbook", "--out", tmp_path / "cell.h5", "--overwrite", "--json")
    documents = [
        json.loads(cli(*options, *more).out)
        for more in (
            ("--description", tmp_path / "genes.gff", "--overlap", tmp_path / "genes.gff"),
            ("--relation", f"overlap={tmp_path / 'pairs.tsv'}", "--relation", f"description={tmp_path / 'pairs.tsv'}"),
        )
    ]
    assert [document["pairs"]["overlap"] for document in documents] == [1, 1]
    assert [document["pairs"]["description"] for document in documents] == [1, 1]
    edges = []
    for document in documents:
        edges.append({name: document["report"][name]["files"][0]["layout"] for name in ("overlap", "description")})
    assert edges == [
        {"overlap": "overlaps of genes", "description": "gene descriptions"},
        {"overlap": "two columns", "description": "two columns"},
    ]


def test_results_go_to_stdout_and_progress_to_stderr(cli, tmp_path: Path) -> None:
    done = cli("preprocess", "--model", "textbook", "--out", tmp_path / "cell.h5")
    assert "gene nodes\t137" in done.out and "reading" not in done.out
    assert "reading the metabolic model" in done.err
    source, *rows = [line.split("\t") for line in done.out.split("\ncell graph")[0].splitlines()[1:]]
    assert source == ["source", "item", "count"]
    assert len({(row[0], row[1]) for row in rows}) == len(rows) and not any(row[0] == row[1] for row in rows)
    quiet = cli("preprocess", "--model", "textbook", "--out", tmp_path / "cell.h5", "--overwrite", "-q")
    assert quiet.err == ""


def test_simulate_writes_the_packaged_table(cli, tmp_path: Path) -> None:
    """The package data is what our own command makes."""
    import dglcell.data

    done = cli("simulate", "--model", "textbook", "--out", tmp_path / "fba.tsv.gz")
    assert done.code == 0, done.err
    packaged = Path(dglcell.data.__file__).with_name("ecoli_core_fba.tsv.gz")
    assert (tmp_path / "fba.tsv.gz").read_bytes() == packaged.read_bytes()


def test_train_evaluate_predict(cli, core: Path, trained: Path, tmp_path: Path) -> None:
    assert {p.name for p in trained.iterdir()} == {
        *("config.toml", "cell.h5", "model.safetensors", "resume.pt", "metrics.jsonl", "plots", "split.safetensors")
    }
    assert len((trained / "metrics.jsonl").read_text().splitlines()) == 2
    assert {p.name for p in (trained / "plots").glob("*.png")} >= {"training.png"}
    report = json.loads(cli("evaluate", trained, "--baselines", "quick", "--json").out)
    assert list(report) == ["test", "baselines"] and list(report["baselines"]) == ["mean", "query-mean", "gene-ridge"]
    assert set(report["test"]["all"]["fitness"]) == {"pearson", "spearman", "mse", "mae", "n"}
    assert report["test"]["all"]["gene_interaction"]["n"] == 30
    table = tmp_path / "t.tsv"
    table.write_text("name\tgenes\tnote\nx\tb0008;b0114\t\ny\tB0008\tlow\nz\t\twild\nw\tb0114;b0008;b0114\t\n")
    done = cli("predict", trained, table, "--out", tmp_path / "p.csv")
    assert done.code == 0, done.err
    rows = list(csv.DictReader((tmp_path / "p.csv").open()))
    assert [r["name"] for r in rows] == ["x", "y", "z", "w"] and rows[1]["note"] == "low"
    assert rows[0]["pred_gene_interaction"] == rows[3]["pred_gene_interaction"] != ""
    assert rows[1]["pred_gene_interaction"] == rows[2]["pred_gene_interaction"] == ""
    assert all(math.isfinite(float(r["pred_fitness"])) for r in rows)


def test_an_ensemble_predicts_with_its_standard_deviation(cli, core: Path, tmp_path: Path) -> None:
    small = ("--hidden", "8", "--layers", "1", "--epochs", "1")
    done = cli("train", core, *small, "--ensemble", "2", "--out", tmp_path / "run")
    assert done.code == 0, done.err
    assert "model 2 of 2, training on" in done.err and done.out.splitlines()[0] == "run\tmodel 1\tmodel 2"
    assert json.loads(cli("info", tmp_path / "run", "--json").out)["models"] == 2
    (tmp_path / "t.tsv").write_text("genes\nb0008;b0114\nb0008\n")
    assert cli("predict", tmp_path / "run", tmp_path / "t.tsv", "--out", tmp_path / "p.csv").code == 0
    pair, single = csv.DictReader((tmp_path / "p.csv").open())
    assert float(pair["pred_gene_interaction_sd"]) > 0 and float(single["pred_fitness_sd"]) > 0
    assert single["pred_gene_interaction_sd"] == ""


def test_a_run_that_was_moved_is_evaluated_with_the_cell_file_that_is_named(
    cli, core: Path, trained: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(trained, tmp_path / "deep" / "er" / "moved")
    alone = cli("evaluate", run, "--baselines", "none")
    assert alone.code == 1 and alone.err.endswith("give the file that holds it as --cell\n")
    named = cli("evaluate", run, "--baselines", "none", "--cell", core, "--json")
    assert json.loads(named.out) == json.loads(cli("evaluate", trained, "--baselines", "none", "--json").out)


def test_evaluate_goes_on_without_a_baseline_that_fails(cli, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dglcell.baselines import GeneRidge

    def fail(*args: object) -> None:
        raise MemoryError("60 GiB")

    monkeypatch.setattr(GeneRidge, "fit", fail)
    done = cli("evaluate", trained, "--subset", "val", "--baselines", "quick")
    assert done.code == 0
    assert "dglcell: warning: the baseline gene-ridge failed" in done.err
    assert done.out.splitlines()[-1] == "gene-ridge\tfailed\tMemoryError: 60 GiB\t-\t-\t-\t-\t-"


def test_evaluate_says_writes_and_draws_its_report(cli, trained: Path) -> None:
    done = cli("evaluate", trained, "--subset", "val", "--baselines", "gene-ridge")
    assert done.code == 0, done.err
    title, header, *rows = done.out.splitlines()
    assert title == f"# val: {trained}" and header.split("\t")[:4] == ["model", "rows", "label", "n"]
    assert [row.split("\t")[0] for row in rows[:2]] == ["dglcell", "gene-ridge"]
    assert "fitting baseline 1 of 1, gene-ridge" in done.err and "gene-ridge took" in done.err
    document = json.loads((trained / "evaluation" / "val.json").read_text())
    again = cli("evaluate", trained, "--subset", "val", "--baselines", "gene-ridge", "--json")
    assert json.loads(again.out) == document
    table = list(csv.DictReader((trained / "evaluation" / "val.tsv").open(), delimiter="\t"))
    assert len(table) == len(rows) and float(table[0]["pearson"]) == document["val"]["all"]["fitness"]["pearson"]
    for name in ("val_fitness", "val_gene_interaction", "val_baselines", "val_by_order"):
        assert (trained / "plots" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert f"wrote {trained / 'plots' / name}.png" in done.err
    wrong = cli("evaluate", trained, "--baselines", "mean,forest")
    assert wrong.code == 2 and "forest" in wrong.err and "spectral-trees" in wrong.err


def test_unknown_genes_have_no_prediction(cli, trained: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.tsv"
    table.write_text("gene_1,gene_2\nb0008,b0114\nb0008,nobody\n")
    done = cli("predict", trained, table, "--out", tmp_path / "p.tsv", "--json")
    document = json.loads(done.out)
    assert (document["predicted"], document["skipped"], document["unknown_genes"]) == (1, 1, {"nobody": 1})
    assert (tmp_path / "p.tsv").read_text().splitlines()[2] == "b0008\tnobody\t\t"
    assert (
        f"warning: {table}: genes that the cell lacks: 'nobody' in 1 of 2 genotypes; in the cell: b0008, " in done.err
    )


def test_settings_defaults_then_file_then_flags(cli, core: Path, tmp_path: Path) -> None:
    import tomllib

    (tmp_path / "run.toml").write_text("hidden = 8\nlayers = 1\nepochs = 1\n")
    done = cli("train", core, "--config", tmp_path / "run.toml", "--layers", "2", "--out", tmp_path / "r", "-q")
    assert done.code == 0, done.err
    written = tomllib.loads((tmp_path / "r" / "config.toml").read_text())
    assert (written["hidden"], written["layers"], written["heads"]) == (8, 2, 2)
    again = cli("train", core, "--config", tmp_path / "r" / "config.toml", "--out", tmp_path / "r2", "-q")
    assert again.code == 0, again.err
    assert (tmp_path / "r2" / "config.toml").read_text() == (tmp_path / "r" / "config.toml").read_text()


def test_resume_from_the_command_line(cli, core: Path, tmp_path: Path) -> None:
    small = ("--hidden", "8", "--layers", "1")
    assert cli("train", core, *small, "--epochs", "1", "--out", tmp_path / "a", "-q").code == 0
    assert cli("train", core, *small, "--epochs", "2", "--out", tmp_path / "a", "--resume", "-q").code == 0
    assert cli("train", core, *small, "--epochs", "2", "--out", tmp_path / "b", "-q").code == 0
    parts = [
        [
            {k: v for k, v in json.loads(line).items() if "second" not in k}
            for line in (tmp_path / r / "metrics.jsonl").read_text().splitlines()
        ]
        for r in "ab"
    ]
    assert parts[0] == parts[1]


def test_piped_training_prints_plain_lines(cli, core: Path, tmp_path: Path) -> None:
    done = cli("train", core, "--hidden", "8", "--layers", "1", "--epochs", "1", "--out", tmp_path / "r")
    assert "epoch 1/1: data loss" in done.err and "genotypes/s" in done.err and "validation Pearson" in done.err
    assert "\x1b" not in done.err


def test_doctor(cli) -> None:
    document = json.loads(cli("doctor", "--json").out)
    assert document["dgl"]["loads"] and document["problems"] == []
    assert document["engine"]["cpu"]["picked"] in ("dgl", "torch", "fused") and document["engine"]["cpu"]["why"]
    assert document["fused"] == {"cpu": None, "cuda": document["fused"]["cuda"]}
    assert (document["engine"].get("cuda", {"picked": "torch"})["picked"] == "fused") == (
        document["fused"]["cuda"] is None
    )
    assert document["memory"]["cpu"] > 0


def test_ctrl_c_and_sigterm_have_their_own_exit_codes(core: Path, tmp_path: Path) -> None:
    endless = ("--hidden", "8", "--layers", "1", "--epochs", "1000000", "--patience", "1000000")

    def start(out: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "dglcell.cli", "train", str(core), *endless, "--out", str(out)],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            # Children of a test run in the background ignore Ctrl-C, as it does.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    codes = {130: signal.SIGINT, 143: signal.SIGTERM}
    started = {code: start(tmp_path / str(code)) for code in codes}
    for code, process in started.items():
        out = tmp_path / str(code)
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("epoch 1/"):
                break
        process.send_signal(codes[code])
        assert process.wait(timeout=600) == code
        assert (out / "model.safetensors").is_file()
        assert not list(out.rglob("*.tmp"))


def test_rules_for_screens(cli, core: Path, tmp_path: Path) -> None:
    """What was merged and dropped is printed, stored, and read again in the same way when a run is evaluated."""
    screen = tmp_path / "screen.tsv"
    rows = ["genes\tfitness\tgene_interaction\tgene_interaction_p_value"]
    genes = [f"b{n:04d}" for n in (8, 114, 115, 116, 118, 351, 356, 451, 474, 485, 720, 721, 722, 723)]
    for k, gene in enumerate(genes):
        rows.append(f"{gene}\t{0.5 + k / 40}\t\t")
        rows += [
            f"{a};{b}\t\t{(k + j) / 50 - 0.2}\t{0.01 * j}" for j in range(2) for a, b in [(gene, genes[k - 1 - j])]
        ]
    screen.write_text("\n".join([*rows, "b0008;b0114\t-0.2\t\t", "b0114;b0008\t0.1\t\t"]) + "\n")
    options = ["--replicates", "mean", "--max-p", "0.05", "--derive-fitness", "--clip-fitness"]
    done = cli(
        "preprocess", "--model", "textbook", "--screen", screen, *options, "--json", "--out", tmp_path / "cell.h5"
    )
    report = json.loads(done.out)["screen"]
    assert report["files"][0]["replicates merged into a mean"] == 2
    assert report["files"][0]["fitness derived from interaction"] == 28
    assert report["rule max_p"] == 0.05
    printed = cli("preprocess", "--model", "textbook", "--screen", screen, *options, "--out", tmp_path / "again.h5").out
    rules = [line.split("\t")[2] for line in printed.splitlines() if line.startswith("screen\trule\t")]
    assert sorted(rules) == [
        "missing fitness and interactions derived",
        "negative fitness set to 0",
        "p-value at most 0.05",
        "replicates averaged",
    ]
    info = json.loads(cli("info", tmp_path / "cell.h5", "--json").out)["screen"]
    assert info["sources"][0]["rules"]["replicates"] == "mean"
    assert info["sources"][0]["report"]["replicates merged into a mean"] == 2
    assert info["alleles"]["deletion"] == info["rows"] == report["rows"]
    short = ["--hidden", "8", "--layers", "1", "--epochs", "1"]
    assert cli("train", core, "--screen", screen, *options, *short, "--out", tmp_path / "run").code == 0
    assert cli("evaluate", tmp_path / "run", "--json").code == 0
    done = cli("train", tmp_path / "cell.h5", *options, *short, "--out", tmp_path / "other")
    assert done.code == 2 and "--replicates, --max-p, --clip-fitness, --derive-fitness without --screen" in done.err
    done = cli("preprocess", "--model", "textbook", "--max-p", "0.1", "--out", tmp_path / "c.h5")
    assert done.code == 2 and "--max-p without --screen" in done.err
    done = cli("preprocess", "--model", "textbook", "--screen", screen, "--max-p", "7", "--out", tmp_path / "c.h5")
    assert done.code == 2 and "--max-p 7" in done.err


def test_weight_by_sd_changes_what_is_learnt(cli, core: Path, tmp_path: Path) -> None:
    screen = tmp_path / "screen.tsv"
    genes = [f"b{n:04d}" for n in (8, 114, 115, 116, 118, 351, 356, 451, 474, 485, 720, 721, 722, 723)]
    rows = [f"{g}\t{0.5 + k / 40}\t{0.1 + k / 9}" for k, g in enumerate(genes)]
    screen.write_text("\n".join(["genes\tfitness\tfitness_std", *rows]) + "\n")
    short = ["--hidden", "8", "--layers", "1", "--epochs", "1", "--json"]
    losses = []
    for name, more in (("plain", []), ("weighted", ["--weight-by-sd"])):
        done = cli("train", core, "--screen", screen, *short, *more, "--out", tmp_path / name)
        assert done.code == 0, done.err
        losses.append(json.loads((tmp_path / name / "metrics.jsonl").read_text())["train"]["loss"])
    assert losses[0] != losses[1]
    done = cli("train", core, *short, "--weight-by-sd", "--out", tmp_path / "none")
    assert done.code == 2 and "no standard deviations" in done.err
