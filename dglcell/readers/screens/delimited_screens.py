"""Screens in a published layout -> `ScreenTable`. The layouts are listed in `screen_layouts`."""

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
from dglcell.readers.screens import screen_layouts as names
from dglcell.readers.screens.columns import Columns, ColumnSpec, read_columns
from dglcell.readers.screens.screen_layouts import ScreenLayout
from dglcell.readers.screens.screen_table import Report, ScreenTable
from dglcell.readers.screens.strains import Mutations, StrainColumn, combine
from dglcell.readers.tables.chunked_text import Block

_MAX_TITLE_LINES = 5  # above a header
_SAMPLE = 20
_MIN_NUMERIC = 0.75  # share of the number columns that hold a number or are blank
_DELIMITERS: Final = ("\t", ";", ",")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
RAW_LEFT_OUT: Final = "raw trigenic scores (not adjusted for the pairs), left out"
RAW_USED: Final = "raw trigenic scores (not adjusted for the pairs), used"

Numbers = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class LayoutReader:
    """Reader of one file in a published layout.

    Attributes
    ----------
    layout : ScreenLayout
    skip : int
        Lines before the first row.
    delimiter : str
        Character between columns.
    """

    layout: ScreenLayout
    skip: int
    delimiter: str = "\t"

    def read(self, path: Path, block: Block, raw_scores: bool = False) -> ScreenTable:
        """Read one block of rows without its header.

        Parameters
        ----------
        path : Path
            For error messages.
        block : Block
            Rows without the header.
        raw_scores : bool
            Use raw trigenic scores, which are not adjusted for the interactions of their pairs.

        Raises
        ------
        DataError
            Rows have problems; all are listed with file and line.
        """
        layout, problems = self.layout, ErrorCollector()
        numbers = {column: name for name, column in layout.numbers.items()}
        decimal = "," if self.delimiter == ";" else "."
        allele_columns = [column for column in layout.alleles if column >= 0]
        spec = ColumnSpec(layout.width, [*layout.strains, *allele_columns], numbers, self.delimiter, decimal)
        columns = read_columns(path, block, spec, problems)
        mutations = combine(_strains(layout, columns), layout.query)
        if not layout.query:
            for line in columns.lines[mutations.empty].tolist():
                problems.add(f"{path}:{line}: an empty strain id - a systematic name was expected")
        problems.check()
        values = {name: columns.numbers[column] for name, column in layout.numbers.items()}
        return _screen_table(path, layout, columns, mutations, values, raw_scores)


def recognize(lines: Sequence[str]) -> LayoutReader | None:
    """The reader for a file that starts with these lines; None if they match no published layout."""
    for skip, line in enumerate(lines[:_MAX_TITLE_LINES]):
        for delimiter in _DELIMITERS:
            cells = [_NOT_WORD.sub("", cell.lower()) for cell in line.split(delimiter)]
            for layout in names.PUBLISHED:
                words = layout.header.items()
                if len(cells) == layout.width and words and all(cells[k].startswith(word) for k, word in words):
                    return LayoutReader(layout, skip + 1, delimiter)
    header = int(lines[0].strip().lower().startswith("query"))
    for layout in names.PUBLISHED:
        if not layout.header and _rows_match(layout, lines[header:]):
            return LayoutReader(layout, header)
    return None


def _rows_match(layout: ScreenLayout, lines: Sequence[str]) -> bool:
    """Whether most of the first lines have the width of the layout, names as strains and numbers after them."""
    first_number = max(layout.strains) + (2 if layout.width != 12 else 1)
    sample = [fields for line in lines[:_SAMPLE] if len(fields := line.split("\t")) == layout.width]
    num_matching = sum(
        not any(text_files.is_number(fields[column]) for column in layout.strains)
        and sum(map(text_files.is_number, fields[first_number:])) >= _MIN_NUMERIC * (layout.width - first_number) - 1
        for fields in sample
    )
    return bool(sample) and num_matching * 2 > min(len(lines), _SAMPLE)


def _strains(layout: ScreenLayout, columns: Columns) -> list[StrainColumn]:
    strains = []
    for k, column in enumerate(layout.strains):
        codes, values = columns.codes[column], columns.values[column]
        alleles: list[str] = []
        if layout.alleles and layout.alleles[k] >= 0 and len(codes):
            first_rows = np.unique(codes, return_index=True)[1]
            allele_column = layout.alleles[k]
            alleles = [columns.values[allele_column][code] for code in columns.codes[allele_column][first_rows]]
        strains.append(StrainColumn(values, codes, alleles))
    return strains


def _screen_table(
    path: Path, layout: ScreenLayout, columns: Columns, mutations: Mutations, values: Numbers, raw_scores: bool
) -> ScreenTable:
    num_rows, orders = len(columns.lines), np.diff(mutations.ptr)
    missing = np.full(num_rows, np.nan)
    report: Report = {"rows": num_rows}
    if names.COOL_FITNESS in values:
        _fill_from_26_degrees(values, report)
    score, std = values.get(names.SCORE, missing), values.get(names.SCORE_STD, missing)
    if names.EXPECTED_FITNESS in values:
        expected = values[names.EXPECTED_FITNESS]
        score, std = values[names.FITNESS] - expected, values[names.FITNESS_STD]
    else:
        expected = values.get(names.QUERY_FITNESS, missing) * values.get(names.ARRAY_FITNESS, missing)
    is_raw = (orders > 2) & np.isfinite(score)
    if not layout.adjusted and is_raw.any():
        report[RAW_USED if raw_scores else RAW_LEFT_OUT] = int(is_raw.sum())
        if not raw_scores:
            score, std = np.where(is_raw, np.nan, score), np.where(is_raw, np.nan, std)
    p_value = np.where(np.isfinite(score), values.get(names.SCORE_P, missing), np.nan)
    columns_by_name = {names.FITNESS: values.get(names.FITNESS, missing), names.SCORE: score}
    columns_by_name |= {names.FITNESS_STD: values.get(names.FITNESS_STD, missing), names.SCORE_P: p_value}
    labels = np.stack([columns_by_name[name] for name in schema.LABEL_COLUMNS], axis=1).astype(np.float32)
    for k, name in enumerate(schema.LABEL_COLUMNS):
        if num_known := int(np.isfinite(labels[:, k]).sum()):
            report[f"rows with {name}"] = num_known
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
    """Use the fitness at 26 degrees if the one at 30 degrees, where deletions are screened, was not measured."""
    use_cool = ~np.isfinite(values[names.FITNESS]) & np.isfinite(values[names.COOL_FITNESS])
    for warm_name, cool_name in ((names.FITNESS, names.COOL_FITNESS), (names.FITNESS_STD, names.COOL_STD)):
        values[warm_name] = np.where(use_cool, values[cool_name], values[warm_name])
    report["rows with fitness at 26 degrees, as 30 was not measured"] = int(use_cool.sum())
