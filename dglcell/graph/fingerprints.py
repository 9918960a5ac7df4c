"""The two fingerprints of a cell graph, and their comparison when files are loaded.

`ids` is the SHA-256 of the sorted ids of each node type; `content` is that of edges, edge data, reaction groups,
features and growth reactions. A screen must have the same `ids` as its cell, a run the same `ids` and `content`.
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
    """SHA-256 of the sorted ids of each node type."""
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
    """SHA-256 of everything but the ids.

    Parameters
    ----------
    relations : iterable of Relation
        Forward relations.
    reaction_group, group_names, features, has_features, growth
        As in `CellGraph`.
    """
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
    stored: Mapping[str, str],
    expected_ids: Mapping[str, Sequence[str]] | None = None,
    stored_ids: Mapping[str, Sequence[str]] | None = None,
    what: str = "the file",
    detail: str = "",
) -> None:
    """Raise an error if the fingerprints of a file differ from those of the cell graph.

    Parameters
    ----------
    expected : mapping
        Fingerprints of the cell graph, `cell.fingerprints`.
    stored : mapping
        Fingerprints stored in the file; a screen has only `ids`.
    expected_ids, stored_ids : mapping, optional
        Ids by node type, so that the message can name the first id that differs.
    what : str
        Name of the file in the message.
    detail : str
        Where the contents differ, if known.

    Raises
    ------
    FingerprintError
        A fingerprint differs; the message names both values.
    """
    for name in (IDS, CONTENT):
        if name not in stored or name not in expected or expected[name] == stored[name]:
            continue
        location = f" ({detail})" if name == CONTENT and detail else ""
        if name == IDS and expected_ids is not None and stored_ids is not None:
            location = f" ({_first_id_difference(expected_ids, stored_ids)})"
        difference = "other genes, reactions or metabolites" if name == IDS else "other edges or features"
        raise FingerprintError(
            f"{what} belongs to a cell graph with {difference}: its `{name}` fingerprint is {stored[name]}, that of "
            f"the graph is {expected[name]}{location} - use the graph it was made with, or make it again with this one"
        )


def first_edge_difference(
    own: Mapping[str, Relation], others: Mapping[str, Relation], ids: Mapping[str, Sequence[str]]
) -> str:
    """The first relation, and edge, in which two cells with the same ids differ; empty if none does.

    Parameters
    ----------
    own, others : mapping
        Relations of the two cells by name.
    ids : mapping
        Ids by node type.
    """
    for name in sorted({*own, *others}):
        if name not in own or name not in others:
            return (
                f"first difference: relation {name} is {'missing in the file' if name in own else 'only in the file'}"
            )
        relation, other = own[name], others[name]
        own_edges, other_edges = (set(zip(r.src.tolist(), r.dst.tolist(), strict=True)) for r in (relation, other))
        if own_edges != other_edges:
            src, dst = min(own_edges ^ other_edges)
            side = "missing in the file" if (src, dst) in own_edges else "only in the file"
            ends = f"{ids[relation.src_type][src]} to {ids[relation.dst_type][dst]}"
            return f"first difference: {name} from {ends} is {side}"
        data, other_data = relation.data, other.data
        if data.keys() != other_data.keys() or any(not np.array_equal(data[k], other_data[k]) for k in data):
            return f"first difference: the edge data of {name}"
    return ""


def _first_id_difference(ids: Mapping[str, Sequence[str]], stored_ids: Mapping[str, Sequence[str]]) -> str:
    for node_type in schema.NODE_TYPES:
        pairs = itertools.zip_longest(stored_ids.get(node_type, ()), ids.get(node_type, ()))
        for row, (stored_id, own_id) in enumerate(pairs):
            if stored_id != own_id:
                names = f"{stored_id or 'absent'} in the file and {own_id or 'absent'} in the graph"
                return f"first difference: {node_type} {row} is {names}"
    return "no id differs"
