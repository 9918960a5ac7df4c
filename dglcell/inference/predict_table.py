"""Add predictions to a genotype table.

The output has the unchanged columns of the input, then `pred_fitness` and `pred_gene_interaction`, and for an ensemble
their standard deviations, blank where undefined.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dglcell.errors import DataError
from dglcell.inference.run import Run
from dglcell.io.table_writer import write_table
from dglcell.readers.screens.screen_table import ScreenRows

_DIGITS = 6  # significant digits; float32 has no more


def predict_table(
    run: Run,
    table: ScreenRows,
    out: Path,
    batch_size: int = 1024,
    unknown_genes: str = "skip",
    overwrite: bool = False,
) -> dict[str, Any]:
    """Predict every row of a table and write the result, whole or not at all.

    Parameters
    ----------
    run : Run
    table : ScreenRows
        From `readers.screens.read.read_rows`.
    out : Path
        Comma separated if its name ends in `.csv` or `.csv.gz`, else tab separated; gzip if it ends in `.gz`.
    batch_size, unknown_genes
        As in `Run.predict`.
    overwrite : bool
        Replace `out`.

    Returns
    -------
    dict
        `rows`, `predicted`, `skipped` and `unknown_genes`, the number of occurrences of each unknown gene.

    Raises
    ------
    DataError
        The table already has a column with the name of a prediction, or has an unknown gene under `error`
        or in every row.
    """
    clashes = [name for name in table.header if name.strip().lower() in run.columns]
    if clashes:
        raise DataError(
            f"{table.path}:1: the table already has a column {clashes[0]!r}, where predictions would go - rename it"
        )
    frame = run.predict(table, batch_size, unknown_genes)
    predictions = zip(*([_number(value) for value in frame[name]] for name in run.columns), strict=True)
    rows = ([*row, *cells] for row, cells in zip(table.rows, predictions, strict=True))
    write_table(out, (*table.header, *run.columns), rows, overwrite)
    skipped = int(frame.attrs["skipped"])
    return {
        "rows": len(table),
        "predicted": len(table) - skipped,
        "skipped": skipped,
        "unknown_genes": dict(frame.attrs["unknown_genes"]),
    }


def _number(value: float) -> str:
    return "" if value != value else f"{value:.{_DIGITS}g}"
