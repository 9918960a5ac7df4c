"""Growth that the structure rules out: by hand, against linear programs, and against the demo's screen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from dglcell import demo, schema
from dglcell.graph.build import build
from dglcell.io import cell_file
from dglcell.readers import gpr
from dglcell.readers.metabolic_model import MetabolicModel, ReactionRecord
from dglcell.readers.models import read_model, textbook_path
from tests.cells import growing_cell


def still(cell, *genotypes):
    return cell.structurally_lethal(cell.knock_out(*cell.indices(genotypes))).tolist()


def most_growth(cell, genes):
    """Growth by linear programming: every rate in its direction, at most 1."""
    lost = cell.knock_out(*cell.indices([genes])).removed(schema.REACTION, cell.num_nodes(schema.REACTION))[0]
    incidences = cell.relations[schema.IN]
    S = np.zeros((cell.num_nodes(schema.METABOLITE), cell.num_nodes(schema.REACTION)))
    S[incidences.src, incidences.dst] = incidences.data[schema.STOICHIOMETRY]
    growth = cell.reaction_group == cell.group_names.index(cell.growth[0])
    bounds = [(0, 0 if gone else 1) for gone in lost]
    return -linprog(-growth.astype(float), A_eq=S, b_eq=np.zeros(len(S)), bounds=bounds).fun


def random_cell(seed):
    """Metabolites a to f on a nutrient, reactions that turn one or two into one or two, waste that may leave."""
    rng = np.random.default_rng(seed)
    names = "abcdef"
    rows = [("EX_a", "", {"a": 1.0}), ("BIOMASS", "", {"e": -1.0, "f": -1.0})]
    rows += [(f"EX_{m}", "", {m: -1.0}) for m in rng.choice(list(names[1:]), 2, replace=False)]
    for number in range(9):
        used = rng.choice(list(names), rng.integers(2, 4), replace=False)
        amounts = rng.choice([1.0, 2.0], len(used)) * np.where(np.arange(len(used)) < len(used) // 2, -1, 1)
        rows.append((f"R{number}", f"G{number % 6}", dict(zip(used, amounts.tolist(), strict=True))))
    lower = [-1000.0 if name.startswith("R") and rng.random() < 0.3 else 0.0 for name, _, _ in rows]
    records = tuple(
        ReactionRecord(name, name, low, 1000.0, s, gpr.parse(rule))
        for (name, rule, s), low in zip(rows, lower, strict=True)
    )
    genes = tuple(f"G{i}" for i in range(6))
    return build(MetabolicModel(records, tuple(names), genes, growth=("BIOMASS",)), keep_unassigned=True)


def test_dead_ends_and_draining_pools_by_hand():
    cell = growing_cell()
    assert cell.can_grow and not any(still(cell, [], *([f"G{i}"] for i in range(1, 8))))
    assert still(cell, ["G0"], ["G0", "G7"]) == [True, True]  # the waste of growth cannot leave
    assert still(cell, ["G3", "G4"], ["G3", "G7"], ["G1", "G5"]) == [True, False, True]  # no other way
    # Without G1 b grows by doubling itself; without G2 too it only goes round between b and c.
    assert still(cell, ["G1"], ["G1", "G2"], ["G2"], ["G1", "G2", "G7"]) == [False, True, False, True]


@settings(max_examples=60)
@given(seed=st.integers(0, 100_000))
def test_what_stands_still_has_no_flux_balance_growth(seed):
    cell = random_cell(seed)
    genotypes = [[g for g in range(6) if (number >> g) & 1] for number in range(0, 64, 3)]
    for genes, found in zip(genotypes, still(cell, *genotypes), strict=True):
        assert not found or most_growth(cell, genes) < 1e-7


def test_the_random_cells_have_both_kinds():
    found = [
        (most_growth(cell, [g]) > 1e-7, still(cell, [g])[0]) for cell in map(random_cell, range(40)) for g in range(6)
    ]
    assert {(True, False), (False, True)} <= set(found)


def test_in_the_demo_it_is_no_growth_and_more_than_single_reactions():
    cell, table = demo.example()
    found = cell.structurally_lethal(cell.knock_out(table.genes, table.ptr))
    assert cell.growth == ("Biomass_Ecoli_core",) and found.sum() == 285
    assert (table.targets[found, schema.LABELS.index(schema.FITNESS)] == 0).all()
    strong = table.targets[:, schema.LABELS.index(schema.INTERACTION)] < -0.9
    assert (found & strong).sum() == 7


def test_growth_is_stored_with_the_cell_and_part_of_its_content_fingerprint(tmp_path):
    cell = growing_cell()
    cell_file.save(cell, tmp_path / "cell.h5")
    again = cell_file.load(tmp_path / "cell.h5")
    assert again.growth == cell.growth == ("BIOMASS",) and again.fingerprints == cell.fingerprints
    assert still(again, ["G1", "G2"]) == [True]
    again.growth = ("E",)
    del again.fingerprints
    assert again.fingerprints["ids"] == cell.fingerprints["ids"]
    assert again.fingerprints["content"] != cell.fingerprints["content"]


def test_a_growth_reaction_without_genes_is_there_only_if_such_are_kept():
    model = read_model(textbook_path())
    assert model.growth == ("Biomass_Ecoli_core",)
    assert build(model).growth == () and not build(model).can_grow
    with pytest.raises(ValueError, match="no growth reaction"):
        build(model).structurally_lethal(build(model).knock_out([], [0, 0]))


def cell_of(rows, genes, **options):
    """A cell of rows (name, rule, stoichiometry); everything in one direction."""
    records = tuple(ReactionRecord(name, name, 0.0, 1000.0, s, gpr.parse(rule)) for name, rule, s in rows)
    metabolites = tuple(sorted({m for _, _, s in rows for m in s}))
    return build(MetabolicModel(records, metabolites, genes, growth=("BIOMASS",)), **options)


def test_growth_is_not_known_where_a_reaction_is_left_out():
    rows = [
        ("EX_a", "G0", {"a": 1.0}),
        ("R1", "G1", {"a": -1.0, "b": 1.0}),
        ("R2", "", {"a": -1.0, "b": 1.0}),
        ("BIOMASS", "G0", {"b": -1.0}),
    ]
    assert still(cell_of(rows, ("G0", "G1"), keep_unassigned=True), ["G1"], ["G0"]) == [False, True]
    assert cell_of(rows, ("G0", "G1")).growth == ()
    assert cell_of([row for row in rows if row[1]], ("G0", "G1")).growth == ("BIOMASS",)


def recycling(made):
    """Growth uses b and c and gives d, of which b and c are made again, and what a nutrient adds."""
    return cell_of(
        [
            ("EX_n", "", {"n": 1.0}),
            ("BIOMASS", "G0", {"b": -35.33, "c": -29.69, "n": -1.0, "d": made}),
            ("TO_B", "G0", {"d": -1.0, "b": 1.0}),
            ("TO_C", "G0", {"d": -1.0, "c": 1.0}),
            ("OTHER", "G1", {"b": -1.0, "c": 1.0}),
        ],
        ("G0", "G1"),
        keep_unassigned=True,
    )


@pytest.mark.parametrize(("made", "stands"), [(65.02, False), (65.019, True)])
def test_a_pool_that_growth_leaves_as_it_is_does_not_drain_by_rounding(made, stands):
    assert np.float32(35.33) + np.float64(np.float32(29.69)) - np.float32(65.02) > 1e-6  # so rounding shows
    assert still(recycling(made), ["G1"]) == [stands]  # with 65.02 growth gives back all that it takes of b and c


@pytest.mark.parametrize("deleted", [(), ("G1", "G2")])
def test_order_and_company_of_genotypes_do_not_matter(deleted):
    cell = growing_cell()
    together = still(cell, ["G0"], list(deleted), ["G5"])
    assert together == [*still(cell, ["G0"]), *still(cell, list(reversed(deleted))), *still(cell, ["G5"])]
