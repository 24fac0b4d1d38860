"""Days far from all others on which records start, by the rule of time outliers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.humanize import counted
from flowtriage.quality.numbers import few

MIN_DISTANCE = timedelta(days=30)
_IMPLAUSIBLE = timedelta(days=3653)
_MAX_SHARE = 0.1


def rows_by_day(starts: pa.ChunkedArray) -> dict[date, int]:
    """Return the number of times on each day (UTC); nulls are not counted."""
    days = pc.value_counts(starts.cast(pa.timestamp("us")).cast(pa.date32()).drop_null())
    return {row["values"]: row["counts"] for row in days.to_pylist()}


def joined_counts(one: Mapping[date, int], other: Mapping[date, int]) -> dict[date, int]:
    """Add numbers by day, in order."""
    return {day: one.get(day, 0) + other.get(day, 0) for day in sorted({*one, *other})}


def far_days(spans: Iterable[tuple[date, date, int]]) -> dict[date, int]:
    """Return the number of records by first day, of the spans of days that are outliers.

    These are more than ten years from the median, or more than 30 days from the largest group of
    spans, if that has at least nine tenths of the records.

    Examples
    --------
    >>> one, other = date(2026, 3, 2), date(1970, 1, 1)
    >>> far_days([(one, one, 500), (other, other, 1)])
    {datetime.date(1970, 1, 1): 1}
    """
    ordered = sorted(span for span in spans if span[2])
    total, before = sum(count for *_, count in ordered), 0
    for start, end, count in ordered:
        before += count
        if before * 2 >= total:
            low, high = start, end
            break
    else:
        return {}
    groups: list[list[tuple[date, date, int]]] = []
    far, last = [], date.min
    for span in ordered:
        start, end, _ = span
        if low - end > _IMPLAUSIBLE or start - high > _IMPLAUSIBLE:
            far.append(span)
            continue
        if not groups or start - last > MIN_DISTANCE:
            groups.append([])
        groups[-1].append(span)
        last = max(last, end)
    sizes = [sum(count for *_, count in group) for group in groups]
    largest = sizes.index(max(sizes))
    if sum(sizes) - sizes[largest] <= sum(sizes) * _MAX_SHARE:
        far += [span for at, group in enumerate(groups) if at != largest for span in group]
    counts: Counter[date] = Counter()
    for start, _, count in sorted(far):
        counts[start] += count
    return dict(counts)


def far_text(days: Mapping[date, int]) -> str:
    """Return the number of records on days far from all others, and the days."""
    listed = few([f"{count:,} on {day}" for day, count in days.items()])
    starts = counted(sum(days.values()), "record starts", "records start")
    return f"{starts} more than 30 days from all others of a source: {listed}"
