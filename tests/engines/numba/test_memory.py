"""Memory that the fused CPU engine keeps: handed out again when nothing refers to it, never before."""

from __future__ import annotations

import itertools

import pytest
import torch

from dglcell.engines.numba import memory

ROWS = 4096  # of 64 float32: 1 MiB


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(memory, "_blocks", [])
    monkeypatch.setattr(memory, "_clock", itertools.count())


def empty(rows):
    return memory.empty(torch.empty(0), rows, 64)


def test_memory_is_handed_out_again():
    first = empty(ROWS)
    place = first.data_ptr()
    del first
    again = empty(ROWS + 100)
    assert again.data_ptr() == place and again.shape == (ROWS + 100, 64) and again.is_contiguous()
    assert empty(ROWS).data_ptr() != place


def test_a_part_that_is_still_seen_keeps_all_of_it():
    """A row of a tensor, or what autograd keeps for a gradient, is not written over."""
    weight = torch.ones(64, requires_grad=True)
    kept = empty(ROWS).fill_(2.0)
    product, row = (kept * weight).sum(), kept[5]
    del kept
    empty(ROWS).fill_(7.0)
    product.backward()
    assert (row == 2).all() and (weight.grad == 2 * ROWS).all()


def test_a_small_tensor_does_not_take_a_large_block():
    place = empty(8 * ROWS).data_ptr()
    assert empty(ROWS).data_ptr() != place
    assert len(memory._blocks) == 2
    assert empty(10).shape == (10, 64) and len(memory._blocks) == 2  # the allocator's own business


def test_blocks_that_nobody_wants_are_dropped(monkeypatch):
    monkeypatch.setattr(memory, "_AGE", 3)
    used = empty(8 * ROWS)
    for _ in range(5):
        empty(ROWS)
    empty(2 * ROWS + 1024)
    assert len(memory._blocks) == 3  # one in use, one used lately, the new one
    for _ in range(4):
        empty(2 * ROWS + 1024)
    empty(30 * ROWS)
    assert [b.memory.size >> 20 for b in memory._blocks] == [9, 2, 33]
    del used


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_type_and_alignment(dtype):
    x = memory.empty(torch.empty(0, dtype=dtype, requires_grad=True), ROWS, 2, 32)
    assert x.dtype == dtype and x.shape == (ROWS, 2, 32) and x.data_ptr() % 64 == 0 and not x.requires_grad
