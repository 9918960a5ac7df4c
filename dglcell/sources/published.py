"""Screens in the layouts of their publications -> genotypes and labels.

One recogniser and one reader a layout; `screens` lists them. Costanzo 2010: doi:10.1126/science.1180823.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from dglcell import schema
from dglcell.errors import Problems
from dglcell.sources import textio
from dglcell.sources.genotype_table import ScreenTable

COSTANZO_2010: Final = "Costanzo 2010, 7 columns"
COSTANZO_2010_EXPECTED: Final = (
    "Costanzo 2010 (7 tab-separated columns: query ORF, name, array ORF, name, epsilon, sd, p)"
)
_COSTANZO_2010_WIDTH = 7
_SAMPLE = 20
# Deletion, temperature-sensitive, reduced expression and double-mutant strains of the same gene.
_SUFFIX = re.compile(r"_(dma|sn|tsa|tsq|damp|tm)\d*$", re.IGNORECASE)


def strip_strain(strain: str) -> tuple[str, str]:
    """A strain id as (systematic name, kind of suffix or empty): `YAL041W_tsq532` -> (`YAL041W`, `tsq`)."""
    match = _SUFFIX.search(strain)
    return (strain[: match.start()], match.group(1).lower()) if match else (strain, "")


def is_costanzo_2010(lines: Sequence[str]) -> bool:
    """Seven tab-separated columns: four of text, then three of numbers."""
    sample = [fields for line in lines[:_SAMPLE] if len(fields := line.split("\t")) == _COSTANZO_2010_WIDTH]
    good = sum(
        not any(textio.is_number(cell) for cell in fields[:3:2]) and sum(map(textio.is_number, fields[4:])) >= 2
        for fields in sample
    )
    return bool(sample) and good * 2 > min(len(lines), _SAMPLE)


def read_costanzo_2010(path: Path, lines: Sequence[str]) -> ScreenTable:
    """Digenic interactions; the sd is that of epsilon, not of a fitness, so it is no label here."""
    problems = Problems()
    rows, numbers = [], []
    for number, line in enumerate(lines, start=1):
        fields = line.split("\t")
        if len(fields) == _COSTANZO_2010_WIDTH:
            if number == 1 and fields[0].strip().lower().startswith("query"):
                continue
            rows.append(fields)
            numbers.append(number)
        elif line.strip():
            found = textio.counted(len(fields), "column")
            problems.add(f"{path}:{number}: {found} - {_COSTANZO_2010_WIDTH} were expected")
    at = np.array(numbers, dtype=np.int64)
    labels = np.full((len(rows), len(schema.LABEL_COLUMNS)), np.nan, dtype=np.float32)
    for name, column in ((schema.INTERACTION, 4), (schema.INTERACTION_P, 6)):
        values = textio.numbers([row[column] for row in rows], at, path, name, problems)
        labels[:, schema.LABEL_COLUMNS.index(name)] = values
    textio.numbers([row[5] for row in rows], at, path, "sd", problems)
    genotypes, suffixes = strip_pairs(path, [(row[0], row[2]) for row in rows], numbers, problems)
    problems.check()
    report: dict[str, int | str] = {"rows": len(rows)}
    known = np.isfinite(labels).sum(axis=0)
    for k, name in enumerate(schema.LABEL_COLUMNS):
        if known[k]:
            report[f"rows with {name}"] = int(known[k])
    report.update({f"strain suffixes _{kind} removed": n for kind, n in sorted(suffixes.items())})
    return ScreenTable(str(path), COSTANZO_2010, genotypes, labels, at, report)


def strip_pairs(
    path: Path, strains: Sequence[tuple[str, str]], lines: Sequence[int], problems: Problems
) -> tuple[list[tuple[str, ...]], Counter[str]]:
    """Strain pairs as gene pairs, and how many suffixes of each kind were removed."""
    cache: dict[str, tuple[str, str]] = {}
    suffixes: Counter[str] = Counter()
    genotypes: list[tuple[str, ...]] = []
    for pair, line in zip(strains, lines, strict=True):
        genes = []
        for strain in pair:
            found = cache.get(strain)
            if found is None:
                found = cache[strain] = strip_strain(strain.strip())
            if found[1]:
                suffixes[found[1]] += 1
            if not found[0]:
                problems.add(f"{path}:{line}: an empty strain id - a systematic name was expected")
            genes.append(found[0])
        genotypes.append(tuple(genes))
    return genotypes, suffixes
