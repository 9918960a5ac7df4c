"""Real models, read once."""

import types

import pytest

from dglcell.graph.build import build
from dglcell.sources.genes import read_genes
from dglcell.sources.networks import read_network
from dglcell.sources.sbml import read_model, textbook_path

SBML = "yeast-GEM-9.0.2.xml.gz"
GENES = "SGD_features.tab.gz"
PHYSICAL = ("biogrid_physical.tsv.gz", "4932.protein.actions.v11.0.txt.gz")
REGULATORY = "YEASTRACT_20190713_BOTH.tsv.gz"


@pytest.fixture(scope="session")
def yeast_records(yeast):
    """Records of the public yeast files, as keyword arguments of `build`."""
    return {
        "model": read_model(yeast / SBML),
        "genes": read_genes(yeast / GENES),
        "physical": [read_network(yeast / name, "physical") for name in PHYSICAL],
        "regulatory": [read_network(yeast / REGULATORY, "regulatory")],
    }


@pytest.fixture(scope="session")
def yeast_cell(yeast_records):
    return build(**yeast_records)


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
