"""Where the flows of an investigation come from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC
from datetime import date as Date
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.aggregate import top_n
from flowtriage.analysis.hosts import busiest_addresses
from flowtriage.configuration import Settings
from flowtriage.errors import ArgumentError
from flowtriage.inputs.timespan import Timespan, day_span, within
from flowtriage.providers.flow_queries import query_flows
from flowtriage.quality.report import ReadReport
from flowtriage.read.flows import Flows
from flowtriage.read.read_flows import read_flows
from flowtriage.schema import SEARCH_COLUMNS
from flowtriage.store import FlowStore
from flowtriage.store.raw_flows import RawFlows

TALKERS = pa.schema([("ip", pa.string()), ("connections", pa.int64())])
"""Columns of a list of addresses to look at."""


class FlowSource(Protocol):
    """Anything that has flows of an address."""

    @property
    def day(self) -> Date | None:
        """Day that findings belong to, in UTC; None if no flow has a time."""

    @property
    def span(self) -> Timespan:
        """Span of time that is searched unless told otherwise."""

    def of(self, ip: str, span: Timespan | None) -> Flows:
        """Return the flows of an address that start within a span, or within `span`."""

    def busiest(self, n: int) -> pa.Table:
        """Return the addresses that began the most flows, as far as that is known."""

    def hint(self) -> str:
        """Say what to try for an address without flows."""


@dataclass(frozen=True)
class RawDayFlows:
    """The raw flows of a day, in the folder of Flow OA; a span may reach beyond the day."""

    raw: RawFlows
    day: Date

    @property
    def span(self) -> Timespan:
        """The day."""
        return day_span(self.day)

    def of(self, ip: str, span: Timespan | None) -> Flows:
        """Read only what can hold the address."""
        first = span.start.date() if span and span.start else self.day
        last = span.end.date() if span and span.end else self.day
        read = self.raw.read(first, last, addresses=[ip], columns=SEARCH_COLUMNS)
        return Flows(within(read, span), ReadReport())

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
class LoadedFlows:
    """Flows that are given: a log, a table, `Flows`."""

    data: Any
    date: Date | None

    @cached_property
    def flows(self) -> Flows:
        """The flows: of the day, or all of them."""
        return read_flows(self.data, timespan=day_span(self.date) if self.date else None)

    @property
    def day(self) -> Date | None:
        """The day given, else that of the first flow."""
        start = self.flows.report.start
        return self.date or (start.astimezone(UTC).date() if start else None)

    @property
    def span(self) -> Timespan:
        """The day given, else that from the first flow to the last."""
        report = self.flows.report
        return day_span(self.date) if self.date else Timespan(report.start, report.end)

    def of(self, ip: str, span: Timespan | None) -> Flows:
        """Choose among the flows."""
        return _chosen(self.flows, ip, span)

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
class ProviderFlows:
    """Flows that a query provider is asked for."""

    provider: Any
    date: Date | None
    span: Timespan

    @property
    def day(self) -> Date:
        """The day given, else the first of the span."""
        return self.date or self.span.start.date()  # type: ignore[union-attr]

    def of(self, ip: str, span: Timespan | None) -> Flows:
        """Ask the provider."""
        flows = query_flows(self.provider, None, (ip,), span or self.span, resolve=False)
        return _chosen(flows, ip, span)

    def busiest(self, n: int) -> pa.Table:
        """Return none: a provider is asked for one address."""
        return TALKERS.empty_table()

    def hint(self) -> str:
        """Say nothing."""
        return ""


def open_source(
    data: Any, day: Date | None, settings: Settings, store: FlowStore | None
) -> FlowSource:
    """Find out what flows are: a folder of raw flows, or flows themselves.

    Parameters
    ----------
    data
        Either of them; None is the folder that is configured.
    day
        The day; of raw flows None is the latest day that was run, else that has flows.
    settings
        The configuration of Flow OA.
    store
        The store, if there is one.

    Raises
    ------
    ArgumentError
        If it is not known which day to look at.
    """
    if data is not None and not _is_raw(data):
        return LoadedFlows(data, day)
    folder = settings.folders.flows if data is None else data
    raw = folder if isinstance(folder, RawFlows) else RawFlows(folder)
    if day is None:
        days = (store.days() if store else []) or raw.days()
        if not days:
            raise ArgumentError("it is not known which day to look at: give date=")
        day = days[-1]
    return RawDayFlows(raw, day)


def _is_raw(data: Any) -> bool:
    """Tell whether flows are those of a folder that Flow OA keeps."""
    if isinstance(data, (str, os.PathLike)):
        return (Path(data) / "_sources").is_dir()
    return isinstance(data, RawFlows)


def _chosen(flows: Flows, ip: str, span: Timespan | None) -> Flows:
    table = flows.to_arrow()
    ends = pc.or_kleene(pc.equal(table["src_ip"], ip), pc.equal(table["dst_ip"], ip))
    return Flows(within(table.filter(ends), span), flows.report)
