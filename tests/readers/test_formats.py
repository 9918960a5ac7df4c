"""The registry of formats: complete, and each layout with an example that shows the columns that are read."""

from __future__ import annotations

import dataclasses
import re

import pytest

from dglcell.config import BuildConfig, ScreenRules
from dglcell.errors import with_flags
from dglcell.readers import gene_layouts, network_layouts
from dglcell.readers.formats import all_formats, find_formats
from dglcell.readers.screens import matrices, screen_layouts

TABLES = [item for item in all_formats() if item.columns or item.example]


def test_every_layout_that_is_recognized_is_listed() -> None:
    names = [item.name for item in all_formats()]
    for layouts in (network_layouts.LAYOUTS, gene_layouts.LAYOUTS, screen_layouts.LAYOUTS, matrices.LAYOUTS):
        assert {layout.name for layout in layouts} <= set(names)
    assert {"SBML", "JSON", "YAML", "MATLAB .mat", "HDF5"} <= set(names)
    assert len(names) == len({(item.group, item.name) for item in all_formats()})


@pytest.mark.parametrize("item", TABLES, ids=lambda item: f"{item.group}: {item.name}")
def test_a_layout_has_an_example_with_its_columns(item) -> None:
    assert item.reads and item.example.endswith("\n")
    header = item.example.splitlines()
    for name in (name for names in item.columns.values() for name in names):
        assert name.startswith("column ") or any(name in line for line in header)


def test_a_setting_in_a_text_is_marked() -> None:
    """So that the command line prints an option; columns of a role are together."""
    (actions,) = find_formats("STRING actions")
    assert "--string-mode" in with_flags(actions.reads) and "string_mode" not in with_flags(actions.reads)
    (hgnc,) = find_formats("HGNC complete set")
    assert hgnc.columns["gene"] == ("symbol",) and hgnc.columns["aliases"][:2] == ("hgnc_id", "alias_symbol")
    fields = {field.name for kind in (BuildConfig, ScreenRules) for field in dataclasses.fields(kind)}
    for item in all_formats():
        words = set(re.findall(r"\w+_\w+", with_flags(item.reads)))
        assert words.isdisjoint(fields), item.name


def test_formats_are_found_by_words() -> None:
    assert [item.name for item in find_formats("TAB3 biogrid")] == ["BioGRID tab2 or tab3"]
    assert {item.group for item in find_formats("gene list")} == {"gene list"}
    assert find_formats("betamax") == []
