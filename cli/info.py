"""`dglcell info`: what a cell graph, a screen or a run holds; does not import torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dglcell.cli import console, options
from dglcell.cli.help import Command, argument


@click.command(cls=Command)
@argument("path", type=options.FOLDER, help="Cell graph, screen table or run folder.")
@options.as_json
@options.verbose
def command(path: Path, as_json: bool) -> None:
    """Show what a cell graph (cell.h5), a screen table or a run folder holds."""
    from dglcell.errors import DataError

    if not path.exists():
        raise DataError(f"{path}: no such file or folder - a cell graph, a screen or a run was expected")
    if path.suffix in (".safetensors", ".pt"):
        raise DataError(f"{path} is one file of a run - give the run folder, {path.parent}")
    describe = _run if path.is_dir() else _cell if _is_hdf5(path) else _screen
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
    return document, tables


def _screen(path: Path) -> _Described:
    import numpy as np

    from dglcell import schema
    from dglcell.readers.screens.read import read_screen

    screen = read_screen(path)
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
    rows = [("layout", screen.layout), *_screen_rows(document), *document["report"].items()]
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
    document = {"parameters": checkpoint.parameter_counts(tensors), "models": models, **metadata}
    parts = [(part, n) for part, n in document["parameters"].items()]
    about = [("models", models), *((k, v) for k, v in metadata.items() if not isinstance(v, dict | list))]
    about += [(f"fingerprint, {k}", v) for k, v in metadata.get("fingerprints", {}).items()]
    settings = [(k, v) for k, v in metadata.get("config", {}).items()]
    return document, [
        (("run", "value"), about),
        (("part of the model", "parameters"), parts),
        (("setting", "value"), settings),
    ]
