"""A story: everything that an investigation of one address found, and what was written of it."""

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
"""The four tables of a story, and their headings."""
TABLES = ("connections", "peers", *TOP_TABLES, "bins", "timeline", "history", "scored")
"""Names of all tables of a story."""


def _no_rows() -> pa.Table:
    return pa.table({})


@dataclass(frozen=True)
class Input:
    """What a story was made of.

    Attributes
    ----------
    name
        Name of the file or table.
    sha256
        SHA-256 of its bytes, in hexadecimal.
    size
        Number of its bytes.
    """

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class StoryData:
    """What is known of one address.

    Attributes
    ----------
    ip
        The address that was investigated, in canonical text.
    title, text
        What the analyst wrote.
    connections : pyarrow.Table
        Result of `flowtriage.expanded_search`.
    peers : pyarrow.Table
        Result of `flowtriage.connection_sets`, with what else is known of them: `context`,
        `location`, `latitude` and `longitude` (degrees) at least.
    day
        The day that the story belongs to.
    top_sources_by_connections, top_sources_by_bytes : pyarrow.Table
        The greatest peers that began connections.
    top_destinations_by_connections, top_destinations_by_bytes : pyarrow.Table
        The greatest peers that the address began connections to.
    bins : pyarrow.Table
        Result of `flowtriage.timeline` by peer.
    timeline : pyarrow.Table
        Rows of `flow_timeline`.
    history : pyarrow.Table
        Every story that was saved of the address, with its time.
    scored : pyarrow.Table
        Scores of its connections: 1 high, 2 medium, 3 low risk.
    home
        Where the address is, if that is known.
    configuration
        How the story was made. What may be a secret in it is written nowhere.
    inputs
        What it was made of.
    credits
        Whose data is shown, with the link that they ask for.
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
    home: Location | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    credits: Mapping[str, str] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """The title, or one made of the address."""
        return self.title.strip() or f"Story of {self.ip}"

    @property
    def tables(self) -> dict[str, pa.Table]:
        """All tables by their name."""
        return {name: getattr(self, name) for name in TABLES}

    @property
    def globe(self) -> Globe:
        """Where the peers are."""
        return Globe.of(self.peers, self.home)

    @property
    def stats(self) -> Stats:
        """How many peers there are, by direction and context."""
        return Stats.of(self.peers, self.ip)

    @property
    def dendrogram(self) -> Dendrogram:
        """The same as a tree."""
        return Dendrogram.of(self.peers, self.ip)
