"""A genotype table in, the same table with predictions out.

Owns the layout of the output: the input's columns as they are, then `pred_fitness` and `pred_gene_interaction`, and for
an ensemble their standard deviations, blank where undefined. Knows nothing of models beyond `Run.predict`.
"""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

from dglcell.errors import DataError
from dglcell.inference.run import Run
from dglcell.io.atomic import replacing
from dglcell.readers.screens.genotype_table import GenotypeRows

_DIGITS = 6  # significant ones: float32 holds no more


def predict_table(
    run: Run,
    table: GenotypeRows,
    out: Path,
    batch_size: int = 1024,
    unknown_genes: str = "error",
    overwrite: bool = False,
) -> dict[str, Any]:
    """Score every row of a table and write it, whole or not at all.

    Parameters
    ----------
    run : Run
    table : GenotypeRows
        As `read_genotype_table` gives it.
    out : Path
        Commas if its name ends in `.csv` or `.csv.gz`, else tabs; gzip if it ends in `.gz`.
    batch_size, unknown_genes
        As in `Run.predict`.
    overwrite : bool
        Replace `out`.

    Returns
    -------
    dict
        `rows`, `predicted`, `skipped` and, by name, how often each unknown gene occurs.

    Raises
    ------
    DataError
        The table has a column named like a prediction already, or an unknown gene under `error`.
    """
    taken = [name for name in table.header if name.strip().lower() in run.columns]
    if taken:
        raise DataError(f"{table.path}:1: the column {taken[0]!r} is there already - rename it, predictions are added")
    frame = run.predict(table.genotypes, batch_size, unknown_genes)
    columns = [[_cell(value) for value in frame[name]] for name in run.columns]
    out = Path(out)
    comma = out.name.removesuffix(".gz").endswith(".csv")
    text = io.StringIO()
    writer = csv.writer(text, delimiter="," if comma else "\t", lineterminator="\n")
    writer.writerow([*table.header, *run.columns])
    writer.writerows([*row, *added] for row, added in zip(table.rows, zip(*columns, strict=True), strict=True))
    content = text.getvalue().encode()
    with replacing(out, overwrite) as temporary:
        temporary.write_bytes(gzip.compress(content, mtime=0) if out.suffix == ".gz" else content)
    skipped = int(frame.attrs["skipped"])
    return {
        "rows": len(table),
        "predicted": len(table) - skipped,
        "skipped": skipped,
        "unknown_genes": dict(frame.attrs["unknown_genes"]),
    }


def _cell(value: float) -> str:
    return "" if value != value else f"{value:.{_DIGITS}g}"
