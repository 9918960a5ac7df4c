"""A table reads back equal, however it is written: separator, quotes, line ends, encoding, columns, blank lines."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dglcell.readers.tables.layout import Layout
from dglcell.readers.tables.table import open_table

LAYOUT = Layout(
    name="pairs",
    reads="",
    example="",
    columns={"gene_*": r"gene(\d)", "fitness": "fitness", "score": "geneinteraction"},
)
# Words with what separates cells elsewhere; a line break becomes a space.
WORDS = st.text(st.sampled_from("AbYβ7-_.,;|'\"()[]+&: \té"), min_size=1, max_size=8)
NUMBERS = st.one_of(st.none(), st.floats(-1e6, 1e6).map(lambda x: float(f"{x:.6g}")))
ROWS = st.lists(st.tuples(WORDS, WORDS, NUMBERS, NUMBERS, WORDS), min_size=1, max_size=6)


@dataclass(frozen=True)
class Style:
    """How a table is written."""

    delimiter: str
    quoting: int
    ending: str
    encoding: str
    columns: tuple[int, ...]
    blank_lines: tuple[int, ...]
    title: tuple[str, ...]
    decimal: str
    missing: str
    compress: int
    size: int


STYLES = st.builds(
    Style,
    delimiter=st.sampled_from("\t,;|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    columns=st.permutations(range(5)).map(tuple),
    blank_lines=st.lists(st.integers(1, 6), max_size=3).map(tuple),
    title=st.sampled_from([(), ("Table S1. Pairs, with gene 1 and gene 2",), ("# a comment", "", "# 30C; gene1")]),
    decimal=st.sampled_from(".,"),
    missing=st.sampled_from(["", "NA", "nan", "N/A", "null"]),
    compress=st.integers(0, 3),
    size=st.sampled_from([1 << 24, 64]),
)
HEADER = ("gene1", "Gene 2", "fitness", "gene_interaction", "note")


def written(rows: list[tuple[str, str, float | None, float | None, str]], style: Style) -> bytes:
    """The table as a file."""
    decimal = style.decimal if style.delimiter != "," else "."

    def cell(value: str | float | None) -> str | float:
        if value is None:
            return style.missing
        return repr(value).replace(".", decimal) if isinstance(value, float) else value

    lines = [*style.title]
    for index, row in enumerate([HEADER, *rows]):
        text = io.StringIO()
        writer = csv.writer(text, delimiter=style.delimiter, quoting=style.quoting, lineterminator="")
        writer.writerow([cell(row[k]) for k in style.columns])
        lines += [""] * style.blank_lines.count(index)
        lines.append(text.getvalue())
        lines += [style.delimiter * 4] * (style.blank_lines.count(index) % 2 if index else 0)
    content = (style.ending.join(lines) + style.ending).encode(style.encoding)
    return [lambda x: x, gzip.compress, bz2.compress, lzma.compress][style.compress](content)


@given(ROWS, STYLES)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_table_reads_back_equal(tmp_path: Path, rows: list[tuple[str, str, float, float, str]], style: Style) -> None:
    path = tmp_path / "table.txt"
    path.write_bytes(written(rows, style))
    table = open_table(path, [LAYOUT], "table", size=style.size)
    genes: list[list[str]] = [[], []]
    numbers: list[list[float]] = [[], []]
    for block in table.read_all(["gene_1", "gene_2"], ["fitness", "score"]):
        for k, role in enumerate(("gene_1", "gene_2")):
            genes[k] += block.cells(table.columns[role])
        for k, role in enumerate(("fitness", "score")):
            numbers[k] += block.numbers[table.columns[role]].tolist()
    kept = [row for row in rows if any((style.missing if x is None else str(x)).strip() for x in row)]  # NA is no blank
    for k in (0, 1):
        assert genes[k] == [row[k].strip() for row in kept]
        expected = np.array([np.nan if row[2 + k] is None else row[2 + k] for row in kept], dtype=np.float64)
        values, is_missing = np.array(numbers[k]), np.isnan(expected)
        assert np.isnan(values).tolist() == is_missing.tolist()
        if not is_missing.all():  # pandas may round the last bit of a double in another way
            np.testing.assert_array_max_ulp(values[~is_missing], expected[~is_missing], maxulp=1)
