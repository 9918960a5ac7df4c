"""Real models, read once."""

import types

import pytest

from dglcell.graph.build import build
from dglcell.readers.models import read_model, textbook_path

SBML = "yeast-GEM-9.0.2.xml.gz"


@pytest.fixture(scope="session")
def cobra_yeast(yeast):
    return _cobra(yeast / SBML)


@pytest.fixture(scope="session")
def core():
    """The E. coli core model: cobra's own reading of it, and the cell graph."""
    return types.SimpleNamespace(cobra=_cobra(textbook_path()), cell=build(read_model(textbook_path())))


def _cobra(path):
    import logging

    from cobra.io import read_sbml_model

    logging.getLogger("cobra").setLevel(logging.ERROR)
    return read_sbml_model(str(path))
