"""Records of source files -> a CellGraph, with a report of what was kept and dropped.

Rows of the input files may come in any order: nodes are sorted by id and edges by their ends, so the graph and its
fingerprints are the same. Reads no files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, ErrorCollector, UsageError
from dglcell.graph import reactions
from dglcell.graph.cell import CellGraph
from dglcell.graph.degrees import degree_features
from dglcell.graph.gene_relations import gene_relation
from dglcell.graph.relation import Relation
from dglcell.readers.edge_table import EdgeTable
from dglcell.readers.genes import GeneList
from dglcell.readers.gpr import DEFAULT_LIMIT

if TYPE_CHECKING:
    from dglcell.readers.features import FeatureTable
    from dglcell.readers.sbml import MetabolicModel

DIRECTED = ":directed"
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
) -> CellGraph:
    """Build the cell graph.

    Parameters
    ----------
    model : MetabolicModel, optional
        Without one there are no reactions and no metabolites.
    genes : GeneList, optional
        Without one, the model's genes.
    physical, regulatory : sequences of EdgeTable
        United; none gives an empty relation, apart from loops.
    relations : mapping, optional
        Further gene-gene relations by name, undirected; `NAME:directed` is directed.
    features : FeatureTable, optional
        Gene features; genes without a row are marked.
    features_mode : str
        `concat` or `replace`, kept for training.
    degrees : bool
        Add each gene's degrees (`graph.degrees`) to its features; a gene without a row then has the means.
    keep_unassigned : bool
        Keep reactions without a gene rule.
    max_alternatives : int
        Most isozyme alternatives of one reaction.
    self_loops : bool
        One loop a gene in every gene-gene relation.

    Raises
    ------
    UsageError
        Neither model nor genes, or an extra relation with a name that is taken.
    DataError
        An ambiguous name, a rule that explodes, a gene with two feature rows.
    """
    if max_alternatives < 1:
        raise UsageError(f"--max-alternatives {max_alternatives} - at least 1 was expected")
    if features_mode not in ("concat", "replace"):
        raise UsageError(f"--features-mode {features_mode} - concat or replace was expected")
    listed, canonical, gene_report = _genes(model, genes)
    wanted = _wanted(physical, regulatory, relations or {})
    report: dict[str, Any] = {"genes": gene_report}
    built = []
    for name, (tables, undirected) in wanted.items():
        relation, report[name] = gene_relation(name, tables, listed, undirected, self_loops)
        built.append(relation)
    part = reactions.none()
    if model is not None:
        gene_row = {gene: row for row, gene in enumerate(listed.ids)}
        part = reactions.expand(model, canonical, gene_row, keep_unassigned, max_alternatives)
        report["metabolism"] = {"path": str(model.path), **part.report, "file": dict(model.report)}
    x, has = None, None
    if features is not None:
        x, has, report["features"] = _features(features, listed)
    if degrees:
        x, has, report["degrees"] = _with_degrees(x, has, [*built, part.gpr], len(listed.ids))
    growth: tuple[str, ...] = ()
    if model is not None and len(part.group_names) == len(model.reactions):
        growth = model.growth  # where reactions are left out, the others say too little of growth
    return CellGraph(
        {schema.GENE: listed.ids, schema.REACTION: part.reactions, schema.METABOLITE: part.metabolites},
        [*built, part.gpr, part.incidences],
        reaction_group=part.group,
        group_names=part.group_names,
        features=x,
        has_features=has,
        features_mode=features_mode,
        aliases=listed.aliases,
        report=report,
        growth=growth,
    )


def complex_edges(model: MetabolicModel, max_alternatives: int = DEFAULT_LIMIT) -> EdgeTable:
    """Physical contacts read off the gene rules: genes that share an AND-clause are subunits of one complex."""
    pairs = reactions.complex_pairs(model, max_alternatives)
    return EdgeTable(str(model.path), "complexes of the gene rules", [a for a, _ in pairs], [b for _, b in pairs])


def _genes(model: MetabolicModel | None, genes: GeneList | None) -> tuple[GeneList, dict[str, str], dict[str, Any]]:
    """The cell's gene list, the cell's gene for each of the model's, and what was added."""
    if genes is None:
        if model is None:
            raise UsageError("neither --sbml nor --genes is given - a cell graph needs at least one of them")
        genes = _model_genes(model)
    problems = ErrorCollector(DataError)
    canonical: dict[str, str] = {}
    added: list[str] = []
    for gene in model.genes if model is not None else ():
        try:
            found = genes.resolve(gene)
        except DataError as error:
            problems.add(f"the metabolic model: {error}")
            continue
        if found is None:
            added.append(gene)
        canonical[gene] = found or gene
    problems.check()
    listed = genes.with_added(added)
    report = {"genes": len(listed.ids), "added from the metabolic model": sorted(added), "file": dict(genes.report)}
    return listed, canonical, report


def _model_genes(model: MetabolicModel) -> GeneList:
    """The model's genes as a gene list; the names that the model gives them are aliases."""
    ids = tuple(sorted(set(model.genes)))
    taken = {gene.casefold() for gene in ids}
    names: dict[str, set[str]] = {}
    for gene, name in model.gene_names.items():
        if name.casefold() not in taken:
            names.setdefault(name.casefold(), set()).add(gene)
    aliases = {name: tuple(sorted(found)) for name, found in sorted(names.items())}
    return GeneList(ids, aliases, {"layout": "the genes of the metabolic model"})


def _wanted(
    physical: Sequence[EdgeTable], regulatory: Sequence[EdgeTable], relations: Mapping[str, Sequence[EdgeTable]]
) -> dict[str, tuple[Sequence[EdgeTable], bool]]:
    """Every gene-gene relation to build: its tables, and whether it is undirected."""
    wanted: dict[str, tuple[Sequence[EdgeTable], bool]] = {
        schema.PHYSICAL: (physical, True),
        schema.REGULATORY: (regulatory, False),
    }
    problems = ErrorCollector(UsageError)
    for given in sorted(relations):
        name = given.removesuffix(DIRECTED)
        if name in _RESERVED or name in wanted:
            problems.add(f"--relation {given} - the name {name} is taken; choose another")
        elif not name.isidentifier():
            problems.add(f"--relation {given!r} - a name of letters, digits and _ was expected")
        wanted[name] = (relations[given], name == given)
    problems.check()
    return wanted


def _with_degrees(
    x: NDArray[np.float32] | None, has: NDArray[np.bool_] | None, relations: Sequence[Relation], n: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_], dict[str, Any]]:
    """Features joined with degrees; a gene without a row has the means of those with one."""
    columns = degree_features(relations, n)
    if not columns.shape[1]:
        raise UsageError(
            "--degrees: every gene has the same degrees - give networks that differ in this, or leave it out"
        )
    report = {"columns": columns.shape[1]}
    if x is not None and has is not None:
        means = x[has].mean(axis=0, dtype=np.float64).astype(np.float32)
        columns = np.concatenate([np.where(has[:, None], x, means), columns], axis=1)
    return columns, np.ones(n, dtype=bool), report


def _features(table: FeatureTable, genes: GeneList) -> tuple[NDArray[np.float32], NDArray[np.bool_], dict[str, Any]]:
    """Features (N_g, d) in gene order, which genes have them, and the counts."""
    row_of = {gene: row for row, gene in enumerate(genes.ids)}
    x = np.zeros((len(genes.ids), table.x.shape[1]), dtype=np.float32)
    given: dict[int, str] = {}
    problems = ErrorCollector(DataError)
    unknown = 0
    for name, values in zip(table.ids, table.x, strict=True):
        try:
            gene = genes.resolve(name)
        except DataError as error:
            problems.add(f"features: {error}")
            continue
        if gene is None:
            unknown += 1
            continue
        row = row_of[gene]
        if row in given:
            problems.add(f"features: {gene} has two rows, {given[row]!r} and {name!r} - give one a gene")
        if not np.isfinite(values).all():
            problems.add(f"features: the row of {name!r} holds a missing or infinite number - give finite ones")
        given[row] = name
        x[row] = values
    problems.check()
    if not given:
        raise DataError(f"features: none of the {len(table.ids)} ids is a gene of the cell - check the ids")
    has = np.zeros(len(genes.ids), dtype=bool)
    has[list(given)] = True
    report = {
        "columns": x.shape[1],
        "rows": len(table.ids),
        "rows of no gene, left out": unknown,
        "genes without a row": int(np.count_nonzero(~has)),
    }
    return x, has, report
