"""The optimiser: weight decay on the network's weights alone, and gradients that are clipped before each step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from dglcell.nn.model import CellModel
from dglcell.nn.states import GraphSizes
from dglcell.training.optim import adamw
from tests.cells import tiny_cell
from tests.runs import tiny_config, tiny_run

LR, FM_LR, DECAY = 1e-2, 4e-2, 0.1


def test_weight_decay_spares_the_factorization_machine() -> None:
    """With gradients of 0 a step does nothing but decay."""
    cell = tiny_cell(features=3)
    config = tiny_config(fm_rank=4, ppr_topk=5, lr=LR, fm_lr=FM_LR, weight_decay=DECAY)
    model = CellModel(config, GraphSizes.of(cell), torch.from_numpy(cell.features), torch.from_numpy(cell.has_features))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1.0)
            parameter.grad = torch.zeros_like(parameter)
    optimizer = adamw(model, config)
    optimizer.step()
    machine = {name for name, _ in model.named_parameters() if name.startswith("fm.")}
    assert {"fm.identity", "fm.feature_weight"} < machine
    for name, parameter in model.named_parameters():
        expected = 1.0 if name in machine else 1.0 - LR * DECAY
        torch.testing.assert_close(parameter.detach(), torch.full_like(parameter, expected), rtol=0, atol=1e-7)


def test_the_factorization_machine_has_its_own_learning_rate() -> None:
    """The first step of Adam is the learning rate, whatever the gradient."""
    cell = tiny_cell()
    config = tiny_config(fm_rank=4, ppr_topk=5, lr=LR, fm_lr=FM_LR, weight_decay=0.0)
    model = CellModel(config, GraphSizes.of(cell))
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    adamw(model, config).step()
    for name, parameter in model.named_parameters():
        step = FM_LR if name.startswith("fm.") else LR
        torch.testing.assert_close(
            before[name] - parameter.detach(), torch.full_like(parameter, step), rtol=1e-4, atol=0
        )


@pytest.fixture
def gradient_norms() -> Iterator[list[float]]:
    """The norm of all gradients together at each step of any optimiser."""
    norms: list[float] = []

    def note(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        norms.append(float(torch.stack([p.grad.norm() for p in parameters]).norm()))

    hook = register_optimizer_step_pre_hook(note)
    yield norms
    hook.remove()


@pytest.mark.usefixtures("no_plots")
def test_gradients_are_clipped_to_the_norm_that_is_asked_for(tmp_path: Path, gradient_norms: list[float]) -> None:
    tiny_run(tmp_path / "free", epochs=1, fm_rank=4, ppr_topk=5, grad_clip=1e9)
    free = list(gradient_norms)
    steps = json.loads((tmp_path / "free" / "metrics.jsonl").read_text())["step"]
    limit = min(free) / 2
    gradient_norms.clear()
    tiny_run(tmp_path / "clipped", epochs=1, fm_rank=4, ppr_topk=5, grad_clip=limit)
    assert len(free) == len(gradient_norms) == steps > 1
    assert gradient_norms == pytest.approx([limit] * steps, rel=1e-4)
