"""The `dglcell` command. The module of a command is imported only when that command runs.

An error is printed as one line. Exit codes: 0 success, 1 failure of a run or a file, 2 wrong usage, 130 Ctrl-C,
143 SIGTERM.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import click

from dglcell import __version__
from dglcell.cli import console
from dglcell.cli.help import Group
from dglcell.errors import DglcellError, with_flags

_COMMANDS = {
    "preprocess": "Build a cell graph from a metabolic model, a gene list, networks and screens.",
    "simulate": "Compute fitness and gene interactions of deletions by flux balance analysis.",
    "train": "Train a model on a cell graph and a screen.",
    "evaluate": "Compare a trained run with baselines on held-out genotypes.",
    "predict": "Predict the fitness and gene interactions of genotypes with a trained run.",
    "formats": "List the file formats that are read.",
    "info": "Show what a cell graph, a screen or a run holds.",
    "doctor": "Check the installation: versions, DGL, CUDA, engine, memory.",
    "demo": "Run everything on an example that needs no download.",
}


class _Terminated(BaseException):
    """SIGTERM, raised in the main thread so that temporary files are removed before the exit."""


class _LazyGroup(Group):
    """Imports the module of a command when the command is used."""

    summaries = _COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"dglcell.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        command.name, command.short_help = cmd_name, _COMMANDS[cmd_name]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            raise click.UsageError(f"no such command {args[0]!r} - one of {', '.join(_COMMANDS)} was expected")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_LazyGroup,
    no_args_is_help=False,  # an error like any other, in one line
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="dglcell")
def group() -> None:
    """Predict which gene deletions change fitness, and which genes interact.

    Build a cell graph with preprocess, train a model on it, and predict with the run. `dglcell demo` runs all steps on
    an example that needs no download; `dglcell COMMAND --help` explains one command.
    """


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    # OpenMP reads this when torch is loaded. Otherwise its threads wait for each other by spinning, which on busy cores
    # costs a time slice of the scheduler per operator: steps of 0.01 s then last seconds.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    console.configure(0)
    try:
        group.main(args=arguments, prog_name="dglcell", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        console.error(error.format_message())
        if isinstance(error, click.UsageError) and error.ctx is not None:
            console.error(f"see: {error.ctx.command_path} --help", prefix="")
        return 2
    except DglcellError as error:
        _explain(error, with_flags(error.template))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        console.error("stopped by Ctrl-C")
        return 130
    except _Terminated:
        console.error("stopped by SIGTERM")
        return 143
    except BrokenPipeError:  # the reader of the output has ended, as in `dglcell info | head`
        sys.stderr.close()
        return 1
    except MemoryError as error:
        _explain(error, "out of memory - give a smaller --batch-size or --chunk")
        return 1
    except Exception as error:  # a defect of dglcell: also one line
        _explain(error, f"unexpected {type(error).__name__}: {error} - run again with -v to see where")
        return 1
    return 0


def _explain(error: BaseException, message: str) -> None:
    if console.verbosity() > 0:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    console.error(message)


def _terminate(signum: int, frame: FrameType | None) -> Any:
    raise _Terminated
