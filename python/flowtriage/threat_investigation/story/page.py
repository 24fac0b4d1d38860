"""Write a story as one HTML page."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import MissingExtraError
from flowtriage.humanize import UNKNOWN, human_bytes, thousands
from flowtriage.quality.numbers import flows_text
from flowtriage.quality.sums import aggregated
from flowtriage.render.section import Section
from flowtriage.threat_investigation.story.story import TOP_TABLES, StoryData
from flowtriage.threat_investigation.story.text import redact

_DIRECTIONS = {"inbound": "Inbound", "outbound": "Outbound", "two-way": "Two way"}
_SUMS = (
    *("connections", "denied_connections", "bytes", "bytes_from_peer", "bytes_to_peer", "packets"),
    *("connections_from_peer", "connections_to_peer", "packets_from_peer", "packets_to_peer"),
)
_FLOWS = ("connections", "denied_connections")
_PERIOD = {"first_seen": "min", "last_seen": "max"}


def write_story(story: StoryData, path: str | os.PathLike[str], *, dated: bool = True) -> Path:
    """Write a story as one self-contained HTML page.

    The page loads nothing from the network. Text of the story is escaped.

    Parameters
    ----------
    story
        The story.
    path
        The file; an existing one is replaced atomically.
    dated
        Whether the page states the time of writing. An undated page is reproducible: the same
        story gives the same bytes.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        If a table of the story lacks columns.
    MissingExtraError
        If bokeh or jinja2 is not installed.
    OSError
        If the file cannot be written.
    """
    try:
        import jinja2  # noqa: F401

        sections = list(_sections(story))
    except ImportError as error:
        raise MissingExtraError(
            f'reports need bokeh and jinja2: pip install "flowtriage[notebook]" ({error})'
        ) from error
    from flowtriage.render import write_page

    title, facts = story.heading, _facts(story)
    return write_page(
        sections, path, title=title, summary=facts, credits=story.credits, dated=dated
    )


def totals(peers: pa.Table) -> pa.Table:
    """Return the totals of `inbound`, `outbound`, `two-way` and `all` peers, one row each.

    Bytes, packets and times are null where no peer has a value.
    """
    measures = [([], "count_all"), *((name, "sum") for name in _SUMS), *_PERIOD.items()]
    overall = peers.set_column(
        peers.column_names.index("direction"),
        "direction",
        pa.repeat("all", len(peers)).cast(pa.string()),
    )
    rows = pa.concat_tables([peers.select(overall.column_names), overall])
    grouped = aggregated(rows, "direction", measures)
    order = pa.table({"direction": [*_DIRECTIONS, "all"]})
    index = pc.index_in(order["direction"], value_set=grouped["direction"].combine_chunks())
    columns = {
        "peers": pc.fill_null(grouped["count_all"].take(index), 0),
        **{name: _known_sum(name, grouped[f"{name}_sum"].take(index)) for name in _SUMS},
        **{name: grouped[f"{name}_{end}"].take(index) for name, end in _PERIOD.items()},
    }
    return pa.table({"direction": order["direction"], **columns})


def _known_sum(name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(values, 0) if "connections" in name else values


def _facts(story: StoryData) -> dict[str, str]:
    total = totals(story.peers).slice(3)

    def fact(name: str, write: Any = thousands) -> str:
        return write(total[name])[0].as_py() or UNKNOWN

    facts = {"Address": story.ip}
    if story.day is not None:
        facts["Day"] = story.day.isoformat()
    facts |= {
        "Peers": fact("peers"),
        "Flows": flows_text(*(total[name][0].as_py() for name in _FLOWS)),
        "Distinct connections": f"{len(story.connections):,}",
        "Bytes from peers": fact("bytes_from_peer", human_bytes),
        "Bytes to peers": fact("bytes_to_peer", human_bytes),
    }
    seen = {name: total[name][0].as_py() for name in _PERIOD}
    labels = {"first_seen": "First seen (UTC)", "last_seen": "Last seen (UTC)"}
    return facts | {
        labels[name]: f"{moment:%Y-%m-%d %H:%M:%S}" for name, moment in seen.items() if moment
    }


def _sections(story: StoryData) -> Iterator[Section]:
    from flowtriage.threat_investigation.story.globe_plots import plot_globe
    from flowtriage.threat_investigation.story.tree_plots import plot_dendrogram, plot_stats
    from flowtriage.viz.timelines import plot_flows_by_peer

    def section(title: str, text: str, *contents: Any) -> Section:
        return Section(title, text, 1, contents)

    yield section("Comments", story.text.replace("\r\n", "\n") or "None.")
    yield section("Totals", "By direction, and of all peers.", totals(story.peers))
    yield section("Top peers", "")
    for name, heading in TOP_TABLES.items():
        yield Section(heading, "", 2, (getattr(story, name),))
    yield section("Peers", "")
    for direction, heading in _DIRECTIONS.items():
        peers = story.peers.filter(pc.equal(story.peers["direction"], direction))
        yield Section(heading, "", 2, (peers.drop_columns(["direction"]),))
    if story.bins.column_names:
        plot = plot_flows_by_peer(story.bins)
        yield section("Timeline", "Flows with the top peers by connections.", plot)
    yield section("Locations", "", plot_globe(story.globe, story.ip))
    yield section("Network contexts", "", plot_stats(story.stats))
    yield section("Dendrogram", "", plot_dendrogram(story.dendrogram))
    yield section("History", "All saved stories of this address.", story.history)
    yield section("Scores", "Risk: 1 high, 2 medium, 3 low.", story.scored)
    yield section("Connections", "Grouped by addresses and ports.", story.connections)
    yield section("Provenance", "Input files and settings.", _inputs(story), _settings(story))


def _inputs(story: StoryData) -> pa.Table:
    return pa.table(
        {
            "input": pa.array([redact(one.name) for one in story.inputs], pa.string()),
            "bytes": pa.array([one.size for one in story.inputs], pa.int64()),
            "sha256": pa.array([one.sha256 for one in story.inputs], pa.string()),
        }
    )


def _settings(story: StoryData) -> pa.Table:
    names, values = [], []

    def add(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{name}.{key}" if name else key, inner)
        else:
            names.append(name)
            values.append(value if isinstance(value, str) else json.dumps(value))

    add("", redact(story.configuration))
    return pa.table(
        {"setting": pa.array(names, pa.string()), "value": pa.array(values, pa.string())}
    )
