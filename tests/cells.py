"""Small random cell graphs and genotypes for every test that needs one."""

from __future__ import annotations

import numpy as np

from dglcell import schema
from dglcell.graph.build import build
from dglcell.graph.cell import CellGraph
from dglcell.graph.relation import Relation
from dglcell.readers import gpr as gpr_rules
from dglcell.readers.metabolic_model import MetabolicModel, ReactionRecord


def tiny_cell(
    seed: int = 0,
    genes: int = 12,
    reactions: int = 6,
    metabolites: int = 8,
    features: int = 0,
    self_loops: bool = True,
    regulatory: bool = True,
    metabolism: bool = True,
) -> CellGraph:
    """A small random cell.

    It has isozymes, complexes, reversible and spontaneous reactions, an isolated gene (the last; only its self-loops,
    if any), a metabolite without reactions (the last), self-loops and signed fractional stoichiometry. With `features`,
    the second gene has none. `regulatory=False` leaves that relation there but empty, `metabolism=False` has neither
    reactions nor metabolites.
    """
    rng = np.random.default_rng(seed)
    n = genes - 1  # the last gene stays isolated
    gene_ids = [f"G{i:03d}" for i in range(genes)]
    loops = np.arange(genes) if self_loops else np.arange(0)
    relations = [_physical(rng, n, loops), _regulatory(rng, n, loops if regulatory else np.arange(0), regulatory)]
    node_ids: list[str] = []
    group: list[int] = []
    gpr: list[tuple[int, int]] = []
    incidences: list[tuple[int, int, float]] = []
    for reaction in range(reactions if metabolism else 0):
        _add_reaction(rng, reaction, n, metabolites - 1, node_ids, group, gpr, incidences)
    relations.append(Relation.of(schema.GPR, *schema.ENDS[schema.GPR], [g for g, _ in gpr], [r for _, r in gpr]))
    coefficients = np.array([s for _, _, s in incidences], dtype=np.float32)
    ends = [m for m, _, _ in incidences], [r for _, r, _ in incidences]
    relations.append(Relation.of(schema.IN, *schema.ENDS[schema.IN], *ends, data={schema.STOICHIOMETRY: coefficients}))
    has = np.arange(genes) != 1
    x = (rng.standard_normal((genes, features)) * has[:, None]).astype(np.float32) if features else None
    metabolite_ids = [f"m{i:03d}" for i in range(metabolites if metabolism else 0)]
    return CellGraph(
        {schema.GENE: gene_ids, schema.REACTION: node_ids, schema.METABOLITE: metabolite_ids},
        relations,
        reaction_group=group,
        group_names=[f"R{i:02d}" for i in range(reactions if metabolism else 0)],
        features=x,
        has_features=has if features else None,
        aliases={"alpha": ("G000",), "twice": ("G000", "G001")},
    )


def growing_cell() -> CellGraph:
    """A cell that grows on `b`, which it makes from a nutrient `a`, or from `a` and `c` twice as much.

    G0 alone is needed (it lets the waste `d` out); G1 and G2 are the two ways, G3 and G4 isozymes, G5 and G6 turn `b`
    and `c` into each other, G7 does nothing.
    """
    rows = [
        ("EX_a", "", {"a": -1.0}, -10.0),
        ("BIOMASS", "", {"b": -1.0, "e": -1.0, "d": 1.0}, 0.0),
        ("OUT", "G0", {"d": -1.0, "d_out": 1.0}, 0.0),
        ("EX_d_out", "", {"d_out": -1.0}, 0.0),
        ("DIRECT", "G1", {"a": -1.0, "b": 1.0}, 0.0),
        ("DOUBLE", "G2", {"a": -1.0, "c": -1.0, "b": 2.0}, 0.0),
        ("E", "G3 or G4", {"a": -1.0, "e": 1.0}, 0.0),
        ("TO_C", "G5", {"b": -1.0, "c": 1.0}, 0.0),
        ("TO_B", "G6", {"c": -1.0, "b": 1.0}, 0.0),
    ]
    records = tuple(ReactionRecord(name, name, low, 1000.0, s, gpr_rules.parse(rule)) for name, rule, s, low in rows)
    metabolites = tuple(sorted({m for _, _, s, _ in rows for m in s}))
    genes = tuple(f"G{i}" for i in range(8))
    return build(MetabolicModel(records, metabolites, genes, growth=("BIOMASS",)), keep_unassigned=True)


def random_genotypes(cell: CellGraph, n: int, max_order: int = 4, seed: int = 0) -> list[tuple[str, ...]]:
    """`n` random genotypes of order 0 to `max_order`, the first one the wild type."""
    rng = np.random.default_rng(seed)
    ids = cell.ids[schema.GENE]
    orders = rng.integers(0, min(max_order, len(ids)) + 1, size=n)
    orders[:1] = 0
    return [tuple(ids[i] for i in rng.choice(len(ids), size=k, replace=False)) for k in orders]


def _physical(rng: np.random.Generator, n: int, loops: np.ndarray) -> Relation:
    a, b = np.triu_indices(n, 1)
    chosen = rng.permutation(len(a))[: 2 * n]
    a, b = a[chosen], b[chosen]
    ends = np.concatenate([a, b, loops]), np.concatenate([b, a, loops])
    return Relation.of(schema.PHYSICAL, schema.GENE, schema.GENE, *ends, undirected=True)


def _regulatory(rng: np.random.Generator, n: int, loops: np.ndarray, filled: bool) -> Relation:
    a, b = np.nonzero(~np.eye(n, dtype=bool))
    chosen = rng.permutation(len(a))[: n if filled else 0]
    ends = np.concatenate([a[chosen], loops]), np.concatenate([b[chosen], loops])
    sign = np.concatenate([rng.choice([-1.0, 1.0], size=len(chosen)), np.zeros(len(loops))]).astype(np.float32)
    return Relation.of(schema.REGULATORY, schema.GENE, schema.GENE, *ends, data={schema.SIGN: sign})


def _add_reaction(
    rng: np.random.Generator,
    reaction: int,
    genes: int,
    metabolites: int,
    node_ids: list[str],
    group: list[int],
    gpr: list[tuple[int, int]],
    incidences: list[tuple[int, int, float]],
) -> None:
    """Reaction 0 is spontaneous; of the rest, every second is reversible and every third has isozymes."""
    alternatives = 1 if reaction % 3 else 3
    directions = ("forward", "reverse") if reaction % 2 else ("forward",)
    used = rng.choice(metabolites, size=min(3, metabolites), replace=False)
    amounts = rng.choice([0.5, 1.0, 2.0], size=len(used)) * np.array([-1, 1, 1])[: len(used)]
    for alternative in range(1 if reaction == 0 else alternatives):
        enzyme = rng.choice(genes, size=0 if reaction == 0 else 1 + (reaction + alternative) % 2, replace=False)
        for direction in directions:
            gpr += [(int(g), len(node_ids)) for g in enzyme]
            flip = -1.0 if direction == "reverse" else 1.0
            incidences += [(int(m), len(node_ids), float(s) * flip) for m, s in zip(used, amounts, strict=True)]
            node_ids.append(f"R{reaction:02d}/{alternative + 1}/{direction}")
            group.append(reaction)


def reaction_to_genes(cell: CellGraph) -> dict[str, frozenset[str]]:
    """Reaction node id to the genes of its alternative; empty for a spontaneous one."""
    genes: list[set[str]] = [set() for _ in cell.ids[schema.REACTION]]
    gpr = cell.relations[schema.GPR]
    for gene, reaction in zip(gpr.src.tolist(), gpr.dst.tolist(), strict=True):
        genes[reaction].add(cell.ids[schema.GENE][gene])
    return {node: frozenset(names) for node, names in zip(cell.ids[schema.REACTION], genes, strict=True)}
