"""ScreenTable: genotypes and labels of one file or block, as arrays, with genes by name."""

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
    """n genotypes of one file; `ScreenTable.of` makes one from lists.

    Attributes
    ----------
    path, layout : str
        The file and the name of its layout.
    names : tuple of str
        Distinct mutated genes, named as in the file without strain suffixes; a gene occurs once per kind of allele.
    kinds : (len(names),) int8
        Index into `schema.ALLELES`.
    codes : (K,) int32
        Rows of `names`.
    ptr : (n + 1,) int64
        Genotype i is `codes[ptr[i]:ptr[i + 1]]`, which is empty for the wild type.
    labels : (n, 4) float32
        Columns of `schema.LABEL_COLUMNS`, NaN where missing.
    interaction_std : (n,) float32
        Standard deviation of the interaction, NaN where missing.
    expected : (n,) float32
        Product of the two single-mutant fitness values in the row of a pair, NaN if the file has none.
    lines : (n,) int64
        Line number of each row.
    report : dict
        What was read: counts, which are summed over blocks, and texts.
    query : (n,) int8, optional
        Number of genes of the query strain, which come first in `codes`. None if the layout has no queries.
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
        **fields: Any,
    ) -> Self:
        """A table of deletions from genotypes as lists of names; `fields` are further fields of a subclass.

        Parameters
        ----------
        path, layout : str
            The file and the name of its layout.
        genotypes : sequence of sequences of str, n
            Names of the genes of each genotype.
        labels : (n, 4) float, optional
            Columns of `schema.LABEL_COLUMNS`, NaN where missing.
        lines : (n,) int
            Line numbers.
        report : mapping, optional
        interaction_std : (n,) float, optional

        Examples
        --------
        >>> table = ScreenTable.of("screen.tsv", "genotype table", [["b0008"], ["b0008", "b0114"]], None, [2, 3])
        >>> table.names, table.codes.tolist(), table.ptr.tolist()
        (('b0008', 'b0114'), [0, 0, 1], [0, 1, 3])
        """
        gene_names = list(itertools.chain.from_iterable(genotypes))
        code_of = {name: k for k, name in enumerate(dict.fromkeys(gene_names))}
        codes = np.fromiter((code_of[name] for name in gene_names), dtype=np.int32, count=len(gene_names))
        lengths = np.fromiter(map(len, genotypes), dtype=np.int64, count=len(genotypes))
        missing = np.full(len(genotypes), np.nan, dtype=np.float32)
        std = missing if interaction_std is None else np.asarray(interaction_std, dtype=np.float32)
        values = np.full((len(genotypes), len(schema.LABEL_COLUMNS)), np.nan, dtype=np.float32)
        if labels is not None:
            values[:] = labels
        kinds = np.full(len(code_of), schema.DELETION, dtype=np.int8)
        line_numbers = np.asarray(lines, dtype=np.int64)
        return cls(
            path,
            layout,
            tuple(code_of),
            kinds,
            codes,
            offsets(lengths),
            values,
            std,
            missing,
            line_numbers,
            dict(report or {}),
            **fields,
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
        """The names of the genes of each row, as Python objects: for tables of moderate length."""
        names = [self.names[code] for code in self.codes]
        return [tuple(names[a:b]) for a, b in itertools.pairwise(self.ptr.tolist())]


@dataclass(frozen=True, repr=False)
class ScreenRows(ScreenTable):
    """Genotypes with the cells of their rows as text, so that an output table can repeat them.

    Attributes
    ----------
    header : list of str
        Column names of the file.
    rows : list of list of str
        One cell per column.
    """

    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


def offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n + 1,) offsets of n ragged rows, from their lengths.

    Examples
    --------
    >>> offsets(np.array([2, 0, 3])).tolist()
    [0, 2, 2, 5]
    """
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])


def join(tables: Sequence[ScreenTable]) -> ScreenTable:
    """The rows of consecutive blocks of one file in one table."""
    if len(tables) == 1:
        return tables[0]
    code_of: dict[tuple[str, int], int] = {}
    codes = []
    for table in tables:
        entries = zip(table.names, table.kinds.tolist(), strict=True)
        new_codes = np.array([code_of.setdefault(entry, len(code_of)) for entry in entries], dtype=np.int32)
        codes.append(new_codes[table.codes])
    columns = {name: np.concatenate([getattr(table, name) for table in tables]) for name in _COLUMNS}
    queries = [table.query for table in tables if table.query is not None]
    return ScreenTable(
        tables[0].path,
        tables[0].layout,
        tuple(name for name, _ in code_of),
        np.array([kind for _, kind in code_of], dtype=np.int8),
        np.concatenate(codes),
        offsets(np.concatenate([np.diff(table.ptr) for table in tables])),
        report=add_reports(table.report for table in tables),
        query=np.concatenate(queries) if queries else None,
        **columns,
    )


def add_reports(reports: Iterable[Mapping[str, int | str]]) -> Report:
    """One report from several: counts are summed; of texts, the last one counts."""
    total: Report = {}
    for report in reports:
        for item, value in report.items():
            previous = total.get(item)
            total[item] = previous + value if isinstance(previous, int) and isinstance(value, int) else value
    return total
