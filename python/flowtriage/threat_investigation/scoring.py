"""Score connections of the searched address in bulk, and list high-risk addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError
from flowtriage.inputs.addresses import parse_address
from flowtriage.store import FlowStore
from flowtriage.store import scores as stored
from flowtriage.store.scores import as_scored
from flowtriage.threat_investigation.search import SearchResult, format_times, peers_of

THREATS = pa.schema(
    [
        ("ip", pa.string()),
        ("connections", pa.int64()),
        ("as_source", pa.int64()),
        ("as_destination", pa.int64()),
    ]
)
"""An address, its number of high-risk connections, and how often it is at either end."""
_HIGH = 1
_KEY = {"srcip": "src_ip", "dstip": "dst_ip", "srcport": "src_port", "dstport": "dst_port"}


@dataclass(frozen=True)
class BulkScore:
    """Connections that one call scored.

    Attributes
    ----------
    risk
        1 high, 2 medium, 3 low.
    scored
        Written scores, and the scores that they replaced.
    suspicious
        How many of them are suspicious connections of Flow OA; only these are feedback for
        later rankings.
    """

    risk: int
    scored: stored.Scored
    suspicious: int

    def __len__(self) -> int:
        """Return the number of connections."""
        return len(self.scored)

    def __str__(self) -> str:
        """Return a message for the analyst."""
        return (
            f"{len(self):,} connections scored {self.risk}, "
            f"{self.suspicious:,} of them suspicious connections of the day"
        )


def score(
    store: FlowStore,
    day: date,
    search: SearchResult,
    risk: int,
    *,
    peer: str | Iterable[str] | None = None,
    port: int | Iterable[int] | None = None,
    asn: int | Iterable[int] | None = None,
) -> BulkScore:
    """Score connections of a search.

    A connection stands for all suspicious connections of the day with the same addresses and
    ports. If there is none, the connection itself is scored, at the time it was first seen.

    Parameters
    ----------
    store
        Store of the scores.
    day
        The day, in UTC.
    search
        The search.
    risk
        1 high, 2 medium, 3 low.
    peer, port, asn
        Connections to score: address of the peer, port at either end, AS number of the peer; one
        or several. Connections have to match all that are given.

    Raises
    ------
    ArgumentError
        If no filter is given, or the risk, a peer, a port or an AS number is invalid.
    StoreError
        If the store cannot be changed.
    """
    stored.check_risk(risk)
    selected = _select_connections(search, peer, port, asn)
    suspicious = as_scored(store.read("flow_scores", day=day))
    selected_keys = stored.key(selected, *_KEY).combine_chunks()
    suspicious = suspicious.filter(pc.is_in(stored.key(suspicious, *_KEY), value_set=selected_keys))
    suspicious_keys = stored.key(suspicious, *_KEY).combine_chunks()
    others = selected.filter(pc.invert(pc.is_in(selected_keys, value_set=suspicious_keys)))
    rows = pa.concat_tables([suspicious, others.cast(suspicious.schema)])
    return BulkScore(risk, stored.score(store, day, rows, risk), suspicious.num_rows)


def _select_connections(
    search: SearchResult,
    peer: str | Iterable[str] | None,
    port: int | Iterable[int] | None,
    asn: int | Iterable[int] | None,
) -> pa.Table:
    """Return `tstart`, `srcip`, `dstip`, `srcport` and `dstport` of the matching connections."""
    if peer is None and port is None and asn is None:
        raise ArgumentError("no connections selected; give peer=, port= or asn=")
    rows = search.connections
    peers = peers_of(rows, search.ip)
    matches = pa.chunked_array([pa.repeat(True, rows.num_rows)])
    if peer is not None:
        addresses = map(_address, [peer] if isinstance(peer, str) else peer)
        matches = pc.and_(matches, pc.is_in(peers, value_set=pa.array(addresses, pa.string())))
    if port is not None:
        ports = _integers("port", port)
        at_end = [
            pc.is_in(rows[name].cast(pa.int64()), value_set=ports)
            for name in ("src_port", "dst_port")
        ]
        matches = pc.and_(matches, pc.or_(*at_end))
    if asn is not None:
        in_as = pc.is_in(search.peers["asn"], value_set=_integers("asn", asn))
        members = search.peers.filter(in_as)["peer"].combine_chunks()
        matches = pc.and_(matches, pc.is_in(peers, value_set=members))
    rows = rows.filter(matches)
    columns = {"tstart": format_times(rows["first_seen"])}
    return pa.table(columns | {name: rows[column] for name, column in _KEY.items()})


def _integers(name: str, values: int | Iterable[int]) -> pa.Array:
    listed = [values] if isinstance(values, int) else list(values)
    try:
        return pa.array(listed, pa.int64())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise ArgumentError(f"invalid {name} {values!r}; give one or several integers") from None


def _address(text: str) -> str:
    address = parse_address(text)
    if address is None:
        raise ArgumentError(f"invalid peer {text!r}; give IPv4 or IPv6")
    return address


def threats(store: FlowStore, day: date) -> pa.Table:
    """Return the addresses of high-risk connections.

    Parameters
    ----------
    store
        Store of the scores.
    day
        The day, in UTC.

    Returns
    -------
    pyarrow.Table
        Columns of `THREATS`, sorted by number of connections, descending.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    scored = store.read("flow_threat_investigation", day=day, where={"score": _HIGH})
    to_itself = pc.equal(scored["srcip"], scored["dstip"])
    ends = pa.concat_tables(
        [_end(scored, "srcip", 1, 0), _end(scored.filter(pc.invert(to_itself)), "dstip", 0, 1)]
    )
    ends = ends.filter(pc.is_valid(ends["ip"]))
    counted = ends.group_by("ip").aggregate(
        [([], "count_all"), ("as_source", "sum"), ("as_destination", "sum")]
    )
    counted = counted.select(["ip", "count_all", "as_source_sum", "as_destination_sum"])
    counted = counted.rename_columns(THREATS.names).cast(THREATS)
    return counted.sort_by([("connections", "descending"), ("ip", "ascending")])


def _end(scored: pa.Table, name: str, source: int, destination: int) -> pa.Table:
    columns = [
        scored[name],
        pa.repeat(pa.scalar(source, pa.int64()), scored.num_rows),
        pa.repeat(pa.scalar(destination, pa.int64()), scored.num_rows),
    ]
    return pa.table(columns, names=["ip", "as_source", "as_destination"])
