"""One training step on a synthetic cell of yeast's size, heavy-tailed like the real one.

    python -m tests.benchmarks.yeast_size --engine torch --variant difference --batch 32

prints one line of JSON: seconds forward and backward, CPU seconds, peak resident memory.
"""

import argparse
import json
import resource
import sys
import time

import numpy as np
import torch

from dglcell.config import ModelConfig
from dglcell.graph.cell import CellGraph
from dglcell.graph.relation import Relation
from dglcell.nn.batch import Batch
from dglcell.nn.model import CellModel, GraphSizes
from dglcell.ops.engines import make_engine

GENES, PAIRS, REGULATORY = 6604, 142_505, 11_307
REACTIONS, METABOLITES, INCIDENCES, ENZYMES = 4881, 2534, 20_960, 1161


def heavy_tailed(rng: np.random.Generator, n: int) -> np.ndarray:
    weight = np.minimum(rng.pareto(1.2, n) + 1, 300)
    return weight / weight.sum()


def distinct_pairs(rng: np.random.Generator, a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    """`n` distinct (row, column) with heavy-tailed ends, as rows of an array."""
    found = np.empty((0, 2), dtype=np.int64)
    while len(found) < n:
        drawn = np.stack([rng.choice(len(a), n, p=a), rng.choice(len(b), n, p=b)], axis=1)
        found = np.unique(np.concatenate([found, drawn]), axis=0)
    return found[rng.permutation(len(found))[:n]]


def yeast_size(seed: int = 0, genes: int = GENES, pairs: int = PAIRS, regulatory: int = REGULATORY) -> CellGraph:
    """A cell with yeast's counts of nodes and edges, or with other numbers of genes and of their distinct pairs."""
    rng = np.random.default_rng(seed)
    weights = heavy_tailed(rng, genes)
    found = np.empty((0, 2), dtype=np.int64)
    while len(found) < pairs:
        more = distinct_pairs(rng, weights, weights, pairs)
        more = np.sort(more[more[:, 0] != more[:, 1]], axis=1)
        found = np.unique(np.concatenate([found, more]), axis=0)
    found = found[rng.permutation(len(found))[:pairs]]
    loops = np.arange(genes)
    regulation = distinct_pairs(rng, weights, weights, 2 * regulatory)
    regulation = regulation[regulation[:, 0] != regulation[:, 1]][:regulatory]
    incidences = distinct_pairs(rng, heavy_tailed(rng, METABOLITES), np.full(REACTIONS, 1 / REACTIONS), INCIDENCES)
    amounts = rng.choice([-2.0, -1.0, 1.0, 2.0], INCIDENCES).astype(np.float32)
    enzymes = rng.integers(0, ENZYMES, REACTIONS)
    return CellGraph(
        {
            "gene": [f"g{i:05d}" for i in range(genes)],
            "reaction": [f"r{i:05d}" for i in range(REACTIONS)],
            "metabolite": [f"m{i:05d}" for i in range(METABOLITES)],
        },
        [
            Relation.of(
                "physical_interaction",
                "gene",
                "gene",
                np.concatenate([found[:, 0], found[:, 1], loops]),
                np.concatenate([found[:, 1], found[:, 0], loops]),
                undirected=True,
            ),
            Relation.of("regulatory_interaction", "gene", "gene", *(np.concatenate([e, loops]) for e in regulation.T)),
            Relation.of("gpr", "gene", "reaction", enzymes, np.arange(REACTIONS)),
            Relation.of("in", "metabolite", "reaction", *incidences.T, data={"stoichiometry": amounts}),
        ],
        reaction_group=np.arange(REACTIONS) // 2,
        group_names=[f"R{i:05d}" for i in range(REACTIONS // 2 + 1)],
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--variant", default="local")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--chunk", default="auto")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    cell = yeast_size()
    model = CellModel(ModelConfig(layers=3, hidden=64, variant=args.variant), GraphSizes.of(cell)).train()
    engine = make_engine(args.engine, cell.dgl, "cpu")
    rng = np.random.default_rng(1)
    genotypes = [rng.choice(GENES, 2, replace=False).tolist() for _ in range(args.batch)]
    batch = Batch.from_perturbation(cell.lose(*cell.indices(genotypes)), cell)
    chunk = args.chunk if args.chunk == "auto" else int(args.chunk)
    steps = []
    for _ in range(args.repeat):
        model.zero_grad()
        wall, cpu = time.perf_counter(), time.process_time()
        loss = model(engine, batch, chunk=chunk).predictions.square().mean()
        forward = time.perf_counter()
        loss.backward()
        steps.append((time.perf_counter() - wall, forward - wall, time.process_time() - cpu))
    total, forward, cpu = min(steps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    result = {"engine": engine.name, "step_s": total, "forward_s": forward, "cpu_s": cpu, "peak_gib": peak}
    sys.stdout.write(json.dumps({name: v if name == "engine" else round(v, 3) for name, v in result.items()}) + "\n")


if __name__ == "__main__":
    main()
