"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch loads: spinning threads crawl on busy cores

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


@pytest.fixture(scope="session")
def yeast() -> Path:
    """Folder of the public yeast files: DGLCELL_YEAST, or `shared/data/yeast` beside the checkout."""
    named = os.environ.get("DGLCELL_YEAST")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data" / "yeast"
    if not folder.is_dir():
        pytest.skip(f"no public yeast files: {folder} is not a folder (set DGLCELL_YEAST to where they are)")
    return folder
