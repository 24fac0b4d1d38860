"""Plots of what Flow OA stored: flows per minute, chords, and the suspicious network."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from flowtriage.errors import MissingExtraError
from flowtriage.inputs.timespan import DayLike, parse_day
from flowtriage.oa import queries
from flowtriage.oa.enrichment import severity_of
from flowtriage.store import FlowStore

if find_spec("bokeh") is None:
    raise MissingExtraError('plots need Bokeh: pip install "flowtriage[notebook]"')

from flowtriage.viz import chords, network, per_minute

if TYPE_CHECKING:
    from bokeh.models import LayoutDOM

__all__ = ["chord_diagram", "ingest_per_minute", "suspicious_network"]


def chord_diagram(store: FlowStore, date: DayLike, ip: str | None = None) -> LayoutDOM:
    """Draw the traffic between addresses that suspicious connections join, as a circle.

    Parameters
    ----------
    store
        Store of the day.
    date
        The day.
    ip
        Only chords of this address.

    Returns
    -------
    bokeh.models.LayoutDOM
        The plot of `flowtriage.viz.chords.chord_diagram`.
    """
    day = parse_day(date)
    title = f"Bytes between suspicious addresses of {day}"
    return chords.chord_diagram(queries.chord_details(store, day, ip), title, ip)


def suspicious_network(
    store: FlowStore, date: DayLike, ip: str | None = None, limit: int = 250
) -> LayoutDOM:
    """Draw the suspicious connections of a day that are not scored yet, as a graph.

    Parameters
    ----------
    store
        Store of the day.
    date
        The day.
    ip
        Only connections with this endpoint.
    limit
        Maximum number of connections, by rank.

    Returns
    -------
    bokeh.models.LayoutDOM
        The plot of `flowtriage.viz.network.connection_network`.
    """
    day = parse_day(date)
    rows = queries.suspicious_connections(store, day, ip, limit)
    return network.connection_network(rows, f"Suspicious connections of {day}", severity_of)


def ingest_per_minute(store: FlowStore, start: DayLike, end: DayLike | None = None) -> LayoutDOM:
    """Draw the flows of each minute, denied ones included.

    Parameters
    ----------
    store
        Store of the ingest summary.
    start, end
        First and last day; without `end`, the first alone.

    Returns
    -------
    bokeh.models.LayoutDOM
        The plot of `flowtriage.viz.per_minute.flows_per_minute`.
    """
    first, last = parse_day(start), parse_day(start if end is None else end)
    summary = queries.ingest_summary(store, first, last)
    days = str(first) if first == last else f"{first} to {last}"
    return per_minute.flows_per_minute(summary, days)
