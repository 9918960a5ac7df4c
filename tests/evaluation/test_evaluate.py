"""Evaluation: the layout of its result, its rows, its baselines, and the screen it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dglcell import baselines, schema
from dglcell.errors import DataError, FingerprintError, RunError, UsageError
from dglcell.evaluation import report
from dglcell.evaluation.evaluate import evaluate
from dglcell.evaluation.run_screen import run_screen
from dglcell.genotypes.splits.make import make_split
from dglcell.genotypes.table import GenotypeTable
from dglcell.inference.run import Run, load_run
from dglcell.io import cell_file
from dglcell.training.loop import train
from dglcell.training.metrics import by_order, compare
from tests.cells import tiny_cell
from tests.records import table_of
from tests.runs import tiny_config, tiny_table


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A cell file with a screen, the same screen as a text table, and a run on the first."""
    folder = tmp_path_factory.mktemp("evaluate")
    cell = tiny_cell()
    table = tiny_table(cell)
    cell_file.save(cell, folder / "cell.h5", table)
    write_screen(folder / "screen.tsv", table)
    split = make_split(table, "random", 0, 0.2, 0.2)
    train(cell, table, split, tiny_config(epochs=1), folder / "run", screen_file=folder / "cell.h5")
    return folder / "cell.h5", folder / "screen.tsv", folder / "run"


@pytest.fixture
def run(made: tuple[Path, Path, Path]) -> Run:
    return load_run(made[2])


def write_screen(path: Path, table: GenotypeTable, extra: str = "") -> None:
    cell = tiny_cell()
    lines = ["genes\tfitness\tgene_interaction"]
    for i in range(len(table)):
        genes = ";".join(cell.ids[schema.GENE][g] for g in table.genes[table.ptr[i] : table.ptr[i + 1]])
        values = ["" if np.isnan(v) else repr(float(v)) for v in table.labels[i, [0, 2]]]
        lines.append("\t".join([genes, *values]))
    path.write_text("\n".join(lines) + "\n" + extra)


def test_the_result_has_the_documented_layout(run: Run) -> None:
    result = evaluate(run)
    json.dumps(result, allow_nan=False)
    assert list(result) == ["test", "baselines"]
    table, split = run_screen(run)
    orders = np.unique(table.orders[split.rows("test")])
    assert list(result["test"]) == ["all", *(f"order_{k}" for k in orders)]
    assert set(result["test"]["all"]) == {"fitness", "gene_interaction"}
    assert set(result["test"]["all"]["fitness"]) == {"pearson", "spearman", "mse", "mae", "n"}
    assert result["test"]["order_1"]["gene_interaction"] == {
        "pearson": None,
        "spearman": None,
        "mse": None,
        "mae": None,
        "n": 0,
    }
    assert list(result["baselines"]) == list(baselines.QUICK)
    for baseline in result["baselines"].values():
        assert {k: v["fitness"]["n"] for k, v in baseline.items()} == {
            k: v["fitness"]["n"] for k, v in result["test"].items()
        }


def test_metrics_are_those_of_the_rows_of_the_part(run: Run) -> None:
    table, split = run_screen(run)
    for part in ("test", "val", "train"):
        rows = split.rows(part)
        rows = rows[table.usable()[rows]]  # the batch that evaluate scores, so that rounding is the same
        scored = table.take(rows)
        predicted = run.predict_rows(scored.genes, scored.ptr)
        assert evaluate(run, part, names=())[part]["all"]["fitness"] == pytest.approx(
            compare(predicted[:, 0], table.targets[rows, 0])
        )


def test_baselines_learn_from_the_training_rows_alone(run: Run) -> None:
    table, split = run_screen(run)
    mean = baselines.make("mean").fit(run.cell, table, split.rows("train"))
    scored = table.take(split.rows("test"))
    expected = by_order(mean.predict(scored), scored.targets, scored.orders)
    assert evaluate(run, names=("mean",))["baselines"] == {"mean": expected}


def sets_of(table: GenotypeTable, rows: np.ndarray) -> list[frozenset[int]]:
    return [frozenset(table.genes[table.ptr[i] : table.ptr[i + 1]].tolist()) for i in rows]


def test_another_screen_is_scored_whole_and_named_so(run: Run, tmp_path: Path) -> None:
    write_screen(tmp_path / "new.tsv", tiny_table(run.cell, rows=30, seed=5), extra="G001;stranger\t1\t0\n")
    result = evaluate(run, screen=[tmp_path / "new.tsv"])
    assert list(result) == ["screen", "baselines"]
    table, _ = table_of(run.cell, [tmp_path / "new.tsv"], unknown="skip")
    own, split = run_screen(run)
    seen = set(sets_of(own, np.flatnonzero(split.subset < 2)))
    new = np.array([genes not in seen for genes in sets_of(table, np.arange(len(table)))])
    assert 0 < new.sum() < len(table)
    assert result["screen"]["all"]["fitness"]["n"] == np.isfinite(table.targets[new, 0]).sum()


def test_another_screen_of_other_genes_is_refused_unless_they_are_skipped(run: Run, tmp_path: Path) -> None:
    strangers = "".join(f"G001;stranger{k}\t1\t0\n" for k in range(4))
    write_screen(tmp_path / "new.tsv", tiny_table(run.cell, rows=30, seed=5), extra=strangers)
    with pytest.raises(
        DataError, match=r"new.tsv:32: 4 of 33 rows name a gene that the cell lacks .*unknown_genes=.skip"
    ):
        evaluate(run, screen=[tmp_path / "new.tsv"], names=())
    lines: list[str] = []
    with pytest.warns(UserWarning, match="new.tsv: 4 of 33 rows are left out"):
        result = evaluate(run, screen=[tmp_path / "new.tsv"], names=(), unknown_genes="skip", say=lines.append)
    assert result["screen"]["all"]["fitness"]["n"]
    assert "new.tsv: unknown genes: 4 (stranger0, stranger1, stranger2, stranger3)" in lines


def test_a_changed_screen_is_refused(run: Run) -> None:
    table, _ = run_screen(run)
    other = tiny_table(run.cell, seed=9)
    with pytest.raises(FingerprintError) as caught:
        evaluate(run, table=other)
    assert table.fingerprint in str(caught.value) and other.fingerprint in str(caught.value)


def test_what_cannot_be_evaluated_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="subset all"):
        evaluate(run, "all")
    (tmp_path / "empty.tsv").write_text("genes\tfitness\nG001\t\n")
    with pytest.raises(DataError):
        evaluate(run, screen=[tmp_path / "empty.tsv"])


def test_plots_are_drawn_where_asked(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr("dglcell.plots.figures.predicted_against_measured", lambda *args: drawn.append(args[3:]))
    result = evaluate(run, "val", names=(), draw=tmp_path / "plots")
    assert [d[0].name for d in drawn] == ["val_fitness.png", "val_gene_interaction.png"]
    assert drawn[0][2] == result["val"]["all"]["fitness"]["pearson"]
    assert {p.name for p in (tmp_path / "plots").iterdir()} == {"val_baselines.png", "val_by_order.png"}


def test_baselines_by_a_word_or_by_name_and_what_is_said_of_them(run: Run) -> None:
    said: list[str] = []
    assert list(evaluate(run, names="gene-ridge, mean", say=said.append)["baselines"]) == ["gene-ridge", "mean"]
    assert [line.split()[0] for line in said] == ["scoring", "fitting", "gene-ridge", "fitting", "mean"]
    assert "baseline 2 of 2, mean, to 88 training rows" in said[3] and said[4].endswith(" s")
    assert evaluate(run, names="none")["baselines"] == {}
    with pytest.raises(UsageError, match="nobody"):
        evaluate(run, names="nobody")


def test_a_label_that_was_not_measured_has_no_plot(run: Run, tmp_path: Path) -> None:
    (tmp_path / "screen_gene_interaction.png").write_text("of another screen")
    (tmp_path / "new.tsv").write_text("genes\tfitness\nG001\t1\nG002\t0.5\nG003\t0.7\n")
    evaluate(run, screen=[tmp_path / "new.tsv"], names="quick", draw=tmp_path)
    assert {p.stem for p in tmp_path.glob("*.png")} == {"screen_fitness", "screen_baselines", "screen_by_order"}


def test_a_new_run_in_a_folder_takes_old_reports_away(tmp_path: Path) -> None:
    cell = tiny_cell()
    table = tiny_table(cell)
    split = make_split(table, "random", 0, 0.2, 0.2)
    for overwrite in (False, True):
        train(cell, table, split, tiny_config(epochs=1), tmp_path / "run", overwrite=overwrite)
        assert not list((tmp_path / "run").glob("evaluation/*"))
        (tmp_path / "run" / "evaluation").mkdir(exist_ok=True)
        (tmp_path / "run" / "evaluation" / "test.tsv").write_text("of the old model")


def test_genotypes_that_the_run_has_seen_are_left_out_of_another_screen(
    made: tuple[Path, Path, Path], run: Run, tmp_path: Path
) -> None:
    said: list[str] = []
    own = evaluate(run, "test", names=())["test"]
    again = evaluate(run, screen=[made[1]], names=(), say=said.append)["screen"]
    assert again["all"]["fitness"]["n"] == own["all"]["fitness"]["n"]
    assert again["all"]["fitness"]["pearson"] == pytest.approx(own["all"]["fitness"]["pearson"], abs=1e-5)
    assert any("rows are left out: the run was trained or validated" in line for line in said)
    assert any(line.startswith("screen.tsv: ") for line in said)


def test_a_resumed_run_forgets_its_evaluation(tmp_path: Path) -> None:
    from dglcell.evaluation.report import save

    cell = tiny_cell()
    table = tiny_table(cell)
    split = make_split(table, "random", 0, 0.2, 0.2)
    train(cell, table, split, tiny_config(epochs=1), tmp_path)
    loaded = load_run(tmp_path)
    save(evaluate(loaded, table=table, names=(), draw=loaded.folder.plots), tmp_path / "evaluation")
    train(cell, table, split, tiny_config(epochs=1), tmp_path, resume=True)  # nothing left to do
    assert (tmp_path / "evaluation" / "test.json").is_file()
    train(cell, table, split, tiny_config(epochs=2), tmp_path, resume=True)
    assert not list((tmp_path / "evaluation").iterdir())
    assert {path.name.split("_")[0] for path in (tmp_path / "plots").glob("*_*")} == {"validation"}


@pytest.mark.parametrize("error", [RunError("no\nroom"), np.linalg.LinAlgError("singular"), MemoryError()])
def test_a_baseline_that_fails_is_reported_and_the_rest_goes_on(
    run: Run, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise error

    whole = evaluate(run, names=("mean", "query-mean", "gene-ridge"))
    monkeypatch.setattr(baselines.QueryMean, "fit", fail)
    with pytest.warns(UserWarning, match="the baseline query-mean failed and is left out of the report: "):
        result = evaluate(run, names=("mean", "query-mean", "gene-ridge"), draw=tmp_path)
    reason = {RunError: "no room", np.linalg.LinAlgError: "LinAlgError: singular", MemoryError: "MemoryError"}
    assert result.pop(report.FAILED) == {"query-mean": reason[type(error)]}
    del whole["baselines"]["query-mean"]
    assert result == whole


def test_an_unknown_baseline_is_refused_before_any_is_fitted(run: Run) -> None:
    said: list[str] = []
    with pytest.raises(UsageError, match="nothing-like-it"):
        evaluate(run, names=("mean", "nothing-like-it"), say=said.append)
    assert not any("fitting" in line for line in said)
