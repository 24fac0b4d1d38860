"""Rows that are not among the flows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.humanize import counted
from flowtriage.inputs.timespan import Timespan


@dataclass(frozen=True)
class BadRow:
    """A record that could not be used.

    Parameters
    ----------
    source
        File or table of the record.
    number
        Line of the file, counted from 1, or row of the table, counted from 0.
    column
        Column with the error; None if the whole record is bad.
    value
        The invalid value, truncated if long.
    reason
        What is wrong.
    by_row
        Whether `number` is a row number.
    """

    source: str
    number: int
    column: str | None
    value: str | None
    reason: str
    by_row: bool = False

    def __str__(self) -> str:
        """Return location and reason in one line."""
        where = f"{self.source}, {'row' if self.by_row else 'line'} {self.number}"
        column = f", column {self.column}" if self.column else ""
        value = f"{self.value!r} " if self.value is not None else ""
        return f"{where}{column}: {value}{self.reason}"


class Total(NamedTuple):
    """A total stated in the trailer of a log, and the sum over the flows read."""

    source: str
    name: str
    stated: int
    read: int

    def __str__(self) -> str:
        """Return both numbers, and the source."""
        same = (
            "as read"
            if self.stated == self.read
            else f"but {counted(self.read, 'was read', 'were read')}"
        )
        return f"{self.stated:,}, {same} ({self.source})"


@dataclass(frozen=True)
class OtherHost:
    """A host whose records were dropped: its name, their number, and their first and last time."""

    host: str
    records: int
    start: datetime | None
    end: datetime | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        times = {"start": self.start, "end": self.end}
        iso = {name: time.isoformat() if time else None for name, time in times.items()}
        return {"host": self.host, "records": self.records, **iso}

    def __str__(self) -> str:
        """Return number, host and times in one line."""
        span = span_text(self.start, self.end)
        return f"{self.records:,} of {self.host}{f' ({span})' if span else ''}"


def hosts_of(flows: pa.Table) -> list[OtherHost]:
    """Return the hosts that logged flows, those with the most records first."""
    last = pc.coalesce(flows["end_time"], flows["start_time"])
    times = pa.table({"host": flows["host"], "start": flows["start_time"], "end": last})
    groups = times.group_by("host", use_threads=False)
    counted = groups.aggregate([([], "count_all"), ("start", "min"), ("end", "max")])
    rows = counted.sort_by([("count_all", "descending"), ("host", "ascending")]).to_pylist()
    return [
        OtherHost(
            row["host"] or "an unknown host", row["count_all"], row["start_min"], row["end_max"]
        )
        for row in rows
    ]


def span_text(start: datetime | None, end: datetime | None) -> str:
    """Format a span of time in UTC; empty without times."""
    return str(Timespan(start, end)) if start and end else ""
