"""A setting is declared once, as a dataclass field: default, help text, choices, range and group.

The declaration gives its check, its reading from TOML, its command-line option with help, and its row in the
documentation's table.
"""

from __future__ import annotations

import dataclasses
import operator
import os
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

from dglcell.errors import ErrorCollector, UsageError, flag, plain, setting

# Groups of settings, in the sequence in which help and documentation show them.
DATA, SPLIT, GRAPH, MODEL = "Data", "Split", "Graph", "Model"
FACTORIZATION, TRAINING, LOSS = "Gene factorization machine", "Training", "Loss"
COMPUTE, OUTPUT = "Compute", "Output"
GROUPS = (DATA, SPLIT, GRAPH, MODEL, FACTORIZATION, TRAINING, LOSS, COMPUTE, OUTPUT)

_REPR_LINES = 8
_EXPECTED = {
    "bool": "true or false",
    "int": "an integer",
    "float": "a number",
    "str": "text",
    "tuple": "a list of text values",
    "dict": "a table of numbers",
}


def declare(
    default: Any,
    help: str,
    group: str,
    *,
    choices: tuple[str, ...] = (),
    min: float | None = None,
    max: float | None = None,
    above: float | None = None,
    below: float | None = None,
    unset: str = "",
    example: str = "",
    path: bool = False,
    several: bool = False,
) -> Any:
    """A dataclass field that is a setting.

    Parameters
    ----------
    default
        `None` if the library decides, or if it sets no limit; `unset` then says what that means.
    help : str
        One or two sentences; other settings are named through `errors.setting`.
    group : str
        One of `GROUPS`.
    choices : tuple of str
        Allowed words, or for a number the words allowed in its place. `cuda:N` stands for any N.
    min, max, above, below : float, optional
        The range; `min` and `max` are allowed values, `above` and `below` are not.
    example : str
        How a value is written on the command line, where the type of the option does not show it.
    path : bool
        The setting names a file.
    several : bool
        A list of texts that may contain commas: on the command line, the option is repeated.
    """
    facts = {
        **{"help": help, "group": group, "choices": choices, "min": min, "max": max},
        **{"above": above, "below": below, "unset": unset, "example": example, "path": path, "several": several},
    }
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=facts)
    return dataclasses.field(default=default, metadata=facts)


@dataclasses.dataclass(frozen=True)
class Settings:
    """Base of every configuration: values are checked against their declarations."""

    def __repr__(self) -> str:
        fields = ((field, getattr(self, field.name)) for field in dataclasses.fields(self))
        changed = ", ".join(f"{field.name}={value!r}" for field, value in fields if value != _default(field))
        lines = textwrap.wrap(f"{type(self).__name__}({changed})", 100, subsequent_indent="    ")
        return "\n".join(lines if len(lines) <= _REPR_LINES else [*lines[: _REPR_LINES - 1], "    ..)"])

    def validate(self) -> Self:
        """The same settings, checked, with each `None` replaced by the value that it stands for.

        Returns
        -------
        A configuration of this class.

        Raises
        ------
        UsageError
            A value has the wrong type or is out of range, or two contradict each other; all of them are listed.
        """
        problems = ErrorCollector(UsageError)
        values: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            values[field.name] = _checked_type(field, getattr(self, field.name), problems)
        problems.check()
        resolved = dataclasses.replace(self, **values).resolve()
        for field in dataclasses.fields(resolved):
            _check_value(field, getattr(resolved, field.name), problems)
        resolved.check_together(problems)
        problems.check()
        return resolved

    def resolve(self) -> Self:
        """Replace each `None` by the value that it stands for, without checks."""
        return self

    def check_together(self, problems: ErrorCollector) -> None:
        """Add combinations of values that contradict each other.

        Parameters
        ----------
        problems : ErrorCollector
        """

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values.

        Returns
        -------
        dict
            Values that JSON and TOML can hold, by name; None is left out.
        """
        values = {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}
        return {k: v for k, v in values.items() if v is not None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "the configuration") -> Self:
        """A configuration from plain values, as in a TOML file; names and types are checked.

        Parameters
        ----------
        values : mapping
            Settings by name; the others have their defaults.
        where : str
            Where the values come from, for error messages.

        Returns
        -------
        A configuration of this class, not yet validated.

        Raises
        ------
        UsageError
            A name is unknown or a value has the wrong type; all of them are listed.
        """
        problems = ErrorCollector(UsageError)
        fields = {field.name: field for field in dataclasses.fields(cls)}
        converted: dict[str, Any] = {}
        for key, value in values.items():
            if key not in fields:
                problems.add(f"{where}: unknown setting {key!r}{_nearest(key, fields)}")
                continue
            try:
                converted[key] = _convert(fields[key], value)
            except (TypeError, ValueError):
                problems.add(f"{where}: {key} = {value!r} - {_expected_type(fields[key])} was expected")
        problems.check()
        return cls(**converted)

    @classmethod
    def require(cls, **values: Any) -> None:
        """Check single values against the settings of the same name, for a function that takes them as arguments.

        Parameters
        ----------
        **values
            Values by name of the setting.

        Raises
        ------
        UsageError
            A value has the wrong type or is out of range; all of them are listed.

        Examples
        --------
        >>> from dglcell.config import ScreenRules
        >>> ScreenRules.require(unknown_genes="drop")
        Traceback (most recent call last):
        dglcell.errors.UsageError: unknown_genes drop - few, skip or error was expected
        """
        problems = ErrorCollector(UsageError)
        for field in dataclasses.fields(cls):
            if field.name in values:
                _check_value(field, _checked_type(field, values[field.name], problems), problems)
        problems.check()

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of all settings.

        Returns
        -------
        tuple of str
            In the order of declaration.
        """
        return tuple(field.name for field in dataclasses.fields(cls))


class SettingRow(NamedTuple):
    """One row of the documentation's table of settings."""

    name: str
    flag: str
    default: str
    help: str
    group: str


def settings_table(settings: type[Settings]) -> list[SettingRow]:
    """The settings of a configuration, by group, for the documentation.

    Examples
    --------
    >>> from dglcell.config import ModelConfig
    >>> settings_table(ModelConfig)[0]
    SettingRow(name='layers', flag='--layers', default='3', help='Number of graph layers.', group='Model')
    """
    rows = [
        SettingRow(f.name, flag(f.name), plain(default_text(f)), plain(f.metadata["help"]), f.metadata["group"])
        for f in dataclasses.fields(settings)
    ]
    return sorted(rows, key=lambda row: GROUPS.index(row.group))


def default_text(field: dataclasses.Field[Any]) -> str:
    """A default as help and documentation show it; empty if there is none."""
    default = _default(field)
    if default is None or default == ():
        return str(field.metadata["unset"])
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, dict):
        return ",".join(f"{key}={value:g}" for key, value in default.items())
    return f"{default:g}" if isinstance(default, float) else str(default)


def kind(field: dataclasses.Field[Any]) -> str:
    """`bool`, `int`, `float`, `str`, `tuple` or `dict`, whether or not None or a word may stand in its place."""
    return re.split(r"[ \[|]", str(field.type))[0]


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _checked_type(field: dataclasses.Field[Any], value: Any, problems: ErrorCollector) -> Any:
    """The value in the declared type of the field; if that is impossible, None, and a problem is added."""
    try:
        return _convert(field, value)
    except (TypeError, ValueError):
        problems.add(f"{setting(field.name)} {value!r} - {_expected_type(field)} was expected")
        return None


def _convert(field: dataclasses.Field[Any], value: Any) -> Any:
    """A plain value in the declared type of the field; TypeError or ValueError if that is impossible."""
    what = kind(field)
    if value is None and _default(field) is None:
        return None
    if what == "int" and isinstance(value, str) and value in field.metadata["choices"]:
        return value
    if what == "tuple":
        return tuple(_text(item) for item in ([value] if isinstance(value, str | os.PathLike) else value))
    if what == "dict":
        return {_text(key): _number(weight) for key, weight in dict(value).items()}
    if what == "bool":
        if not isinstance(value, bool):
            raise TypeError(value)
        return value
    return {"int": _integer, "float": _number, "str": _text}[what](value)


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError(value)
    return int(value) if isinstance(value, float) and value.is_integer() else operator.index(value)


def _number(value: Any) -> float:
    if isinstance(value, bool | str):
        raise TypeError(value)
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str | os.PathLike):
        raise TypeError(value)
    return os.fspath(value)


def _check_value(field: dataclasses.Field[Any], value: Any, problems: ErrorCollector) -> None:
    facts = field.metadata
    if value is None or isinstance(value, bool | dict | tuple):
        return
    choices = facts["choices"]
    if isinstance(value, str):
        is_valid = not choices or any(_is_choice(value, choice) for choice in choices)
    else:
        is_valid = (
            (facts["min"] is None or value >= facts["min"])
            and (facts["max"] is None or value <= facts["max"])
            and (facts["above"] is None or value > facts["above"])
            and (facts["below"] is None or value < facts["below"])
            and value == value  # not a NaN
        )
    if not is_valid:
        problems.add(f"{setting(field.name)} {value} - {_expected_value(facts)} was expected")


def _is_choice(value: str, choice: str) -> bool:
    if choice.endswith(":N"):
        return re.fullmatch(re.escape(choice[:-1]) + r"\d+", value) is not None
    return value == choice


def _expected_type(field: dataclasses.Field[Any]) -> str:
    return " or ".join([*(field.metadata["choices"] if kind(field) == "int" else ()), _EXPECTED[kind(field)]])


def _expected_value(facts: Mapping[str, Any]) -> str:
    limits = {name: facts[name] for name in ("min", "above", "max", "below") if facts[name] is not None}
    if limits == {"min": 0}:
        numbers = "zero or more"
    elif limits == {"above": 0}:
        numbers = "a positive number"
    else:
        words = {"min": "at least", "above": "above", "max": "at most", "below": "below"}
        numbers = " and ".join(f"{words[name]} {limit:g}" for name, limit in limits.items())
    return _listed([*facts["choices"], *([numbers] if numbers else [])])


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _nearest(key: str, names: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(key, names, n=1)
    return f" - did you mean {close[0]}?" if close else ""


def grouped(settings: type[Settings]) -> Iterator[tuple[str, list[dataclasses.Field[Any]]]]:
    """Each group that has settings, with its settings."""
    fields = dataclasses.fields(settings)
    for group in GROUPS:
        members = [field for field in fields if field.metadata["group"] == group]
        if members:
            yield group, members
