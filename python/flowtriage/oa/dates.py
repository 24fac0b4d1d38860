"""Days, in every spelling."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from flowtriage.errors import ArgumentError
from flowtriage.report.text import visible


def day_of(value: Any) -> date:
    """Read a day.

    Parameters
    ----------
    value
        A `date`, a `datetime` (its day in UTC), or text such as `2013-09-15` or `20130915`.

    Raises
    ------
    ArgumentError
        If it is none.

    Examples
    --------
    >>> day_of("20130915")
    datetime.date(2013, 9, 15)
    """
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC)).date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        shown = visible(str(value), 40)
        raise ArgumentError(f"{shown!r} is no date; write it like 2013-09-15") from None
