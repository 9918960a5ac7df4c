"""How many partners each gene has in each relation, as gene features.

Attention averages over neighbours and so hides how many there are; hubs are what most deletions with an effect are.
Uses the graph alone: no label enters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.graph.relation import Relation


def degree_features(relations: Iterable[Relation], num_genes: int) -> NDArray[np.float32]:
    """Standardised logarithms of degrees, and their squares.

    Parameters
    ----------
    relations : iterable of Relation
        Forward ones. Counted are the partners in each gene-gene relation, without loops (in a directed one to and from
        apart), and the reaction nodes of a gene.
    num_genes : int

    Returns
    -------
    (N_g, d) float32
        Of each count the standardised log(1 + degree), and the square of this, standardised too; columns that are the
        same for every gene are left out.
    """
    columns = []
    for count in _counts(relations, num_genes):
        if len(set(count.tolist())) > 1:
            logarithm = _standardised(np.log1p(count))
            columns += [logarithm, _standardised(logarithm**2)]
    columns = [column for column in columns if column.any()]
    return np.stack(columns, axis=1).astype(np.float32) if columns else np.zeros((num_genes, 0), np.float32)


def _counts(relations: Iterable[Relation], num_genes: int) -> Iterator[NDArray[np.int64]]:
    for relation in relations:
        if relation.name == schema.GPR:
            yield np.bincount(relation.src, minlength=num_genes)
        elif relation.src_type == relation.dst_type == schema.GENE:
            apart = relation.src != relation.dst
            for ends in (relation.src,) if relation.undirected else (relation.src, relation.dst):
                yield np.bincount(ends[apart], minlength=num_genes)


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean 0 and variance 1; zeros if all are (nearly) the same."""
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-6 else np.zeros_like(values)
