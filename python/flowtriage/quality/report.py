"""The report of reading flows."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import FlowParts
from flowtriage.errors import InputError
from flowtriage.formats.declaration import Format
from flowtriage.humanize import counted
from flowtriage.inputs.timespan import Timespan, impossible_time, joined, span_of
from flowtriage.quality.bad_rows import BadRow, OtherHost, Total, span_text
from flowtriage.quality.facts import facts_of
from flowtriage.quality.far_days import far_days, joined_counts, rows_by_day
from flowtriage.quality.numbers import MAX_LISTED, flows_text
from flowtriage.quality.rows import Meter, Quality
from flowtriage.quality.sums import exact_sum

COUNTS = (
    "rows_read",
    "rows_bad",
    "rows_expanded",
    "rows_counted",
    "rows_repeated",
    "repeated_flows",
    "repeated_bytes",
    "rows_outside",
    "rows_migrated",
    "rows_superseded",
    "rows_duplicate",
    "rows_stitched",
    "rows_end_before_start",
    "rows_without_sides",
    "rows_contradicted_totals",
    "rows_payload_only",
    "rows_translated",
    "rows_of_other_hosts",
)
"""Counts that add up when reports are merged."""
COUNTS_BY_VALUE = ("skipped", "unknown_actions", "reversed")
_FLOWS = ("flows", "denied_flows")
_TIMES = ["start_time", "end_time"]


@dataclass
class ReadReport:
    """The report of reading flows.

    Attributes
    ----------
    formats
        Names of the formats found.
    sources
        Files and tables read.
    rows_read
        Records read, including bad ones.
    rows_bad
        Records that could not be used.
    bad_rows
        The first ten of them.
    skipped
        Number of non-flow records, by the column and value that identify them.
    unknown_actions
        Number of records whose action is unknown, by its column and value; they count as allowed.
    rows_expanded
        Records that name several peers and were expanded into several flows, each with all
        counters of the record.
    rows_counted
        Flows with per-peer counters in their record.
    rows_repeated
        Flows that repeat the counters of one record, whether expanded here or by the source.
    repeated_flows, repeated_bytes
        Upper bound of the excess in the totals that this causes.
    rows_outside
        Flows outside the requested timespan, or without a time.
    outside
        Timespan of the starts of these.
    totals
        Totals stated by logs, with the sums over the flows read.
    limits
        Limitations of the formats.
    counters
        Counter semantics by format: `record`, delta counters; `flow`, cumulative counters; None
        if the source decides.
    internal
        Internal networks; None for the default ones.
    skipped_files
        Files in directories that were not read, with the reason.
    rows_migrated
        `AzureNetworkAnalytics_CL` rows dropped because `NTANetAnalytics` covers them.
    rows_superseded
        Superseded records dropped: a later record of the same flow contains more.
    rows_duplicate
        Duplicate observations by other exporters, dropped by `deduplicate=True`.
    rows_stitched
        Records merged into the record of the opposite direction by `stitch=True`.
    rows_end_before_start
        Records that end before they start; their `end_time` is null.
    rows_without_sides
        Records with a count of both endpoints together, which is in the column of the source.
    rows_contradicted_totals
        Records whose total is not the sum of the counts of both endpoints, which are used.
    rows_payload_only
        Records with payload bytes of an endpoint, but no bytes.
    rows_translated
        Records in whose packets an endpoint had another address, such as at a NAT gateway.
    rows_of_other_hosts
        Records without a wanted host, which were not read otherwise.
    reversed
        Number of flows whose endpoints were exchanged, with ports and counters, by the evidence
        that the second one is the initiator.
    other_hosts
        Hosts whose records a provider returned instead of those of the requested one; dropped.
    incomplete
        Queries of a provider that failed or whose results are cut; records are missing.
    date_orders
        Sources with dates that have the year last, each with the order of day and month.
    days_outside
        Number of the rows outside the timespan by day.
    far_days
        Number of records by day, of those that start far from all others of their source.
    records
        Resulting records, as rows.
    flows, denied_flows
        Allowed and denied flows that these records stand for (see docs/counts.md).
    start, end
        First start, and last end or start, of these; UTC.
    columns
        Names of the columns of the sources, as far as they have a header.
    exporters
        Whether a format records the exporter of a flow.
    """

    formats: set[str] = field(default_factory=set)
    sources: list[str] = field(default_factory=list)
    rows_read: int = 0
    rows_bad: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    unknown_actions: dict[str, int] = field(default_factory=dict)
    rows_expanded: int = 0
    rows_counted: int = 0
    rows_repeated: int = 0
    repeated_flows: float = 0.0
    repeated_bytes: float = 0.0
    rows_outside: int = 0
    rows_migrated: int = 0
    rows_superseded: int = 0
    rows_duplicate: int = 0
    rows_stitched: int = 0
    rows_end_before_start: int = 0
    rows_without_sides: int = 0
    rows_contradicted_totals: int = 0
    rows_payload_only: int = 0
    rows_translated: int = 0
    rows_of_other_hosts: int = 0
    reversed: dict[str, int] = field(default_factory=dict)
    totals: list[Total] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    counters: dict[str, str | None] = field(default_factory=dict)
    internal: list[str] | None = None
    skipped_files: dict[str, str] = field(default_factory=dict)
    other_hosts: list[OtherHost] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    date_orders: list[tuple[str, str]] = field(default_factory=list)
    days_outside: dict[date, int] = field(default_factory=dict, repr=False)
    far_days: dict[date, int] = field(default_factory=dict)
    outside: Timespan | None = None
    records: int = 0
    flows: int = 0
    denied_flows: int = 0
    start: datetime | None = None
    end: datetime | None = None
    columns: set[str] = field(default_factory=set, repr=False, compare=False)
    exporters: bool = field(default=False, repr=False, compare=False)
    _table: pa.Table | None = field(default=None, repr=False, compare=False)
    _quality: Quality | None = field(default=None, repr=False, compare=False)

    @property
    def quality(self) -> Quality | None:
        """Quality of the flows, computed on first access."""
        if self._quality is None and self._table is not None:
            meter = Meter(self.internal, exporters=self.exporters, superseded=False)
            meter.add(self._table)
            self._quality = meter.finish()
        return self._quality

    def describe(self, flows: pa.Table, *, measured: bool = True) -> None:
        """Set the flows that the report describes; `measured` gives it their quality."""
        self.records = flows.num_rows
        self.flows, self.denied_flows = (exact_sum(flows[name]) for name in _FLOWS)
        if name := impossible_time(flows.select(_TIMES)):
            raise InputError(f"{name} has a time that is not within the years 1 to 9999")
        self.start = pc.min(flows["start_time"]).as_py()
        ends = (pc.max(flows[name]).as_py() for name in _TIMES)
        self.end = max(filter(None, ends), default=None)
        self._table = flows if measured else None
        self._find_far_days()

    def inspected(
        self, tables: Iterable[pa.Table | FlowParts], meter: Meter
    ) -> Iterator[pa.Table | FlowParts]:
        """Yield the flows that the report describes, and measure them in bounded memory."""
        for table in tables:
            meter.add(table)
            yield table
        found = meter.finish()
        if set(self.counters.values()) != {"flow"}:
            found = replace(found, superseded=0)
        if not self.exporters:
            found = replace(found, exporters=0, duplicates=0)
        self.records, self.start, self.end = found.rows, found.start, found.end
        self.flows, self.denied_flows = found.flows, found.denied_flows
        self._quality = found
        self._find_far_days()

    def count_outside(self, starts: pa.ChunkedArray) -> None:
        """Count rows outside the timespan, by their starts."""
        self.rows_outside += len(starts)
        self.outside = joined(self.outside, span_of(starts))
        self.days_outside = joined_counts(self.days_outside, rows_by_day(starts))

    def _find_far_days(self) -> None:
        """Find the days outside the timespan that are far from all others."""
        spans = [(day, day, count) for day, count in self.days_outside.items()]
        if self.start and self.end:
            spans.append((self.start.date(), self.end.date(), self.records))
        self.far_days = joined_counts(self.far_days, far_days(spans) if self.days_outside else {})

    @property
    def format(self) -> str:
        """Name of the format; several are joined by a comma."""
        return ", ".join(sorted(self.formats))

    @property
    def known_records(self) -> int:
        """Number of the resulting records and of those of other hosts."""
        return self.records + self.rows_of_other_hosts

    @property
    def rows_skipped(self) -> int:
        """Number of non-flow records."""
        return sum(self.skipped.values())

    @property
    def rows_reversed(self) -> int:
        """Number of flows whose endpoints were exchanged."""
        return sum(self.reversed.values())

    def add_format(self, format: Format) -> None:
        """Add the format of a source."""
        self.formats.add(format.name)
        self.exporters |= format.exporters
        self.counters[format.name] = format.counters
        zone = ["times have no zone; they are read as UTC unless tz= is given"]
        self.add_limits((*format.limits, *(zone if format.zoneless else [])))

    def without_duplicates(self) -> None:
        """Count no duplicate observations any more, because they were dropped."""
        self.exporters, self._quality = False, None

    def add_limits(self, limits: Iterable[str]) -> None:
        """Add limitations of a format or log that are not listed yet."""
        self.limits += [limit for limit in limits if limit not in self.limits]

    def add(self, counts: Mapping[str, float], by_value: Mapping[str, Mapping[str, int]]) -> None:
        """Add to the counts, and to the counts by value, of these attribute names."""
        for name, count in counts.items():
            kind = type(getattr(self, name))
            setattr(self, name, kind(getattr(self, name) + count))
        for name, added in by_value.items():
            own = getattr(self, name)
            for value, count in added.items():
                own[value] = own.get(value, 0) + count

    def merge(self, earlier: ReadReport) -> None:
        """Merge an earlier report of flows that are read again."""
        self.formats |= earlier.formats
        self.sources += earlier.sources
        self.add(
            {name: getattr(earlier, name) for name in COUNTS},
            {name: getattr(earlier, name) for name in COUNTS_BY_VALUE},
        )
        self.list_bad_rows(earlier.bad_rows)
        self.skipped_files |= earlier.skipped_files
        self.other_hosts += earlier.other_hosts
        self.incomplete += earlier.incomplete
        self.date_orders += earlier.date_orders
        self.far_days = joined_counts(self.far_days, earlier.far_days)
        self.outside = joined(self.outside, earlier.outside)
        self.totals += earlier.totals
        self.add_limits(earlier.limits)
        self.counters |= earlier.counters
        self.exporters |= earlier.exporters
        self.columns |= earlier.columns

    def reject(self, row: BadRow) -> None:
        """Count a bad row and list it first, because it concerns more than one value."""
        self.rows_bad += 1
        self.bad_rows = [row, *self.bad_rows][:MAX_LISTED]

    def skip_file(self, file: str, reason: str) -> None:
        """Add a file of a directory that is not read."""
        self.skipped_files[file] = reason

    def list_bad_rows(self, listed: Iterable[BadRow]) -> None:
        """List bad rows that are already counted."""
        self.bad_rows = [*self.bad_rows, *listed][:MAX_LISTED]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dictionary of plain values."""
        return {
            "format": self.format,
            "sources": list(self.sources),
            "rows_read": self.rows_read,
            "rows_bad": self.rows_bad,
            "bad_rows": [str(row) for row in self.bad_rows],
            "rows_skipped": self.rows_skipped,
            "skipped": dict(self.skipped),
            "unknown_actions": dict(self.unknown_actions),
            **{name: round(getattr(self, name)) for name in COUNTS[2:]},
            "rows_reversed": self.rows_reversed,
            "reversed": dict(self.reversed),
            "totals": [total._asdict() for total in self.totals],
            "limits": list(self.limits),
            "counters": dict(self.counters),
            "internal": None if self.internal is None else list(self.internal),
            "skipped_files": dict(self.skipped_files),
            "other_hosts": [host.to_dict() for host in self.other_hosts],
            "incomplete": list(self.incomplete),
            "date_orders": list(map(list, self.date_orders)),
            "far_days": {day.isoformat(): count for day, count in self.far_days.items()},
            "records": self.records,
            "flows": self.flows,
            "denied_flows": self.denied_flows,
            "start": self.start.isoformat() if self.start else None,
            "end": self.end.isoformat() if self.end else None,
            "quality": self.quality.to_dict() if self.quality else None,
        }

    @property
    def counted_flows(self) -> str:
        """Numbers of allowed and, if any, denied flows, as text."""
        return flows_text(self.flows, self.denied_flows)

    @property
    def span(self) -> str:
        """First start, and last end or start, as text; empty without times."""
        return span_text(self.start, self.end)

    def facts(self, *, rows: bool = True) -> dict[str, str]:
        """Return the report as label and text, without empty facts.

        `rows` includes the quality of the rows, which is computed on first access.
        """
        return facts_of(self, rows=rows)

    def __str__(self) -> str:
        """Return the report as text."""
        facts = self.facts()
        width = max(map(len, facts))
        lines = [f"{label:<{width}}  {text}" for label, text in facts.items()]
        if self.rows_bad:
            lines.append(f"first {counted(len(self.bad_rows), 'bad row')}:")
            lines.extend(f"  {row}" for row in self.bad_rows)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(label)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for label, text in self.facts().items()
        )
        bad = "".join(f"<li>{html.escape(str(row))}</li>" for row in self.bad_rows)
        listing = (
            f"<p>First {counted(len(self.bad_rows), 'bad row')}:</p><ul>{bad}</ul>" if bad else ""
        )
        return f"<table>{rows}</table>{listing}"
