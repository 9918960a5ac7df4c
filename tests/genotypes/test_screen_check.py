"""What is checked in a whole screen file: unknown genes, implausible values, and what is left."""

from __future__ import annotations

import functools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dglcell
from dglcell.config import ScreenRules
from dglcell.errors import DataError, DglcellWarning
from dglcell.genotypes import merge
from dglcell.genotypes.merge import ScreenMerger, merge_screens
from dglcell.io import cell_file
from tests.cells import tiny_cell

CELL = tiny_cell()  # genes G000 to G011


def write(path: Path, rows: list[str], header: str = "genes\tfitness") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def rows(known: int, unknown: int) -> list[str]:
    """Rows of a screen, half of the unknown genes from the third row on and half at the end."""
    names, others = ([f"{letter}{k % 12:03d}\t1" for k in range(n)] for letter, n in (("G", known), ("Q", unknown)))
    return [*names[:2], *others[: unknown // 2], *names[2:], *others[unknown // 2 :]]


@pytest.mark.parametrize("blocks", [1, 7])
def test_few_rows_with_unknown_genes_are_skipped_and_counted(
    tmp_path: Path, blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "s.tsv", rows(known=19, unknown=2))
    in_blocks(monkeypatch, path, blocks)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table, report = merge_screens(CELL, [path])
    assert len(table) == 19
    (file,) = report["files"]
    assert (file["rows"], file["rows with an unknown gene, left out"], file["unknown genes"]) == (21, 2, 2)
    assert file["unknown genes, for example"] == "Q000, Q001"


@pytest.mark.parametrize("blocks", [1, 7])
def test_a_tenth_of_the_rows_of_a_file_stops(tmp_path: Path, blocks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write(tmp_path / "a.tsv", rows(known=40, unknown=0))
    second = write(tmp_path / "b.tsv", rows(known=54, unknown=6))
    in_blocks(monkeypatch, second, blocks)
    with pytest.raises(DataError) as caught:
        merge_screens(CELL, [first, second])
    assert str(caught.value) == (
        f"{second}:4: 6 of 60 rows name a gene that the cell lacks (in the file: Q000, Q001, Q002, Q003, Q004, ..; "
        "in the cell: G000, G001, G002, G003, G004, ..) - correct the names, or leave the rows out with "
        'unknown_genes="skip"'
    )
    with pytest.warns(
        DglcellWarning, match=r"b.tsv: 6 of 60 rows are left out, as the cell lacks a gene \(in the f"
    ) as one:
        table, _ = merge_screens(CELL, [first, second], ScreenRules(unknown_genes="skip"))
    assert len(one) == 1
    assert np.bincount(table.source).tolist() == [40, 54]
    with pytest.raises(DataError, match=r"b.tsv:4: unknown genes: 'Q000'"):
        merge_screens(CELL, [first, second], ScreenRules(unknown_genes="error"))


def in_blocks(monkeypatch: pytest.MonkeyPatch, path: Path, num: int) -> None:
    """Read files in about `num` blocks of the length of `path`."""
    read = merge.read_blocks
    size = path.stat().st_size // num + 1
    monkeypatch.setattr(merge, "read_blocks", functools.partial(read, size=size))


def test_nothing_is_written_if_the_end_of_a_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "s.tsv", rows(known=9, unknown=1))
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="1 of 10 rows names a gene"):
        cell_file.save(CELL, tmp_path / "out" / "cell.h5", ScreenMerger(CELL, [path]))
    assert not list((tmp_path / "out").iterdir())


NONE_LEFT: list[tuple[list[str], dict[str, Any], str]] = [
    (
        ["Q1\t1", "Q2\t1"],
        {"unknown_genes": "skip"},
        r"no row of 2 has only genes of the cell \(in the file: Q1, Q2; in the",
    ),
    (["Q1\t1", "Q2\t1"], {}, r"no row of 2 has only genes of the cell"),
    (["G001\t"], {}, "none of 1 row has a fitness or gene_interaction"),
    (["G001\t", "G002\tNA"], {}, "none of 2 rows has a fitness or gene_interaction"),
]


@pytest.mark.parametrize(("lines", "rules", "message"), NONE_LEFT, ids=range(len(NONE_LEFT)))
def test_a_screen_of_which_nothing_is_left_is_refused(
    tmp_path: Path, lines: list[str], rules: dict[str, Any], message: str
) -> None:
    path = write(tmp_path / "s.tsv", lines)
    with pytest.raises(DataError, match=f"s.tsv: {message}.*or allow_empty=True"):
        dglcell.read_screen(path, CELL, **rules)
    with pytest.raises(DataError, match=f"s.tsv: {message}") as caught:
        merge_screens(CELL, [path], ScreenRules(**rules))  # a caller without this choice is not offered it
    assert "allow_empty" not in str(caught.value)
    with pytest.warns(DglcellWarning, match=f"s.tsv: {message}"):
        table = dglcell.read_screen(path, CELL, allow_empty=True, **rules)
    assert not table.usable().any()
    out = tmp_path / "cell.h5"
    dglcell.save_cell(CELL, out, table)
    stored = cell_file.load_screen(out)
    assert stored is not None and len(stored) == len(table)


def test_rules_that_leave_no_row_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "s.tsv", ["G001;G002\t0.5\t0.2"], "genes\tgene_interaction\tgene_interaction_p_value")
    with pytest.raises(DataError) as caught:
        merge_screens(CELL, [path], ScreenRules(max_p=0.05))
    reason = "rows with a p-value above 0.05, left out: 1"
    assert f"no row of 1 is left by the rules for screens ({reason})" in str(caught.value)


@pytest.mark.parametrize("blocks", [1, 5])
def test_an_implausible_fitness_is_a_warning_with_the_first_line(
    tmp_path: Path, blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = [1, 3, -3, -700, 0.5, -3.5, 12, 2]
    path = write(tmp_path / "s.tsv", [f"G00{k}\t{value}" for k, value in enumerate(values)])
    in_blocks(monkeypatch, path, blocks)
    with pytest.warns(DglcellWarning) as caught:
        table, _ = merge_screens(CELL, [path])
    assert [str(w.message) for w in caught] == [
        f"{path}:5: the fitness of 3 rows is beyond 3 (most extreme: -700) - fitness relative to a wild type of 1 was "
        "expected, no logarithms"
    ]
    assert table.labels[:, 0].tolist() == values


@pytest.mark.parametrize("name", ["fitness", "fitness_std", "gene_interaction", "gene_interaction_std"])
@pytest.mark.parametrize("value", ["1.2e22", "-16777217.5e1", "1e39"])
def test_a_number_beyond_single_precision_is_refused(tmp_path: Path, name: str, value: str) -> None:
    label = "gene_interaction" if name.startswith("fitness") else "fitness"
    path = write(tmp_path / "s.tsv", ["G001;G002\t0.5\t", f"G003;G004\t{value}\t1"], f"genes\t{name}\t{label}")
    with pytest.raises(DataError, match=rf"s.tsv:3: {name} .* a number of at most 16,777,216 in size was expected"):
        dglcell.read_screen(path, CELL, allow_empty=True)


def test_the_largest_exact_number_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "s.tsv", ["G001;G002\t16777216"], "genes\tgene_interaction")
    assert dglcell.read_screen(path, CELL).labels[0, 2] == 16777216


def test_data_frames_are_checked_alike() -> None:
    import pandas as pd

    frame = pd.DataFrame({"genes": [f"G{k:03d}" for k in range(11)] + ["Q1"], "fitness": 1.0})
    assert len(dglcell.GenotypeTable.from_dataframe(frame, CELL)) == 11
    frame["fitness"] = [4.0, *[1.0] * 11]
    with pytest.warns(DglcellWarning, match=r"data frame:1: the fitness of 1 row is beyond 3 \(most extreme: 4\)"):
        dglcell.GenotypeTable.from_dataframe(frame, CELL)
    frame["fitness"] = [1.0, 1e10, *[1.0] * 10]
    with pytest.raises(DataError, match=r"data frame:2: fitness 1e\+10 - a number of at most"):
        dglcell.GenotypeTable.from_dataframe(frame, CELL)
    with pytest.raises(DataError, match="data frame: no row of 1 has only genes of the cell"):
        dglcell.GenotypeTable.from_dataframe(frame[11:], CELL, unknown_genes="skip")
    assert len(dglcell.GenotypeTable.from_dataframe(frame[["genes"]], CELL)) == 11  # labels are not needed to predict


def test_an_ambiguous_name_is_told_with_its_line_once(tmp_path: Path) -> None:
    path = write(tmp_path / "s.tsv", ["G001\t1", "twice;G002\t1", "G003;twice\t1"])
    with pytest.raises(DataError) as caught:
        merge_screens(CELL, [path])
    assert str(caught.value) == f"{path}:3: gene name 'twice' is ambiguous: G000, G001 - give the systematic id"
