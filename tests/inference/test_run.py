"""A run on disk predicts what the model in memory did, refuses what is not its own, and says what it leaves out."""

from __future__ import annotations

import dataclasses
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import dglcell
from dglcell import schema
from dglcell.engines.device import one_thread
from dglcell.errors import DataError, DglcellWarning, FingerprintError, FormatError, UsageError
from dglcell.graph.cell import CellGraph
from dglcell.inference.run import load_run
from dglcell.io import cell_file, checkpoint
from dglcell.training import state
from dglcell.training.data import TrainingData
from dglcell.training.loop import train
from dglcell.training.trainer import Trainer, new_model
from tests.cells import random_genotypes, tiny_cell
from tests.runs import tiny_config, tiny_run, tiny_table


@pytest.fixture(scope="module")
def run_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "run"
    tiny_run(path, variant="both", epochs=1)
    return path


@pytest.fixture
def copy(run_path: Path, tmp_path: Path) -> Path:
    shutil.copytree(run_path, tmp_path / "run")
    return tmp_path / "run"


@one_thread()  # with two, about one pass in 150 differs from the others in the last bit of a number, loaded or not
@pytest.mark.parametrize("engine", ["torch", "fused"])
@pytest.mark.parametrize("variant", schema.VARIANTS)
def test_a_loaded_run_predicts_exactly_what_the_model_in_memory_did(
    tmp_path: Path, variant: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dglcell.training.loop._draw", lambda *args: None)
    settings = {"variant": variant, "epochs": 1, "gate": True, "attention": True, "engine": engine}
    settings["fm_rank"] = 4 if engine == "torch" else 0
    settings["similarity"] = engine == "torch"
    cell, table, split, _ = tiny_run(tmp_path / "run", **settings)
    trainer = Trainer(TrainingData(cell, table, split, tiny_config(**settings)))
    trainer.model.load_state_dict(state.load(tmp_path / "run" / "resume.pt")["model"])
    everything = np.arange(len(table))
    expected = trainer.data.scaler.inverse(trainer.predict_rows(everything), table.orders)

    run = load_run(tmp_path / "run", engine=engine)
    found = run.predict_rows(table.genes, table.ptr, trainer.config.batch_size)
    below = table.orders < 2
    assert np.array_equal(found[:, 0], expected[:, 0])
    assert np.array_equal(found[~below, 1], expected[~below, 1])
    assert np.isnan(found[below, 1]).all()


def test_predictions_come_as_a_table_in_the_order_given(run_path: Path) -> None:
    run = dglcell.load_run(run_path)
    frame = run.predict([["G003", "alpha"], [], ["g001"], ["G001", "G001"]])
    assert list(frame.columns) == ["genes", "pred_fitness", "pred_gene_interaction"]
    assert frame["genes"].tolist() == ["G000;G003", "", "G001", "G001"]
    assert np.isfinite(frame["pred_fitness"]).all()
    assert np.isfinite(frame["pred_gene_interaction"]).tolist() == [True, False, False, False]
    assert frame["pred_fitness"][2] == frame["pred_fitness"][3]
    assert frame.attrs == {"skipped": 0, "unknown_genes": {}}


def test_predictions_are_on_the_scale_of_the_labels(run_path: Path) -> None:
    run = load_run(run_path)
    shifted = dataclasses.replace(
        run, scaler=dataclasses.replace(run.scaler, pooled=run.scaler.pooled | {"fitness": _moments(5.0, 2.0)})
    )
    standardised = run.predict([["G001"]])["pred_fitness"] - run.scaler.pooled["fitness"].mean
    standardised = standardised / run.scaler.pooled["fitness"].sd
    assert shifted.predict([["G001"]])["pred_fitness"][0] == pytest.approx(5.0 + 2.0 * standardised[0], rel=1e-5)


def _moments(mean: float, sd: float) -> Any:
    from dglcell.genotypes.scaler import Moments

    return Moments(mean, sd, 9)


def test_batch_size_gene_order_and_neighbors_do_not_matter(run_path: Path) -> None:
    run = load_run(run_path)
    genotypes = random_genotypes(run.cell, 40, max_order=3)
    whole = run.predict(genotypes)
    small = run.predict([g[::-1] for g in genotypes], batch_size=7)
    assert whole["genes"].equals(small["genes"])
    assert np.allclose(whole.iloc[:, 1:], small.iloc[:, 1:], rtol=0, atol=1e-5, equal_nan=True)


def test_the_wild_type_is_encoded_once(run_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = load_run(run_path)
    calls = []
    encode = type(run.models[0]).wild_type
    monkeypatch.setattr(type(run.models[0]), "wild_type", lambda *args: calls.append(1) or encode(*args))
    run.predict([["G001"], ["G002"], ["G003"]], batch_size=1)
    run.predict([["G004"]])
    assert len(calls) == 1


def test_unknown_genes_stop_or_are_skipped_and_counted(run_path: Path) -> None:
    run = load_run(run_path)
    genotypes = [["G001"], ["G002", "nobody"], ["G001", "G004"], ["who", "nobody"]]
    names = "genotypes: genes that the cell lacks: 'nobody', 'who' in 2 of 4 genotypes; in the cell: G000, G001"
    with pytest.raises(DataError, match=names + r".*rows empty with unknown_genes=.skip"):
        run.predict(genotypes, unknown_genes="error")
    with pytest.warns(DglcellWarning, match=names + r".*; these rows have empty predictions") as caught:
        frame = run.predict(genotypes)
    assert len(caught) == 1
    with pytest.raises(
        DataError, match=r"no genotype has only genes of the cell: 'nobody' in 1 of 1 genotype; in the c"
    ):
        run.predict([["nobody"]])
    assert frame.attrs == {"skipped": 2, "unknown_genes": {"nobody": 2, "who": 1}}
    assert frame["genes"].tolist() == ["G001", "G002;nobody", "G001;G004", "who;nobody"]
    assert np.isnan(frame["pred_fitness"]).tolist() == [False, True, False, True]
    kept = run.predict([genotypes[0], genotypes[2]])
    assert np.allclose(frame["pred_fitness"][[0, 2]], kept["pred_fitness"], rtol=0, atol=1e-6)
    with pytest.raises(UsageError, match="unknown_genes guess"):
        run.predict(genotypes, unknown_genes="guess")
    with pytest.raises(UsageError, match="batch_size 0"):
        run.predict(genotypes[:1], batch_size=0)


def test_an_order_that_training_never_saw_is_predicted_with_a_warning(run_path: Path) -> None:
    run = load_run(run_path)  # trained on orders 0 to 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.predict([["G001", "G002", "G003"], []])
    five = [["G001", "G002", "G003", "G004", "G005"]]
    with pytest.warns(UserWarning, match=r"1 genotype has 5 deletions, .* trained on 0, 1, 2, 3"):
        frame = run.predict(five)
    assert np.isfinite(frame.iloc[0, 1:].to_numpy(float)).all()


def test_no_genotypes_give_an_empty_table(run_path: Path) -> None:
    frame = load_run(run_path).predict([])
    assert list(frame.columns) == ["genes", "pred_fitness", "pred_gene_interaction"]
    assert len(frame) == 0


def _other_ids() -> CellGraph:
    return tiny_cell(features=3, genes=13)


def _other_edges() -> CellGraph:
    return tiny_cell(features=3, regulatory=False)


def _other_features() -> CellGraph:
    cell = tiny_cell(features=3)
    assert cell.features is not None
    features = cell.features.copy()
    features[0, 0] += 1
    return CellGraph(
        cell.ids,
        cell.forward,
        cell.reaction_group,
        cell.group_names,
        features=features,
        has_features=cell.has_features,
        aliases=cell.aliases,
    )


@pytest.mark.parametrize(
    ("other", "kind"), [(_other_ids, "ids"), (_other_edges, "content"), (_other_features, "content")]
)
def test_another_graph_is_refused_with_both_fingerprints(copy: Path, other: Any, kind: str) -> None:
    own, foreign = cell_file.load(copy / "cell.h5").fingerprints, other()
    cell_file.save(foreign, copy / "cell.h5")
    with pytest.raises(FingerprintError) as caught:
        load_run(copy)
    assert own[kind] in str(caught.value)
    assert foreign.fingerprints[kind] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_graph_given_for_a_run_is_refused_by_its_first_difference(copy: Path) -> None:
    with pytest.raises(FingerprintError, match="gene 12 is G012") as caught:
        load_run(copy, cell=_other_ids())
    assert "\n" not in str(caught.value)


def test_the_same_graph_may_come_from_elsewhere(copy: Path) -> None:
    (copy / "cell.h5").unlink()
    assert len(load_run(copy, cell=tiny_cell(features=3)).predict([["G001"]])) == 1
    with pytest.raises(DataError, match=r"cell\.h5"):
        load_run(copy)


def test_damage_and_other_versions_are_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy / "model.safetensors"
    content = path.read_bytes()
    for position in (len(content) // 2, content.index(b"scaler") + 20):
        damaged = bytearray(content)
        damaged[position] ^= 4
        path.write_bytes(damaged)
        with pytest.raises(FormatError):
            load_run(copy)
    path.write_bytes(content)
    version = schema.RUN_VERSION
    monkeypatch.setattr(schema, "RUN_VERSION", version + 1)
    with pytest.raises(FormatError, match=f"format version {version}, this dglcell reads {version + 1}"):
        load_run(copy)


def test_weights_of_another_architecture_are_refused(copy: Path) -> None:
    tensors, metadata = checkpoint.read(copy / "model.safetensors", checkpoint.MODEL)
    metadata["config"]["hidden"] = 16
    checkpoint.write(copy / "model.safetensors", checkpoint.MODEL, tensors, metadata)
    with pytest.raises(FormatError, match="does not fit this dglcell") as caught:
        load_run(copy)
    assert "\n" not in str(caught.value)


def test_what_is_no_run_is_refused(tmp_path: Path, copy: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        load_run(tmp_path / "absent")
    with pytest.raises(DataError, match="is not a run folder"):
        load_run(tmp_path)
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match='device="cuda'):
            load_run(copy, device="cuda")
    with pytest.raises(UsageError, match="device tpu"):
        load_run(copy, device="tpu")
    (copy / "model.safetensors").unlink()
    with pytest.raises(DataError, match="has not finished its first epoch"):
        load_run(copy)


def test_nothing_in_a_run_is_unpickled_to_predict(copy: Path) -> None:
    (copy / "resume.pt").write_bytes(b"not a state")
    run = load_run(copy)
    assert len(run.predict([["G001"]])) == 1
    assert json.dumps(run.metadata)


@pytest.mark.parametrize("engine", ["dgl", "torch", "fused"])
def test_either_engine_predicts_the_same(run_path: Path, engine: str) -> None:
    genotypes = random_genotypes(tiny_cell(), 9, max_order=3)
    found = load_run(run_path, engine=engine).predict(genotypes).iloc[:, 1:]
    expected = load_run(run_path).predict(genotypes).iloc[:, 1:]
    assert np.allclose(found, expected, rtol=0, atol=1e-5, equal_nan=True)


def test_a_label_that_training_never_saw_is_not_predicted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dglcell.training.loop._draw", lambda *args: None)
    cell = tiny_cell()
    table = tiny_table(cell)
    labels = table.labels.copy()
    labels[:, 2] = np.nan
    alone = type(table).of(cell, table.genes, table.ptr, labels)
    from dglcell.genotypes.splits.make import make_split

    train(cell, alone, make_split(alone, "random", 0, 0.2, 0.2), tiny_config(epochs=1), tmp_path / "run")
    frame = load_run(tmp_path / "run").predict([["G001", "G002"]])
    assert np.isfinite(frame["pred_fitness"][0])
    assert np.isnan(frame["pred_gene_interaction"][0])


def test_replacing_features_without_features_says_so() -> None:
    with pytest.warns(UserWarning, match="no gene features"):
        new_model(tiny_cell(), tiny_config(features_mode="replace"))
