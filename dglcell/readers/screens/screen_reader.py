"""The columns of an open screen -> `ScreenTable`, block by block, whatever its layout (`screen_layouts`)."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import ErrorCollector, setting, warn
from dglcell.readers import text_files
from dglcell.readers.left_out import or_allow_empty
from dglcell.readers.screens import screen_layouts as roles
from dglcell.readers.screens.gene_columns import GeneColumn, GeneIndex, interleave
from dglcell.readers.screens.screen_layouts import ScreenLayout
from dglcell.readers.screens.screen_table import Report, ScreenRows, ScreenTable
from dglcell.readers.screens.strains import SEPARATOR, IsGene, is_date, parse_strain
from dglcell.readers.tables.chunked_text import Block
from dglcell.readers.tables.columns import Columns, ColumnSpec, columns_of_rows, read_columns, read_rows
from dglcell.readers.tables.layout import normalize
from dglcell.readers.tables.rows import split_rows
from dglcell.readers.tables.table import Table

RAW_LEFT_OUT: Final = "raw trigenic scores (not adjusted for the pairs), left out"
_TAU: Final = re.compile(r"adjusted|tau$|^tau")
RAW_USED: Final = "raw trigenic scores (not adjusted for the pairs), used"
_KNOWN_NAMES: Final = 1 << 17  # names whose meaning is kept from block to block
_LIKE_A_LABEL = re.compile(
    r".*(fitness|score|epsilon|growth|smf|dmf|tmf|interaction|phenotype|viability|doublingtime|abundance|effect).*|"
    r"eps|gi|tau|p|pval(ue)?|.*pvalue|fdr|qvalue|sd|std|stdev|stddev|sem?|y|label|value|target|logfc|log2fc|lfc"
)

Numbers = dict[str, NDArray[np.float64]]


class ScreenReader:
    """Reads the blocks of one open table.

    Parameters
    ----------
    table : Table
    raw_scores : bool
        Use raw trigenic scores, which are not adjusted for the interactions of their pairs.
    is_gene : callable, optional
        Whether the cell graph knows a name, so that ids are not split.
    labels : bool
        Read the labels, not only the genes.
    unlabeled : bool, optional
        Whether there need not be a column of labels. `None` means no, and that the caller has no such choice.

    Raises
    ------
    DataError
        There are columns `genes` and `gene_1`, or no column of labels.
    """

    def __init__(
        self,
        table: Table[ScreenLayout],
        raw_scores: bool = False,
        is_gene: IsGene | None = None,
        labels: bool = True,
        unlabeled: bool | None = None,
    ) -> None:
        table = _rectangular(table) if table.layout.counted else table
        self.table, self.layout, self.path, self.raw_scores = table, table.layout, table.path, raw_scores
        self.is_gene = None if is_gene is None else functools.lru_cache(_KNOWN_NAMES)(is_gene)
        self.parse_strain = functools.lru_cache(_KNOWN_NAMES)(functools.partial(parse_strain, is_gene=self.is_gene))
        self.gene_roles = _numbered("gene", table.columns)
        self.strain_roles = _numbered("strain", table.columns)
        self.number_roles = [role for role in roles.NUMBERS if labels and role in table.columns]
        self.unread = self._unread() if labels else []
        self._check_columns(labels, unlabeled)

    @property
    def where(self) -> str:
        """File and line of the header."""
        line = self.table.header_line
        return f"{self.path}:{line}" if line else str(self.path)

    def blocks(self) -> Iterator[ScreenTable]:
        """The rows, block by block.

        Raises
        ------
        DataError
            Rows have problems; all of a block are listed with file and line.
        """
        for block in self.table.blocks:
            problems = ErrorCollector()
            yield self.screen(read_columns(self.path, block, self.spec, problems), problems)

    def _is_adjusted(self) -> bool:
        """Whether scores of triples are tau; of columns of strains that the user names, only if their name says so."""
        if self.layout is not roles.CUSTOM or not self.strain_roles or schema.INTERACTION not in self.table.columns:
            return self.layout.adjusted
        return bool(_TAU.search(normalize(self.table.name(schema.INTERACTION))))

    def rows(self) -> ScreenRows:
        """All rows with the text of their cells, without labels."""
        table, problems = self.table, ErrorCollector()
        rows: list[list[str]] = []
        lines: list[int] = []
        for block in table.blocks:
            block_rows, block_lines = read_rows(
                self.path, block, table.width, table.delimiter, problems, self.layout.pads
            )
            rows += block_rows
            lines += block_lines
        screen = self.screen(columns_of_rows(self.path, rows, lines, self.spec, problems), problems)
        names = {column: role for role, column in reversed(table.columns.items())}
        header = list(table.header) or [names.get(k, f"column_{k + 1}") for k in range(table.width)]
        return ScreenRows(**vars(screen), header=[name.strip() for name in header], rows=rows)

    def screen(self, columns: Columns, problems: ErrorCollector) -> ScreenTable:
        """The genotypes and labels of the columns of a block.

        Parameters
        ----------
        columns : Columns
        problems : ErrorCollector
            Raised with those of the names.

        Raises
        ------
        DataError
            Rows have problems; all are listed with file and line.
        """
        index = GeneIndex()
        gene_columns = self._gene_columns(columns, index, problems)
        codes, ptr = interleave(len(columns), gene_columns)
        names = tuple(name for name, _ in index.position)
        self._check_names(names, codes, np.repeat(columns.lines, np.diff(ptr)), problems)
        problems.check()
        kinds = np.array([kind for _, kind in index.position], dtype=np.int8)
        values = {role: columns.numbers[self.table.columns[role]] for role in self.number_roles}
        report: Report = {"rows": len(columns)}
        with np.errstate(over="ignore"):  # numbers beyond float32 become infinite
            labels, std, expected = self._labels(values, np.diff(ptr), report)
        num_wild_type = int(np.count_nonzero(np.diff(ptr) == 0))
        if not self.strain_roles:
            report["rows of the wild type"] = num_wild_type
        if self.unread:
            report["columns not read"] = ", ".join(self.unread)
        if self.table.other_sheets:
            report["sheets not read"] = ", ".join(self.table.other_sheets)
        report |= dict(sorted(index.notes.items()))
        query = None
        if self.layout.query == roles.ALL_STRAINS:
            query = np.diff(ptr).astype(np.int8)
        elif self.layout.query == roles.FIRST_STRAIN and len(self.strain_roles) > 1:
            query = gene_columns[0].lengths.astype(np.int8)
        return ScreenTable(
            str(self.path),
            self.layout.name,
            names,
            kinds,
            codes,
            ptr,
            labels,
            std,
            expected,
            columns.lines,
            report,
            query,
        )

    @functools.cached_property
    def spec(self) -> ColumnSpec:
        """The columns to read."""
        column_of = self.table.columns
        text = [roles.GENES, *self.gene_roles, *self.strain_roles, *_numbered("allele", column_of)]
        varied = [column_of[roles.GENES]] if roles.GENES in column_of else []
        return dataclasses.replace(self.table.spec(text, self.number_roles), varied=varied)

    def _check_columns(self, labels: bool, unlabeled: bool | None) -> None:
        problems = ErrorCollector()
        if roles.GENES in self.table.columns and self.gene_roles:
            problems.add(f"{self.where}: columns 'genes' and 'gene_1', .. - give one of the two")
        if not (roles.GENES in self.table.columns or self.gene_roles or self.strain_roles):
            problems.add(f"{self.where}: no column of genes - name one, for example {setting('columns', 'genes=1')}")
        if labels and not unlabeled and not {schema.FITNESS, schema.INTERACTION} & {*self.number_roles}:
            names = [name.strip() for name in self.table.header]
            shown = ", ".join(f"'{text_files.shorten(name, 30)}'" for name in names)
            others = [*self.unread, *self._numeric()]
            advice = f"; name the column, for example {self._with_label(others[0])}" if others else ""
            problems.add(
                f"{self.where}: no column of labels ({shown}) - fitness or gene_interaction was expected{advice}"
                + or_allow_empty(unlabeled)
            )
        problems.check()
        if self.unread:
            warn(
                f"{self.path}: columns that look like labels are not read: {', '.join(self.unread)} - if one is meant, "
                f"name all that is read, for example {self._with_label(self.unread[0])}"
            )

    def _with_label(self, name: str) -> str:
        """The setting that reads a further column as a label, or in place of the one that is read."""
        roles_of_user = [role for role in self.table.columns if re.sub(r"_\w$", "_*", role) in roles.CUSTOM.columns]
        columns = {role: self.table.name(role) for role in roles_of_user} | {_label_of(name): name}
        return setting("columns", ",".join(f"{role}={column}" for role, column in columns.items()))

    def _numeric(self) -> list[str]:
        """Names of columns of numbers that have no role, and are not left out on purpose."""
        ignored, used = re.compile(self.layout.ignored), set(self.table.columns.values())
        return [
            name.strip()
            for k, name in enumerate(self.table.header)
            if k not in used and name.strip() and not ignored.fullmatch(normalize(name)) and self._is_numeric(k)
        ]

    def _is_numeric(self, column: int) -> bool:
        cells = [row[column] for row in self.table.first_rows if column < len(row)]
        return bool(cells) and all(text_files.is_number(cell.replace(",", ".")) for cell in cells)

    def _unread(self) -> list[str]:
        """Names of columns that look like labels and are not read."""
        read = {self.table.columns[role] for role in self.number_roles if role in self.table.columns}
        names = [(name.strip(), normalize(name)) for k, name in enumerate(self.table.header) if k not in read]
        ignored = re.compile(self.layout.ignored)
        return [name for name, key in names if _LIKE_A_LABEL.fullmatch(key) and not ignored.fullmatch(key)]

    def _rows(self, block: Block, problems: ErrorCollector) -> tuple[list[list[str]], list[int]]:
        return read_rows(self.path, block, self.table.width, self.table.delimiter, problems, self.layout.pads)

    def _gene_columns(self, columns: Columns, index: GeneIndex, problems: ErrorCollector) -> list[GeneColumn]:
        column_of = self.table.columns
        if roles.GENES in column_of:
            column = column_of[roles.GENES]
            return [index.list_column(columns.codes[column], columns.values[column], self.is_gene)]
        gene_columns = []
        for role in self.gene_roles or self.strain_roles:
            column = column_of[role]
            codes, values = columns.codes[column], columns.values[column]
            if role in self.gene_roles[1:]:  # R and spreadsheets write NA where there is no second gene
                values = [
                    "" if text_files.is_missing(v) and not (self.is_gene and self.is_gene(v)) else v for v in values
                ]
            is_query, in_list = self.layout.query == roles.ALL_STRAINS, role.startswith("gene")
            alleles = _alleles(columns, column, column_of.get(role.replace("strain", "allele"), -1))
            strains = [
                self.parse_strain(value, allele, is_query, in_list)
                for value, allele in zip(values, alleles, strict=True)
            ]
            if not (is_query or in_list):
                is_empty = np.array([any(not name for name, _ in strain.genes) for strain in strains], dtype=np.bool_)
                for line in columns.lines[is_empty[codes]].tolist() if is_empty.any() else ():
                    problems.add(f"{self.path}:{line}: an empty strain id - a systematic name was expected")
            gene_columns.append(index.column(codes, strains))
        return gene_columns

    def _check_names(
        self, names: Sequence[str], codes: NDArray[np.int32], rows: NDArray[np.int64], problems: ErrorCollector
    ) -> None:
        """Report names that a spreadsheet program turned into dates, with the first line of each."""
        for code, name in enumerate(names):
            if is_date(name) and not (self.is_gene is not None and self.is_gene(name)):
                problems.add(
                    f"{self.path}:{rows[np.flatnonzero(codes == code)[0]]}: '{name}' is a date - a gene was expected; "
                    "a spreadsheet program changed its name: write the name in a column that is formatted as text"
                )

    def _labels(
        self, values: Numbers, orders: NDArray[np.int64], report: Report
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Labels (n, 4), sd of the interactions (n,) and `f_i f_j` of the pairs (n,); counts go to the report."""
        missing = np.full(len(orders), np.nan)
        if roles.COOL_FITNESS in values:
            _fill_from_26_degrees(values, report)
        score, std = values.get(schema.INTERACTION, missing), values.get(schema.INTERACTION_STD, missing)
        if roles.EXPECTED_FITNESS in values:
            expected = values[roles.EXPECTED_FITNESS]
            score, std = values[schema.FITNESS] - expected, values.get(schema.FITNESS_STD, missing)
        else:
            expected = values.get(roles.QUERY_FITNESS, missing) * values.get(roles.ARRAY_FITNESS, missing)
        is_raw = (orders > 2) & np.isfinite(score)
        if not self._is_adjusted() and is_raw.any():
            report[RAW_USED if self.raw_scores else RAW_LEFT_OUT] = int(is_raw.sum())
            if not self.raw_scores:
                score, std = np.where(is_raw, np.nan, score), np.where(is_raw, np.nan, std)
        p_value = values.get(schema.INTERACTION_P, missing)
        if self.strain_roles:  # of a score that is missing, or left out
            p_value = np.where(np.isfinite(score), p_value, np.nan)
        columns = {**values, schema.INTERACTION: score, schema.INTERACTION_P: p_value}
        labels = np.stack([columns.get(name, missing) for name in schema.LABEL_COLUMNS], axis=1).astype(np.float32)
        for k, name in enumerate(schema.LABEL_COLUMNS):
            if num_known := int(np.isfinite(labels[:, k]).sum()):
                report[f"rows with {name}"] = num_known
        pairs = np.where(orders == 2, expected, np.nan)
        return labels, np.asarray(std, dtype=np.float32), np.asarray(pairs, dtype=np.float32)


def _rectangular(table: Table[ScreenLayout]) -> Table[ScreenLayout]:
    """A table whose rows begin with their number of genes, as one with the genes in a cell."""
    header = (roles.GENES, schema.INTERACTION)
    columns = {role: column for column, role in enumerate(header)}
    sample = [[SEPARATOR.join(row[1:-1]), row[-1]] for row in table.first_rows]
    return dataclasses.replace(
        table,
        columns=columns,
        header=header,
        width=len(header),
        delimiter="\t",
        first_rows=sample,
        blocks=(_rectangular_block(table, block) for block in table.blocks),
    )


def _rectangular_block(table: Table[ScreenLayout], block: Block) -> Block:
    """The genes and the score of each line, on a line of the same number."""
    problems = ErrorCollector()
    lines = [""] * block.data.count(b"\n")
    for row in split_rows(block.lines(), block.first_line, table.delimiter):
        cells = [cell.strip() for cell in row.cells if cell.strip()]
        if len(cells) in table.layout.widths and cells[0] == str(len(cells) - 2):
            lines[row.line - block.first_line] = SEPARATOR.join(cells[1:-1]) + "\t" + cells[-1]
        else:
            excerpt = text_files.shorten(" ".join(cells))
            problems.add(
                f"{table.path}:{row.line}: '{excerpt}' - the number of genes, the genes and a score were expected"
            )
    problems.check()
    return Block(block.first_line, "".join(line + "\n" for line in lines).encode())


def _label_of(name: str) -> str:
    """The label that the name of a column suggests, for an example of how to name it."""
    key = normalize(name)
    is_score = re.search("score|interaction|epsilon|eps|gi$|tau", key)
    if re.search("pval|^p$|fdr|qval", key):
        return schema.INTERACTION_P
    if re.search("std|stdev|stddev|deviation|sd$|sem?$", key):
        return schema.INTERACTION_STD if is_score else schema.FITNESS_STD
    return schema.INTERACTION if is_score else schema.FITNESS


def _numbered(noun: str, column_of: Iterable[str]) -> list[str]:
    """Roles `noun_1`, `noun_2`, .. by number, or `noun_a`, `noun_b`, .. by letter."""
    found = [role for role in column_of if re.fullmatch(rf"{noun}_(\d+|[a-z])", role)]
    return sorted(found, key=lambda role: (len(role), role))


def _alleles(columns: Columns, column: int, allele_column: int) -> list[str]:
    """The name of the allele of each distinct strain, from the first of its rows; empty if there is no such column."""
    values = columns.values[column]
    if allele_column < 0 or not values:
        return [""] * len(values)
    first_rows = np.unique(columns.codes[column], return_index=True)[1]
    return [columns.values[allele_column][code] for code in columns.codes[allele_column][first_rows]]


def _fill_from_26_degrees(values: Numbers, report: Report) -> None:
    """Use the fitness at 26 degrees if the one at 30 degrees, where deletions are screened, was not measured."""
    use_cool = ~np.isfinite(values[schema.FITNESS]) & np.isfinite(values[roles.COOL_FITNESS])
    for warm, cool in ((schema.FITNESS, roles.COOL_FITNESS), (schema.FITNESS_STD, roles.COOL_STD)):
        missing = np.full(len(use_cool), np.nan)
        values[warm] = np.where(use_cool, values.get(cool, missing), values.get(warm, missing))
    report["rows with fitness at 26 degrees, as 30 was not measured"] = int(use_cool.sum())
