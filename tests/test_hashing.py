"""One digest for arrays, text and files."""

import numpy as np

from dglcell.hashing import file_sha256, sha256


def test_hashes_frame_their_parts():
    hashes = [
        sha256("ab", "c"),
        sha256("a", "bc"),
        sha256("abc"),
        sha256(np.arange(4)),
        sha256(np.arange(4).reshape(2, 2)),
        sha256(np.arange(4, dtype=np.int32)),
        sha256(np.arange(2), np.arange(2, 4)),
    ]
    assert len(set(hashes)) == len(hashes)
    assert sha256(np.arange(6).reshape(2, 3).T) == sha256(np.arange(6).reshape(2, 3).T.copy())


def test_file_hash(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert file_sha256(tmp_path / "f") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
