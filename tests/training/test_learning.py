"""Training learns: it overfits noise, and it finds a signal that only metabolism carries if metabolism can reach it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dglcell import schema
from dglcell.genotypes.splits.make import Split
from dglcell.graph.cell import CellGraph
from dglcell.graph.relation import Relation
from dglcell.inference.run import load_run
from dglcell.training.loop import train
from tests.cells import tiny_cell
from tests.runs import table_of, tiny_config


@pytest.fixture(autouse=True)
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dglcell.training.loop._draw", lambda *args: None)


@pytest.mark.parametrize("variant", ["local", "both"])
def test_64_random_genotypes_are_overfitted(tmp_path: Path, variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cell, rng = tiny_cell(genes=20, reactions=10), np.random.default_rng(0)
    pairs = rng.permutation(list(itertools.combinations(range(20), 2)))[:64].tolist()
    fitness, interaction = rng.normal(size=(2, 64))
    # Validated on the training genotypes themselves; the one test row is there because a split must have one.
    table = table_of(cell, [*pairs, *pairs, [0]], np.r_[fitness, fitness, 0.0], np.r_[interaction, interaction, 0.0])
    split = Split(np.repeat([0, 1, 2], [64, 64, 1]).astype(np.int8))
    monkeypatch.setattr("dglcell.training.data.check_leakage", lambda table, split: None)  # this leak is the point
    config = tiny_config(
        variant=variant, hidden=32, epochs=30, batch_size=16, dropout=0.0, lr=6e-3, weight_decay=0.0, patience=30
    )
    (summary,) = train(cell, table, split, config, tmp_path / "run")
    found = summary.validation
    assert found["loss"] < 0.15  # of a variance of 1
    assert min(found[label]["pearson"] for label in schema.LABELS) > 0.9


def one_reaction_a_gene(genes: int = 40) -> tuple[CellGraph, np.ndarray]:
    """Every gene alone runs a reaction that makes the same product from either a toxic or a harmless substrate.

    Genes have no features, no embedding (`features_mode="replace"`) and no neighbours, so nothing but the substrate of
    its reaction tells one gene from another.
    """
    rows, toxic = np.arange(genes), np.arange(genes) % 3 == 0
    substrate = np.where(toxic, 2, 0)
    stoichiometry = np.repeat([-1.0, 1.0], genes).astype(np.float32)
    ends = np.concatenate([substrate, np.full(genes, 1)]), np.concatenate([rows, rows])
    relations = [
        Relation.of(schema.PHYSICAL, schema.GENE, schema.GENE, rows, rows, undirected=True),
        Relation.of(schema.GPR, *schema.ENDS[schema.GPR], rows, rows),
        Relation.of(schema.IN, *schema.ENDS[schema.IN], *ends, data={schema.STOICHIOMETRY: stoichiometry}),
    ]
    ids = {
        schema.GENE: [f"G{i:02d}" for i in rows],
        schema.REACTION: [f"R{i:02d}/1/forward" for i in rows],
        schema.METABOLITE: ["harmless", "product", "toxic"],
    }
    names = [f"R{i:02d}" for i in rows]
    return CellGraph(ids, relations, rows, names, features=np.zeros((genes, 1), np.float32)), toxic


def learn_toxicity(path: Path, variant: str, feedback: bool) -> dict[str, Any]:
    """Fitness is 0.5 where the substrate is toxic; the last epoch's metrics on genes that training never saw."""
    cell, toxic = one_reaction_a_gene()
    table = table_of(cell, [(i,) for i in range(40)], np.where(toxic, 0.5, 1.0))
    split = Split(np.repeat([0, 1, 2], [26, 12, 2]).astype(np.int8))
    config = tiny_config(
        variant=variant,
        feedback=feedback,
        features_mode="replace",
        lost_reactions=False,  # these tokens would carry the reactions to the heads past the graph
        hidden=16,
        epochs=15,
        batch_size=13,
        dropout=0.0,
        lr=1e-2,
        patience=15,
    )
    train(cell, table, split, config, path)
    last: dict[str, Any] = json.loads((path / "metrics.jsonl").read_text().splitlines()[-1])["val"]
    return last


@pytest.mark.parametrize("variant", ["local", "both"])
def test_a_signal_that_only_metabolism_carries_needs_feedback(tmp_path: Path, variant: str) -> None:
    with_feedback = learn_toxicity(tmp_path / "with", variant, feedback=True)
    assert with_feedback["fitness"]["pearson"] > 0.95
    assert with_feedback["loss"] < 0.3
    without = learn_toxicity(tmp_path / "without", variant, feedback=False)
    assert without["fitness"]["pearson"] is None  # every gene looks the same
    assert without["loss"] > 0.9


def modules(tmp_path: Path, fm_rank: int) -> float:
    """Pearson on pairs with a gene that training never saw; genes interact as the modules do that edges show."""
    rng, genes = np.random.default_rng(0), 60
    module = np.arange(genes) % 6
    strength = rng.normal(size=(6, 6))
    strength += strength.T
    a, b = np.nonzero((module[:, None] == module) & ~np.eye(genes, dtype=bool))
    relations = [
        Relation.of(schema.PHYSICAL, schema.GENE, schema.GENE, a, b, undirected=True),
        Relation.of(schema.GPR, *schema.ENDS[schema.GPR]),
        Relation.of(schema.IN, *schema.ENDS[schema.IN], data={schema.STOICHIOMETRY: np.zeros(0, np.float32)}),
    ]
    ids = {schema.GENE: [f"G{i:02d}" for i in range(genes)], schema.REACTION: [], schema.METABOLITE: []}
    cell = CellGraph(ids, relations, np.zeros(0, int), [])
    pairs = np.array(list(itertools.combinations(range(genes), 2)))
    interaction = strength[module[pairs[:, 0]], module[pairs[:, 1]]]
    table = table_of(cell, [tuple(pair) for pair in pairs.tolist()], np.full(len(pairs), np.nan), interaction)
    hidden, validation = (pairs % 10 == 9).any(1), (pairs % 10 == 8).any(1)
    split = Split(np.where(hidden, 2, np.where(validation, 1, 0)).astype(np.int8))
    config = tiny_config(
        label_weights={"gene_interaction": 1.0},
        fm_rank=fm_rank,
        epochs=12,
        batch_size=96,
        schedule="cosine",
        fm_lr=3e-2,
        lr=1e-5,
    )
    train(cell, table, split, config, tmp_path / str(fm_rank))
    rows = split.rows("test")
    part = table.take(rows)
    predicted = load_run(tmp_path / str(fm_rank)).predict_rows(part.genes, part.ptr)[:, 1]
    return float(np.corrcoef(predicted, interaction[rows])[0, 1])


def test_a_gene_never_seen_has_the_interactions_of_its_neighbours(tmp_path: Path) -> None:
    assert modules(tmp_path, fm_rank=8) > 0.9
    assert modules(tmp_path, fm_rank=0) < 0.5
