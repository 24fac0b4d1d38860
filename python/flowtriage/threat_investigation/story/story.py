"""The data of a story: search results and notes about one address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from flowtriage.threat_investigation.story.globe import Globe, Location
from flowtriage.threat_investigation.story.trees import Dendrogram, Stats

TOP_TABLES = {
    "top_sources_by_connections": "Top sources by connections",
    "top_sources_by_bytes": "Top sources by bytes",
    "top_destinations_by_connections": "Top destinations by connections",
    "top_destinations_by_bytes": "Top destinations by bytes",
}
"""Titles of the four top tables of a story, by name."""
TABLES = ("connections", "peers", *TOP_TABLES, "bins", "timeline", "history", "scored")
"""Names of all tables of a story; a bundle stores each as `tables/<name>.parquet`."""


def _no_rows() -> pa.Table:
    return pa.table({})


@dataclass(frozen=True)
class Input:
    """A file or table that a story was made from.

    Attributes
    ----------
    name
        Name of the file, or description of the table.
    sha256
        SHA-256 of the content, in hexadecimal.
    size
        Size of the content in bytes.
    """

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class StoryData:
    """The data of a story; `Story` adds the methods that write it.

    Attributes
    ----------
    ip
        Investigated address, in canonical notation.
    title, text
        Notes of the analyst.
    connections : pyarrow.Table
        Result of `flowtriage.expanded_search`.
    peers : pyarrow.Table
        Result of `flowtriage.connection_sets` with address facts: at least `context`,
        `location`, `latitude` and `longitude` (degrees).
    day
        Day of the story, in UTC.
    top_sources_by_connections, top_sources_by_bytes : pyarrow.Table
        Top peers among the initiators of connections to the address.
    top_destinations_by_connections, top_destinations_by_bytes : pyarrow.Table
        Top peers among the responders to connections from the address.
    bins : pyarrow.Table
        Result of `flowtriage.timeline` by peer.
    timeline : pyarrow.Table
        Rows of `flow_timeline`.
    history : pyarrow.Table
        All saved stories of the address, with the time of saving.
    scored : pyarrow.Table
        Scores of its connections: 1 high, 2 medium, 3 low risk.
    origin
        Location of the address; None if unknown.
    configuration
        Settings of the investigation; files contain a redacted copy.
    inputs
        Files and tables that the story was made from.
    credits
        Attributions of the data sources: name and link.
    """

    ip: str
    title: str
    text: str
    connections: pa.Table
    peers: pa.Table
    day: date | None = None
    top_sources_by_connections: pa.Table = field(default_factory=_no_rows)
    top_sources_by_bytes: pa.Table = field(default_factory=_no_rows)
    top_destinations_by_connections: pa.Table = field(default_factory=_no_rows)
    top_destinations_by_bytes: pa.Table = field(default_factory=_no_rows)
    bins: pa.Table = field(default_factory=_no_rows)
    timeline: pa.Table = field(default_factory=_no_rows)
    history: pa.Table = field(default_factory=_no_rows)
    scored: pa.Table = field(default_factory=_no_rows)
    origin: Location | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    credits: Mapping[str, str] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """The title; of an untitled story, one with the address."""
        return self.title.strip() or f"Story of {self.ip}"

    @property
    def tables(self) -> dict[str, pa.Table]:
        """All tables by name."""
        return {name: getattr(self, name) for name in TABLES}

    @property
    def globe(self) -> Globe:
        """Locations of the peers."""
        return Globe.of(self.peers, self.origin)

    @property
    def stats(self) -> Stats:
        """Number of peers by direction and network context."""
        return Stats.of(self.peers, self.ip)

    @property
    def dendrogram(self) -> Dendrogram:
        """Number of peers by direction and network context, as a tree."""
        return Dendrogram.of(self.peers, self.ip)
