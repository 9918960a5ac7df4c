"""Metabolic model -> reaction nodes, one for each isozyme alternative and direction of a reaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, ErrorCollector
from dglcell.graph.relation import Relation
from dglcell.readers import gpr

if TYPE_CHECKING:
    from dglcell.readers.metabolic_model import MetabolicModel, ReactionRecord

FORWARD, REVERSE = "forward", "reverse"


@dataclasses.dataclass(frozen=True)
class Metabolism:
    """The metabolic part of a cell graph.

    Attributes
    ----------
    reactions, metabolites : tuple of str
        Sorted node ids; a reaction node is called `{reaction}/{alternative, from 1}/{forward|reverse}`.
    group : (N_r,) int64
        Row in `group_names` of the reaction to which a node belongs.
    group_names : tuple of str
        Sorted ids of the reactions with at least one node.
    gpr, incidences : Relation
        gene -> reaction, and metabolite -> reaction with `stoichiometry`.
    report : dict
        Counts of reactions used and left out, by reason.
    """

    reactions: tuple[str, ...]
    metabolites: tuple[str, ...]
    group: NDArray[np.int64]
    group_names: tuple[str, ...]
    gpr: Relation
    incidences: Relation
    report: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class _Node:
    id: str
    record: ReactionRecord
    genes: tuple[str, ...]
    sign: int


def expand(
    model: MetabolicModel,
    gene_of: Mapping[str, str],
    gene_row: Mapping[str, int],
    keep_unassigned: bool = False,
    max_alternatives: int = gpr.DEFAULT_LIMIT,
) -> Metabolism:
    """The reaction nodes of a model: one per alternative of the gene rule and direction of the reaction.

    Alternatives are those of the disjunctive normal form. Directions follow from the bounds: both for `lb < 0 < ub`,
    reverse for `lb < 0 and ub <= 0`, otherwise forward. A reverse node has the coefficients `-S`.

    Parameters
    ----------
    gene_of : mapping
        Gene of the cell for each gene of the model.
    gene_row : mapping
        Row of each gene of the cell.
    keep_unassigned : bool
        Include reactions without a gene rule, as nodes that no deletion removes.
    max_alternatives : int
        Largest number of alternatives of one reaction.

    Raises
    ------
    DataError
        A gene rule has too many alternatives; the message names the reaction.
    """
    problems = ErrorCollector(DataError)
    nodes: list[_Node] = []
    counts = dict.fromkeys(("blocked", "unassigned", "reversible", "zeros"), 0)
    for record in model.reactions:
        try:
            clauses = gpr.alternatives(record.rule, max_alternatives)
        except gpr.GprError as error:
            problems.add(f"{model.path}: reaction {record.id}: {error.template}")
            continue
        counts["unassigned"] += not clauses
        if not clauses and not keep_unassigned:
            continue
        signs = _directions(record)
        counts["reversible"] += len(signs) == 2
        counts["blocked"] += record.lower == record.upper == 0
        counts["zeros"] += sum(s == 0 for s in record.stoichiometry.values())
        # Two names may stand for one gene, so clauses that differ in the file may become equal.
        distinct_clauses = sorted({tuple(sorted({gene_of[g] for g in clause})) for clause in clauses}) or [()]
        for number, genes in enumerate(distinct_clauses, start=1):
            nodes += [_Node(f"{record.id}/{number}/{_DIRECTION_NAMES[s]}", record, genes, s) for s in signs]
    problems.check()
    return _assemble(model, sorted(nodes, key=lambda node: node.id), gene_row, keep_unassigned, counts)


def empty_metabolism() -> Metabolism:
    """The metabolic part of a cell without a metabolic model."""
    relations = (_relation(schema.GPR, [], []), _relation(schema.IN, [], [], np.zeros(0, dtype=np.float32)))
    return Metabolism((), (), np.zeros(0, dtype=np.int64), (), *relations, {})


def complex_pairs(model: MetabolicModel, max_alternatives: int = gpr.DEFAULT_LIMIT) -> list[tuple[str, str]]:
    """Pairs of genes in the same alternative of a gene rule, which are subunits of one complex; sorted and distinct.

    Parameters
    ----------
    model : MetabolicModel
    max_alternatives : int
        Largest number of alternatives of one reaction.
    """
    pairs: set[tuple[str, str]] = set()
    for record in model.reactions:
        for clause in gpr.alternatives(record.rule, max_alternatives):
            pairs.update((a, b) for i, a in enumerate(clause) for b in clause[i + 1 :])
    return sorted(pairs)


_DIRECTION_NAMES = {1: FORWARD, -1: REVERSE}


def _directions(record: ReactionRecord) -> tuple[int, ...]:
    if record.lower < 0 < record.upper:
        return (1, -1)
    return (-1,) if record.lower < 0 else (1,)


def _assemble(
    model: MetabolicModel,
    nodes: Sequence[_Node],
    gene_row: Mapping[str, int],
    keep_unassigned: bool,
    counts: Mapping[str, int],
) -> Metabolism:
    group_names = tuple(sorted({node.record.id for node in nodes}))
    group_row = {name: row for row, name in enumerate(group_names)}
    incidences = [
        (m, row, node.sign * s)
        for row, node in enumerate(nodes)
        for m, s in node.record.stoichiometry.items()
        if s != 0
    ]
    metabolites = tuple(sorted({m for m, _, _ in incidences}))
    metabolite_row = {name: row for row, name in enumerate(metabolites)}
    gpr_edges = [(gene_row[gene], row) for row, node in enumerate(nodes) for gene in node.genes]
    coefficients = np.array([s for _, _, s in incidences], dtype=np.float32)
    report = {
        "reactions": len(model.reactions),
        "reactions in the graph": len(group_names),
        f"without a gene rule, {'included' if keep_unassigned else 'left out'}": counts["unassigned"],
        "reversible, two nodes per alternative": counts["reversible"],
        "with both bounds 0, included as forward": counts["blocked"],
        "zero coefficients, left out": counts["zeros"],
        "metabolites": len(model.metabolites),
        "metabolites without a reaction in the graph, left out": len(model.metabolites) - len(metabolites),
    }
    return Metabolism(
        tuple(node.id for node in nodes),
        metabolites,
        np.array([group_row[node.record.id] for node in nodes], dtype=np.int64),
        group_names,
        _relation(schema.GPR, [g for g, _ in gpr_edges], [r for _, r in gpr_edges]),
        _relation(
            schema.IN, [metabolite_row[m] for m, _, _ in incidences], [r for _, r, _ in incidences], coefficients
        ),
        report,
    )


def _relation(name: str, src: list[int], dst: list[int], stoichiometry: NDArray[np.float32] | None = None) -> Relation:
    data = {} if stoichiometry is None else {schema.STOICHIOMETRY: stoichiometry}
    return Relation.of(name, *schema.ENDS[name], src, dst, data)
