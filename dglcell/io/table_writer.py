"""Delimited tables, whole or not at all: genotypes computed by flux balance, predictions, reports of evaluations."""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from dglcell import schema
from dglcell.fba.deletions import DECIMALS, SimulatedScreen
from dglcell.io.atomic import replacing


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], overwrite: bool = True) -> None:
    """Write a header and rows of text; equal rows give equal bytes.

    Parameters
    ----------
    path : Path
        Comma separated if its name ends in `.csv` or `.csv.gz`, else by tabs; gzip if it ends in `.gz`.
    header : sequence of str
    rows : iterable of sequences of str
        As many cells as the header has; blank = undefined.
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
            with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as zipped:  # neither name nor time of the file
                zipped.write(content)
        else:
            raw.write(content)


def write_screen(path: Path, screen: SimulatedScreen, overwrite: bool = True) -> None:
    """Write a genotype table: `genes`, `fitness`, `gene_interaction`; otherwise as `write_table`."""
    columns = zip(screen.genotypes, screen.fitness, screen.interaction, strict=True)
    rows = ((";".join(genes), _decimal(fitness), _decimal(interaction)) for genes, fitness, interaction in columns)
    write_table(path, ("genes", schema.FITNESS, schema.INTERACTION), rows, overwrite)


def _decimal(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
