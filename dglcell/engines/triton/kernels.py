"""What the Triton kernels share: how programs are numbered, and how rows are read.

A forward program owns one row and walks its in-edges in tiles (edges, heads, width of a head), with the online softmax
of Milakov and Gimelshein (arXiv:1805.02867). A backward program owns one node for a block of genotypes, one after the
other: what belongs to a genotype's own row is stored there, what belongs to the row that genotypes share is summed over
the block and stored as that block's part. So there are no atomics and a result does not depend on scheduling.

Programs are numbered genotype by genotype, so that those that run together read states of few genotypes, which fit the
L2 cache; nodes with very many edges come before all others. Sums are in `ACC`: float64
for float64 inputs, else float32, also for bfloat16. Shapes and lookups: `packed`.

Names of arguments: H heads of width D, padded to the powers of two HP and DP; E edges in a tile; `genotypes` counts the
wild type too; a program's part is one of `G` blocks of `BLOCK` genotypes.
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
    """A value a head of the rows `index` (E,) where `there`, else 0: (E, HP)."""
    at = index.to(tl.int64)[:, None] * H + head[None]
    return tl.load(base + at, mask=there[:, None] & (head < H)[None], other=0).to(ACC)


@triton.jit
def place_of(first, num_nodes):
    """The row of this forward program: the wild type's rows in the order `first`, then the others as they come."""
    p = tl.program_id(0)
    if p < num_nodes:
        p = tl.load(first + p)
    return p


@triton.jit
def block_and_node(order, num_nodes, heavy):
    """The block of genotypes and the node of this backward program.

    First come the `heavy` nodes with most edges, for all blocks, so that none of them is left to run alone at the end;
    then the others, block by block.
    """
    pid = tl.program_id(0)
    blocks = tl.num_programs(0) // num_nodes
    if pid < heavy * blocks:
        block = pid % blocks
        place = pid // blocks
    else:
        block = (pid - heavy * blocks) // (num_nodes - heavy)
        place = heavy + (pid - heavy * blocks) % (num_nodes - heavy)
    return block, tl.load(order + place)


@triton.jit
def lowest_own(b, num_nodes):
    """The first row that can be genotype b's own: the wild type's are the first N, a lost node has -1."""
    return tl.where(b > 0, num_nodes, 0)


@triton.jit
def list_rows(lookup, genotype, node, num_nodes, N: tl.constexpr):
    """Write genotype and node of every row that is a genotype's own, from the lookup table; the inverse of it."""
    b = tl.program_id(0)
    n = tl.program_id(1) * N + tl.arange(0, N)
    p = tl.load(lookup + b.to(tl.int64) * num_nodes + n, mask=n < num_nodes, other=-1)
    own = p >= lowest_own(b, num_nodes)
    tl.store(genotype + p, tl.zeros([N], tl.int32) + b, mask=own)
    tl.store(node + p, n, mask=own)
