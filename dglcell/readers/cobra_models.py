"""Cobra models -> plain records. The gene rules come from the caller, since cobra empties those that it cannot read."""

from __future__ import annotations

import contextlib
import logging
import math
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from dglcell.errors import ErrorCollector
from dglcell.readers import gene_rules, gpr
from dglcell.readers.gene_rules import GeneRules
from dglcell.readers.metabolic_model import MetabolicModel, ReactionRecord


@contextlib.contextmanager
def silence_cobra() -> Iterator[None]:
    """Silence the logger and the warnings of cobra; the readers check and report what matters."""
    logger = logging.getLogger("cobra")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import cobra.io  # noqa: F401 - the import sets the level of the logger, so it comes first

        logger.setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            logger.setLevel(level)


def records(
    cobra_model: Any, rules: GeneRules, names: Mapping[str, str], path: str, report: Mapping[str, int | str]
) -> MetabolicModel:
    """The records of a cobra model with gene rules that were read before.

    Parameters
    ----------
    cobra_model : cobra.Model
    rules : GeneRules
    names : mapping
        Names of genes, by their id in the file.
    path : str
        The file, for messages.
    report : mapping
        Further counts; those that are 0 are left out.

    Raises
    ------
    DataError
        A coefficient is not a number.
    """
    problems = ErrorCollector()
    reactions = tuple(_record(reaction, rules, path, problems) for reaction in cobra_model.reactions)
    problems.check()
    gene_names: dict[str, str] = {}
    for gene_id, name in names.items():
        gene = rules.gene_of.get(gene_id)
        if gene is not None and name and name not in (gene, gene_id, f"G_{gene_id}"):
            gene_names.setdefault(gene, name)
    counts: dict[str, int | str] = {
        "layout": report["layout"],
        "reactions": len(reactions),
        "metabolites": len(cobra_model.metabolites),
        "genes": len(rules.genes),
        "reactions with a gene rule": len(rules.trees),
        **rules.report,
        **report,
    }
    return MetabolicModel(
        reactions=reactions,
        metabolites=tuple(metabolite.id for metabolite in cobra_model.metabolites),
        genes=rules.genes,
        gene_names=gene_names,
        report={key: value for key, value in counts.items() if value},
        path=path,
        growth=_growth(cobra_model),
    )


def from_cobra(cobra_model: Any) -> MetabolicModel:
    """The records of a model that is in memory already, with cobra's own gene rules.

    Parameters
    ----------
    cobra_model : cobra.Model
    """
    trees = {reaction.id: gpr.from_ast(reaction.gpr.body) for reaction in cobra_model.reactions}
    listed = [gene.id for gene in cobra_model.genes]
    rules = gene_rules.settle(
        {reaction: tree for reaction, tree in trees.items() if tree is not None}, listed, cobra_model.compartments
    )
    names = {gene.id: gene.name for gene in cobra_model.genes}
    return records(cobra_model, rules, names, str(cobra_model.id or "model"), {"layout": "a cobra model"})


def _record(reaction: Any, rules: GeneRules, path: str, problems: ErrorCollector) -> ReactionRecord:
    stoichiometry = {metabolite.id: float(value) for metabolite, value in reaction.metabolites.items()}
    for metabolite, value in stoichiometry.items():
        if not math.isfinite(value):
            problems.add(
                f"{path}: reaction {reaction.id}: coefficient of {metabolite} is {value} - a number was expected"
            )
    lower, upper = float(reaction.lower_bound), float(reaction.upper_bound)
    return ReactionRecord(reaction.id, reaction.name or "", lower, upper, stoichiometry, rules.trees.get(reaction.id))


def _growth(cobra_model: Any) -> tuple[str, ...]:
    """Sorted ids of the reactions that the objective maximizes; none without an objective."""
    from cobra.util.solver import linear_reaction_coefficients

    if cobra_model.objective_direction != "max":
        return ()
    return tuple(sorted(r.id for r, weight in linear_reaction_coefficients(cobra_model).items() if weight > 0))
