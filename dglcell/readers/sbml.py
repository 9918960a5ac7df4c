"""SBML metabolic models -> plain records of reactions, bounds, stoichiometry and gene rules.

Ids are those of cobra, without SBML prefixes (`R_`, `M_`, `G_`) and escapes. Stoichiometry and bounds come from cobra,
rules from the SBML itself, because cobra turns a rule that it cannot read into an empty one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import cobra_models, sbml_rules, text_files, xml_text
from dglcell.readers.gene_rules import GeneRules
from dglcell.readers.metabolic_model import MetabolicModel

_DEFAULTS = "reactions without bounds, set to cobra's defaults"
_IRREVERSIBLE = "irreversible reactions without a lower bound, set to 0"
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_]")
_RDF_TAG = re.compile(r"</?(?:[\w.-]+:)?RDF\b[^>]*>")


def read(path: Path, content: bytes) -> tuple[MetabolicModel, Any]:
    """Read a model from SBML with fbc version 1 or 2 or with rules in notes.

    A reaction with `reversible="false"` and no lower bound has the lower bound 0; other bounds that are missing are
    cobra's defaults.

    Returns
    -------
    model : MetabolicModel
    cobra_model : cobra.Model
        Reactions in the same sequence, with the same bounds.
    """
    text = _without_descriptions(xml_text.decode(path, content))
    with cobra_models.silence_cobra():
        contents = _read_document(path, text)
        cobra_model = _cobra(path, text, contents.has_fbc)
        for reaction, bounds in contents.bounds.items():
            if cobra_model.reactions.get_by_id(reaction).bounds != bounds:
                cobra_model.reactions.get_by_id(reaction).bounds = bounds
    report: dict[str, int | str] = {
        **contents.report,
        "exchange reactions added for boundary metabolites": len(cobra_model.reactions) - contents.num_reactions,
    }
    return cobra_models.records(cobra_model, contents.rules, contents.gene_names, str(path), report), cobra_model


@dataclass(frozen=True)
class _Contents:
    """What is read with libsbml, so that its document can be given up before cobra reads its own."""

    rules: GeneRules
    gene_names: dict[str, str]
    bounds: dict[str, tuple[float, float]]
    num_reactions: int
    has_fbc: bool
    report: dict[str, int | str]


def _read_document(path: Path, text: str) -> _Contents:
    document, model = _document(path, text)
    _check_ids(path, model)
    names = {sbml_rules.gene_id(product.getIdAttribute()): product.getName() for product in _gene_products(model)}
    bounds, counts = _bounds(path, model)
    return _Contents(
        rules=sbml_rules.read_rules(path, model, names),
        gene_names=names,
        bounds=bounds,
        num_reactions=model.getNumReactions(),
        has_fbc=model.getPlugin("fbc") is not None,
        report={"layout": f"SBML level {document.getLevel()}", **counts},
    )


def _without_descriptions(text: str) -> str:
    """SBML without groups, annotations of RDF alone and notes without gene rules: most of a large file, and unused."""
    text = xml_text.without(text, "annotation", _is_rdf)
    text = xml_text.without(text, "notes", lambda content: "ASSOCIATION" not in content.upper())
    return xml_text.without(text, "listOfGroups")


def _is_rdf(content: str) -> bool:
    """Whether XML is one RDF element. (Gene rules of fbc version 1 are annotations, too.)"""
    tags = [match.span() for match in _RDF_TAG.finditer(content)]
    return len(tags) == 2 and not content[: tags[0][0]].strip() and not content[tags[1][1] :].strip()


def _document(path: Path, text: str) -> tuple[Any, Any]:
    import libsbml

    hint = "an SBML model was expected"
    if "<sbml" not in text:
        page = "an HTML page" if re.search(r"<(!doctype html|html)\b", text[:1000], re.IGNORECASE) else "XML"
        advice = "; look at it in a browser, and download the model again" if page != "XML" else ""
        raise DataError(f"{path} is {page}, not SBML (it starts with '{text_files.shorten(text)}') - {hint}{advice}")
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
        if document.getModel() is not None:
            _restore_labels(document.getModel())
    model = document.getModel()
    if model is None:
        raise DataError(f"{path} contains no model - {hint}")
    if not model.getNumReactions():
        raise DataError(f"{path}: the model has no reactions - a metabolic model was expected")
    return document, model


def _restore_labels(model: Any) -> None:
    """Give gene products the ids of fbc version 1, which libsbml spells out (`gp_b__ONE__`) but keeps as labels."""
    ids: dict[str, str] = {}
    for product in _gene_products(model):
        ids[product.getIdAttribute()] = f"G_{_NOT_IN_ID.sub(_escape, product.getLabel().removeprefix('G_'))}"
        product.setIdAttribute(ids[product.getIdAttribute()])
    for reaction in model.getListOfReactions():
        association = reaction.getPlugin("fbc").getGeneProductAssociation()
        for element in association.getListOfAllElements() if association is not None else ():
            if element.getElementName() == "geneProductRef":
                element.setGeneProduct(ids[element.getGeneProduct()])


def _escape(match: re.Match[str]) -> str:
    return f"__{ord(match[0])}__"


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
    boundary = {s.getIdAttribute() for s in model.getListOfSpecies() if s.getBoundaryCondition()}
    exchange_ids = {f"EX_{sbml_rules.plain_id(species, 'M_')}": species for species in boundary}
    for reaction in model.getListOfReactions():
        reaction_id = sbml_rules.plain_id(reaction.getIdAttribute(), "R_")
        species = exchange_ids.get(reaction_id)
        if species is not None and not _is_exchange(reaction, species):
            problems.add(
                f"{path}:{reaction.getLine()}: reaction {reaction_id} has the id of the exchange reaction of the "
                f"boundary species '{species}', but is another one - rename it, or set boundaryCondition to false"
            )
        for reference in (*reaction.getListOfReactants(), *reaction.getListOfProducts()):
            species = reference.getSpecies()
            if species not in species_ids:
                problems.add(
                    f"{path}:{reference.getLine()}: reaction {reaction_id} names species '{species}', which the "
                    "file does not list - add it to the list of species"
                )
    problems.check()


def _is_exchange(reaction: Any, species: str) -> bool:
    """Whether a reaction takes one of a species away and does nothing else; the reaction of cobra's takes its place."""
    reactants = [(reference.getSpecies(), reference.getStoichiometry()) for reference in reaction.getListOfReactants()]
    return reactants == [(species, 1.0)] and not reaction.getNumProducts()


def _cobra(path: Path, text: str, has_fbc: bool) -> Any:
    import cobra.io
    from cobra.io.sbml import F_GENE, F_REPLACE

    # Rules are read before. As trees they take much time and memory; as text, cobra's parser fails on some of them.
    if has_fbc:
        text = xml_text.without(text, "geneProductAssociation")
    replacements = F_REPLACE if has_fbc else {**F_REPLACE, F_GENE: lambda gene: ""}
    try:
        model = cobra.io.read_sbml_model(text, f_replace=replacements)
    except Exception as error:  # cobra wraps any error in one class; the reason is its cause
        reason = text_files.shorten(str(error.__cause__ or error), 160)
        raise DataError(f"{path}: cobra cannot read this model ({reason}) - check it with an SBML validator") from error
    if not has_fbc:
        model.genes.clear()
    return model


def _bounds(path: Path, model: Any) -> tuple[dict[str, tuple[float, float]], dict[str, int]]:
    """Flux bounds by reaction, and counts of those that the file lacks."""
    import cobra

    defaults = cobra.Configuration()
    bounds: dict[str, tuple[float, float]] = {}
    counts = {_IRREVERSIBLE: 0, _DEFAULTS: 0}
    for reaction in model.getListOfReactions():
        lower, upper = _stated_bound(model, reaction, "Lower"), _stated_bound(model, reaction, "Upper")
        if lower is None and not reaction.getReversible():
            lower = 0.0
            counts[_IRREVERSIBLE] += 1
        elif lower is None or upper is None:
            counts[_DEFAULTS] += 1
        bounds[sbml_rules.plain_id(reaction.getIdAttribute(), "R_")] = (
            float(defaults.lower_bound) if lower is None else lower,
            float(defaults.upper_bound) if upper is None else upper,
        )
    return bounds, counts


def _stated_bound(model: Any, reaction: Any, side: str) -> float | None:
    """A flux bound of the file: of fbc or, if there is none, in the kinetic law; `side` is `Lower` or `Upper`."""
    plugin, law = reaction.getPlugin("fbc"), reaction.getKineticLaw()
    name = getattr(plugin, f"get{side}FluxBound")() if plugin is not None else ""
    parameter = model.getParameter(name) if name else None
    if not name and law is not None:
        parameter = law.getParameter(f"{side.upper()}_BOUND")
    return float(parameter.getValue()) if parameter is not None else None


def _gene_products(model: Any) -> Iterable[Any]:
    plugin = model.getPlugin("fbc")
    return plugin.getListOfGeneProducts() if plugin is not None else ()
