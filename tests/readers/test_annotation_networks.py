"""Genes joined by the words that describe them, or by the bases that they share."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from dglcell.errors import DataError
from dglcell.readers.annotation_networks import read_descriptions, read_overlaps
from dglcell.readers.features import read_features
from dglcell.readers.networks import read_network

GENES = {
    "YA1": ("AAA1", "Strand exchange protein, repairs breaks; needs Bbb2p"),
    "YB2": ("BBB2", "Mediates strand exchange at breaks"),
    "YC3": ("CCC3", "Subunit of the proteasome; like DDD4"),
    "YD4": ("DDD4", "Proteasome regulatory subunit"),
    "YE5": ("", "Unlikely to encode anything"),
    "YF6": ("", ""),
}
PADDING = {f"YP{k}": ("", f"padding{k // 2}") for k in range(20)}  # so that words of two genes are rare


def sgd(genes: dict[str, tuple[str, str]]) -> str:
    empty = "\t".join([""] * 9)
    return "".join(
        f"S\tORF\tVerified\t{gene}\t{name}\t{gene}nick\t{empty}\t{text}\n" for gene, (name, text) in genes.items()
    )


def gff(genes: dict[str, tuple[str, str]]) -> str:
    rows = [
        f"I\tS\tgene\t1\t9\t.\t+\t.\tID={g};gene={n or g};Note={t.replace(',', '%2C').replace(';', '%3B')}"
        for g, (n, t) in genes.items()
    ]
    return "\n".join(["##gff-version 3", *rows]) + "\n"


@pytest.mark.parametrize("layout", [sgd, gff])
def test_genes_that_share_rare_words_are_joined(layout, tmp_path: Path) -> None:
    path = tmp_path / "genes.gz"
    path.write_bytes(gzip.compress(layout({**GENES, **PADDING}).encode()))
    table = read_descriptions(path)
    assert table.layout == "gene descriptions"
    assert table.report == {"genes with a description": 25, "genes without a description": 1}
    found = {(a, b): float(c) for a, b, c in zip(table.a, table.b, table.confidence, strict=True)}
    assert {b for a, b in found if a == "YA1"} == {"YB2"}
    assert {b for a, b in found if a == "YC3"} == {"YD4"}
    assert not any("YE5" in pair or "YF6" in pair for pair in found)
    assert all(found[b, a] == pytest.approx(c) for (a, b), c in found.items())
    assert found["YP0", "YP1"] == pytest.approx(1)


def test_similarity_is_the_cosine_of_weighted_words(tmp_path: Path) -> None:
    path = tmp_path / "genes.tab"
    texts = {"YA1": "alpha beta gamma", "YB2": "alpha beta delta", "YC3": "alpha gamma", "YD4": "delta"}
    path.write_text(sgd({**{gene: ("", text) for gene, text in texts.items()}, **PADDING}))
    table = read_descriptions(path)
    found = dict(zip(zip(table.a, table.b, strict=True), table.confidence, strict=True))
    # 24 descriptions, of which three have alpha and two each of the others
    weight = {"alpha": np.log(24 / 3) + 1} | dict.fromkeys(("beta", "gamma", "delta"), np.log(24 / 2) + 1)
    length = {gene: np.sqrt(sum(weight[w] ** 2 for w in text.split())) for gene, text in texts.items()}
    for (a, b), confidence in found.items():
        if a in texts:
            shared = set(texts[a].split()) & set(texts[b].split())
            expected = sum(weight[w] ** 2 for w in shared) / length[a] / length[b]
            assert confidence == pytest.approx(expected, rel=1e-5)
    assert {("YA1", "YB2"), ("YA1", "YC3"), ("YB2", "YC3"), ("YB2", "YD4")} <= set(found)


@pytest.mark.parametrize("named", ["binds Aaa1p", "like ya1nick", "paralog of YA1", "overlaps ya1", "see AAA1"])
def test_an_id_a_name_an_alias_or_the_protein_stands_for_the_gene(named: str, tmp_path: Path) -> None:
    path = tmp_path / "genes.tab"
    texts = {"YA1": "one two", "YB2": named, "YC3": "three"}
    path.write_text(sgd({**{gene: (f"{gene[1] * 3}1", text) for gene, text in texts.items()}, **PADDING}))
    table = read_descriptions(path)
    pairs = {(a, b) for a, b in zip(table.a, table.b, strict=True) if a in texts}
    assert pairs == {("YA1", "YB2"), ("YB2", "YA1")}


def test_only_the_most_similar_sixteen(tmp_path: Path) -> None:
    path = tmp_path / "genes.tab"
    alike = {f"YA{k:02}": ("", f"shared {'closer' if k < 3 else 'other'}") for k in range(30)}
    path.write_text(sgd({**alike, **{f"YX{k}": ("", f"word{k // 2}") for k in range(300)}}))
    table = read_descriptions(path)
    of_first = [b for a, b in zip(table.a, table.b, strict=True) if a == "YA00"]
    assert len(of_first) == 16 and of_first[:2] == ["YA01", "YA02"]


@pytest.mark.parametrize("texts", [("", ""), ("one", "two"), ("the same in all", "the same in all")])
def test_a_file_that_describes_no_genes_alike(texts: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "genes.tab"
    path.write_text(sgd({f"Y{k}": ("", texts[k % 2]) for k in range(40)}))
    if len(set(texts)) == 2:
        path.write_text(sgd({"Y1": ("", texts[0]), "Y2": ("", texts[1])}))
    with pytest.raises(DataError, match=r"genes\.tab describes \d+ genes, but no two are similar - SGD_features"):
        read_descriptions(path)


@pytest.mark.parametrize("layout", [sgd, gff])
def test_descriptions_as_features(layout, tmp_path: Path) -> None:
    """Scalar products are cosines of weighed words, common ones too, as far as the components reach."""
    texts = {"YA1": "common alpha beta", "YB2": "common alpha delta", "YC3": "common delta", "YD4": "common"}
    texts |= {f"YP{k}{n}": f"common padding{k}" for k in (2, 3, 4) for n in range(k)} | {"YE5": ""}
    path = tmp_path / "genes.gz"
    path.write_bytes(gzip.compress(layout({gene: ("", text) for gene, text in texts.items()}).encode()))
    table = read_features(path)
    described = sorted(gene for gene, text in texts.items() if text)
    assert (table.layout, list(table.ids)) == ("gene descriptions", described)
    words = {"common", "alpha", "delta", "padding2", "padding3", "padding4"}  # those of two genes or more
    count = {w: sum(w in texts[g].split() for g in described) for w in words}
    weighed = {g: {w: np.log(len(described) / count[w]) + 1 for w in texts[g].split() if w in words} for g in described}
    cosines = np.array(
        [
            [
                sum(v * weighed[b].get(w, 0) for w, v in weighed[a].items())
                / np.sqrt(sum(v * v for v in weighed[a].values()) * sum(v * v for v in weighed[b].values()))
                for b in described
            ]
            for a in described
        ]
    )
    size, vectors = np.linalg.eigh(cosines)
    components = table.x.shape[1]
    assert components == len(words) - 1
    best = (vectors[:, -components:] * size[-components:]) @ vectors[:, -components:].T
    np.testing.assert_allclose(table.x @ table.x.T / 256, best, atol=1e-4)
    np.testing.assert_array_equal(table.x, read_features(path).x)


def test_roots_of_names_are_words_of_features_alone(tmp_path: Path) -> None:
    """Genes share the roots RPL and COX, of standard names and of an alias; their texts have no word in common."""
    texts = {"YA1": ("RPL12", "one"), "YB2": ("TIF6", "two"), "YC3": ("RPL1A", "three"), "YD4": ("", "rpl")}
    texts |= {"YE5": ("COX4", "five"), "YF6": ("COX5A", "six"), "YG7": ("COX6", "seven"), "YH8": ("COX", "eight")}
    path = tmp_path / "genes.tab"
    path.write_text(sgd({**texts, **PADDING}).replace("YB2nick", "YB2nick|Rpl7B"))
    found = read_features(path)
    x = dict(zip(found.ids, found.x / np.linalg.norm(found.x, axis=1, keepdims=True).clip(1e-9), strict=True))
    cosines = {pair: float(x[f"Y{pair[:2]}"] @ x[f"Y{pair[2:]}"]) for pair in ("A1B2", "A1C3", "E5F6", "E5G7")}
    assert cosines == pytest.approx(dict.fromkeys(cosines, 1), abs=1e-4)
    # A word of a text is no root, nor is a name without a number; other roots are other words.
    cosines = {pair: float(x[f"Y{pair[:2]}"] @ x[f"Y{pair[2:]}"]) for pair in ("A1D4", "E5H8", "A1E5")}
    assert cosines == pytest.approx(dict.fromkeys(cosines, 0), abs=1e-4)
    joined = read_descriptions(path)
    assert not set(texts) & {*joined.a, *joined.b}


def test_features_of_equal_groups_repeat(tmp_path: Path) -> None:
    """As many singular values are equal as there are groups, so their vectors are any of a subspace."""
    path = tmp_path / "genes.tab"
    path.write_text(sgd({f"Y{k}": ("", f"w{k // 2} x{k // 2}") for k in range(40)}))
    first, *others = (read_features(path).x.tobytes() for _ in range(4))
    assert all(other == first for other in others)


def test_an_annotation_that_describes_no_genes_has_no_features(tmp_path: Path) -> None:
    path = tmp_path / "genes.tab"
    path.write_text(sgd({"Y1": ("", "one"), "Y2": ("", "two")}))
    with pytest.raises(DataError, match=r"genes\.tab describes 2 genes, with 0 words in more than one"):
        read_features(path)


def test_an_annotation_is_no_physical_network(tmp_path: Path) -> None:
    path = tmp_path / "genes.tab"
    path.write_text(sgd(GENES))
    with pytest.raises(DataError, match="is a gene annotation"):
        read_network(path, "physical")


INTERVALS = {
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


def interval_sgd(intervals: dict[str, tuple[str, int, int]]) -> str:
    """As SGD writes it: on the other strand the start is the higher number."""
    ends = {gene: (b, a) if k % 2 else (a, b) for k, (gene, (_, a, b)) in enumerate(intervals.items())}
    return "".join(
        f"S\tORF\tVerified\t{gene}\t\t\tchromosome\t\t{chromosome}\t{ends[gene][0]}\t{ends[gene][1]}\tW\n"
        for gene, (chromosome, _, _) in intervals.items()
    )


def interval_gff(intervals: dict[str, tuple[str, int, int]]) -> str:
    rows = [
        f"{chromosome}\tS\tgene\t{first}\t{last}\t.\t{'+-'[k % 2]}\t.\tID={gene}"
        for k, (gene, (chromosome, first, last)) in enumerate(intervals.items())
    ]
    return "\n".join(["##interval_gff-version 3", *rows]) + "\n"


@pytest.mark.parametrize("layout", [interval_sgd, interval_gff])
def test_genes_that_share_a_quarter_of_the_shorter_one_are_joined(layout, tmp_path: Path) -> None:
    path = tmp_path / "genes.gz"
    path.write_bytes(gzip.compress(layout(INTERVALS).encode()))
    table = read_overlaps(path)
    assert table.layout == "overlaps of genes"
    assert table.report == {"genes with coordinates": 7, "genes without coordinates": 0}
    assert dict(zip(zip(table.a, table.b, strict=True), table.confidence.tolist(), strict=True)) == SHARES


def test_of_several_pieces_the_largest_share(tmp_path: Path) -> None:
    """A gene in pieces, one of which is listed twice, and one that overlaps them."""
    path = tmp_path / "genes.gff"
    pieces = [("b1", 1, 100), ("b1", 1, 90), ("b1", 901, 1000), ("b2", 21, 120), ("b2", 951, 1050)]
    rows = [f"chr\tS\tgene\t{first}\t{last}\t.\t+\t.\tID={gene}" for gene, first, last in pieces]
    for lines in (rows, rows[::-1]):
        path.write_text("\n".join(["##interval_gff-version 3", *lines]))
        table = read_overlaps(path)
        assert (table.a, table.b, table.confidence.tolist()) == (["b1"], ["b2"], [pytest.approx(0.8)])


def test_genes_without_coordinates_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "genes.tab"
    path.write_text(
        interval_sgd(INTERVALS) + "S\tORF\tVerified\tYX1\t\t\tchr\t\t1\t\t\n" + "S\tORF\tVerified\tYX2\t\t\n"
    )
    table = read_overlaps(path)
    assert table.report == {"genes with coordinates": 7, "genes without coordinates": 2}
    assert len(table) == len(SHARES)


@pytest.mark.parametrize("apart", [{}, {"YB2": ("1", 177, 300)}, {"YB2": ("2", 101, 200)}])
def test_an_annotation_without_overlaps(apart: dict[str, tuple[str, int, int]], tmp_path: Path) -> None:
    path = tmp_path / "genes.tab"
    path.write_text(interval_sgd({"YA1": INTERVALS["YA1"], **apart}))
    message = rf"genes\.tab has coordinates of {1 + len(apart)} genes, but no two overlap by a quarter - SGD_features"
    with pytest.raises(DataError, match=message):
        read_overlaps(path)


def test_an_annotation_is_no_network_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "genes.gff"
    path.write_text(interval_gff(INTERVALS))
    with pytest.raises(DataError, match=r"genes\.gff is a gene annotation - .* as description, overlap or genes"):
        read_network(path, "relation")
