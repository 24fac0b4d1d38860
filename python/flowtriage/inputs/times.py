"""Parsers of times and periods, as msticpy reads them."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from flowtriage.errors import ArgumentError
from flowtriage.humanize import sanitize
from flowtriage.inputs.missing import is_missing

_DATE_ALONE = re.compile(r"\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d(-?\d)?")
_NOW = ("now", "today")
_MAX_LENGTH = 200


def day_start(day: date) -> datetime:
    """Return the first moment of a day, in UTC."""
    return datetime.combine(day, time(), UTC)


def day_end(day: date) -> datetime:
    """Return the last microsecond of a day, in UTC."""
    return datetime.combine(day, time.max, UTC)


def parse_time(value: Any, name: Literal["start", "end"]) -> datetime | None:
    """Parse a time in UTC; a date alone is the start of its day, or the end if it is an end.

    A string is in ISO 8601, or in any other notation that pandas reads, such as `May 1 2024 10:00`;
    `now` is the current time.

    Raises
    ------
    ArgumentError
        If the value is not a time.

    Examples
    --------
    >>> parse_time("1 May 2024", "end").isoformat()
    '2024-05-01T23:59:59.999999+00:00'
    """
    if value is None:
        return None
    try:
        found = _parse_text(value.strip()) if isinstance(value, str) else _plain(value)
        if isinstance(found, datetime):
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, Warning):
        found = None
    if isinstance(found, date):
        return day_end(found) if name == "end" else day_start(found)
    raise ArgumentError(
        f"{name} {sanitize(repr(value), _MAX_LENGTH)} is not a time; "
        "give a datetime, or write it like 2013-09-15 or 2013-09-15T23:44:10Z"
    )


def parse_period(value: Any) -> timedelta | None:
    """Parse a `timedelta`, or a string that pandas reads, such as `7d` or `36 hours`.

    Raises
    ------
    ArgumentError
        If the value is not a period.
    """
    if value is None:
        return None
    try:
        found = _pandas("Timedelta", value) if isinstance(value, str) else _plain(value)
    except (ValueError, OverflowError):
        found = None
    if isinstance(found, timedelta):
        return found
    raise ArgumentError(
        f"period {sanitize(repr(value), _MAX_LENGTH)} is not a period; "
        "give a timedelta, or write it like 7d or 36h"
    )


def _plain(value: Any) -> Any:
    """Return a value of pandas or numpy as one of the standard library, or None if it is NaT."""
    if type(value).__name__ in ("datetime64", "timedelta64"):
        unit = "D" if str(value.dtype) == "datetime64[D]" else "us"
        value = value.astype(f"{type(value).__name__}[{unit}]").item()
    if is_missing(value):
        return None
    for name in ("to_pydatetime", "to_pytimedelta"):
        if hasattr(value, name):
            return getattr(value, name)(**{"warn": False} if name == "to_pydatetime" else {})
    return value


def _parse_text(text: str) -> date | None:
    if text.casefold() in _NOW:
        return datetime.now(UTC)
    try:
        alone = _DATE_ALONE.fullmatch(text)
        return date.fromisoformat(text) if alone else datetime.fromisoformat(text)
    except ValueError:
        found: datetime | None = _pandas("to_datetime", text)
    return found.date() if found is not None and _has_no_time(text) else found


def _pandas(function: str, text: str) -> Any:
    """Parse a text with a function of pandas; an unknown zone is an error, not a warning."""
    try:
        import pandas as pd
    except ImportError:
        raise ValueError("pandas is not installed") from None
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        warnings.simplefilter("ignore", UserWarning)
        return _plain(getattr(pd, function)(text))


def _has_no_time(text: str) -> bool:
    """Return whether a text that pandas reads has a date only."""
    from dateutil import parser

    defaults = datetime(2000, 1, 1, 1, 1, 1), datetime(2000, 1, 1, 2, 2, 2)
    try:
        one, other = (parser.parse(text, default=default) for default in defaults)
    except (ValueError, OverflowError):
        return False
    return bool(one.hour != other.hour)
