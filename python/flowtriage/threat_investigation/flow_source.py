"""Sources of the flows to search: raw flows of a day, loaded flows, or a query provider."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC
from datetime import date as Date
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.aggregate import top_n
from flowtriage.analysis.hosts import busiest_addresses
from flowtriage.configuration import Settings
from flowtriage.detect import hunt
from flowtriage.enrich.asn import AsnDatabase
from flowtriage.errors import ArgumentError
from flowtriage.inputs.arrow import FlowSource
from flowtriage.inputs.timespan import Timespan, day_span, within
from flowtriage.providers.flow_queries import query_flows
from flowtriage.read.flows import Flows
from flowtriage.read.read_flows import read_flows
from flowtriage.schema import SEARCH_COLUMNS
from flowtriage.store import FlowStore
from flowtriage.store.raw_flows import RawFlows

TALKERS = pa.schema([("ip", pa.string()), ("connections", pa.int64())])
"""An address and the number of flows that it initiated."""
_MEASURED = ("host",)
"""Columns of raw flows that only their quality needs."""
_COLUMNS = (*SEARCH_COLUMNS, "service", "state", "tcp_flags", "reported_direction")
"""Columns of raw flows that searches and detectors need."""


class Hunted(NamedTuple):
    """Findings of `flowtriage.hunt`, and the number of records that it read."""

    findings: pa.Table
    records: int


@dataclass(frozen=True)
class RawDayFlows:
    """Raw flows of a day, as Flow OA stores them; a timespan can reach beyond the day."""

    raw: RawFlows
    day: Date

    @property
    def span(self) -> Timespan:
        """The day."""
        return day_span(self.day)

    def flows_of(self, ip: str, span: Timespan | None) -> Flows:
        """Read the row groups that can contain the address."""
        first = span.start.date() if span and span.start else self.day
        last = span.end.date() if span and span.end else self.day
        columns = (*_COLUMNS, *_MEASURED)
        selected = within(self.raw.read(first, last, addresses=[ip], columns=columns), span)
        report = self.raw.report(first, last)
        report.describe(selected)
        return Flows(selected.select(_COLUMNS), report)

    def hunted(
        self, span: Timespan | None, internal: Path | None, asn: AsnDatabase
    ) -> Hunted | None:
        """Return None: only the flows of the address are read."""
        return None

    def talkers(self, n: int) -> pa.Table:
        """Return no rows: the addresses of a store are those of scored connections."""
        return TALKERS.empty_table()

    def hint(self) -> str:
        """Return the days that have flows, unless this day has."""
        days = self.raw.days()
        if self.day in days:
            return ""
        missing = f" {self.raw.folder} has no flows of {self.day}; "
        if not days:
            return f"{missing}add them with flowtriage oa ingest."
        listed = ", ".join(map(str, days[:5])) + (", …" if len(days) > 5 else "")
        return f"{missing}days with flows: {listed}."


@dataclass(frozen=True)
class LoadedFlows:
    """Flows from a log, a table or `Flows`."""

    data: FlowSource
    date: Date | None
    _hunted: dict[Timespan | None, Hunted] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def flows(self) -> Flows:
        """Flows of the date, or all flows without a date."""
        return read_flows(self.data, timespan=day_span(self.date) if self.date else None)

    @property
    def day(self) -> Date | None:
        """The date, or else the day of the first flow."""
        start = self.flows.report.start
        return self.date or (start.astimezone(UTC).date() if start else None)

    @property
    def span(self) -> Timespan:
        """The date, or else the time from the first flow to the last."""
        report = self.flows.report
        return day_span(self.date) if self.date else Timespan(report.start, report.end)

    def flows_of(self, ip: str, span: Timespan | None) -> Flows:
        """Filter the flows."""
        return _filter(self.flows, ip, span)

    def hunted(
        self, span: Timespan | None, internal: Path | None, asn: AsnDatabase
    ) -> Hunted | None:
        """Return the findings in the flows of all addresses, computed once per timespan."""
        if span not in self._hunted:
            flows = within(self.flows.to_arrow(), span)
            found = hunt(flows, internal=internal, asn=asn)
            self._hunted[span] = Hunted(found, flows.num_rows)
        return self._hunted[span]

    def talkers(self, n: int) -> pa.Table:
        """Return the top initiators by flows."""
        top = top_n(self.flows, key="source", by="flows", n=n)
        top = top.filter(pc.is_valid(top["source"])).select(["source", "flows"])
        return top.rename_columns(TALKERS.names).cast(TALKERS)

    def hint(self) -> str:
        """Return the top initiators."""
        busiest = ", ".join(busiest_addresses(self.flows.to_arrow()))
        return f" Top sources: {busiest}." if busiest else ""


@dataclass(frozen=True)
class ProviderFlows:
    """Flows from a query provider, queried for each search."""

    provider: Any
    date: Date | None
    span: Timespan

    @property
    def day(self) -> Date:
        """The date, or else the first day of the timespan."""
        return self.date or self.span.start.date()  # type: ignore[union-attr]

    def flows_of(self, ip: str, span: Timespan | None) -> Flows:
        """Query the provider."""
        flows = query_flows(self.provider, (ip,), span or self.span)
        return _filter(flows, ip, span)

    def hunted(
        self, span: Timespan | None, internal: Path | None, asn: AsnDatabase
    ) -> Hunted | None:
        """Return None: only the flows of the address are queried."""
        return None

    def talkers(self, n: int) -> pa.Table:
        """Return no rows: a provider is queried by address."""
        return TALKERS.empty_table()

    def hint(self) -> str:
        """Return an empty string."""
        return ""


SearchSource = RawDayFlows | LoadedFlows | ProviderFlows
"""Source of the flows of an address; `day` is that of scores and stories, None if unknown."""


def open_source(
    data: RawFlows | FlowSource | None,
    day: Date | None,
    settings: Settings,
    store: FlowStore | None,
) -> SearchSource:
    """Open a folder of raw flows (by default the configured one), or flows as for `read_flows`.

    The default day of raw flows is the latest one that was run, or else the latest with flows.
    """
    if data is None:
        raw = RawFlows(settings.folders.flows)
    elif isinstance(data, RawFlows):
        raw = data
    elif isinstance(data, (str, os.PathLike)) and (Path(data) / "_sources").is_dir():
        raw = RawFlows(data)
    else:
        return LoadedFlows(data, day)
    if day is None:
        days = (store.days() if store else []) or raw.days()
        if not days:
            raise ArgumentError(f"no day with flows in {raw.folder}; give date=")
        day = days[-1]
    return RawDayFlows(raw, day)


def _filter(flows: Flows, ip: str, span: Timespan | None) -> Flows:
    table = flows.to_arrow()
    is_endpoint = pc.or_kleene(pc.equal(table["src_ip"], ip), pc.equal(table["dst_ip"], ip))
    return Flows(within(table.filter(is_endpoint), span), flows.report)
