"""AdamWFit: how many epochs, by what."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from dglcell.baselines.adamw_fit import AdamWFit


def run(errors: list[float] | None, rows: int = 10, epochs: int = 9) -> tuple[float, int, int]:
    net = nn.Linear(1, 1)
    batches: list[torch.Tensor] = []

    def loss(batch: torch.Tensor) -> torch.Tensor:
        batches.append(batch)
        return net.weight.square().sum()

    given = iter(errors or [])
    descent = AdamWFit(epochs, batch_size=4, lr=0.1, patience=2)
    found = descent.run(net, loss, np.arange(rows) + 5, (lambda: next(given)) if errors else None)
    if rows:
        assert sorted(torch.cat(batches[:3]).tolist()) == list(range(5, 15))
    return (*found, len(batches))


def test_it_stops_when_the_held_out_error_no_longer_falls() -> None:
    assert run([3.0, 1.0, 2.0, 2.0, 0.0]) == (1.0, 2, 3 * 4)
    assert run([3.0, 1.0, 2.0, 0.5, 0.7, 0.6, 9.0]) == (0.5, 4, 3 * 6)


def test_an_error_that_is_never_a_number_chooses_half_of_the_epochs() -> None:
    nan = float("nan")
    assert run([nan] * 9)[:2] == (float("inf"), 4)
    assert run([nan, 2.0, nan, nan, 1.0])[:2] == (2.0, 2)
    assert run([nan], epochs=1)[:2] == (float("inf"), 1)
    assert run([nan, nan, nan, nan, 1.0, 2.0, 2.0])[:2] == (1.0, 5)


def test_without_an_error_all_epochs_are_run() -> None:
    assert run(None)[1:] == (9, 3 * 9)
    assert run(None, rows=0)[1:] == (9, 0)


def test_one_thread_and_then_the_callers_own() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    seen: list[int] = []
    net = nn.Linear(1, 1)
    try:
        AdamWFit(1, 4, 0.1).run(net, lambda b: seen.append(torch.get_num_threads()) or net.bias.sum(), np.arange(3))
        assert seen == [1] and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
