"""The demo: its example is what it says, and a short run leaves everything that the final table names."""

from __future__ import annotations

import csv
import dataclasses
import multiprocessing

import numpy as np
import pytest
import torch

from dglcell import demo, schema
from dglcell.engines.device import one_thread
from dglcell.errors import RunError, UsageError
from dglcell.evaluation.evaluate import evaluate
from dglcell.genotypes.splits.make import make_split
from dglcell.inference.run import load_run
from dglcell.training.loop import train

SHORT = dataclasses.replace(demo.CONFIG, epochs=1, max_steps=2, layers=1, hidden=8, ensemble=1)


@pytest.fixture(scope="module")
def example():
    return demo.example()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    said, shares = [], []
    out = tmp_path_factory.mktemp("demo") / "new"
    names = ("mean", "gene-ridge")  # two quick baselines stand for all
    result = demo.run(out, lambda *share: shares.append(share), say=said.append, config=SHORT, names=names)
    return result, said, shares


def test_example_is_the_core_model_with_its_screen(example):
    cell, table = example
    assert cell.num_nodes(schema.GENE) == 137 and len(cell.group_names) == 95 and cell.can_grow
    assert cell.relations[schema.PHYSICAL].num_pairs == 163
    assert cell.relations[schema.REGULATORY].num_pairs == 0
    assert (table.orders == 1).sum() == 137 and (table.orders == 2).sum() == 9316
    assert np.isfinite(table.targets[table.orders == 2]).all()


def test_result_names_what_is_there(finished):
    result, said, _ = finished
    assert [row.model for row in result.rows] == [
        "mean",
        "gene-ridge",
        demo.ABLATION,
        demo.MODEL,
    ]
    assert (*demo.BASELINES, demo.ABLATION, demo.MODEL) == demo.ROWS
    assert result.pairs == 1863
    assert sorted(line for line in said if line.endswith(("trained", "fitted"))) == [
        "2 baselines fitted",
        "model 1 of 1 trained",
        "model without lost reactions trained",
    ]
    assert [line.split()[0] for line in (*said[:2], said[-1])] == ["building", "training", "evaluating"]
    assert {path.name for path in result.plots} == {
        "training.png",
        "test_baselines.png",
        "test_by_order.png",
        *(f"{part}_{label}.png" for part in ("test", "validation") for label in schema.LABELS),
    }
    assert all(path.is_file() for path in (result.cell, result.predictions, *result.plots))
    full, ablation = load_run(result.run), load_run(result.ablation)
    assert full.config.lost_reactions and full.config.structural_lethality
    assert not ablation.config.lost_reactions and not ablation.config.structural_lethality
    for run in (full, ablation):
        moments = run.scaler.pooled[schema.FITNESS], run.scaler.by_order[2]
        assert run.models[0].readout.null_model.scale.flatten().tolist() == pytest.approx(
            [x for m in moments for x in (m.mean, m.sd)]
        )


def test_the_share_of_the_time_only_grows(finished):
    _, _, shares = finished
    values = [share for share, _ in shares]
    assert values == sorted(values) and values[0] == 0 and values[-1] == 1
    assert sum(demo.STAGES.values()) == pytest.approx(1)
    stages = [stage for _, stage in shares]
    assert "training, epoch 1 of 1, model 1 of 1" in stages and stages[-2:] == ["evaluating", "done"]


def test_rows_are_those_of_evaluate(finished):
    result, _, _ = finished
    found = evaluate(load_run(result.run))  # finds the screen in the demo's cell file
    row = result.rows[-1]
    for label in schema.LABELS:
        assert getattr(row, label) == pytest.approx(found["test"]["order_2"][label]["pearson"], abs=1e-6)


def test_predictions_are_of_the_held_out_genotypes(finished, example):
    result, _, _ = finished
    with open(result.predictions, newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    assert list(rows[0]) == ["genes", *schema.LABELS, "pred_fitness", "pred_gene_interaction"]
    pairs = [row for row in rows if ";" in row["genes"]]
    assert (len(pairs), len(rows) - len(pairs)) == (1863, 27)
    assert all(row["pred_gene_interaction"] == "" for row in rows if ";" not in row["genes"])
    assert all(row["pred_gene_interaction"] and row["gene_interaction"] for row in pairs)


def test_an_earlier_demo_is_kept(finished):
    result, _, _ = finished
    with pytest.raises(UsageError, match="exists"):
        demo.run(result.out, config=SHORT)


def test_the_callers_threads_are_left_alone(tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        (tmp_path / "cell.h5").write_text("an earlier demo")
        with pytest.raises(UsageError, match="exists"):
            demo.run(tmp_path)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_failure_of_the_second_process_is_told(tmp_path):
    (tmp_path / "ablation").write_text("in the way")
    with pytest.raises(RunError, match=r"second process, .* failed: UsageError: .*ablation.* is a file"):
        demo.run(tmp_path, config=SHORT, names=("mean",))


def test_the_second_process_ends_with_the_first(tmp_path):
    def stop(share, stage):
        if stage.startswith("training"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.run(tmp_path, stop, config=SHORT, names=("mean",))
    assert not multiprocessing.active_children()


def test_the_processes_share_an_ensemble(tmp_path, example):
    """Its models are those that one process trains."""
    cell, table = example
    config = dataclasses.replace(SHORT, ensemble=3)
    said: list[str] = []
    result = demo.run(tmp_path / "demo", say=said.append, config=config, names=("mean",))
    assert {f"model {k} of 3 trained" for k in (1, 2, 3)} < {*said}
    split = make_split(table, config.split, 0, config.test_fraction, config.val_fraction)
    with one_thread():
        train(cell, table, split, config, tmp_path / "run", screen_file=result.cell)
    shared, alone = load_run(result.run), load_run(tmp_path / "run")
    assert len(shared.models) == len(alone.models) == 3 and len(load_run(result.ablation).models) == 1
    for mine, other in zip(shared.models, alone.models, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), other.parameters(), strict=True))
