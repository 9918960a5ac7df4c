"""Lines of a delimited table -> rows of cells, by the rules of the csv module, with the line number of each row.

A cell may be quoted and may then hold delimiters and line ends. Between tabs, a quote that is not closed is a character
like any other if the row then has the expected width.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from dglcell.readers import text_files

SPACE: Final = " "  # as a delimiter, it stands for runs of white space
DELIMITERS: Final = ("\t", ";", ",", "|", SPACE)
_MAX_LINES: Final = 20  # of one quoted cell


class Row(NamedTuple):
    """One row of a table.

    Attributes
    ----------
    line : int
        Number of its first line.
    cells : list of str
    problem : str
        Why the row cannot be read; empty if it can.
    """

    line: int
    cells: list[str]
    problem: str = ""


def is_comment(line: str) -> bool:
    """Whether a line is a comment: it starts with `#`, and not with the error value `#N/A` of a spreadsheet."""
    return line.startswith("#") and line[:4].upper() not in ("#N/A", "#NA", "#DIV", "#REF", "#VAL", "#NAM", "#NUM")


def split(line: str, delimiter: str) -> list[str]:
    """The cells of a line without quoted line ends; with unbalanced quotes, they are characters like any other.

    Examples
    --------
    >>> split('1,"ADE5,7",x', ","), split("a  b", SPACE), split('"5\\t3"-end', "\\t")
    (['1', 'ADE5,7', 'x'], ['a', 'b'], ['"5', '3"-end'])
    """
    return _quoted(line, delimiter) or _plain(line, delimiter)


def split_rows(
    lines: Sequence[str], first_line: int, delimiter: str, width: int = 0, pads: bool = False
) -> Iterator[Row]:
    """The rows of consecutive lines, without blank lines and comments.

    Parameters
    ----------
    lines : sequence of str
    first_line : int
        Number of the first of them.
    delimiter : str
        One of `DELIMITERS`.
    width : int
        Number of columns; 0 if it is not known. Blank cells beyond it are dropped, which trailing delimiters make. A
        row of another width has a `problem`.
    pads : bool
        Whether a row may lack blank cells at its end.
    """
    index, num_lines = 0, len(lines)
    while index < num_lines:
        line, start = lines[index], index
        index += 1
        if not line or line.isspace() or is_comment(line):
            continue
        problem = ""
        cells = _plain(line, delimiter)
        if '"' in line:
            quoted = _quoted(line, delimiter)
            if quoted is None and not (delimiter == "\t" and len(cells) == width):
                quoted, index = _continued(lines, start, delimiter, width)
                if quoted is None:
                    problem = "a quoted cell does not end in this row - check its quotes"
            cells = quoted or cells
        if width and len(cells) != width and not problem:
            while len(cells) > width and not cells[-1].strip():
                cells.pop()
            if pads or not any(map(str.strip, cells)):
                cells += [""] * (width - len(cells))
            if len(cells) != width:
                problem = f"{text_files.quantity(len(cells), 'column')} - {width} were expected"
        yield Row(first_line + start, cells, problem)


def _plain(line: str, delimiter: str) -> list[str]:
    return line.split() if delimiter == SPACE else line.split(delimiter)


def _quoted(line: str, delimiter: str) -> list[str] | None:
    """The cells of a line that may have quotes; None if a quote is not closed."""
    if '"' not in line:
        return _plain(line, delimiter)
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=delimiter == SPACE))
    except csv.Error:
        return None
    return [cell for cell in cells if cell] if delimiter == SPACE else cells


def _continued(lines: Sequence[str], start: int, delimiter: str, width: int) -> tuple[list[str] | None, int]:
    """The cells of a row with a cell over several lines, and the index of the line after it; None if there is none."""
    for end in range(start + 2, min(start + _MAX_LINES, len(lines)) + 1):
        text = "\n".join(lines[start:end])
        try:
            cells = next(csv.reader([part + "\n" for part in text.split("\n")], delimiter=delimiter, strict=True))
        except (csv.Error, StopIteration):
            continue
        if not width or len(cells) == width:
            return [" ".join(cell.split()) if "\n" in cell else cell for cell in cells], end
    return None, start + 1
