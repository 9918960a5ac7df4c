"""The layouts of published yeast screens: width, words of the header, columns of strains and numbers.

Costanzo et al. 2010, doi:10.1126/science.1180823; Costanzo et al. 2016, doi:10.1126/science.aaf1420; Kuzmin et al. 2018
and 2020, doi:10.1126/science.aao1729, doi:10.1126/science.aaz5667; SGA score output, github.com/csbio/SGA_Public.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dglcell import schema

# Contents of number columns other than the labels.
QUERY_FITNESS: Final = "query fitness"
ARRAY_FITNESS: Final = "array fitness"
EXPECTED_FITNESS: Final = "expected fitness"
COOL_FITNESS: Final = "fitness at 26 degrees"
COOL_STD: Final = "fitness_std at 26 degrees"

FITNESS, FITNESS_STD = schema.FITNESS, schema.FITNESS_STD
SCORE, SCORE_P, SCORE_STD = schema.INTERACTION, schema.INTERACTION_P, schema.INTERACTION_STD


@dataclass(frozen=True)
class ScreenLayout:
    """One published layout.

    Attributes
    ----------
    name : str
        Name in reports and stored screens.
    expected : str
        Description in error messages.
    width : int
        Number of columns.
    strains : tuple of int
        Columns of strain ids or genes.
    numbers : mapping of str to int
        Content to column.
    header : mapping of int to str
        Column to the start of its name, in lower-case letters and digits only. Empty for a layout that is recognized by
        its numbers, with or without a header.
    alleles : tuple of int
        For each strain column, the column of allele names; -1 if there is none or it is not needed.
    adjusted : bool
        Whether a trigenic score is tau, the trigenic interaction. Otherwise it is the raw score `f_ijk - f_ij f_k`,
        which still contains the interactions of the pairs.
    query : bool
        Whether the strain columns are the two genes of one double-mutant query. HO is then the control locus, and an
        empty cell means no gene.
    """

    name: str
    expected: str
    width: int
    strains: tuple[int, ...]
    numbers: Mapping[str, int]
    header: Mapping[int, str] = field(default_factory=dict)
    alleles: tuple[int, ...] = ()
    adjusted: bool = False
    query: bool = False


_PAIR_OF_STRAINS = {0: "querystrain", 2: "arraystrain"}

PUBLISHED: Final = (
    ScreenLayout(
        "Costanzo 2010, 7 columns",
        "Costanzo 2010 (7 tab-separated columns: query ORF, name, array ORF, name, epsilon, sd, p; or 13)",
        7,
        (0, 2),
        {SCORE: 4, SCORE_STD: 5, SCORE_P: 6},
    ),
    ScreenLayout(
        "Costanzo 2010, 13 columns",
        "",
        13,
        (0, 2),
        {SCORE: 4, SCORE_STD: 5, SCORE_P: 6, QUERY_FITNESS: 7, ARRAY_FITNESS: 9, FITNESS: 11, FITNESS_STD: 12},
    ),
    ScreenLayout(
        "Costanzo 2016, 11 columns",
        "Costanzo 2016 (11 columns with a header)",
        11,
        (0, 2),
        {SCORE: 5, SCORE_P: 6, QUERY_FITNESS: 7, ARRAY_FITNESS: 8, FITNESS: 9, FITNESS_STD: 10},
        {**_PAIR_OF_STRAINS, 4: "arraytype"},
    ),
    # epsilon = observed - expected; the e-score and its sd are colony sizes, and the sd of the observed fitness is the
    # same sd in units of fitness.
    ScreenLayout(
        "SGA score output, 12 columns",
        "SGA score output (12 columns)",
        12,
        (0, 1),
        {SCORE_P: 4, EXPECTED_FITNESS: 9, FITNESS: 10, FITNESS_STD: 11},
    ),
    ScreenLayout(
        "Kuzmin, 12 columns",
        "Kuzmin 2018 or 2020 (12 columns with a header)",
        12,
        (0, 2),
        {SCORE: 6, SCORE_P: 7, QUERY_FITNESS: 8, ARRAY_FITNESS: 9, FITNESS: 10, FITNESS_STD: 11},
        {**_PAIR_OF_STRAINS, 4: "combinedmutanttype"},
        alleles=(1, -1),
        adjusted=True,
    ),
    ScreenLayout(
        "trigenic score output, 6 columns",
        "trigenic score output (6 columns with a header)",
        6,
        (0, 1),
        {SCORE: 2, SCORE_P: 3, FITNESS: 4, FITNESS_STD: 5},
        {0: "querystrain", 1: "arraystrain"},
    ),
    ScreenLayout(
        "query fitness, 10 columns",
        "Kuzmin 2020 query fitness (10 columns with a header)",
        10,
        (1, 2),
        {FITNESS: 8, FITNESS_STD: 9},
        {0: "querystrain", 1: "orf1", 2: "orf2"},
        alleles=(5, 6),
        query=True,
    ),
    ScreenLayout(
        "single-mutant fitness, 7 columns",
        "a table of single-mutant fitness (7 columns with a header)",
        7,
        (0,),
        {COOL_FITNESS: 3, COOL_STD: 4, FITNESS: 5, FITNESS_STD: 6},
        {0: "strainid", 1: "systematic"},
    ),
)
