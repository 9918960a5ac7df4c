"""The screen that a run was trained on, found again after the run was moved or copied.

A run stores the path of its screen relative to its own folder. A file is used only if its content is what the run was
trained on, so a changed file, or the screen of another run, is never used by mistake.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dglcell.errors import DataError, DglcellError, FingerprintError, setting
from dglcell.genotypes.merge import merge_screens, report_lines
from dglcell.genotypes.splits.make import Split, check_leakage
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.fingerprints import IDS
from dglcell.hashing import file_sha256
from dglcell.inference.run import Run
from dglcell.io import cell_file, hdf5

Say = Callable[[str], None]


def run_screen(
    run: Run,
    table: GenotypeTable | None = None,
    cell: Path | str | None = None,
    say: Say = lambda message: None,
) -> tuple[GenotypeTable, Split]:
    """The screen that a run was trained on and its split.

    Without `table` and `cell`, the screen is searched for where it was during training, relative to the run; then among
    the cell files in the run's folder and its parent folder. Screens that were read from text files are searched for
    in these two folders by name.

    Parameters
    ----------
    run : Run
    table : GenotypeTable, optional
        The screen; it is only checked.
    cell : Path, optional
        The cell file that holds the screen.
    say : callable
        Receives the place where the screen was found, if it differs from that of the training.

    Raises
    ------
    DataError
        The screen was not found, or the split leaks.
    FingerprintError
        `table`, or the screen in `cell`, is not the one that the run was trained on.
    """
    split, fingerprint = run.folder.read_split()
    if run.metadata["screen"]["fingerprint"] != fingerprint:
        raise FingerprintError(
            f"{run.folder.split} splits a screen with fingerprint {fingerprint}, {run.folder.model} was trained on "
            f"{run.metadata['screen']['fingerprint']} - put back the files of one run"
        )
    if cell is not None:
        table = _stored(run, Path(cell))
    elif table is None:
        table = run.screen
    if table is None:
        table = _search(run, say)
    elif table.fingerprint != fingerprint:
        what = f"the screen in {cell}" if cell is not None else "this one"
        raise FingerprintError(
            f"the run {run.folder.path} was trained on a screen with fingerprint {fingerprint}, {what} has "
            f"{table.fingerprint} - give the screen of the training"
        )
    check_leakage(table, split)
    return table, split


def read_screens(
    run: Run, paths: Sequence[Path], say: Say, allow_empty: bool | None = None, **changes: Any
) -> GenotypeTable:
    """Read screens by the rules of the run's own screen, apart from `changes`.

    The columns that were named for the run's own screen need not be in these.
    """
    if "matrix" in changes:
        changes = {"condition": None, **changes}
    rules = dataclasses.replace(run.config, **changes)
    table, report = merge_screens(run.cell, paths, rules, allow_empty, all_columns="columns" in changes)
    for line in report_lines(report):
        say(line)
    return table


def _stored(run: Run, path: Path) -> GenotypeTable:
    table = cell_file.load_screen(path)
    if table is None:
        raise DataError(f"{path} holds no screen - the one that the run {run.folder.path} was trained on was expected")
    return table


def _search(run: Run, say: Say) -> GenotypeTable:
    reference, folder = run.metadata["screen"], run.folder
    failures: list[str] = []
    if reference["cell"] is not None:
        path = folder.locate(reference["cell"])
        table = _matching(run, path, failures)
        if table is not None:
            return table
    else:
        table = _from_text(run, reference["files"], failures, say)
        if table is not None:
            return table
    count = 0
    for path in _cell_files(run):
        count += 1
        table = _matching(run, path, [])
        if table is not None:
            say(f"the screen of the run {folder.path} was found in {path}")
            return table
    failures.append(f"none of {count} cell files in {' and '.join(map(str, _places(run)))} holds it")
    raise DataError(
        f"the screen that the run {folder.path} was trained on (fingerprint {reference['fingerprint']}) was not found: "
        f"{'; '.join(failures)} - give the file that holds it as {setting('cell')}"
    )


def _places(run: Run) -> tuple[Path, Path]:
    """Folders that may hold the screen after a move: the parent folder of the run, and the run's own."""
    folder = run.folder.path.resolve()
    return folder.parent, folder


def _cell_files(run: Run) -> Iterator[Path]:
    for place in _places(run):
        for path in sorted(place.glob("*.h5")):
            if path != run.folder.cell.resolve() and hdf5.is_own(path):
                yield path


def _matching(run: Run, path: Path, failures: list[str]) -> GenotypeTable | None:
    """The screen in a cell file if it is that of the run; else None, and the reason is added to the failures."""
    fingerprint = run.metadata["screen"]["fingerprint"]
    try:
        ids = cell_file.screen_ids(path)  # reads no row, so a screen of another graph is skipped quickly
        table = cell_file.load_screen(path) if ids == run.metadata["fingerprints"][IDS] else None
    except DglcellError as error:
        failures.append(error.template)
        return None
    if table is None:
        failures.append(f"{path} holds {'no screen' if ids is None else 'the screen of another cell graph'}")
    elif table.fingerprint != fingerprint:
        failures.append(f"{path} holds a screen with fingerprint {table.fingerprint}")
    else:
        return table
    return None


def _from_text(run: Run, files: Sequence[Mapping[str, Any]], failures: list[str], say: Say) -> GenotypeTable | None:
    """The screen from its text files if all exist unchanged; else None, and the reason is added to the failures."""
    if not files:
        failures.append("it was not read from a file")
        return None
    paths = [_unchanged(run, file, failures) for file in files]
    present = [path for path in paths if path is not None]
    if len(present) < len(paths):
        return None
    # As it was read: its fingerprint is compared.
    table = read_screens(run, present, say, allow_empty=True, unknown_genes="skip")
    if table.fingerprint == run.metadata["screen"]["fingerprint"]:
        return table
    names = ", ".join(path.name for path in present)
    failures.append(f"{names}, read by the rules of the run, has the fingerprint {table.fingerprint}")
    return None


def _unchanged(run: Run, file: Mapping[str, Any], failures: list[str]) -> Path | None:
    """A text file at its place during training, or with its name in the run's folder or the parent folder."""
    if not file["sha256"]:
        failures.append(f"{file['path']} was not a file")
        return None
    first = run.folder.locate(file["path"])
    candidates = dict.fromkeys([first, *(place / first.name for place in _places(run))])
    existing = [path for path in candidates if path.is_file()]
    for path in existing:
        if file_sha256(path) == file["sha256"]:
            return path
    if existing:
        failures.append(f"{' and '.join(map(str, existing))} changed since the training")
    else:
        failures.append(f"there is no {' or '.join(map(str, candidates))}")
    return None
