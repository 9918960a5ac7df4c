"""Genes joined by the bases that they share."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from dglcell.errors import DataError
from dglcell.readers.networks import read_network

PLACES = {
    "YA1": ("1", 101, 200),
    "YB2": ("1", 151, 350),  # half of YA1
    "YC3": ("1", 160, 169),  # within YA1 and within YB2
    "YD4": ("1", 326, 425),  # a quarter of YB2's length is not asked, 25 of its own 100 bases are shared
    "YE5": ("1", 402, 500),  # 24 of 99
    "YF6": ("1", 501, 600),  # begins where YE5 ends
    "YG7": ("2", 101, 200),  # where YA1 lies, on another chromosome
}
SHARES = {
    ("YA1", "YB2"): 0.5,
    ("YA1", "YC3"): 1.0,
    ("YB2", "YC3"): 1.0,
    ("YB2", "YD4"): 0.25,
}


def sgd(places: dict[str, tuple[str, int, int]]) -> str:
    """As SGD writes it: on the other strand the start is the higher number."""
    ends = {gene: (b, a) if k % 2 else (a, b) for k, (gene, (_, a, b)) in enumerate(places.items())}
    return "".join(
        f"S\tORF\tVerified\t{gene}\t\t\tchromosome\t\t{chromosome}\t{ends[gene][0]}\t{ends[gene][1]}\tW\n"
        for gene, (chromosome, _, _) in places.items()
    )


def gff(places: dict[str, tuple[str, int, int]]) -> str:
    rows = [
        f"{chromosome}\tS\tgene\t{first}\t{last}\t.\t{'+-'[k % 2]}\t.\tID={gene}"
        for k, (gene, (chromosome, first, last)) in enumerate(places.items())
    ]
    return "\n".join(["##gff-version 3", *rows]) + "\n"


@pytest.mark.parametrize("layout", [sgd, gff])
def test_genes_that_share_a_quarter_of_the_shorter_one_are_joined(layout, tmp_path: Path) -> None:
    path = tmp_path / "genes.gz"
    path.write_bytes(gzip.compress(layout(PLACES).encode()))
    table = read_network(path, "relation", mode="overlap")
    assert table.layout == "overlaps of genes"
    assert table.report == {"genes with a place": 7, "genes without": 0}
    assert dict(zip(zip(table.a, table.b, strict=True), table.confidence.tolist(), strict=True)) == SHARES


def test_of_several_pieces_the_largest_share(tmp_path: Path) -> None:
    """A gene in pieces, one of which is listed twice, and one that overlaps them."""
    path = tmp_path / "genes.gff"
    pieces = [("b1", 1, 100), ("b1", 1, 90), ("b1", 901, 1000), ("b2", 21, 120), ("b2", 951, 1050)]
    rows = [f"chr\tS\tgene\t{first}\t{last}\t.\t+\t.\tID={gene}" for gene, first, last in pieces]
    for lines in (rows, rows[::-1]):
        path.write_text("\n".join(["##gff-version 3", *lines]))
        table = read_network(path, "relation", mode="overlap")
        assert (table.a, table.b, table.confidence.tolist()) == (["b1"], ["b2"], [pytest.approx(0.8)])


def test_genes_without_a_place_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "genes.tab"
    path.write_text(sgd(PLACES) + "S\tORF\tVerified\tYX1\t\t\tchr\t\t1\t\t\n" + "S\tORF\tVerified\tYX2\t\t\n")
    table = read_network(path, "relation", mode="overlap")
    assert table.report == {"genes with a place": 7, "genes without": 2}
    assert len(table) == len(SHARES)


@pytest.mark.parametrize("apart", [{}, {"YB2": ("1", 177, 300)}, {"YB2": ("2", 101, 200)}])
def test_an_annotation_without_overlaps(apart: dict[str, tuple[str, int, int]], tmp_path: Path) -> None:
    path = tmp_path / "genes.tab"
    path.write_text(sgd({"YA1": PLACES["YA1"], **apart}))
    message = rf"genes\.tab places {1 + len(apart)} genes, no two of which overlap by a quarter - SGD_features"
    with pytest.raises(DataError, match=message):
        read_network(path, "relation", mode="overlap")


@pytest.mark.parametrize("mode", ["description", "overlaps", ""])
def test_only_the_word_overlap_asks_for_overlaps(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "genes.gff"
    path.write_text(gff(PLACES).replace("ID=YA1", "ID=YA1;Note=alike").replace("ID=YG7", "ID=YG7;Note=alike"))
    table = read_network(path, "relation", mode=mode)
    assert (table.layout, set(table.a)) == ("gene descriptions", {"YA1", "YG7"})
