"""Flux-balance labels: against cobra's own deletions, their scores against the equations, their table byte for byte."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import numpy as np
import pytest

from dglcell.errors import DataError, UsageError
from dglcell.fba import deletions
from dglcell.io.table_writer import write_screen
from dglcell.readers import models

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def core():
    return models.textbook_path()


@pytest.fixture(scope="module")
def screen(core):
    return deletions.simulate(core)


@pytest.fixture
def toy():
    """A -> B by isozymes (a with e, or b) or by a bypass (c) that wastes half of A; B grows by three isozymes."""
    from cobra import Metabolite, Model, Reaction

    model = Model("toy")
    a, b = Metabolite("A"), Metabolite("B")
    uptake, main, bypass, grow = Reaction("uptake"), Reaction("main"), Reaction("bypass"), Reaction("grow")
    uptake.add_metabolites({a: 1})
    main.add_metabolites({a: -1, b: 1})
    bypass.add_metabolites({a: -2, b: 1})
    grow.add_metabolites({b: -1})
    for reaction in (uptake, main, bypass, grow):
        reaction.bounds = (0, 10)
    model.add_reactions([uptake, main, bypass, grow])
    main.gene_reaction_rule = "(a and e) or b"
    bypass.gene_reaction_rule = "c"
    grow.gene_reaction_rule = "d or x or y"
    model.objective = "grow"
    return model


def test_counts_and_distribution(screen):
    orders = np.array([len(g) for g in screen.genotypes])
    scores = screen.interaction[orders == 2]
    assert ((orders == 1).sum(), (orders == 2).sum()) == (137, 9316)
    assert np.isnan(screen.interaction[orders == 1]).all()
    assert (scores == 0).mean() == pytest.approx(0.90, abs=0.01)
    assert scores.std() == pytest.approx(0.059, abs=0.0005)
    assert not np.signbit(scores[scores == 0]).any()


def test_fitness_equals_cobra_deletions(screen):
    from cobra.flux_analysis import double_gene_deletion, single_gene_deletion
    from cobra.io import load_model

    model = load_model("textbook")
    wild = model.slim_optimize()
    fitness = dict(zip(screen.genotypes, screen.fitness, strict=True))
    rng = np.random.default_rng(1)
    some = sorted(g.id for g in model.genes)
    left, right = rng.choice(some, 25, replace=False), rng.choice(some, 25, replace=False)
    single = single_gene_deletion(model, processes=1)
    double = double_gene_deletion(model, gene_list1=left, gene_list2=right, processes=1)
    assert len(single) == 137
    for table in (single, double):
        for ids, growth in zip(table.ids, table.growth, strict=True):
            expected = growth / wild if np.isfinite(growth) else 0.0
            assert fitness[tuple(sorted(ids))] == pytest.approx(expected, abs=1e-6)


def test_scores_on_a_toy_model(toy):
    screen = deletions.simulate(toy, orders=(0, 1, 2, 3, 4))
    fitness = dict(zip(screen.genotypes, screen.fitness, strict=True))
    score = dict(zip(screen.genotypes, screen.interaction, strict=True))
    assert fitness[()] == 1 and np.isnan(score[()]) and np.isnan(score["a",])
    assert fitness["a",] == fitness["b",] == fitness["a", "e"] == 1
    assert fitness["a", "b"] == fitness["b", "e"] == 0.5  # the wasteful bypass makes half as much
    assert score["a", "b"] == -0.5 and score["a", "e"] == 0
    assert fitness["a", "b", "c"] == 0
    assert score["a", "b", "c"] == pytest.approx(0 - 1 - score["a", "b"])
    assert score["d", "x", "y"] == -1 and score["d", "x"] == 0


def test_interaction_score_equals_the_equations():
    genes = tuple("ijkl")
    rng = np.random.default_rng(0)
    f = {s: float(rng.random()) for n in (1, 2, 3, 4) for s in itertools.combinations(genes, n)}
    eps = {(a, b): f[a, b] - f[a,] * f[b,] for a, b in itertools.combinations(genes, 2)}

    def tau(a, b, c):
        return f[a, b, c] - f[a,] * f[b,] * f[c,] - eps[b, c] * f[a,] - eps[a, c] * f[b,] - eps[a, b] * f[c,]

    for pair, expected in eps.items():
        assert deletions.interaction_score(pair, f.__getitem__) == pytest.approx(expected)
    for triple in itertools.combinations(genes, 3):
        assert deletions.interaction_score(triple, f.__getitem__) == pytest.approx(tau(*triple))
    i, j, k, el = genes
    explained = f[i,] * f[j,] * f[k,] * f[el,]
    for pair in eps:
        rest = tuple(g for g in genes if g not in pair)
        explained += eps[pair] * f[rest[0],] * f[rest[1],] + eps[pair] * eps[rest] / 2
    for gene in genes:
        explained += f[gene,] * tau(*(g for g in genes if g != gene))
    assert deletions.interaction_score(genes, f.__getitem__) == pytest.approx(f[genes] - explained)


def test_independent_deletions_have_no_score_at_any_order():
    single = {"i": 0.5, "j": 0.7, "k": 0.9, "l": 0.3}
    for size in (2, 3, 4):
        for genotype in itertools.combinations(single, size):
            value = deletions.interaction_score(genotype, lambda s: float(np.prod([single[g] for g in s])))
            assert value == pytest.approx(0, abs=1e-12)


def test_sample_is_a_draw_of_the_whole(core, screen):
    fitness = dict(zip(screen.genotypes, screen.fitness, strict=True))
    draw = deletions.simulate(core, orders=(1, 2), sample=437, seed=4)
    pairs = [g for g in draw.genotypes if len(g) == 2]
    assert len(pairs) == len(set(pairs)) == 300 and len(draw) == 437
    assert all(fitness[g] == f for g, f in zip(draw.genotypes, draw.fitness, strict=True))
    assert draw.genotypes == deletions.simulate(core, sample=437, seed=4).genotypes
    assert draw.genotypes != deletions.simulate(core, sample=437, seed=5).genotypes


@pytest.mark.parametrize(
    ("orders", "sample", "sizes"),
    [
        ((1, 2), 28, [7, 21]),  # 7 genes: 7 singles, 21 pairs, 35 triples
        ((1, 2), 27, [7, 20]),
        ((1, 2), 10, [5, 5]),
        ((1, 2, 3), 10, [3, 3, 4]),
        ((1, 2, 3), 40, [7, 16, 17]),  # singles leave 33 of 40
        ((0, 1, 2), 9, [1, 4, 5]),  # the wild type does not count
        ((2, 3), 60, [21, 35]),
        ((1, 2), 1, [0, 1]),
    ],
)
def test_a_sample_bounds_all_orders_together(toy, orders, sample, sizes):
    screen = deletions.simulate(toy, orders=orders, sample=sample)
    assert [sum(len(g) == order for g in screen.genotypes) for order in orders] == sizes
    assert len(set(screen.genotypes)) == len(screen) and list(screen.genotypes) == sorted(
        screen.genotypes, key=lambda genotype: (len(genotype), genotype)
    )


def test_a_large_sample_is_as_uniform_as_a_small_one(toy):
    """Each of the 7 genes is in 6 of 21 pairs."""
    counts = dict.fromkeys("abcdexy", 0)
    for seed in range(60):
        for pair in deletions.simulate(toy, orders=(2,), sample=14, seed=seed).genotypes:
            for gene in pair:
                counts[gene] += 1
    assert max(abs(n - 60 * 14 * 2 / 7) for n in counts.values()) < 30


def test_closing_a_forced_reaction_is_solved_anew(toy):
    from cobra import Metabolite, Reaction

    demanded = Metabolite("C")
    make, demand = Reaction("make", lower_bound=0), Reaction("demand", lower_bound=1)
    make.add_metabolites({demanded: 1})
    demand.add_metabolites({demanded: -1})
    toy.add_reactions([make, demand])
    make.gene_reaction_rule, demand.gene_reaction_rule = "n", "m"
    screen = deletions.simulate(toy, orders=(1, 2))
    fitness = dict(zip(screen.genotypes, screen.fitness, strict=True))
    assert fitness["n",] == 0 and fitness["m",] == 1  # the demand cannot be met; without it all is well
    assert fitness["m", "n"] == 1


def test_a_rule_that_cobra_cannot_read_is_an_error(tmp_path, core):
    text = gzip.decompress(core.read_bytes()).decode()
    start, end = text.index("<fbc:or>") + len("<fbc:or>"), text.index("</fbc:or>")
    (tmp_path / "bad.xml").write_text(text[:start] + text[end:])
    with pytest.raises(DataError, match="has no genes"):
        deletions.simulate(tmp_path / "bad.xml")


def test_the_model_stays_as_it_was(toy):
    toy.solver = "scipy"  # labels come from GLPK whatever the model was set to
    bounds, growth, solver = [r.bounds for r in toy.reactions], toy.slim_optimize(), toy.solver
    deletions.simulate(toy)
    assert [r.bounds for r in toy.reactions] == bounds and toy.slim_optimize() == growth
    assert toy.solver is solver


def test_table_is_the_stored_one_byte_for_byte(tmp_path, core, screen):
    write_screen(tmp_path / "a.tsv.gz", screen)
    write_screen(tmp_path / "b.tsv.gz", deletions.simulate(core))
    assert (tmp_path / "a.tsv.gz").read_bytes() == (tmp_path / "b.tsv.gz").read_bytes()
    assert (tmp_path / "a.tsv.gz").read_bytes()[3:8] == bytes(5)  # no name and no time in the gzip header
    stored = gzip.decompress((DATA / "ecoli_core_fba.tsv.gz").read_bytes())
    assert gzip.decompress((tmp_path / "a.tsv.gz").read_bytes()) == stored


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"orders": (7,)}, "orders"),
        ({"orders": ()}, "orders"),
        ({"orders": (0,)}, r"orders \[0\] - .* at least 1"),
        ({"sample": 0}, "sample"),
    ],
)
def test_unusable_options(toy, options, message):
    with pytest.raises(UsageError, match=message):
        deletions.simulate(toy, **options)


def test_unusable_models(toy):
    from cobra import Model

    with pytest.raises(DataError, match="no genes"):
        deletions.simulate(Model("empty"))
    toy.reactions.uptake.bounds = (0, 0)
    with pytest.raises(DataError, match="does not grow"):
        deletions.simulate(toy)


def test_progress_ends_at_the_whole(toy):
    seen = []
    deletions.simulate(toy, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (28, 28)
