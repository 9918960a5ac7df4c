"""Compiled loops over bits, one a genotype: which targets a lost or changed source touches. Knows no torch."""

from __future__ import annotations

import numpy as np

from dglcell.engines.numba.compilation import compiled


@compiled
def spread(ptr, src, touched, out):  # type: ignore[no-untyped-def]
    """Give every target the bits of its sources: (N_src, W) and (N_dst, W) uint64, one bit a genotype."""
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
