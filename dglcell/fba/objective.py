"""The reaction whose flux a metabolic model maximizes."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from dglcell.errors import DataError, UsageError, setting

if TYPE_CHECKING:
    from cobra import Model

_SHOWN = 5
_WORDS = ("biomass", "growth")


def set_objective(model: Model, reaction: str | None, path: str) -> str:
    """Let a cobra model maximize one reaction, or check that it has an objective to maximize.

    Parameters
    ----------
    model : cobra.Model
        Changed in place.
    reaction : str, optional
        Id of the reaction.
    path : str
        For error messages.

    Returns
    -------
    str
        Ids of the maximized reactions, joined by `, `.

    Raises
    ------
    UsageError
        The model has no reaction of this id; the message names similar ones.
    DataError
        No reaction is given, and the model has no objective or one that is to be minimized; the message names reactions
        that may be growth.
    """
    from cobra.util.solver import linear_reaction_coefficients

    if reaction is None:
        coefficients = linear_reaction_coefficients(model)
        if coefficients and model.objective_direction == "max":
            return ", ".join(r.id for r in coefficients)
        reason = "its objective is to be minimized" if coefficients else "the model has no objective"
        raise DataError(f"{path}: {reason} - name the reaction to maximize: {_examples(candidates(model))}")
    if reaction not in model.reactions:
        close = close_ids(model, reaction) or candidates(model)
        raise UsageError(
            f"{path}: {setting('objective')} {reaction}: the model has no such reaction - give the id of one, as "
            f"{_examples(close)}"
        )
    model.objective = reaction
    model.objective_direction = "max"
    return reaction


def candidates(model: Model) -> list[str]:
    """Ids of reactions that may stand for growth: biomass or growth is part of the id or name, in any case."""
    return [r.id for r in model.reactions if any(word in f"{r.id} {r.name}".casefold() for word in _WORDS)]


def close_ids(model: Model, reaction: str) -> list[str]:
    """Ids like a misspelt one, in any case and with or without the prefix `R_`; ids of that name come first."""
    wanted = reaction.removeprefix("R_").casefold()
    ids: dict[str, list[str]] = {}
    for r in model.reactions:
        ids.setdefault(r.id.casefold(), []).append(r.id)
    named = [r.id for r in model.reactions if (r.name or "").casefold() == wanted]
    close = [i for match in get_close_matches(wanted, ids, _SHOWN) for i in ids[match]]
    return list(dict.fromkeys([*named, *close]))


def _examples(ids: Iterable[str]) -> str:
    shown = list(ids)
    if not shown:
        return f"{setting('objective')} REACTION"
    return f"{setting('objective')} {', '.join(shown[:_SHOWN])}{' ..' if len(shown) > _SHOWN else ''}"
