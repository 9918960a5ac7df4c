"""Edge tables with genes by name -> one gene-gene relation; and degrees of genes in relations as gene features."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, ErrorCollector, number_of
from dglcell.graph.relation import Relation
from dglcell.readers.left_out import EXAMPLES, LeftOut, examples

if TYPE_CHECKING:
    from dglcell.readers.edge_table import EdgeTable
    from dglcell.readers.gene_list import GeneList

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]

UNSCORED = 0.5  # confidence of an edge from a source without scores


def gene_relation(
    name: str,
    tables: Sequence[EdgeTable],
    genes: GeneList,
    undirected: bool,
    self_loops: bool = True,
    allow_empty: bool = False,
) -> tuple[Relation, dict[str, Any]]:
    """The union of edge tables as one gene-gene relation.

    The edges are all distinct pairs of two genes (in both directions if undirected) and, with `self_loops`, one loop
    per gene. Self-edges of the tables, and edges with an end outside the gene list, are left out and counted; see
    `readers.left_out` for the warning and the error. A
    directed relation has a `sign` if any table has one: a known sign takes precedence over an unknown one, and
    contradicting signs give 0. A relation has a `confidence` if any table has one: the highest one over all tables, in
    which an edge without a score has 0.5; loops have 1.

    Parameters
    ----------
    name : str
        Name of the relation.
    tables : sequence of EdgeTable
    genes : GeneList
        Resolves the names.
    undirected : bool
    self_loops : bool
    allow_empty : bool
        Accept a table of which no edge is left.

    Returns
    -------
    relation : Relation
    report : dict
        Counts of rows read, left out and merged, by reason and by file.

    Raises
    ------
    DataError
        A gene name is ambiguous, or no edge of a table is left.
    """
    problems = ErrorCollector(DataError)
    n = len(genes.ids)
    row_of = {gene: row for row, gene in enumerate(genes.ids)}
    files = []
    pairs: list[Rows] = [np.zeros(0, dtype=np.int64)]
    signs: list[Floats] = [np.zeros(0, dtype=np.float32)]
    scores: list[Floats] = [np.zeros(0, dtype=np.float32)]
    for table in tables:
        a, b, file_report = _resolve(table, genes, row_of, problems, allow_empty)
        sign = np.zeros(len(table), dtype=np.float32) if table.sign is None else table.sign
        score = np.full(len(table), np.nan, np.float32) if table.confidence is None else table.confidence
        is_edge = (a >= 0) & (b >= 0) & (a != b)
        a, b = a[is_edge], b[is_edge]
        if undirected:
            a, b = np.minimum(a, b), np.maximum(a, b)
        pairs.append(a * n + b)
        signs.append(sign[is_edge])
        scores.append(np.where(np.isnan(score), UNSCORED, score)[is_edge].astype(np.float32))
        files.append(file_report)
    problems.check()
    unique_pairs, sign, confidence = _merge_duplicates(
        np.concatenate(pairs), np.concatenate(signs), np.concatenate(scores)
    )
    data = {}
    if not undirected and any(table.sign is not None for table in tables):
        data[schema.SIGN] = sign
    if any(table.confidence is not None for table in tables):
        data[schema.CONFIDENCE] = confidence
    src, dst = np.divmod(unique_pairs, max(1, n))
    report = {
        "pairs": len(unique_pairs),
        "duplicate rows, merged": sum(map(len, pairs)) - len(unique_pairs),
        "files": files,
    }
    return _relation(name, src, dst, data, n if self_loops else 0, undirected), report


def _resolve(
    table: EdgeTable, genes: GeneList, row_of: dict[str, int], problems: ErrorCollector, allow_empty: bool
) -> tuple[Rows, Rows, dict[str, Any]]:
    """Gene rows of both ends, -1 for genes outside the gene list, and the report of the table."""
    rows: dict[str, int] = {}
    num_ambiguous = num_synonyms = 0
    if table.column_names and all(name in row_of for name in table.column_names):
        names = " and ".join(table.column_names)
        problems.add(
            f"{table.path}: the first row is taken for the names of columns ({names}), but these are genes of the cell "
            "- add a row with other names above it, such as source and target"
        )
    for name in dict.fromkeys(itertools.chain.from_iterable(zip(table.a, table.b, strict=True))):
        num_problems = problems.count
        gene, is_synonym = _resolve_name(table, genes, name, problems)
        num_ambiguous += problems.count - num_problems
        num_synonyms += is_synonym
        rows[name] = -1 if gene is None else row_of[gene]
    a = np.fromiter((rows[name] for name in table.a), dtype=np.int64, count=len(table.a))
    b = np.fromiter((rows[name] for name in table.b), dtype=np.int64, count=len(table.b))
    is_known = (a >= 0) & (b >= 0)
    num_loops = int(np.count_nonzero(is_known & (a == b)))
    num_left_out = int(np.count_nonzero(~is_known))
    num_kept = len(a) - num_left_out - num_loops
    unknown = [name for name, row in rows.items() if row < 0]
    left_out = LeftOut(str(table.path), "edge", len(a), num_left_out, num_kept, unknown, genes.ids)
    if not num_ambiguous:
        loops = f"{number_of(num_loops, 'edge')} from a gene to itself" if num_loops else ""
        left_out.check(problems, "joins two genes of the cell", loops, allow_empty)
    report = {
        "path": str(table.path),
        "layout": table.layout,
        "edges read": len(a),
        "edges with an id outside the gene list, left out": num_left_out,
        "ids outside the gene list": len(unknown),
        **({"ids outside the gene list" + EXAMPLES: examples(unknown)} if unknown else {}),
        "self-edges of the file, left out": num_loops,
        **table.report,
    }
    if num_synonyms:
        report["ids resolved by another name in the file"] = num_synonyms
    return a, b, report


def _resolve_name(table: EdgeTable, genes: GeneList, name: str, problems: ErrorCollector) -> tuple[str | None, bool]:
    """The gene of a name or, if it is unknown or ambiguous, of another name that the file has for it."""
    error: DataError | None = None
    for number, spelling in enumerate((name, *table.synonyms.get(name, ()))):
        try:
            gene = genes.resolve(spelling)
        except DataError as ambiguity:
            error = error or ambiguity
            continue
        if gene is not None:
            return gene, number > 0
    if error is not None:
        problems.add(f"{table.path}: {error}")
    return None, False


def _merge_duplicates(pairs: Rows, signs: Floats, scores: Floats) -> tuple[Rows, Floats, Floats]:
    """Distinct pairs, ascending; for each its sign, 0 if known signs contradict each other, and its highest score."""
    unique_pairs, inverse = np.unique(pairs, return_inverse=True)
    activates, represses, highest = np.zeros((3, len(unique_pairs)), dtype=np.float32)
    activates[inverse[signs > 0]] = 1
    represses[inverse[signs < 0]] = 1
    np.maximum.at(highest, inverse, scores)
    return unique_pairs, activates - represses, highest


def _relation(name: str, src: Rows, dst: Rows, data: dict[str, Floats], num_loops: int, undirected: bool) -> Relation:
    """The relation with loops and, if undirected, reverse edges; `data` has one value per pair."""
    loops = np.arange(num_loops)
    reverse = (dst, src) if undirected else (src[:0], dst[:0])
    loop_values = {schema.SIGN: 0, schema.CONFIDENCE: 1}
    return Relation.of(
        name,
        schema.GENE,
        schema.GENE,
        np.concatenate([src, reverse[0], loops]),
        np.concatenate([dst, reverse[1], loops]),
        {
            key: np.concatenate([values, values[: len(reverse[0])], np.full(num_loops, loop_values[key], np.float32)])
            for key, values in data.items()
        },
        undirected,
    )


def degree_features(relations: Iterable[Relation], num_genes: int) -> NDArray[np.float32]:
    """Standardized logarithms of degrees and their squares, as gene features.

    Attention averages over neighbors, so a model does not see their number, although most deletions with an effect
    are those of hubs. Degrees use the graph only, no labels.

    Parameters
    ----------
    relations : iterable of Relation
        Forward relations. The degree of a gene is its number of neighbors in a gene-gene relation, without loops (for a
        directed one, incoming and outgoing separately), and its number of reaction nodes in `gpr`.
    num_genes : int

    Returns
    -------
    (N_g, d) float32
        For each degree, the standardized log(1 + degree) and its standardized square; columns with the same value for
        all genes are left out.
    """
    columns = []
    for count in _degrees(relations, num_genes):
        if len(set(count.tolist())) > 1:
            logarithm = _standardize(np.log1p(count))
            columns += [logarithm, _standardize(logarithm**2)]
    columns = [column for column in columns if column.any()]
    return np.stack(columns, axis=1).astype(np.float32) if columns else np.zeros((num_genes, 0), np.float32)


def _degrees(relations: Iterable[Relation], num_genes: int) -> Iterator[NDArray[np.int64]]:
    for relation in relations:
        if relation.name == schema.GPR:
            yield np.bincount(relation.src, minlength=num_genes)
        elif relation.src_type == relation.dst_type == schema.GENE:
            no_loop = relation.src != relation.dst
            for rows in (relation.src,) if relation.undirected else (relation.src, relation.dst):
                yield np.bincount(rows[no_loop], minlength=num_genes)


def _standardize(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values with mean 0 and variance 1; zeros if all are (nearly) equal."""
    std = float(values.std())
    return (values - values.mean()) / std if std > 1e-6 else np.zeros_like(values)
