"""The command line and Python read the same settings from the same file, and name them each in its own way."""

from __future__ import annotations

from pathlib import Path

import pytest

from dglcell.cli import train
from dglcell.cli.settings import configuration, settings_of_options
from dglcell.config import TrainConfig, recipes
from dglcell.errors import UsageError

FILES = {
    "nothing": "",
    "variant": 'variant = "difference"\n',
    "two-head": 'variant = "two-head"\nfm_rank = 4\n',
    "no similarity": "similarity = false\nfm_rank = 3\n",
    "off": "fm_rank = 0\n",
    "folds": 'split = "kfold"\n',
    "fold": 'split = "kfold"\nfold = 3\n',
    "file": 'split_file = "split.tsv"\nscreen = "a.tsv"\n',
    "features": 'features_mode = "replace"\nnetworks = ["binding"]\nchunk = 7\n',
    "weights": 'label_weights = { fitness = 0.5 }\nunknown_genes = "skip"\nmax_p = 1\n',
}


def of_command_line(*arguments: str) -> TrainConfig:
    """What `dglcell train cell.h5 ARGUMENTS` trains with."""
    values = train.command.make_context("train", ["cell.h5", *arguments, "--out", "run"]).params
    return configuration(values, values["config"]).validate()


@pytest.mark.parametrize("name", sorted(recipes()))
def test_a_recipe_is_the_same_to_both(name: str) -> None:
    expected = TrainConfig.from_recipe(name).validate()
    assert of_command_line("--config", name) == expected
    assert of_command_line("--config", str(recipes()[name])) == expected


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_file_is_the_same_to_both(content: str, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(content)
    assert of_command_line("--config", str(path)) == TrainConfig.from_recipe(path).validate()


def test_options_alone_are_what_python_gives() -> None:
    assert of_command_line() == TrainConfig().validate()
    options = ("--no-feedback", "--gate", "--lr", "0.1", "--chunk", "4", "--networks", "a,b", "--variant", "both")
    values = {"feedback": False, "gate": True, "lr": 0.1, "chunk": 4, "networks": ("a", "b"), "variant": "both"}
    assert of_command_line(*options) == TrainConfig(**values).validate()
    weights = {"fitness": 1.0, "gene_interaction": 0.0}
    assert of_command_line("--label-weights", "fitness=1,gene_interaction=0").label_weights == weights
    assert of_command_line("--screen", "a.tsv", "b.tsv").screen == ("a.tsv", "b.tsv")


def test_options_overrule_the_file(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('hidden = 8\nlayers = 1\nnetworks = ["a"]\ngate = true\n')
    config = of_command_line("--config", str(tmp_path / "run.toml"), "--layers", "2", "--no-gate", "--networks", "b")
    assert (config.hidden, config.layers, config.networks, config.gate) == (8, 2, ("b",), False)


def test_only_what_is_given_arrives() -> None:
    values = train.command.make_context("train", ["cell.h5", "--layers", "2", "--out", "run"]).params
    assert settings_of_options(TrainConfig, values) == {"layers": 2}


@pytest.mark.parametrize(
    ("options", "values", "python", "command_line"),
    [
        (("--fm-rank", "-1"), {"fm_rank": -1}, "fm_rank -1 - zero", "--fm-rank -1 - zero"),
        (("--fold", "2"), {"fold": 2}, 'give split="kfold"', "give --split kfold"),
        (
            ("--fm-rank", "0", "--similarity"),
            {"fm_rank": 0, "similarity": True},
            "similarity=False",
            "--no-similarity",
        ),
    ],
)
def test_an_error_names_settings_as_its_reader_spells_them(
    cli, options: tuple[str, ...], values: dict[str, object], python: str, command_line: str
) -> None:
    with pytest.raises(UsageError) as caught:
        TrainConfig.from_dict(values).validate()
    assert python in str(caught.value) and "--" not in str(caught.value)
    done = cli("train", "cell.h5", *options, "--out", "run")
    assert done.code == 2 and command_line in done.err and "_rank" not in done.err


def test_a_warning_names_settings_as_flags(cli, core: Path, tmp_path: Path) -> None:
    small = ("--hidden", "8", "--layers", "1", "--epochs", "1", "--features-mode", "replace", "--fm-rank", "0")
    done = cli("train", core, *small, "--out", tmp_path / "run")
    assert "dglcell: warning: --features-mode replace has no effect" in done.err


def test_an_unknown_recipe_lists_the_recipes(cli) -> None:
    done = cli("train", "cell.h5", "--config", "costanzo2011", "--out", "run")
    assert done.code == 2 and all(name in done.err for name in recipes())
