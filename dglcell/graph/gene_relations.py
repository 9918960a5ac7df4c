"""Edge tables by name -> one relation between genes.

Owns how tables unite: names resolve, unknown ends drop, duplicates merge, loops come from one rule. Knows no layouts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, ErrorCollector
from dglcell.graph.relation import Relation

if TYPE_CHECKING:
    from dglcell.readers.edge_table import EdgeTable
    from dglcell.readers.genes import GeneList

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]

UNSCORED = 0.5  # confidence of an edge whose source does not say


def gene_relation(
    name: str, tables: Sequence[EdgeTable], genes: GeneList, undirected: bool, self_loops: bool = True
) -> tuple[Relation, dict[str, Any]]:
    """Unite tables into one gene-gene relation.

    Stored edges: every distinct non-self pair (both ways when undirected) and, with `self_loops`, one loop a gene;
    loops of the source are dropped either way. Edges with an end outside the gene list are dropped and counted. A
    directed relation has `sign` when a table has: known beats unknown, and sources that disagree give 0. It has
    `confidence` when a table has: the highest of the sources, 0.5 in a source without scores, 1 of a loop.

    Returns
    -------
    relation : Relation
    report : dict
        Rows read, dropped and merged, by reason and by file.

    Raises
    ------
    DataError
        An ambiguous gene name.
    """
    problems = ErrorCollector(DataError)
    n = len(genes.ids)
    row_of = {gene: row for row, gene in enumerate(genes.ids)}
    files = []
    pairs: list[Rows] = [np.zeros(0, dtype=np.int64)]
    signs: list[Floats] = [np.zeros(0, dtype=np.float32)]
    scores: list[Floats] = [np.zeros(0, dtype=np.float32)]
    for table in tables:
        a, b, file_report = _resolve(table, genes, row_of, problems)
        sign = np.zeros(len(table), dtype=np.float32) if table.sign is None else table.sign
        score = np.full(len(table), np.nan, np.float32) if table.confidence is None else table.confidence
        kept = (a >= 0) & (b >= 0) & (a != b)
        a, b = a[kept], b[kept]
        if undirected:
            a, b = np.minimum(a, b), np.maximum(a, b)
        pairs.append(a * n + b)
        signs.append(sign[kept])
        scores.append(np.where(np.isnan(score), UNSCORED, score)[kept].astype(np.float32))
        files.append(file_report)
    problems.check()
    distinct, sign, confidence = _merge(np.concatenate(pairs), np.concatenate(signs), np.concatenate(scores))
    data = {}
    if not undirected and any(table.sign is not None for table in tables):
        data[schema.SIGN] = sign
    if any(table.confidence is not None for table in tables):
        data[schema.CONFIDENCE] = confidence
    src, dst = np.divmod(distinct, max(1, n))
    report = {
        "pairs": len(distinct),
        "duplicate rows, merged": sum(map(len, pairs)) - len(distinct),
        "files": files,
    }
    return _relation(name, src, dst, data, n if self_loops else 0, undirected), report


def _resolve(
    table: EdgeTable, genes: GeneList, row_of: dict[str, int], problems: ErrorCollector
) -> tuple[Rows, Rows, dict[str, Any]]:
    """Gene rows of both ends, -1 where the gene list has no such gene; every distinct name is looked up once."""
    found: dict[str, int] = {}
    for name in dict.fromkeys([*table.a, *table.b]):
        try:
            gene = genes.resolve(name)
        except DataError as error:
            problems.add(f"{table.path}: {error}")
            gene = None
        found[name] = -1 if gene is None else row_of[gene]
    a = np.fromiter((found[name] for name in table.a), dtype=np.int64, count=len(table.a))
    b = np.fromiter((found[name] for name in table.b), dtype=np.int64, count=len(table.b))
    known = (a >= 0) & (b >= 0)
    report = {
        "path": str(table.path),
        "layout": table.layout,
        "edges read": len(a),
        "edges with an id outside the gene list, left out": int(np.count_nonzero(~known)),
        "ids outside the gene list": sum(row < 0 for row in found.values()),
        "self-edges of the file, left out": int(np.count_nonzero(known & (a == b))),
        **table.report,
    }
    return a, b, report


def _merge(pairs: Rows, signs: Floats, scores: Floats) -> tuple[Rows, Floats, Floats]:
    """Distinct pairs, ascending; +1 or -1 for each when its known signs agree, else 0; its highest score."""
    distinct, inverse = np.unique(pairs, return_inverse=True)
    up, down, highest = np.zeros((3, len(distinct)), dtype=np.float32)
    up[inverse[signs > 0]] = 1
    down[inverse[signs < 0]] = 1
    np.maximum.at(highest, inverse, scores)
    return distinct, up - down, highest


def _relation(name: str, src: Rows, dst: Rows, data: dict[str, Floats], num_loops: int, undirected: bool) -> Relation:
    """The relation with loops, and with the way back where it is undirected; `data` has one value a pair."""
    loops = np.arange(num_loops)
    back = (dst, src) if undirected else (src[:0], dst[:0])
    of_loop = {schema.SIGN: 0, schema.CONFIDENCE: 1}
    return Relation.of(
        name,
        schema.GENE,
        schema.GENE,
        np.concatenate([src, back[0], loops]),
        np.concatenate([dst, back[1], loops]),
        {
            key: np.concatenate([values, values[: len(back[0])], np.full(num_loops, of_loop[key], np.float32)])
            for key, values in data.items()
        },
        undirected,
    )
