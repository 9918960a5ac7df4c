"""Configurations in TOML files, and those that come with dglcell (recipes)."""

from __future__ import annotations

import importlib.resources
import tomllib
from pathlib import Path
from typing import Any

from dglcell.errors import UsageError


def read_toml(path: Path | str) -> dict[str, Any]:
    """The top-level table of a TOML file.

    Raises
    ------
    UsageError
        There is no such file, or it is not TOML.
    """
    try:
        with open(path, "rb") as handle:
            return tomllib.load(handle)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror} - a TOML configuration was expected") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error


def recipes() -> dict[str, Path]:
    """The configurations that come with dglcell, by name."""
    folder = Path(str(importlib.resources.files("dglcell.data"))) / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find_config(name: str | Path) -> Path:
    """The file of a recipe, by its name, or the path itself.

    Raises
    ------
    UsageError
        It is neither; the recipes are listed.
    """
    by_name = recipes()
    if str(name) in by_name:
        return by_name[str(name)]
    if not Path(name).is_file():
        raise UsageError(f"{name}: no such file or recipe - a TOML file or one of {', '.join(by_name)} was expected")
    return Path(name)
