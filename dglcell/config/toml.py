"""Reading of configurations from TOML files and from the recipes that come with dglcell."""

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
        The file does not exist or is not TOML.
    """
    try:
        with open(path, "rb") as handle:
            return tomllib.load(handle)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror} - a TOML configuration was expected") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML ({error}) - lines such as epochs = 10 were expected") from error


def recipes() -> dict[str, Path]:
    """Files of the recipes, the configurations that come with dglcell, by name."""
    folder = Path(str(importlib.resources.files("dglcell.data"))) / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find_config(name: str | Path) -> Path:
    """The file of the recipe of this name, or the path of a TOML file itself.

    Raises
    ------
    UsageError
        It is neither a recipe nor a file; the message lists the recipes.
    """
    by_name = recipes()
    if str(name) in by_name:
        return by_name[str(name)]
    if not Path(name).is_file():
        raise UsageError(f"{name}: no such recipe or file - {', '.join(by_name)} or a TOML file was expected")
    return Path(name)
