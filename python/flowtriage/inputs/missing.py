"""Values that stand for a missing one."""

from __future__ import annotations

from typing import Any

_MISSING = ("NAType", "NaTType")


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, or the `NA` or `NaT` of pandas.

    Examples
    --------
    >>> is_missing(float("nan")), is_missing(0), is_missing("")
    (True, False, False)
    """
    if value is None or type(value).__name__ in _MISSING:
        return True
    return isinstance(value, float) and value != value
