"""Where the flows of an investigation come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from datetime import date as Date
from functools import cached_property
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError
from flowtriage.flows import Flows, read_flows
from flowtriage.formats.report import Report
from flowtriage.host import busiest_addresses
from flowtriage.oa.ingest import RawFlows
from flowtriage.providers.flow_queries import query_flows
from flowtriage.timespan import Span
from flowtriage.verbs import top_n

COLUMNS = (
    *("start_time", "end_time", "src_ip", "dst_ip", "src_port", "dst_port", "protocol"),
    *("src_bytes", "dst_bytes", "src_packets", "dst_packets", "flows", "denied_flows"),
)
"""Columns of the canonical schema that an investigation reads."""

TALKERS = pa.schema([("ip", pa.string()), ("connections", pa.int64())])
"""Columns of a list of addresses to look at."""


class FlowSource(Protocol):
    """Anything that has flows of an address."""

    @property
    def day(self) -> Date:
        """Day that findings belong to, in UTC."""

    @property
    def span(self) -> Span:
        """Span of time that is searched unless told otherwise."""

    def of(self, ip: str, span: Span) -> Flows:
        """Return the flows that have an address at either end and start within a span."""

    def busiest(self, n: int) -> pa.Table:
        """Return the addresses that began the most flows, as far as that is known."""

    def hint(self) -> str:
        """Say what to try for an address without flows."""


@dataclass(frozen=True)
class StoredFlows:
    """The raw flows of a day, in the folder of Flow OA; a span may reach beyond the day."""

    raw: RawFlows
    day: Date

    @property
    def span(self) -> Span:
        """The day."""
        return day_span(self.day)

    def of(self, ip: str, span: Span) -> Flows:
        """Read only what can hold the address."""
        first = span.start.date() if span.start else self.day
        last = span.end.date() if span.end else self.day
        read = self.raw.read(first, last, addresses=[ip], columns=COLUMNS)
        return Flows(_within(read, span), Report())

    def busiest(self, n: int) -> pa.Table:
        """Return none: the addresses of a store are those that were scored."""
        return TALKERS.empty_table()

    def hint(self) -> str:
        """Name the days that have flows."""
        days = self.raw.days()
        if self.day in days:
            return ""
        known = ", ".join(map(str, days[:5])) + (", …" if len(days) > 5 else "")
        return f" There are no flows of {self.day} in {self.raw.folder}; " + (
            f"there are those of {known}." if days else "flowtriage oa ingest adds them."
        )


@dataclass(frozen=True)
class GivenFlows:
    """Flows that are given: a log, a table, `Flows`."""

    data: Any
    date: Date | None

    @cached_property
    def flows(self) -> Flows:
        """The flows: of the day, or all of them."""
        return read_flows(self.data, timespan=day_span(self.date) if self.date else None)

    @property
    def day(self) -> Date:
        """The day given, else that of the first flow."""
        start = self.flows.report.start
        if self.date is None and start is None:
            raise ArgumentError(
                "no flow has a time, so it is not known which day it is: give date="
            )
        return self.date or start.astimezone(UTC).date()  # type: ignore[union-attr]

    @property
    def span(self) -> Span:
        """The day given, else that from the first flow to the last."""
        report = self.flows.report
        return day_span(self.date) if self.date else Span(report.start, report.end)

    def of(self, ip: str, span: Span) -> Flows:
        """Choose among the flows."""
        table = self.flows.to_arrow()
        ends = pc.or_kleene(pc.equal(table["src_ip"], ip), pc.equal(table["dst_ip"], ip))
        return Flows(_within(table.filter(ends), span), self.flows.report)

    def busiest(self, n: int) -> pa.Table:
        """Return the sources of the most flows."""
        found = top_n(self.flows, key="source", by="flows", n=n)
        found = found.filter(pc.is_valid(found["source"])).select(["source", "flows"])
        return found.rename_columns(TALKERS.names).cast(TALKERS)

    def hint(self) -> str:
        """Name the busiest sources."""
        busiest = ", ".join(busiest_addresses(self.flows.to_arrow()))
        return f" The busiest sources are {busiest}." if busiest else ""


@dataclass(frozen=True)
class AskedFlows:
    """Flows that a query provider is asked for."""

    provider: Any
    date: Date | None
    span: Span

    @property
    def day(self) -> Date:
        """The day given, else the first of the span."""
        return self.date or self.span.start.date()  # type: ignore[union-attr]

    def of(self, ip: str, span: Span) -> Flows:
        """Ask the provider."""
        flows = query_flows(self.provider, None, (ip,), span, resolve=False)
        return GivenFlows(flows, None).of(ip, span)

    def busiest(self, n: int) -> pa.Table:
        """Return none: a provider is asked for one address."""
        return TALKERS.empty_table()

    def hint(self) -> str:
        """Say nothing."""
        return ""


def day_span(day: Date) -> Span:
    """Return the whole of a day."""
    start = datetime.combine(day, time(), UTC)
    return Span(start, start + timedelta(days=1, microseconds=-1))


def _within(flows: pa.Table, span: Span) -> pa.Table:
    """Keep what starts within a span; flows without a start stay only if it has no ends."""
    for end, kept in ((span.start, pc.greater_equal), (span.end, pc.less_equal)):
        if end is not None:
            start = flows["start_time"]
            flows = flows.filter(kept(start, pa.scalar(end, start.type)))
    return flows
