"""The model restated from its equations: NumPy, float64, dense, one node, one head and one genotype at a time.

A deletion here really removes rows: nothing is masked, so agreement with the engines is not agreement with a shared
idea. Weights come as a flat mapping of parameter names to arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dglcell import schema

Array = np.ndarray
Weights = Mapping[str, Array]
EPS = 1e-5  # of torch's LayerNorm


def weights_of(module: Any) -> dict[str, Array]:
    """A module's parameters as float64 arrays."""
    return {name: p.detach().double().numpy() for name, p in module.named_parameters()}


def sub(weights: Weights, prefix: str) -> dict[str, Array]:
    """The parameters under a prefix, without it."""
    return {name[len(prefix) + 1 :]: w for name, w in weights.items() if name.startswith(prefix + ".")}


def linear(w: Weights, x: Array) -> Array:
    y = x @ w["weight"].T
    return y + w["bias"] if "bias" in w else y


def relu(x: Array) -> Array:
    return np.where(x > 0, x, 0.0)


def leaky(x: Array) -> Array:
    return np.where(x > 0, x, 0.2 * x)


def layer_norm(w: Weights, x: Array) -> Array:
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + EPS) * w["weight"] + w["bias"]


def softmax(scores: Sequence[float]) -> Array:
    e = np.exp(np.asarray(scores) - np.max(scores))
    return e / e.sum()


def gatv2(w: Weights, x_src: Array, x_dst: Array, edges: Sequence[tuple[int, int]]) -> Array:
    heads, width = w["a"].shape
    sent = linear(sub(w, "source"), x_src)
    received = linear(sub(w, "target"), x_dst)
    y = np.tile(w["bias"], (len(x_dst), 1))
    for i in range(len(x_dst)):
        senders = [s for s, d in edges if d == i]
        for k in range(heads) if senders else ():
            part = slice(k * width, (k + 1) * width)
            scores = [w["a"][k] @ leaky(sent[j, part] + received[i, part]) for j in senders]
            y[i, part] += sum(alpha * sent[j, part] for alpha, j in zip(softmax(scores), senders, strict=True))
    return y


def stoich(w: Weights, X: Array, e: Array, S: Array, incidence: Array, heads: int) -> tuple[Array, Array | None]:
    """U and Y from dense S (N_m, N_r) and which entries of it are incidences."""
    metabolites, reactions = S.shape
    hidden = X.shape[1]
    width = hidden // heads
    XW = X @ w["weight.weight"].T
    g = np.ones(metabolites)
    if "gate.weight" in w:
        g = 1 / (1 + np.exp(-linear(sub(w, "gate"), X)[:, 0]))
    U, Y = np.zeros((reactions, hidden)), np.zeros((metabolites, hidden))
    for k in range(heads):
        part = slice(k * width, (k + 1) * width)
        alpha = np.ones_like(S)
        if "a_metabolite" in w:
            a = np.concatenate([w["a_metabolite"][k], w["a_reaction"][k]])
            eW = e @ w["weight.weight"].T
            for r in range(reactions):
                members = np.flatnonzero(incidence[:, r])
                if len(members):
                    scores = [leaky(a @ np.concatenate([XW[m, part], eW[r, part]])) for m in members]
                    alpha[members, r] = softmax(scores)
        tilde = S * g[:, None] * alpha
        B, D = np.abs(S).sum(0), np.abs(S).sum(1)
        U[:, part] = tilde.T @ XW[:, part] / np.where(B > 0, B, np.inf)[:, None]
        Y[:, part] = tilde @ U[:, part] / np.where(D > 0, D, np.inf)[:, None]
    return U, Y + w["bias"] if "bias" in w else None


def pool(w: Weights, x: Array) -> Array:
    if not len(x):
        return np.zeros(w["value.weight"].shape[0])
    scores = linear(sub(w, "gate.2"), relu(linear(sub(w, "gate.0"), x)))[:, 0]
    return softmax(scores) @ relu(linear(sub(w, "value"), x))


def set_encoder(
    w: Weights, genes: Array, reactions: Array, joint: Sequence[bool], still: Sequence[float] = ()
) -> Array:
    numbers = [*np.log1p([len(genes), len(reactions)]), *still]
    reactions = np.array([x + w["types"][2 if j else 1] for x, j in zip(reactions, joint, strict=True)])
    reactions = reactions.reshape(-1, genes.shape[1])
    if len(reactions) > 32:
        reactions = reactions.mean(0, keepdims=True)
    x = np.concatenate([genes + w["types"][0], reactions])
    width = x.shape[1] // 4
    for number in range(2 if len(x) else 0):
        b = sub(w, f"blocks.{number}")
        q, k, v = np.split(linear(sub(b, "qkv"), layer_norm(sub(b, "norm_attention"), x)), 3, axis=-1)
        mixed = np.zeros_like(x)
        for head in range(4):
            part = slice(head * width, (head + 1) * width)
            for i in range(len(x)):
                mixed[i, part] = softmax(k[:, part] @ q[i, part] / np.sqrt(width)) @ v[:, part]
        x = x + linear(sub(b, "out"), mixed)
        inner = relu(linear(sub(b, "mlp.0"), layer_norm(sub(b, "norm_mlp"), x)))
        x = x + linear(sub(b, "mlp.3"), inner)
    return linear(sub(w, "project"), np.concatenate([pool(sub(w, "pool"), x), numbers]))


def head(w: Weights, x: Array) -> Array:
    return linear(sub(w, "3"), relu(linear(sub(w, "0"), x)))


class Cell:
    """A cell graph after a deletion, dense, relabelled; `kept` maps new rows to the wild type's."""

    def __init__(self, cell: Any, deleted: Sequence[int] = ()) -> None:
        gone = set(deleted)
        gpr = _edges(cell.relations[schema.GPR])
        incidences = _edges(cell.relations[schema.IN])
        lost = {r for g, r in gpr if g in gone}
        had = {m for m, _ in incidences}
        has = {m for m, r in incidences if r not in lost}
        self.kept = {
            schema.GENE: [g for g in range(cell.num_nodes(schema.GENE)) if g not in gone],
            schema.REACTION: [r for r in range(cell.num_nodes(schema.REACTION)) if r not in lost],
            schema.METABOLITE: [m for m in range(cell.num_nodes(schema.METABOLITE)) if m in has or m not in had],
        }
        groups = set(cell.reaction_group.tolist())
        self.lost_groups = sorted(groups - {int(cell.reaction_group[r]) for r in self.kept[schema.REACTION]})
        new = {t: {old: row for row, old in enumerate(rows)} for t, rows in self.kept.items()}
        self.edges = {
            name: [
                (new[r.src_type][s], new[r.dst_type][d])
                for s, d in _edges(r)
                if s in new[r.src_type] and d in new[r.dst_type]
            ]
            for name, r in cell.relations.items()
        }
        shape = len(self.kept[schema.METABOLITE]), len(self.kept[schema.REACTION])
        self.S, self.incidence = np.zeros(shape), np.zeros(shape, dtype=bool)
        data = cell.relations[schema.IN].data[schema.STOICHIOMETRY]
        for (m, r), s in zip(incidences, data, strict=True):
            if r not in lost:
                at = new[schema.METABOLITE][m], new[schema.REACTION][r]
                self.S[at], self.incidence[at] = s, True


def _edges(relation: Any) -> list[tuple[int, int]]:
    return list(zip(relation.src.tolist(), relation.dst.tolist(), strict=True))


def layer(w: Weights, config: Any, cell: Cell, relations: Sequence[str], x: Mapping[str, Array], last: bool) -> dict:
    """One layer on the rows that are left; `relations` are the gene-gene ones."""

    def block(name: str, y: Array) -> Array:
        return relu(layer_norm(sub(w, f"norms.{name}_block"), y))

    def attend(name: str, source: Array, target: str) -> Array:
        return block(name, gatv2(sub(w, f"attended.{name}_block"), source, x[target], cell.edges[name]))

    g, r, m = (x[t] for t in schema.NODE_TYPES)
    U, Y = stoich(sub(w, "stoichiometric"), m, r, cell.S, cell.incidence, config.heads)
    new_r = attend("gpr", g, "reaction")
    new_g = sum(attend(name, g, "gene") for name in relations)
    new_m = m
    if config.feedback:
        new_r = new_r + block("in", U)
    if config.residual:
        new_r = new_r + r
    if config.feedback:
        new_g = new_g + attend("catalysed_by", new_r, "gene")
    if not (config.feedback and last):
        new_m = block("of", Y) + (m if config.residual else 0)
    return {"gene": new_g + (g if config.residual else 0), "reaction": new_r, "metabolite": new_m}


def inputs(w: Weights, config: Any, features: Array | None, has: Array | None) -> dict[str, Array]:
    parts = [w["embeddings.gene"]] if "embeddings.gene" in w else []
    if features is not None:
        parts.append(np.array([row if known else w["no_features"] for row, known in zip(features, has, strict=True)]))
    x = np.concatenate(parts, axis=1)
    p = sub(w, "preprocess")
    x = relu(layer_norm(sub(p, "1"), linear(sub(p, "0"), x)))
    x = relu(layer_norm(sub(p, "5"), linear(sub(p, "4"), x)))
    return {"gene": x, "reaction": w["embeddings.reaction"], "metabolite": w["embeddings.metabolite"]}


def encode(w: Weights, config: Any, cell: Cell, relations: Sequence[str], x: Mapping[str, Array]) -> dict[str, Array]:
    states = {t: x[t][cell.kept[t]] for t in schema.NODE_TYPES}
    for number in range(config.layers):
        states = layer(sub(w, f"layers.{number}"), config, cell, relations, states, number == config.layers - 1)
    return states


def model(w: Weights, config: Any, cell: Any, genotypes: Sequence[Sequence[int]]) -> dict[str, Array | None]:
    """Predictions, z_w, z_i and z_p of every genotype, one at a time on its own reduced cell."""
    relations = [name for name, r in cell.relations.items() if r.src_type == r.dst_type == "gene"]
    x = inputs(w, config, cell.features, cell.has_features)
    wild = encode(w, config, Cell(cell), relations, x)
    z_w = None if config.variant == "local" else pool(sub(w, "pool"), wild["gene"])
    rows = [_genotype(w, config, cell, relations, x, wild, z_w, genes) for genes in genotypes]
    predictions, z_i, z_p = zip(*rows, strict=True)
    return {
        "predictions": np.array(predictions),
        "z_w": z_w,
        "z_i": None if z_i[0] is None else np.array(z_i),
        "z_p": np.array(z_p),
    }


def _genotype(
    w: Weights, config: Any, cell: Any, relations: Sequence[str], x: Any, wild: Any, z_w: Any, genes: Sequence[int]
) -> tuple[Array, Array | None, Array]:
    left = Cell(cell, genes)
    z_i = None
    if config.variant != "local":
        z_i = pool(sub(w, "pool"), encode(w, config, left, relations, x)["gene"])
    if config.variant == "two-head":
        z_p = pool(sub(w, "readout.perturbed_pool"), np.array([z_w for _ in genes]))
        return (
            np.concatenate(
                [head(sub(w, "readout.heads.fitness"), z_i), head(sub(w, "readout.heads.gene_interaction"), z_p)]
            ),
            z_i,
            z_p,
        )
    if config.variant == "difference":
        return head(sub(w, "readout.heads.shared"), z_w - z_i), z_i, z_w - z_i
    lost = left.lost_groups if config.lost_reactions else []
    groups = [wild["reaction"][cell.reaction_group == group].mean(0) for group in lost]
    width = wild["gene"].shape[1]
    reactions = np.array(groups).reshape(-1, width)
    alone = {group for gene in genes for group in Cell(cell, [gene]).lost_groups}
    joint = [group not in alone for group in lost]
    still = structural_lethality(cell, genes) if config.structural_lethality else ()
    states = wild["gene"][list(genes)].reshape(-1, width)
    z_p = set_encoder(sub(w, "readout.set_encoder"), states, reactions, joint, still)
    read = z_p if config.variant == "local" else np.concatenate([z_p, z_w - z_i])
    return np.concatenate([head(sub(w, f"readout.heads.{label}"), read) for label in schema.LABELS]), z_i, z_p


def structural_lethality(cell: Any, genes: Sequence[int]) -> list[float]:
    """Whether growth stands still by one of the deletions alone, and only by all of them together.

    Of single questions to the cell: it restates what is made of the answers. These are held against linear programs
    in `tests/unit/graph/test_standstill.py`.
    """

    def still(deleted: Sequence[int]) -> bool:
        return bool(cell.structurally_lethal(cell.knock_out(sorted(deleted), [0, len(deleted)]))[0])

    alone = any(still([gene]) for gene in genes)
    return [float(alone), float(still(genes) and not alone)]


def departures(fitness: Mapping[tuple[int, ...], float], pair: tuple[int, int], scale: Array) -> float:
    """Standardised `f_ij - f_i f_j` of standardised predictions of fitness; `scale` has (mean, sd) of both labels."""
    (mean, sd), (centre, spread) = scale
    f = {genes: value * sd + mean for genes, value in fitness.items()}
    i, j = pair
    return float((f[pair] - f[(i,)] * f[(j,)] - centre) / spread)
