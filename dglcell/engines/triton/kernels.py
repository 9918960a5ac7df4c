"""Shared by the Triton kernels: how programs are numbered, and how rows are read.

A forward program computes one row and visits its in-edges in tiles (edges, heads, width of a head), with the online
softmax of Milakov and Gimelshein (arXiv:1805.02867). A backward program computes one node for a block of genotypes, one
after the other: the gradient of a genotype's own row is stored there, the gradient of the row that genotypes share is
summed over the block and stored as the part of this block. So there are no atomics and a result does not depend on
scheduling.

Programs are numbered genotype by genotype, so that those that run together read states of few genotypes, which fit the
L2 cache; nodes with very many edges come first. Sums are in `ACC`: float64 for float64 inputs, else float32, also for
bfloat16. Shapes and lookups: `packed.delta_states`.

Names of arguments: H heads of width D, padded to the powers of two HP and DP; E edges in a tile; `genotypes` includes
the wild type; a program's part is one of `G` blocks of `BLOCK` genotypes.
"""

import triton
import triton.language as tl

from dglcell.engines.operators import ABSENT
from dglcell.engines.operators import SLOPE as _LEAK

SLOPE = tl.constexpr(_LEAK)
LOWEST = tl.constexpr(ABSENT)


@triton.jit
def cells(H: tl.constexpr, D: tl.constexpr, HP: tl.constexpr, DP: tl.constexpr):
    """Offsets of a row's values (HP, DP) and which of them exist."""
    h = tl.arange(0, HP)[:, None]
    d = tl.arange(0, DP)[None, :]
    return h * D + d, (h < H) & (d < D)


@triton.jit
def row(base, index, cell, exists, size: tl.constexpr, ACC: tl.constexpr):
    """One row (HP, DP) of an array whose rows have `size` values."""
    return tl.load(base + index.to(tl.int64) * size + cell, mask=exists, other=0).to(ACC)


@triton.jit
def rows(base, index, there, cell, exists, size: tl.constexpr, ACC: tl.constexpr):
    """The rows `index` (E,) where `there`, else 0: (E, HP, DP)."""
    at = index.to(tl.int64)[:, None, None] * size + cell[None]
    return tl.load(base + at, mask=there[:, None, None] & exists[None], other=0).to(ACC)


@triton.jit
def heads(base, index, there, head, H: tl.constexpr, ACC: tl.constexpr):
    """One value per head of the rows `index` (E,) where `there`, else 0: (E, HP)."""
    at = index.to(tl.int64)[:, None] * H + head[None]
    return tl.load(base + at, mask=there[:, None] & (head < H)[None], other=0).to(ACC)


@triton.jit
def place_of(first, num_nodes):
    """The row of this forward program: first the wild type's rows in the sequence `first`, then all others."""
    p = tl.program_id(0)
    if p < num_nodes:
        p = tl.load(first + p)
    return p


@triton.jit
def block_and_node(by_degree, num_nodes, heavy):
    """The block of genotypes and the node of this backward program.

    The `heavy` nodes with most edges come first, for all blocks, so that none of them runs alone at the end; then the
    others, block by block.
    """
    pid = tl.program_id(0)
    blocks = tl.num_programs(0) // num_nodes
    if pid < heavy * blocks:
        block = pid % blocks
        place = pid // blocks
    else:
        block = (pid - heavy * blocks) // (num_nodes - heavy)
        place = heavy + (pid - heavy * blocks) % (num_nodes - heavy)
    return block, tl.load(by_degree + place)


@triton.jit
def lowest_own(b, num_nodes):
    """The first row that can belong to genotype b alone: the first N are the wild type's, a lost node has -1."""
    return tl.where(b > 0, num_nodes, 0)


@triton.jit
def list_rows(lookup, genotype, node, num_nodes, N: tl.constexpr):
    """Write genotype and node of every row that belongs to one genotype alone: the inverse of the lookup table."""
    b = tl.program_id(0)
    n = tl.program_id(1) * N + tl.arange(0, N)
    p = tl.load(lookup + b.to(tl.int64) * num_nodes + n, mask=n < num_nodes, other=-1)
    own = p >= lowest_own(b, num_nodes)
    tl.store(genotype + p, tl.zeros([N], tl.int32) + b, mask=own)
    tl.store(node + p, n, mask=own)
