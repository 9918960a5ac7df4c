"""Records of source files -> CellGraph, with a report of what was used and left out.

The result does not depend on the sequence of rows in the files: nodes are sorted by id, and edges by their ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.config import BuildConfig
from dglcell.errors import DataError, ErrorCollector, UsageError, number_of, setting, warn
from dglcell.graph import reactions
from dglcell.graph.cell import CellGraph
from dglcell.graph.gene_relations import degree_features, gene_relation
from dglcell.graph.relation import Relation
from dglcell.readers.edge_table import EdgeTable
from dglcell.readers.gene_list import GeneList
from dglcell.readers.gpr import DEFAULT_LIMIT
from dglcell.readers.left_out import EXAMPLES, LeftOut, examples

if TYPE_CHECKING:
    from dglcell.readers.features import FeatureTable
    from dglcell.readers.metabolic_model import MetabolicModel

DIRECTED = ":directed"
UNKNOWN_ROWS = "rows of genes outside the gene list, left out"
ADDED_GENES = "added from the metabolic model"
_RESERVED = frozenset(
    (
        *(schema.PHYSICAL, schema.REGULATORY, *schema.ENDS, schema.METABOLIC, schema.SIMILARITY),
        *(schema.DELETED_IN, *schema.NODE_TYPES, schema.GENOTYPE),
    )
)


def build(
    model: MetabolicModel | None = None,
    genes: GeneList | None = None,
    physical: Sequence[EdgeTable] = (),
    regulatory: Sequence[EdgeTable] = (),
    relations: Mapping[str, Sequence[EdgeTable]] | None = None,
    features: FeatureTable | None = None,
    features_mode: str = "concat",
    degrees: bool = False,
    keep_unassigned: bool = False,
    max_alternatives: int = DEFAULT_LIMIT,
    self_loops: bool = True,
    allow_empty: bool = False,
) -> CellGraph:
    """Build the cell graph.

    Parameters
    ----------
    model : MetabolicModel, optional
        Without one, the cell has no reactions and no metabolites.
    genes : GeneList, optional
        Without one, the genes of the model.
    physical, regulatory : sequences of EdgeTable
        The union of the tables becomes a relation; without tables it is empty, apart from loops.
    relations : mapping, optional
        Further gene-gene relations by name; undirected, unless the name is `NAME:directed`.
    features : FeatureTable, optional
        Gene features; `cell.has_features` says which genes have them.
    features_mode : str
        `concat` or `replace`: how a model uses the features, beside or instead of its embeddings.
    degrees : bool
        Add the degrees of each gene (`gene_relations.degree_features`) to its features. A gene without features then
        has the mean features of the other genes.
    keep_unassigned : bool
        Keep reactions without a gene rule.
    max_alternatives : int
        Largest number of isozyme alternatives of one reaction.
    self_loops : bool
        Add one loop per gene to every gene-gene relation.
    allow_empty : bool
        Accept an input of which nothing is left, with a warning.

    Raises
    ------
    UsageError
        There is neither a model nor a gene list, or the name of a further relation is already in use.
    DataError
        Nothing is left of a model, a network or the features, as their genes are not those of the cell; or
        A name is ambiguous, a gene rule has too many alternatives, or a gene has two rows of features.

    Examples
    --------
    >>> genes = GeneList(("A", "B", "C"))
    >>> build(genes=genes, physical=[EdgeTable("edges.tsv", "two columns", ["A", "C"], ["B", "A"])])
    CellGraph: 3 genes, 0 reaction nodes, 0 metabolites
      physical_interaction    2 pairs of genes
      regulatory_interaction  0 directed edges
    """
    BuildConfig.require(max_alternatives=max_alternatives, features_mode=features_mode)
    gene_list, gene_of, gene_report = _merge_gene_lists(model, genes)
    networks = _gene_networks(physical, regulatory, relations or {})
    report: dict[str, Any] = {"genes": gene_report}
    gene_relations = []
    for name, (tables, undirected) in networks.items():
        relation, report[name] = gene_relation(name, tables, gene_list, undirected, self_loops, allow_empty)
        gene_relations.append(relation)
    metabolism = reactions.empty_metabolism()
    if model is not None:
        gene_row = {gene: row for row, gene in enumerate(gene_list.ids)}
        metabolism = reactions.expand(model, gene_of, gene_row, keep_unassigned, max_alternatives)
        report["metabolism"] = {"path": str(model.path), **metabolism.report, "file": dict(model.report)}
        _require_gene_rules(model, metabolism, allow_empty)
    x, has_features = None, None
    if features is not None:
        x, has_features, report["features"] = _features(features, gene_list, allow_empty)
    if degrees:
        relations_of_genes = [*gene_relations, metabolism.gpr]
        x, has_features, report["degrees"] = _with_degrees(x, has_features, relations_of_genes, len(gene_list.ids))
    growth: tuple[str, ...] = ()
    if model is not None and len(metabolism.group_names) == len(model.reactions):
        growth = model.growth  # without all reactions, it is unknown whether the cell can grow
    return CellGraph(
        {schema.GENE: gene_list.ids, schema.REACTION: metabolism.reactions, schema.METABOLITE: metabolism.metabolites},
        [*gene_relations, metabolism.gpr, metabolism.incidences],
        reaction_group=metabolism.group,
        group_names=metabolism.group_names,
        features=x,
        has_features=has_features,
        features_mode=features_mode,
        aliases=gene_list.aliases,
        report=report,
        growth=growth,
    )


def complex_edges(model: MetabolicModel, max_alternatives: int = DEFAULT_LIMIT) -> EdgeTable:
    """Physical contacts from gene rules: genes joined by `and` are subunits of one complex.

    Parameters
    ----------
    model : MetabolicModel
    max_alternatives : int
        Largest number of alternatives of one reaction.
    """
    pairs = reactions.complex_pairs(model, max_alternatives)
    return EdgeTable(str(model.path), "complexes of the gene rules", [a for a, _ in pairs], [b for _, b in pairs])


def _merge_gene_lists(
    model: MetabolicModel | None, genes: GeneList | None
) -> tuple[GeneList, dict[str, str], dict[str, Any]]:
    """The gene list of the cell, the gene of the cell for each gene of the model, and a report."""
    if genes is None:
        if model is None:
            raise UsageError("no metabolic model and no gene list - a cell graph needs at least one of them")
        genes = _model_genes(model)
    problems = ErrorCollector(DataError)
    gene_of: dict[str, str] = {}
    added: list[str] = []
    for gene in model.genes if model is not None else ():
        try:
            match = genes.resolve(gene)
        except DataError as error:
            problems.add(f"the metabolic model: {error}")
            continue
        if match is None:
            added.append(gene)
        gene_of[gene] = match or gene
    problems.check()
    gene_list = genes.with_added(added)
    report = {"genes": len(gene_list.ids), ADDED_GENES: sorted(added), "file": dict(genes.report)}
    if model is not None:
        additions = LeftOut(model.path, "gene", len(model.genes), len(added), len(gene_of), added, genes.ids)
        if additions.is_much:
            what = (
                f"{len(added):,} of {number_of(len(model.genes), 'gene')} are not in the gene list and are added to it"
            )
            warn(f"{model.path}: {what} (in the model: {examples(added)}; in the gene list: {examples(genes.ids)})")
    return gene_list, gene_of, report


def _require_gene_rules(model: MetabolicModel, metabolism: reactions.Metabolism, allow_empty: bool) -> None:
    """Refuse a model of which the cell has no reaction, or no reaction that depends on a gene."""
    if metabolism.gpr.num_edges or not model.reactions:
        return
    message = f"{model.path}: none of its {number_of(len(model.reactions), 'reaction')} has a gene rule"
    if allow_empty:
        warn(f"{message}: no deletion changes a reaction")
    else:
        remedy = f"give a model with gene rules, or {setting('allow_empty', True)} to go on without"
        raise DataError(f"{message}, so that no deletion would change a reaction - {remedy}")


def _model_genes(model: MetabolicModel) -> GeneList:
    """The genes of a model as a gene list, with their names in the model as aliases."""
    ids = tuple(sorted(set(model.genes)))
    folded_ids = {gene.casefold() for gene in ids}
    if len(folded_ids) < len(ids):
        spellings = Counter(gene.casefold() for gene in ids)
        equal = [gene for gene in ids if spellings[gene.casefold()] > 1]
        warn(
            f"{model.path}: {len(equal)} genes differ from another one in upper and lower case alone and stay distinct "
            f"({examples(equal)}) - if they are one gene, correct the model, or give a gene list as {setting('genes')}"
        )
    names: dict[str, set[str]] = {}
    for gene, name in model.gene_names.items():
        if name.casefold() not in folded_ids:
            names.setdefault(name.casefold(), set()).add(gene)
    aliases = {name: tuple(sorted(candidates)) for name, candidates in sorted(names.items())}
    return GeneList(ids, aliases, {"layout": "the genes of the metabolic model"})


def _gene_networks(
    physical: Sequence[EdgeTable], regulatory: Sequence[EdgeTable], relations: Mapping[str, Sequence[EdgeTable]]
) -> dict[str, tuple[Sequence[EdgeTable], bool]]:
    """Tables of every gene-gene relation, and whether it is undirected."""
    networks: dict[str, tuple[Sequence[EdgeTable], bool]] = {
        schema.PHYSICAL: (physical, True),
        schema.REGULATORY: (regulatory, False),
    }
    problems = ErrorCollector(UsageError)
    for full_name in sorted(relations):
        name = full_name.removesuffix(DIRECTED)
        if name in _RESERVED or name in networks:
            problems.add(f"relation {full_name}: the name {name} is already in use - choose another")
        elif not name.isidentifier():
            problems.add(f"relation {full_name!r} - a name of letters, digits and _ was expected")
        networks[name] = (relations[full_name], name == full_name)
    problems.check()
    return networks


def _with_degrees(
    x: NDArray[np.float32] | None, has_features: NDArray[np.bool_] | None, relations: Sequence[Relation], num_genes: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_], dict[str, Any]]:
    """Features and degrees side by side; a gene without features has the means of the other genes."""
    columns = degree_features(relations, num_genes)
    if not columns.shape[1]:
        raise UsageError(
            f"{setting('degrees')}: all genes have equal degrees - give other networks, or {setting('degrees', False)}"
        )
    report = {"columns": columns.shape[1]}
    if x is not None and has_features is not None:
        means = x[has_features].mean(axis=0, dtype=np.float64).astype(np.float32)
        columns = np.concatenate([np.where(has_features[:, None], x, means), columns], axis=1)
    return columns, np.ones(num_genes, dtype=bool), report


def _features(
    table: FeatureTable, genes: GeneList, allow_empty: bool
) -> tuple[NDArray[np.float32] | None, NDArray[np.bool_] | None, dict[str, Any]]:
    """Features by gene (N_g, d) and which genes have them (N_g,), both None if none has; and a report."""
    row_of = {gene: row for row, gene in enumerate(genes.ids)}
    x = np.zeros((len(genes.ids), table.x.shape[1]), dtype=np.float32)
    names: dict[int, str] = {}
    problems = ErrorCollector(DataError)
    unknown: list[str] = []
    for name, values in zip(table.ids, table.x, strict=True):
        try:
            gene = genes.resolve(name)
        except DataError as error:
            problems.add(f"{table.path}: {error}")
            continue
        if gene is None:
            unknown.append(name)
            continue
        row = row_of[gene]
        if row in names:
            problems.add(
                f"{table.path}: {gene} has two rows, {names[row]!r} and {name!r} - one row per gene was expected"
            )
        if not np.isfinite(values).all():
            problems.add(
                f"{table.path}: the row of {name!r} holds a missing or infinite number - finite ones were expected"
            )
        names[row] = name
        x[row] = values
    if not problems.count:
        left_out = LeftOut(table.path, "row", len(table.ids), len(unknown), len(names), unknown, genes.ids)
        left_out.check(problems, "is of a gene of the cell", allow_empty=allow_empty)
    problems.check()
    has_features = np.zeros(len(genes.ids), dtype=bool)
    has_features[list(names)] = True
    report = {
        "columns": x.shape[1],
        "rows": len(table.ids),
        UNKNOWN_ROWS: len(unknown),
        **({UNKNOWN_ROWS + EXAMPLES: examples(unknown)} if unknown else {}),
        "genes without a row": int(np.count_nonzero(~has_features)),
    }
    return (x, has_features, report) if names else (None, None, report)
