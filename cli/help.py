"""Help with options in groups: in color in a terminal, plain text elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from typing import Any

import click
from rich_click import RichCommand, RichGroup
from rich_click.rich_parameter import RichArgument, RichOption

from dglcell.config.settings import GROUPS

_ARGUMENTS, _OPTIONS = "Arguments", "Options"  # names of these panels in rich-click
_WIDTH = 100  # characters, of plain help; in a narrower terminal, panels would break the names of options

_Decorator = Callable[[Any], Any]


def option(*names: str, group: str = _OPTIONS, **attributes: Any) -> _Decorator:
    """`click.option` in one of the groups of `dglcell.config.settings`."""
    return click.option(*names, cls=RichOption, panel=group, **attributes)


def argument(name: str, **attributes: Any) -> _Decorator:
    """`click.argument` with a help text."""
    return click.argument(name, cls=RichArgument, **attributes)


def _styled(text: str, **style: Any) -> str:
    """The text in a style, in a terminal that shows colors."""
    plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain else click.style(text, **style)


class _PlainWhenPiped(click.Command):
    """Writes plain help, with a section for each group of options, unless stdout is a terminal with room for panels."""

    def get_help(self, ctx: click.Context) -> str:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH
        if sys.stdout.isatty() and width >= _WIDTH:
            return super().get_help(ctx)
        formatter = click.HelpFormatter(width=min(width, _WIDTH))
        click.Command.format_usage(self, ctx, formatter)
        click.Command.format_help_text(self, ctx, formatter)
        self.write_sections(ctx, formatter)
        return formatter.getvalue().rstrip("\n")

    def write_sections(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The arguments, then the options by group."""
        sections: dict[str, list[tuple[str, str]]] = {group: [] for group in (_ARGUMENTS, *GROUPS, _OPTIONS)}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, RichArgument):
                sections[_ARGUMENTS].append((parameter.make_metavar(ctx), parameter.help or ""))
            elif record := parameter.get_help_record(ctx):
                sections[getattr(parameter, "panel", None) or _OPTIONS].append(record)
        for group, records in sections.items():
            if records:
                with formatter.section(_styled(group, bold=True)):
                    formatter.write_dl([(_styled(name, fg="cyan"), text) for name, text in records])


class Command(_PlainWhenPiped, RichCommand):
    """A command whose help shows its options by group."""


class Group(_PlainWhenPiped, RichGroup):  # type: ignore[misc]  # rich-click's own classes disagree on one signature
    """A group of commands, listed with their summaries."""

    summaries: dict[str, str]

    def write_sections(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, then the options."""
        with formatter.section(_styled("Commands", bold=True)):
            formatter.write_dl([(_styled(name, fg="cyan"), text) for name, text in self.summaries.items()])
        super().write_sections(ctx, formatter)
