"""What every test may ask for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch loads: spinning threads crawl on busy cores

# No test watches the clock: an example may take long on a machine that does much else.
settings.register_profile("dglcell", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dglcell")

REPOSITORY = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever uses the yeast files, so that `-m "not yeast"` leaves it out."""
    for item in items:
        if "yeast" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.yeast)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked `gpu` runs where CUDA answers."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """PyTorch on one thread, for test modules that use it."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def yeast() -> Path:
    """Folder of the public yeast files: DGLCELL_YEAST, or `shared/data/yeast` beside the checkout."""
    named = os.environ.get("DGLCELL_YEAST")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data" / "yeast"
    if not folder.is_dir():
        pytest.skip(f"no public yeast files: {folder} is not a folder (set DGLCELL_YEAST to where they are)")
    return folder


@pytest.fixture(scope="session")
def yeast_files(yeast: Path) -> SimpleNamespace:
    """Records of the public yeast files, read once."""
    from dglcell.readers import genes, models, networks
    from dglcell.readers.edge_table import PHYSICAL, REGULATORY
    from dglcell.readers.screens import read as screens

    return SimpleNamespace(
        model=models.read_model(yeast / "yeast-GEM-9.0.2.xml.gz"),
        genes=genes.read_genes(yeast / "SGD_features.tab.gz"),
        biogrid=networks.read_network(yeast / "biogrid_physical.tsv.gz", PHYSICAL),
        string=networks.read_network(yeast / "4932.protein.actions.v11.0.txt.gz", PHYSICAL),
        yeastract=networks.read_network(yeast / "YEASTRACT_20190713_BOTH.tsv.gz", REGULATORY),
        costanzo=screens.read_screen(yeast / "sgadata_costanzo2009_intermediateCutoff_101120.txt.gz"),
    )


@pytest.fixture(scope="session")
def yeast_records(yeast_files: SimpleNamespace) -> dict[str, Any]:
    """Keyword arguments of `build`."""
    return {
        "model": yeast_files.model,
        "genes": yeast_files.genes,
        "physical": [yeast_files.biogrid, yeast_files.string],
        "regulatory": [yeast_files.yeastract],
    }


@pytest.fixture(scope="session")
def yeast_cell(yeast_records: dict[str, Any]) -> Any:
    """The yeast cell graph."""
    from dglcell.graph.build import build

    return build(**yeast_records)
