"""What a run shows of its result."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.notebooklet.described import Described
from flowtriage.notebooklet.display import Section
from flowtriage.report.text import human_bytes
from flowtriage.threat_investigation.result import FlowThreatResult
from flowtriage.threat_investigation.tables import SHOWN, in_order

DIRECTIONS = ("inbound", "outbound", "two-way")


def sections(
    about: type[Described], result: FlowThreatResult, chosen: Collection[str], hint: str
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
        from flowtriage.network_flow_summary.plots import plot_flows_by_peer

        result.plot_timeline = plot_flows_by_peer(found.bins)
        yield about.section("plot_timeline", result.plot_timeline)
    if "connections" in chosen:
        yield about.section("connections", found.connections)
    if "written" in chosen:
        yield from written(about, result)


def top_tables(about: type[Described], result: FlowThreatResult) -> Iterator[Section]:
    """Make the sections of the four tables."""
    for name, table in result.found.tables.items():
        section = about.section(name, table.select(SHOWN))
        yield replace(section, title=section.title.replace("Top n", f"Top {result.found.top}"))


def written(about: type[Described], result: FlowThreatResult) -> Iterator[Section]:
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
