"""Options that several commands share, so that each is spelled, typed and explained once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dglcell.cli import console
from dglcell.cli.help import Command, option
from dglcell.config.settings import DATA, OUTPUT

_Command = TypeVar("_Command", bound=Callable[..., Any])

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]  # generic for type checkers alone
else:
    ParamType = click.ParamType

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path)
NEW_FOLDER = click.Path(path_type=Path, file_okay=False)


class ManyFiles(Command):
    """Lets an option that repeats take several values at once: `--physical a.tsv b.tsv`.

    Values are taken up to the next option. A command with positional arguments keeps the tokens that it still needs:
    they must come before such an option.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option's name before each of its further values."""
        options = [p for p in self.params if isinstance(p, click.Option)]
        repeatable = {name for o in options if o.multiple for name in o.opts}
        with_value = {name for o in options if not o.is_flag for name in o.opts}
        num_arguments = sum(isinstance(p, click.Argument) and p.required for p in self.params)
        tokens: list[str] = []
        option, values = "", 0  # the option whose values are being read, and how many it has
        for token in args:
            if token.startswith("-") and token != "-":
                option, values = token if token in with_value else "", 0
            elif option and (values == 0 or (option in repeatable and num_arguments == 0)):
                if values:
                    tokens.append(option)
                values += 1
            else:
                option, num_arguments = "", num_arguments - 1
            tokens.append(token)
        return super().parse_args(ctx, tokens)


def verbose(command: _Command) -> _Command:
    """`-v` and `-q`."""

    def configure(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value:
            console.configure(1 if param.name == "verbose" else -1)

    command = option("-q", "--quiet", is_flag=True, expose_value=False, callback=configure, help="Show errors only.")(
        command
    )
    command = option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=configure,
        help="Show more; errors with a traceback.",
    )(command)
    return command


sbml = option("--sbml", type=FILE, group=DATA, help="Metabolic model in SBML (.xml, .xml.gz).")
model = option(
    "--model",
    type=click.Choice(["textbook"]),
    group=DATA,
    help="Metabolic model that comes with dglcell, in place of --sbml: E. coli core (137 genes).",
)
as_json = option("--json", "as_json", is_flag=True, group=OUTPUT, help="Print one JSON document instead of a table.")
overwrite = option("--overwrite", is_flag=True, group=OUTPUT, help="Replace existing output.")


def metabolic_model(sbml: Path | None, name: str | None, textbook: Callable[[], Path]) -> Path:
    """The one metabolic model that `--sbml` or `--model` names.

    Raises
    ------
    UsageError
        Neither or both are given.
    """
    if (sbml is None) == (name is None):
        raise click.UsageError("give one of --sbml F and --model textbook")
    return sbml if sbml is not None else textbook()
