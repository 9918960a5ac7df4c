"""Rows of a genotype table that depend on each other: means over replicates, fitness from interactions and back.

The interaction of a pair is `eps_ij = f_ij - f_i f_j` (Costanzo et al. 2016, doi:10.1126/science.aaf1420). Owns the
arithmetic; knows no files and no rules. A value that nothing was measured for stays missing, never zero.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.genotypes.table import GenotypeTable

_FITNESS, _FITNESS_STD, _SCORE, _P = range(len(schema.LABEL_COLUMNS))
_KINDS = len(schema.ALLELES)


def weighted_means(
    values: NDArray[np.floating], std: NDArray[np.floating], group: NDArray[np.integer], groups: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Mean of each group's finite values, and its standard deviation.

    .. math:: \bar y = \sum_k w_k y_k / \sum_k w_k, \quad w_k = 1 / \sigma_k^2, \quad \bar\sigma = (\sum_k w_k)^{-1/2}

    where every value of the group has a standard deviation above 0; else the plain mean, without one. A single value
    keeps its own.

    Parameters
    ----------
    values, std : (n,) float
        NaN where missing.
    group : (n,) integer
        Below `groups`.

    Returns
    -------
    mean, std : (groups,) float64
        NaN for a group without a value.
    """
    finite = np.isfinite(values)
    group, y, sigma = group[finite], values[finite].astype(np.float64), std[finite].astype(np.float64)
    count = np.bincount(group, minlength=groups)
    known = np.bincount(group[sigma > 0], minlength=groups) == count
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(known[group], 1 / np.square(sigma), 1.0)
        total = np.bincount(group, weight, minlength=groups)
        # Around the plain mean, so that equal values give themselves and large weights cost no digits.
        plain = np.bincount(group, y, minlength=groups) / count
        mean = plain + np.bincount(group, weight * (y - plain[group]), minlength=groups) / total
        spread = np.where(known, total**-0.5, np.nan)
    single = count[group] == 1
    spread[group[single]] = sigma[single]
    return np.where(count > 0, mean, np.nan), np.where(count > 0, spread, np.nan)


def merge_replicates(table: GenotypeTable) -> GenotypeTable:
    """One row for the rows of a source with the same genes and kinds of allele, where the first of them stood.

    Fitness and interaction are `weighted_means`; the p-value is the largest, the cautious one. Rows of different query
    strains, such as reciprocal pairs, make a row without one.
    """
    typed = table.genes.astype(np.int64) * _KINDS + table.alleles
    keys = dataclasses.replace(table, genes=typed).genotype_keys() * (int(table.source.max(initial=0)) + 1)
    _, first, group = np.unique(keys + table.source, return_index=True, return_inverse=True)
    groups = len(first)
    fitness, fitness_std = weighted_means(table.labels[:, _FITNESS], table.labels[:, _FITNESS_STD], group, groups)
    score, score_std = weighted_means(table.labels[:, _SCORE], table.interaction_std, group, groups)
    p = np.full(groups, -np.inf)
    np.fmax.at(p, group, table.labels[:, _P].astype(np.float64))
    labels = np.stack([fitness, fitness_std, score, np.where(np.isfinite(p), p, np.nan)], axis=1).astype(np.float32)
    query = table.query[first].copy()
    query[group[table.query != query[group]]] = 0
    order = np.argsort(first)
    merged = table.take(first[order])
    std = score_std[order].astype(np.float32)
    return dataclasses.replace(merged, labels=labels[order], interaction_std=std, query=query[order])


def impute_labels(
    table: GenotypeTable, expected: NDArray[np.float32], twice: NDArray[np.bool_], genes: int
) -> tuple[GenotypeTable, dict[str, NDArray[np.bool_]]]:
    r"""Fill in what a pair lacks of fitness and interaction.

    .. math:: f_{ij} = \epsilon_{ij} + f_i f_j, \qquad \epsilon_{ij} = f_{ij} - f_i f_j

    The single-mutant fitness values are those beside the pair in its own file, else the means over all rows of the
    table with that one gene in that kind of allele. Pairs without both stay as they are. A row that names a gene twice
    has no part in this: a cross of two strains of one gene is measured as a double mutant, not as a single one.

    Parameters
    ----------
    expected : (n,) float32
        `f_i f_j` as the pair's own file has it, NaN elsewhere.
    twice : (n,) bool
        Rows of which the file names a gene more than once, so that they have fewer genes than mutations.
    genes : int
        Genes of the cell.

    Returns
    -------
    table : GenotypeTable
    filled : dict of str to (n,) bool
        Which rows got a fitness, and which an interaction.
    """
    singles = np.flatnonzero((table.orders == 1) & ~twice)
    at = table.ptr[singles]
    group = table.genes[at].astype(np.int64) * _KINDS + table.alleles[at]
    values, std = table.labels[singles, _FITNESS], table.labels[singles, _FITNESS_STD]
    single, _ = weighted_means(values, std, group, genes * _KINDS)
    pairs = np.flatnonzero((table.orders == 2) & ~twice)
    first = table.ptr[pairs]
    i, j = (table.genes[first + k].astype(np.int64) * _KINDS + table.alleles[first + k] for k in (0, 1))
    product = expected[pairs].astype(np.float64)
    product = np.where(np.isfinite(product), product, single[i] * single[j])
    labels = table.labels.copy()
    fitness, score = (labels[pairs, column].astype(np.float64) for column in (_FITNESS, _SCORE))
    filled = {}
    for column, what, value in (
        (_FITNESS, "fitness derived from interaction", score + product),
        (_SCORE, "interaction derived from fitness", fitness - product),
    ):
        missing = np.isnan(labels[pairs, column]) & np.isfinite(value)
        rows = pairs[missing]
        labels[rows, column] = value[missing]
        filled[what] = np.zeros(len(table), dtype=np.bool_)
        filled[what][rows] = True
    return dataclasses.replace(table, labels=labels), filled
