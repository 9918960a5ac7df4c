"""Files with gene lists (SGD_features.tab, GFF3, one id per line) -> `GeneList`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.annotations import (
    GFF,
    SGD,
    GeneRecords,
    annotation_format,
    duplicate_message,
    read_gff,
    read_sgd,
)
from dglcell.readers.gene_list import GeneList

_EXPECTED = "SGD_features.tab, GFF3 or one gene id per line was expected"
_HEADER_NAMES = {
    *("gene", "genes", "id", "ids", "gene_id", "gene_ids", "geneid", "orf", "orfs"),
    *("systematic_name", "locus_tag"),
}


def read_genes(paths: Path | str | Sequence[Path | str]) -> GeneList:
    """Read one gene list, or the union of several.

    SGD_features.tab: rows of type ORF, column 4 the systematic name, 5 the standard name, 6 aliases joined by `|`, 9 to
    11 chromosome, start and stop, 16 a description. GFF3: rows of type `gene`; the id is `locus_tag`, `gene_id` or
    `ID`, names come from `gene`, `Name`, `Alias`, `gene_synonym`, descriptions from `description`, `product`, `Note`,
    `display`. Any other file has one id per line; lines that start with `#` are comments.

    Raises
    ------
    DataError
        A file cannot be read, has none of these formats, has no gene, or lists a gene twice, be it in upper and in
        lower case; with file and line.
    """
    records = GeneRecords()
    for path in [paths] if isinstance(paths, (str, Path)) else paths:
        _read_file(Path(path), records)
    records.problems.check()
    folded_ids = {gene.casefold() for gene in records.ids}
    aliases = {
        name: tuple(sorted(records.standard.get(name) or records.aliases[name]))
        for name in sorted({*records.standard, *records.aliases} - folded_ids)
    }
    records.report["genes"] = len(records.ids)
    records.report["names and aliases"] = len(aliases)
    num_ambiguous = sum(len(candidates) > 1 for candidates in aliases.values())
    if num_ambiguous:
        records.report["ambiguous names (an error only if used)"] = num_ambiguous
    return GeneList(
        tuple(sorted(records.ids)), aliases, dict(records.report), records.descriptions, dict(records.intervals)
    )


def _read_file(path: Path, records: GeneRecords) -> None:
    lines = text_files.read_lines(path)
    rows = [(number, line) for number, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")]
    first_line = rows[0][1] if rows else ""
    num_before = records.num_added
    layout = annotation_format(lines)
    if layout == GFF:
        content = "rows of type gene with an ID"
        read_gff(path, lines, records)
    elif layout == SGD:
        content = "rows of type ORF"
        read_sgd(path, rows, records)
    elif "\t" in first_line or "<" in first_line or first_line.startswith((">", "{")) or len(first_line.split()) > 1:
        raise DataError(f"{path} is not a gene list (it starts with '{text_files.shorten(first_line)}') - {_EXPECTED}")
    else:
        layout, content = "one id per line", "gene ids"
        _read_ids(path, rows, records)
    if records.num_added == num_before:
        raise DataError(f"{path} ({layout}) has no {content} - {_EXPECTED}")
    records.report[f"layout of {path.name}"] = layout


def _read_ids(path: Path, rows: list[tuple[int, str]], records: GeneRecords) -> None:
    problems = ErrorCollector()
    first_lines: dict[str, int] = {}
    for row, (line_number, line) in enumerate(rows):
        gene = line.strip().strip('"')
        if row == 0 and gene.lower().replace(" ", "_") in _HEADER_NAMES:
            records.count("header lines")
        elif len(gene.split()) != 1 or "," in gene:
            problems.add(f"{path}:{line_number}: '{text_files.shorten(gene)}' is not one gene id - {_EXPECTED}")
        elif gene in first_lines:
            problems.add(duplicate_message(path, line_number, gene, first_lines[gene]))
        else:
            first_lines[gene] = line_number
            records.add(gene, f"{path}:{line_number}")
    problems.check()
