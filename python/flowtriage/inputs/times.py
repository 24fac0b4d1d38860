"""Parsers of times and periods, as msticpy reads them."""

from __future__ import annotations

import calendar
import re
import warnings
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, TypeAlias

from flowtriage.errors import ArgumentError
from flowtriage.humanize import sanitize
from flowtriage.inputs.missing import is_missing

_DAY_ALONE = re.compile(r"\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d-?\d")
_WEEK_ALONE = re.compile(r"\d{4}-?W\d\d")
_MONTH_ALONE = re.compile(r"(\d{4})(?:-(\d\d))?")
_ISO_MOMENT = re.compile(r"[\dW-]+[T ].*")
_DATE_AND_ZONE = re.compile(r"\d{4}-\d\d(-\d\d)?\s*[+-]\d\d:?\d\d")
_DAY_UNITS = ("datetime64[Y]", "datetime64[M]", "datetime64[W]", "datetime64[D]")
_DAY = timedelta(days=1)
_NOW = ("now", "today")
_DAY_OR_MONTH_FIRST = re.compile(
    r"(?<![\d.:-])(\d\d?)\s*([.-])\s*(\d\d?)\s*\2\s*(\d{4}|\d\d)(?!\d)", re.ASCII
)
_MONTHS = 12
_MAX_LENGTH = 200
_Bounds: TypeAlias = tuple[date | None, date | None]
"""First and last moment, or day, of what a value stands for."""


def day_start(day: date) -> datetime:
    """Return the first moment of a day, in UTC."""
    return datetime.combine(day, time(), UTC)


def day_end(day: date) -> datetime:
    """Return the last microsecond of a day, in UTC."""
    return datetime.combine(day, time.max, UTC)


def parse_time(value: Any, name: Literal["start", "end"]) -> datetime | None:
    """Parse a time in UTC; a date alone is the start of its day, or the end if it is an end.

    A string is in ISO 8601, or in any other notation that pandas reads, such as `May 1 2024 10:00`;
    `now` is the current time. A week, month or year alone is read as a date alone; so are a pandas
    `Period` and a `datetime64` in these units.

    Raises
    ------
    ArgumentError
        If the value is not a time.

    Examples
    --------
    >>> parse_time("1 May 2024", "end").isoformat()
    '2024-05-01T23:59:59.999999+00:00'
    >>> parse_time("2024-02", "end").isoformat()
    '2024-02-29T23:59:59.999999+00:00'
    """
    if value is None:
        return None
    if isinstance(value, str) and (readings := _readings(value)):
        raise ArgumentError(
            f"{name} {sanitize(repr(value), _MAX_LENGTH)} is ambiguous: day or month first; write "
            f"{readings[0]} or {readings[1]}"
        )
    try:
        first, last = _parse_text(value.strip()) if isinstance(value, str) else _bounds(value)
        found = last if name == "end" else first
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


def parse_period(value: Any) -> Any:
    """Parse a `timedelta`, or a string that pandas reads, such as `7d` or `36 hours`.

    What a `datetime` can be moved by, such as the `DateOffset` of pandas, is returned unchanged.

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
    if isinstance(found, timedelta) or _moves_times(found):
        return found
    raise ArgumentError(
        f"period {sanitize(repr(value), _MAX_LENGTH)} is not a period; "
        "give a timedelta, or write it like 7d or 36h"
    )


def moved(start: datetime, period: Any, sign: Literal[1, -1] = 1) -> datetime:
    """Return the time that is a period later, or earlier with the sign -1.

    Raises
    ------
    ArgumentError
        If the time is outside the years that times can have.
    """
    try:
        found: datetime = _plain(start + period if sign > 0 else start - period)
    except (ValueError, OverflowError):
        raise ArgumentError(
            f"period {sanitize(repr(period), _MAX_LENGTH)} leads from {start.isoformat()} out of "
            "the years 1 to 9999; give a shorter one"
        ) from None
    return found


def _moves_times(period: Any) -> bool:
    now = datetime.now(UTC)
    try:
        return all(isinstance(found, datetime) for found in (now + period, now - period))
    except (TypeError, ValueError, OverflowError):
        return False


def _bounds(value: Any) -> _Bounds:
    """Return the first and the last moment or day of a value that is no text."""
    if type(value).__name__ == "Period":
        return _plain(value.start_time), _plain(value.end_time)
    found = _plain(value)
    if type(value).__name__ == "datetime64" and str(value.dtype) in _DAY_UNITS and found:
        return found.date(), _plain(value + 1).date() - _DAY
    return found, found


def _plain(value: Any) -> Any:
    """Return a value of pandas or numpy as one of the standard library, or None if it is NaT."""
    if type(value).__name__ in ("datetime64", "timedelta64"):
        value = value.astype(f"{type(value).__name__}[us]").item()
    if is_missing(value):
        return None
    for name in ("to_pydatetime", "to_pytimedelta"):
        if hasattr(value, name):
            return getattr(value, name)(**{"warn": False} if name == "to_pydatetime" else {})
    return value


def _readings(text: str) -> tuple[date, date] | None:
    """Return the day of a date with the day and with the month first, if it may be either.

    Slashes separate dates with the month first, as pandas and msticpy read them.
    """
    found = _DAY_OR_MONTH_FIRST.search(text)
    if not found:
        return None
    one, other, year = (int(found[group]) for group in (1, 3, 4))
    if one == other or not 1 <= min(one, other) <= max(one, other) <= _MONTHS:
        return None
    year += 2000 if len(found[4]) == 2 else 0
    return (date(year, other, one), date(year, one, other)) if year else None


def _parse_text(text: str) -> _Bounds:
    if text.casefold() in _NOW:
        return (now := datetime.now(UTC)), now
    try:
        if bounds := _days_alone(text):
            return bounds
        if _ISO_MOMENT.fullmatch(text):
            return (found := datetime.fromisoformat(text)), found
    except ValueError:
        pass
    if _DATE_AND_ZONE.fullmatch(text):  # pandas reads the zone as a time of day
        raise ValueError("a date alone has no zone")
    found = _pandas("to_datetime", text)
    days = _days_of_pandas(text)
    if days is None:
        return found, found
    if found.tzinfo is not None:
        raise ValueError("a date alone has no zone")
    return days


def _days_alone(text: str) -> _Bounds | None:
    """Return the first and last day of a day, week, month or year in ISO 8601."""
    if month := _MONTH_ALONE.fullmatch(text):
        year, first, last = int(month[1]), int(month[2] or 1), int(month[2] or 12)
        return date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1])
    if _WEEK_ALONE.fullmatch(text):
        return (monday := date.fromisoformat(text)), monday + 6 * _DAY
    if _DAY_ALONE.fullmatch(text):
        return (day := date.fromisoformat(text)), day
    return None


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


def _days_of_pandas(text: str) -> _Bounds | None:
    """Return the first and last day of a text that pandas reads, None if it has a time of day."""
    try:
        first, last = _bounds(_pandas("Period", text))
    except (ValueError, OverflowError, Warning):
        return None
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return None
    whole = last - first >= _DAY - timedelta(microseconds=1)
    return (first.date(), last.date()) if whole else None
