"""The two fingerprints of a cell graph and the comparison that every loader makes.

`ids` is the SHA-256 of the ordered ids of each node type; `content` that of edges, stoichiometry, signs, reaction
groups, features and growth reactions. A screen must match `ids`; a run and its graph must match both.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import FingerprintError
from dglcell.graph.relation import Relation
from dglcell.hashing import sha256

IDS = "ids"
CONTENT = "content"


def ids_fingerprint(ids: Mapping[str, Sequence[str]]) -> str:
    """SHA-256 of the ordered ids of each node type."""
    parts: list[str | bytes | NDArray[Any]] = []
    for node_type in schema.NODE_TYPES:
        parts += [node_type, str(len(ids[node_type])), "\0".join(ids[node_type])]
    return sha256(*parts)


def content_fingerprint(
    relations: Iterable[Relation],
    reaction_group: NDArray[np.int64],
    group_names: Sequence[str],
    features: NDArray[np.float32] | None,
    has_features: NDArray[np.bool_],
    growth: Sequence[str] = (),
) -> str:
    """SHA-256 of everything but the ids; of a relation and its reverse, give the forward one."""
    parts: list[str | bytes | NDArray[Any]] = []
    for relation in sorted(relations, key=lambda r: r.name):
        parts += [*relation.canonical, str(relation.undirected), relation.src, relation.dst]
        for key in sorted(relation.data):
            parts += [key, relation.data[key]]
    parts += ["groups", reaction_group, "\0".join(group_names)]
    if features is not None:
        parts += ["features", features, has_features]
    if growth:
        parts += ["growth", "\0".join(growth)]
    return sha256(*parts)


def require_same(
    expected: Mapping[str, str],
    found: Mapping[str, str],
    expected_ids: Mapping[str, Sequence[str]] | None = None,
    found_ids: Mapping[str, Sequence[str]] | None = None,
    what: str = "the file",
    detail: str = "",
) -> None:
    """Compare the fingerprints that both sides have.

    Parameters
    ----------
    expected : mapping
        Fingerprints of the graph at hand, `cell.fingerprints`.
    found : mapping
        Fingerprints stored in `what`; a screen has `ids` alone.
    expected_ids, found_ids : mapping, optional
        Ids by node type; with both, the message names the first id that differs.
    what : str
        What was found: starts the message.
    detail : str
        Where the contents differ, if the caller knows.

    Raises
    ------
    FingerprintError
        A fingerprint differs; the message names both values.
    """
    for name in (IDS, CONTENT):
        if name not in found or name not in expected or expected[name] == found[name]:
            continue
        where = f" ({detail})" if name == CONTENT and detail else ""
        if name == IDS and expected_ids is not None and found_ids is not None:
            where = f" ({_first_difference(expected_ids, found_ids)})"
        other = "another gene, reaction or metabolite list" if name == IDS else "other edges or features"
        raise FingerprintError(
            f"{what} belongs to a cell graph with {other}: its `{name}` fingerprint is {found[name]}, that of the "
            f"graph is {expected[name]}{where} - use the graph it was made with, or make it again from this graph"
        )


def first_edge_difference(
    ours: Mapping[str, Relation], theirs: Mapping[str, Relation], ids: Mapping[str, Sequence[str]]
) -> str:
    """Which relation of two cells with the same ids differs first, and in which edge; empty when none does."""
    for name in sorted({*ours, *theirs}):
        if name not in ours or name not in theirs:
            return f"first difference: relation {name} is {'absent' if name in ours else 'present'} there"
        a, b = ours[name], theirs[name]
        here, there = (set(zip(r.src.tolist(), r.dst.tolist(), strict=True)) for r in (a, b))
        if here != there:
            src, dst = min(here ^ there)
            side = "here" if (src, dst) in here else "there"
            ends = f"{ids[a.src_type][src]} to {ids[a.dst_type][dst]}"
            return f"first difference: {name} from {ends} is {side} alone"
        if a.data.keys() != b.data.keys() or any(not np.array_equal(a.data[k], b.data[k]) for k in a.data):
            return f"first difference: the edge data of {name}"
    return ""


def _first_difference(expected: Mapping[str, Sequence[str]], found: Mapping[str, Sequence[str]]) -> str:
    for node_type in schema.NODE_TYPES:
        pairs = itertools.zip_longest(found.get(node_type, ()), expected.get(node_type, ()))
        for row, (theirs, ours) in enumerate(pairs):
            if theirs != ours:
                return f"first difference: {node_type} {row} is {theirs or 'absent'} there and {ours or 'absent'} here"
    return "no id differs"
