"""The result of a search as data frames, and its sections."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flowtriage.detect import detector_status, flows_of
from flowtriage.errors import ArgumentError
from flowtriage.humanize import counted, did_you_mean, human_bytes
from flowtriage.inputs.timespan import Timespan
from flowtriage.notebooklet import NotebookletResult
from flowtriage.notebooklet.metadata import HasMetadata
from flowtriage.notebooklet.result import Lazy, LazyAttribute, NotebookletLike
from flowtriage.quality.numbers import flows_counted
from flowtriage.quality.report import ReadReport
from flowtriage.quality.sums import exact_sum
from flowtriage.render.section import Section
from flowtriage.threat_investigation.findings import AddressFindings
from flowtriage.threat_investigation.search import TABLE_COLUMNS, SearchResult, sort_peers

if TYPE_CHECKING:
    import pandas as pd
    from bokeh.models import LayoutDOM

DIRECTIONS = ("inbound", "outbound", "two-way")


class FlowThreatResult(NotebookletResult):
    """Connections, peers, stories and scores of an address.

    Attributes
    ----------
    connections : pandas.DataFrame
        Its connections by addresses and ports (see `flowtriage.expanded_search`).
    peers : pandas.DataFrame
        Its peers (see `flowtriage.connection_sets`), with AS number, country, network context,
        location and domain.
    inbound : pandas.DataFrame
        Peers that only initiated connections to an internal address, or only responded to an
        external one.
    outbound : pandas.DataFrame
        Peers that only responded to an internal address, or only initiated connections to an
        external one.
    two_way : pandas.DataFrame
        Peers that did both.
    top_sources_by_connections : pandas.DataFrame
        Top initiators of connections to the address, by connections. Measures cover these
        connections only.
    top_sources_by_bytes : pandas.DataFrame
        The same, by bytes in both directions.
    top_destinations_by_connections : pandas.DataFrame
        Top responders to connections from the address, by connections. Measures cover these
        connections only.
    top_destinations_by_bytes : pandas.DataFrame
        The same, by bytes in both directions.
    timeline : pandas.DataFrame
        Connections with the top peers, as stored in `flow_timeline`.
    plot_timeline : bokeh.models.LayoutDOM
        Timeline of the flows with these peers.
    stories : pandas.DataFrame
        Saved stories of the address on this day, latest first.
    scores : pandas.DataFrame
        Scores of its connections.
    findings : pandas.DataFrame
        Findings about the address (see `flowtriage.hunt`), the most severe first.
    allowed_findings : pandas.DataFrame
        Those that the allow-list hides; `context` has the reason.
    detector_status : pandas.DataFrame
        Which detectors ran, and why others could not.
    summary : str
        Number of connections, peers, flows and bytes, as text.
    """

    connections = LazyAttribute()
    timeline = LazyAttribute()

    def __init__(
        self,
        *,
        search: SearchResult,
        description: str,
        timespan: Timespan | None = None,
        notebooklet: NotebookletLike | None = None,
        report: ReadReport | None = None,
    ) -> None:
        super().__init__(
            description=description, timespan=timespan, notebooklet=notebooklet, report=report
        )
        self._search = search
        self.connections = Lazy(search.connections.to_pandas)
        self.peers: pd.DataFrame = search.peers.to_pandas()
        self.inbound: pd.DataFrame = search.direction("inbound").to_pandas()
        self.outbound: pd.DataFrame = search.direction("outbound").to_pandas()
        self.two_way: pd.DataFrame = search.direction("two-way").to_pandas()
        for name, table in search.tables.items():
            setattr(self, name, table.to_pandas())
        self.timeline = Lazy(partial(_timeline, search))
        self.plot_timeline: LayoutDOM | None = None
        self.stories: pd.DataFrame | None = None
        self.scores: pd.DataFrame | None = None
        self.findings: pd.DataFrame | None = None
        self.allowed_findings: pd.DataFrame | None = None
        self.detector_status: pd.DataFrame | None = None
        self.summary = ""
        self._about: AddressFindings | None = None

    def set_findings(self, about: AddressFindings) -> None:
        """Set the findings about the address."""
        self._about = about
        self.findings = _frame(about.found.table)
        self.allowed_findings = _frame(about.hidden)
        self.detector_status = detector_status(about.found.table).to_pandas()

    @property
    def about(self) -> AddressFindings | None:
        """The findings as Arrow tables."""
        return self._about

    def flows_of(self, finding: Mapping[str, Any] | pd.Series[Any] | str) -> pd.DataFrame:
        """Return the flows of the address that are behind a finding.

        Parameters
        ----------
        finding
            Its id (column `finding`), or its row.

        Raises
        ------
        ArgumentError
            If there is no such finding.
        """
        tables = [] if self._about is None else [self._about.found.table, self._about.hidden]
        rows = [row for table in tables for row in table.to_pylist()]
        known = {row["finding"]: row["flows_filter"] for row in rows}
        identity = finding if isinstance(finding, str) else finding["finding"]
        if identity not in known:
            raise ArgumentError(
                f"no finding {str(identity)!r}{did_you_mean(identity, known) or '; none was found'}"
            )
        flows: pd.DataFrame = flows_of(self._search.flows, known[identity]).to_pandas()
        return flows

    @property
    def search(self) -> SearchResult:
        """The result as Arrow tables."""
        return self._search

    @property
    def ip(self) -> str:
        """The address."""
        return self._search.ip

    def facts(self) -> dict[str, str]:
        """Return the key facts as label and text."""
        peers = {"Inbound": self.inbound, "Outbound": self.outbound, "Two way": self.two_way}
        facts = {
            "Address": self.ip,
            "Distinct connections": f"{self._search.connections.num_rows:,}",
        }
        facts |= {f"{name} peers": f"{len(frame):,}" for name, frame in peers.items()}
        if self._span is not None:
            facts["Searched timespan"] = str(self._span)
        return facts | (self.report.facts() if self.report.sources else {})


def sections(
    metadata: type[HasMetadata], result: FlowThreatResult, options: Collection[str], hint: str
) -> Iterator[Section]:
    """Yield the sections of a result, and set its summary and plot; `metadata` has the titles."""
    search = result.search
    result.summary = _summary(result, hint)
    yield metadata.section("run", result.summary, *result.notice())
    if result.about is not None:
        yield metadata.section("findings", *result.about.contents())
    if "top_tables" in options:
        yield from top_tables(metadata, result)
    if "connection_sets" in options:
        for name in DIRECTIONS:
            rows = sort_peers(search.direction(name)).select(TABLE_COLUMNS)
            yield metadata.section(name, rows)
    if "plot_timeline" in options:
        from flowtriage.viz.timelines import plot_flows_by_peer

        result.plot_timeline = plot_flows_by_peer(search.bins)
        yield metadata.section("plot_timeline", result.plot_timeline)
    if "connections" in options:
        yield metadata.section("connections", search.connections)
    if "written" in options:
        yield from saved_sections(metadata, result)


def top_tables(metadata: type[HasMetadata], result: FlowThreatResult) -> Iterator[Section]:
    """Yield the sections of the four top tables."""
    for name, table in result.search.tables.items():
        section = metadata.section(name, table.select(TABLE_COLUMNS))
        yield replace(section, title=section.title.replace("Top n", f"Top {result.search.top}"))


def saved_sections(metadata: type[HasMetadata], result: FlowThreatResult) -> Iterator[Section]:
    """Yield the section of stories and scores, if there are any."""
    frames = [one for one in (result.stories, result.scores) if one is not None and len(one)]
    if frames:
        yield metadata.section("written", *frames)


def _summary(result: FlowThreatResult, hint: str) -> str:
    search = result.search
    if not search.connections.num_rows:
        report = result.report
        when = f", {report.span}" if report.span else ""
        count = counted(report.records, "record") if report.records else "flows"
        return f"{result.ip} does not occur in the {count} searched{when}.{hint}"
    sizes = search.peers["bytes"].drop_null()
    counts = (exact_sum(search.connections[name]) for name in ("connections", "denied_connections"))
    total = pa.array([exact_sum(sizes) if len(sizes) else None], pa.decimal128(38, 0))
    size = human_bytes(total)[0].as_py()
    peers = search.peers.num_rows
    return (
        f"{result.ip}: {counted(search.connections.num_rows, 'distinct connection')} with "
        f"{counted(peers, 'peer')} ({len(result.inbound):,} inbound, "
        f"{len(result.outbound):,} outbound, {len(result.two_way):,} two way); "
        f"{flows_counted(*counts)}, {size or 'bytes unknown'}."
    )


def _frame(findings: pa.Table) -> pd.DataFrame:
    """Convert findings, with Python lists in the cells of the list columns."""
    frame: pd.DataFrame = findings.to_pandas()
    for name in ("evidence", "context"):
        frame[name] = findings[name].to_pylist()
    return frame


def _timeline(search: SearchResult) -> pd.DataFrame:
    frame: pd.DataFrame = search.timeline.to_pandas()
    return frame
