"""Names of node types, relations, labels and file formats that several modules share, with the shapes of the data."""

from __future__ import annotations

from typing import Final

# Node types. A node's row is its index in the sorted ids of its type, `cell.ids[type]`.
GENE: Final = "gene"  # (N_g,)
REACTION: Final = "reaction"  # (N_r,) one node per alternative (isozyme) and direction
METABOLITE: Final = "metabolite"  # (N_m,)
NODE_TYPES: Final = (GENE, REACTION, METABOLITE)

# Relations. The middle name of a DGL canonical edge type; unique in a cell graph, so it is the key everywhere.
PHYSICAL: Final = "physical_interaction"  # gene -> gene, undirected: both ways
REGULATORY: Final = "regulatory_interaction"  # gene -> gene, transcription factor -> target
GPR: Final = "gpr"  # gene -> reaction
CATALYSED_BY: Final = "catalysed_by"  # reaction -> gene; edge k is edge k of GPR, reversed
IN: Final = "in"  # metabolite -> reaction
OF: Final = "of"  # reaction -> metabolite; edge k is edge k of IN, reversed
ENDS: Final = {
    GPR: (GENE, REACTION),
    CATALYSED_BY: (REACTION, GENE),
    IN: (METABOLITE, REACTION),
    OF: (REACTION, METABOLITE),
}
METABOLIC: Final = "metabolic"  # network of genes whose reactions share a metabolite; not a relation of the graph
SIMILARITY: Final = "similarity"  # network learned from training rows; not a relation of the graph
REVERSE: Final = {CATALYSED_BY: GPR, OF: IN}

# Edge data.
STOICHIOMETRY: Final = "stoichiometry"  # (E,) float32, < 0 consumed, > 0 produced
SIGN: Final = "sign"  # (E,) float32, +1 activates, -1 represses, 0 unknown
CONFIDENCE: Final = "confidence"  # (E,) float32 in [0, 1]; 0.5 for an edge of a source without scores

# Node data of genes, present when the cell has features.
FEATURES: Final = "x"  # (N_g, d) float32, 0 for a gene without features
HAS_FEATURES: Final = "has_x"  # (N_g,) bool

# Additional node types of the graph of one genotype: its deleted genes, and one node that holds its labels.
DELETED: Final = "deleted_gene"  # (K,)
GENOTYPE: Final = "genotype"  # (1,)
DELETED_IN: Final = "deleted_in"  # deleted gene -> genotype
LABEL_DATA: Final = "labels"  # (1, 4) float32, columns LABEL_COLUMNS

# Labels of a genotype; the model predicts LABELS.
FITNESS: Final = "fitness"
FITNESS_STD: Final = "fitness_std"
INTERACTION: Final = "gene_interaction"
INTERACTION_P: Final = "gene_interaction_p_value"
LABELS: Final = (FITNESS, INTERACTION)  # predictions: (B, 2)
LABEL_COLUMNS: Final = (FITNESS, FITNESS_STD, INTERACTION, INTERACTION_P)  # table: (n, 4)
# Standard deviation of the interaction, (n,) float32: an optional column of a file, stored beside the labels.
INTERACTION_STD: Final = "gene_interaction_std"
MIN_ORDER: Final = {FITNESS: 0, INTERACTION: 2}  # an interaction is undefined below two deletions

# Kinds of mutated allele; a genotype table stores the index, (K,) int8. `other` are suppressors and point mutations of
# unknown effect. In the graph, a gene with any of them is deleted.
ALLELES: Final = ("deletion", "ts", "damp", "other")
DELETION: Final = 0

# Kinds of split, the setting `split`.
RANDOM: Final = "random"
KFOLD: Final = "kfold"
UNSEEN_GENE: Final = "unseen-gene"
UNSEEN_ALL: Final = "unseen-all"
QUERY_PAIR: Final = "query-pair"
SPLIT_FILE: Final = "file"
SPLITS: Final = (RANDOM, KFOLD, UNSEEN_GENE, UNSEEN_ALL, QUERY_PAIR, SPLIT_FILE)

SUBSETS: Final = ("train", "val", "test")  # of a screen, that a split makes

VARIANTS: Final = ("two-head", "difference", "local", "both")
ENGINES: Final = ("auto", "dgl", "torch", "fused")

# File formats (HDF5 root attribute `format`) and their versions; files of other versions are refused.
CELL_FORMAT: Final = "dglcell-cell"
CELL_TITLE: Final = "cell graph from `dglcell preprocess`"  # in messages
CELL_VERSION: Final = 2
RUN_VERSION: Final = 2
