"""Settings: each is declared once, and from there checked, read from TOML, resolved and documented."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import pytest

from dglcell.config import BuildConfig, ModelConfig, ScreenRules, TrainConfig, read_toml, recipes, settings_table
from dglcell.config.settings import GROUPS
from dglcell.errors import DglcellWarning, ErrorCollector, UsageError, flag, plain, setting, with_flags

BAD = [
    ({"layers": 0}, "layers 0 - at least 1 was expected"),
    ({"heads": 3}, "heads 3 does not divide hidden 64"),
    ({"hidden": 6}, "multiple of 4"),
    ({"variant": "best"}, "variant best - two-head, difference, local or both was expected"),
    ({"dropout": 1.0}, "dropout 1.0 - at least 0 and below 1 was expected"),
    ({"lr": float("nan")}, "lr nan - a positive number"),
    ({"epochs": 0}, "epochs 0"),
    ({"test_fraction": 0.5, "val_fraction": 0.5}, "leave nothing to train on"),
    ({"split": "file"}, "split_file"),
    ({"split": "kfold", "split_file": "x.tsv"}, 'split_file x.tsv with split="kfold"'),
    ({"split": "kfold", "fold": 12}, "fold 12 - at least 0 and at most 9"),
    ({"fold": 0}, 'fold 0 with split="random", which has no folds'),
    ({"fm_rank": -1}, "fm_rank -1 - zero or more was expected"),
    ({"fm_rank": 0, "similarity": True}, "similarity with fm_rank 0"),
    ({"max_p": 2}, "max_p 2.0 - at least 0 and at most 1 was expected"),
    ({"unknown_genes": "drop"}, "unknown_genes drop - few, skip or error was expected"),
    ({"layers": "3"}, "layers '3' - an integer was expected"),
    ({"gate": 1}, "gate 1 - true or false was expected"),
    ({"label_weights": {"growth": 1.0}}, "label_weights growth"),
    ({"label_weights": {"fitness": 0.0}}, "no label to learn"),
    ({"variant": "two-head", "lambda_supcr": 1.0}, 'lambda_supcr with variant="two-head"'),
    ({"variant": "difference", "lambda_cell": 1.0}, 'lambda_cell with variant="difference"'),
    ({"variant": "local", "lambda_cell": 1.0}, 'lambda_cell with variant="local"'),
    ({"chunk": 0}, "chunk 0 - auto or at least 1 was expected"),
    ({"chunk": "all"}, "chunk 'all' - auto or an integer was expected"),
    ({"engine": "magic"}, "engine magic"),
    ({"device": "tpu"}, "device tpu - auto, cpu, cuda or cuda:N was expected"),
    ({"features_mode": "add"}, "features_mode add"),
    ({"networks": ("binding", "binding")}, "networks binding,binding names a network twice"),
]


@pytest.mark.parametrize(("change", "words"), BAD, ids=[w for _, w in BAD])
def test_a_bad_value_is_refused_by_name(change: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words.replace("(", r"\(")):
        dataclasses.replace(TrainConfig(), **change).validate()  # type: ignore[arg-type]


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        dataclasses.replace(TrainConfig(), layers=0, epochs=0, split="file").validate()
    assert all(words in str(caught.value) for words in ("layers 0", "epochs 0", "split_file"))


def test_good_values_pass() -> None:
    for variant in ("two-head", "difference", "local", "both"):
        assert TrainConfig(variant=variant).validate().variant == variant
    TrainConfig(variant="both", lambda_cell=0.1, lambda_supcr=0.1, device="cuda:1", chunk=4).validate()


def test_toml_there_and_back(tmp_path: Path) -> None:
    config = TrainConfig(
        variant="both",
        screen=("a b.tsv", 'q"uote'),
        label_weights={"fitness": 0.5},
        chunk=8,
        lr=3e-4,
        networks=("a", "b"),
    )
    path = tmp_path / "run.toml"
    path.write_text(config.to_toml())
    assert TrainConfig.from_dict(read_toml(path)) == config
    assert TrainConfig.from_recipe(path) == config


def test_wrong_keys_and_types_are_named() -> None:
    with pytest.raises(UsageError) as caught:
        TrainConfig.from_dict({"layerz": 3, "hidden": "wide", "gate": 1, "epochs": 2.5}, "run.toml")
    for words in ("run.toml", "'layerz'", "hidden = 'wide'", "gate = 1", "epochs = 2.5"):
        assert words in str(caught.value)


def test_a_file_that_is_not_toml(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("layers = = 3")
    with pytest.raises(UsageError, match="is not valid TOML"):
        read_toml(tmp_path / "run.toml")
    with pytest.raises(UsageError, match="No such file"):
        read_toml(tmp_path / "none.toml")


def test_an_unknown_key_is_told_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"unknown setting 'layerz' - did you mean layers\?"):
        TrainConfig.from_dict({"layerz": 3})


def test_none_is_left_out_and_restored() -> None:
    assert "max_steps" not in TrainConfig().to_dict()
    assert TrainConfig.from_dict(TrainConfig().to_dict()) == TrainConfig()


@pytest.mark.parametrize(
    ("values", "rank", "similarity"),
    [
        ({}, 128, True),
        ({"variant": "both"}, 128, True),
        ({"variant": "difference"}, 0, False),
        ({"variant": "two-head"}, 0, False),
        ({"variant": "two-head", "fm_rank": 3}, 3, True),
        ({"fm_rank": 0}, 0, False),
        ({"similarity": False}, 128, False),
    ],
)
def test_the_library_decides_what_is_left_open(values: dict[str, object], rank: int, similarity: bool) -> None:
    for config in (TrainConfig, ModelConfig):
        resolved = config.from_dict(values).validate()
        assert (resolved.fm_rank, resolved.similarity) == (rank, similarity)
        assert resolved.validate() == resolved


def test_a_split_file_implies_its_kind_and_folds_begin_at_zero() -> None:
    assert TrainConfig(split_file="s.tsv").validate().split == "file"
    assert TrainConfig(split="kfold").validate().fold == 0
    assert TrainConfig().validate().fold is None


def test_the_cell_decides_how_features_enter_unless_it_is_said() -> None:
    class Cell:
        features_mode = "replace"

    assert TrainConfig().validate().features_mode is None
    assert TrainConfig().for_cell(Cell()).features_mode == "replace"
    assert TrainConfig(features_mode="concat").for_cell(Cell()).features_mode == "concat"


def test_values_of_other_types_become_plain() -> None:
    config = TrainConfig(screen=(Path("a.tsv"),), networks=["x"], lr=1, epochs=2.0).validate()  # type: ignore[arg-type]
    assert (config.screen, config.networks, config.epochs) == (("a.tsv",), ("x",), 2)
    assert isinstance(config.lr, float) and isinstance(config.epochs, int)


def test_recipes_are_found_by_name_and_files_by_path() -> None:
    assert set(recipes()) == {"costanzo2010", "single_mutant_fitness"}
    for name, path in recipes().items():
        assert TrainConfig.from_recipe(name) == TrainConfig.from_recipe(path)
        assert TrainConfig.from_recipe(name).validate().keep == "last"
    with pytest.raises(
        UsageError, match=r"costanzo: .* - costanzo2010, single_mutant_fitness or a TOML file was expected"
    ):
        TrainConfig.from_recipe("costanzo")


@pytest.mark.parametrize("settings", [TrainConfig, ModelConfig, ScreenRules, BuildConfig])
def test_every_setting_is_declared_in_full(settings: type) -> None:
    rows = settings_table(settings)
    assert sorted(row.name for row in rows) == sorted(settings.names())
    for row in rows:
        assert row.help.endswith(".") and row.group in GROUPS and row.flag == flag(row.name)
        assert "\x1f" not in row.help + row.default
        assert row.default or row.name == "split_file"
    groups = [row.group for row in rows]
    assert groups == sorted(groups, key=GROUPS.index)


@pytest.mark.parametrize(
    ("marked", "python", "command_line"),
    [
        (setting("fm_rank"), "fm_rank", "--fm-rank"),
        (setting("split", "kfold"), 'split="kfold"', "--split kfold"),
        (setting("similarity", False), "similarity=False", "--no-similarity"),
        (setting("lost_reactions", True), "lost_reactions=True", "--lost-reactions"),
        ("fm_rank --fm-rank {fm_rank}", "fm_rank --fm-rank {fm_rank}", "fm_rank --fm-rank {fm_rank}"),
    ],
)
def test_a_setting_is_spelt_for_its_reader(marked: str, python: str, command_line: str) -> None:
    """Marked settings are spelt anew; words that merely look like one are left alone."""
    assert plain(f"give {marked}, or not") == f"give {python}, or not"
    assert with_flags(f"give {marked}, or not") == f"give {command_line}, or not"
    problems = ErrorCollector(UsageError)
    problems.add(f"give {marked}")
    with pytest.raises(UsageError) as caught:
        problems.check()
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value)), DglcellWarning(f"give {marked}")):
        assert str(error) == error.args[0] == f"give {python}"
        assert with_flags(error.template) == f"give {command_line}"
