"""Formats of numbers in the output of commands."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Seconds as `12s`, `3m05s` or `2h40m`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
