"""A story as one HTML page."""

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
from flowtriage.render.section import Section
from flowtriage.threat_investigation.story.story import TOP_TABLES, StoryData
from flowtriage.threat_investigation.story.text import without_secrets

_DIRECTIONS = {"inbound": "Inbound", "outbound": "Outbound", "two-way": "Two way"}
_SUMS = (
    *("connections", "bytes", "bytes_from_peer", "bytes_to_peer", "packets"),
    *("connections_from_peer", "connections_to_peer", "packets_from_peer", "packets_to_peer"),
)
_PERIOD = {"first_seen": "min", "last_seen": "max"}


def write_story(story: StoryData, path: str | os.PathLike[str], *, dated: bool = True) -> Path:
    """Write a story as one self-contained HTML page.

    The page asks nothing of the network, and text of the story is shown as it is and runs
    nowhere.

    Parameters
    ----------
    story
        The story.
    path
        The file; it is replaced as a whole or not at all.
    dated
        Whether the page tells when it was written; without that, the same story always makes the
        same bytes.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        If its tables are not those of an investigation.
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

    return write_page(
        sections,
        path,
        title=story.heading,
        summary=_facts(story),
        credits=story.credits,
        dated=dated,
    )


def sums(peers: pa.Table) -> pa.Table:
    """Add up the peers of each direction, and all of them.

    Parameters
    ----------
    peers
        Result of `flowtriage.connection_sets`.

    Returns
    -------
    pyarrow.Table
        A row for each of `inbound`, `outbound`, `two-way` and `all`: `direction`, `peers`, and
        the sums of connections, bytes and packets, and the first and last time; bytes, packets
        and times are null where none is known.
    """
    wanted = [([], "count_all"), *((name, "sum") for name in _SUMS), *_PERIOD.items()]
    every = peers.set_column(
        peers.column_names.index("direction"),
        "direction",
        pa.repeat("all", len(peers)).cast(pa.string()),
    )
    rows = pa.concat_tables([peers.select(every.column_names), every])
    added = rows.group_by("direction", use_threads=False).aggregate(wanted)
    order = pa.table({"direction": [*_DIRECTIONS, "all"]})
    at = pc.index_in(order["direction"], value_set=added["direction"].combine_chunks())
    columns = {
        "peers": pc.fill_null(added["count_all"].take(at), 0),
        **{name: _sum(name, added[f"{name}_sum"].take(at)) for name in _SUMS},
        **{name: added[f"{name}_{end}"].take(at) for name, end in _PERIOD.items()},
    }
    return pa.table({"direction": order["direction"], **columns})


def _sum(name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(values, 0) if name.startswith("connections") else values


def _facts(story: StoryData) -> dict[str, str]:
    total = sums(story.peers).slice(3)

    def told(name: str, write: Any = thousands) -> str:
        return write(total[name])[0].as_py() or UNKNOWN

    facts = {"Address": story.ip}
    if story.day is not None:
        facts["Day"] = story.day.isoformat()
    facts |= {
        "Peers": told("peers"),
        "Connections": told("connections"),
        "Bytes from peers": told("bytes_from_peer", human_bytes),
        "Bytes to peers": told("bytes_to_peer", human_bytes),
    }
    seen = {name: total[name][0].as_py() for name in _PERIOD}
    named = {"first_seen": "First seen, UTC", "last_seen": "Last seen, UTC"}
    return facts | {
        named[name]: f"{moment:%Y-%m-%d %H:%M:%S}" for name, moment in seen.items() if moment
    }


def _sections(story: StoryData) -> Iterator[Section]:
    from flowtriage.threat_investigation.story.globe_plots import plot_globe
    from flowtriage.threat_investigation.story.tree_plots import plot_dendrogram, plot_stats
    from flowtriage.viz.timelines import plot_flows_by_peer

    def part(title: str, text: str, *contents: Any) -> Section:
        return Section(title, text, 1, contents)

    yield part("Comments", story.text.replace("\r\n", "\n") or "None.")
    yield part("Sums", "All peers of each direction, added up.", sums(story.peers))
    yield part("Top peers", "")
    for name, heading in TOP_TABLES.items():
        yield Section(heading, "", 2, (getattr(story, name),))
    yield part("Peers", "")
    for direction, heading in _DIRECTIONS.items():
        mine = story.peers.filter(pc.equal(story.peers["direction"], direction))
        yield Section(heading, "", 2, (mine.drop_columns(["direction"]),))
    if story.bins.column_names:
        plot = plot_flows_by_peer(story.bins)
        yield part("Timeline", "Flows with the peers that have the most connections.", plot)
    yield part("Places", "", plot_globe(story.globe, story.ip))
    yield part("Contexts", "", plot_stats(story.stats))
    yield part("Tree", "", plot_dendrogram(story.dendrogram))
    yield part("Notes", "All that was saved of this address.", story.history)
    yield part("Scores", "1 is high risk, 2 medium, 3 low.", story.scored)
    yield part("Connections", "By addresses and ports.", story.connections)
    yield part("Origin", "What the story was made of, and how.", _inputs(story), _settings(story))


def _inputs(story: StoryData) -> pa.Table:
    return pa.table(
        {
            "input": pa.array([without_secrets(one.name) for one in story.inputs], pa.string()),
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

    add("", without_secrets(story.configuration))
    return pa.table(
        {"setting": pa.array(names, pa.string()), "value": pa.array(values, pa.string())}
    )
