"""A run: what it leaves on disk, that it repeats, resumes and stops as it should."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dglcell.config import TrainConfig, read_toml
from dglcell.errors import DataError, FingerprintError, RunError, UsageError
from dglcell.genotypes.splits.make import Split, make_split
from dglcell.inference.run import load_run
from dglcell.io import cell_file, checkpoint
from dglcell.io.run_folder import RunFolder
from dglcell.training import loop, loss_meter
from dglcell.training import state as states
from dglcell.training.loop import train
from dglcell.training.optim import LearningRates
from dglcell.training.progress import NullProgress
from dglcell.training.trainer import Trainer
from tests.cells import tiny_cell
from tests.runs import table_of, tiny_config, tiny_run, tiny_table

TIMES = ("seconds", "genotypes_per_second")


@pytest.fixture
def drawn() -> None:
    """Asked for by the test that looks at the plots; the others skip them."""


@pytest.fixture(autouse=True)
def plots_where_asked(request: pytest.FixtureRequest) -> None:
    if "drawn" not in request.fixturenames:
        request.getfixturevalue("no_plots")


def history(path: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in TIMES} for line in lines]


def weights(path: Path) -> dict[str, np.ndarray]:
    return checkpoint.read(path / "model.safetensors", checkpoint.MODEL)[0]


def same_run(a: Path, b: Path) -> bool:
    """Bit for bit: kept weights, last weights, optimiser, and all metrics but the times."""
    kept, other = weights(a), weights(b)
    last, other_last = (states.load(p / "resume.pt") for p in (a, b))
    return (
        all(np.array_equal(kept[name], other[name]) for name in kept)
        and all(torch.equal(last["model"][n], other_last["model"][n]) for n in last["model"])
        and all(
            torch.equal(s["exp_avg_sq"], other_last["optimizer"]["state"][k]["exp_avg_sq"])
            for k, s in last["optimizer"]["state"].items()
        )
        and history(a) == history(b)
    )


class Interrupting(NullProgress):
    """Ctrl-C when an epoch has been stored, or in the middle of one."""

    def __init__(self, after_epoch: int | None = None, at_step: tuple[int, int] | None = None) -> None:
        self.after_epoch, self.at_step = after_epoch, at_step

    def step(self, epoch: int, step: int, losses: Mapping[str, float], genotypes_per_second: float) -> None:
        if (epoch, step) == self.at_step:
            raise KeyboardInterrupt

    def epoch(self, record: Mapping[str, Any]) -> None:
        if record["epoch"] == self.after_epoch:
            raise KeyboardInterrupt


@pytest.mark.usefixtures("drawn")
def test_a_run_leaves_every_file_whole(tmp_path: Path) -> None:
    cell, table, split, summary = tiny_run(tmp_path / "run", epochs=2)
    folder = RunFolder(tmp_path / "run")
    found = sorted(p.relative_to(folder.path).as_posix() for p in folder.path.rglob("*") if p.is_file())
    assert found == [
        "cell.h5",
        "config.toml",
        "metrics.jsonl",
        "model.safetensors",
        "plots/training.png",
        "plots/validation_fitness.png",
        "plots/validation_gene_interaction.png",
        "resume.pt",
        "split.safetensors",
    ]
    assert TrainConfig.from_dict(read_toml(folder.config)) == tiny_config(epochs=2).for_cell(cell)
    assert cell_file.load(folder.cell).fingerprints == cell.fingerprints
    assert cell_file.load_screen(folder.cell) is None
    stored, screen = folder.read_split()
    assert stored.hash == split.hash and screen == table.fingerprint

    _, metadata = checkpoint.read(folder.model, checkpoint.MODEL)
    assert metadata["fingerprints"] == cell.fingerprints
    assert metadata["split"]["hash"] == split.hash
    assert metadata["config"] == tiny_config(epochs=2).for_cell(cell).to_dict()
    assert {"scaler", "screen", "seed", "versions", "orders"} <= set(metadata)
    records = history(folder.path)
    assert [r["epoch"] for r in records] == [1, 2]
    assert {"loss", "data_loss", "penalty", "mse"} <= set(records[0]["train"])
    assert records[0]["val"]["fitness"]["n"] == np.isfinite(table.targets[split.rows("val"), 0]).sum()
    assert (summary.reason, summary.epochs, summary.steps) == ("epochs", 2, records[-1]["step"])
    assert summary.validation == records[summary.best_epoch - 1]["val"]


def test_the_same_seed_gives_the_same_run_and_another_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        torch.manual_seed(len(name) + seed)  # what the caller did before has no influence
        tiny_run(tmp_path / name, seed=seed)
    assert same_run(tmp_path / "a", tmp_path / "b")
    assert not same_run(tmp_path / "a", tmp_path / "c")


def test_training_leaves_the_callers_random_numbers_alone(tmp_path: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    tiny_run(tmp_path / "run", epochs=1)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("variant", ["local", "both"])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, variant: str) -> None:
    changes = {"variant": variant, "lambda_dist": 0.1, "lambda_supcr": 0.1, "patience": 4}
    cell, table, split, _ = tiny_run(tmp_path / "whole", epochs=5, **changes)
    tiny_run(tmp_path / "parts", epochs=2, **changes)
    (summary,) = train(cell, table, split, tiny_config(epochs=5, **changes), tmp_path / "parts", resume=True)
    assert same_run(tmp_path / "whole", tmp_path / "parts")
    assert summary.epochs == len(history(tmp_path / "whole")) == 5
    assert read_toml(tmp_path / "parts" / "config.toml")["epochs"] == 5


@pytest.mark.parametrize(
    "changes", [{}, {"fm_rank": 4, "similarity": True, "ppr_topk": 6, "schedule": "cosine"}], ids=["plain", "factors"]
)
@pytest.mark.parametrize(
    ("when", "epochs_done"), [({"after_epoch": 2}, 2), ({"at_step": (2, 2)}, 1), ({"at_step": (1, 1)}, 0)]
)
def test_a_run_stopped_by_ctrl_c_can_be_resumed(
    tmp_path: Path, when: dict[str, Any], epochs_done: int, changes: dict[str, Any]
) -> None:
    cell, table, split, _ = tiny_run(tmp_path / "whole", epochs=3, **changes)
    config, path = tiny_config(epochs=3, **changes), tmp_path / "parts"
    with pytest.raises(KeyboardInterrupt):
        train(cell, table, split, config, path, progress=Interrupting(**when))
    assert states.load(path / "resume.pt")["position"]["epoch"] == epochs_done
    train(cell, table, split, config, path, resume=True)
    assert same_run(tmp_path / "whole", path)


def test_a_resumed_run_remembers_how_long_nothing_got_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = [0.5, 0.4, 0.3, 0.2, 0.1, 0.0]
    monkeypatch.setattr(Trainer, "validate", lambda s: ({"loss": 1.0}, scores[s.position.epoch]))
    cell, table, split, _ = tiny_run(tmp_path / "whole", epochs=6, patience=4, lr_patience=2)
    tiny_run(tmp_path / "parts", epochs=2, patience=4, lr_patience=2)
    train(cell, table, split, tiny_config(epochs=6, patience=4, lr_patience=2), tmp_path / "parts", resume=True)
    assert [r["lr"] for r in history(tmp_path / "whole")] == [1e-3] * 4 + [5e-4]  # after 3 worse ones; the end after 4
    assert same_run(tmp_path / "whole", tmp_path / "parts")


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    cell, table, split, first = tiny_run(tmp_path / "run")
    before = weights(tmp_path / "run")
    (again,) = train(cell, table, split, tiny_config(), tmp_path / "run", resume=True)
    assert (again.epochs, again.best_epoch, again.validation) == (first.epochs, first.best_epoch, first.validation)
    assert all(np.array_equal(before[n], a) for n, a in weights(tmp_path / "run").items())


def test_the_cosine_schedule_rises_and_falls_to_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[list[float]] = []
    step = LearningRates.before_step

    def noted(rates: LearningRates, done: int) -> None:
        step(rates, done)
        used.append([group["lr"] for group in rates._optimizer.param_groups])

    monkeypatch.setattr(LearningRates, "before_step", noted)
    rates = {"lr": 1e-3, "fm_lr": 4e-3, "fm_rank": 4}
    cell, table, split, _ = tiny_run(tmp_path / "run", epochs=10, schedule="cosine", patience=20, **rates)
    plain, factors = np.array(used).T
    np.testing.assert_allclose(factors, 4 * plain)
    assert plain[0] < 0.5e-3 < 0.9e-3 < plain.max() <= 1e-3
    assert (np.diff(plain[np.argmax(plain) :]) < 0).all()
    assert plain[-1] < 1e-5
    with pytest.raises(UsageError, match='the length differs, which schedule="cosine" depends on'):
        longer = tiny_config(epochs=11, schedule="cosine", patience=20, **rates)
        train(cell, table, split, longer, tmp_path / "run", resume=True)


def test_only_the_same_run_can_be_resumed(tmp_path: Path) -> None:
    cell, table, split, _ = tiny_run(tmp_path / "run")
    path = tmp_path / "run"
    with pytest.raises(UsageError, match=r"lr was 0.001 and is 0.5; seed was 0 and is 7"):
        train(cell, table, split, tiny_config(lr=0.5, seed=7), path, resume=True)
    with pytest.raises(UsageError, match="the split differs"):
        train(cell, table, make_split(table, "random", 5, 0.2, 0.2), tiny_config(), path, resume=True)
    labels = table.labels.copy()
    labels[split.rows("train")[0], 0] = 0.5
    other_screen = type(table).of(cell, table.genes, table.ptr, labels)
    with pytest.raises(UsageError, match=r"cannot go on: the screen differs - "):
        train(cell, other_screen, split, tiny_config(epochs=9), path, resume=True)
    other = tiny_cell(seed=1, features=3)
    with pytest.raises(FingerprintError, match=cell.fingerprints["content"]):
        train(other, tiny_table(other), split, tiny_config(), path, resume=True)
    with pytest.raises(UsageError, match="nothing to resume"):
        train(cell, table, split, tiny_config(), tmp_path / "absent", resume=True)
    assert not (tmp_path / "absent").exists()


def test_a_run_with_other_weights_cannot_be_resumed(tmp_path: Path) -> None:
    """As one that another version of dglcell began."""
    cell, table, split, _ = tiny_run(tmp_path / "run")
    path = RunFolder(tmp_path / "run").resume
    state = states.load(path)
    state["model"] = dict(list(state["model"].items())[1:])
    states.save(path, state)
    with pytest.raises(UsageError, match=r"run does not fit this dglcell \(.*Missing key.*\) - use the version"):
        train(cell, table, split, tiny_config(epochs=9), tmp_path / "run", resume=True)


def test_an_existing_run_is_refused_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell, table, split, _ = tiny_run(tmp_path / "run")
    monkeypatch.setattr("dglcell.training.loop.TrainingData", lambda *args: pytest.fail("the data were prepared"))
    with pytest.raises(UsageError, match="is not empty"):
        train(cell, table, split, tiny_config(), tmp_path / "run")


def test_an_existing_run_is_refused_and_overwrite_takes_away_only_its_files(tmp_path: Path) -> None:
    cell, table, split, _ = tiny_run(tmp_path / "run", seed=1)
    path, before = tmp_path / "run", weights(tmp_path / "run")
    (path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="overwrite=True"):
        train(cell, table, split, tiny_config(), path)
    assert all(np.array_equal(before[n], a) for n, a in weights(path).items())
    with pytest.raises(KeyboardInterrupt):
        train(cell, table, split, tiny_config(), path, progress=Interrupting(at_step=(1, 1)), overwrite=True)
    assert not (path / "model.safetensors").exists()
    assert (path / "notes.txt").read_text() == "mine"
    with pytest.raises(UsageError, match="contradict"):
        train(cell, table, split, tiny_config(), path, resume=True, overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        train(cell, table, split, tiny_config(), tmp_path / "file", overwrite=True)


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_good_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, table, split, _ = tiny_run(tmp_path / "good", epochs=1)
    epochs: list[int] = []
    shuffled = Trainer.shuffled_rows

    def poison(trainer: Trainer, epoch: int) -> Any:
        if epoch == 2:
            next(trainer.model.parameters()).data.fill_(float("nan"))
        epochs.append(epoch)
        return shuffled(trainer, epoch)

    monkeypatch.setattr(Trainer, "shuffled_rows", poison)
    with pytest.raises(RunError, match=r"loss is nan in epoch 2 .*weights of epoch 1 are kept"):
        train(cell, table, split, tiny_config(epochs=3), tmp_path / "bad")
    assert epochs == [1, 2]
    assert all(np.array_equal(weights(tmp_path / "good")[n], a) for n, a in weights(tmp_path / "bad").items())
    assert states.load(tmp_path / "bad" / "resume.pt")["position"]["epoch"] == 1


def test_a_gradient_that_is_not_finite_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *args: torch.tensor(float("inf")))
    with pytest.raises(RunError, match=r"gradient norm is inf in epoch 1 at step 1.*no epoch was finished"):
        tiny_run(tmp_path / "run")


def test_reading_the_losses_now_and_then_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_run(tmp_path / "each", batch_size=8)
    for every in (3, 1000):
        monkeypatch.setitem(loss_meter._EVERY, "cpu", every)
        tiny_run(tmp_path / str(every), batch_size=8)
        assert same_run(tmp_path / "each", tmp_path / str(every))


@pytest.mark.parametrize("what", ["loss", "gradient norm"])
def test_a_step_that_is_not_finite_leaves_the_weights_alone_until_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setitem(loss_meter._EVERY, "cpu", 4)
    sessions, weights_after, real = [], [], loop._step

    def spoilt(trainer: Trainer, losses: Any, batch: Any, labels: torch.Tensor, sample_weights: Any) -> None:
        sessions.append(trainer)
        if len(sessions) == 3 and what == "loss":
            labels = labels.fill_(float("inf"))
        with monkeypatch.context() as patch:
            if len(sessions) == 3 and what == "gradient norm":
                patch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *args: torch.tensor(float("inf")))
            real(trainer, losses, batch, labels, sample_weights)
        weights_after.append([p.detach().clone() for p in trainer.model.parameters()])

    monkeypatch.setattr(loop, "_step", spoilt)
    with pytest.raises(RunError, match=rf"the {what} is inf in epoch 1 at step 3: .*no epoch was finished"):
        tiny_run(tmp_path / "run", batch_size=8)
    assert len(weights_after) == 4 and len(sessions) == 5  # read at step 1, and four steps later
    for now, before in zip(sessions[0].model.parameters(), weights_after[1], strict=True):
        assert torch.equal(now, before) and now.isfinite().all()
    assert not all(map(torch.equal, weights_after[0], weights_after[1]))
    assert not RunFolder(tmp_path / "run").model.exists()


@pytest.mark.parametrize(("max_steps", "epochs"), [(1, 1), (2, 1), (3, 2)])
def test_max_steps_stops_within_an_epoch_and_still_validates(tmp_path: Path, max_steps: int, epochs: int) -> None:
    _, _, _, summary = tiny_run(tmp_path / "run", epochs=9, max_steps=max_steps, batch_size=40)
    assert (summary.reason, summary.steps, summary.epochs) == ("max_steps", max_steps, epochs)
    assert history(tmp_path / "run")[-1]["val"]["fitness"]["n"] > 0
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_training_stops_after_patience_and_keeps_the_best_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.1, 0.5, 0.4, 0.3, 0.2, 0.9])
    monkeypatch.setattr(Trainer, "validate", lambda trainer: ({"loss": 1.0}, next(scores)))
    _, _, _, summary = tiny_run(tmp_path / "run", epochs=9, patience=3, lr_patience=1)
    assert (summary.reason, summary.best_epoch, summary.epochs) == ("patience", 2, 5)
    lines = history(tmp_path / "run")
    assert [r["best"] for r in lines] == [True, True, False, False, False]
    assert lines[-1]["lr"] < lines[0]["lr"] == 1e-3
    best, last = weights(tmp_path / "run"), states.load(tmp_path / "run" / "resume.pt")["model"]
    assert not all(np.array_equal(best[n], last[n].numpy()) for n in best)


def test_keep_last_keeps_the_last_epoch_and_stops_nothing_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.9, 0.5, 0.4, 0.3, 0.2])
    monkeypatch.setattr(Trainer, "validate", lambda trainer: ({"loss": 1.0}, next(scores)))
    _, _, _, summary = tiny_run(tmp_path / "run", epochs=5, patience=2, lr_patience=1, keep="last")
    assert (summary.reason, summary.best_epoch, summary.epochs) == ("epochs", 5, 5)
    assert history(tmp_path / "run")[-1]["lr"] < 1e-3
    kept, last = weights(tmp_path / "run"), states.load(tmp_path / "run" / "resume.pt")["model"]
    assert all(np.array_equal(kept[n], last[n].numpy()) for n in kept)


def test_undefined_correlation_falls_back_to_the_loss(tmp_path: Path) -> None:
    cell = tiny_cell()
    one_value = table_of(cell, [(i,) for i in range(12)], np.repeat([0.5, 1.0], [8, 4]))
    split = Split(np.array([0] * 6 + [1] * 2 + [2] * 4, np.int8))  # the validation labels are all 0.5
    with pytest.warns(UserWarning, match="all 6 training values"):
        train(cell, one_value, split, tiny_config(), tmp_path / "run")
    for record in history(tmp_path / "run"):
        assert record["val"]["fitness"]["pearson"] is None
        assert record["score"] == pytest.approx(-1 - record["val"]["loss"])


def test_test_labels_have_no_influence(tmp_path: Path) -> None:
    cell, table, split, _ = tiny_run(tmp_path / "a")
    labels = table.labels.copy()
    labels[split.rows("test")] = 99.0
    changed = type(table).of(cell, table.genes, table.ptr, labels)
    train(cell, changed, split, tiny_config(), tmp_path / "b")
    assert same_run(tmp_path / "a", tmp_path / "b")


def test_genotypes_of_the_test_part_have_no_influence(tmp_path: Path) -> None:
    """Two screens that differ in their test rows alone, whose genes are in no other row: one model, bit for bit."""
    cell = tiny_cell(features=3)
    rng = np.random.default_rng(0)
    sets = [genes for k in (1, 2, 3) for genes in itertools.combinations(range(8), k)]
    learnt = [*(sets[k] for k in rng.permutation(len(sets))), *((8, other) for other in range(8))]  # 8: in validation
    fitness, interaction = rng.normal(size=(2, 110))
    split = Split(np.repeat([0, 1, 2], [80, 20, 10]).astype(np.int8))
    config = tiny_config(fm_rank=4, ppr_topk=5, lambda_dist=0.1)
    seen = np.unique(np.concatenate(learnt[:80]))
    for gene in (9, 10):
        table = table_of(cell, [*learnt, *[(gene, other) for other in range(9)], (gene,)], fitness, interaction)
        train(cell, table, split, config, tmp_path / str(gene))
        factors = load_run(tmp_path / str(gene)).models[0].fm
        assert factors is not None and np.flatnonzero(factors.seen.numpy()).tolist() == seen.tolist()
        assert 8 not in seen and gene not in seen
    assert same_run(tmp_path / "9", tmp_path / "10")


def test_dropout_is_on_in_training_and_off_in_validation(tmp_path: Path) -> None:
    """After one step that changes next to nothing, two runs differ by their dropout alone."""
    for dropout in (0.0, 0.5):
        tiny_run(tmp_path / str(dropout), dropout=dropout, max_steps=1, lr=1e-12)
    (without,), (with_dropout,) = history(tmp_path / "0.0"), history(tmp_path / "0.5")
    assert abs(with_dropout["train"]["mse"] - without["train"]["mse"]) > 1e-3
    assert with_dropout["val"]["loss"] == pytest.approx(without["val"]["loss"], rel=1e-6)


def test_validation_labels_choose_weights_and_teach_nothing(tmp_path: Path) -> None:
    """The last weights of a schedule that looks at no score."""
    changes = {"keep": "last", "schedule": "cosine", "fm_rank": 4, "ppr_topk": 5, "lambda_dist": 0.1}
    cell, table, split, _ = tiny_run(tmp_path / "a", **changes)
    labels = table.labels.copy()
    labels[split.rows("val"), 0] *= 3.0
    labels[split.rows("val"), 2] -= 1.0
    train(cell, type(table).of(cell, table.genes, table.ptr, labels), split, tiny_config(**changes), tmp_path / "b")
    a, b = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert load_run(tmp_path / "a").scaler == load_run(tmp_path / "b").scaler
    assert history(tmp_path / "a")[-1]["val"] != history(tmp_path / "b")[-1]["val"]


def test_what_cannot_be_trained_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    cell = tiny_cell()
    table = tiny_table(cell)
    split = make_split(table, "random", 0, 0.2, 0.2)
    path = tmp_path / "run"
    with pytest.raises(UsageError, match="heads 3"):
        train(cell, table, split, tiny_config(heads=3), path)
    with pytest.raises(UsageError, match='precision="bf16"'):
        train(cell, table, split, tiny_config(precision="bf16"), path)
    with pytest.raises(DataError, match=r"train subset .* no row with gene_interaction"):
        fitness_alone = table_of(cell, [(i,) for i in range(12)], np.arange(12.0))
        weights = {"fitness": 0.0, "gene_interaction": 1.0}
        train(cell, fitness_alone, Split(np.arange(12, dtype=np.int8) % 3), tiny_config(label_weights=weights), path)
    with pytest.raises(DataError, match="10 rows, the screen 120"):
        train(cell, table, Split(split.subset[:10]), tiny_config(), path)
    with pytest.raises(FingerprintError):
        train(tiny_cell(seed=2, genes=13), table, split, tiny_config(), path)
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match='device="cuda'):
            train(cell, table, split, tiny_config(device="cuda"), path)
    assert not path.exists()


def test_factors_that_need_more_memory_than_is_free_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dglcell.training.data.free_memory", lambda device: 1000)
    with pytest.raises(UsageError, match=r"fm_rank 4: .* 12 genes needs 0.0 GB .* - give fm_rank=0"):
        tiny_run(tmp_path / "run", fm_rank=4)
    monkeypatch.setattr("dglcell.training.data.free_memory", lambda device: 1200)
    tiny_run(tmp_path / "run", fm_rank=4)
