"""The functions of the public interface that combine several packages; `import dglcell` provides them.

Each function checks its arguments and calls the package that does the work.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dglcell.config import ScreenRules
from dglcell.errors import DataError, UsageError, warn
from dglcell.genotypes.merge import merge_screens
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.io import cell_file, hdf5
from dglcell.readers.models import TEXTBOOK

if TYPE_CHECKING:
    from pandas import DataFrame

    from dglcell.config import TrainConfig
    from dglcell.genotypes.splits.split import Split
    from dglcell.inference.run import Run
    from dglcell.training.progress import Progress

_TEXTBOOK_SCREEN: Final = "ecoli_core_fba.tsv.gz"


def load_cell(path: Path | str) -> CellGraph:
    """Load a cell graph that `dglcell preprocess` or `save_cell` has written.

    Parameters
    ----------
    path : path
        A cell file, usually `cell.h5`.

    Returns
    -------
    CellGraph
        Without the screen that the file may also hold, which `read_screen(path, cell)` reads.

    Raises
    ------
    DataError
        There is no such file.
    FormatError
        The file is not a cell graph, is damaged, or is of another version.

    Examples
    --------
    >>> import dglcell
    >>> cell = dglcell.load_cell("cell.h5")
    >>> cell.num_nodes("gene")
    137
    """
    return cell_file.load(path)


def save_cell(cell: CellGraph, path: Path | str, screen: GenotypeTable | None = None, overwrite: bool = False) -> None:
    """Write a cell graph, and optionally a screen, as `dglcell preprocess` does.

    Parameters
    ----------
    cell : CellGraph
    path : path
        The file, usually `cell.h5`.
    screen : GenotypeTable, optional
        Measured genotypes to store with it.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    UsageError
        The file exists and `overwrite` is false.
    FingerprintError
        The screen belongs to another cell.

    Examples
    --------
    >>> import dglcell
    >>> cell = dglcell.build_cell(model="textbook")
    >>> dglcell.save_cell(cell, "textbook.h5", dglcell.read_screen("textbook", cell))
    """
    cell_file.save(cell, Path(path), screen, overwrite)


def read_screen(
    paths: Path | str | Sequence[Path | str] | DataFrame,
    cell: CellGraph,
    unknown_genes: str = "few",
    allow_empty: bool = False,
    **rules: Any,
) -> GenotypeTable:
    """Read measured genotypes, in any published layout, into one table.

    Parameters
    ----------
    paths : path or sequence of paths
        Screen files, whose layout is recognized from their content; or one cell file that holds a screen. `"textbook"`
        is the screen of the E. coli core model that comes with dglcell, computed by flux balance. A data frame is read
        as by `GenotypeTable.from_dataframe`, with the rules given here.
    cell : CellGraph
        Resolves the names: ids, standard names and aliases.
    unknown_genes : str
        What to do with rows that name a gene which the cell lacks: `few` leaves them out and counts them, but stops if
        they are a tenth of a file or more, `skip` leaves them out in any case, `error` stops at the first.
    allow_empty : bool
        Accept a file of which no row, or no row with a fitness or an interaction, is left.
    **rules
        Fields of `ScreenRules`: `alleles`, `replicates`, `max_p`, `clip_fitness`, `derive_fitness`, `raw_scores`,
        `matrix`, `condition`, `columns`.

    Returns
    -------
    GenotypeTable
        Its `sources` say what was read, merged and dropped, by file.

    Raises
    ------
    DataError
        A file cannot be read, names too many unknown genes, has a number beyond single precision, or has no row with a
        label; or a cell file holds no screen.
    UsageError
        A rule with an invalid value, or rules for a screen that is stored with a cell.

    Examples
    --------
    >>> import dglcell
    >>> cell = dglcell.build_cell(model="textbook")
    >>> dglcell.read_screen("textbook", cell)
    GenotypeTable: 9,453 rows
      deletions         1: 137 rows, 2: 9,316 rows
      fitness           9,453 rows
      gene_interaction  9,316 rows
      from              ecoli_core_fba.tsv.gz (genotype table)
    """
    _require("cell", cell, CellGraph, "dglcell.build_cell or load_cell returns one")
    if isinstance(paths, str) and paths == TEXTBOOK:
        with as_file(files("dglcell.data") / _TEXTBOOK_SCREEN) as path:
            return read_screen(path, cell, unknown_genes, allow_empty, **rules)
    settings = ScreenRules.from_dict({"unknown_genes": unknown_genes, **rules}, "read_screen")
    if hasattr(paths, "columns"):
        from dglcell.readers.data_frames import genotypes_of_frame

        return merge_screens(
            cell, [genotypes_of_frame(paths, unlabeled=allow_empty, is_gene=cell.has_gene)], settings, allow_empty
        )[0]
    screens = [Path(paths)] if isinstance(paths, (str, Path)) else [Path(path) for path in paths]
    if len(screens) == 1 and hdf5.is_own(screens[0]):
        return _stored_screen(screens[0], cell, rules)
    return merge_screens(cell, screens, settings, allow_empty)[0]


def train(
    cell: CellGraph,
    screen: GenotypeTable,
    split: Split | None = None,
    config: TrainConfig | None = None,
    *,
    out: Path | str,
    progress: Progress | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> Run:
    """Train a model, or an ensemble of them, and load it.

    Parameters
    ----------
    cell : CellGraph
    screen : GenotypeTable
        Measured genotypes of this cell.
    split : Split, optional
        Training, validation and test rows; without it, the split that `config` describes. What `make_split` made it
        from is written to the run's configuration: its kind, fractions and fold, and its seed unless `config` has one.
        The configuration's own values must agree, and a split that it cannot describe gives a warning.
    config : TrainConfig, optional
        Every setting of the model and its training; without it, the defaults. The settings that say how a screen is
        read are taken from `screen`, which has been read already.
    out : path
        Run folder to write: weights, the configuration, metrics of every epoch, plots.
    progress : Progress, optional
        Receives the events of the training: starts, steps, epochs, ends.
    overwrite : bool
        Replace a run in `out`.
    resume : bool
        Continue the run in `out` after its last finished epoch.

    Returns
    -------
    Run
        Ready to predict; `load_run(out)` loads it again.

    Raises
    ------
    UsageError
        Settings that cannot be used or contradict the split, a folder that may not be written, nothing to resume.
    TypeError
        An argument in the place of another.
    RunError
        The loss is not finite, or there is not enough memory.

    Examples
    --------
    >>> import dglcell
    >>> cell = dglcell.build_cell(model="textbook")
    >>> screen = dglcell.read_screen("textbook", cell).take(range(400))
    >>> config = dglcell.TrainConfig(layers=1, hidden=16, epochs=1)
    >>> run = dglcell.train(cell, screen, config=config, out="a_run")
    >>> run.predict([["b0008"], ["b0114", "b0115"]]).columns.tolist()
    ['genes', 'pred_fitness', 'pred_gene_interaction']
    """
    from dglcell.config import TrainConfig
    from dglcell.genotypes.splits.make import config_with_split, split_from_config
    from dglcell.genotypes.splits.split import Split
    from dglcell.inference.run import load_run
    from dglcell.training.loop import train as train_members

    _require("cell", cell, CellGraph, "dglcell.build_cell or load_cell returns one")
    _require("screen", screen, GenotypeTable, "dglcell.read_screen returns one")
    if split is not None:
        hint = "write config=.." if isinstance(split, TrainConfig) else "dglcell.make_split returns one"
        _require("split", split, Split, hint)
    if config is not None:
        _require("config", config, TrainConfig, "write TrainConfig(..)")
    config, reason = config or TrainConfig(), ""
    if split is not None:
        config, reason = config_with_split(config, split)
    settings = _as_read(config.for_cell(cell), screen)
    if reason:
        message = f"config.toml does not describe the split ({reason}): training from it will split otherwise"
        warn(message)
    if split is None:
        split = split_from_config(screen, cell, settings)
    settings = dataclasses.replace(settings, similarity=config.similarity)  # None if the caller left it open
    train_members(cell, screen, split, settings, out, progress, resume, overwrite)
    run = load_run(out, settings.device, settings.engine, cell, settings.chunk)
    return dataclasses.replace(run, screen=screen)


def evaluate(
    run: Run | Path | str,
    subset: str = "test",
    screen: GenotypeTable | Path | str | Sequence[Path | str] | None = None,
    baselines: str | Sequence[str] = "quick",
    cell: Path | str | None = None,
    unknown_genes: str = "few",
    **layout: Any,
) -> DataFrame:
    """Compare a run with baselines that were fitted on its training rows, on genotypes that neither has seen.

    Parameters
    ----------
    run : Run or path
        A run, or its folder.
    subset : str
        Rows of the run's own screen to score: `test`, `val` or `train`.
    screen : GenotypeTable or paths, optional
        Another screen to score instead; genotypes that the run was trained or validated on are left out. The run's own
        screen as a table is recognized, and is needed if that screen was not read from a file.
    baselines : str or sequence of str
        `quick` (seconds), `default` (minutes), `all`, `none`, names joined by commas or a list of names.
    cell : path, optional
        The cell file that holds the run's own screen, if the run was moved away from it.
    unknown_genes : str
        What to do with rows of another screen with a gene that the cell lacks, as in `read_screen`.
    **layout
        `columns`, `matrix` and `condition` of another screen, as in `read_screen`, if they differ from those of the
        run.

    Returns
    -------
    pandas.DataFrame
        One row for each model, group of rows (`all`, and `order_1`, `order_2`, .. by number of deletions) and label:
        `model`, `rows`, `label`, `n`, `pearson`, `spearman`, `mse`, `mae`; undefined numbers are NaN. `attrs["failed"]`
        names the baselines that failed, with the reason.

    Raises
    ------
    DataError
        The run's screen was not found, or no row of the subset has a label.
    FingerprintError
        The screen has changed since the training.

    Examples
    --------
    >>> import dglcell
    >>> run = dglcell.load_run("run")
    >>> table = dglcell.evaluate(run, baselines=["mean", "gene-ridge"])
    >>> table.columns.tolist()
    ['model', 'rows', 'label', 'n', 'pearson', 'spearman', 'mse', 'mae']
    >>> sorted(set(table["model"]))
    ['dglcell', 'gene-ridge', 'mean']
    """
    import pandas

    from dglcell.evaluation import report as reports
    from dglcell.evaluation.evaluate import evaluate as compare
    from dglcell.inference.run import Run, load_run

    if isinstance(run, (str, Path)):
        run = load_run(run)
    _require("run", run, Run, "dglcell.load_run returns one")

    own = screen if isinstance(screen, GenotypeTable) and run.is_trained_on(screen) else None
    if own is not None:
        screen = None
    elif isinstance(screen, (str, Path)):
        screen = [screen]
    report = compare(run, subset, screen, own, baselines, cell=cell, unknown_genes=unknown_genes, **layout)
    failed = report.get(reports.FAILED, {})
    rows = [row for row in reports.tidy(report) if row[1] != reports.FAILED]
    frame = pandas.DataFrame(rows, columns=list(reports.COLUMNS))
    measures = list(reports.COLUMNS[4:])
    frame[measures] = frame[measures].astype(float)
    frame.attrs = {"subset": reports.subset_of(report), "failed": dict(failed)}
    return frame


def _require(name: str, value: object, expected: type, advice: str) -> None:
    """Refuse an argument of another type (TypeError)."""
    if not isinstance(value, expected):
        article = "an" if type(value).__name__[0] in "aeiou" else "a"
        what = f"{article} {type(value).__name__}"
        raise TypeError(f"{name} is {what} - a {expected.__name__} was expected; {advice}")


def _stored_screen(path: Path, cell: CellGraph, rules: dict[str, Any]) -> GenotypeTable:
    if rules:
        raise UsageError(f"{', '.join(rules)}: the screen in {path} is stored as it was read - give its files instead")
    screen = cell_file.load_screen(path)
    if screen is None:
        raise DataError(f"{path} holds no screen - give the screen's own files")
    screen.require_cell(cell, f"the screen in {path}")
    return screen


def _as_read(config: TrainConfig, screen: GenotypeTable) -> TrainConfig:
    """The configuration with the rules by which the screen was read, which are needed to read its files again."""
    rules = [source.get("rules") for source in screen.sources]
    if not rules or rules[0] is None or any(other != rules[0] for other in rules):
        return config
    defaults = dataclasses.asdict(ScreenRules())
    return dataclasses.replace(config, **(defaults | rules[0]))
