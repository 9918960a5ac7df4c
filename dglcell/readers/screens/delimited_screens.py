"""ScreenLayout tables -> screen tables: recognising a layout, reading a block, what a score is worth.

The layouts themselves are in `published`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.chunked_text import Block
from dglcell.readers.screens import screen_layouts as names
from dglcell.readers.screens.columns import Columns, ColumnSpec, read_columns
from dglcell.readers.screens.screen_layouts import ScreenLayout
from dglcell.readers.screens.screen_table import Report, ScreenTable
from dglcell.readers.screens.strains import Mutations, Strains, combine

_TITLES = 5  # lines that may stand above a header
_SAMPLE = 20
_SHARE = 0.75  # of a row's columns of numbers hold one, or a blank
_MARKS: Final = ("\t", ";", ",")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
RAW_LEFT_OUT: Final = "scores of triples that are raw, not adjusted for their pairs, left out"
RAW_TAKEN: Final = "scores of triples that are raw, not adjusted for their pairs, taken as asked"

Numbers = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Found:
    """A layout in one file: where its rows begin and what stands between columns."""

    layout: ScreenLayout
    skip: int
    mark: str = "\t"

    def read(self, path: Path, block: Block, raw_scores: bool = False) -> ScreenTable:
        """One block of rows, without its header.

        Raises
        ------
        DataError
            Whatever is wrong with rows, with file and line.
        """
        layout, problems = self.layout, ErrorCollector()
        numbers = {column: what for what, column in layout.numbers.items()}
        decimal = "," if self.mark == ";" else "."
        alleles = [column for column in layout.alleles if column >= 0]
        wanted = ColumnSpec(layout.width, [*layout.strains, *alleles], numbers, self.mark, decimal)
        columns = read_columns(path, block, wanted, problems)
        mutations = combine(_strains(layout, columns), layout.query)
        if not layout.query:
            for line in columns.lines[mutations.empty].tolist():
                problems.add(f"{path}:{line}: an empty strain id - a systematic name was expected")
        problems.check()
        values = {what: columns.numbers[column] for what, column in layout.numbers.items()}
        return _table(path, layout, columns, mutations, values, raw_scores)


def recognise(lines: Sequence[str]) -> Found | None:
    """The published layout that the first lines of a file are in, or None."""
    for skip, line in enumerate(lines[:_TITLES]):
        for mark in _MARKS:
            cells = [_NOT_WORD.sub("", cell.lower()) for cell in line.split(mark)]
            for layout in names.PUBLISHED:
                named = layout.header.items()
                if len(cells) == layout.width and named and all(cells[k].startswith(word) for k, word in named):
                    return Found(layout, skip + 1, mark)
    header = int(lines[0].strip().lower().startswith("query"))
    for layout in names.PUBLISHED:
        if not layout.header and _looks_like(layout, lines[header:]):
            return Found(layout, header)
    return None


def _looks_like(layout: ScreenLayout, lines: Sequence[str]) -> bool:
    """Most of the first lines have the width, names for strains and numbers behind them."""
    first = max(layout.strains) + (2 if layout.width != 12 else 1)
    sample = [fields for line in lines[:_SAMPLE] if len(fields := line.split("\t")) == layout.width]
    good = sum(
        not any(text_files.is_number(fields[column]) for column in layout.strains)
        and sum(map(text_files.is_number, fields[first:])) >= _SHARE * (layout.width - first) - 1
        for fields in sample
    )
    return bool(sample) and good * 2 > min(len(lines), _SAMPLE)


def _strains(layout: ScreenLayout, columns: Columns) -> list[Strains]:
    found = []
    for k, column in enumerate(layout.strains):
        codes, values = columns.codes[column], columns.values[column]
        alleles: list[str] = []
        if layout.alleles and layout.alleles[k] >= 0 and len(codes):
            first = np.unique(codes, return_index=True)[1]
            beside = layout.alleles[k]
            alleles = [columns.values[beside][code] for code in columns.codes[beside][first]]
        found.append(Strains(values, codes, alleles))
    return found


def _table(
    path: Path, layout: ScreenLayout, columns: Columns, mutations: Mutations, values: Numbers, raw_scores: bool
) -> ScreenTable:
    n, orders = len(columns.lines), np.diff(mutations.ptr)
    missing = np.full(n, np.nan)
    report: Report = {"rows": n}
    if names.COOL_FITNESS in values:
        _fill_from_26_degrees(values, report)
    score, std = values.get(names.SCORE, missing), values.get(names.SCORE_STD, missing)
    if names.EXPECTED_FITNESS in values:
        expected = values[names.EXPECTED_FITNESS]
        score, std = values[names.FITNESS] - expected, values[names.FITNESS_STD]
    else:
        expected = values.get(names.QUERY_FITNESS, missing) * values.get(names.ARRAY_FITNESS, missing)
    raw = (orders > 2) & np.isfinite(score)
    if not layout.adjusted and raw.any():
        report[RAW_TAKEN if raw_scores else RAW_LEFT_OUT] = int(raw.sum())
        if not raw_scores:
            score, std = np.where(raw, np.nan, score), np.where(raw, np.nan, std)
    p = np.where(np.isfinite(score), values.get(names.SCORE_P, missing), np.nan)
    given = {names.FITNESS: values.get(names.FITNESS, missing), names.SCORE: score}
    given |= {names.FITNESS_STD: values.get(names.FITNESS_STD, missing), names.SCORE_P: p}
    labels = np.stack([given[name] for name in schema.LABEL_COLUMNS], axis=1).astype(np.float32)
    for k, name in enumerate(schema.LABEL_COLUMNS):
        if known := int(np.isfinite(labels[:, k]).sum()):
            report[f"rows with {name}"] = known
    if mutations.controls:
        report["control locus YDL227C (HO) in double-mutant strains, no deletion"] = mutations.controls
    report |= {f"strain suffixes _{kind} removed": count for kind, count in sorted(mutations.suffixes.items())}
    pairs = np.where(orders == 2, expected, np.nan)
    return ScreenTable(
        str(path),
        layout.name,
        mutations.names,
        mutations.kinds,
        mutations.codes,
        mutations.ptr,
        labels,
        np.asarray(std, dtype=np.float32),
        np.asarray(pairs, dtype=np.float32),
        columns.lines,
        report,
        mutations.query,
    )


def _fill_from_26_degrees(values: Numbers, report: Report) -> None:
    """30 degrees is what deletions are screened at; where it was not measured, 26 degrees stands for it."""
    cool = ~np.isfinite(values[names.FITNESS]) & np.isfinite(values[names.COOL_FITNESS])
    for warm_name, cool_name in ((names.FITNESS, names.COOL_FITNESS), (names.FITNESS_STD, names.COOL_STD)):
        values[warm_name] = np.where(cool, values[cool_name], values[warm_name])
    report["rows with fitness at 26 degrees, 30 not measured"] = int(cool.sum())
