"""The published counts, and deletions against cobra's own reading of the gene rules."""

import numpy as np

from dglcell import schema
from dglcell._dgl import load as load_dgl
from dglcell.graph.build import build
from tests.cells import reaction_to_genes
from tests.records import table_of
from tests.work import lines_of

KNOCKOUTS = 500


def test_yeast_counts(yeast_cell):
    info = yeast_cell.info()
    assert info["nodes"] == {"gene": 6604, "reaction": 4881, "metabolite": 2534}
    assert info["edges"] == {
        schema.PHYSICAL: 291_614,
        schema.REGULATORY: 17_911,
        "gpr": 5450,
        "catalysed_by": 5450,
        "in": 20_960,
        "of": 20_960,
    }
    assert info["pairs"] == {schema.PHYSICAL: 142_505, schema.REGULATORY: 11_307}
    assert yeast_cell.report["genes"]["added from the metabolic model"] == []
    assert len(reaction_to_genes(yeast_cell)) == 4881
    assert yeast_cell.relations["in"].data[schema.STOICHIOMETRY].dtype == np.float32


def test_yeast_counts_with_unassigned_reactions(yeast_records):
    cell = build(yeast_records["model"], yeast_records["genes"], keep_unassigned=True)
    assert cell.sizes == {"gene": 6604, "reaction": 7122, "metabolite": 2806}
    assert cell.relations["in"].num_edges == 26_325
    assert cell.relations["gpr"].num_edges == 5450


def test_the_same_inputs_give_the_same_fingerprints_with_little_work(yeast_records, yeast_cell):
    again, lines = lines_of(lambda: build(**yeast_records))
    assert again.fingerprints == yeast_cell.fingerprints
    assert lines < 5 * sum(relation.num_edges for relation in yeast_cell.relations.values())


def test_stoichiometry_is_cobra_s(core, yeast_cell, cobra_yeast):
    for cell, model in ((core.cell, core.cobra), (yeast_cell, cobra_yeast)):
        relation = cell.relations["in"]
        columns = [{} for _ in cell.ids["reaction"]]
        for m, r, s in zip(relation.src, relation.dst, relation.data[schema.STOICHIOMETRY], strict=True):
            columns[r][cell.ids["metabolite"][m]] = s
        for node, column in zip(cell.ids["reaction"], columns, strict=True):
            reaction, _, direction = node.rsplit("/", 2)
            sign = 1 if direction == "forward" else -1
            expected = {m.id: np.float32(sign * s) for m, s in model.reactions.get_by_id(reaction).metabolites.items()}
            assert column == expected, node


def test_reactions_survive_as_cobra_says_in_e_coli_core(core):
    _check_against_cobra(core.cell, core.cobra)


def test_reactions_survive_as_cobra_says_in_yeast(yeast_cell, cobra_yeast):
    _check_against_cobra(yeast_cell, cobra_yeast)


def _check_against_cobra(cell, model):
    """500 random knock-outs of 1 to 5 genes, half of them within one reaction, where isozymes matter."""
    rng = np.random.default_rng(0)
    genes = [gene.id for gene in model.genes]
    ruled = [sorted(g.id for g in r.genes) for r in model.reactions if len(r.genes) > 1]
    genotypes = []
    for k in range(KNOCKOUTS):
        pool = ruled[rng.integers(len(ruled))] if k % 2 else genes
        genotypes.append(tuple(rng.choice(pool, size=min(len(pool), rng.integers(1, 6)), replace=False)))
    lost = cell.knock_out(*cell.indices(genotypes))
    genes_of = reaction_to_genes(cell)
    total = 0
    for b, genotype in enumerate(genotypes):
        gone = {cell.group_names[g] for g in lost.groups[lost.group_ptr[b] : lost.group_ptr[b + 1]]}
        touched = {r for gene in genotype for r in model.genes.get_by_id(gene).reactions}
        expected = {r.id for r in touched if not r.gpr.eval(set(genotype))}
        assert gone == expected, genotype
        nodes = lost.reactions[lost.reaction_ptr[b] : lost.reaction_ptr[b + 1]]
        for node in nodes.tolist():
            assert genes_of[cell.ids["reaction"][node]] & set(genotype)
        total += len(gone)
    assert total > KNOCKOUTS / 2


def test_two_non_metabolic_deletions_take_their_incident_edges_and_no_reaction(yeast_cell):
    cell = yeast_cell
    metabolic = set(cell.relations["gpr"].src.tolist())
    rows = [r for r in np.unique(cell.relations[schema.REGULATORY].dst).tolist() if r not in metabolic][100:102]
    masks = cell.masks([rows])
    assert not masks.nodes["reaction"].any()
    assert not masks.nodes["metabolite"].any()
    for name, relation in cell.relations.items():
        incident = np.zeros(relation.num_edges, dtype=bool)
        for end, node_type in ((relation.src, relation.src_type), (relation.dst, relation.dst_type)):
            if node_type == "gene":
                incident |= np.isin(end, rows)
        assert np.array_equal(masks.edges[name][0], incident)
    assert masks.edges[schema.PHYSICAL].any()


def test_four_genotypes_with_eleven_deletions(yeast_cell):
    cell = yeast_cell
    rng = np.random.default_rng(3)
    metabolic = np.unique(cell.relations["gpr"].src)
    genotypes = [np.sort(rng.choice(metabolic, size=k, replace=False)).tolist() for k in (2, 3, 1, 5)]
    masks = cell.masks(genotypes)
    assert masks.nodes["gene"].size == 4 * 6604
    assert int((~masks.nodes["gene"]).sum()) == 4 * 6604 - 11
    assert masks.ptr.tolist() == [0, 2, 5, 6, 11]
    batch = load_dgl().batch([cell.perturb(g) for g in genotypes])
    for node_type, mask in masks.nodes.items():
        assert batch.num_nodes(node_type) == int((~mask).sum())
    for name, mask in masks.edges.items():
        assert batch.num_edges(name) == int((~mask).sum())
        for key in cell.relations[name].data:
            expected = np.concatenate([cell.relations[name].data[key][~row] for row in mask])
            assert np.array_equal(batch.edges[name].data[key].numpy(), expected)


def test_any_number_of_genotypes_take_the_same_lines_of_python(yeast_cell):
    rng = np.random.default_rng(0)
    metabolic = np.unique(yeast_cell.relations["gpr"].src)
    genes = np.concatenate([np.sort(rng.choice(metabolic, size=2, replace=False)) for _ in range(1024)])
    ptr = np.arange(0, 2049, 2)
    yeast_cell.knock_out(genes, ptr)  # what is computed once a cell
    _, few = lines_of(lambda: yeast_cell.knock_out(genes[:64], ptr[:33]))
    lost, many = lines_of(lambda: yeast_cell.knock_out(genes, ptr))
    assert len(lost.reactions) > 1024
    assert many == few < 200


def test_the_costanzo_screen(yeast_files, yeast_cell):
    screen = yeast_files.costanzo
    (table, report), lines = lines_of(lambda: table_of(yeast_cell, [screen], unknown="skip"))
    assert len(screen.genotypes) == 163_160
    assert len(table) == 163_160 - report["files"][0]["rows with an unknown gene, left out"]
    assert len(table) > 162_000
    assert np.unique(table.orders).tolist() == [2]
    assert lines < len(screen)  # names are looked up once each, rows are left to numpy
