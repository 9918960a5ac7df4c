"""The compiled loops of the fused CPU engine against plain restatements, and the threads that run them."""

from __future__ import annotations

import multiprocessing
import os

import numba
import numpy as np
import pytest
import torch

from dglcell.engines import operators
from dglcell.engines.numba import functions
from dglcell.engines.numba import threads as numba_threads
from dglcell.engines.numba.vectors import exponentials
from dglcell.engines.packed.affected_nodes import Sparse
from dglcell.engines.packed.delta_states import Rows

TOLERANCE = {torch.float32: (1e-5, 1e-4), torch.float64: (1e-10, 1e-10)}  # of values, of gradients


@pytest.fixture(params=[1, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def random_rows(rng, nodes, genotypes):
    """Rows of which some changed; every genotype loses nodes, the last one all but two."""
    dead = rng.random((genotypes, nodes)) < 0.2
    dead[-1] = True
    dead[-1, :2] = False
    return Rows.changed(rng.random((genotypes, nodes)) < 0.5, dead), dead


def plain_attention(x_src, x_dst, a, bias, edges, lookup, target, made):
    """Row after row, with every message kept."""
    rows = []
    for p, (b, n) in enumerate(zip(made.genotype, made.node, strict=True)):
        r = lookup[b, edges.src[edges.ptr[n] : edges.ptr[n + 1]]]
        x = x_src[torch.from_numpy(r[r >= 0]).long()]
        scores = (torch.nn.functional.leaky_relu(x + x_dst[target[p]], 0.2) * a).sum(-1)
        rows.append((scores.softmax(0).unsqueeze(-1) * x).sum(0) + bias)
    return torch.stack(rows)


def difference(found, expected):
    """Relative to the largest element."""
    return float((found - expected).detach().abs().max() / expected.detach().abs().max())


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize(("heads", "width"), [(2, 32), (1, 16), (3, 5), (2, 40)])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_attention_equals_the_plain_one(dtype, heads, width, scale, threads):
    """Widths of whole vectors and others; at scale 30 one source has nearly all the weight."""
    rng = np.random.default_rng(heads * width)
    senders, dead = random_rows(rng, 30, 4)
    made = Rows.changed(rng.random((4, 30)) < 0.7, dead)
    edges = Sparse.of(rng.integers(0, 30, 500), rng.integers(0, 29, 500), 30)  # node 29 has no in-edge
    target = made.within(senders)

    def inputs():
        torch.manual_seed(1)
        shapes = (len(senders), heads, width), (len(senders), heads, width), (heads, width), (heads, width)
        return [
            (torch.randn(s, dtype=torch.float64) * k).requires_grad_()
            for s, k in zip(shapes, (1, 1, scale / 6, 1), strict=True)
        ]

    expected_of, found_of = inputs(), [x.detach().to(dtype).requires_grad_() for x in inputs()]
    expected = plain_attention(*expected_of, edges, senders.lookup, target, made)
    found = functions.attention(*found_of, edges, senders, target, made)
    upstream = torch.randn(expected.shape, dtype=torch.float64)
    expected.backward(upstream)
    found.backward(upstream.to(dtype))
    value, gradient = TOLERANCE[dtype]
    assert found.dtype == dtype and difference(found.double(), expected) < value * max(1, scale / 3)
    for x, y in zip(found_of, expected_of, strict=True):
        assert difference(x.grad.double(), y.grad) < gradient


def test_a_diverged_row_is_noticed():
    made = Rows.shared(2)
    edges = Sparse.of(np.array([0, 1]), np.array([0, 1]), 2)
    x = torch.ones(2, 1, 16)
    x[0, 0, 3] = torch.nan
    y = functions.attention(x, x, x[1], x[1], edges, made, made.within(made), made)
    assert y[0].isnan().any() and not y[1].isnan().any()


def check_equal(function, plain, shapes, dtype):
    """Values and gradients of a function of random tensors against those of `plain` in float64."""
    torch.manual_seed(1)
    exact = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    given = [x.to(dtype).requires_grad_() for x in exact]
    exact = [x.requires_grad_() for x in exact]
    expected, found = plain(*exact), function(*given)
    upstream = torch.randn(expected.shape, dtype=torch.float64)
    expected.backward(upstream)
    found.backward(upstream.to(dtype))
    value, gradient = TOLERANCE[dtype]
    assert found.dtype == dtype and difference(found.double(), expected) < value
    for x, y in zip(given, exact, strict=True):
        assert difference(x.grad.double(), y.grad) < gradient


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("rows", [1, 6, 137])
@pytest.mark.parametrize(("k", "m"), [(64, 64), (16, 16), (32, 144), (48, 5), (7, 16)])
def test_linear_equals_that_of_torch(dtype, rows, k, m, threads):
    """Whole tiles and what is left over of rows, of wide columns and of weights; widths of no whole vectors."""
    check_equal(functions.linear, torch.nn.functional.linear, [(rows, k), (m, k), (m,)], dtype)


def test_linear_without_a_bias():
    x, weight = torch.randn(9, 16), torch.randn(32, 16)
    torch.testing.assert_close(functions.linear(x, weight, None), x @ weight.T)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("masked", [True, False])
def test_a_block_equals_the_plain_one(dtype, masked, threads):
    """With dropout and the sum over blocks; `onto` comes out of an operator, as in a layer."""
    node = torch.tensor([0, 1, 2, 3, 1, 3, 3])
    rows = Rows(np.array([0, 0, 0, 0, 1, 1, 2], np.int32), node.int().numpy(), np.zeros((3, 4), np.int32))
    mask = torch.tensor([[0.0], [2.0], [2.0], [0.0]]).expand(4, 24).contiguous() if masked else None

    def norm(gain, shift):
        return operators.Norm(gain, shift, 1e-5)

    def fused(x, gain, shift, onto):
        drop = None if mask is None else mask.to(dtype)
        return functions.block(x, norm(gain, shift), drop, rows, onto * 1)

    def plain(x, gain, shift, onto):
        drop = None if mask is None else mask.double()
        return operators.block(x, norm(gain, shift), drop, node, onto)

    check_equal(fused, plain, [(7, 24), (24,), (24,), (7, 24)], dtype)


@numba.njit
def _exponentials(x, shift):
    exponentials(x, len(x), shift)


@pytest.mark.parametrize(("dtype", "error"), [(np.float32, 2e-7), (np.float64, 1e-15)])
def test_exponentials(dtype, error):
    x = np.concatenate([np.linspace(-80, 3, 4096 - 1), [0.0]]).astype(dtype)
    found = x.copy()
    _exponentials(found, dtype(2))
    expected = np.exp((x - dtype(2)).astype(np.float64))
    assert (abs(found / expected - 1) < error).all()
    extreme = np.array([-1e30, -np.inf, np.nan] + [-2] * 13, dtype=dtype)
    _exponentials(extreme, dtype(0))
    assert (extreme[:2] < 1e-35).all() and np.isnan(extreme[2])


def test_every_part_runs_once(threads):
    cuts = numba_threads.even(10)
    assert len(cuts) == threads + 1
    seen = torch.zeros(threads, 10)

    def loop(begin, end, step, out):
        out[begin:end] += step

    numba_threads.run(loop, cuts, 2, gradients=(seen,))
    assert (numba_threads.add_up(seen) == 2).all()
    with pytest.raises(ZeroDivisionError):
        numba_threads.run(lambda begin, end: 1 // int(begin), numba_threads.even(10))
    assert numba_threads.even(0).tolist() == [0, 0]


def test_an_error_in_another_thread_is_raised():
    with pytest.raises(ZeroDivisionError):
        numba_threads.run(lambda begin, end: 1 // int(10 - end), np.array([0, 5, 10]))


def _count(queue):
    seen = []
    numba_threads.run(lambda begin, end: seen.append((begin, end)), np.array([0, 1, 2]))
    queue.put((os.getpid(), len(seen)))


def test_a_forked_process_has_threads_of_its_own():
    """Threads do not survive a fork; work given to them would wait for ever."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    _count(queue)
    child = context.Process(target=_count, args=(queue,))
    child.start()
    found = [queue.get(timeout=600) for _ in range(2)]
    child.join(600)
    assert [n for _, n in found] == [2, 2] and found[0][0] != found[1][0]
