"""A benchmark in parts: each reports its own failure, none starts after the deadline, every figure is kept."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


class Trainer:
    """What ran, what failed, and how much time is left."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.device = torch.device(arguments.device)
        self.tiny = arguments.tiny
        self.deadline = time.monotonic() + 60 * arguments.minutes
        self.out: Path | None = arguments.out
        self.lines: list[str] = []
        self.records: list[dict[str, Any]] = []

    def part(self, name: str, work: Callable[[], Any]) -> Any:
        """Run one part; its error is one line of the report."""
        if time.monotonic() > self.deadline:
            return self.say(f"{name}: left out, no time")
        try:
            return work()
        except Exception as error:  # the next part may still work
            where = traceback.extract_tb(error.__traceback__)[-1]
            first = str(error).strip().splitlines()[:1]
            self.say(f"{name}: FAILED {type(error).__name__}: {first} ({Path(where.filename).name}:{where.lineno})")
            return None
        finally:
            self.write()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    def write(self) -> None:
        """Everything so far as JSON, so that a session cut short keeps it."""
        if self.out is not None:
            self.out.write_text(json.dumps({"lines": self.lines, "records": self.records}, indent=1))

    def say(self, line: str) -> None:
        """Keep a line for the table at the end; show it now too."""
        self.lines.append(line)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def seconds(self, work: Callable[[], Any], repeats: int, warm: int = 2) -> float:
        """Median seconds of `work` by the device's own events."""
        repeats, warm = (1, 0) if self.tiny else (repeats, warm)
        for _ in range(warm):
            work()
        times = []
        for _ in range(repeats):
            if self.device.type != "cuda":
                start = time.perf_counter()
                work()
                times.append(time.perf_counter() - start)
                continue
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            torch.cuda.synchronize()
            begin.record()
            work()
            end.record()
            torch.cuda.synchronize()
            times.append(begin.elapsed_time(end) / 1e3)
        return statistics.median(times)
