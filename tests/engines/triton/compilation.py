"""Compile every Triton kernel for sm_90, for float32 and bfloat16; run by `test_engine.py`. Needs no GPU."""

from __future__ import annotations

import triton.language as tl
from triton import compile as compile_kernel
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from dglcell.engines.triton import attention as triton_attention
from dglcell.engines.triton import block, kernels, pool, stoich_attention, stoichiometry

SIZES = {"num_dst", "num_src", "num_edges", "genotypes", "num_nodes", "chunk", "num_rows", "tiles", "heavy"}
TABLES = {"first", "order", "genotype", "node", "ptr", "src", "dst", "senders", "entering", "made", "lookup", "place"}
INPUTS = {"x_src", "x_dst", "x", "values", "scores", "d_src", "d_dst", "d_x", "d_values", "d_scores"}


def compiled(kernel, inputs, **constants):
    constants = {name: value for name, value in constants.items() if name in kernel.arg_names}

    def kind(name):
        if name in constants:
            return "constexpr"
        if name in SIZES:
            return "i32"
        if name in TABLES:
            return "*i32"
        if name == "eps":
            return "fp32"
        return "*i64" if name == "starts" else f"*{inputs}" if name in INPUTS else "*fp32"

    signature = {name: kind(name) for name in kernel.arg_names}
    source = ASTSource(kernel, signature, constants)
    return compile_kernel(source, target=GPUTarget("cuda", 90, 32), options={"enable_fp_fusion": True})


def main() -> None:
    wide = {"H": 2, "D": 32, "HP": 2, "DP": 32, "E": 16, "ACC": tl.float32, "BLOCK": 4, "W": 64, "WP": 64, "N": 16}
    for inputs in ("fp32", "bf16"):
        sums = stoichiometry
        for kernel in (
            triton_attention.gat_forward,
            triton_attention.gat_backward_target,
            triton_attention.gat_backward_source,
        ):
            assert "cubin" in compiled(kernel, inputs, **wide).asm
        for alpha in (0, 1, 2):
            compiled(sums.sum_forward, inputs, **wide, ALPHA=alpha)
            compiled(sums.sum_backward, inputs, **wide, ALPHA=alpha)
        compiled(pool.pool_forward, inputs, **wide)
        compiled(pool.pool_backward, inputs, **wide)
    for kernel in (block.block_forward, block.block_backward):
        compiled(kernel, "fp32", **wide, MASKED=True, PACKED=True, R=16)
        compiled(kernel, "fp32", **wide, MASKED=False, PACKED=False, R=16)
    compiled(pool.carry_backward, "fp32", **wide)
    scores = stoich_attention
    for kernel in (scores.stoich_forward, scores.stoich_backward_target, scores.stoich_backward_source):
        compiled(kernel, "fp32", **wide)
    compiled(kernels.list_rows, "fp32", N=1024)


if __name__ == "__main__":
    main()
