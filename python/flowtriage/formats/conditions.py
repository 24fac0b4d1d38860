"""Conditions on the columns of a log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Condition: TypeAlias = tuple[str, tuple[str, ...]]
"""A column and its allowed values; an empty string stands for a missing value."""


def bind_conditions(
    conditions: Iterable[Condition], names: Mapping[str, str], sparse: bool
) -> list[Condition]:
    """Return the conditions on columns that a log has, under its names; all if it is sparse."""
    return [
        (names.get(name.casefold(), name), values)
        for name, values in conditions
        if sparse or name.casefold() in names
    ]


def bind_required(
    conditions: Iterable[Condition], names: Mapping[str, str], sparse: bool
) -> list[Condition] | None:
    """Return conditions under the names of a log; None if they can never hold there."""
    absent = [c for c in conditions if not sparse and c[0].casefold() not in names]
    if any("" not in values for _, values in absent):
        return None
    return bind_conditions(conditions, names, sparse)
