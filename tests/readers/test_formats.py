"""The registry of formats: complete, and each layout with an example that shows the columns that are read."""

from __future__ import annotations

import pytest

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
    for name in item.columns.values():
        assert name.startswith("column ") or any(name in line for line in header)


def test_formats_are_found_by_words() -> None:
    assert [item.name for item in find_formats("TAB3 biogrid")] == ["BioGRID tab2 or tab3"]
    assert {item.group for item in find_formats("gene list")} == {"gene list"}
    assert find_formats("betamax") == []
