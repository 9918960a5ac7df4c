"""`dglcell formats`: the file formats that are read, from the registry by which files are recognized."""

from __future__ import annotations

import dataclasses
from itertools import groupby
from typing import TYPE_CHECKING

import click

from dglcell.cli import console, options
from dglcell.cli.help import Command, argument
from dglcell.errors import DataError, flag, with_flags

if TYPE_CHECKING:
    from dglcell.readers.formats import Format


@click.command(cls=Command)
@argument("name", required=False, default="", help="Show only formats whose name or kind contains these words.")
@options.as_json
@options.verbose
def command(name: str, as_json: bool) -> None:
    """List the file formats that are read, or show some of them with their columns and an example.

    A format is recognized by the content of the file, not by its name. A table in no known layout is read when its
    columns are named: --columns gene_1=ORF_A,gene_2=ORF_B,gene_interaction=eps.
    """
    from dglcell.readers.formats import all_formats, find_formats

    formats = find_formats(name) if name else all_formats()
    if not formats:
        raise DataError(f"no format is called {name!r} - `dglcell formats` lists all of them")
    if as_json:
        console.result([{**dataclasses.asdict(item), "reads": with_flags(item.reads)} for item in formats])
    elif name:
        for item in formats:
            _describe(item)
    else:
        for group, items in groupby(formats, key=lambda item: item.group):
            rows = [(item.name, _options(item), with_flags(item.reads)) for item in items]
            console.table((group, "option", "what is read"), rows)


def _options(item: Format) -> str:
    return " ".join(map(flag, item.options))


def _describe(item: Format) -> None:
    rows = [("option", _options(item)), ("what is read", with_flags(item.reads)), ("source", item.source)]
    rows += [(f"column {role}", ", ".join(names)) for role, names in item.columns.items()]
    console.table((f"{item.group}: {item.name}", ""), [row for row in rows if row[1]])
    if item.example:
        click.echo(item.example.rstrip("\n"))
