"""Every setting, declared once: how a cell graph is built, how screens are read, how a model is trained."""

from __future__ import annotations

from dglcell.config.build import BuildConfig
from dglcell.config.model import ModelConfig
from dglcell.config.screen import ScreenRules
from dglcell.config.settings import Settings, settings_table
from dglcell.config.toml import find_config, read_toml, recipes
from dglcell.config.train import TrainConfig

__all__ = [
    "BuildConfig",
    "ModelConfig",
    "ScreenRules",
    "Settings",
    "TrainConfig",
    "find_config",
    "read_toml",
    "recipes",
    "settings_table",
]
