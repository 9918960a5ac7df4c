"""Help: complete and by groups, plain where it is piped, in colour in a terminal."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys

import pytest

from dglcell.cli.main import _COMMANDS
from dglcell.config import BuildConfig, ScreenRules, TrainConfig
from dglcell.config.settings import GROUPS, default_text, grouped
from dglcell.errors import flag, with_flags

pty = pytest.importorskip("pty")  # no terminals on Windows


def sections(text: str) -> dict[str, str]:
    """The text below each heading of plain help, its lines joined."""
    parts = re.split(r"^(\w[\w ]*):$", text, flags=re.M)
    return {name: " ".join(body.split()) for name, body in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize(
    ("command", "settings"), [("train", [TrainConfig]), ("preprocess", [BuildConfig, ScreenRules])], ids=str
)
def test_every_setting_is_in_its_group(cli, command: str, settings: list[type]) -> None:
    done = cli(command, "--help")
    assert done.code == 0 and "\x1b" not in done.out and "│" not in done.out
    found = sections(done.out)
    names = [name for name in found if name in GROUPS]
    assert names == sorted(names, key=GROUPS.index)
    for config in settings:
        for group, fields in grouped(config):
            for field in fields:
                assert f"{flag(field.name)} " in found[group], field.name
                assert with_flags(field.metadata["help"]) in found[group], field.name
                if default := with_flags(default_text(field)):
                    assert f"[default: {default}]" in found[group], field.name
    assert {field.name for config in settings for _, fields in grouped(config) for field in fields} == {
        field.name for config in settings for field in dataclasses.fields(config)
    }


def test_a_command_that_shares_an_option_shows_its_own_default(cli) -> None:
    found = sections(cli("predict", "--help").out)
    assert "--batch-size INTEGER Number of genotypes to score at a time. [default: 1024]" in found["Compute"]
    assert with_flags(TrainConfig.__dataclass_fields__["device"].metadata["help"]) in found["Compute"]
    assert "TABLE" in found["Arguments"] and "--out" in found["Output"]


def in_a_terminal(columns: int, *arguments: str) -> str:
    """What the command writes to a terminal of this width."""
    ours, theirs = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "CI", "GITHUB_ACTIONS")}
    process = subprocess.Popen(
        [sys.executable, "-m", "dglcell.cli", *arguments],
        stdout=theirs,
        stderr=theirs,
        env={**environment, "TERM": "xterm-256color", "COLUMNS": str(columns)},
    )
    os.close(theirs)
    chunks = []
    try:
        while chunk := os.read(ours, 1 << 16):
            chunks.append(chunk)
    except OSError:  # how Linux says that the other end is closed
        pass
    finally:
        os.close(ours)
    assert process.wait(timeout=60) == 0
    return b"".join(chunks).decode()


@pytest.mark.parametrize("command", [(), ("train",), ("predict",)], ids=str)
def test_a_terminal_has_panels_and_colours(command: tuple[str, ...]) -> None:
    text = in_a_terminal(110, *command, "--help")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "\x1b[" in text and "╭" in plain
    assert all(f"─ {name} " in plain for name in (("Commands",) if not command else ("Output", "Compute")))
    if not command:
        assert all(re.search(rf"│ {name} +{summary[:20]}", plain) for name, summary in _COMMANDS.items())
    if command == ("train",):
        for field in dataclasses.fields(TrainConfig):
            assert flag(field.name)[:20] in plain, field.name


def test_a_narrow_terminal_breaks_no_name_of_an_option() -> None:
    styled = in_a_terminal(80, "train", "--help")
    text = re.sub(r"\x1b\[[0-9;]*m", "", styled)
    assert "\x1b[" in styled and "│" not in text and max(map(len, text.splitlines())) <= 80
    for field in dataclasses.fields(TrainConfig):
        assert re.search(rf"{flag(field.name)}\b", text), field.name
        if isinstance(field.default, bool):
            assert re.search(rf"{flag(field.name, False)}\b", text), field.name
