"""Command-line options from the declarations of settings: one option per field, with its name and help."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import click

from dglcell.cli import options
from dglcell.cli.help import option
from dglcell.config import Settings, TrainConfig, find_config, read_toml
from dglcell.config.settings import default_text, grouped, kind
from dglcell.errors import flag, with_flags

_MOST_CHOICES = 4  # that help shows beside an option; if there are more, the help text names them
_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class _Numbers(options.ParamType):
    name = "name=number,.."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, float]:
        try:
            pairs = [item.split("=") for item in value.split(",")]
            return {name.strip(): float(number) for name, number in pairs}
        except ValueError:
            self.fail(f"{value!r} - names and numbers such as fitness=1,gene_interaction=1 were expected", param, ctx)


class _Names(options.ParamType):
    name = "name,.."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        names = [name.strip() for name in value.split(",")]
        return names if all(names) else self.fail(f"{value!r} - names joined by commas were expected", param, ctx)


class _IntegerOr(options.ParamType):
    """An integer or one of some words."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words
        self.name = "|".join([*words, "integer"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | int:
        if value in self.words:
            return str(value)
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} - {' or '.join([*self.words, 'an integer'])} was expected", param, ctx)


def setting_options(settings: type[Settings], without: Collection[str] = ()) -> _Decorator:
    """Add an option for every field, except `without`; without the option, its value is None (or an empty tuple)."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for _, fields in reversed(list(grouped(settings))):
            for field in reversed(fields):
                if field.name not in without:
                    command = _option(field)(command)
        return command

    return decorate


def setting_option(settings: type[Settings], name: str, **changes: Any) -> _Decorator:
    """The option of a single field; without the option, its value is the default.

    Parameters
    ----------
    **changes
        What this command declares differently, such as `default=1024`.
    """
    field = next(f for f in dataclasses.fields(settings) if f.name == name)
    return _option(field, **{"default": field.default, **changes})


def _option(field: dataclasses.Field[Any], **changes: Any) -> _Decorator:
    name, facts = field.name, field.metadata
    default = str(changes["default"]) if changes.get("default") not in (None, ()) else default_text(field)
    example = changes.pop("example", facts["example"])
    words = [
        changes.get("help", facts["help"]),
        f"Example: {example}." if example and example != default else "",
        f"[default: {default}]" if default else "",
    ]
    more: dict[str, Any] = {"group": facts["group"], **changes, "help": with_flags(" ".join(filter(None, words)))}
    if len(facts["choices"]) > _MOST_CHOICES:
        more["metavar"] = name.upper()
    elif kind(field) == "str" and facts["choices"]:
        more["metavar"] = f"[{'|'.join(facts['choices'])}]"
    what = kind(field)
    if what == "bool":
        return option(f"{flag(name)}/{flag(name, False)}", **{"default": None, **more})
    if what == "tuple" and (facts["path"] or facts["several"]):
        return option(flag(name), multiple=True, type=options.FILE if facts["path"] else str, **more)
    return option(flag(name), type=_type(field), **more)


def _type(field: dataclasses.Field[Any]) -> Any:
    facts, what = field.metadata, kind(field)
    if facts["path"]:
        return options.FILE
    if what == "int" and facts["choices"]:
        return _IntegerOr(facts["choices"])
    if facts["choices"] and not any(choice.endswith(":N") for choice in facts["choices"]):
        return click.Choice(facts["choices"])
    kinds: dict[str, Any] = {"int": int, "float": float, "str": str, "tuple": _Names(), "dict": _Numbers()}
    return kinds[what]


def settings_of_options(settings: type[Settings], values: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are on the command line, as plain values by field."""
    explicit = {name: values[name] for name in settings.names() if values.get(name) is not None and values[name] != ()}
    return {name: _plain(value) for name, value in explicit.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def option_text(field: dataclasses.Field[Any], value: Any) -> str:
    """A setting as it is typed."""
    if isinstance(value, bool):
        return flag(field.name, value)
    if isinstance(value, Mapping):
        value = ",".join(f"{key}={number:g}" for key, number in value.items())
    elif isinstance(value, tuple):
        separator = " " if field.metadata["path"] or field.metadata["several"] else ","
        value = separator.join(value)
    return f"{flag(field.name)} {value:g}" if isinstance(value, float) else f"{flag(field.name)} {value}"


def configuration(values: Mapping[str, Any], config: str | None) -> TrainConfig:
    """The checked configuration: defaults, changed by the TOML file or recipe, then by options; None is left as it is.

    Raises
    ------
    UsageError
        A setting cannot be used.
    """
    file: dict[str, Any] = read_toml(find_config(config)) if config else {}
    settings = TrainConfig.from_dict(file | settings_of_options(TrainConfig, values), config or "the options")
    settings.validate()
    return settings
