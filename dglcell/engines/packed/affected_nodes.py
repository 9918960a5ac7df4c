"""How far deletions reach: which nodes of which genotypes a layer changes.

One bit a genotype, so that a machine word follows 64 genotypes along an edge: planning a batch costs far less than
computing it, and is done on the host whatever the device. Knows relations as index arrays and no weights.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dglcell.engines.node_masks import Lost, genotype_of
from dglcell.engines.packed import bitsets
from dglcell.engines.sparse import Sparse
from dglcell.schema import CATALYSED_BY, GENE, GPR, IN, METABOLITE, NODE_TYPES, OF, REACTION

Bits = NDArray[np.uint64]  # (N, ceil(B / 64)); bit b % 64 of word b // 64 is genotype b
_WORD = 64


def pack(lost: Lost, num_nodes: int) -> Bits:
    """Lost rows (K,) and their ptr (B + 1,) as bits."""
    rows, ptr = lost
    genotype = genotype_of(ptr)
    bits = np.zeros((num_nodes, -(-(len(ptr) - 1) // _WORD)), dtype=np.uint64)
    np.bitwise_or.at(bits, (rows, genotype // _WORD), np.uint64(1) << (genotype % _WORD).astype(np.uint64))
    return bits


def unpack(bits: Bits, genotypes: int) -> NDArray[np.bool_]:
    """Bits as (B, N) bool, a transposed view."""
    flat = np.unpackbits(bits.astype("<u8", copy=False).view(np.uint8), axis=1, bitorder="little", count=genotypes)
    return flat.view(np.bool_).T


def count(bits: Bits) -> NDArray[np.int64]:
    """(N,) genotypes whose bit is set."""
    return bitsets.count_bits(bits)  # type: ignore[no-any-return]


def follow(
    relations: Mapping[str, tuple[str, str, Sparse]], dead: Mapping[str, Bits], layers: int
) -> list[dict[str, Bits]]:
    """Follow deletions through the layers.

    Parameters
    ----------
    relations : mapping
        Name to source type, target type and edges by target.
    dead : mapping
        Node type to the nodes that each genotype lost.
    layers : int

    Returns
    -------
    list of dict
        For every layer the surviving nodes that it or a layer before has changed. A node counts as changed if anything
        that it may read is lost or changed, whatever the weights.
    """
    changed = {t: np.zeros_like(dead[t]) for t in NODE_TYPES}
    made: list[dict[str, Bits]] = []
    for _ in range(layers):
        touched = {t: changed[t] | dead[t] for t in NODE_TYPES}
        new = {t: changed[t].copy() for t in NODE_TYPES}
        _spread(relations[GPR], touched[GENE], new[REACTION])
        _spread(relations[IN], touched[METABOLITE], new[REACTION])
        from_reactions = new[REACTION] | dead[REACTION]
        _spread(relations[OF], from_reactions, new[METABOLITE])
        _spread(relations[CATALYSED_BY], from_reactions, new[GENE])
        for source, target, edges in relations.values():
            if source == target == GENE:
                _spread((source, target, edges), touched[GENE], new[GENE])
        changed = {t: new[t] & ~dead[t] for t in NODE_TYPES}
        made.append(changed)
    return made


def _spread(relation: tuple[str, str, Sparse], touched: Bits, out: Bits) -> None:
    _, _, edges = relation
    bitsets.spread(edges.ptr, edges.src, touched, out)
