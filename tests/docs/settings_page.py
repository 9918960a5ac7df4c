"""The tables of docs/settings.md, from the settings themselves: python -m tests.docs.settings_page renews them."""

from __future__ import annotations

import dataclasses
import re
from itertools import groupby

from dglcell import config
from dglcell.config.settings import SettingRow
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "settings.md"
_SECTION = re.compile(r"(<!-- settings: (\w+) -->\n).*?(<!-- end -->)", re.S)


def tables(name: str) -> str:
    """The table of a configuration class; of the long one, a table for each group."""
    parts = []
    grouped = name == "TrainConfig"
    for group, rows in groupby(config.settings_table(getattr(config, name)), key=lambda row: grouped and row.group):
        lines = [f"| `{row.flag}` | {cell(row.default)} | {cell(row.help)}{choices(name, row)} |" for row in rows]
        title = f"### {group}\n\n" if grouped else ""
        parts.append("\n".join([f"{title}| option | default | meaning |", "|---|---|---|", *lines]) + "\n")
    return "\n".join(parts)


def cell(text: str) -> str:
    """Text as it stands in a cell of a Markdown table, names of settings as code."""
    names = "|".join(name for name in config.TrainConfig.names() if "_" in name)
    return re.sub(rf'(\w+="[\w-]+"|\b(?:{names})\b)(?![`=])', r"`\1`", text.replace("|", "\\|"))


def choices(name: str, row: SettingRow) -> str:
    """The choices, where the help does not name them."""
    (field,) = (f for f in dataclasses.fields(getattr(config, name)) if f.name == row.name)
    words = field.metadata["choices"]
    if all(re.search(rf"\b{word}\b", row.help) for word in words):
        return ""
    return f" One of {', '.join(f'`{word}`' for word in words)}."


def renewed(text: str) -> str:
    """The page with its tables as the settings are now."""
    return _SECTION.sub(lambda match: f"{match[1]}\n{tables(match[2])}\n{match[3]}", text)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
