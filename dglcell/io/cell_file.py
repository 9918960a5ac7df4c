"""cell.h5: a cell graph and, optionally, a screen in one checked HDF5 file; torch and DGL are not imported.

Layout: `ids/{type}`; `relations/{name}/{src,dst}` and `relations/{name}/data/{key}` of the forward relations;
`reaction_group`, `group_names`; `features/x`, `features/has_x`; `screen/{column}`, the arrays of a `GenotypeTable`;
everything else is in `meta`. The checks of the file are in `dglcell.io.hdf5`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import FormatError
from dglcell.genotypes.merge import ScreenMerger
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.graph.fingerprints import CONTENT, IDS
from dglcell.graph.relation import Relation
from dglcell.io import hdf5

IN_MEMORY = 256 << 20  # bytes; a larger screen stays on disk, and rows are read when they are used
_SCREEN = "screen/"
_COLUMNS = ("genes", "ptr", "labels", "source", "alleles", "interaction_std", "query")


def save(
    cell: CellGraph, path: Path, screen: GenotypeTable | ScreenMerger | None = None, overwrite: bool = True
) -> None:
    """Write a cell graph and a screen, completely or not at all; the screens of a `ScreenMerger` are streamed.

    Raises
    ------
    FingerprintError
        The screen belongs to another cell.
    UsageError
        `path` exists and `overwrite` is false.
    """
    arrays: dict[str, NDArray[Any]] = {f"ids/{t}": hdf5.encode_ids(ids) for t, ids in cell.ids.items()}
    for relation in cell.forward:
        arrays[f"relations/{relation.name}/src"] = relation.src
        arrays[f"relations/{relation.name}/dst"] = relation.dst
        arrays |= {f"relations/{relation.name}/data/{key}": values for key, values in relation.data.items()}
    arrays["reaction_group"] = cell.reaction_group
    arrays["group_names"] = hdf5.encode_ids(cell.group_names)
    if cell.features is not None:
        arrays[f"features/{schema.FEATURES}"] = cell.features
        arrays[f"features/{schema.HAS_FEATURES}"] = cell.has_features
    meta: dict[str, Any] = {
        "relations": [[*r.canonical, r.undirected, sorted(r.data)] for r in cell.forward],
        "features_mode": cell.features_mode,
        "aliases": {name: list(genes) for name, genes in cell.aliases.items()},
        "report": cell.report,
        "growth": list(cell.growth),
        "fingerprints": cell.fingerprints,
        "screen": None,
    }
    tables: Iterable[GenotypeTable] = ()
    if isinstance(screen, GenotypeTable):
        screen.require_cell(cell)
        tables = [screen]
    elif screen is not None:
        tables = screen.blocks()

    def meta_of_all() -> dict[str, Any]:
        if screen is None:
            return meta
        return {**meta, "screen": {"sources": list(screen.sources), "ids_fingerprint": cell.fingerprints[IDS]}}

    blocks = _screen_blocks(tables)
    hdf5.write(Path(path), schema.CELL_FORMAT, schema.CELL_VERSION, arrays, meta_of_all, overwrite, blocks)


def _screen_blocks(tables: Iterable[GenotypeTable]) -> Iterator[dict[str, NDArray[Any]]]:
    """The columns of consecutive blocks of one table, with the offsets of the whole table."""
    first, end = True, 0
    for table in tables:
        block = {_SCREEN + name: getattr(table, name) for name in _COLUMNS}
        ptr = table.ptr + end
        block[_SCREEN + "ptr"] = ptr if first else ptr[1:]
        first, end = False, int(ptr[-1])
        yield block


def load(path: Path | str) -> CellGraph:
    """Read a cell graph.

    Raises
    ------
    DataError
        The file does not exist.
    FormatError
        The file is not a cell graph, has another version, or is damaged.
    """
    return _cell(path, *_read(Path(path), lambda name: not name.startswith(_SCREEN)))


def load_screen(path: Path | str) -> GenotypeTable | None:
    """The screen in a cell graph file, None if there is none; the rows of a large one stay on disk."""
    return _screen(*_read(Path(path), lambda name: name.startswith((_SCREEN, "ids/"))))


def screen_ids(path: Path | str) -> str | None:
    """The `ids` fingerprint of the screen in a cell graph file, None if there is none; no rows are read."""
    _, meta = _read(Path(path), lambda name: False)
    return None if meta.get("screen") is None else str(meta["screen"]["ids_fingerprint"])


def load_both(path: Path | str) -> tuple[CellGraph, GenotypeTable | None]:
    """The cell graph and the screen of a file, as from `load` and `load_screen`."""
    arrays, meta = _read(Path(path), lambda name: True)
    return _cell(path, arrays, meta), _screen(arrays, meta)


def _cell(path: Path | str, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> CellGraph:
    try:
        cell = _assemble(arrays, meta)
        stored = meta["fingerprints"]
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise FormatError(f"{path} holds an incomplete cell graph ({error}) - build it again") from error
    for name in (IDS, CONTENT):
        if stored.get(name) != cell.fingerprints[name]:
            raise FormatError(
                f"{path}: its `{name}` fingerprint is {cell.fingerprints[name]}, but {stored.get(name)} is stored - "
                "build it again"
            )
    return cell


def _screen(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> GenotypeTable | None:
    if meta.get("screen") is None:
        return None
    try:
        columns = {name: arrays[_SCREEN + name] for name in _COLUMNS}
    except KeyError as error:
        raise FormatError(f"the stored screen has no dataset {error.args[0]} - build the file again") from error
    n = len(columns["ptr"]) - 1
    fits = n >= 0 and columns["labels"].shape == (n, len(schema.LABEL_COLUMNS))
    fits = fits and all(columns[name].shape == (n,) for name in ("source", "interaction_std", "query"))
    if not fits or not int(columns["ptr"][-1]) == len(columns["genes"]) == len(columns["alleles"]):
        raise FormatError("the datasets of the stored screen do not fit together - build the file again")
    sources, fingerprint = tuple(meta["screen"]["sources"]), meta["screen"]["ids_fingerprint"]
    return GenotypeTable(**columns, sources=sources, ids_fingerprint=fingerprint, ids=_ids(arrays))


def _read(path: Path, is_selected: Callable[[str], bool]) -> tuple[dict[str, Any], dict[str, Any]]:
    return hdf5.read(path, schema.CELL_FORMAT, schema.CELL_VERSION, is_selected, IN_MEMORY)


def _ids(arrays: Mapping[str, NDArray[Any]]) -> dict[str, list[str]]:
    return {node_type: hdf5.decode_ids(arrays[f"ids/{node_type}"]) for node_type in schema.NODE_TYPES}


def _assemble(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> CellGraph:
    relations = []
    for src_type, name, dst_type, undirected, keys in meta["relations"]:
        data = {key: arrays[f"relations/{name}/data/{key}"] for key in keys}
        src, dst = arrays[f"relations/{name}/src"], arrays[f"relations/{name}/dst"]
        relations.append(Relation(name, src_type, dst_type, src, dst, data, undirected))
    has = arrays.get(f"features/{schema.HAS_FEATURES}")
    return CellGraph(
        _ids(arrays),
        relations,
        arrays["reaction_group"],
        hdf5.decode_ids(arrays["group_names"]),
        features=arrays.get(f"features/{schema.FEATURES}"),
        has_features=None if has is None else has.astype(np.bool_),
        features_mode=meta["features_mode"],
        aliases=meta["aliases"],
        report=meta["report"],
        growth=meta["growth"],
    )
