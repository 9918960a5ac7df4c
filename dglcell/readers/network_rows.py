"""The rows of an open network, read block by block -> edges between coded names, with the cells that belong to them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError, number_of, setting, warn
from dglcell.readers.interactor_names import names_of, species_of, taxon_of, with_strains
from dglcell.readers.network_layout import PLAIN, PSI_MI, TAXON_PREFIX, Keep, NetworkLayout, names_of_end
from dglcell.readers.tables.columns import Columns
from dglcell.readers.tables.table import Table

Codes = NDArray[np.int64]
_MODE: Final = "mode"
_CELLS: Final = ("sign", "confidence", "value", "type", "miscore")  # interpreted once all rows are read
_WORTH_A_WARNING: Final = 0.1


class Vocabulary:
    """Distinct texts, numbered as they come.

    Attributes
    ----------
    texts : list of str
    """

    def __init__(self) -> None:
        self._code_of: dict[str, int] = {}

    @property
    def texts(self) -> list[str]:
        """All texts, by code."""
        return list(self._code_of)

    def code(self, text: str) -> int:
        """The code of a text."""
        return self._code_of.setdefault(text, len(self._code_of))

    def codes(self, texts: list[str]) -> Codes:
        """The codes of texts."""
        return np.array([self.code(text) for text in texts], dtype=np.int64)


@dataclass
class Rows:
    """The rows of a network that are read.

    Attributes
    ----------
    names : Vocabulary
        Names of genes.
    a, b : (n,) int64
        Names at both ends; -1 where the row has none.
    cells : dict of str to (Vocabulary, (n,) int64)
        Cells by role, to be interpreted.
    score : (n,) float64 or None
    lines : (n,) int64
        Line numbers.
    synonyms : dict of int to dict of str to None
        Further names, by name.
    report : dict
    """

    names: Vocabulary
    a: Codes
    b: Codes
    cells: dict[str, tuple[Vocabulary, Codes]]
    score: NDArray[np.float64] | None
    lines: NDArray[np.int64]
    synonyms: dict[int, dict[str, None]]
    report: dict[str, int | str] = field(default_factory=dict)

    def select(self, rows: NDArray[np.bool_]) -> Rows:
        """Some of the rows."""
        cells = {role: (vocabulary, codes[rows]) for role, (vocabulary, codes) in self.cells.items()}
        score = None if self.score is None else self.score[rows]
        return Rows(self.names, self.a[rows], self.b[rows], cells, score, self.lines[rows], self.synonyms, self.report)


def read_rows(table: Table[NetworkLayout], mode: str, taxon: str = "") -> Rows:
    """Read the rows of edges that are wanted, by their type, mode and organism.

    Parameters
    ----------
    table : Table
        Each row is an edge.
    mode : str
        Rows of STRING actions to read.
    taxon : str
        Organism to read; empty for the one with most rows.

    Raises
    ------
    DataError
        Rows have problems, or no row is left.
    """
    reader = _RowReader(table, mode)
    text = [role for role in table.columns if role != "score"]
    for columns in table.read_all(text, ["score"]):
        reader.add(columns)
    rows = reader.rows()
    return _of_one_organism(table, reader, rows, taxon)


class _RowReader:
    def __init__(self, table: Table[NetworkLayout], mode: str) -> None:
        self.table, self.layout = table, table.layout
        self.keep = {role: keep for role, keep in table.layout.keep.items() if role in table.columns}
        if _MODE in table.columns:
            self.keep[_MODE] = Keep(mode, re.escape(mode.lower()))
        self.names, self.taxa = Vocabulary(), Vocabulary()
        self.cells = {role: Vocabulary() for role in _CELLS if role in table.columns and role not in self.keep}
        self.synonyms: dict[int, dict[str, None]] = {}
        self.interactors: dict[tuple[str, ...], tuple[int, int, int]] = {}
        self.left_out = dict.fromkeys(self.keep, 0)
        self.others: dict[str, dict[str, None]] = {role: {} for role in self.keep}
        self.num_rows = 0
        self.num_fallbacks = 0
        self.parts: list[dict[str, NDArray[np.int64]]] = []
        self.scores: list[NDArray[np.float64]] = []

    def add(self, columns: Columns) -> None:
        """Take the rows of a block that are to be read."""
        self.num_rows += len(columns)
        rows = np.arange(len(columns))
        for role, keep in self.keep.items():
            column = self.table.columns[role]
            values = columns.values[column]
            is_kept = np.array([bool(re.fullmatch(keep.pattern, value.lower())) for value in values], dtype=np.bool_)
            selected = is_kept[columns.codes[column][rows]] if len(values) else np.zeros(len(rows), dtype=np.bool_)
            self.left_out[role] += int(np.count_nonzero(~selected))
            self.others[role] |= {v: None for v, kept in zip(values, is_kept.tolist(), strict=True) if not kept}
            rows = rows[selected]
        part = {"line": columns.lines[rows]}
        for end in (1, 2):
            part[f"name_{end}"], part[f"taxon_{end}"] = self._interactors(columns, rows, end)
        for role, vocabulary in self.cells.items():
            column = self.table.columns[role]
            part[role] = _recode(columns.codes[column][rows], vocabulary.codes(columns.values[column]))
        self.parts.append(part)
        if "score" in self.table.columns:
            self.scores.append(columns.numbers[self.table.columns["score"]][rows])

    def _interactors(self, columns: Columns, rows: Codes, end: int) -> tuple[Codes, Codes]:
        """The name and the organism of the interactor at one end of each row, as codes."""
        roles = names_of_end(self.table.columns, end)
        taxon_role = next((r for r in (f"taxon_{end}", "taxon") if r in self.table.columns), "")
        used = [self.table.columns[role] for role in ([*roles, taxon_role] if taxon_role else roles)]
        which, combinations = _combinations([columns.codes[column][rows] for column in used])
        values = [columns.values[column] for column in used]
        interactors = np.empty((len(combinations), 3), dtype=np.int64)
        for k, codes in enumerate(combinations):
            cells = tuple([texts[code] for texts, code in zip(values, codes, strict=True)])
            known = self.interactors.get(cells)
            if known is None:
                known = self.interactors[cells] = self._interactor(cells, len(roles))
            interactors[k] = known
        names, taxa, is_fallback = interactors[which].T
        self.num_fallbacks += int(is_fallback.sum())
        return names, taxa

    def _interactor(self, cells: Sequence[str], num_names: int) -> tuple[int, int, int]:
        """The codes of name (-1 if there is none) and organism, and whether not the first column has the name."""
        ids = self.layout.ids
        found = names_of(cells[:num_names], ids)
        name = self.names.code(found[0]) if found else -1
        if len(found) > 1:
            self.synonyms.setdefault(name, {}).update(dict.fromkeys(found[1:]))
        is_fallback = ids != PSI_MI and bool(found) and not names_of(cells[:1], ids)
        organism = ""
        if len(cells) > num_names:
            organism = taxon_of(cells[-1], ids if ids == PSI_MI else PLAIN)
        elif ids == TAXON_PREFIX:
            organism = taxon_of(cells[0], ids)
        return name, self.taxa.code(organism), is_fallback

    def rows(self) -> Rows:
        """All rows, whose organisms are not yet compared."""
        for role, keep in self.keep.items():
            if self.num_rows and self.left_out[role] == self.num_rows:
                raise _none_left(self.table, role, keep, sorted(self.others[role]))
        arrays = (
            {key: np.concatenate([part[key] for part in self.parts]) for key in self.parts[0]} if self.parts else {}
        )
        empty = np.zeros(0, dtype=np.int64)
        report: dict[str, int | str] = {"rows": self.num_rows}
        for role, keep in self.keep.items():
            if role == _MODE or self.left_out[role] or keep.name == "physical":
                report[f"rows of a {role} other than {keep.name}, left out"] = self.left_out[role]
        if self.num_fallbacks:
            report["genes without a systematic name, read by official symbol"] = self.num_fallbacks
        return Rows(
            self.names,
            arrays.get("name_1", empty),
            arrays.get("name_2", empty),
            {role: (vocabulary, arrays.get(role, empty)) for role, vocabulary in self.cells.items()},
            np.concatenate(self.scores) if self.scores else None,
            arrays.get("line", empty),
            self.synonyms,
            report,
        )

    def taxon_codes(self) -> tuple[Codes, Codes]:
        """The organisms at both ends of all rows, as codes of `taxa`."""
        one, two = ([part[f"taxon_{end}"] for part in self.parts] for end in (1, 2))
        empty = [np.zeros(0, dtype=np.int64)]
        return np.concatenate(one or empty), np.concatenate(two or empty)


def _recode(codes: NDArray[np.int32], new: Codes) -> Codes:
    return new[codes] if len(new) else np.zeros(0, dtype=np.int64)


def _combinations(codes: list[NDArray[np.int32]]) -> tuple[Codes, list[list[int]]]:
    """For each row the number of its combination of codes, and the codes of each combination."""
    if len(codes) == 1:
        return codes[0].astype(np.int64), [[code] for code in range(int(codes[0].max(initial=-1)) + 1)]
    which = np.zeros(len(codes[0]), dtype=np.int64)
    for column in codes:
        _, which = np.unique(which * (int(column.max(initial=0)) + 1) + column, return_inverse=True)
    first = np.unique(which, return_index=True)[1]
    return which, np.stack([column[first] for column in codes], axis=1).tolist()


def _none_left(table: Table[NetworkLayout], role: str, keep: Keep, others: list[str]) -> DataError:
    excerpt = ", ".join(others[:8])
    advice = f"give one of its modes, {excerpt}, as {setting('string_mode')}" if role == _MODE else f"it has {excerpt}"
    return DataError(f"{table.path} ({table.layout.name}) has no row of {role} {keep.name} - {advice}")


def _of_one_organism(table: Table[NetworkLayout], reader: _RowReader, rows: Rows, taxon: str) -> Rows:
    taxa = [species_of(text) for text in reader.taxa.texts]
    one, two = reader.taxon_codes()
    selected, report = select_taxon(str(table.path), taxa, one, two, taxon)
    rows.report.update(report)
    return rows if selected is None else rows.select(selected)


def select_taxon(
    path: str, species: list[str], one: Codes, two: Codes, taxon: str
) -> tuple[NDArray[np.bool_] | None, dict[str, int | str]]:
    """Which rows have both ends of one organism (None: all), and what the report says about it.

    Parameters
    ----------
    path : str
        For messages.
    species : list of str
        The organisms of the file by code, strains as their species; empty where it names none.
    one, two : (n,) int64
        The organisms at both ends of each row, as codes.
    taxon : str
        Organism to read; empty for the one with most rows.

    Raises
    ------
    DataError
        No row is of this organism, or several have most rows.
    """
    known = Vocabulary()
    code = known.codes(species)
    one, two = (_recode(codes.astype(np.int32), code) for codes in (one, two))
    names = known.texts
    blank = known.code("")
    if not len(one) or (names in ([""], [])):
        return None, ({f"organism {taxon}": "not looked for: the file names no organisms"} if taxon else {})
    counts = np.bincount(one[(one == two) & (one != blank)], minlength=len(names) + 1)
    ranked = sorted((-int(count), names[k]) for k, count in enumerate(counts.tolist()) if count)
    if taxon:
        wanted = species_of(taxon).lower()
        if wanted not in [name for _, name in ranked]:
            found = ", ".join(f"{name} ({-count:,} rows)" for count, name in ranked[:5]) or "no row with one organism"
            raise DataError(f"{path} has no row with both genes of {setting('taxon', taxon)} - it has {found}")
    elif not ranked:
        raise DataError(f"{path} has no row whose genes are of one organism - a network of one organism was expected")
    elif len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
        tied = " and ".join(name for count, name in ranked if count == ranked[0][0])
        raise DataError(f"{path} has as many rows of {tied} - choose one, for example {setting('taxon', ranked[0][1])}")
    else:
        wanted = ranked[0][1]
    selected = (one == known.code(wanted)) & (two == known.code(wanted))
    num_other = int(np.count_nonzero(~selected))
    if not num_other:
        return None, {"organism": with_strains(wanted)}
    if not taxon and num_other > _WORTH_A_WARNING * len(one):
        warn(
            f"{path}: {number_of(num_other, 'row')} of {len(one):,} with genes of organisms other than "
            f"{with_strains(wanted)} are "
            f"left out - another is chosen by {setting('taxon')}"
        )
    how = "" if taxon else ", the one with most rows"
    return selected, {
        "organism": with_strains(wanted) + how,
        "rows with a gene of another organism, left out": num_other,
    }
