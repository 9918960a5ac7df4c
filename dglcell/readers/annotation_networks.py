"""Gene annotations -> edges between genes with similar descriptions or overlapping coordinates, and gene features.

Descriptions hold knowledge that no interaction table has. Overlaps matter because a deletion also removes the bases
that a gene shares with its neighbor; most dubious open reading frames overlap a gene that has a function. The file
formats are read in `annotations`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError
from dglcell.readers.edge_table import EdgeTable
from dglcell.readers.gene_list import GeneList
from dglcell.readers.gene_records import GenomicInterval
from dglcell.readers.genes import read_genes

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_ROOT = re.compile(r"([a-z]{2,5})[0-9]+[a-z]{0,2}")  # RPL in rpl12b
_NUM_NEIGHBORS = 16
_MIN_COSINE = 0.1  # about one word in common that few genes have
_BLOCK = 512  # documents compared at once
_MAX_FREQUENCY = 0.15  # a word in a larger share of the descriptions is left out
_COMPONENTS = 512
_SCALE = 16  # gives hundreds of columns about the size of standardized ones
_DENSE = 1500  # genes or words up to which the decomposition is dense
_MIN_SHARE = 0.25  # a smaller overlap is often only the ends of both genes


def read_descriptions(path: Path | str) -> EdgeTable:
    """Connect each gene to those with the most similar descriptions.

    A description is the set of its words and the id of the gene; a word that names a gene, or its protein (`Rad51p`),
    stands for that gene. Similarity is the cosine of the sets, with words weighted by inverse document frequency
    (Sparck Jones 1972, doi:10.1108/eb026526); words of only one description, or of more than 15 %, are left out. Each
    gene is connected to the 16 most similar ones with a similarity of at least 0.1, which is the confidence of the
    edge.

    Parameters
    ----------
    path : Path
        SGD_features.tab, GFF3 or GTF; may be compressed.

    Raises
    ------
    DataError
        The file cannot be read, or no two of its descriptions are similar.
    """
    genes, ids, documents = _documents(path)
    neighbors = list(_nearest_neighbors(documents))
    if not any(len(rows) for rows, _ in neighbors):
        raise DataError(
            f"{path} describes {len(ids)} genes, but no two are similar - SGD_features.tab with column 16 or "
            "GFF3 with description, product, Note or display was expected"
        )
    a = [gene for gene, (rows, _) in zip(ids, neighbors, strict=True) for _ in rows]
    b = [ids[row] for rows, _ in neighbors for row in rows]
    report: dict[str, int | str] = {
        "genes with a description": len(ids),
        "genes without a description": len(genes.ids) - len(ids),
    }
    confidence = np.minimum(np.concatenate([cosine for _, cosine in neighbors]), 1).astype(np.float32)
    return EdgeTable(str(path), "gene descriptions", a, b, None, report, confidence)


def description_features(path: Path | str) -> tuple[list[str], NDArray[np.float32]]:
    """Feature vectors that summarize the description of each gene, by latent semantic analysis.

    The leading 512 left singular vectors, multiplied by their singular values and by 16, of the weighted words of
    `read_descriptions`; here frequent words count too, and so do the roots of the gene's names (RPL of RPL12B, a
    protein of the ribosome). The scalar product of two genes is then nearly 256 times the cosine of their descriptions
    (Deerwester et al. 1990, Journal of the American Society for Information Science 41:391). Words of only one
    description are left out.

    Parameters
    ----------
    path : Path
        SGD_features.tab, GFF3 or GTF; may be compressed.

    Returns
    -------
    ids : list of str, n
        Genes that have a description.
    x : (n, d) float32
        d is 512, or one less than the number of genes or words if that is smaller.

    Raises
    ------
    DataError
        The file cannot be read, or its descriptions have fewer than two words in common.
    """
    genes, ids, documents = _documents(path)
    roots = _name_roots(genes)
    documents = [[*words, *sorted(roots[gene])] for gene, words in zip(ids, documents, strict=True)]
    # Frequent words such as "unknown" and "putative" stay: they describe a gene well, though they connect no two.
    tfidf = _tfidf(documents, max_frequency=1.0)
    components = min(_COMPONENTS, *(size - 1 for size in (tfidf.shape if tfidf is not None else (0,))))
    if tfidf is None or components < 1:
        num_words = 0 if tfidf is None else tfidf.shape[1]
        raise DataError(
            f"{path} describes {len(ids)} genes, with {num_words} words in more than one description - at least "
            "two genes and two such words were expected"
        )
    scores, loadings = _truncated_svd(tfidf.astype(np.float64), components)
    # The sign of a singular vector is arbitrary, so its largest entry (the first of nearly equal ones) is positive.
    sign = np.sign(loadings[np.arange(components), np.abs(loadings).round(6).argmax(axis=1)])
    x = scores * sign * _SCALE
    # Rounded, so that the last bit of a product does not change the fingerprint of a cell.
    return ids, (x.round(5) + 0.0).astype(np.float32)


def read_overlaps(path: Path | str) -> EdgeTable:
    """Connect genes that overlap on the chromosome, on either strand, by at least a quarter of the shorter one.

    The confidence of the edge is the share of bases `|A & B| / min(|A|, |B|)`, the overlap coefficient. For a gene in
    several pieces it is the largest share of any of them.

    Parameters
    ----------
    path : Path
        SGD_features.tab, GFF3 or GTF; may be compressed.

    Raises
    ------
    DataError
        The file cannot be read, or no two of its genes overlap.
    """
    genes = read_genes(path)
    shares: dict[tuple[str, str], float] = {}
    for gene, neighbor, share in _overlaps(genes.intervals):
        pair = min(gene, neighbor), max(gene, neighbor)
        if gene != neighbor and share >= _MIN_SHARE:
            shares[pair] = max(share, shares.get(pair, 0.0))
    if not shares:
        raise DataError(
            f"{path} has coordinates of {len(genes.intervals)} genes, but no two overlap by a quarter - "
            "SGD_features.tab with columns 9 to 11 (chromosome, start, stop) or GFF3 was expected"
        )
    report: dict[str, int | str] = {
        "genes with coordinates": len(genes.intervals),
        "genes without coordinates": len(genes.ids) - len(genes.intervals),
    }
    a, b = zip(*sorted(shares), strict=True)
    confidence = np.array([shares[pair] for pair in zip(a, b, strict=True)], np.float32)
    return EdgeTable(str(path), "overlaps of genes", list(a), list(b), None, report, confidence)


def _documents(path: Path | str) -> tuple[GeneList, list[str], list[list[str]]]:
    """The genes of an annotation, the ids of those with a description, and the words of each description."""
    genes = read_genes(path)
    ids = sorted(genes.descriptions)
    return genes, ids, [_words(genes, gene) for gene in ids]


def _words(genes: GeneList, gene: str) -> list[str]:
    words = {_gene_or_word(genes, word.casefold()) for word in _WORD.findall(genes.descriptions[gene])}
    return sorted({gene, *words})


def _gene_or_word(genes: GeneList, word: str) -> str:
    """The gene that a word names, else the word itself."""
    for name in (word, word.removesuffix("p")):
        candidates = genes.candidates(name)
        if len(candidates) == 1:
            return candidates[0]
    return word


def _name_roots(genes: GeneList) -> dict[str, set[str]]:
    """For each gene the first letters of its names, with `..` appended, so that they differ from words."""
    roots: dict[str, set[str]] = defaultdict(set)
    for name, candidates in genes.aliases.items():
        if root := _ROOT.fullmatch(name):
            for gene in candidates:
                roots[gene].add(f"{root[1]}..")
    return roots


def _tfidf(documents: list[list[str]], max_frequency: float = _MAX_FREQUENCY) -> Any:
    """(documents, words) sparse: inverse document frequencies, rows of norm 1; None if no word is in two documents."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    max_df = max(2, int(max_frequency * len(documents)))
    vectorizer = TfidfVectorizer(
        analyzer=list, min_df=2, max_df=max_df, binary=True, smooth_idf=False, dtype=np.float32
    )
    try:
        return vectorizer.fit_transform(documents)
    except ValueError:
        return None


def _nearest_neighbors(documents: list[list[str]]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """For each document the rows of the most similar others, nearest first, and their cosines."""
    tfidf = _tfidf(documents)
    if tfidf is None:
        return
    for start in range(0, len(documents), _BLOCK):  # all at once would need memory for all pairs of genes
        cosine = (tfidf[start : start + _BLOCK] @ tfidf.T).toarray()
        diagonal = np.arange(len(cosine))
        cosine[diagonal, start + diagonal] = 0
        for row in cosine:
            neighbors = np.argsort(-row.round(6), kind="stable")[:_NUM_NEIGHBORS]
            neighbors = neighbors[row[neighbors] >= _MIN_COSINE]
            yield neighbors, row[neighbors]


def _truncated_svd(tfidf: Any, components: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The largest components: scores (genes, d), left vectors times singular values; loadings (d, words)."""
    from sklearn.decomposition import TruncatedSVD
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # sums are then the same on any number of cores, and it is faster
        if min(tfidf.shape) <= _DENSE:
            # With few words, groups of genes have identical words and thus equal singular values, for which ARPACK
            # gives different vectors each time; a dense decomposition gives the same ones.
            left, values, right = np.linalg.svd(tfidf.toarray(), full_matrices=False)
            return left[:, :components] * values[:components], right[:components]
        svd = TruncatedSVD(components, algorithm="arpack", random_state=0)
        return svd.fit_transform(tfidf), svd.components_


def _overlaps(intervals: Mapping[str, Sequence[GenomicInterval]]) -> Iterator[tuple[str, str, float]]:
    """Pairs of genes with pieces that share bases, and the share of the shorter piece."""
    by_chromosome = defaultdict(list)
    for gene, pieces in intervals.items():
        for chromosome, first, last in pieces:
            by_chromosome[chromosome].append((first, last, gene))
    for pieces_of_genes in by_chromosome.values():
        active: list[tuple[int, int, str]] = []  # pieces that may still overlap the next one
        for first, last, gene in sorted(pieces_of_genes):
            active = [piece for piece in active if piece[1] >= first]
            for begin, end, neighbor in active:
                num_shared = min(end, last) - first + 1
                yield neighbor, gene, num_shared / (min(end - begin, last - first) + 1)
            active.append((first, last, gene))
