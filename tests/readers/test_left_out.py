"""The rule for what is left out: a warning from a tenth, an error when nothing is left."""

from __future__ import annotations

import warnings

import pytest

from dglcell.errors import DataError, DglcellWarning, ErrorCollector
from dglcell.readers.left_out import LeftOut, examples

NAMES = ["a", "b", "c", "d", "e", "f"]


def left_out(count: int, total: int, kept: int | None = None) -> LeftOut:
    return LeftOut("net.tsv", "edge", total, count, total - count if kept is None else kept, NAMES[:count], NAMES)


@pytest.mark.parametrize(("count", "total"), [(0, 5), (0, 0), (1, 11), (9, 91)])
def test_less_than_a_tenth_is_silent(count: int, total: int) -> None:
    problems = ErrorCollector()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        left_out(count, total).check(problems, "joins two genes")
    assert not problems.count


@pytest.mark.parametrize(("count", "total", "what"), [(1, 10, "1 of 10 edges is"), (2, 3, "2 of 3 edges are")])
def test_a_tenth_is_a_warning(count: int, total: int, what: str) -> None:
    problems = ErrorCollector()
    with pytest.warns(DglcellWarning) as caught:
        left_out(count, total).check(problems, "joins two genes")
    names = ", ".join(NAMES[:count])
    sides = f"in the file: {names}; in the cell: a, b, c, d, e, .."
    assert [str(w.message) for w in caught] == [f"net.tsv: {what} left out, as the cell lacks a gene ({sides})"]
    assert not problems.count


def test_nothing_left_is_an_error_or_a_warning_on_request() -> None:
    problems = ErrorCollector()
    left_out(1, 3, kept=0).check(problems, "joins two genes", "2 edges are loops")
    message = (
        "net.tsv: no edge of 3 joins two genes (in the file: a; in the cell: a, b, c, d, e, ..; 2 edges are loops)"
    )
    with pytest.raises(DataError) as caught:
        problems.check()
    assert str(caught.value) == f"{message} - name the genes as the cell does, or allow_empty=True"
    allowed = ErrorCollector()
    with pytest.warns(DglcellWarning) as given:
        left_out(1, 3, kept=0).check(allowed, "joins two genes", "2 edges are loops", allow_empty=True)
    assert str(given[0].message) == message
    assert not allowed.count


def test_examples_are_five() -> None:
    assert (examples([]), examples(NAMES[:5]), examples(iter(NAMES))) == ("none", "a, b, c, d, e", "a, b, c, d, e, ..")
