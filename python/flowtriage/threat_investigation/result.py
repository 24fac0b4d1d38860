"""The result of `FlowThreatInvestigation`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.humanize import human_bytes
from flowtriage.notebooklet import NotebookletResult
from flowtriage.notebooklet.metadata import HasMetadata
from flowtriage.notebooklet.result import Lazy, LazyAttribute
from flowtriage.render.section import Section
from flowtriage.threat_investigation.search import SHOWN, SearchResult, in_order

if TYPE_CHECKING:
    import pandas as pd
    from bokeh.models import LayoutDOM


class FlowThreatResult(NotebookletResult):
    """What an address did.

    Attributes
    ----------
    connections : pandas.DataFrame
        Its connections by addresses and ports (see `flowtriage.expanded_search`).
    peers : pandas.DataFrame
        Its peers (see `flowtriage.connection_sets`), with autonomous system, country, network
        context, place and domain.
    inbound : pandas.DataFrame
        Peers that are only sources towards an internal address, or only destinations of an
        external one.
    outbound : pandas.DataFrame
        Peers that are only destinations of an internal address, or only sources towards an
        external one.
    two_way : pandas.DataFrame
        Peers that are both.
    top_sources_by_connections : pandas.DataFrame
        Peers that began connections, those with the most first. Counters are of these
        connections alone.
    top_sources_by_bytes : pandas.DataFrame
        The same, by bytes of both directions.
    top_destinations_by_connections : pandas.DataFrame
        Peers that the address began connections to, those with the most first. Counters are of
        these connections alone.
    top_destinations_by_bytes : pandas.DataFrame
        The same, by bytes of both directions.
    timeline : pandas.DataFrame
        Connections with the peers that have the most, as `flow_timeline` keeps them.
    plot_timeline : bokeh.models.LayoutDOM
        Timeline of flows with these peers.
    stories : pandas.DataFrame
        What was written down of the address on this day, the latest first.
    scores : pandas.DataFrame
        Scores that its connections have.
    notice : str
        All of it in two sentences.
    """

    connections = LazyAttribute()
    timeline = LazyAttribute()

    def __init__(self, *, found: SearchResult, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._found = found
        self.connections = Lazy(found.connections.to_pandas)
        self.peers: pd.DataFrame = found.peers.to_pandas()
        self.inbound: pd.DataFrame = found.direction("inbound").to_pandas()
        self.outbound: pd.DataFrame = found.direction("outbound").to_pandas()
        self.two_way: pd.DataFrame = found.direction("two-way").to_pandas()
        for name, table in found.tables.items():
            setattr(self, name, table.to_pandas())
        self.timeline = Lazy(lambda: found.timeline.to_pandas())
        self.plot_timeline: LayoutDOM | None = None
        self.stories: pd.DataFrame | None = None
        self.scores: pd.DataFrame | None = None
        self.notice = ""

    @property
    def found(self) -> SearchResult:
        """The same as Arrow tables."""
        return self._found

    @property
    def ip(self) -> str:
        """The address."""
        return self._found.ip

    def facts(self) -> dict[str, str]:
        """Return what a reader should know first, as label and text."""
        peers = {"Inbound": self.inbound, "Outbound": self.outbound, "Two way": self.two_way}
        facts = {
            "Address": self.ip,
            "Connections": f"{self._found.connections.num_rows:,} different ones",
        }
        facts |= {f"{name} peers": f"{len(frame):,}" for name, frame in peers.items()}
        if self.timespan is not None:
            facts["Timespan"] = str(self.timespan)
        return facts | (self.report.facts() if self.report.sources else {})


DIRECTIONS = ("inbound", "outbound", "two-way")


def sections(
    about: type[HasMetadata], result: FlowThreatResult, chosen: Collection[str], hint: str
) -> Iterator[Section]:
    """Make the sections of a result; plots are kept in it.

    Parameters
    ----------
    about
        The notebooklet, which has the titles.
    result
        The result.
    chosen
        Options of the run.
    hint
        What to try for an address without flows.
    """
    found = result.found
    result.notice = _notice(result, hint)
    yield about.section("run", result.notice)
    if "top_tables" in chosen:
        yield from top_tables(about, result)
    if "connection_sets" in chosen:
        for name in DIRECTIONS:
            yield about.section(name, in_order(found.direction(name)).select(SHOWN))
    if "plot_timeline" in chosen:
        from flowtriage.viz.timelines import plot_flows_by_peer

        result.plot_timeline = plot_flows_by_peer(found.bins)
        yield about.section("plot_timeline", result.plot_timeline)
    if "connections" in chosen:
        yield about.section("connections", found.connections)
    if "written" in chosen:
        yield from written(about, result)


def top_tables(about: type[HasMetadata], result: FlowThreatResult) -> Iterator[Section]:
    """Make the sections of the four tables."""
    for name, table in result.found.tables.items():
        section = about.section(name, table.select(SHOWN))
        yield replace(section, title=section.title.replace("Top n", f"Top {result.found.top}"))


def written(about: type[HasMetadata], result: FlowThreatResult) -> Iterator[Section]:
    """Make the section of stories and scores, if there are any."""
    kept = [frame for frame in (result.stories, result.scores) if frame is not None and len(frame)]
    if kept:
        yield about.section("written", *kept)


def _notice(result: FlowThreatResult, hint: str) -> str:
    found = result.found
    if not found.connections.num_rows:
        return f"{result.ip} does not occur in the flows searched.{hint}"
    flows, sizes = (pc.sum(found.peers[name]) for name in ("connections", "bytes"))
    size = human_bytes(pa.array([sizes.as_py()], pa.int64()))[0].as_py()
    peers = found.peers.num_rows
    return (
        f"{result.ip}: {found.connections.num_rows:,} different connections with "
        f"{peers:,} {'peer' if peers == 1 else 'peers'}, of which {len(result.inbound):,} inbound, "
        f"{len(result.outbound):,} outbound and {len(result.two_way):,} two way. "
        f"They are {flows.as_py():,} flows of {size or 'an unknown number of bytes'}."
    )
