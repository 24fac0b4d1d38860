"""Queries of the store, with the names of Spot's API."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.addresses import within_networks
from flowtriage.detect import about, at_least
from flowtriage.detect.allow_list import AllowLike, as_allow_list
from flowtriage.detect.allowed import with_hidden
from flowtriage.detect.stored import as_findings
from flowtriage.errors import ArgumentError
from flowtriage.inputs.addresses import (
    AddressLike,
    HostsLike,
    as_list,
    host_argument,
    selective,
    stored_address,
)
from flowtriage.inputs.integers import port_argument
from flowtriage.inputs.timespan import DayLike, parse_day
from flowtriage.store import FlowStore
from flowtriage.store import scores as scoring
from flowtriage.store.scores import as_scored, check_risk


def suspicious_connections(
    store: FlowStore, date: DayLike, ip: HostsLike | None = None, limit: int = 250
) -> pa.Table:
    """Return the suspicious connections of a day without a score, ordered by rank.

    Parameters
    ----------
    store
        Store of the day.
    date
        The day.
    ip
        Select connections with this endpoint: addresses or CIDR prefixes.
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


def findings(
    store: FlowStore,
    date: DayLike,
    ip: HostsLike | None = None,
    *,
    min_severity: str | None = None,
    allow: AllowLike | None = None,
) -> pa.Table:
    """Return the findings of a day, as the run of the day stored them.

    Parameters
    ----------
    store
        Store of the day.
    date
        The day.
    ip
        Select findings with this source or destination: addresses or CIDR prefixes.
    min_severity
        Select findings of this severity or a higher one.
    allow
        An `AllowList` or its file, as for `flowtriage.hunt`.

    Returns
    -------
    pyarrow.Table
        As the result of `flowtriage.hunt`, in the same order. `flowtriage.detect.detector_status`
        returns which detectors ran; none did if the day was not run, or by an earlier version.
    """
    day = parse_day(date)
    rows = store.read("flow_findings", day=day)
    found = as_findings(rows, store.read("flow_detectors", day=day))
    if ip is not None:
        found = about(found, ip)
    if min_severity is not None:
        found = at_least(found, min_severity)
    return found if allow is None else with_hidden(as_allow_list(allow).apply(found))


def details(
    store: FlowStore, date: DayLike, source: AddressLike, dest: AddressLike, time: str
) -> pa.Table:
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
    source, dest = stored_address(source), stored_address(dest)
    found = [
        store.read("flow_edge", day=day, where={"srcip": one, "dstip": other})
        for one, other in {(source, dest), (dest, source)}
    ]
    rows = pa.concat_tables(found)
    rows = rows.filter(pc.starts_with(rows["tstart"], time[:16]))
    return rows.sort_by([(name, "ascending") for name in ("tstart", "srcip", "sport", "dport")])


def chord_details(store: FlowStore, date: DayLike, ip: AddressLike | None = None) -> pa.Table:
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
    where = {} if ip is None else {"ip_threat": stored_address(ip)}
    order = ["ip_threat", "srcip", "dstip"]
    return store.read("flow_chords", day=parse_day(date), where=where, order=order)


def ingest_summary(store: FlowStore, start: DayLike, end: DayLike) -> pa.Table:
    """Return the number of flows per minute, from day `start` to `end` inclusive."""
    first, last = parse_day(start), parse_day(end)
    return store.read("flow_ingest_summary", start=first, end=last, order=["tdate"])


def time_line(store: FlowStore, date: DayLike, ip: AddressLike) -> pa.Table:
    """Return the saved timeline of an address on a day."""
    where = {"ip_threat": stored_address(ip)}
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
    srcip: HostsLike | None = None,
    dstip: HostsLike | None = None,
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
        Required values, at least one; addresses in any notation, CIDR prefixes or lists of them.
        A later score of a connection replaces an earlier one.

    Returns
    -------
    int
        Number of scored connections, distinct by addresses and ports.

    Raises
    ------
    ArgumentError
        If the score, an address or a port is invalid, or no connections are selected.
    """
    check_risk(score)
    ends = {"srcip": srcip, "dstip": dstip}
    hosts = {name: ip for name, ip in ends.items() if ip is not None}
    given = {"sport": sport, "dport": dport}
    ports = {name: port_argument(name, port) for name, port in given.items() if port is not None}
    if not hosts and not ports:
        raise ArgumentError("no connections selected; give srcip=, dstip=, sport= or dport=")
    day = parse_day(date)
    selected = store.read("flow_scores", day=day, where=ports, order=["rank"])
    for name, wanted in hosts.items():
        selected = selected.filter(_is_host(selected[name], wanted))
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


def _with_endpoint(rows: pa.Table, ip: HostsLike | None) -> pa.Table:
    if ip is None:
        return rows
    return rows.filter(pc.or_(*(_is_host(rows[name], ip) for name in ("srcip", "dstip"))))


def _is_host(column: pa.ChunkedArray, hosts: HostsLike) -> pa.Array:
    """Test which addresses are one of the hosts; what is no address matches literally."""
    addresses, given = column.combine_chunks(), as_list(hosts)
    networks = selective(host for one in given if (host := host_argument(one)))
    texts = [str(one) for one in given if not host_argument(one)]
    literally = pc.is_in(addresses, value_set=pa.array(texts, pa.string()))
    return pc.or_(within_networks(addresses, networks), literally)


__all__ = [
    "as_scored",
    "chord_details",
    "details",
    "findings",
    "get_scored_connections",
    "ingest_summary",
    "reset_scored_connections",
    "score_connection",
    "story_board",
    "suspicious_connections",
    "time_line",
]
