"""Cells of signs and weights -> sign and confidence of each edge, and which rows are edges.

A weight of 0 is no edge. Weights up to 1 are confidences as they stand; larger ones are divided by their maximum. Of a
negative weight, regulation has the sign, and any network the absolute value.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import text_files
from dglcell.readers.edge_table import REGULATORY

_SIGNS: Final = {
    **dict.fromkeys(("+", "1", "+1", "1.0", "->", "up"), 1.0),
    **dict.fromkeys(("-", "-1", "-1.0", "-|", "down"), -1.0),
    **dict.fromkeys(("", "0", "0.0", "?", "+-", "-+", "+/-", "+?", "-?", "."), 0.0),
    **dict.fromkeys(("dual", "both", "unknown", "na", "nan", "none", "n/a", "unspecified"), 0.0),
}
_ACTIVATION = re.compile(r"(activat|induc|stimulat|positive|up-?regulat).*")
_REPRESSION = re.compile(r"(repress|inhibit|suppress|negative|down-?regulat).*")
_NUMERIC_SIGNS: Final = frozenset({"1", "+1", "1.0", "-1", "-1.0", "0", "0.0"})
Cells = tuple[list[str], NDArray[np.int64]]  # distinct texts, and the text of each row
Floats = NDArray[np.float32]


class Values(NamedTuple):
    """What the cells of a column say about the edges.

    Attributes
    ----------
    sign, confidence : (n,) float32 or None
    is_edge : (n,) bool or None
        None if all rows are.
    report : dict
    """

    sign: Floats | None = None
    confidence: Floats | None = None
    is_edge: NDArray[np.bool_] | None = None
    report: dict[str, int | str] = {}  # noqa: RUF012


def sign_of(text: str) -> float | None:
    """The sign that a cell stands for: +1, -1, 0 if it is unknown; None for text that is no sign.

    Examples
    --------
    >>> sign_of("Repression"), sign_of("+"), sign_of("dual"), sign_of("0.7")
    (-1.0, 1.0, 0.0, None)
    """
    word = text.strip().lower()
    if word in _SIGNS:
        return _SIGNS[word]
    if _ACTIVATION.fullmatch(word):
        return 1.0
    return -1.0 if _REPRESSION.fullmatch(word) else None


def read_value(
    path: Path, column: str, cells: Cells, lines: NDArray[np.int64], kind: str, role: str, decimal: str = "."
) -> Values:
    """Signs or weights from the cells of one column.

    Parameters
    ----------
    path : Path
    column : str
        Name of the column, for messages.
    cells : (list of str, (n,) int64)
        Distinct texts, and the text of each row.
    lines : (n,) int64
        Line numbers.
    kind : str
        Kind of network.
    role : str
        `sign`, `confidence`, or `value` for either of them.
    decimal : str
        Decimal separator.

    Raises
    ------
    DataError
        There is text that is no sign and no number; all such rows are listed.
    """
    texts, codes = cells
    used = np.unique(codes)
    words = {texts[k].strip().lower() for k in used.tolist()}
    if not any(map(str.strip, words)):
        return Values()
    is_numeric = all(text_files.is_number(word.replace(decimal, ".")) for word in words)
    if kind == REGULATORY and role != "confidence" and None not in map(sign_of, words):
        if role == "sign" or not words <= _NUMERIC_SIGNS | {""} or words & {"-1", "-1.0"}:
            sign = np.array([sign_of(text) or 0.0 for text in texts], dtype=np.float32)[codes]
            return Values(sign)
        return _presence(column, texts, codes)
    if not is_numeric:
        raise _bad_cells(path, column, cells, lines, kind, role, decimal)
    numbers = np.array([_number(text, decimal) for text in texts], dtype=np.float64)[codes]
    return weights(numbers, column, kind)


def _number(text: str, decimal: str) -> float:
    text = text.strip().replace(decimal, ".")
    return float("nan") if text_files.is_missing(text) or not text_files.is_number(text) else float(text)


def _presence(column: str, texts: list[str], codes: NDArray[np.int64]) -> Values:
    """A column of 0 and 1 that is not called a sign: whether there is an edge."""
    is_one = np.array([text.strip() not in ("0", "0.0") for text in texts], dtype=np.bool_)[codes]
    report: dict[str, int | str] = {f"column {column}": "0 and 1, whether there is an edge; signs are unknown"}
    if not is_one.all():
        report["rows of 0, no edges, left out"] = int(np.count_nonzero(~is_one))
    return Values(is_edge=is_one, report=report)


def weights(numbers: NDArray[np.float64], column: str, kind: str, noun: str = "rows") -> Values:
    """Confidences, and signs in regulation, from weights; see the module.

    Parameters
    ----------
    numbers : (n,) float64
        Weights, NaN where missing.
    column : str
        Name of the column, for the report.
    kind : str
        Kind of network.
    noun : str
        What holds a weight, for the report.
    """
    size = np.abs(numbers)
    is_edge = ~(size == 0)
    highest = float(np.nanmax(size, initial=0.0)) if len(size) else 0.0
    is_negative = bool((numbers < 0).any())
    report: dict[str, int | str] = {}
    if not is_edge.all():
        report[f"{noun} of weight 0, no edges, left out"] = int(np.count_nonzero(~is_edge))
    if np.isnan(numbers).any():
        report[f"{noun} without a weight"] = int(np.count_nonzero(np.isnan(numbers)))
    if highest > 1:
        report[f"confidence from column {column}"] = f"absolute value divided by the maximum, {highest:g}"
        size = size / highest
    elif is_negative:
        report[f"confidence from column {column}"] = "absolute value"
    sign = None
    if kind == REGULATORY and is_negative:
        sign = np.sign(np.nan_to_num(numbers)).astype(np.float32)
        report[f"sign from column {column}"] = "that of the weight"
    if kind == REGULATORY and set(np.unique(size[is_edge]).tolist()) == {1.0} and highest == 1:
        report.pop(f"confidence from column {column}", None)
        return Values(sign, None, is_edge, report)  # +1 and -1 are signs only
    return Values(sign, size.astype(np.float32), is_edge, report)


def are_fractions(numbers: NDArray[np.float64]) -> bool:
    """Whether scores are between 0 and 1, as someone divided them before, and not whole numbers of a larger scale."""
    known = numbers[~np.isnan(numbers)]
    return bool(((known >= 0) & (known <= 1)).all() and (known % 1 != 0).any())


def scores(path: Path, column: str, numbers: NDArray[np.float64], lines: NDArray[np.int64], scale: float) -> Floats:
    """(n,) confidence, 0 to 1, from scores of 0 to `scale`.

    Raises
    ------
    DataError
        A score is out of this range; all of them are listed.
    """
    problems = ErrorCollector()
    for k in np.flatnonzero((numbers < 0) | (numbers > scale)):
        problems.add(f"{path}:{lines[k]}: {column} {numbers[k]:g} - 0 to {scale:g} was expected")
    problems.check()
    return (numbers / scale).astype(np.float32)


def _bad_cells(
    path: Path, column: str, cells: Cells, lines: NDArray[np.int64], kind: str, role: str, decimal: str
) -> DataError:
    texts, codes = cells
    is_bad = []
    for text in texts:
        word = text.strip().lower()
        is_sign = kind == REGULATORY and role != "confidence" and sign_of(word) is not None
        is_number = text_files.is_number(word.replace(decimal, "."))
        is_bad.append(not is_sign and not (is_number and (kind != REGULATORY or role == "confidence")))
    problems = ErrorCollector()
    for k in np.flatnonzero(np.array(is_bad, dtype=np.bool_)[codes]).tolist():
        excerpt = text_files.shorten(texts[codes[k]])
        if kind == REGULATORY and role != "confidence":
            problems.add(
                f"{path}:{lines[k]}: sign '{excerpt}' - +, -, 1, -1 or 0, or numbers in all rows were expected"
            )
        else:
            problems.add(f"{path}:{lines[k]}: '{excerpt}' in column {column} - a number was expected")
    try:
        problems.check()
    except DataError as error:
        return error
    return DataError(f"{path}: column {column} holds signs and numbers - one of them was expected")
