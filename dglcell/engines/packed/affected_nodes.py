"""Affected nodes: which nodes of which genotypes a deletion changes in each layer.

One bit per genotype, so one machine word follows 64 genotypes along an edge. Planning a batch therefore costs far less
than computing it, and is always done on the CPU. It depends on the edges alone, not on weights.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dglcell.engines.node_masks import Lost, genotype_of
from dglcell.engines.numba.compilation import compiled
from dglcell.schema import CATALYSED_BY, GENE, GPR, IN, METABOLITE, NODE_TYPES, OF, REACTION


@dataclasses.dataclass(frozen=True, eq=False)
class Sparse:
    """Edges of one relation by target: the in-edges of i are `ptr[i]:ptr[i + 1]`.

    Attributes
    ----------
    ptr : (N_dst + 1,) int64
    src : (E,) int32
    edge : (E,) int64
        Edge ids of the relation.
    """

    ptr: NDArray[np.int64]
    src: NDArray[np.int32]
    edge: NDArray[np.int64]

    @classmethod
    def of(cls, src: NDArray[np.int64], dst: NDArray[np.int64], num_dst: int) -> Sparse:
        """Sort edges by target, then by id."""
        edge = np.argsort(dst, kind="stable")
        ptr = np.zeros(num_dst + 1, dtype=np.int64)
        np.cumsum(np.bincount(dst, minlength=num_dst), out=ptr[1:])
        return cls(ptr, src[edge].astype(np.int32), edge)

    @property
    def places(self) -> NDArray[np.int64]:
        """(E,) by edge id: the place of the edge among the in-edges of its target."""
        place = np.empty(len(self.edge), dtype=np.int64)
        place[self.edge] = np.arange(len(self.edge)) - np.repeat(self.ptr[:-1], np.diff(self.ptr))
        return place


@compiled
def spread(ptr, src, touched, out):  # type: ignore[no-untyped-def]
    """Give every target the bits of its sources: (N_src, W) and (N_dst, W) uint64, one bit per genotype."""
    for n in range(len(ptr) - 1):
        for e in range(ptr[n], ptr[n + 1]):
            for w in range(touched.shape[1]):
                out[n, w] |= touched[src[e], w]


@compiled
def count_bits(bits):  # type: ignore[no-untyped-def]
    """Bits that are set in each row: (N, W) uint64 -> (N,) int64; pairs, then fours, then bytes are added in place."""
    ones, twos, fours = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
    out = np.zeros(len(bits), np.int64)
    for n in range(len(bits)):
        for w in range(bits.shape[1]):
            v = bits[n, w]
            v -= (v >> np.uint64(1)) & ones
            v = (v & twos) + ((v >> np.uint64(2)) & twos)
            v = (v + (v >> np.uint64(4))) & fours
            out[n] += np.int64((v * np.uint64(0x0101010101010101)) >> np.uint64(56))
    return out


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
    return count_bits(bits)  # type: ignore[no-any-return]


def follow(
    relations: Mapping[str, tuple[str, str, Sparse]], dead: Mapping[str, Bits], layers: int
) -> list[dict[str, Bits]]:
    """Follow deletions through the layers.

    Parameters
    ----------
    relations : mapping
        Name to source type, target type and edges by target.
    dead : mapping
        Node type to the lost nodes of each genotype.
    layers : int

    Returns
    -------
    list of dict
        For every layer, the surviving nodes that it or an earlier layer has changed. A node counts as changed if
        anything that it may read is lost or changed, whatever the weights.
    """
    changed = {t: np.zeros_like(dead[t]) for t in NODE_TYPES}
    per_layer: list[dict[str, Bits]] = []
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
        per_layer.append(changed)
    return per_layer


def _spread(relation: tuple[str, str, Sparse], touched: Bits, out: Bits) -> None:
    _, _, edges = relation
    spread(edges.ptr, edges.src, touched, out)
