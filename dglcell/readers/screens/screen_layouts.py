"""The layouts of screens, the most specific ones first. A new layout is one more entry of `LAYOUTS`.

Columns are recognized by name and may stand in any order, beside others that are not read. Files without a header are
recognized by the position of their columns and the kind of their cells.

Roles: `genes` (several genes in a cell) or `gene_1`, `gene_2`, ..; `strain_1`, `strain_2` (strain ids) with `allele_1`,
`allele_2`; the labels (`schema.LABEL_COLUMNS`, `gene_interaction_std`); and the fitness of single mutants, from which
labels are derived. `marker` is a column that only tells a layout from others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dglcell import schema
from dglcell.errors import setting
from dglcell.readers.tables.layout import NUMBER, TEXT, Layout

GENES: Final = "genes"
MARKER: Final = "marker"
FITNESS, FITNESS_STD = schema.FITNESS, schema.FITNESS_STD
SCORE, SCORE_P, SCORE_STD = schema.INTERACTION, schema.INTERACTION_P, schema.INTERACTION_STD
QUERY_FITNESS, ARRAY_FITNESS, EXPECTED_FITNESS = "query_fitness", "array_fitness", "expected_fitness"
COOL_FITNESS, COOL_STD = "fitness_at_26", "fitness_std_at_26"
NUMBERS: Final = (
    *schema.LABEL_COLUMNS,
    SCORE_STD,
    QUERY_FITNESS,
    ARRAY_FITNESS,
    EXPECTED_FITNESS,
    COOL_FITNESS,
    COOL_STD,
)

# Queries: which genes of a row belong to its query strain.
NO_QUERY, FIRST_STRAIN, ALL_STRAINS = "none", "first strain", "all strains"


@dataclass(frozen=True, kw_only=True)
class ScreenLayout(Layout):
    """One layout of a screen.

    Attributes
    ----------
    adjusted : bool
        Whether a trigenic score is tau, the trigenic interaction. Otherwise it is the raw score `f_ijk - f_ij f_k`,
        which still contains the interactions of the pairs. In a genotype table it is what its maker says.
    query : str
        `first strain` (strain 2 is from the array), `all strains` (the strain columns are the two genes of one
        double-mutant query; HO is then the control locus, and an empty cell means no gene), or `none`.
    counted : bool
        Whether each row begins with its number of genes, so that its number of columns varies.
    ignored : str
        Regular expression for the normalized names of columns that look like labels and are left out on purpose.
    """

    adjusted: bool = False
    query: str = NO_QUERY
    counted: bool = False
    ignored: str = ""


# Names of columns, as normalized by `layout.normalize`.
_SD = "(?:standarddeviation|stddev|stdev|std|sd)"
_MUTANT = "(?:single|double|triple|doubletriple|combined|observeddouble)?mutant"
_FITNESS = rf"fitness(?:(?:at)?[23]\dc?)?|{_MUTANT}fitness(?:dmf|tmf)?|dmf|tmf|observeddmf"
_FITNESS_SD = f"(?:{_FITNESS}){_SD}"
_SCORE = "gen(?:etic|e)interactionscore.*|gen(?:etic|e)interaction|epsilon|eps|giscore"
_SCORE_SD = f"(?:gen(?:etic|e)interaction(?:score)?|epsilon|eps|giscore){_SD}"
_ADJUSTED = "adjustedgeneticinteractionscore.*"
_P = "pvalue|pval|p|(?:gen(?:etic|e)interaction|epsilon|eps)(?:score)?p(?:value|val)?"
_SINGLE = "(?:singlemutantfitness|smf|fitness)(?:smf)?"
_QUERY_FITNESS = f"query(?:singledoublemutantfitness|{_SINGLE})"
_ARRAY_FITNESS = f"array{_SINGLE}"
_QUERY = "querystrain(?:id)? > queryorf(?:name)? > query(?:gene)?(?:id|name|symbol)?"
_ARRAY = "arraystrain(?:id)? > arrayorf(?:name)? > array(?:gene)?(?:id|name|symbol)?"
_PAIR_FITNESS = {QUERY_FITNESS: _QUERY_FITNESS, ARRAY_FITNESS: _ARRAY_FITNESS}
_ONE_GENE = "strain(?:id)? > orf > systematic(?:gene)?name > locus(?:tag)? > gene(?:id)? > genename"
_GENES = f"genes > gene > genotypes? > (?:deleted|mutated|knockout|ko)genes? > perturbations? > {_ONE_GENE}"
_GENE_NUMBER = (
    r"gene(\d+|[a-h]) > "
    r"(?:gene|orf|strain|mutant|locus|deletion|knockout|ko|perturbation)(?:id|name|symbol)?(\d+|[a-h])"
)
_NOT_READ = f"raw.*|interactiontype.*|(?:query|array).*{_SD}"
_STRAINS_TEXT = {"strain_1": TEXT, "strain_2": TEXT}

COSTANZO_2010: Final = "Costanzo et al. 2010, doi:10.1126/science.1180823"
COSTANZO_2016: Final = "Costanzo et al. 2016, doi:10.1126/science.aaf1420"
KUZMIN: Final = "Kuzmin et al. 2018 and 2020, doi:10.1126/science.aao1729, doi:10.1126/science.aaz5667"
SGA_PIPELINE: Final = "SGA score pipeline, github.com/csbio/SGA_Public"


LAYOUTS: Final = (
    ScreenLayout(
        name="Costanzo 2016",
        reads="epsilon, p-value, double-mutant fitness with its sd; single-mutant fitness for derived labels",
        example="Query Strain ID\tQuery allele name\tArray Strain ID\tArray allele name\tArraytype/Temp\t"
        "Genetic interaction score (ε)\tP-value\tQuery single mutant fitness (SMF)\tArray SMF\tDouble mutant fitness\t"
        "Double mutant fitness standard deviation\n"
        "YAL001C_tsq508\ttfc3-g349e\tYBL026W_tsa1065\tlsm2-5\tTSA30\t-0.0348\t5.019e-03\t0.8285\t0.9254\t0.7319\t0.0102\n"
        "YAL002W_sn8\tvps8\tYBL007C_dma91\tsla1\tDMA26\t0.0100\tNaN\t0.9\t0.8\t0.73\t0.01\n",
        columns={
            "strain_1": _QUERY,
            "strain_2": _ARRAY,
            MARKER: "arraytype.*",
            SCORE: _SCORE,
            SCORE_P: _P,
            **_PAIR_FITNESS,
            FITNESS: _FITNESS,
            FITNESS_STD: f"{_FITNESS_SD} > {_SD}",
        },
        optional=(SCORE, SCORE_P, QUERY_FITNESS, ARRAY_FITNESS, FITNESS, FITNESS_STD),
        query=FIRST_STRAIN,
        ignored=_NOT_READ,
        source=COSTANZO_2016,
    ),
    ScreenLayout(
        name="Kuzmin",
        reads="the adjusted score (epsilon of a pair, tau of a triple), never the raw one; p-value; fitness with its "
        "sd where the file has it",
        example="Query strain ID\tQuery allele name\tArray strain ID\tArray allele name\tCombined mutant type\t"
        "Raw genetic interaction score (ε)\tAdjusted genetic interaction score (ε or τ)\tP-value\t"
        "Query single/double mutant fitness\tArray single mutant fitness\tDouble/triple mutant fitness\t"
        "Double/triple mutant fitness standard deviation\n"
        "YAL015C+YDL227C_tm461\tntg1Δ+hoΔ\tYBL007C_dma91\tsla1Δ\tdigenic\t0.0167\t0.0168\t0.36\t0.9\t0.8\t0.7367\t0.02\n"
        "YAL015C+YOL043C_tm72\tntg1Δ+ntg2-5\tYBL026W_tsa91\tlsm2-5\ttrigenic\t-0.3\t-0.1\t0.02\t0.9\t0.8\t0.62\t0.03\n",
        columns={
            "strain_1": _QUERY,
            "strain_2": _ARRAY,
            "allele_1": "queryallele(?:name)?",
            MARKER: "combinedmutanttype",
            SCORE: _ADJUSTED,
            SCORE_P: _P,
            **_PAIR_FITNESS,
            FITNESS: _FITNESS,
            FITNESS_STD: _FITNESS_SD,
        },
        optional=("allele_1", SCORE_P, QUERY_FITNESS, ARRAY_FITNESS, FITNESS, FITNESS_STD),
        adjusted=True,
        query=FIRST_STRAIN,
        ignored=_NOT_READ,
        source=KUZMIN,
    ),
    ScreenLayout(
        name="trigenic score output",
        reads="fitness with its sd; score and p-value of pairs only, as the score of a triple is not adjusted for its "
        f"pairs ({setting('raw_scores')} uses it)",
        example="Query Strain ID\tArray Strain ID\tAdjusted genetic interaction score (epsilon or tau)\tP-value\t"
        "Double/triple mutant fitness\tDouble/triple mutant fitness standard deviation\n"
        "YAL015C+YDL227C_tm461\tYBL007C_dma91\t0.0167\t3.666e-01\t0.9787\t0.0240\n"
        "YAL015C+YOL043C_tm72\tYBL008W_dma90\t-0.2000\t1.000e-03\t0.5000\t0.0200\n",
        columns={
            "strain_1": _QUERY,
            "strain_2": _ARRAY,
            SCORE: _ADJUSTED,
            SCORE_P: _P,
            FITNESS: _FITNESS,
            FITNESS_STD: _FITNESS_SD,
        },
        optional=(SCORE_P, FITNESS, FITNESS_STD),
        query=FIRST_STRAIN,
        ignored=_NOT_READ,
        source=f"{SGA_PIPELINE}, for triples",
    ),
    ScreenLayout(
        name="query fitness",
        reads="fitness with its sd of single and double mutants; kinds of allele from the names of the alleles",
        example="Query Strain ID\tORF1\tORF2\tGene1\tGene2\tAllele1\tAllele2\tMutant type\tFitness\tSt.dev.\n"
        "tm10\tYAL015C\tYDL227C\tNTG1\tHO\tntg1Δ\thoΔ\tSingle mutant\t0.95\t0.01\n"
        "tm11\tYAL015C\tYAL041W\tNTG1\tCDC24\tntg1Δ\tcdc24-5\tDouble mutant\t0.7\t0.02\n",
        columns={
            MARKER: "querystrain(?:id)?",
            "strain_*": r"orf(\d)",
            "allele_*": r"allele(?:name)?(\d)",
            FITNESS: _FITNESS,
            FITNESS_STD: f"{_FITNESS_SD} > {_SD}",
        },
        optional=("allele_*", FITNESS_STD),
        query=ALL_STRAINS,
        source=KUZMIN,
    ),
    ScreenLayout(
        name="single-mutant fitness",
        reads="fitness with its sd at 30 degrees, or at 26 degrees where it was not measured at 30",
        example="Strain ID\tSystematic gene name\tAllele/Gene name\tSingle mutant fitness (26°)\t"
        "Single mutant fitness (26°) stddev\tSingle mutant fitness (30°)\tSingle mutant fitness (30°) stddev\n"
        "YAL001C_tsa508\tYAL001C\ttfc3-g349e\t0.8658\t0.1789\t0.8285\t0.1964\n"
        "YAL041W_tsa1\tYAL041W\tcdc24-1\t0.7\t0.1\tNaN\tNaN\n",
        columns={
            "strain_1": _ONE_GENE,
            COOL_FITNESS: f"{_SINGLE}26c?",
            COOL_STD: f"{_SINGLE}26c?{_SD}",
            FITNESS: f"{_SINGLE}30c?",
            FITNESS_STD: f"{_SINGLE}30c?{_SD}",
        },
        optional=(COOL_STD, FITNESS_STD),
        source=COSTANZO_2016,
    ),
    ScreenLayout(
        name="SGA score output",
        reads="epsilon = observed - expected fitness, with the sd of the observed fitness (the e-score and its sd are "
        "colony sizes); p-value; double-mutant fitness",
        example="Query ORF\tArray ORF\te_score\te_score (std)\tP-value\tQuery SMF\tQuery SMF (std)\tArray SMF\t"
        "Array SMF (std)\tExpected DMF\tObserved DMF\tObserved DMF (std)\n"
        "YAL015C+YDL227C_tm461\tYDR006C_dma836\t1.28\t14.6\t0.475\tNaN\tNaN\t0.856\t0.004\t0.856\t0.8585\t0.0286\n",
        columns={
            "strain_1": _QUERY,
            "strain_2": _ARRAY,
            SCORE_P: _P,
            EXPECTED_FITNESS: f"expected(?:dmf|{_MUTANT}fitness|fitness)",
            FITNESS: f"observed(?:dmf|{_MUTANT}fitness|fitness) > {_FITNESS}",
            FITNESS_STD: f"observed(?:dmf|{_MUTANT}fitness|fitness){_SD} > {_FITNESS_SD}",
        },
        optional=(SCORE_P, FITNESS_STD),
        query=FIRST_STRAIN,
        ignored=f"escore.*|{_NOT_READ}|(?:query|array)smf",
        source=SGA_PIPELINE,
    ),
    ScreenLayout(
        name="query and array strains",
        reads="epsilon with its sd, p-value and fitness of the double mutant with its sd, where the file has them; "
        "single-mutant fitness for derived labels",
        example="Query ORF,Query gene name,Array ORF,Array gene name,Genetic interaction score (eps),"
        "Standard deviation,p-value\n"
        "YAL001C,TFC3,YBR123C,TFC1,-0.12,0.03,0.001\n",
        columns={
            "strain_1": _QUERY,
            "strain_2": _ARRAY,
            "allele_1": "queryallele(?:name)?",
            SCORE: _SCORE,
            SCORE_STD: f"{_SCORE_SD} > {_SD}",
            SCORE_P: _P,
            **_PAIR_FITNESS,
            FITNESS: _FITNESS,
            FITNESS_STD: _FITNESS_SD,
        },
        optional=("allele_1", SCORE, SCORE_STD, SCORE_P, QUERY_FITNESS, ARRAY_FITNESS, FITNESS, FITNESS_STD),
        query=FIRST_STRAIN,
        ignored=_NOT_READ,
        source=f"{COSTANZO_2010}; {KUZMIN}; {SGA_PIPELINE}",
    ),
    ScreenLayout(
        name="single mutants",
        reads="fitness of single mutants with its sd",
        example="Strain ID,Gene,SMF,sd\nYAL001C_damp174,TFC3,0.9395,0.0988\nYAL002W_dma12,VPS8,1.0020,0.0070\n",
        columns={
            "strain_1": _ONE_GENE,
            FITNESS: rf"fitness > {_SINGLE} > {_SINGLE}(?:at)?[23]\dc?",
            FITNESS_STD: f"fitness{_SD} > {_SINGLE}{_SD} > {_SD}",
        },
        optional=(FITNESS_STD,),
        source="tables of single-mutant fitness",
    ),
    ScreenLayout(
        name="genotype table",
        reads="the genes of each row (joined by ; or another separator) and their labels",
        example="genes\tfitness\tgene_interaction\nb0118\t1\t\nb0118;b1276\t0\t-1\n",
        columns={
            GENES: _GENES,
            "gene_*": r"gene(\d+)",
            FITNESS: _FITNESS,
            FITNESS_STD: _FITNESS_SD,
            SCORE: _SCORE,
            SCORE_P: "gen(?:etic|e)interactionp(?:value)?",
            SCORE_STD: _SCORE_SD,
        },
        optional=("gene_*", FITNESS, FITNESS_STD, SCORE, SCORE_P, SCORE_STD),
        adjusted=True,
        ignored="pred.*",
        source="dglcell simulate and predict, or made by hand",
    ),
    ScreenLayout(
        name="genotype table",
        reads="the genes of each row, one in a column, and their labels",
        example="gene_1,gene_2,fitness\nTFC3,TFC1,0.81\nTFC3,,0.9\n",
        columns={
            "gene_*": _GENE_NUMBER,
            FITNESS: _FITNESS,
            FITNESS_STD: _FITNESS_SD,
            SCORE: _SCORE,
            SCORE_P: "gen(?:etic|e)interactionp(?:value)?",
            SCORE_STD: _SCORE_SD,
        },
        optional=(FITNESS, FITNESS_STD, SCORE, SCORE_P, SCORE_STD),
        adjusted=True,
        ignored="pred.*",
        source="dglcell simulate and predict, or made by hand",
    ),
    ScreenLayout(
        name="Costanzo 2010, 7 columns",
        reads="epsilon, its sd, p-value",
        example="YAL063C\tFLO9\tYBR266C\tSLM6\t-0.1071\t0.0184\t1.8780e-05\n"
        "YAL041W_tsq532\tCDC24\tYCR009C\tRVS161\t0.2\tNaN\t0.01\n",
        positions={"strain_1": 0, "strain_2": 2, SCORE: 4, SCORE_STD: 5, SCORE_P: 6},
        cells={**_STRAINS_TEXT, **dict.fromkeys((SCORE, SCORE_STD, SCORE_P), NUMBER)},
        widths=(7,),
        query=FIRST_STRAIN,
        source=COSTANZO_2010,
    ),
    ScreenLayout(
        name="SGA release, 9 columns",
        reads="epsilon and p-value; double-mutant fitness (column 8); the sd (column 6), which is that of the "
        "double-mutant fitness, for both; not whether a pair passes the intermediate cutoff (column 9)",
        example="YAL001C\tTFC3\tYBR123C\tTFC1\t-0.120000\t0.030000\t1.000000e-03\t0.810000\tTRUE\n"
        "YER095W\tRAD51\tYGL163C\tRAD54\t0.010000\t0.020000\t5.000000e-01\t0.900000\tFALSE\n",
        positions={
            "strain_1": 0,
            "strain_2": 2,
            SCORE: 4,
            SCORE_STD: 5,
            FITNESS_STD: 5,
            SCORE_P: 6,
            FITNESS: 7,
            MARKER: 8,
        },
        cells={
            **_STRAINS_TEXT,
            **dict.fromkeys((SCORE, SCORE_STD, SCORE_P, FITNESS), NUMBER),
            MARKER: "(?i:true|false)|[01]",
        },
        widths=(9,),
        query=FIRST_STRAIN,
        source=SGA_PIPELINE,
    ),
    ScreenLayout(
        name="Costanzo 2010, 13 columns",
        reads="epsilon, its sd, p-value, double-mutant fitness with its sd; single-mutant fitness for derived labels",
        example="YAL002W\tVPS8\tYBR111W-A\tSUS1\t-0.1\t0.02\t0.001\t0.9\t0.01\t0.5\t0.02\t0.35\t0.03\n",
        positions={
            "strain_1": 0,
            "strain_2": 2,
            SCORE: 4,
            SCORE_STD: 5,
            SCORE_P: 6,
            QUERY_FITNESS: 7,
            ARRAY_FITNESS: 9,
            FITNESS: 11,
            FITNESS_STD: 12,
        },
        cells={
            **_STRAINS_TEXT,
            **dict.fromkeys((SCORE, SCORE_STD, SCORE_P, QUERY_FITNESS, ARRAY_FITNESS, FITNESS, FITNESS_STD), NUMBER),
        },
        widths=(13,),
        query=FIRST_STRAIN,
        source=COSTANZO_2010,
    ),
    ScreenLayout(
        name="SGA score output, 12 columns",
        reads="as SGA score output with a header",
        example="YAL015C+YDL227C_tm461\tYDR006C_dma836\t1.28\t14.6\t0.475\tNaN\tNaN\t0.856\t0.004\t0.856\t0.8585\t0.0286\n"
        "YAL015C+YOL043C_tm72\tYDR006C_dma836\t-60\t14.6\t0.01\tNaN\tNaN\t0.856\t0.004\t0.8\t0.7\t0.03\n",
        positions={"strain_1": 0, "strain_2": 1, SCORE_P: 4, EXPECTED_FITNESS: 9, FITNESS: 10, FITNESS_STD: 11},
        cells={**_STRAINS_TEXT, **dict.fromkeys((SCORE_P, EXPECTED_FITNESS, FITNESS, FITNESS_STD), NUMBER)},
        widths=(12,),
        query=FIRST_STRAIN,
        source=SGA_PIPELINE,
    ),
    ScreenLayout(
        name="single mutants, 3 columns",
        reads="strain, its fitness and the sd of the fitness",
        example="YAL001C_damp174\t0.9395\t0.0988\nYAL002W_damp3161\t1.0020\t0.0070\nYAL005C_damp3162\tNaN\tNaN\n",
        positions={"strain_1": 0, FITNESS: 1, FITNESS_STD: 2},
        cells={"strain_1": TEXT, FITNESS: NUMBER, FITNESS_STD: NUMBER},
        widths=(3,),
        source=SGA_PIPELINE,
    ),
    ScreenLayout(
        name="DCell",
        reads="epsilon of the genes of a row, which begins with their number",
        example="2 YDR363W-A YGL087C 0.0526\n2 YLR135W YOR005C 0.031\n",
        positions={"count": 0, "gene_1": 1},
        cells={"count": "[1-9]", "gene_1": TEXT},
        widths=tuple(range(3, 12)),
        counted=True,
        source="Ma et al. 2018, doi:10.1038/nmeth.4627",
    ),
)

LISTS: Final = (  # of genotypes to predict, which need no labels
    ScreenLayout(
        name="list of pairs",
        reads="two genes on each line, of which the second may be blank",
        example="YAL001C\tYBR123C\nYER095W\t\n",
        positions={"gene_1": 0, "gene_2": 1},
        cells={"gene_1": TEXT, "gene_2": r"(?![+-]?[.\d]+$).*"},
        widths=(2,),
        pads=True,
    ),
    ScreenLayout(
        name="list of genotypes",
        reads="one genotype on each line: its genes, joined by ;",
        example="YAL001C\nYBR123C;YER095W\n",
        positions={GENES: 0},
        cells={GENES: r"(?![+-]?[.\d]+$)(?!.*[,;|\s][+-]?\d*\.\d).+"},  # no fraction, which would be a label
        widths=(1,),
    ),
)

CUSTOM: Final = ScreenLayout(
    name="named columns",
    reads="the columns that are named: genes (joined by ;), or gene_1, gene_2, .., or strain_1 (the query) and "
    "strain_2 (from the array); and their labels",
    example="",
    columns=dict.fromkeys((GENES, "gene_*", "strain_*", *schema.LABEL_COLUMNS, SCORE_STD), ""),
    adjusted=True,
    ignored=".*",
    query=FIRST_STRAIN,
)
