"""What the tests of readers share."""

from __future__ import annotations

import pytest


@pytest.fixture
def write(tmp_path):
    def writer(text, name="genes.txt"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return writer
