"""Descriptions of genes -> edges between genes described alike, or numbers that sum up what is said of each.

What a gene annotation says of a gene in words is knowledge that no interaction table holds. Owns words and how they
are weighed; the layouts of annotations are `genes`' part.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell.errors import DataError
from dglcell.readers.edge_table import EdgeTable
from dglcell.readers.genes import GeneList, read_genes

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_ROOT = re.compile(r"([a-z]{2,5})[0-9]+[a-z]{0,2}")  # RPL in rpl12b
_NEAREST = 16
_LEAST = 0.1  # cosine: one word in common that few genes have
_BLOCK = 512  # documents
_COMMON = 0.15  # a word in more of the descriptions says nothing
_COMPONENTS = 512
_SCALE = 16  # of features: in hundreds of columns as large as standardised ones, to stand beside such
_DENSE = 1500  # genes or words


def read_descriptions(path: Path | str) -> EdgeTable:
    """Join each gene to those with the most similar descriptions.

    A description is the set of its words and the gene's own id; a word that is a name of a gene, or of its protein
    (`Rad51p`), stands for that gene. Similarity is the cosine of the sets, words weighed by inverse document frequency
    (Sparck Jones 1972, doi:10.1108/eb026526); words of one description alone, or of more than 15 %, are left out. Each
    gene is joined to the 16 most similar ones, at a similarity of at least 0.1, which is the confidence of the edge.

    Parameters
    ----------
    path : Path
        SGD_features.tab or GFF3, plain or gzip.

    Raises
    ------
    DataError
        A file that cannot be read, or that describes no two genes alike.
    """
    genes, ids, documents = _described(path)
    nearest = list(_nearest(documents))
    if not any(len(rows) for rows, _ in nearest):
        raise DataError(
            f"{path} describes {len(ids)} genes, no two of them alike - SGD_features.tab with column 16 or GFF3 with "
            "description, product, Note or display was expected"
        )
    a = [gene for gene, (rows, _) in zip(ids, nearest, strict=True) for _ in rows]
    b = [ids[row] for rows, _ in nearest for row in rows]
    report: dict[str, int | str] = {"genes with a description": len(ids), "genes without": len(genes.ids) - len(ids)}
    score = np.minimum(np.concatenate([scores for _, scores in nearest]), 1).astype(np.float32)
    return EdgeTable(str(path), "gene descriptions", a, b, None, report, score)


def summarise_descriptions(path: Path | str) -> tuple[list[str], NDArray[np.float32]]:
    """Numbers that sum up the description of each gene: latent semantic analysis.

    The leading 512 left singular vectors times singular values, and times 16, of the weighed words of
    `read_descriptions`, to which common ones are added, and the roots of the gene's names (RPL of RPL12B, which says
    that it is a protein of the ribosome): the scalar product of two genes is nearly 256 times the cosine of their
    descriptions (Deerwester et al. 1990, Journal of the American Society for Information Science 41:391). Words of one
    description alone are left out.

    Parameters
    ----------
    path : Path
        As for `read_descriptions`.

    Returns
    -------
    ids : list of str, n
        Genes that have a description.
    x : (n, d) float32
        d is 512, or less by one than there are genes or words.

    Raises
    ------
    DataError
        A file that cannot be read, or whose descriptions have fewer than two words in common.
    """
    genes, ids, documents = _described(path)
    roots = _roots(genes)
    documents = [[*words, *sorted(roots[gene])] for gene, words in zip(ids, documents, strict=True)]
    # Common words stay: "unknown" and "putative" say much of a gene, though they join no two.
    words = _weighed(documents, common=1.0)
    components = min(_COMPONENTS, *(size - 1 for size in (words.shape if words is not None else (0,))))
    if words is None or components < 1:
        shared = 0 if words is None else words.shape[1]
        raise DataError(
            f"{path} describes {len(ids)} genes, with {shared} words in more than one of the descriptions - at least "
            "two genes and two such words were expected"
        )
    scores, loadings = _truncated_svd(words.astype(np.float64), components)
    # A vector's sign is arbitrary: its largest entry is made positive, the first of (nearly) equal ones.
    sign = np.sign(loadings[np.arange(components), np.abs(loadings).round(6).argmax(axis=1)])
    x = scores * sign * _SCALE
    return ids, (x.round(5) + 0.0).astype(np.float32)  # so that the last bit of a product changes no fingerprint


def _truncated_svd(words: Any, components: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores (genes, d), left singular vectors times values, and loadings (d, words), right ones; largest first."""
    from sklearn.decomposition import TruncatedSVD
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # sums in one order on any number of cores, and sooner
        if min(words.shape) <= _DENSE:
            # Few words repeat in whole groups of genes. Of equal singular values ARPACK starts each next vector at
            # random and finds others each time; a dense decomposition finds the same.
            left, values, right = np.linalg.svd(words.toarray(), full_matrices=False)
            return left[:, :components] * values[:components], right[:components]
        svd = TruncatedSVD(components, algorithm="arpack", random_state=0)
        return svd.fit_transform(words), svd.components_


def _described(path: Path | str) -> tuple[GeneList, list[str], list[list[str]]]:
    """The genes of an annotation, the ids of those with a description, and the words of each of these."""
    genes = read_genes(path)
    ids = sorted(genes.descriptions)
    return genes, ids, [_words(genes, gene) for gene in ids]


def _words(genes: GeneList, gene: str) -> list[str]:
    words = {_named(genes, word.casefold()) for word in _WORD.findall(genes.descriptions[gene])}
    return sorted({gene, *words})


def _roots(genes: GeneList) -> dict[str, set[str]]:
    """Of each gene the letters with which its names begin, marked so that they are no word of a description."""
    roots: dict[str, set[str]] = defaultdict(set)
    for name, found in genes.aliases.items():
        if root := _ROOT.fullmatch(name):
            for gene in found:
                roots[gene].add(f"{root[1]}..")
    return roots


def _named(genes: GeneList, word: str) -> str:
    """The gene that a word names, or the word."""
    for name in (word, word.removesuffix("p")):
        found = genes.candidates(name)
        if len(found) == 1:
            return found[0]
    return word


def _weighed(documents: list[list[str]], common: float = _COMMON) -> Any:
    """(documents, words) sparse: inverse document frequencies, rows of length 1; None if no word is in two."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    most = max(2, int(common * len(documents)))
    weigh = TfidfVectorizer(analyzer=list, min_df=2, max_df=most, binary=True, smooth_idf=False, dtype=np.float32)
    try:
        return weigh.fit_transform(documents)
    except ValueError:
        return None


def _nearest(documents: list[list[str]]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Of each document the most similar others, first the nearest, and their cosines."""
    words = _weighed(documents)
    if words is None:
        return
    for start in range(0, len(documents), _BLOCK):  # whole, it would be as large as the genes squared
        cosine = (words[start : start + _BLOCK] @ words.T).toarray()
        own = np.arange(len(cosine))
        cosine[own, start + own] = 0
        for row in cosine:
            near = np.argsort(-row.round(6), kind="stable")[:_NEAREST]
            near = near[row[near] >= _LEAST]
            yield near, row[near]
