"""`dglcell info`: what a cell graph, a screen or a run holds; does not import torch."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import click

from dglcell.cli import console, options, report
from dglcell.cli.help import Command, argument
from dglcell.cli.settings import option_text, setting_option
from dglcell.config import ScreenRules


@click.command(cls=Command)
@argument("path", type=options.FOLDER, help="Cell graph, screen table or run folder.")
@setting_option(ScreenRules, "matrix")
@setting_option(ScreenRules, "condition")
@setting_option(ScreenRules, "columns")
@options.as_json
@options.verbose
def command(path: Path, matrix: str, condition: str | None, columns: tuple[str, ...], as_json: bool) -> None:
    """Show what a cell graph (cell.h5), a screen table or a run folder holds."""
    from dglcell.errors import DataError

    if not path.exists():
        raise DataError(f"{path}: no such file or folder - a cell graph, a screen or a run was expected")
    if path.suffix in (".safetensors", ".pt"):
        raise DataError(f"{path} is one file of a run - give the run folder, {path.parent}")
    screen = functools.partial(_screen, matrix=matrix, condition=condition, columns=columns)
    describe = _run if path.is_dir() else _cell if _is_hdf5(path) else screen
    document, tables = describe(path)
    if as_json:
        console.result(document)
        return
    for columns, rows in tables:
        console.table(columns, rows)


_Described = tuple[dict[str, Any], list[tuple[tuple[str, ...], list[Any]]]]


def _is_hdf5(path: Path) -> bool:
    """Whether a file starts like HDF5 or like a file of dglcell, or is named like HDF5."""
    with open(path, "rb") as handle:
        return handle.read(12).startswith((b"\x89HDF", b"dglcell file")) or path.suffix in (".h5", ".hdf5")


def _cell(path: Path) -> _Described:
    from dglcell.genotypes.merge import screen_report
    from dglcell.io import cell_file

    cell, screen = cell_file.load_both(path)
    document = cell.info()
    tables: list[tuple[tuple[str, ...], list[Any]]] = [(("cell graph", "count"), console.graph_rows(document))]
    if cell.features is not None:
        counts = {"columns": cell.features.shape[1], "genes with features": int(cell.has_features.sum())}
        document["features"] = {**counts, "mode": cell.features_mode}
        tables.append((("gene features", "value"), list(document["features"].items())))
    if screen is not None:
        document["screen"] = screen.info()
        tables.append((("screen", "value"), _screen_rows(document["screen"])))
    document["report"] = cell.report
    sources = None if screen is None else screen_report(len(screen), screen.sources)
    rows = [row for row in report.rows(cell.report, sources) if row[2] not in (0, "0")]
    tables.append((report.COLUMNS, rows))
    return document, tables


def _screen(path: Path, matrix: str, condition: str | None, columns: tuple[str, ...]) -> _Described:
    import numpy as np

    from dglcell import schema
    from dglcell.readers.screens.read import read_screen
    from dglcell.readers.tables.column_map import check_used, parse_maps

    maps = parse_maps(columns)
    screen = read_screen(path, maps=maps, unlabeled=True, matrix=matrix, condition=condition)
    check_used(maps)
    genotypes = [frozenset(genes) for genes in screen.genotypes]
    orders, counts = np.unique([len(genes) for genes in genotypes], return_counts=True)
    present = np.isfinite(screen.labels).sum(axis=0)
    document: dict[str, Any] = {
        "layout": screen.layout,
        "rows": len(genotypes),
        "genotypes": len(set(genotypes)),
        "orders": {str(k): int(n) for k, n in zip(orders, counts, strict=True)},
        "labels": {name: int(n) for name, n in zip(schema.LABEL_COLUMNS, present, strict=True)},
        "report": dict(screen.report),
    }
    rows = [("layout", screen.layout), *_screen_rows(document)]
    rows += [row for row in document["report"].items() if row not in rows]
    return document, [(("screen", "value"), rows)]


def _screen_rows(document: dict[str, Any]) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = [("rows", document["rows"]), ("distinct genotypes", document["genotypes"])]
    rows += [(f"rows of order {k}", n) for k, n in document["orders"].items()]
    rows += [(f"rows with {label}", n) for label, n in document["labels"].items()]
    rows += [(f"rows with alleles: {kind}", n) for kind, n in document.get("alleles", {}).items()]
    if "query_pairs" in document:
        rows.append(("double-mutant queries", document["query_pairs"]))
    rows += [("from", source["path"]) for source in document.get("sources", [])]
    return rows + [(f"fingerprint, {k}", v) for k, v in document.get("fingerprints", {}).items()]


def _run(path: Path) -> _Described:
    from dglcell.io import checkpoint
    from dglcell.io.run_folder import RunFolder

    folder = RunFolder(path)
    folder.require()
    tensors, metadata = checkpoint.read(folder.model, checkpoint.MODEL)
    models = len(folder.members())
    counts = checkpoint.parameter_counts(tensors)
    document = {"parameters": counts, "models": models, **metadata}
    parts = [(_PARTS.get(part, part.replace("_", " ")), n) for part, n in counts.items()]
    return document, [(("run", "value"), _run_rows(document)), (("part of the model", "parameters"), parts)]


# Parts of a model whose name in the weights says less than this.
_PARTS = {"fm": "gene factorization machine", "layers": "graph layers", "preprocess": "gene MLP"}
_SUBSETS = {"train": "training", "val": "validation", "test": "test", "unused": "unused"}


def _run_rows(document: dict[str, Any]) -> list[tuple[str, Any]]:
    from dglcell import schema

    split, config = document["split"], document["config"]
    rows: list[tuple[str, Any]] = [
        ("variant", config["variant"]),
        ("models", document["models"]),
        ("seed", document["seed"]),
        ("screen", ", ".join(Path(file["path"]).name for file in document["screen"]["files"]) or None),
        ("split", split["kind"]),
        *((f"{name} rows", split["rows"][subset]) for subset, name in _SUBSETS.items() if split["rows"][subset]),
        ("epoch of the weights", document["epoch"]),
    ]
    for label in schema.LABELS:
        metrics = document.get("validation", {}).get(label, {"n": 0})
        if metrics["n"]:
            rows.append((f"validation Pearson, {label}", metrics["pearson"]))
    rows.append(("settings", _settings(config) or "the defaults"))
    return rows + [(f"fingerprint, {name}", value) for name, value in document["fingerprints"].items()]


def _settings(values: dict[str, Any]) -> str:
    """The options that give these settings, without those that have their default."""
    import dataclasses

    from dglcell.config import TrainConfig

    config, usual = TrainConfig.from_dict(values), TrainConfig()
    left_open: dict[str, Any] = {name: None for name in config.names() if getattr(usual, name) is None}
    decided = dataclasses.replace(config, **left_open).resolve("concat")
    options = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        default = getattr(decided if field.name in left_open else usual, field.name)
        if value != default:
            options.append(option_text(field, value))
    return " ".join(options)
