"""Queries of the store, with the names of Spot's API."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError
from flowtriage.inputs.timespan import DayLike, parse_day
from flowtriage.store import FlowStore
from flowtriage.store import scores as scoring
from flowtriage.store.scores import as_scored, check_risk


def suspicious_connections(
    store: FlowStore, date: DayLike, ip: str | None = None, limit: int = 250
) -> pa.Table:
    """Return the suspicious connections of a day without a score, ordered by rank.

    Parameters
    ----------
    store
        Store of the day.
    date
        The day.
    ip
        Select connections with this endpoint.
    limit
        Maximum number of rows.

    Returns
    -------
    pyarrow.Table
        Columns of `flow_scores`.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = FlowStore(f"duckdb:///{folder.name}/flows.duckdb")
    >>> suspicious_connections(store, "2013-09-15").num_rows
    0
    >>> folder.cleanup()
    """
    day = parse_day(date)
    rows = store.read("flow_scores", day=day, order=["rank"])
    rows = _with_endpoint(rows, ip)
    scored = scoring.key(get_scored_connections(store, day)).combine_chunks()
    unscored = pc.invert(pc.is_in(scoring.key(as_scored(rows)), scored))
    return rows.filter(unscored).slice(0, limit)


def details(store: FlowStore, date: DayLike, source: str, dest: str, time: str) -> pa.Table:
    """Return the flows between two addresses within a minute, in both directions.

    Parameters
    ----------
    store
        Store of the day.
    date
        The day.
    source, dest
        The two addresses.
    time
        Time in the minute, such as the `tstart` of a suspicious connection.

    Returns
    -------
    pyarrow.Table
        Columns of `flow_edge`, ordered by time.
    """
    day = parse_day(date)
    found = [
        store.read("flow_edge", day=day, where={"srcip": one, "dstip": other})
        for one, other in {(source, dest), (dest, source)}
    ]
    rows = pa.concat_tables(found)
    rows = rows.filter(pc.starts_with(rows["tstart"], time[:16]))
    return rows.sort_by([(name, "ascending") for name in ("tstart", "srcip", "sport", "dport")])


def chord_details(store: FlowStore, date: DayLike, ip: str | None = None) -> pa.Table:
    """Return the traffic between addresses with several suspicious peers.

    Parameters
    ----------
    store
        Store of the day.
    date
        The day.
    ip
        Select chords of this address.

    Returns
    -------
    pyarrow.Table
        Columns of `flow_chords`.
    """
    where = {} if ip is None else {"ip_threat": ip}
    order = ["ip_threat", "srcip", "dstip"]
    return store.read("flow_chords", day=parse_day(date), where=where, order=order)


def ingest_summary(store: FlowStore, start: DayLike, end: DayLike) -> pa.Table:
    """Return the number of flows per minute, from day `start` to `end` inclusive."""
    first, last = parse_day(start), parse_day(end)
    return store.read("flow_ingest_summary", start=first, end=last, order=["tdate"])


def time_line(store: FlowStore, date: DayLike, ip: str) -> pa.Table:
    """Return the saved timeline of an address on a day."""
    where = {"ip_threat": ip}
    return store.read("flow_timeline", day=parse_day(date), where=where, order=["tstart"])


def story_board(store: FlowStore, date: DayLike) -> pa.Table:
    """Return the stories of a day."""
    return store.read("flow_storyboard", day=parse_day(date), order=["ip_threat"])


def get_scored_connections(store: FlowStore, date: DayLike) -> pa.Table:
    """Return the scored connections of a day, ordered by time of scoring."""
    return store.read(scoring.TABLE, day=parse_day(date), order=["scored", "tstart"])


def score_connection(
    store: FlowStore,
    date: DayLike,
    score: int,
    *,
    srcip: str | None = None,
    dstip: str | None = None,
    sport: int | None = None,
    dport: int | None = None,
) -> int:
    """Score suspicious connections of a day.

    Parameters
    ----------
    store
        Store of the day.
    date
        The day.
    score
        Risk: 1 high, 2 medium, 3 low.
    srcip, dstip, sport, dport
        Required values, at least one. A later score of a connection replaces an earlier one.

    Returns
    -------
    int
        Number of scored connections.

    Raises
    ------
    ArgumentError
        If the score is invalid or no connections are selected.
    """
    check_risk(score)
    given = {"srcip": srcip, "dstip": dstip, "sport": sport, "dport": dport}
    where = {name: value for name, value in given.items() if value is not None}
    if not where:
        raise ArgumentError("no connections selected; give srcip=, dstip=, sport= or dport=")
    day = parse_day(date)
    selected = store.read("flow_scores", day=day, where=where, order=["rank"])
    return len(scoring.score(store, day, as_scored(selected), score))


def reset_scored_connections(store: FlowStore, date: DayLike) -> int:
    """Delete all scores of a day.

    Returns
    -------
    int
        Number of deleted scores.
    """
    day = parse_day(date)
    with store.transaction() as transaction:
        scored = len(transaction.read(scoring.TABLE, day=day))
        transaction.delete(scoring.TABLE, day)
    return scored


def _with_endpoint(rows: pa.Table, ip: str | None) -> pa.Table:
    if ip is None:
        return rows
    return rows.filter(pc.or_(pc.equal(rows["srcip"], ip), pc.equal(rows["dstip"], ip)))


__all__ = [
    "as_scored",
    "chord_details",
    "details",
    "get_scored_connections",
    "ingest_summary",
    "reset_scored_connections",
    "score_connection",
    "story_board",
    "suspicious_connections",
    "time_line",
]
