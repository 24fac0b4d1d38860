"""Parsers of timespans and days."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from typing import Any, Protocol, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError
from flowtriage.humanize import sanitize

TimeLike: TypeAlias = datetime | date | str
"""A `datetime`, `date`, pandas `Timestamp` or ISO 8601 string; without a zone it is UTC."""
DayLike: TypeAlias = date | str
"""A `date`, a `datetime` (its day in UTC), or a string such as `2013-09-15`."""
_DATE_ALONE = re.compile(r"\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d(-?\d)?")


class HasStartAndEnd(Protocol):
    """An object with `start` and `end`, such as a msticpy `TimeSpan`."""

    @property
    def start(self) -> Any:
        """Start of the timespan."""

    @property
    def end(self) -> Any:
        """End of the timespan."""


TimespanLike: TypeAlias = HasStartAndEnd | Sequence[TimeLike | None]
"""A timespan argument: an object with `start` and `end`, or a pair of both."""


@dataclass(frozen=True)
class Timespan:
    """A timespan in UTC, start and end included; None if open."""

    start: datetime | None
    end: datetime | None

    def __post_init__(self) -> None:
        """Reject an end before the start."""
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ArgumentError(
                f"the end of the timespan ({self.end.isoformat()}) is before "
                f"its start ({self.start.isoformat()}); exchange them"
            )

    def __str__(self) -> str:
        """Return start and end as text."""
        start, end = (f"{t:%Y-%m-%d %H:%M:%S}" if t else "…" for t in (self.start, self.end))
        return f"{start} – {end} UTC"


def parse_timespan(
    timespan: TimespanLike | None = None,
    *,
    start: TimeLike | None = None,
    end: TimeLike | None = None,
) -> Timespan | None:
    """Parse a timespan, or its start and end; None if nothing was given.

    A timespan is a msticpy `TimeSpan`, any object with `start` and `end` (or one of them and
    `period`), or a pair of start and end. An end that is a date alone is the end of that day.

    Raises
    ------
    ArgumentError
        If a time cannot be parsed, or the end is before the start.

    Examples
    --------
    >>> str(parse_timespan(start="2013-09-15", end="2013-09-16T12:00Z"))
    '2013-09-15 00:00:00 – 2013-09-16 12:00:00 UTC'
    >>> parse_timespan(end="2013-09-15") == parse_timespan(end="2013-09-15T23:59:59.999999")
    True
    """
    period = None
    if isinstance(timespan, Timespan):
        return timespan
    if isinstance(timespan, (tuple, list)) and len(timespan) == 2:
        start, end = timespan
    elif timespan is not None:
        start = getattr(timespan, "start", None) or start
        end = getattr(timespan, "end", None) or end
        period = getattr(timespan, "period", None)
        if start is None and end is None:
            raise ArgumentError(
                f"timespan {timespan!r} has neither start nor end; "
                "give a TimeSpan, or start= and end="
            )
    first, last = _parse_time(start, "start"), _parse_time(end, "end")
    if isinstance(period, timedelta):
        first = first or (last - period if last else None)
        last = last or (first + period if first else None)
    return None if first is None and last is None else Timespan(first, last)


def day_span(day: date) -> Timespan:
    """Return the timespan of a whole day, in UTC."""
    start = datetime.combine(day, time(), UTC)
    return Timespan(start, start + timedelta(days=1, microseconds=-1))


def within(flows: pa.Table, span: Timespan | None) -> pa.Table:
    """Return the flows that start within a timespan; a bounded one excludes null starts."""
    bounds = () if span is None else ((span.start, pc.greater_equal), (span.end, pc.less_equal))
    starts = flows["start_time"]
    kept = [met(starts, pa.scalar(bound, starts.type)) for bound, met in bounds if bound]
    return flows.filter(reduce(pc.and_, kept)) if kept else flows


def _parse_time(value: Any, name: str) -> datetime | None:
    """Parse a time in UTC; a date alone is the start of its day, or the end if it is an end."""
    if value is None:
        return None
    if type(value).__name__ == "datetime64":
        unit = "D" if str(value.dtype) == "datetime64[D]" else "us"
        value = value.astype(f"datetime64[{unit}]").item()
    if value != value:
        raise ArgumentError(f"{name} {value!r} is not a time; give a datetime, or None")
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime(warn=False)
    if isinstance(value, str):
        text = value.strip()
        try:
            alone = _DATE_ALONE.fullmatch(text)
            value = date.fromisoformat(text) if alone else datetime.fromisoformat(text)
        except ValueError:
            raise ArgumentError(
                f"{name} {value!r} is not a time; write it like 2013-09-15 or 2013-09-15T23:44:10Z"
            ) from None
    if isinstance(value, datetime):
        return _in_utc(value, name)
    if isinstance(value, date):
        day = day_span(value)
        return day.end if name == "end" else day.start
    raise ArgumentError(f"{name} {value!r} is not a time; give a datetime or an ISO 8601 string")


def _in_utc(value: datetime, name: str) -> datetime:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ArgumentError(
            f"{name} {value.isoformat()} is not a time of the years 1 to 9999 in UTC"
        ) from None


def parse_day(value: DayLike) -> date:
    """Parse a `date`, a `datetime` (its day in UTC), or a string like `2013-09-15` or `20130915`.

    Raises
    ------
    ArgumentError
        If the value is not a date.

    Examples
    --------
    >>> parse_day("20130915")
    datetime.date(2013, 9, 15)
    """
    if isinstance(value, datetime):
        return _in_utc(value, "date").date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        shown = sanitize(str(value), 40)
        raise ArgumentError(f"{shown!r} is not a date; write it like 2013-09-15") from None
