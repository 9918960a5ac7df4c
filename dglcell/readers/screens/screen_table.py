"""ScreenTable: genotypes and labels of one file (or of one block of it), by name, in bytes a row and not objects.

Owns the layout in memory. Knows no file format and no graph.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dglcell import schema

Report = dict[str, int | str]
_COLUMNS: Final = ("labels", "interaction_std", "expected", "lines")


@dataclass(frozen=True, repr=False)
class ScreenTable:
    """n genotypes of one file; make one with `of`.

    Attributes
    ----------
    path, layout : str
        The file and the format it was recognised as.
    names : tuple of str
        Distinct mutated genes, as the file names them, strain suffixes removed; one gene is there once for each kind of
        allele.
    kinds : (len(names),) int8
        Index into `schema.ALLELES`.
    codes : (K,) int32
        Rows of `names`.
    ptr : (n + 1,) int64
        Genotype i is `codes[ptr[i]:ptr[i + 1]]`; nothing for the wild type.
    labels : (n, 4) float32
        Columns of `schema.LABEL_COLUMNS`, NaN where missing.
    interaction_std : (n,) float32
        Standard deviation of the interaction, NaN where missing.
    expected : (n,) float32
        Product of the single-mutant fitness values that stand beside a pair in its file, NaN where they do not.
    lines : (n,) int64
        Line number of each row.
    report : dict
        What was read: counts, which add up over blocks, and texts.
    query : (n,) int8, optional
        How many of a row's genes are those of its query strain: they stand first in `codes`. None where the layout has
        no queries.
    """

    path: str
    layout: str
    names: tuple[str, ...]
    kinds: NDArray[np.int8]
    codes: NDArray[np.int32]
    ptr: NDArray[np.int64]
    labels: NDArray[np.float32]
    interaction_std: NDArray[np.float32]
    expected: NDArray[np.float32]
    lines: NDArray[np.int64]
    report: Report = field(default_factory=dict)
    query: NDArray[np.int8] | None = None

    @classmethod
    def of(
        cls,
        path: str,
        layout: str,
        genotypes: Sequence[Sequence[str]],
        labels: ArrayLike | None,
        lines: ArrayLike,
        report: Mapping[str, int | str] | None = None,
        interaction_std: ArrayLike | None = None,
        **more: Any,
    ) -> Self:
        """A table from genotypes by name, all of them deletions; `more` are further fields of a subclass."""
        given = list(itertools.chain.from_iterable(genotypes))
        row_of = {name: k for k, name in enumerate(dict.fromkeys(given))}
        codes = np.fromiter((row_of[name] for name in given), dtype=np.int32, count=len(given))
        lengths = np.fromiter(map(len, genotypes), dtype=np.int64, count=len(genotypes))
        missing = np.full(len(genotypes), np.nan, dtype=np.float32)
        std = missing if interaction_std is None else np.asarray(interaction_std, dtype=np.float32)
        values = np.full((len(genotypes), len(schema.LABEL_COLUMNS)), np.nan, dtype=np.float32)
        if labels is not None:
            values[:] = labels
        kinds = np.full(len(row_of), schema.DELETION, dtype=np.int8)
        at = np.asarray(lines, dtype=np.int64)
        return cls(
            path,
            layout,
            tuple(row_of),
            kinds,
            codes,
            offsets(lengths),
            values,
            std,
            missing,
            at,
            dict(report or {}),
            **more,
        )

    def __len__(self) -> int:
        return len(self.ptr) - 1

    def __repr__(self) -> str:
        known = [f"{int(np.isfinite(self.labels[:, k]).sum()):,} with {n}" for k, n in enumerate(schema.LABEL_COLUMNS)]
        name = self.path.replace("\\", "/").rsplit("/", 1)[-1]
        counts = ", ".join(text for text in known if not text.startswith("0 "))
        return f"{type(self).__name__}: {len(self):,} rows{': ' * bool(counts)}{counts} from {name} ({self.layout})"

    @property
    def genotypes(self) -> list[tuple[str, ...]]:
        """The names of each row's genes, as Python objects: for tables of moderate length."""
        names = [self.names[code] for code in self.codes]
        return [tuple(names[a:b]) for a, b in itertools.pairwise(self.ptr.tolist())]


def offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n + 1,) where each of n ragged rows starts, from their lengths."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])


def join(tables: Sequence[ScreenTable]) -> ScreenTable:
    """The rows of consecutive blocks of one file as one table."""
    if len(tables) == 1:
        return tables[0]
    row_of: dict[tuple[str, int], int] = {}
    codes = []
    for table in tables:
        entries = zip(table.names, table.kinds.tolist(), strict=True)
        mapped = np.array([row_of.setdefault(entry, len(row_of)) for entry in entries], dtype=np.int32)
        codes.append(mapped[table.codes])
    columns = {name: np.concatenate([getattr(table, name) for table in tables]) for name in _COLUMNS}
    queries = [table.query for table in tables if table.query is not None]
    return ScreenTable(
        tables[0].path,
        tables[0].layout,
        tuple(name for name, _ in row_of),
        np.array([kind for _, kind in row_of], dtype=np.int8),
        np.concatenate(codes),
        offsets(np.concatenate([np.diff(table.ptr) for table in tables])),
        report=add_reports(table.report for table in tables),
        query=np.concatenate(queries) if queries else None,
        **columns,
    )


def add_reports(reports: Iterable[Mapping[str, int | str]]) -> Report:
    """Counts added up, texts once, in order of first appearance."""
    total: Report = {}
    for report in reports:
        for what, value in report.items():
            before = total.get(what)
            total[what] = before + value if isinstance(before, int) and isinstance(value, int) else value
    return total
