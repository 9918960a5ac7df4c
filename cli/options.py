"""Options that several commands share."""

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
    """Lets an option that may be repeated have several values: `--physical a.tsv b.tsv`.

    All values up to the next option belong to it. In a command with positional arguments, these must come before such
    an option; otherwise it gets one value only.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the name of the option before each further value."""
        options = [p for p in self.params if isinstance(p, click.Option)]
        repeatable = {name for o in options if o.multiple for name in o.opts}
        with_value = {name for o in options if not o.is_flag for name in o.opts}
        num_arguments = sum(isinstance(p, click.Argument) and p.required for p in self.params)
        tokens: list[str] = []
        option, values = "", 0  # the option whose values are being read, and their number so far
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
        help="Show more, and tracebacks of errors.",
    )(command)
    return command


def model(required: bool) -> Callable[[_Command], _Command]:
    """`--model`, also called `--sbml`: the file of one metabolic model, or `textbook`."""

    def only(ctx: click.Context, param: click.Parameter, values: tuple[Path, ...]) -> Path | None:
        if len(values) > 1:
            raise click.UsageError(f"--model {' '.join(map(str, values))} - one metabolic model was expected")
        return values[0] if values else None

    return option(
        *("--model", "--sbml", "model"),
        type=FILE,
        multiple=True,
        required=required,
        callback=only,
        group=DATA,
        help="Metabolic model: SBML, BiGG JSON, YAML or .mat, plain or compressed; or `textbook`, E. coli core (137 "
        "genes), which is built in.",
    )


as_json = option("--json", "as_json", is_flag=True, group=OUTPUT, help="Print one JSON document instead of a table.")
overwrite = option("--overwrite", is_flag=True, group=OUTPUT, help="Replace existing output.")
