"""The tables of docs/layouts.md, from the registry of formats: python -m tests.docs.layouts_page renews them."""

from __future__ import annotations

import re

from dglcell.errors import flag, with_flags
from dglcell.readers.formats import Format, all_formats
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "layouts.md"
_SECTION = re.compile(r"(<!-- formats: ([\w ]+) -->\n).*?(<!-- end -->)", re.S)


def table(group: str) -> str:
    """The formats of a group."""
    lines = [row(item) for item in all_formats() if item.group == group]
    if group == "metabolic model":
        return "\n".join(["| format | what is read |", "|---|---|", *lines]) + "\n"
    return "\n".join(["| layout | option | columns | what is read | source |", "|---|---|---|---|---|", *lines]) + "\n"


def row(item: Format) -> str:
    """One row of the table."""
    reads = cell(with_flags(item.reads))
    if item.group == "metabolic model":
        return f"| {cell(item.name)} | {reads} |"
    columns = "; ".join(f"{role}: {', '.join(names)}" for role, names in item.columns.items())
    options = ", ".join(f"`{flag(option)}`" for option in item.options)
    return f"| {cell(item.name)} | {options} | {cell(columns)} | {reads} | {cell(item.source)} |"


def cell(text: str) -> str:
    """Text as it stands in a cell of a Markdown table."""
    return re.sub(r"([|*_<>])", r"\\\1", " ".join(text.split()))


def renewed(text: str) -> str:
    """The page with its tables as the registry is now."""
    return _SECTION.sub(lambda match: f"{match[1]}\n{table(match[2])}\n{match[3]}", text)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
