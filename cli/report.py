"""The report of what was read, used and left out, as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

COLUMNS: Final = ("source", "item", "count")
TITLE: Final = "Read, used and left out"

# What a rule for screens does to the rows, in the words of the report.
_RULES = {
    "alleles": "only deletions",
    "replicates": "replicates averaged",
    "max_p": "p-value at most {}",
    "clip_fitness": "negative fitness set to 0",
    "derive_fitness": "missing fitness and interactions derived",
    "columns": "columns {}",
    "raw_scores": "trigenic scores not adjusted for pairs",
    "matrix": "matrix of {}",
    "condition": "sample {}",
    "unknown_genes": "unknown genes: {}",
}


def rows(report: Mapping[str, Any], screen: Mapping[str, Any] | None) -> Iterator[tuple[str, str, Any]]:
    """The nested report of a cell graph and of its screen as rows (source, item, count), with empty lists and zeros.

    Examples of what was left out stand behind its count.
    """
    sections = dict(report) if screen is None else {**report, "screen": screen}
    for source, content in sections.items():
        yield from _flat(source, content)


def _flat(source: str, content: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    from dglcell.readers.left_out import EXAMPLES  # `--help` imports no NumPy

    for item, value in content.items():
        rule = item.removeprefix("rule ")
        if item == "files":
            for file in value:
                name = f"{source}: {Path(file['path']).name}"
                yield from _flat(name, {k: v for k, v in file.items() if k != "path"})
        elif item.endswith(EXAMPLES):
            continue
        elif isinstance(value, Mapping):
            yield from _flat(source, {k: v for k, v in value.items() if k not in content})
        elif isinstance(value, list):
            examples = ", ".join(map(str, value[:5])) + (" .." if len(value) > 5 else "")
            yield source, item, f"{len(value)}" + (f" ({examples})" if value else "")
        elif item + EXAMPLES in content:
            yield source, item, f"{value:,} ({content[item + EXAMPLES]})"
        elif rule != item:
            yield source, "rule", _RULES[rule].format(value)
        else:
            yield source, "total" if item == source else item, value
