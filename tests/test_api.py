"""The public interface: light to import, complete, plain about what it is given, and short when it is printed."""

from __future__ import annotations

import inspect
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import dglcell
from dglcell.readers.features import FeatureTable
from dglcell.readers.genes import read_genes
from dglcell.readers.models import read_model, textbook_path
from dglcell.readers.networks import read_network
from tests.cells import tiny_cell
from tests.records import table_of
from tests.runs import tiny_run, tiny_table

LINES, CHARACTERS = 10, 800


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dglcell.Run:
    path = tmp_path_factory.mktemp("runs") / "run"
    tiny_run(path, epochs=1, ensemble=1)
    return dglcell.load_run(path, device="cpu", engine="torch")


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'dgl', 'numpy', 'pandas', 'cobra', 'h5py', 'scipy', 'click'}"
    code = f"import sys, dglcell; dir(dglcell); print(sorted({heavy} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_every_public_name_is_there_and_no_other() -> None:
    assert sorted(dglcell.__all__) == dglcell.__all__
    for name in dglcell.__all__:
        assert getattr(dglcell, name) is not None
    assert dir(dglcell) == sorted(dglcell.__all__)
    with pytest.raises(AttributeError, match="load_graph"):
        dglcell.load_graph  # noqa: B018


def test_a_cell_is_built_from_files_records_and_frames_alike(tmp_path: Path) -> None:
    (tmp_path / "genes.txt").write_text("YA\nYB\nYC\n")
    (tmp_path / "physical.tsv").write_text("YA\tYB\nYB\tYC\n")
    (tmp_path / "regulatory.tsv").write_text("tf\ttarget\tsign\nYA\tYC\t-\n")
    (tmp_path / "coexpression.tsv").write_text("YA\tYC\n")
    (tmp_path / "features.tsv").write_text("id\tsize\nYA\t1.5\nYC\t2\n")
    from_files = dglcell.build_cell(
        genes=tmp_path / "genes.txt",
        networks={
            "physical": [tmp_path / "physical.tsv"],
            "regulatory": str(tmp_path / "regulatory.tsv"),
            "coexpression": tmp_path / "coexpression.tsv",
        },
        features=tmp_path / "features.tsv",
    )
    pairs = [pd.DataFrame({"x": ["YA"], "y": ["YB"]}), pd.DataFrame({"x": ["YC"], "y": ["YB"]})]
    in_memory = dglcell.build_cell(
        genes=["YC", "YA", "YB"],
        networks={
            "physical": pairs,
            "regulatory": pd.DataFrame({"target": ["YC"], "tf": ["YA"], "sign": ["-"]}),
            "coexpression": pd.DataFrame([["YC", "YA"]]),
        },
        features=pd.DataFrame({"size": [2.0, 1.5]}, index=["YC", "YA"]),
    )
    assert in_memory.fingerprints == from_files.fingerprints
    records = dglcell.build_cell(
        genes=read_genes(tmp_path / "genes.txt"),
        networks={
            "physical": read_network(tmp_path / "physical.tsv"),
            "regulatory": read_network(tmp_path / "regulatory.tsv", "regulatory"),
            "coexpression": read_network(tmp_path / "coexpression.tsv", "relation"),
        },
        features=FeatureTable("", "", ("YA", "YC"), np.array([[1.5], [2.0]], np.float32)),
    )
    assert records.fingerprints == from_files.fingerprints


def test_the_textbook_model_is_built_by_name() -> None:
    by_name = dglcell.build_cell(model="textbook", keep_unassigned=True)
    assert (
        by_name.fingerprints == dglcell.build_cell(model=read_model(textbook_path()), keep_unassigned=True).fingerprints
    )
    assert by_name.can_grow


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "neither model nor genes is given"),
        ({"genes": ["YA"], "degree": True}, "build_cell: unknown setting 'degree' - did you mean degrees"),
        ({"genes": ["YA"], "max_alternatives": 0}, "max_alternatives 0 - at least 1"),
        (
            {"model": "no.xml", "networks": {"physical": ["no.tsv"]}},
            "no.xml: no such file - check the path of the metabolic model.*; no.tsv: no such",
        ),
        ({"genes": ["YA", 3]}, "genes:2: 3 - a gene id was expected"),
        ({"genes": ["YA", "YB", "yA"]}, "genes:3: the same gene twice, 'yA' and, at genes:1, 'YA'"),
        ({"genes": ["YA"], "networks": {"physical": 3}}, "networks physical: int"),
        ({"genes": ["YA"], "networks": {"physical": pd.DataFrame([["YA", "YB", "YC", 1]])}}, "4 columns .* physical"),
        (
            {"genes": ["YA"], "networks": {"physical": pd.DataFrame([["YA", "YB", "YC"]])}},
            "data frame:1: 'YC' in column 3 - a number was expected",
        ),
        ({"genes": ["YA"], "networks": {"physical": pd.DataFrame([["YA", None]])}}, "data frame:1: an empty gene id"),
        ({"genes": ["YA"], "networks": {"gpr": pd.DataFrame([["YA", "YB"]])}}, "the name gpr is already in use"),
        (
            {"genes": ["YA"], "features": pd.DataFrame({"x": ["a"]}, index=["YA"])},
            "features hold text in column x - genes in the",
        ),
        ({"genes": ["YA"], "features": pd.DataFrame({"x": [np.nan]}, index=["YA"])}, "data frame:1: a feature of 'YA'"),
    ],
)
def test_what_cannot_be_built_is_said(given: dict[str, Any], message: str) -> None:
    with pytest.raises(dglcell.DglcellError, match=message):
        dglcell.build_cell(**given)


def test_networks_from_frames(tmp_path: Path) -> None:
    genes = ["YA", "YB", "YC"]

    def edges(frame: pd.DataFrame, kind: str = "physical") -> tuple[set[tuple[str, ...]], dict[str, Any]]:
        cell = dglcell.build_cell(genes=genes, networks={kind: frame}, self_loops=False, matrix_rows="auto")
        relation = cell.relations[f"{kind}_interaction"]
        return {(genes[a], genes[b]) for a, b in zip(relation.src, relation.dst, strict=True)}, dict(relation.data)

    both = {("YA", "YB"), ("YB", "YA")}
    assert edges(pd.DataFrame({"a": ["YA"], "b": ["YB"]})) == (both, {})
    found, data = edges(pd.DataFrame({"w": [0.5], "gene_2": ["YA"], "gene_1": ["YB"]}).rename(columns={"w": "weight"}))
    assert found == both
    assert data["confidence"].tolist() == [0.5, 0.5]
    found, data = edges(pd.DataFrame({"target": ["YA", "YB"], "tf": ["YB", "YC"], "sign": ["+", "-"]}), "regulatory")
    assert found == {("YB", "YA"), ("YC", "YB")}
    assert sorted(data["sign"].tolist()) == [-1, 1]
    matrix = pd.DataFrame([[0, 1, 0], [1, 0, 0], [0, 0, 0]], index=genes, columns=genes)
    assert edges(matrix)[0] == both
    factors = pd.DataFrame([[1, 1, 0]], index=["YC"], columns=genes)
    assert edges(factors, "regulatory")[0] == {("YC", "YA"), ("YC", "YB")}


def test_settings_of_networks_reach_the_files(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("x,YA,YB\nYC,0,1\nYD,1,0\n")
    (tmp_path / "s.txt").write_text("protein1 protein2 combined_score\n1.YA 1.YB 400\n1.YA 1.YC 400\n2.YA 2.YD 300\n")

    def edges(kind: str, file: str, **settings: str) -> set[tuple[int, int]]:
        cell = dglcell.build_cell(
            genes=["YA", "YB", "YC", "YD"], networks={kind: tmp_path / file}, self_loops=False, **settings
        )
        relation = cell.relations[f"{kind}_interaction"]
        return set(zip(relation.src.tolist(), relation.dst.tolist(), strict=True))

    assert edges("regulatory", "m.csv", matrix_rows="factors") == {(2, 1), (3, 0)}
    assert edges("regulatory", "m.csv", matrix_rows="targets") == {(1, 2), (0, 3)}
    assert edges("physical", "s.txt", taxon="2") == {(0, 3), (3, 0)}


def test_a_frame_is_read_as_the_file_that_it_would_be(tmp_path: Path) -> None:
    cell, rng = tiny_cell(), np.random.default_rng(0)
    table = tiny_table(cell)
    ids = cell.ids["gene"]
    names = [[ids[g] for g in table.genes[a:b]] for a, b in zip(table.ptr, table.ptr[1:], strict=False)]
    frame = pd.DataFrame({"note": "x", "genes": [";".join(genes) for genes in names]})
    frame["fitness"] = np.where(rng.random(len(frame)) < 0.2, np.nan, rng.normal(size=len(frame)))
    frame["gene_interaction"] = rng.normal(size=len(frame)).astype(np.float32)
    frame["gene_interaction_std"] = 0.1
    frame.to_csv(tmp_path / "screen.tsv", sep="\t", index=False)
    from_file = dglcell.read_screen(tmp_path / "screen.tsv", cell)
    columns = {f"gene_{k + 1}": [genes[k] if k < len(genes) else None for genes in names] for k in range(3)}
    layouts = [frame, frame.assign(genes=names), pd.DataFrame(columns).join(frame.drop(columns="genes"))]
    for layout in layouts:
        found = dglcell.GenotypeTable.from_dataframe(layout, cell)
        assert found.fingerprint == from_file.fingerprint
        assert np.array_equal(found.interaction_std, from_file.interaction_std, equal_nan=True)


def test_a_frame_is_refused_with_the_row() -> None:
    cell = tiny_cell()
    read = dglcell.GenotypeTable.from_dataframe
    with pytest.raises(dglcell.DataError, match=r"data frame:2: 'high' in column fitness - a number was expected"):
        read(pd.DataFrame({"genes": ["G001", "G002"], "fitness": [1, "high"]}), cell)
    unknown = pd.DataFrame({"genes": ["G001", "nobody", "G002;G003"], "fitness": [1, 0.5, 0.25]})
    with pytest.raises(dglcell.DataError, match=r"data frame:2: .*'nobody' in 1 of 3 genotypes"):
        read(unknown, cell, unknown_genes="error")
    with pytest.raises(
        dglcell.DataError, match=r"data frame:2: 1 of 3 rows names a gene that .*in the file: nobody; in"
    ):
        read(unknown, cell)
    with pytest.warns(UserWarning, match="data frame: 1 of 3 rows is left out"):
        kept = read(unknown, cell, unknown_genes="skip")
    assert kept.labels[:, 0].tolist() == [1, 0.25]
    assert "1 row with an unknown gene left out" in repr(kept)
    with pytest.raises(dglcell.DataError, match="no column of genes in 'id, fitness'"):
        read(pd.DataFrame({"id": ["G001"], "fitness": [1.0]}), cell)
    with pytest.raises(dglcell.DataError, match="ambiguous"):
        read(pd.DataFrame({"genes": ["twice"]}), cell)
    with pytest.raises(dglcell.DataError, match="has no rows"):
        read(pd.DataFrame({"genes": []}), cell)


def test_the_rules_of_a_screen_apply_to_a_frame_and_to_files(tmp_path: Path) -> None:
    cell = tiny_cell()
    frame = pd.DataFrame({"genes": ["G001", "G002"], "fitness": [-0.5, 1.0]})
    frame.to_csv(tmp_path / "screen.tsv", sep="\t", index=False)
    assert dglcell.read_screen(frame, cell, clip_fitness=True).labels[0, 0] == 0
    assert dglcell.read_screen(tmp_path / "screen.tsv", cell, clip_fitness=True).labels[0, 0] == 0


def test_a_cell_is_saved_with_its_screen_and_read_back(tmp_path: Path) -> None:
    cell = tiny_cell()
    table, path = tiny_table(cell), tmp_path / "cell.h5"
    dglcell.save_cell(cell, path, table)
    assert dglcell.load_cell(path).fingerprints == cell.fingerprints
    assert dglcell.read_screen(path, cell).fingerprint == table.fingerprint
    with pytest.raises(dglcell.UsageError, match="clip_fitness"):
        dglcell.read_screen(path, cell, clip_fitness=True)
    with pytest.raises(dglcell.UsageError, match="overwrite"):
        dglcell.save_cell(cell, path)
    with pytest.raises(dglcell.FingerprintError):
        dglcell.read_screen(path, tiny_cell(genes=13))
    dglcell.save_cell(cell, path, overwrite=True)
    with pytest.raises(dglcell.DataError, match="holds no screen"):
        dglcell.read_screen(path, cell)


def test_a_string_is_no_list_of_genes(run: dglcell.Run) -> None:
    cell = run.cell
    for ask in (run.predict, cell.indices, cell.masks):
        with pytest.raises(TypeError, match=r"'G001' is a string, .* write \[\['G001'\]\]"):
            ask("G001")
        with pytest.raises(TypeError, match=r"genotype 'G001;G002' is a string, .* write \[\['G001', 'G002'\], \.\.\]"):
            ask(["G001;G002"])
        with pytest.raises(TypeError, match=r"genotype 1 is not a list of genes"):
            ask([1])
    with pytest.raises(TypeError, match="None is not a gene"):
        cell.indices([["G001", None]])
    with pytest.raises(TypeError, match="3 is not a gene name"):
        run.predict([[3]])
    with pytest.raises(TypeError, match=r"'G001' is a string, .* write \['G001'\]"):
        cell.perturb("G001")
    with pytest.raises(TypeError, match=r"gene rows were expected, not names"):
        cell.knock_out(["G001"], [0, 1])


def test_genotypes_are_predicted_in_whatever_form_they_come(run: dglcell.Run) -> None:
    genotypes = [["G003", "alpha"], [], ["G001"]]
    lists = run.predict(genotypes)
    index = pd.Index(["x", "y", "z"], name="strain")
    joined = run.predict(pd.DataFrame({"genes": ["G003;alpha", None, "G001"], "fitness": "unread"}, index=index))
    columns = run.predict(pd.DataFrame({"gene_1": ["G003", "", "G001"], "gene_2": ["alpha", "", ""]}))
    table = run.predict(dglcell.GenotypeTable.of(run.cell, *run.cell.indices(genotypes)))
    assert joined.index.equals(index)
    for other in (joined.reset_index(drop=True), columns, table):
        pd.testing.assert_frame_equal(other, lists)
    pd.testing.assert_frame_equal(run.predict(tuple(g) for g in genotypes), lists)
    with pytest.raises(dglcell.FingerprintError):
        run.predict(tiny_table(tiny_cell(genes=13)))


def test_embeddings_are_the_states_of_the_wild_type(run: dglcell.Run) -> None:
    frame = run.embeddings()
    assert frame.shape == (12, 8)
    assert frame.index.tolist() == list(run.cell.ids["gene"])
    assert list(frame.columns[:2]) == ["h1", "h2"]
    states = run.models[0].wild_type(run.engine).states["gene"][:, 0]
    assert np.array_equal(frame.to_numpy(), states.detach().numpy())
    assert len(run.embeddings("metabolite")) == run.cell.num_nodes("metabolite")
    with pytest.raises(dglcell.UsageError, match="node_type 'protein'"):
        run.embeddings("protein")
    with pytest.raises(dglcell.UsageError, match="member 2 - 1 to 1"):
        run.embeddings(member=2)


def _short(value: Any, *words: str) -> None:
    text = repr(value)
    assert text.count("\n") < LINES, text
    assert len(text) <= CHARACTERS, text
    for word in words:
        assert word in text, f"{word} is not in:\n{text}"


def test_reprs_are_short_and_say_what_one_wants_to_know(run: dglcell.Run) -> None:
    cell = tiny_cell(features=3)
    table = tiny_table(cell)
    _short(cell, "12 genes", "8 metabolites", "physical_interaction", "pairs of genes", "3 columns for 11 genes")
    _short(table, "120 rows", "fitness", "gene_interaction", "0: ", "3: ")
    _short(dglcell.make_split(table), "Split random", "train", "test")
    _short(run, "Run ", "local model", "parameters", "12 genes", "split random", "cpu", "torch")
    _short(read_model(textbook_path()), "95 reactions", "137 genes", "Biomass")
    _short(run.scaler, "fitness", "+-")
    _short(run.folder, str(run.folder.path))
    lost = cell.knock_out(*cell.indices([["G001"], ["G002", "G003"]]))
    _short(lost, "2 genotypes", "3 genes")
    _short(cell.masks([["G001"]]), "1 genotype ")
    for relation in cell.relations.values():
        _short(relation, relation.name)
    assert repr(dglcell.TrainConfig()) == "TrainConfig()"
    assert repr(dglcell.TrainConfig(epochs=3, networks=("close",))) == "TrainConfig(networks=('close',), epochs=3)"
    _short(dglcell.TrainConfig.from_recipe("costanzo2010"), "epochs=10")
    _short(dglcell.TrainConfig(**dict.fromkeys(dglcell.TrainConfig.names(), "not the default")), "..)")


def test_many_relations_files_and_orders_do_not_make_a_repr_long() -> None:
    pair = pd.DataFrame([["G1", "G2"]])
    genes = [f"G{k}" for k in range(30)]
    cell = dglcell.build_cell(genes=genes, networks={f"network_{k}": pair for k in range(20)})
    _short(cell, "16 further relations")
    frame = pd.DataFrame({"genes": [";".join(genes[:k]) for k in range(30)], "fitness": 1.0})
    table = dglcell.GenotypeTable.from_dataframe(frame, cell)
    _short(dglcell.GenotypeTable.concatenate(cell, [table] * 20), "16 further files", "more: 520 rows")


def test_reprs_of_the_yeast_cell(yeast_cell: Any, yeast_files: SimpleNamespace) -> None:
    _short(yeast_cell, "genes", "gpr", "regulatory_interaction")
    table, _ = table_of(yeast_cell, [yeast_files.costanzo], "skip")
    _short(table, "rows", "fitness")
    for record in (yeast_files.model, yeast_files.genes, yeast_files.biogrid, yeast_files.costanzo):
        _short(record, type(record).__name__)


def test_training_and_evaluation_from_python(tmp_path: Path) -> None:
    cell = tiny_cell(features=3)
    rng = np.random.default_rng(0)
    ids = cell.ids["gene"]
    names = [";".join(rng.choice(ids, size=1 + k % 2, replace=False)) for k in range(200)]
    frame = pd.DataFrame({"genes": names, "fitness": rng.normal(size=200), "gene_interaction": rng.normal(size=200)})
    screen = dglcell.GenotypeTable.from_dataframe(frame, cell)
    config = dglcell.TrainConfig(layers=1, hidden=8, epochs=1, device="cpu", engine="torch", ensemble=2)
    run = dglcell.train(cell, screen, config=config, out=tmp_path / "run")
    assert len(run.models) == 2
    table = dglcell.evaluate(run)
    assert list(table.columns) == ["model", "rows", "label", "n", "pearson", "spearman", "mse", "mae"]
    assert set(table["model"]) == {
        "dglcell",
        "dglcell, model 1",
        "dglcell, model 2",
        "mean",
        "query-mean",
        "gene-ridge",
    }
    assert set(table["rows"]) == {"all", "order_1", "order_2"}
    assert table.attrs["subset"] == "test"
    row = table[(table["model"] == "dglcell") & (table["rows"] == "all") & (table["label"] == "fitness")].iloc[0]
    test = screen.take(dglcell.make_split(screen).rows("test"))
    predicted = run.predict(test)["pred_fitness"]
    assert row["n"] == len(test)
    assert row["pearson"] == pytest.approx(np.corrcoef(predicted, test.targets[:, 0])[0, 1], abs=1e-6)

    again = dglcell.load_run(tmp_path / "run", device="cpu")
    with pytest.raises(dglcell.DataError):  # the data frame is in no file
        dglcell.evaluate(again)
    alone = dglcell.evaluate(again, screen=screen, baselines="none")
    assert set(alone["model"]) == {"dglcell", "dglcell, model 1", "dglcell, model 2"}
    assert alone.attrs["subset"] == "test"
    other = dglcell.evaluate(run, screen=tiny_table(cell), baselines=["mean"])
    assert other.attrs["subset"] == "screen"
    assert set(dglcell.evaluate(run, "val", baselines="none")["rows"]) <= {"all", "order_1", "order_2"}
    with pytest.raises(dglcell.UsageError, match="overwrite"):
        dglcell.train(cell, screen, config=config, out=tmp_path / "run")


def test_training_takes_the_split_that_is_given(tmp_path: Path) -> None:
    cell = tiny_cell(features=3)
    screen = tiny_table(cell)
    split = dglcell.make_split(screen, "random", seed=7, test_fraction=0.3, val_fraction=0.2)
    config = dglcell.TrainConfig(layers=1, hidden=8, epochs=1, device="cpu", engine="torch")
    run = dglcell.train(cell, screen, split, config, out=tmp_path / "run")
    assert run.metadata["split"]["hash"] == split.hash


TINY = {"layers": 1, "hidden": 8, "epochs": 1, "device": "cpu", "engine": "torch"}


@pytest.mark.parametrize(
    "made_from",
    [
        {"kind": "unseen-gene", "test_fraction": 0.2, "val_fraction": 0.25},
        {"kind": "random", "seed": 7, "test_fraction": 0.3},
        {"kind": "kfold", "fold": 2, "val_fraction": 0.2},
        {"kind": "file"},
    ],
    ids=lambda made_from: made_from["kind"],
)
def test_training_from_the_configuration_of_a_run_takes_its_split(tmp_path: Path, made_from: dict[str, Any]) -> None:
    cell = tiny_cell(features=3)
    screen, path = tiny_table(cell), tmp_path / "split.tsv"
    if made_from["kind"] == "file":
        sets = {tuple(screen.genes[a:b].tolist()) for a, b in itertools.pairwise(screen.ptr)}
        rows = [
            f"{';'.join(cell.ids['gene'][g] for g in genes)}\t{('train', 'val', 'test')[k % 3]}\n"
            for k, genes in enumerate(sorted(sets))
        ]
        path.write_text("genes\tsplit\n" + "".join(rows))
        made_from = {**made_from, "path": path, "cell": cell}
    split = dglcell.make_split(screen, **made_from)
    dglcell.train(cell, screen, split, dglcell.TrainConfig(**TINY), out=tmp_path / "run")
    config = dglcell.TrainConfig.from_recipe(tmp_path / "run" / "config.toml")
    assert config.split == split.kind
    again = dglcell.train(cell, screen, config=config, out=tmp_path / "again")
    assert again.metadata["split"]["hash"] == split.hash
    stored, _ = again.folder.read_split()
    assert stored.parameters == split.parameters


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "kfold"}, "split kfold in the configuration, but the split was made with random"),
        ({"test_fraction": 0.3, "val_fraction": 0.3}, "test_fraction 0.3 .* 0.2 .*val_fraction 0.3 .* 0.15"),
        ({"split_file": "a.tsv"}, "split_file a.tsv"),
    ],
)
def test_a_configuration_that_contradicts_the_split_is_refused(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    cell = tiny_cell(features=3)
    screen = tiny_table(cell)
    split = dglcell.make_split(screen, test_fraction=0.2, val_fraction=0.15)
    with pytest.raises(dglcell.UsageError, match=message):
        dglcell.train(cell, screen, split, dglcell.TrainConfig(**TINY, **settings), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_split_that_a_configuration_cannot_describe_gives_a_warning(tmp_path: Path) -> None:
    cell = tiny_cell(features=3)
    screen = tiny_table(cell)
    split, config = dglcell.make_split(screen, seed=7), dglcell.TrainConfig(**TINY, seed=3)
    for reason, other in (
        ("seed 7, the model is trained with seed 3", split),
        ("make_split did not make it", dglcell.Split(split.subset)),
        ("make_split did not make it", dglcell.Split(split.subset, "file")),
        ("5 folds", dglcell.make_split(screen, "kfold", seed=3, folds=5)),
    ):
        with pytest.warns(UserWarning, match=reason) as caught:
            run = dglcell.train(cell, screen, other, config, out=tmp_path / "run", overwrite=True)
        assert caught[0].filename == __file__
        assert run.config.seed == 3


def test_arguments_in_the_place_of_others_are_refused_in_plain_words(tmp_path: Path, run: dglcell.Run) -> None:
    cell = tiny_cell(features=3)
    screen, out, config = tiny_table(cell), tmp_path / "run", dglcell.TrainConfig()
    mistakes: list[tuple[Any, type[Exception], str]] = [
        (lambda: dglcell.train(cell, screen, config, out=out), TypeError, "split is a TrainConfig .* config="),
        (lambda: dglcell.train(cell, screen, "random", out=out), TypeError, "split is a str - .*make_split"),
        (lambda: dglcell.train(cell, screen, config={"epochs": 1}, out=out), TypeError, "config is a dict"),
        (lambda: dglcell.train(screen, cell, out=out), TypeError, "cell is a GenotypeTable - a CellGraph was expected"),
        (lambda: dglcell.train(cell, cell, out=out), TypeError, "screen is a CellGraph - a GenotypeTable was expected"),
        (lambda: dglcell.evaluate(config), TypeError, "run is a TrainConfig - a Run was expected"),
        (lambda: dglcell.build_cell(genes=["A"], networks="n.tsv"), TypeError, '{"physical": "n.tsv"}'),
        (lambda: dglcell.build_cell(genes=["A"], networks=["n.tsv"]), TypeError, "networks by name were expected"),
        (lambda: run.predict(None), TypeError, "genotypes are NoneType - a list of genotypes was expected"),
        (
            lambda: dglcell.read_screen("textbook", cell, maxp=0.1),
            dglcell.UsageError,
            "unknown setting 'maxp' - did you mean max_p",
        ),
        (lambda: dglcell.read_screen("textbook", "cell.h5"), TypeError, "cell is a str - a CellGraph was expected"),
        (lambda: dglcell.make_split(screen, seed=-1), dglcell.UsageError, "seed -1 - zero or more was expected"),
    ]
    for mistake, error, message in mistakes:
        with pytest.raises(error, match=message):
            mistake()
    assert not out.exists()


def test_evaluation_takes_the_folder_of_a_run(tmp_path: Path) -> None:
    _, screen, _, _ = tiny_run(tmp_path / "run", epochs=1)
    scores = dglcell.evaluate(str(tmp_path / "run"), screen=screen, baselines="none")
    assert scores.equals(dglcell.evaluate(dglcell.load_run(tmp_path / "run"), screen=screen, baselines="none"))


def _documented() -> Iterator[tuple[str, Any]]:
    """Every public function and class, and the public methods and properties that dglcell itself defines."""
    for name in dglcell.__all__:
        value = getattr(dglcell, name)
        if not callable(value):
            continue
        yield name, value
        for attribute, member in inspect.getmembers(value) if inspect.isclass(value) else ():
            function = member.fget if isinstance(member, property) else getattr(member, "func", member)
            function = inspect.unwrap(getattr(function, "__func__", function))
            if not attribute.startswith("_") and getattr(function, "__module__", "").startswith("dglcell"):
                yield f"{name}.{attribute}", function


@pytest.mark.parametrize(("name", "value"), list(_documented()), ids=lambda v: v if isinstance(v, str) else "")
def test_every_public_name_is_documented(name: str, value: Any) -> None:
    text = inspect.getdoc(value)
    assert text, f"{name} has no docstring"
    if not inspect.isfunction(value):
        return
    signature = inspect.signature(value)
    taken = [p for p in signature.parameters if p not in ("self", "cls")]
    section = text.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    documented = {n.strip(" *") for line in section.split("\n") for n in line.partition(" : ")[0].split(",")}
    assert not set(taken) - documented, f"{name}: parameters {set(taken) - documented} are not documented"
    if taken and signature.return_annotation not in (None, "None"):
        assert "Returns\n-------\n" in text, f"{name}: what it returns is not documented"


def test_methods_without_arguments_say_what_they_return() -> None:
    for name, value in _documented():
        for attribute, method in inspect.getmembers(value, inspect.isfunction) if inspect.isclass(value) else ():
            if attribute.startswith("_") or inspect.signature(method).return_annotation in (None, "None"):
                continue
            if method.__module__.startswith("dglcell"):
                assert "Returns\n-------\n" in (inspect.getdoc(method) or ""), f"{name}.{attribute}"


def test_warnings_point_at_the_line_of_the_caller(run: dglcell.Run) -> None:
    with pytest.warns(UserWarning, match="^1 genotype has 5 deletions") as caught:
        run.predict([["G000", "G001", "G002", "G003", "G004"]])
    assert [warning.filename for warning in caught] == [__file__]


def test_a_prediction_with_unknown_genes_says_what_skipping_does(run: dglcell.Run) -> None:
    with pytest.raises(dglcell.DataError, match='leave the predictions of these rows empty with unknown_genes="skip"'):
        run.predict([["nobody"]], unknown_genes="error")


def test_a_run_remembers_the_rules_that_its_screen_was_read_by(tmp_path: Path) -> None:
    cell = tiny_cell(features=3)
    frame = pd.DataFrame({"genes": [f"G{k % 12:03d};G{k * 5 % 11:03d};nobody"[: 9 + 7 * (k == 7)] for k in range(120)]})
    frame["fitness"] = np.linspace(-1, 1, 120)
    frame.to_csv(tmp_path / "screen.tsv", sep="\t", index=False)
    screen = dglcell.read_screen(tmp_path / "screen.tsv", cell, unknown_genes="skip", clip_fitness=True)
    config = dglcell.TrainConfig(layers=1, hidden=8, epochs=1, device="cpu", engine="torch", replicates="mean")
    dglcell.train(cell, screen, config=config, out=tmp_path / "run")
    run = dglcell.load_run(tmp_path / "run", device="cpu")
    assert run.config.rules() == {"clip_fitness": True, "unknown_genes": "skip"}
    assert len(dglcell.evaluate(run, baselines="none"))
