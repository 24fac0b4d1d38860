"""Parsers of timespans and days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from typing import Any, Protocol, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError
from flowtriage.humanize import sanitize
from flowtriage.inputs.times import day_end, day_start, moved, parse_period, parse_time

TimeLike: TypeAlias = datetime | date | str
"""A `datetime`, `date`, pandas `Timestamp` or string; without a zone it is UTC."""
DayLike: TypeAlias = date | str
"""A `date`, a `datetime` (its day in UTC), or a string such as `2013-09-15`."""


class HasStart(Protocol):
    """An object with a start, such as a msticpy `TimeSpan` or `QueryTime`."""

    @property
    def start(self) -> Any:
        """Start of the timespan."""


class HasPeriod(Protocol):
    """An object with a period."""

    @property
    def period(self) -> Any:
        """Length of the timespan."""


TimespanLike: TypeAlias = HasStart | HasPeriod | Sequence[TimeLike | None]
"""An object with two of `start`, `end` and `period`, or with one of them, or a pair of times."""


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

    @property
    def period(self) -> timedelta | None:
        """Length of the timespan; None if open."""
        return self.end - self.start if self.start and self.end else None

    def until_now(self) -> Timespan:
        """Return the timespan that ends now if it has a start and no end."""
        if self.start is None or self.end is not None:
            return self
        return Timespan(self.start, datetime.now(UTC))

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

    A timespan is a msticpy `TimeSpan`, any object with `start`, `end` or `period`, such as the
    widgets `QueryTime` and `Lookback`, a pair or `slice` of start and end, or a `Period` or
    `Interval` of pandas. A period is a `timedelta`, a `DateOffset` or a string such as `7d`; it
    starts at the start, or else ends at the end or now. Without period and end, such an object
    ends now. An end that is a date, month or year alone is its last moment.

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
    if isinstance(timespan, Timespan):
        return timespan
    if isinstance(timespan, (tuple, list)) and len(timespan) == 2:
        start, end = timespan
    elif isinstance(timespan, slice) and timespan.step is None:
        start, end = timespan.start, timespan.stop
    elif type(timespan).__name__ == "Period":
        return Timespan(parse_time(timespan, "start"), parse_time(timespan, "end"))
    elif type(timespan).__name__ == "Interval":
        return _parse_interval(timespan)
    elif timespan is not None:
        return _parse_object(timespan, start, end)
    first, last = parse_time(start, "start"), parse_time(end, "end")
    return None if first is None and last is None else Timespan(first, last)


def _parse_interval(interval: Any) -> Timespan:
    """Parse an interval of pandas; an end that it excludes is a microsecond outside."""
    first, last = parse_time(interval.left, "start"), parse_time(interval.right, "end")
    step = timedelta(microseconds=1)
    return Timespan(
        moved(first, step) if first and interval.open_left else first,
        moved(last, step, -1) if last and interval.open_right else last,
    )


def _parse_object(timespan: Any, start: Any, end: Any) -> Timespan:
    """Parse an object with `start`, `end` or `period`; the arguments take the place of None."""
    if isinstance(timespan, slice):
        raise ArgumentError(f"timespan {sanitize(repr(timespan), 200)} has a step; leave it out")
    first = parse_time(_attribute(timespan, "start", start), "start")
    last = parse_time(_attribute(timespan, "end", end), "end")
    period = parse_period(_attribute(timespan, "period", None))
    if first is None and last is None and period is None:
        raise ArgumentError(
            f"timespan {sanitize(repr(timespan), 200)} has neither start nor end nor period; "
            "give a TimeSpan, or start= and end="
        )
    if first is not None and period is not None:
        last = moved(first, period)
    elif last is None:
        last = datetime.now(UTC)
    if first is None and period is not None:
        last_is_day_end = last.time() == time.max
        first = moved(moved(last, timedelta(microseconds=last_is_day_end)), period, -1)
    return Timespan(first, last)


def _attribute(timespan: Any, name: str, default: Any) -> Any:
    """Return an attribute; a method is none, nor is a `TimeSpan`'s period of mixed time zones."""
    try:
        value = getattr(timespan, name, None)
    except TypeError:
        return default
    return default if value is None or callable(value) else value


def as_msticpy(span: Timespan | None) -> Any:
    """Return an equal msticpy `TimeSpan`; the timespan itself if open or without msticpy."""
    if span is None or span.start is None or span.end is None:
        return span
    try:
        from msticpy.common.timespan import TimeSpan
    except ImportError:
        return span
    return TimeSpan(start=span.start, end=span.end)


def day_span(day: date) -> Timespan:
    """Return the timespan of a whole day, in UTC."""
    return Timespan(day_start(day), day_end(day))


def span_of(times: pa.ChunkedArray) -> Timespan | None:
    """Return the timespan of times; None if all are null."""
    first, last = pc.min(times).as_py(), pc.max(times).as_py()
    return Timespan(first, last) if first else None


def joined(one: Timespan | None, other: Timespan | None) -> Timespan | None:
    """Return the timespan that covers two bounded ones."""
    if one is None or other is None:
        return one or other
    starts, ends = (one.start, other.start), (one.end, other.end)
    return Timespan(min(filter(None, starts)), max(filter(None, ends)))


def within(flows: pa.Table, span: Timespan | None) -> pa.Table:
    """Return the flows that start within a timespan; a bounded one excludes null starts."""
    mask = _starts_within(flows, span)
    return flows if mask is None else flows.filter(mask)


def outside(flows: pa.Table, span: Timespan | None) -> pa.Table:
    """Return the flows that `within` excludes."""
    mask = _starts_within(flows, span)
    if mask is None:
        return flows.slice(0, 0)
    return flows.filter(pc.invert(pc.fill_null(mask, fill_value=False)))


def _starts_within(flows: pa.Table, span: Timespan | None) -> pa.ChunkedArray | None:
    bounds = () if span is None else ((span.start, pc.greater_equal), (span.end, pc.less_equal))
    starts = flows["start_time"]
    kept = [met(starts, pa.scalar(bound, starts.type)) for bound, met in bounds if bound]
    return reduce(pc.and_, kept) if kept else None


def impossible_time(table: pa.Table) -> str | None:
    """Return the first column with a time or date that Python has none for, if any.

    Files and stores of other programs can have years beyond 9999.

    Examples
    --------
    >>> impossible_time(pa.table({"seen": pa.array([1 << 60], pa.timestamp("us"))}))
    'seen'
    """
    for field in table.schema:
        if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type):
            limits = pc.min_max(table[field.name])
            try:
                for end in ("min", "max"):
                    if pa.types.is_timestamp(field.type):
                        micros = pa.timestamp("us", field.type.tz)
                        pc.cast(limits[end], micros, safe=field.type.unit != "ns").as_py()
                    else:
                        limits[end].as_py()
            except (ValueError, OverflowError):
                return str(field.name)
    return None


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
