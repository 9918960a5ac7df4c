"""Labels from several rows of a screen: means over replicates, and labels imputed from those of single mutants."""

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
    r"""Mean of the finite values of each group, and the standard deviation of the mean.

    .. math:: \bar y = \sum_k w_k y_k / \sum_k w_k, \quad w_k = 1 / \sigma_k^2, \quad \bar\sigma = (\sum_k w_k)^{-1/2}

    if all values of the group have a standard deviation above 0; otherwise the unweighted mean, without a standard
    deviation. A single value keeps its standard deviation.

    Parameters
    ----------
    values, std : (n,) float
        NaN where missing.
    group : (n,) integer
        Group of each value.
    groups : int
        Number of groups.

    Returns
    -------
    mean, std : (groups,) float64
        NaN for a group without a value.

    Examples
    --------
    >>> mean, std = weighted_means(np.array([1.0, 4.0]), np.array([1.0, 2.0]), np.array([0, 0]), 1)
    >>> float(mean[0].round(3)), float(std[0].round(3))  # weights 1 and 1/4
    (1.6, 0.894)
    """
    finite = np.isfinite(values)
    group, y, sigma = group[finite], values[finite].astype(np.float64), std[finite].astype(np.float64)
    count = np.bincount(group, minlength=groups)
    has_std = np.bincount(group[sigma > 0], minlength=groups) == count
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(has_std[group], 1 / np.square(sigma), 1.0)
        total = np.bincount(group, weight, minlength=groups)
        # Relative to the unweighted mean, so that equal values give exactly that value, also with large weights.
        unweighted = np.bincount(group, y, minlength=groups) / count
        mean = unweighted + np.bincount(group, weight * (y - unweighted[group]), minlength=groups) / total
        mean_std = np.where(has_std, total**-0.5, np.nan)
    single = count[group] == 1
    mean_std[group[single]] = sigma[single]
    return np.where(count > 0, mean, np.nan), np.where(count > 0, mean_std, np.nan)


def merge_replicates(table: GenotypeTable) -> GenotypeTable:
    """Merge rows of one source with the same genes and kinds of allele into one, at the position of the first.

    Fitness and interaction are `weighted_means`, the p-value is the largest one. Merged rows of different query
    strains, such as reciprocal pairs, have no query.
    """
    typed = table.genes.astype(np.int64) * _KINDS + table.alleles
    keys = dataclasses.replace(table, genes=typed).genotype_keys() * (int(table.source.max(initial=0)) + 1)
    _, first_rows, group = np.unique(keys + table.source, return_index=True, return_inverse=True)
    groups = len(first_rows)
    fitness, fitness_std = weighted_means(table.labels[:, _FITNESS], table.labels[:, _FITNESS_STD], group, groups)
    score, score_std = weighted_means(table.labels[:, _SCORE], table.interaction_std, group, groups)
    p = np.full(groups, -np.inf)
    np.fmax.at(p, group, table.labels[:, _P].astype(np.float64))
    labels = np.stack([fitness, fitness_std, score, np.where(np.isfinite(p), p, np.nan)], axis=1).astype(np.float32)
    query = table.query[first_rows].copy()
    query[group[table.query != query[group]]] = 0
    rank = np.argsort(first_rows)
    table_of_first = table.take(first_rows[rank])
    std = score_std[rank].astype(np.float32)
    return dataclasses.replace(table_of_first, labels=labels[rank], interaction_std=std, query=query[rank])


def impute_labels(
    table: GenotypeTable, expected: NDArray[np.float32], is_repeated: NDArray[np.bool_], num_genes: int
) -> tuple[GenotypeTable, dict[str, NDArray[np.bool_]]]:
    r"""Compute a missing fitness of a pair from its interaction, or a missing interaction from its fitness.

    .. math:: f_{ij} = \epsilon_{ij} + f_i f_j, \qquad \epsilon_{ij} = f_{ij} - f_i f_j

    The single-mutant fitness values come from the row of the pair or, if it has none, from the single mutants of the
    table: the means over rows with only this gene and kind of allele. Pairs without both values do not change. Rows
    that name a gene twice are ignored: a cross of two strains of one gene is measured as a double mutant, not as a
    single mutant.

    Parameters
    ----------
    expected : (n,) float32
        `f_i f_j` from the row of the pair, NaN if it has none.
    is_repeated : (n,) bool
        Rows for which the file names a gene more than once.
    num_genes : int
        Number of genes of the cell.

    Returns
    -------
    table : GenotypeTable
    imputed : dict of str to (n,) bool
        Rows with a computed fitness, and rows with a computed interaction.
    """
    singles = np.flatnonzero((table.orders == 1) & ~is_repeated)
    single_starts = table.ptr[singles]
    group = table.genes[single_starts].astype(np.int64) * _KINDS + table.alleles[single_starts]
    values, std = table.labels[singles, _FITNESS], table.labels[singles, _FITNESS_STD]
    single, _ = weighted_means(values, std, group, num_genes * _KINDS)
    pairs = np.flatnonzero((table.orders == 2) & ~is_repeated)
    pair_starts = table.ptr[pairs]
    i, j = (table.genes[pair_starts + k].astype(np.int64) * _KINDS + table.alleles[pair_starts + k] for k in (0, 1))
    product = expected[pairs].astype(np.float64)
    product = np.where(np.isfinite(product), product, single[i] * single[j])
    labels = table.labels.copy()
    fitness, score = (labels[pairs, column].astype(np.float64) for column in (_FITNESS, _SCORE))
    imputed = {}
    for column, item, value in (
        (_FITNESS, "fitness derived from interaction", score + product),
        (_SCORE, "interaction derived from fitness", fitness - product),
    ):
        is_imputed = np.isnan(labels[pairs, column]) & np.isfinite(value)
        rows = pairs[is_imputed]
        labels[rows, column] = value[is_imputed]
        imputed[item] = np.zeros(len(table), dtype=np.bool_)
        imputed[item][rows] = True
    return dataclasses.replace(table, labels=labels), imputed
