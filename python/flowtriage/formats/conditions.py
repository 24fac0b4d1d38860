"""Conditions on the columns of a log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Condition: TypeAlias = tuple[str | tuple[str, ...], tuple[str, ...]]
"""A column and its allowed values, in upper or lower case; an empty string stands for a missing
value. Of several columns, each record uses the first that is not null."""
BoundCondition: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""A `Condition` under the names of a log."""


def bind_conditions(
    conditions: Iterable[Condition], names: Mapping[str, str], sparse: bool
) -> list[BoundCondition]:
    """Return the conditions on columns that a log has, under its names; all if it is sparse."""
    bound = []
    for columns, values in conditions:
        found = tuple(
            names.get(name.casefold(), name)
            for name in _columns(columns)
            if sparse or name.casefold() in names
        )
        if found:
            bound.append((found, values))
    return bound


def bind_required(
    conditions: Iterable[Condition], names: Mapping[str, str], sparse: bool
) -> list[BoundCondition] | None:
    """Return conditions under the names of a log; None if they can never hold there."""
    conditions = list(conditions)
    for condition in conditions:
        if not bind_conditions([condition], names, sparse) and "" not in condition[1]:
            return None
    return bind_conditions(conditions, names, sparse)


def condition_columns(conditions: Iterable[Condition]) -> set[str]:
    """Return the columns of conditions."""
    return {name for columns, _ in conditions for name in _columns(columns)}


def _columns(columns: str | tuple[str, ...]) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else columns
