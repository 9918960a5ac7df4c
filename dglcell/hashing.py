"""SHA-256 of arrays, text and files, for fingerprints and checksums."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def sha256(*parts: bytes | str | NDArray[Any]) -> str:
    """SHA-256 hex digest of the parts with their dtypes, shapes and lengths; different parts give different digests."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            body: Any = np.ascontiguousarray(part).reshape(-1).view(np.uint8)  # no copy of a large array
            head, size = f"{part.dtype.str}{part.shape}", part.nbytes
        else:
            body = part.encode() if isinstance(part, str) else part
            head, size = "bytes", len(body)
        digest.update(f"{head}:{size}:".encode())
        digest.update(body)
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
