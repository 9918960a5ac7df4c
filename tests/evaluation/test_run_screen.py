"""A run that is moved or copied finds its own screen, and takes no other for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dglcell import schema
from dglcell.errors import DataError, FingerprintError
from dglcell.evaluation.evaluate import evaluate
from dglcell.evaluation.run_screen import run_screen
from dglcell.genotypes.merge import merge_screens
from dglcell.genotypes.splits.make import make_split
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.inference.run import load_run
from dglcell.io import cell_file, checkpoint
from dglcell.training import state as states
from dglcell.training.loop import train
from tests.cells import tiny_cell
from tests.runs import tiny_config, tiny_table

CELL = tiny_cell()
TABLE, OTHER = tiny_table(CELL), tiny_table(CELL, seed=9)


def write_text_screen(path: Path, table: GenotypeTable) -> None:
    lines = ["genes\tfitness\tgene_interaction"]
    for i in range(len(table)):
        genes = ";".join(CELL.ids[schema.GENE][g] for g in table.genes[table.ptr[i] : table.ptr[i + 1]])
        values = ["" if np.isnan(v) else repr(float(v)) for v in table.labels[i, [0, 2]]]
        lines.append("\t".join([genes, *values]))
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`cell.h5` with a screen, `screen.tsv` with the same one, and a run on each: `stored`, `text`."""
    folder = tmp_path_factory.mktemp("template") / "a"
    folder.mkdir()
    cell_file.save(CELL, folder / "cell.h5", TABLE)
    write_text_screen(folder / "screen.tsv", TABLE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dglcell.training.loop._draw", lambda *args: None)
        patch.chdir(folder.parent)
        split = make_split(TABLE, "random", 0, 0.2, 0.2)
        config = tiny_config(epochs=1)
        train(CELL, TABLE, split, config, Path("a/stored"), screen_file=Path("a/cell.h5"))
        table, _ = merge_screens(CELL, [Path("a/screen.tsv")])
        split = make_split(table, "random", 0, 0.2, 0.2)
        train(CELL, table, split, tiny_config(epochs=1, screen=(str(folder / "screen.tsv"),)), Path("a/text"))
    return folder


@pytest.fixture
def a(template: Path, tmp_path: Path) -> Path:
    """A copy of the template, all that is left of it."""
    return shutil.copytree(template, tmp_path / "a")


KINDS = pytest.mark.parametrize(("name", "file"), [("stored", "cell.h5"), ("text", "screen.tsv")])


def found(run: Path) -> GenotypeTable:
    return run_screen(load_run(run))[0]


@KINDS
def test_no_folder_is_stored(template: Path, name: str, file: str) -> None:
    run = template / name
    _, metadata = checkpoint.read(run / "model.safetensors", checkpoint.MODEL)
    assert metadata["screen"]["cell"] == ("../cell.h5" if name == "stored" else None)
    assert [f["path"] for f in metadata["screen"]["files"]] == ([] if name == "stored" else ["../screen.tsv"])
    folder = str(template.parent).encode()
    for path in run.iterdir():
        if path.is_file() and path.name != "config.toml":  # that repeats what was typed
            assert folder not in path.read_bytes(), path
    assert states.load(run / "resume.pt")["config"].get("screen", []) == ([] if name == "stored" else ["screen.tsv"])


@KINDS
def test_a_folder_with_run_and_screen_can_be_moved(a: Path, name: str, file: str) -> None:
    expected = evaluate(load_run(a / name), names=())
    b = a.rename(a.parent / "b")
    assert found(b / name).fingerprint == load_run(b / name).metadata["screen"]["fingerprint"]
    assert evaluate(load_run(b / name), names=()) == expected


@KINDS
@pytest.mark.parametrize("original", ["changed", "deleted", "kept"])
def test_a_copy_reads_its_own_screen(a: Path, name: str, file: str, original: str) -> None:
    b = shutil.copytree(a, a.parent / "b")
    if original == "deleted":
        shutil.rmtree(a)
    elif original == "changed":
        change(a / file)
    own = found(b / name)
    if original == "kept":
        (b / file).unlink()
        for other in b.glob("cell.h5"):
            other.unlink()
        with pytest.raises(DataError, match="was not found"):  # the original's is not read in its place
            found(b / name)
    else:
        assert own.fingerprint == load_run(b / name).metadata["screen"]["fingerprint"]


def change(path: Path) -> None:
    if path.suffix == ".h5":
        cell_file.save(CELL, path, OTHER)
    else:
        write_text_screen(path, OTHER)


@KINDS
def test_a_run_that_moved_alone_finds_the_screen_beside_it(a: Path, tmp_path: Path, name: str, file: str) -> None:
    run = (a / name).rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"was not found: .*elsewhere.* - give the file that holds it as cell"):
        found(run)
    moved = tmp_path / ("graph.h5" if file == "cell.h5" else file)  # a cell file may have another name
    (a / file).rename(moved)
    said: list[str] = []
    table, _ = run_screen(load_run(run), say=said.append)
    assert table.fingerprint == load_run(run).metadata["screen"]["fingerprint"]
    if file == "cell.h5":
        assert said == [f"the screen of the run {run} was found in {moved}"]
    shutil.move(moved, run / moved.name)  # or in the run's own folder
    assert found(run).fingerprint == table.fingerprint


def test_a_text_screen_is_found_in_a_cell_file_too(a: Path) -> None:
    fingerprint = found(a / "text").fingerprint
    (a / "screen.tsv").unlink()
    (a / "cell.h5").unlink()
    cell_file.save(CELL, a / "other.h5", OTHER)
    with pytest.raises(DataError, match=r"no .*screen\.tsv .*none of 1 cell files"):
        found(a / "text")
    cell_file.save(CELL, a / "some.h5", merge_screens(CELL, [text_screen(a / "again.txt")])[0])
    (a / "again.txt").unlink()
    assert found(a / "text").fingerprint == fingerprint


def text_screen(path: Path) -> Path:
    write_text_screen(path, TABLE)
    return path


def _without_screen(path: Path) -> None:
    cell_file.save(CELL, path)


def _other_screen(path: Path) -> None:
    cell_file.save(CELL, path, OTHER)


def _other_cell(path: Path) -> None:
    other = tiny_cell(seed=3, genes=13)
    cell_file.save(other, path, tiny_table(other))


def _damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without_screen, r"cell\.h5 holds no screen"),
        (_other_screen, rf"cell\.h5 holds a screen with fingerprint {OTHER.fingerprint}"),
        (_other_cell, r"cell\.h5 holds the screen of another cell graph"),
        (_damaged, r"cell\.h5 is damaged"),
        (Path.unlink, r"cell\.h5: no such file"),
    ],
)
def test_what_was_sought_is_said(a: Path, change: Callable[[Path], None], reason: str) -> None:
    change(a / "cell.h5")
    with pytest.raises(DataError, match=rf"fingerprint {TABLE.fingerprint}\) was not found: .*{reason}") as caught:
        found(a / "stored")
    assert "\n" not in str(caught.value)
    cell_file.save(CELL, a / "put_back.h5", TABLE)
    assert found(a / "stored").fingerprint == TABLE.fingerprint


def test_a_text_screen_that_changed_is_said(a: Path) -> None:
    (a / "cell.h5").unlink()
    change(a / "screen.tsv")
    with pytest.raises(DataError, match=r"screen\.tsv changed since the training"):
        found(a / "text")


def test_a_cell_file_that_is_named_is_used_and_a_wrong_one_refused(a: Path, tmp_path: Path) -> None:
    run = load_run((a / "stored").rename(tmp_path / "elsewhere"))
    expected = evaluate(run, names=(), table=TABLE)
    assert evaluate(run, names=(), cell=a / "cell.h5") == expected
    _other_screen(tmp_path / "other.h5")
    with pytest.raises(FingerprintError) as caught:
        evaluate(run, names=(), cell=tmp_path / "other.h5")
    assert TABLE.fingerprint in str(caught.value) and OTHER.fingerprint in str(caught.value)
    _without_screen(tmp_path / "none.h5")
    with pytest.raises(DataError, match=r"none\.h5 holds no screen"):
        evaluate(run, names=(), cell=tmp_path / "none.h5")
    with pytest.raises(DataError, match="no such file"):
        evaluate(run, names=(), cell=tmp_path / "absent.h5")


def test_a_screen_that_came_from_no_file_is_asked_for(tmp_path: Path) -> None:
    cell: CellGraph = tiny_cell()
    table = tiny_table(cell)
    train(cell, table, make_split(table, "random", 0, 0.2, 0.2), tiny_config(epochs=1), tmp_path / "run")
    with pytest.raises(DataError, match="it was not read from a file"):
        found(tmp_path / "run")
    cell_file.save(cell, tmp_path / "saved_later.h5", table)
    assert found(tmp_path / "run").fingerprint == table.fingerprint


def test_the_split_of_another_run_is_refused(a: Path) -> None:
    other = GenotypeTable.of(CELL, TABLE.genes, TABLE.ptr, np.full((len(TABLE), 4), 0.5))
    train(CELL, other, make_split(other, "random", 0, 0.2, 0.2), tiny_config(epochs=1), a / "other")
    shutil.copy(a / "other" / "split.safetensors", a / "stored")
    with pytest.raises(FingerprintError, match="put back the files of one run"):
        found(a / "stored")
