"""Questions to the store, under the names that Spot had for them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError
from flowtriage.inputs.timespan import parse_day
from flowtriage.store import FlowStore
from flowtriage.store import scores as scoring
from flowtriage.store.scores import as_scored, check_risk


def suspicious_connections(
    store: FlowStore, date: Any, ip: str | None = None, limit: int = 250
) -> pa.Table:
    """Return the suspicious connections of a day that nobody has scored yet, in order of rank.

    Parameters
    ----------
    store
        Where they are.
    date
        The day.
    ip
        Only those with this address at either end.
    limit
        Most rows.

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
    rows = _with_end(rows, ip)
    scored = scoring.key(get_scored_connections(store, day)).combine_chunks()
    new = pc.invert(pc.is_in(scoring.key(as_scored(rows)), scored))
    return rows.filter(new).slice(0, limit)


def details(store: FlowStore, date: Any, source: str, dest: str, time: str) -> pa.Table:
    """Return the flows between two addresses, in either direction, within a minute.

    Parameters
    ----------
    store
        Where they are.
    date
        The day.
    source, dest
        The two addresses.
    time
        The minute, such as the `tstart` of a suspicious connection.

    Returns
    -------
    pyarrow.Table
        Columns of `flow_edge`, in order of time.
    """
    day = parse_day(date)
    found = [
        store.read("flow_edge", day=day, where={"srcip": one, "dstip": other})
        for one, other in {(source, dest), (dest, source)}
    ]
    rows = pa.concat_tables(found)
    rows = rows.filter(pc.starts_with(rows["tstart"], time[:16]))
    return rows.sort_by([(name, "ascending") for name in ("tstart", "srcip", "sport", "dport")])


def chord_details(store: FlowStore, date: Any, ip: str | None = None) -> pa.Table:
    """Return the sums between addresses that several suspicious connections join.

    Parameters
    ----------
    store
        Where they are.
    date
        The day.
    ip
        Only those of this address.

    Returns
    -------
    pyarrow.Table
        Columns of `flow_chords`.
    """
    where = {} if ip is None else {"ip_threat": ip}
    order = ["ip_threat", "srcip", "dstip"]
    return store.read("flow_chords", day=parse_day(date), where=where, order=order)


def ingest_summary(store: FlowStore, start: Any, end: Any) -> pa.Table:
    """Return the number of flows of each minute of days, both included."""
    first, last = parse_day(start), parse_day(end)
    return store.read("flow_ingest_summary", start=first, end=last, order=["tdate"])


def time_line(store: FlowStore, date: Any, ip: str) -> pa.Table:
    """Return the saved timeline of an address on a day."""
    where = {"ip_threat": ip}
    return store.read("flow_timeline", day=parse_day(date), where=where, order=["tstart"])


def story_board(store: FlowStore, date: Any) -> pa.Table:
    """Return what analysts wrote down of a day."""
    return store.read("flow_storyboard", day=parse_day(date), order=["ip_threat"])


def get_scored_connections(store: FlowStore, date: Any) -> pa.Table:
    """Return the connections of a day that analysts scored, in the order in which they did."""
    return store.read(scoring.TABLE, day=parse_day(date), order=["scored", "tstart"])


def score_connection(
    store: FlowStore,
    date: Any,
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
        Where they are.
    date
        The day.
    score
        Risk: 1 high, 2 medium, 3 low.
    srcip, dstip, sport, dport
        What the connections have; at least one. A later score of a connection takes the place of
        an earlier one.

    Returns
    -------
    int
        Number of connections scored.

    Raises
    ------
    ArgumentError
        If the score is none, or nothing says which connections.
    """
    check_risk(score)
    given = {"srcip": srcip, "dstip": dstip, "sport": sport, "dport": dport}
    where = {name: value for name, value in given.items() if value is not None}
    if not where:
        raise ArgumentError("say which connections: srcip=, dstip=, sport= or dport=")
    day = parse_day(date)
    chosen = store.read("flow_scores", day=day, where=where, order=["rank"])
    return len(scoring.score(store, day, as_scored(chosen), score))


def reset_scored_connections(store: FlowStore, date: Any) -> int:
    """Forget all scores that analysts gave to connections of a day.

    Returns
    -------
    int
        Number of connections that had one.
    """
    day = parse_day(date)
    with store.transaction() as change:
        scored = len(change.read(scoring.TABLE, day=day))
        change.delete(scoring.TABLE, day)
    return scored


def _with_end(rows: pa.Table, ip: str | None) -> pa.Table:
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
