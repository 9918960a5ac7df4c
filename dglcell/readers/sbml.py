"""SBML metabolic models -> plain records of reactions, bounds, stoichiometry and gene rules.

Ids are those of cobra, without SBML prefixes (`R_`, `M_`, `G_`) and escapes. Stoichiometry and bounds come from cobra,
rules from the SBML itself, because cobra turns a rule that it cannot read into an empty one.
"""

from __future__ import annotations

import contextlib
import logging
import math
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import sbml_rules, text_files
from dglcell.readers.metabolic_model import MetabolicModel, ReactionRecord, growth_reactions


def read(path: Path) -> tuple[MetabolicModel, Any]:
    """Read a model from SBML with fbc version 1 or 2 or with rules in notes.

    Returns
    -------
    model : MetabolicModel
    cobra_model : cobra.Model
        Reactions in the same sequence.
    """
    text = text_files.read_text(path)
    with _silence_cobra():
        document, model = _document(path, text)
        _check_ids(path, model)
        rules = sbml_rules.read_rules(path, model)
        cobra_model = _cobra(path, text)
    problems = ErrorCollector()
    reactions = tuple(_record(path, reaction, rules.get(reaction.id), problems) for reaction in cobra_model.reactions)
    problems.check()
    names = {sbml_rules.gene_id(product.getIdAttribute()): product.getName() for product in _gene_products(model)}
    rule_genes = {gene for rule in rules.values() for gene in rule.node.genes()}
    genes = (*names, *sorted(rule_genes - names.keys()))
    num_defaults = sum(not _has_bounds(reaction) for reaction in model.getListOfReactions())
    report: dict[str, int | str] = {
        "layout": f"SBML level {document.getLevel()}",
        "reactions": len(reactions),
        "metabolites": len(cobra_model.metabolites),
        "genes": len(genes),
        "reactions with a gene rule": sum(reaction.rule is not None for reaction in reactions),
        "reactions without bounds, set to cobra's defaults": num_defaults,
        "exchange reactions added for boundary metabolites": len(reactions) - model.getNumReactions(),
    }
    metabolic_model = MetabolicModel(
        reactions=reactions,
        metabolites=tuple(metabolite.id for metabolite in cobra_model.metabolites),
        genes=genes,
        gene_names={gene: name for gene, name in names.items() if name and name not in (gene, f"G_{gene}")},
        report={key: value for key, value in report.items() if value},
        path=str(path),
        growth=growth_reactions(cobra_model),
    )
    return metabolic_model, cobra_model


@contextlib.contextmanager
def _silence_cobra() -> Iterator[None]:
    """Silence the logger and the warnings of cobra; this module checks and reports what matters."""
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


def _document(path: Path, text: str) -> tuple[Any, Any]:
    import libsbml

    hint = "an SBML model was expected (.xml, .sbml, or either as .gz)"
    if "<sbml" not in text:
        raise DataError(f"{path} is not SBML - {hint}")
    document = libsbml.readSBMLFromString(text)
    for k in range(document.getNumErrors()):
        error = document.getError(k)
        malformed = error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR and error.getCategoryAsString() == "XML content"
        harmless = error.getErrorId() in (libsbml.MissingXMLDecl, libsbml.MissingXMLEncoding)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_FATAL or (malformed and not harmless):
            reason = text_files.shorten(error.getShortMessage() or error.getMessage(), 120)
            raise DataError(f"{path}:{error.getLine()}: not valid XML or SBML ({reason}) - {hint}")
    plugin = document.getPlugin("fbc")
    if plugin is not None and plugin.getPackageVersion() == 1:  # as cobra does, too
        options = libsbml.ConversionProperties()
        options.addOption("convert fbc v1 to fbc v2", True)
        document.convert(options)
    model = document.getModel()
    if model is None:
        raise DataError(f"{path} contains no model - {hint}")
    if not model.getNumReactions():
        raise DataError(f"{path}: the model has no reactions - a metabolic model was expected")
    return document, model


def _check_ids(path: Path, model: Any) -> None:
    """Check that ids are present and distinct, also without prefixes, and that species of reactions are listed."""
    problems = ErrorCollector()
    for kind, prefix, elements in (
        ("species", "M_", model.getListOfSpecies()),
        ("reaction", "R_", model.getListOfReactions()),
        ("gene", "G_", _gene_products(model)),
    ):
        first_lines: dict[str, int] = {}
        for element in elements:
            sbml_id, line = element.getIdAttribute(), element.getLine()
            identifier = sbml_rules.gene_id(sbml_id) if kind == "gene" else sbml_rules.plain_id(sbml_id, prefix)
            if not identifier:
                problems.add(f"{path}:{line}: a {kind} has no id - every {kind} needs one")
            elif identifier in first_lines:
                problems.add(
                    f"{path}:{line}: duplicate {kind} id '{identifier}', first at line {first_lines[identifier]} - "
                    "ids must differ, also without their SBML prefix"
                )
            else:
                first_lines[identifier] = line
    species_ids = {species.getIdAttribute() for species in model.getListOfSpecies()}
    for reaction in model.getListOfReactions():
        reaction_id = sbml_rules.plain_id(reaction.getIdAttribute(), "R_")
        for reference in (*reaction.getListOfReactants(), *reaction.getListOfProducts()):
            species = reference.getSpecies()
            if species not in species_ids:
                problems.add(
                    f"{path}:{reference.getLine()}: reaction {reaction_id} names species '{species}', which the "
                    "file does not list - add it to the list of species"
                )
    problems.check()


def _cobra(path: Path, text: str) -> Any:
    import cobra.io

    try:
        return cobra.io.read_sbml_model(text)
    except Exception as error:  # cobra wraps any error in one class; the reason is its cause
        reason = text_files.shorten(str(error.__cause__ or error), 160)
        raise DataError(f"{path}: cobra cannot read this model ({reason}) - check it with an SBML validator") from error


def _record(path: Path, reaction: Any, rule: sbml_rules.GeneRule | None, problems: ErrorCollector) -> ReactionRecord:
    location = rule.location if rule else str(path)
    if rule and not reaction.gene_reaction_rule:
        problems.add(
            f"{location}: reaction {reaction.id}: gene rule '{text_files.shorten(rule.text, 80)}' is read as empty "
            "by cobra, so that no deletion could remove the reaction - write it as an fbc gene product association "
            "(or, in a file without fbc, with lower-case 'and', 'or')"
        )
    stoichiometry = {metabolite.id: float(value) for metabolite, value in reaction.metabolites.items()}
    for metabolite, value in stoichiometry.items():
        if not math.isfinite(value):
            problems.add(
                f"{location}: reaction {reaction.id}: coefficient of {metabolite} is {value} - a number was expected"
            )
    lower, upper = float(reaction.lower_bound), float(reaction.upper_bound)
    return ReactionRecord(reaction.id, reaction.name or "", lower, upper, stoichiometry, rule.node if rule else None)


def _gene_products(model: Any) -> Iterable[Any]:
    plugin = model.getPlugin("fbc")
    return plugin.getListOfGeneProducts() if plugin is not None else ()


def _has_bounds(reaction: Any) -> bool:
    plugin = reaction.getPlugin("fbc")
    if plugin is not None:
        return bool(plugin.isSetLowerFluxBound() and plugin.isSetUpperFluxBound())
    law = reaction.getKineticLaw()
    return law is not None and all(law.getParameter(name) is not None for name in ("LOWER_BOUND", "UPPER_BOUND"))
