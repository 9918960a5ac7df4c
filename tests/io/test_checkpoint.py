"""Checked files: round trip, damage of any bit, other versions, other kinds, nothing unpickled."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dglcell import schema
from dglcell.errors import DataError, FormatError, UsageError
from dglcell.io import checkpoint
from dglcell.training import state

TENSORS = {"layers.0.w": np.arange(6, dtype=np.float32).reshape(2, 3), "heads.b": np.array([0.5], np.float32)}
METADATA = {"scaler": {"mean": None, "sd": 1.5}, "fingerprints": {"ids": "ab", "content": "cd"}, "seed": 3}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    checkpoint.write(path, checkpoint.MODEL, TENSORS, METADATA)
    return path


def same(tensors: dict[str, Any], metadata: dict[str, Any]) -> bool:
    names = set(tensors) == set(TENSORS) and metadata == METADATA
    return names and all(tensors[n].dtype == a.dtype and np.array_equal(tensors[n], a) for n, a in TENSORS.items())


def test_arrays_and_metadata_come_back(model: Path) -> None:
    assert same(*checkpoint.read(model, checkpoint.MODEL))


def test_every_flipped_bit_is_refused_or_harmless(model: Path) -> None:
    content = model.read_bytes()
    refused = 0
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << (position % 8)
        model.write_bytes(damaged)
        try:
            found = checkpoint.read(model, checkpoint.MODEL)
        except FormatError:
            refused += 1
        else:
            assert same(*found), f"byte {position} changed what was read"
    assert refused > 0.9 * len(content)


def test_flipped_bits_in_weights_and_in_metadata_are_named_as_damage(model: Path) -> None:
    content = model.read_bytes()
    for position in (len(content) - 2, content.index(b"ab")):
        damaged = bytearray(content)
        damaged[position] ^= 1
        model.write_bytes(damaged)
        with pytest.raises(FormatError, match="damaged"):
            checkpoint.read(model, checkpoint.MODEL)


@pytest.mark.parametrize("length", [0, 5, 200, -1])
def test_a_file_cut_short_is_refused(model: Path, length: int) -> None:
    model.write_bytes(model.read_bytes()[:length])
    with pytest.raises(FormatError):
        checkpoint.read(model, checkpoint.MODEL)


def test_another_version_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "RUN_VERSION", schema.RUN_VERSION + 1)
    with pytest.raises(FormatError, match=f"format version {schema.RUN_VERSION - 1}"):
        checkpoint.read(model, checkpoint.MODEL)


def test_another_kind_and_a_missing_file_are_refused(model: Path) -> None:
    with pytest.raises(FormatError, match="dglcell-split"):
        checkpoint.read(model, checkpoint.SPLIT)
    with pytest.raises(DataError, match="no such file"):
        checkpoint.read(model.with_name("absent"), checkpoint.MODEL)


def test_metadata_cannot_hold_a_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        checkpoint.write(tmp_path / "m", checkpoint.MODEL, TENSORS, {"sd": float("nan")})
    assert not list(tmp_path.iterdir())


def test_metadata_is_json_text_that_any_reader_of_safetensors_sees(model: Path) -> None:
    from safetensors import safe_open

    with safe_open(model, framework="np") as file:
        text = file.metadata()
    assert json.loads(text["format_version"]) == schema.RUN_VERSION
    assert json.loads(text["scaler"]) == METADATA["scaler"]


def test_parameters_are_counted_by_part() -> None:
    assert checkpoint.parameter_counts(TENSORS) == {"layers": 6, "heads": 1, "total": 7}
    readout = {"readout.set_encoder.weight": np.zeros(4), "readout.heads.0.bias": np.zeros(2)}
    assert checkpoint.parameter_counts(readout) == {"set_encoder": 4, "heads": 2, "total": 6}
    factors = ("identity", "network.physical", "seen", "neighbors_physical", "ppr_physical")
    tensors = TENSORS | {f"fm.{name}": np.zeros(10) for name in factors}
    assert checkpoint.parameter_counts(tensors) == {"layers": 6, "heads": 1, "fm": 20, "total": 27}


def test_a_checkpoint_is_read_without_torch(model: Path) -> None:
    code = (
        "import sys, pathlib; from dglcell.io import checkpoint;"
        f"checkpoint.read(pathlib.Path({str(model)!r}), checkpoint.MODEL); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=600).returncode == 0


STATE = {"epoch": 2, "best": None, "history": [{"mse": 0.5}], "model": {"w": torch.arange(40.0)}, "seed": 1}


def test_a_state_comes_back_and_damage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "resume.pt"
    state.save(path, STATE)
    found = state.load(path)
    assert torch.equal(found.pop("model")["w"], STATE["model"]["w"])  # type: ignore[index]
    assert found == {k: v for k, v in STATE.items() if k != "model"}

    content = bytearray(path.read_bytes())
    content[content.index(np.float32(39.0).tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match="damaged"):
        state.load(path)


def test_a_state_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "was here"),)

    path = tmp_path / "resume.pt"
    torch.save({"state": Evil()}, path)
    with pytest.raises(FormatError):
        state.load(path)
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(FormatError):
        state.load(path)
    assert not (tmp_path / "was here").exists()


def test_a_state_of_another_version_or_none_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="nothing to resume"):
        state.load(tmp_path / "resume.pt")
    state.save(tmp_path / "resume.pt", STATE)
    version = schema.RUN_VERSION
    monkeypatch.setattr(schema, "RUN_VERSION", 99)
    with pytest.raises(FormatError, match=f"format version {version}"):
        state.load(tmp_path / "resume.pt")
