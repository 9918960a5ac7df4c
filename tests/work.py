"""The work of a call as the lines of dglcell's own Python that run: the same on an idle and on a busy machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import dglcell

Result = TypeVar("Result")

_OURS = str(Path(dglcell.__file__).parent)


def lines_of(call: Callable[[], Result]) -> tuple[Result, int]:
    """What `call` returns, and the lines that run until then: each pass of a loop counts, but nothing in libraries."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if event == "call":
            return trace if frame.f_code.co_filename.startswith(_OURS) else None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        result = call()
    finally:
        sys.settrace(before)
    return result, count
