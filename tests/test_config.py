"""Configuration: defaults, refusals, TOML there and back."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest

from dglcell.cli.settings import configuration
from dglcell.config import TrainConfig, flag, read_toml, to_toml
from dglcell.errors import UsageError

BAD = [
    ({"layers": 0}, "--layers 0"),
    ({"heads": 3}, "--heads 3 does not divide --hidden 64"),
    ({"hidden": 6}, "multiple of 4"),
    ({"variant": "best"}, "--variant best"),
    ({"dropout": 1.0}, "--dropout"),
    ({"lr": float("nan")}, "--lr nan"),
    ({"epochs": 0}, "--epochs 0"),
    ({"test_fraction": 0.5, "val_fraction": 0.5}, "leave nothing to train on"),
    ({"split": "file"}, "--split-file"),
    ({"split_file": "x.tsv"}, "--split-file"),
    ({"label_weights": {"growth": 1.0}}, "--label-weights growth"),
    ({"label_weights": {"fitness": 0.0}}, "no label to learn"),
    ({"variant": "two-head", "lambda_supcr": 1.0}, "--lambda-supcr with --variant two-head"),
    ({"variant": "difference", "lambda_cell": 1.0}, "--lambda-cell with --variant difference"),
    ({"variant": "local", "lambda_cell": 1.0}, "--lambda-cell with --variant local"),
    ({"chunk": 0}, "--chunk 0"),
    ({"engine": "magic"}, "--engine magic"),
    ({"device": "tpu"}, "--device tpu"),
    ({"features_mode": "add"}, "--features-mode add"),
    ({"networks": ("binding", "binding")}, "--networks binding,binding names one twice"),
]


@pytest.mark.parametrize(("change", "words"), BAD, ids=[w for _, w in BAD])
def test_a_bad_value_is_refused_by_name(change: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words.replace("(", r"\(")):
        dataclasses.replace(TrainConfig(), **change).validate()  # type: ignore[arg-type]


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        dataclasses.replace(TrainConfig(), layers=0, epochs=0, split="file").validate()
    assert all(words in str(caught.value) for words in ("--layers", "--epochs", "--split-file"))


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
    path.write_text(to_toml(config.to_dict()))
    assert TrainConfig.from_dict(read_toml(path)) == config


def test_wrong_keys_and_types_are_named() -> None:
    with pytest.raises(UsageError) as caught:
        TrainConfig.from_dict({"layerz": 3, "hidden": "wide", "gate": 1, "epochs": 2.5}, "run.toml")
    for words in ("run.toml", "'layerz'", "hidden = 'wide'", "gate = 1", "epochs = 2.5"):
        assert words in str(caught.value)


def test_a_file_that_is_not_toml(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("layers = = 3")
    with pytest.raises(UsageError, match="is not TOML"):
        read_toml(tmp_path / "run.toml")
    with pytest.raises(UsageError, match="No such file"):
        read_toml(tmp_path / "none.toml")


def test_none_is_left_out_and_restored() -> None:
    values = TrainConfig().to_dict()
    assert "max_steps" not in values
    assert TrainConfig.from_dict(tomllib.loads(to_toml(values))) == TrainConfig()


def test_flag_spelling() -> None:
    assert flag("batch_size") == "--batch-size"


@pytest.mark.parametrize(
    ("given", "factors"),
    [({}, 128), ({"variant": "both"}, 128), ({"variant": "difference"}, 0), ({"variant": "two-head"}, 0)],
)
def test_the_command_line_has_factors_but_in_the_published_variants(
    given: dict[str, object], factors: int, tmp_path: Path
) -> None:
    assert configuration(given, None, "concat").fm_rank == factors
    assert configuration({**given, "fm_rank": 7}, None, "concat").fm_rank == 7
    path = tmp_path / "run.toml"
    path.write_text(to_toml(given))
    assert configuration({"fm_rank": None}, path, "concat").fm_rank == factors
    path.write_text(to_toml({**given, "fm_rank": 3}))
    assert configuration({"fm_rank": None}, path, "concat").fm_rank == 3


def test_the_command_line_learns_a_similarity_wherever_there_are_factors(tmp_path: Path) -> None:
    assert configuration({}, None, "concat").similarity
    assert not configuration({"similarity": False}, None, "concat").similarity
    assert not configuration({"variant": "difference"}, None, "concat").similarity
    assert configuration({"variant": "difference", "fm_rank": 3}, None, "concat").similarity
    (tmp_path / "run.toml").write_text(to_toml({"similarity": False}))
    assert not configuration({}, tmp_path / "run.toml", "concat").similarity
    with pytest.raises(UsageError, match="--similarity with --fm-rank 0"):
        configuration({"fm_rank": 0, "similarity": True}, None, "concat")


@pytest.mark.parametrize(
    "recipe", sorted((Path(__file__).parents[1] / "data").glob("*.toml")), ids=lambda path: path.stem
)
def test_recipes_are_configurations(recipe: Path) -> None:
    known = {f.name for f in dataclasses.fields(TrainConfig)} | {"alleles", "replicates"}
    assert set(tomllib.loads(recipe.read_text())) <= known
