"""Writing of delimited tables: simulated screens, predictions, evaluation reports."""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from dglcell import schema
from dglcell.errors import ErrorCollector
from dglcell.fba.deletions import DECIMALS, SimulatedScreen
from dglcell.io.atomic import replacing

_SEPARATORS = ";,+"  # between the genes of one cell


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], overwrite: bool = True) -> None:
    """Write a header and rows of text, completely or not at all; equal rows give equal bytes.

    Parameters
    ----------
    path : Path
        Comma-separated if the name ends in `.csv` or `.csv.gz`, otherwise tab-separated; gzip if it ends in `.gz`.
    header : sequence of str
    rows : iterable of sequences of str
        One cell per column; blank = undefined.
    overwrite : bool
        Replace `path`.

    Raises
    ------
    UsageError
        `path` exists and `overwrite` is false, or its folder does not exist.
    """
    path = Path(path)
    delimiter = "," if path.name.removesuffix(".gz").endswith(".csv") else "\t"
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    with replacing(path, overwrite) as temporary, open(temporary, "wb") as raw:
        content = text.getvalue().encode()
        if path.suffix == ".gz":
            with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as zipped:  # without the name and time of the file
                zipped.write(content)
        else:
            raw.write(content)


def write_screen(path: Path, screen: SimulatedScreen, overwrite: bool = True) -> None:
    """Write a genotype table with the columns `genes`, `fitness`, `gene_interaction`; see `write_table`.

    The column `genes` holds ids joined by `;`. If an id contains a character that separates genes, there are columns
    `gene_1`, `gene_2`, .. instead.

    Raises
    ------
    DataError
        A gene id cannot be written such that it is read as the same id.
    """
    genes = {gene for genotype in screen.genotypes for gene in genotype}
    problems = ErrorCollector()
    for gene in sorted(genes):
        if not gene.isprintable() or gene != gene.strip() or gene.startswith("#"):
            problems.add(
                f"{path}: gene id {gene!r} cannot stand in a table - an id without control characters, without blanks "
                "at its ends and without # at its start was expected; rename the gene in the model"
            )
    problems.check()
    header, cells = ["genes"], [[";".join(genotype)] for genotype in screen.genotypes]
    if any(character in gene for gene in genes for character in _SEPARATORS):
        width = max(map(len, screen.genotypes))
        header = [f"gene_{k}" for k in range(1, width + 1)]
        cells = [[*genotype, *[""] * (width - len(genotype))] for genotype in screen.genotypes]
    columns = zip(cells, screen.fitness, screen.interaction, strict=True)
    rows = ([*genotype, _decimal(fitness), _decimal(interaction)] for genotype, fitness, interaction in columns)
    write_table(path, (*header, schema.FITNESS, schema.INTERACTION), rows, overwrite)


def _decimal(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
