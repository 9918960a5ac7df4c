"""Which genes of a row are its query's: from the strain ids of a screen to a stored table and back."""

from __future__ import annotations

import dataclasses

import numpy as np

from dglcell.config import ScreenRules
from dglcell.genotypes.merge import ScreenMerger, merge_screens
from dglcell.genotypes.splits.membership import pairs_in_genotypes, query_pairs
from dglcell.genotypes.table import GenotypeTable
from dglcell.io import cell_file
from dglcell.readers.screens.read import read_blocks, read_screen
from dglcell.readers.screens.screen_table import join
from tests.cells import tiny_cell
from tests.split_promises import queries_of, table_of_triples

CELL = tiny_cell()
HEAD = (
    "Query Strain ID\tArray Strain ID\tAdjusted genetic interaction score\tP-value\t"
    "Double/triple mutant fitness\tDouble/triple mutant fitness standard deviation\n"
)
STRAINS = {
    "G005+G002_tm1 G003_dma1": ([2, 3, 5], 0b101),
    "G005+YDL227C_tm2 G003_dma1": ([3, 5], 0b10),
    "YDL227C+G001_tm3 G003_dma1": ([1, 3], 0b01),
    "G005+G002_tm1 G005_tsa1": ([2, 5], 0b11),
    "G003_sn4 G001_dma1": ([1, 3], 0b10),
    "G007+G008_tm4 G006_dma1": ([6, 7, 8], 0b110),
}


def write(path, strains=STRAINS, value="0.5"):
    rows = ["\t".join([*strain.split(), value, "0.1", value, "0.1"]) for strain in strains]
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return path


def test_the_query_of_a_row_comes_from_its_strain(tmp_path):
    table, _ = merge_screens(CELL, [write(tmp_path / "s.tsv")])
    genotypes = [table.genes[a:b].tolist() for a, b in zip(table.ptr[:-1], table.ptr[1:], strict=True)]
    assert list(zip(genotypes, table.query.tolist(), strict=True)) == list(STRAINS.values())
    assert table.query.dtype == np.uint8
    assert query_pairs(table.genes, table.ptr, table.query).tolist() == [[2, 5], [7, 8]]
    assert table.info()["query_pairs"] == 2
    assert table.take([5, 0, 1]).query.tolist() == [0b110, 0b101, 0b10]


def test_layouts_without_strains_have_no_queries(tmp_path):
    (tmp_path / "t.csv").write_text("genes,fitness\nG001;G002,0.5\nG001;G002;G003,0.4\n")
    (tmp_path / "d.txt").write_text("2 G001 G002 0.5\n")
    (tmp_path / "f.csv").write_text(
        "Strain ID;Systematic gene name;Allele/Gene name;SMF 26;sd;SMF 30;sd\nG001_dma1;G001;x;0,9;0,1;0,8;0,1\n"
    )
    for name in ("t.csv", "d.txt", "f.csv"):
        assert not merge_screens(CELL, [tmp_path / name])[0].query.any(), name


def test_a_query_fitness_table_is_all_query(tmp_path):
    head = "Query Strain ID\tORF1\tORF2\tGene1\tGene2\tAllele1\tAllele2\tMutant type\tFitness\tSt.dev.\n"
    rows = "tm1\tG005\tG002\ta\tb\ta\tb\tDouble mutant\t0.5\t0.1\ntm2\tG005\tYDL227C\ta\tho\ta\tho\tSingle\t0.9\t0.1\n"
    (tmp_path / "q.tsv").write_text(head + rows)
    table, _ = merge_screens(CELL, [tmp_path / "q.tsv"])
    assert table.query.tolist() == [0b11, 0b1]


def test_a_row_of_more_genes_than_a_byte_has_bits_has_no_query(tmp_path):
    strain = "+".join(f"G{k:03d}" for k in range(9))
    table, _ = merge_screens(CELL, [write(tmp_path / "s.tsv", [f"{strain}_tm1 G003_dma1", "G000+G001_tm2 G007_dma1"])])
    assert table.orders.tolist() == [9, 3] and table.query.tolist() == [0, 0b11]


def test_blocks_and_unknown_genes_keep_queries_with_their_rows(tmp_path):
    strains = ["G005+nobody_tm1 G003_dma1", *STRAINS]
    table, _ = merge_screens(
        CELL,
        [write(tmp_path / "a.tsv", strains), write(tmp_path / "b.tsv", list(STRAINS)[::-1])],
        ScreenRules(unknown_genes="skip"),
    )
    expected = [bits for _, bits in STRAINS.values()]
    assert table.query.tolist() == expected + expected[::-1]


def test_blocks_joined_are_the_file(tmp_path):
    path = write(tmp_path / "s.tsv", list(STRAINS) * 3)
    blocks = list(read_blocks(path, size=100))
    assert len(blocks) > 3
    assert read_screen(path).query.tolist() == join(blocks).query.tolist() == [2, 1, 1, 2, 1, 2] * 3


def test_replicates_of_one_query_keep_it_and_of_two_queries_lose_it(tmp_path):
    same = ["G005+G002_tm1 G003_dma1", "G005+G002_tm1 G003_dma2", "G005+G002_tm1 G004_dma2"]
    for strains, expected in ((same, [0b101, 0b101]), ([*same, "G005+G003_tm9 G002_dma1"], [0, 0b101])):
        for order in (strains, strains[::-1]):
            table, _ = merge_screens(CELL, [write(tmp_path / "s.tsv", order)], rules=ScreenRules(replicates="mean"))
            assert table.take(np.argsort(table.genes[table.ptr[1:] - 2])).query.tolist() == expected


def test_queries_are_stored(tmp_path):
    cell_file.save(CELL, tmp_path / "c.h5", ScreenMerger(CELL, [write(tmp_path / "s.tsv")]))
    query = cell_file.load_screen(tmp_path / "c.h5").query
    assert query.tolist() == [bits for _, bits in STRAINS.values()] and query.dtype == np.uint8


def test_every_pair_that_a_genotype_holds_is_found():
    rng = np.random.default_rng(0)
    rows = [
        (rng.choice(6, size=2, replace=False).tolist(), rng.choice(12, size=k, replace=False).tolist())
        for k in rng.integers(0, 6, size=80)
    ]
    table = table_of_triples(CELL, [*rows, ((), ()), ((), (3,)), ((), tuple(range(12)))])
    pairs = query_pairs(table.genes, table.ptr, table.query)
    assert {frozenset(pair) for pair in pairs.tolist()} == queries_of(table) and len(pairs) > 5
    held, ptr = pairs_in_genotypes(table.genes, table.ptr, pairs)
    for k in range(len(table)):
        genes = set(table.genes[table.ptr[k] : table.ptr[k + 1]].tolist())
        expected = [row for row, pair in enumerate(pairs.tolist()) if set(pair) <= genes]
        assert sorted(held[ptr[k] : ptr[k + 1]].tolist()) == expected
    none = dataclasses.replace(table, query=np.zeros(len(table), np.uint8))
    assert query_pairs(none.genes, none.ptr, none.query).shape == (0, 2)
    assert pairs_in_genotypes(table.genes, table.ptr, np.zeros((0, 2), np.int64))[1].tolist() == [0] * (len(table) + 1)


def test_a_table_from_arrays_has_no_queries_unless_given():
    table = GenotypeTable.of(CELL, *CELL.indices([[0, 1], [2]]))
    assert table.query.tolist() == [0, 0]
