"""All models of a run: the same training from one seed after another, into one folder."""

from __future__ import annotations

from pathlib import Path

from dglcell.config import TrainConfig
from dglcell.genotypes.splits.make import Split
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph
from dglcell.io.run_folder import RunFolder
from dglcell.training.loop import RunSummary, train
from dglcell.training.progress import Progress


def train_all(
    cell: CellGraph,
    table: GenotypeTable,
    split: Split,
    config: TrainConfig,
    out: Path | str,
    progress: Progress | None = None,
    resume: bool = False,
    overwrite: bool = False,
    origin: Path | None = None,
) -> tuple[RunSummary, ...]:
    """Train `config.ensemble` models on one split; see `training.loop.train` for the arguments and errors.

    The members differ in their seed alone: weights, order of the rows, dropout (Lakshminarayanan et al.,
    arXiv:1612.01474). With `resume`, finished members are kept, a broken-off one goes on and missing ones begin, so an
    ensemble can be made larger later.

    Returns
    -------
    tuple of RunSummary
        One a member.
    """
    summaries = []
    for member in range(1, config.ensemble + 1):
        go_on = resume and (member == 1 or RunFolder(out, member).resume.is_file())
        replace = overwrite and member == 1
        summaries.append(train(cell, table, split, config, out, progress, go_on, replace, origin, member))
    return tuple(summaries)
