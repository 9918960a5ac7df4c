"""`dglcell preprocess`: a cell graph from a metabolic model, a gene list, networks and screens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dglcell.cli import console, options, report
from dglcell.cli.help import option
from dglcell.cli.settings import setting_options, settings_of_options
from dglcell.config import BuildConfig, ScreenRules
from dglcell.config.settings import DATA, OUTPUT
from dglcell.errors import UsageError, setting

if TYPE_CHECKING:
    from dglcell.graph.cell import CellGraph


@click.command(cls=options.ManyFiles)
@options.model(required=False)
@option(
    "--genes",
    multiple=True,
    type=options.FILE,
    group=DATA,
    help="Gene lists: annotations (SGD_features.tab, GFF3, GTF), tables of names, one id per line, ..; and tables with "
    "further names of their genes, such as dbxref.tab; several files are merged. [default: the genes of the metabolic "
    "model]",
)
@option(
    "--physical",
    multiple=True,
    type=options.FILE,
    group=DATA,
    help="Physical interactions: STRING, BioGRID, PSI-MITAB, SIF, two columns, a matrix, ..; several files are merged.",
)
@option(
    "--regulatory",
    multiple=True,
    type=options.FILE,
    group=DATA,
    help="Regulation: two columns (transcription factor, target), RegulonDB, SIF, a matrix, ..; several files are "
    "merged.",
)
@option(
    "--relation",
    multiple=True,
    metavar="NAME=FILE",
    group=DATA,
    help="Further gene-gene network, in the formats of --physical, which becomes the relation NAME; NAME:directed=FILE "
    "if its edges are directed.",
)
@option(
    "--description",
    type=options.FILE,
    group=DATA,
    help="Gene annotation (SGD_features.tab, GFF3): the relation `description` joins genes with similar descriptions.",
)
@option(
    "--overlap",
    type=options.FILE,
    group=DATA,
    help="Gene annotation with positions (SGD_features.tab, GFF3, GTF): the relation `overlap` joins genes that "
    "overlap on the chromosome.",
)
@option(
    "--features",
    type=options.FILE,
    group=DATA,
    help="Gene features: HDF5 with `ids` and `x`, a table of genes and numbers, or a gene annotation, whose "
    "descriptions become numbers.",
)
@setting_options(BuildConfig, without=("columns",))
@option(
    "--screen",
    multiple=True,
    type=options.FILE,
    group=DATA,
    help="Screens: genotype tables, published layouts or matrices, stored with the cell graph; several files are "
    "merged.",
)
@setting_options(ScreenRules)
@option("--out", type=options.FILE, required=True, group=OUTPUT, help="Cell graph to write (cell.h5).")
@options.as_json
@options.overwrite
@options.verbose
def command(
    model: Path | None,
    genes: tuple[Path, ...],
    physical: tuple[Path, ...],
    regulatory: tuple[Path, ...],
    relation: tuple[str, ...],
    description: Path | None,
    overlap: Path | None,
    features: Path | None,
    screen: tuple[Path, ...],
    out: Path,
    as_json: bool,
    overwrite: bool,
    **values: Any,
) -> None:
    """Build a cell graph from a metabolic model, a gene list, networks and screens.

    File formats are recognized by content; `dglcell formats` lists them, and --columns names the columns of any other
    table. Counts of what was read, used and left out are printed and stored.
    """
    from dglcell.genotypes.merge import ScreenMerger
    from dglcell.graph.build_cell import build_cell, require_files
    from dglcell.io import cell_file
    from dglcell.io.atomic import refuse_existing
    from dglcell.readers.tables.column_map import divide

    of_screens, of_others = divide(values.pop("columns"))
    config = BuildConfig.from_dict(settings_of_options(BuildConfig, {**values, "columns": of_others})).validate()
    rules = ScreenRules.from_dict(settings_of_options(ScreenRules, {**values, "columns": of_screens})).validate()
    if rules.rules() and not screen:
        raise UsageError(
            f"{', '.join(setting(name) for name in rules.rules())} without {setting('screen')} has no effect"
        )
    if model is None and not genes:
        raise click.UsageError("neither --model nor --genes is given - a cell graph needs at least one of them")
    networks = {"physical": physical, "regulatory": regulatory, **_relations(relation)}
    paths = [path for files in networks.values() for path in files]
    require_files(model, [*genes, *paths, description, overlap, features, *screen])
    refuse_existing(out, overwrite)
    cell = build_cell(model, genes or None, networks, description, overlap, features, console.say, **config.to_dict())
    merger, screen_report = None, None
    if screen:
        console.say("reading the screens")
        merger = ScreenMerger(cell, screen, rules, config.allow_empty)
    cell_file.save(cell, out, merger, overwrite)
    if merger is not None:
        screen_report = merger.report()
    if as_json:
        console.result({**cell.info(), "out": str(out), "report": cell.report, "screen": screen_report})
    else:
        _print(cell, screen_report, out)


def _relations(items: tuple[str, ...]) -> dict[str, tuple[Path, ...]]:
    """Files by relation: `NAME=FILE`, then further files of the same relation."""
    relations: dict[str, tuple[Path, ...]] = {}
    name = ""
    for item in items:
        new, equals, path = item.partition("=")
        name, path = (new, path) if equals else (name, item)
        if not (name and path):
            raise click.UsageError(f"--relation {item!r} - NAME=FILE was expected")
        if name in ("physical", "regulatory"):
            raise click.UsageError(
                f"--relation {name}: the name is taken - give the file as --{name}, or choose another name"
            )
        relations[name] = (*relations.get(name, ()), Path(path))
    return relations


def _print(cell: CellGraph, screen: Mapping[str, Any] | None, out: Path) -> None:
    console.table(report.COLUMNS, report.rows(cell.report, screen), title=report.TITLE)
    console.table(("cell graph", "count"), console.graph_rows(cell.info()))
    console.say(f"wrote {out}")
