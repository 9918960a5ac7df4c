"""The scores in README and docs/results.md are those of the reports in data/results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dglcell import baselines, demo
from tests.docs.pages import ROOT

README, RESULTS = ROOT / "README.md", ROOT / "docs" / "results.md"
COSTANZO = ("costanzo2010_random", "costanzo2010_unseen_gene")


def report(name: str) -> Any:
    return json.loads((ROOT / "data" / "results" / f"{name}.json").read_text())


def pearson(scores: Any) -> str:
    return f"{scores['all']['gene_interaction']['pearson']:.3f}"


def rows(page: Path, start: str) -> list[str]:
    """The rows of tables that begin so."""
    return [line for line in page.read_text().splitlines() if line.startswith(f"| {start}")]


def row(page: Path, start: str) -> str:
    """The only one."""
    (only,) = rows(page, start)
    return only


def without_factorization_machine() -> list[Any]:
    return [report(f"{name}_without_factors")["report"] for name in COSTANZO]


def test_dglcell_on_costanzo_2010() -> None:
    scores = [report(name)["test_pearson"] for name in COSTANZO]
    cells = " | ".join(f"**{each['mean']:.3f}**, {each['sd']:.3f}" for each in scores)
    assert f"| **dglcell**, one model, mean and sd of three seeds | {cells} |" in rows(RESULTS, "**dglcell**")
    alone = " | ".join(pearson(each["test"]) for each in without_factorization_machine())
    assert row(RESULTS, "dglcell without the factorization machine").endswith(f"| {alone} |")
    assert pearson(without_factorization_machine()[0]["test"]) in README.read_text()


@pytest.mark.parametrize(
    "name", ["query-mean", "gene-ridge", "matrix-factorization", "embedding-mlp", "spectral-ridge"]
)
def test_baselines_on_costanzo_2010(name: str) -> None:
    cells = " | ".join(pearson(each["baselines"][name]) for each in without_factorization_machine())
    assert any(line.endswith(f"| {cells} |") for line in rows(RESULTS, f"`{name}`"))


def test_rows_of_the_demo_are_named_as_it_prints_them() -> None:
    section = RESULTS.read_text().split("\n## Demo")[1].split("\n## ")[0]
    table = section.split("| Pearson on 1,863 held-out pairs")[1].split("\n\n")[0].splitlines()[2:]
    assert tuple(line.split("|")[1].strip(" `*") for line in table) == demo.ROWS


@pytest.mark.parametrize("name", sorted({*baselines.NAMES} - {"mean", "lost-reactions-mlp"}))
def test_baselines_on_the_rows_of_the_recipe(name: str) -> None:
    scores = report("costanzo2010_random_baselines")["report"]["baselines"][name]
    assert row(RESULTS, f"`{name}`, same rows") == f"| `{name}`, same rows | {pearson(scores)} |"


def test_dna_repair() -> None:
    measured = report("go_0006281")
    score = measured["test_pearson"]
    assert f"| **{score['mean']:.3f}**, {score['sd']:.3f} |" in RESULTS.read_text()
    for name in set(baselines.NAMES) - {"mean", "lost-reactions-mlp"}:
        assert f"| `{name}` | {pearson(measured['baselines'][name])} |" in rows(RESULTS, f"`{name}`")


def test_fitness_of_single_deletions() -> None:
    measured = report("single_mutant_fitness")["test_pearson"]
    folds = ", ".join(f"{fold:.3f}" for fold in measured["folds"])
    assert row(RESULTS, "**the recipe**").endswith(f"| **{measured['mean']:.3f}** | {folds} |")


def test_the_readme_has_the_scores_of_the_results() -> None:
    _, second = without_factorization_machine()
    same = report("costanzo2010_random_baselines")["report"]["baselines"]
    repair, fitness = report("go_0006281"), report("single_mutant_fitness")["test_pearson"]
    for start, score, best in (
        ("Costanzo 2010: interaction", report(COSTANZO[0])["test_pearson"], same["matrix-factorization"]),
        ("Costanzo 2010: pairs", report(COSTANZO[1])["test_pearson"], second["baselines"]["query-mean"]),
        ("DCell's DNA repair pairs", repair["test_pearson"], repair["baselines"]["matrix-factorization"]),
    ):
        assert f"**{score['mean']:.3f}** | {pearson(best)}," in row(README, start)
    assert f"**{fitness['mean']:.3f}**" in row(README, "Costanzo 2016")


def test_the_best_baseline_is_the_best() -> None:
    _, second = (each["baselines"] for each in without_factorization_machine())
    first = report("costanzo2010_random_baselines")["report"]["baselines"]
    repair = report("go_0006281")["baselines"]
    for scores, best in (
        (first, "matrix-factorization"),
        (second, "query-mean"),
        (repair, "matrix-factorization"),
    ):
        known = {name: each["all"]["gene_interaction"]["pearson"] for name, each in scores.items()}
        assert max((name for name in known if known[name] is not None), key=lambda name: known[name]) == best


def test_plots_are_small() -> None:
    for picture in (ROOT / "docs" / "images").glob("*.png"):
        assert picture.stat().st_size < 150_000, picture.name
