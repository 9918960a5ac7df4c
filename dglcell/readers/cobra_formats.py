"""Metabolic models in JSON (BiGG), YAML (cobra, RAVEN) and MATLAB's `.mat` (COBRA Toolbox, RAVEN), through cobra.

The gene rules are taken out before cobra builds the model, since it cannot read all of them.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from dglcell.errors import DataError, ErrorCollector
from dglcell.readers import cobra_models, gene_rules, text_files
from dglcell.readers.gene_rules import RuleText
from dglcell.readers.metabolic_model import MetabolicModel

Model = tuple[MetabolicModel, Any]

_MAT_5: Final = b"MATLAB 5.0 MAT-file"
_MAT_7_3: Final = b"MATLAB 7.3 MAT-file"
_LISTS: Final = ("metabolites", "reactions", "genes")
_RULE: Final = "gene_reaction_rule"


def is_json(content: bytes) -> bool:
    """Whether the content starts as JSON does."""
    return bool(re.match(r"\s*[\[{]", text_files.decode(content[:64])))


def is_yaml(content: bytes) -> bool:
    """Whether the content is a model in YAML: there is a line `reactions:`."""
    return bool(re.search(r"^\s*(- )?[\"']?reactions[\"']?\s*:", text_files.decode(content), re.MULTILINE))


def is_mat(content: bytes) -> bool:
    """Whether the content is a MATLAB file."""
    return content.startswith((_MAT_5, _MAT_7_3))


def read_json(path: Path, content: bytes) -> Model:
    """Read a model from JSON; returns and errors as for `sbml.read`."""
    try:
        document = json.loads(text_files.decode(content))
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}:{error.lineno}: not valid JSON ({error.msg}) - download or copy the file again"
        ) from error
    return _read_document(path, document, "JSON")


def read_yaml(path: Path, content: bytes) -> Model:
    """Read a model from YAML; returns and errors as for `sbml.read`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        document = YAML(typ="safe", pure=True).load(text_files.decode(content))
    except YAMLError as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        line = f":{mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or str(error)
        raise DataError(f"{path}{line}: not valid YAML ({text_files.shorten(reason, 120)}) - correct it") from error
    if isinstance(document, list) and all(isinstance(entry, Mapping) for entry in document):
        document = {key: value for entry in document for key, value in entry.items()}  # `- key: value` at the top
    return _read_document(path, document, "YAML")


def _read_document(path: Path, document: Any, layout: str) -> Model:
    """A model from a document with the lists `metabolites`, `reactions` and `genes`."""
    import cobra.io

    if not isinstance(document, Mapping) or not isinstance(document.get("reactions"), list):
        raise DataError(
            f"{path} is {layout}, but no metabolic model - an object with the list `reactions` was expected"
        )
    lists = {name: _entries(path, name, document.get(name)) for name in _LISTS}
    _check_entries(path, lists)
    texts = {entry["id"]: RuleText(entry.pop(_RULE), str(path)) for entry in lists["reactions"] if entry.get(_RULE)}
    names = {entry["id"]: str(entry.get("name") or "") for entry in lists["genes"]}
    compartments = document.get("compartments") or {}
    ids = {entry.get("compartment") for entry in lists["metabolites"]}
    bounds_missing = sum(not {"lower_bound", "upper_bound"} <= entry.keys() for entry in lists["reactions"])
    bare = {**document, **lists, "compartments": compartments}

    def build() -> Any:
        return cobra.io.model_from_dict(bare)

    report: dict[str, int | str] = {
        "layout": layout,
        "reactions without bounds, set to cobra's defaults": bounds_missing,
    }
    return _read(path, build, texts, names, {*compartments, *ids}, report)


def _entries(path: Path, name: str, entries: Any) -> list[dict[str, Any]]:
    """One of the lists of a document as dictionaries with ids of text."""
    if entries is None:
        return []
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise DataError(f"{path}: `{name}` is no list of objects - a list of objects with `id` was expected")
    copies = [dict(entry) for entry in entries]
    for entry in copies:
        for key in ("id", _RULE):
            entry[key] = "" if entry.get(key) is None else str(entry[key])
        if not entry[_RULE]:
            del entry[_RULE]
    return copies


def _check_entries(path: Path, lists: Mapping[str, list[dict[str, Any]]]) -> None:
    """Check that ids are present and distinct, and that metabolites of reactions are listed."""
    problems = ErrorCollector()
    _check_ids(path, {name: [entry["id"] for entry in entries] for name, entries in lists.items()}, problems)
    metabolites = {entry["id"] for entry in lists["metabolites"]}
    for entry in lists["reactions"]:
        stoichiometry = entry.get("metabolites")
        if not isinstance(stoichiometry, Mapping):
            problems.add(f"{path}: reaction {entry['id']}: no `metabolites` - coefficients by metabolite were expected")
            continue
        for metabolite in stoichiometry:
            if str(metabolite) not in metabolites:
                problems.add(
                    f"{path}: reaction {entry['id']} names metabolite '{metabolite}', which the file does not list - "
                    "add it to the list of metabolites"
                )
    problems.check()


def _check_ids(path: Path, ids_by_kind: Mapping[str, list[str]], problems: ErrorCollector) -> None:
    if not ids_by_kind["reactions"]:
        problems.add(f"{path}: the model has no reactions - a metabolic model was expected")
    for kind, ids in ids_by_kind.items():
        known: set[str] = set()
        for identifier in ids:
            if not identifier:
                problems.add(f"{path}: a {kind[:-1]} has no id - every {kind[:-1]} needs one")
            elif identifier in known:
                problems.add(f"{path}: duplicate {kind[:-1]} id '{identifier}' - ids must differ")
            known.add(identifier)


def read_mat(path: Path, content: bytes) -> Model:
    """Read a model from a `.mat` file; returns and errors as for `sbml.read`."""
    import numpy as np
    import scipy.io
    from cobra.io.mat import from_mat_struct

    if content.startswith(_MAT_7_3):
        raise DataError(f"{path} is a MATLAB file of version 7.3 - save it in MATLAB with save(.., '-v7')")
    try:
        variables = scipy.io.loadmat(io.BytesIO(content))
    except Exception as error:  # scipy lets errors of any kind through for a damaged file
        reason = text_files.shorten(str(error), 120)
        raise DataError(f"{path}: MATLAB data that is damaged ({reason}) - download or copy the file again") from error
    structs = {name: value for name, value in variables.items() if {"rxns", "mets", "S"} <= _fields(value)}
    if len(structs) != 1:
        held = ", ".join(sorted(structs or [name for name in variables if not name.startswith("__")])) or "nothing"
        raise DataError(
            f"{path} holds {len(structs)} metabolic models ({held}) - one was expected, a struct with rxns, mets and S"
        )
    name, struct = next(iter(structs.items()))
    reactions, metabolites, genes = (_strings(struct, field) for field in ("rxns", "mets", "genes"))
    problems = ErrorCollector()
    _check_ids(path, {"reactions": reactions, "metabolites": metabolites, "genes": genes}, problems)
    problems.check()
    rules = _strings(struct, "grRules")
    if not any(rules):
        rules = [_with_ids(rule, genes, f"{path}: rule {k}") for k, rule in enumerate(_strings(struct, "rules"), 1)]
    texts = {reaction: RuleText(rule, str(path)) for reaction, rule in zip(reactions, rules, strict=False) if rule}
    if "grRules" in _fields(struct):
        empty = np.empty((len(reactions), 1), dtype=object)
        empty[:] = [[np.array([], dtype="U1")] for _ in reactions]
        struct["grRules"][0, 0] = empty
    names = dict(zip(genes, _strings(struct, "geneNames") or genes, strict=False))
    return _read(path, lambda: from_mat_struct(struct, model_id=name), texts, names, (), {"layout": "MAT"})


def _fields(value: Any) -> set[str]:
    return set(getattr(getattr(value, "dtype", None), "names", None) or ())


def _strings(struct: Any, field: str) -> list[str]:
    """A cell array of text of a MATLAB struct; empty if there is none."""
    if field not in _fields(struct):
        return []
    return [_text(cell).strip() for cell in struct[field][0, 0].ravel()]


def _text(cell: Any) -> str:
    """The text of a cell, which may be nested."""
    while hasattr(cell, "ravel") and not isinstance(cell, str):
        if not cell.size:
            return ""
        cell = cell.ravel()[0]
    return str(cell)


def _with_ids(rule: str, genes: list[str], location: str) -> str:
    """A rule of the COBRA Toolbox, `x(1) & x(2)`, with the ids of the genes."""

    def gene(match: re.Match[str]) -> str:
        if not 1 <= int(match[1]) <= len(genes):
            raise DataError(f"{location} names gene {match[1]} of {len(genes)} - correct the rule")
        return f" {genes[int(match[1]) - 1]} "

    return re.sub(r"\bx\((\d+)\)", gene, rule).strip()


def _read(
    path: Path,
    build: Callable[[], Any],
    texts: Mapping[str, RuleText],
    names: Mapping[str, str],
    compartments: Any,
    report: dict[str, int | str],
) -> Model:
    """Build the cobra model, and its records with the rules of `texts`."""
    problems = ErrorCollector()
    with cobra_models.silence_cobra():
        trees, num_unread = gene_rules.parse_texts(texts, names.keys(), problems)
        problems.check()
        try:
            cobra_model = build()
        except Exception as error:  # of any kind, as cobra checks little
            reason = text_files.shorten(f"{type(error).__name__}: {error}", 160)
            raise DataError(f"{path}: cobra cannot read this model ({reason}) - check the file") from error
    compartments = {str(compartment) for compartment in (compartments or cobra_model.compartments) if compartment}
    rules = gene_rules.settle(trees, names, compartments)
    report["rules that cobra cannot read, read here"] = num_unread
    return cobra_models.records(cobra_model, rules, names, str(path), report), cobra_model
