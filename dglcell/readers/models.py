"""Files of metabolic models, recognized by content -> plain records, and cobra models for linear programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from dglcell.errors import DataError
from dglcell.readers import cobra_formats, sbml, text_files, xml_text
from dglcell.readers.cobra_models import from_cobra
from dglcell.readers.metabolic_model import MetabolicModel

__all__ = ["TEXTBOOK", "from_cobra", "locate", "read_model", "read_with_cobra", "textbook_path"]
TEXTBOOK: Final = "textbook"


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


def locate(model: Path | str) -> Path:
    """The file of a model, which `textbook` names, too.

    Raises
    ------
    DataError
        There is no such file.
    """
    if str(model) == TEXTBOOK:
        return textbook_path()
    if not Path(model).exists():
        raise DataError(
            f"{model}: no such file - check the path of the metabolic model, or write `{TEXTBOOK}` for the E. coli "
            "core model"
        )
    return Path(model)


def read_model(model: Path | str) -> MetabolicModel:
    """Read a metabolic model: SBML (fbc version 1 or 2, or rules in notes), JSON, YAML or MATLAB's `.mat`.

    Parameters
    ----------
    model : path
        The file, plain or compressed (gzip, bzip2, xz, zip), or `"textbook"` for the E. coli core model.

    Raises
    ------
    DataError
        The file does not exist, is no metabolic model or is truncated; or the model has no reactions, duplicate ids, a
        rule that is malformed or that cobra reads as another one, or a coefficient that is not a number.

    Examples
    --------
    >>> from dglcell.readers import gpr
    >>> model = read_model("textbook")
    >>> len(model.reactions), len(model.metabolites), len(model.genes)
    (95, 72, 137)
    >>> gpr.to_text(next(reaction.rule for reaction in model.reactions if reaction.id == "PFK"))
    'b3916 or b1723'
    """
    return read_with_cobra(model)[0]


def read_with_cobra(model: Path | str) -> tuple[MetabolicModel, Any]:
    """Read a metabolic model, and the same as a cobra model, with the checks and errors of `read_model`.

    Returns
    -------
    model : MetabolicModel
        Its gene rules count.
    cobra_model : cobra.Model
        For linear programs; its reactions have the sequence and the bounds of `model.reactions`. It may lack gene
        rules: cobra cannot read all of them.
    """
    path = locate(model)
    content = text_files.read_bytes(path)
    if cobra_formats.is_mat(content):
        return cobra_formats.read_mat(path, content)
    if xml_text.is_xml(content):
        return sbml.read(path, content)
    if cobra_formats.is_json(content):
        return cobra_formats.read_json(path, content)
    if cobra_formats.is_yaml(content):
        return cobra_formats.read_yaml(path, content)
    text_files.refuse_binary(path, content)
    start = text_files.shorten(text_files.decode(content[:60]))
    raise DataError(f"{path} is no metabolic model (it starts with '{start}') - SBML, JSON, YAML or .mat was expected")
