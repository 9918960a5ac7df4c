"""Arrays with metadata in one checked file: trained weights (`model.safetensors`), a split (`split.safetensors`).

Reading safetensors runs no code, but the format has no checksum. So the metadata holds the SHA-256 of the tensors and
of the other metadata, and both are compared on every read. The values of the metadata are JSON text. torch is not
imported, so that `dglcell info` is fast.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dglcell import schema
from dglcell.errors import DataError, FormatError
from dglcell.hashing import sha256
from dglcell.io.atomic import replacing

MODEL = "dglcell-model"
SPLIT = "dglcell-split"

Tensors = dict[str, NDArray[Any]]

_TENSOR_DIGEST, _METADATA_DIGEST = "tensor_sha256", "metadata_sha256"


def write(path: Path, kind: str, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, Any]) -> None:
    """Write arrays and metadata, completely or not at all; an existing file is replaced.

    Parameters
    ----------
    path : Path
    kind : str
        `MODEL` or `SPLIT`.
    tensors : mapping
        Arrays of numbers or bools by name.
    metadata : mapping
        Values that JSON can hold, without NaN.
    """
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    values = {"format": kind, "format_version": schema.RUN_VERSION, **metadata, _TENSOR_DIGEST: _tensor_digest(arrays)}
    text = {key: json.dumps(value, sort_keys=True, allow_nan=False) for key, value in values.items()}
    text[_METADATA_DIGEST] = json.dumps(_metadata_digest(text))
    with replacing(path) as temporary:
        temporary.write_bytes(save(arrays, metadata=text))


def read(path: Path, kind: str) -> tuple[Tensors, dict[str, Any]]:
    """Read a file from `write`: arrays by name, and metadata.

    Raises
    ------
    DataError
        The file does not exist.
    FormatError
        The file is of another kind, has another format version, or is damaged.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file - check the path")
    tensors: Tensors = {}
    try:
        with safe_open(path, framework="np") as file:
            text = file.metadata() or {}
            values = {key: json.loads(value) for key, value in text.items()}
            _check_kind(path, kind, values)
            for name in file.keys():  # noqa: SIM118 - a safetensors handle is no mapping
                tensors[name] = file.get_tensor(name)
    except FormatError:
        raise
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError, MemoryError) as error:
        reason = str(error).split("\n")[0]
        raise FormatError(
            f"{path} is damaged or not a safetensors file ({reason}) - restore it or train again"
        ) from error
    if values.get(_METADATA_DIGEST) != _metadata_digest(text) or values[_TENSOR_DIGEST] != _tensor_digest(tensors):
        raise FormatError(f"{path} is damaged: its content does not match its checksums - restore it or train again")
    own = ("format", "format_version", _TENSOR_DIGEST, _METADATA_DIGEST)
    return tensors, {key: value for key, value in values.items() if key not in own}


def parameter_counts(tensors: Mapping[str, NDArray[Any]]) -> dict[str, int]:
    """Number of parameters of each part of the model (the first component of tensor names), and `total`."""
    counts: dict[str, int] = {}
    for name, array in tensors.items():
        part, _, rest = name.removeprefix("readout.").partition(".")
        if part == "fm" and not rest.startswith(("identity", "network.", "feature_weight")):
            continue  # the network neighbors of genes are stored with the weights, but not learned
        counts[part] = counts.get(part, 0) + int(array.size)
    return counts | {"total": sum(counts.values())}


def _check_kind(path: Path, kind: str, values: Mapping[str, Any]) -> None:
    if values.get("format") != kind:
        raise FormatError(
            f"{path} is not a {kind} file (its format is {values.get('format')!r}) - give a file of that kind"
        )
    version = values.get("format_version")
    if version != schema.RUN_VERSION:
        raise FormatError(
            f"{path} has format version {version}, this dglcell reads {schema.RUN_VERSION} - "
            "use the dglcell that wrote it, or train again"
        )


def _tensor_digest(tensors: Mapping[str, NDArray[Any]]) -> str:
    parts: list[bytes | str | NDArray[Any]] = []
    for name in sorted(tensors):
        parts += [name, tensors[name]]
    return sha256(*parts)


def _metadata_digest(text: Mapping[str, str]) -> str:
    parts = [part for key in sorted(text) if key != _METADATA_DIGEST for part in (key, text[key])]
    return sha256(*parts)
