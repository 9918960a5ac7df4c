"""Writing of delimited tables: simulated screens, predictions, evaluation reports."""

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
    """Write a genotype table with the columns `genes`, `fitness`, `gene_interaction`; see `write_table`."""
    columns = zip(screen.genotypes, screen.fitness, screen.interaction, strict=True)
    rows = ((";".join(genes), _decimal(fitness), _decimal(interaction)) for genes, fitness, interaction in columns)
    write_table(path, ("genes", schema.FITNESS, schema.INTERACTION), rows, overwrite)


def _decimal(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
