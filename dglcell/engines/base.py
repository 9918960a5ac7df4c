"""Who computes the graph operators: the interface, the choice, and how many genotypes fit into memory at once.

An engine is bound to one heterograph on one device and holds no weights. `dgl` (message functions) is the reference;
`torch` (gather and scatter over CSC and CSR arrays) runs on any device; `fused` visits only the rows that a deletion
changed, with compiled loops on a CPU and Triton kernels on CUDA. A further engine is one more class with these methods
and one more line in `make_engine`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from dglcell import _dgl
from dglcell.engines.available import fused_problem
from dglcell.engines.block import Norm
from dglcell.engines.node_masks import NodeMasks
from dglcell.errors import UsageError

# Where in a pass through the layers an operator is: None for the wild type, else an element of `Engine.plan`. For `dgl`
# and `torch` that is what survives, for `fused` which rows there are.
Where = Any

_CPU_BUDGET = 3 << 30  # more than this buys no speed on a CPU
_SHARE = 0.5  # of the free memory: gradients, optimiser and other processes need the rest


@runtime_checkable
class Engine(Protocol):
    """The graph operators of the model, bound to one heterograph.

    States are (N, B, H, D): nodes, genotypes, heads, width of a head. B may be 1 in any argument and then broadcasts:
    until the first masked operator all genotypes share one state. An engine may put packed rows (P, 1, H, D) in their
    place (`rows`, `carry`), as `fused` does. `alive` marks what survives; an edge survives if both
    its ends do, and only surviving edges send. All methods are differentiable and accept float32 and float64; half
    types are computed and returned in float32.

    Attributes
    ----------
    name : str
        As in `--engine`.
    device : torch.device
        Where arguments must live.
    num_nodes : dict of str to int
        Nodes of each type.
    num_graphs : int
        1, or the number of graphs in a `dgl.batch`, which needs B = 1.
    wild_type_first : bool
        Whether the rows of a pass of genotypes begin with those of the wild type.
    recompute : bool
        Whether a layer keeps so much for its gradient that even a single chunk had better compute it again.
    """

    name: str
    device: torch.device
    num_nodes: dict[str, int]
    num_graphs: int
    recompute: bool
    wild_type_first: bool

    def plan(self, alive: NodeMasks, layers: int, known: bool = False) -> Sequence[Where]:
        """Prepare a pass of genotypes through the layers: what the operators of each layer are to be given.

        Parameters
        ----------
        alive : NodeMasks
            Of B genotypes.
        layers : int
            At least 1.
        known : bool
            Whether the wild type's rows of every layer's output are at hand, so that they may be left undefined.
        """
        ...

    def carry(self, x: Tensor, node_type: str, where: Where) -> Tensor:
        """States in the rows that enter a layer, in the rows that leave it."""
        ...

    def gatv2(self, relation: str, x_src: Tensor, x_dst: Tensor, a: Tensor, where: Where) -> Tensor:
        """Graph attention with dynamic scores (Brody et al., arXiv:2105.14491), without its bias.

        ``y_i = sum_j alpha_ij x_j``, ``alpha`` = softmax over the surviving in-edges of i of
        ``a . LeakyReLU_0.2(x_j + x_i)``.

        Parameters
        ----------
        relation : str
            Its source type sends, its target type receives.
        x_src : Tensor (N_src, B, H, D)
            ``W_s x`` of the sources.
        x_dst : Tensor (N_dst, B, H, D)
            ``W_d x`` of the targets.
        a : Tensor (H, D)
        where : None or element of `plan`

        Returns
        -------
        Tensor (N_dst, B, H, D)
            0 for a node without a surviving in-edge.
        """
        ...

    def stoich_attention(self, q_m: Tensor, q_r: Tensor, where: Where) -> Tensor:
        """Softmax over the surviving metabolites of each reaction of ``LeakyReLU_0.2(q_m + q_r)``.

        Parameters
        ----------
        q_m : Tensor (N_m, B, H)
        q_r : Tensor (N_r, B, H)
        where : None or element of `plan`

        Returns
        -------
        Tensor (E, B, H)
            In the engine's own order of incidences; only this engine's `to_reactions` and `to_metabolites` read it.
        """
        ...

    def to_reactions(self, x: Tensor, alpha: Tensor | None, where: Where) -> Tensor:
        """``B^-1 (S * alpha)^T x``: (N_m, B, H, D) -> (N_r, B, H, D); see `dglcell.engines.stoichiometry`."""
        ...

    def to_metabolites(self, u: Tensor, alpha: Tensor | None, where: Where) -> Tensor:
        """``D^-1 (S * alpha) u``: (N_r, B, H, D) -> (N_m, B, H, D); see `dglcell.engines.stoichiometry`."""
        ...

    def pool(self, values: Tensor, scores: Tensor, where: Where) -> Tensor:
        """Attention-weighted sum over surviving genes, as `dglcell.engines.attention.pool`.

        Parameters
        ----------
        values : Tensor (N_g, B, h)
        scores : Tensor (N_g, B)
        where : None or element of `plan`

        Returns
        -------
        Tensor (B, h)
            On a `dgl.batch` (num_graphs, h), one row a graph. No surviving gene gives 0.
        """
        ...

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """``W x + b`` of every row: (N, B, k), (m, k), (m,) -> (N, B, m), in the engine's own way."""
        ...

    def block(
        self,
        x: Tensor,
        norm: Norm,
        mask: Tensor | None,
        node_type: str,
        where: Where,
        bias: Tensor | None = None,
        onto: Tensor | None = None,
    ) -> Tensor:
        """What follows a convolution onto a node type: `dglcell.engines.block.block`, in the engine's own way."""
        ...

    def bytes_per_genotype(self, hidden: int, heads: int) -> int:
        """Peak bytes of one layer, forward and backward, for one more genotype in a chunk (float32)."""
        ...


def choose(name: str, device: torch.device | str) -> tuple[str, str]:
    """The engine that `--engine name` means on a device, and why.

    Parameters
    ----------
    name : str
        `auto`, `dgl`, `torch` or `fused`.
    device : torch.device or str

    Returns
    -------
    (name, reason) : tuple of str

    Raises
    ------
    UsageError
        An engine that cannot run on the device, or an unknown name.
    """
    device = torch.device(device)
    cuda = device.type == "cuda"
    if name == "dgl":
        if cuda and not _dgl.has_cuda():
            raise UsageError("--engine dgl on CUDA - a DGL built with CUDA was expected; use --engine torch or auto")
        return "dgl", "asked for"
    if name == "torch":
        return "torch", "asked for"
    if name not in ("auto", "fused"):
        raise UsageError(f"--engine {name} - one of auto, dgl, torch, fused was expected")
    problem = fused_problem(device)
    if problem is None:
        if name == "fused":
            return "fused", "asked for"
        return "fused", "Triton kernels, made for CUDA" if cuda else "compiled loops, the fastest on a CPU"
    if name == "fused":
        raise UsageError(f"--engine fused on {'CUDA' if cuda else 'the CPU'}: {problem} - use --engine torch or auto")
    return "torch", f"runs on any device; fused does not run here: {problem}"


def make_engine(name: str, graph: Any, device: torch.device | str) -> Engine:
    """Bind an engine to a heterograph.

    Parameters
    ----------
    name : str
        `auto`, `dgl`, `torch` or `fused`; see `choose`.
    graph : dgl.DGLGraph
        Of a `CellGraph`, or a `dgl.batch` of perturbed ones; on the CPU.
    device : torch.device or str
        Where to compute.

    Returns
    -------
    Engine

    Raises
    ------
    UsageError
        As `choose`.
    """
    chosen, _ = choose(name, device)
    if chosen == "dgl":
        from dglcell.engines.dgl import DglEngine

        return DglEngine(graph, torch.device(device))
    if chosen == "fused" and torch.device(device).type == "cuda":
        from dglcell.engines.triton.engine import TritonEngine

        return TritonEngine(graph, torch.device(device))
    if chosen == "fused":
        from dglcell.engines.numba.engine import NumbaEngine

        return NumbaEngine(graph, torch.device(device))
    from dglcell.engines.torch import TorchEngine

    return TorchEngine(graph, torch.device(device))


def free_memory(device: torch.device) -> int:
    """Bytes that a computation on `device` could still allocate; 4 GiB where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):  # not Linux
        return 4 << 30
    return min(available, _cgroup_headroom(available))


def _cgroup_headroom(default: int) -> int:
    """What a container's limit leaves; `default` where there is none."""
    root = Path("/sys/fs/cgroup")
    try:
        return int((root / "memory.max").read_text()) - int((root / "memory.current").read_text())
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return default


def auto_chunk(engine: Engine, batch: int, layers: int, hidden: int, heads: int) -> int:
    """How many genotypes to send through the graph together (`--chunk auto`).

    Parameters
    ----------
    engine : Engine
    batch : int
        Genotypes in a step, whose layer inputs are kept whatever the chunk.
    layers, hidden, heads : int
        Of the model.

    Returns
    -------
    int
        Between 1 and `batch`. The result of a step does not depend on it.
    """
    kept = batch * layers * sum(engine.num_nodes.values()) * hidden * 4
    budget = _SHARE * free_memory(engine.device) - kept
    if engine.device.type == "cpu":
        budget = min(budget, _CPU_BUDGET)
    layer = max(1, engine.bytes_per_genotype(hidden, heads))
    if not engine.recompute and batch * layers * layer <= budget:
        return batch
    chunks = max(1 if engine.recompute else 2, math.ceil(batch * layer / max(1, budget)))
    return max(1, math.ceil(batch / chunks))
