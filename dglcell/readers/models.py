"""Files of metabolic models, recognized by content -> plain records, and cobra models for linear programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dglcell.errors import DataError
from dglcell.readers import gpr, sbml
from dglcell.readers.metabolic_model import MetabolicModel, ReactionRecord, growth_reactions


def textbook_path() -> Path:
    """Path of the E. coli core model that comes with cobra: 95 reactions, 72 metabolites, 137 genes.

    Orth et al. 2010, doi:10.1128/ecosalplus.10.2.1.

    Raises
    ------
    DataError
        cobra is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec("cobra")
    if spec is None or spec.origin is None:
        raise DataError("the E. coli core model comes with cobra, which is not installed - pip install cobra")
    return Path(spec.origin).parent / "data" / "textbook.xml.gz"


def read_model(path: Path | str) -> MetabolicModel:
    """Read a metabolic model from SBML (`.xml`, `.sbml`, plain or gzip) with fbc version 1 or 2 or with rules in notes.

    Raises
    ------
    DataError
        The file does not exist, is not SBML or is truncated; or the model has no reactions, duplicate ids, a rule that
        is malformed or that cobra reads as empty, or a coefficient that is not a number; with file and line.

    Examples
    --------
    >>> from dglcell.readers import gpr
    >>> model = read_model(textbook_path())
    >>> len(model.reactions), len(model.metabolites), len(model.genes)
    (95, 72, 137)
    >>> gpr.to_text(next(reaction.rule for reaction in model.reactions if reaction.id == "PFK"))
    'b3916 or b1723'
    """
    return read_with_cobra(path)[0]


def read_with_cobra(path: Path | str) -> tuple[MetabolicModel, Any]:
    """Read a metabolic model, and the same as a cobra model, with the checks and errors of `read_model`.

    Returns
    -------
    model : MetabolicModel
        The gene rules in it are those that count: cobra turns a rule that it cannot read into an empty one.
    cobra_model : cobra.Model
        For linear programs; its reactions have the sequence of `model.reactions`.
    """
    return sbml.read(Path(path))


def from_cobra(cobra_model: Any) -> MetabolicModel:
    """The records of a model that is in memory already.

    Parameters
    ----------
    cobra_model : cobra.Model
    """
    reactions = tuple(
        ReactionRecord(
            reaction.id,
            reaction.name or "",
            float(reaction.lower_bound),
            float(reaction.upper_bound),
            {metabolite.id: float(value) for metabolite, value in reaction.metabolites.items()},
            gpr.from_ast(reaction.gpr.body),
        )
        for reaction in cobra_model.reactions
    )
    names = {gene.id: gene.name for gene in cobra_model.genes}
    return MetabolicModel(
        reactions,
        tuple(metabolite.id for metabolite in cobra_model.metabolites),
        tuple(names),
        {gene: name for gene, name in names.items() if name and name not in (gene, f"G_{gene}")},
        path=str(cobra_model.id or "model"),
        growth=growth_reactions(cobra_model),
    )
