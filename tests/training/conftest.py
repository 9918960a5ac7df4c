"""What tests of training may ask for."""

from __future__ import annotations

import pytest

from dglcell.plots import figures


@pytest.fixture
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run without its pictures, which cost more than a tiny training."""
    monkeypatch.setattr(figures, "training_curves", lambda *args, **kwargs: None)
    monkeypatch.setattr(figures, "predicted_against_measured", lambda *args, **kwargs: None)
