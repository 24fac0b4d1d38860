"""Score connections of the searched address in bulk, and list high-risk addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.addresses import within_networks
from flowtriage.errors import ArgumentError
from flowtriage.inputs.addresses import HostsLike, hosts_argument
from flowtriage.store import FlowStore
from flowtriage.store import scores as stored
from flowtriage.store.scores import as_scored
from flowtriage.threat_investigation.search import SearchResult, format_times, peers_of

_COUNTS = ("connections", "as_source", "as_destination")
THREATS = pa.schema([("ip", pa.string()), *((name, pa.int64()) for name in _COUNTS)])
"""An address, its number of high-risk connections, and how often it is at either end."""
_HIGH = 1
Integers = int | Iterable[int]
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
    peer: HostsLike | None = None,
    port: Integers | None = None,
    asn: Integers | None = None,
) -> BulkScore:
    """Score connections of a search.

    A connection stands for all suspicious connections of the day with the same addresses and
    ports. If there is none, the connection itself is scored, at the time it was first seen.
    """
    stored.check_risk(risk)
    selected = _select_connections(search, peer, port, asn)
    suspicious = as_scored(store.read("flow_scores", day=day))
    suspicious = suspicious.filter(stored.is_in(suspicious, selected, *_KEY))
    others = selected.filter(pc.invert(stored.is_in(selected, suspicious, *_KEY)))
    rows = pa.concat_tables([suspicious, others.cast(suspicious.schema)])
    return BulkScore(risk, stored.score(store, day, rows, risk), suspicious.num_rows)


def _select_connections(
    search: SearchResult, peer: HostsLike | None, port: Integers | None, asn: Integers | None
) -> pa.Table:
    """Return `tstart`, `srcip`, `dstip`, `srcport` and `dstport` of the matching connections."""
    if peer is None and port is None and asn is None:
        raise ArgumentError("no connections selected; give peer=, port= or asn=")
    rows = search.connections
    peers = peers_of(rows, search.ip)
    matches = pa.chunked_array([pa.repeat(True, rows.num_rows)])
    if peer is not None:
        matches = pc.and_(matches, within_networks(peers.combine_chunks(), hosts_argument(peer)))
    if port is not None:
        ports = _integers("port", port)
        ends = (rows[name].cast(pa.int64()) for name in ("src_port", "dst_port"))
        matches = pc.and_(matches, pc.or_(*(pc.is_in(end, value_set=ports) for end in ends)))
    if asn is not None:
        in_as = pc.is_in(search.peers["asn"], value_set=_integers("asn", asn))
        members = search.peers.filter(in_as)["peer"].combine_chunks()
        matches = pc.and_(matches, pc.is_in(peers, value_set=members))
    rows = rows.filter(matches)
    columns = {"tstart": format_times(rows["first_seen"])}
    return pa.table(columns | {name: rows[column] for name, column in _KEY.items()})


def _integers(name: str, values: Integers) -> pa.Array:
    listed = [values] if isinstance(values, int) else list(values)
    try:
        return pa.array(listed, pa.int64())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise ArgumentError(f"invalid {name} {values!r}; give one or several integers") from None


def threats(store: FlowStore, day: date) -> pa.Table:
    """Return the addresses of high-risk connections as `THREATS`, by connections, descending."""
    scored = store.read("flow_threat_investigation", day=day, where={"score": _HIGH})
    to_itself = pc.equal(scored["srcip"], scored["dstip"])
    sources, destinations = scored["srcip"], scored.filter(pc.invert(to_itself))["dstip"]
    ends = pa.table(
        {
            "ip": pa.chunked_array([*sources.chunks, *destinations.chunks], pa.string()),
            "is_source": [True] * len(sources) + [False] * len(destinations),
        }
    )
    ends = ends.filter(pc.is_valid(ends["ip"]))
    counted = ends.group_by("ip").aggregate([([], "count_all"), ("is_source", "sum")])
    total, as_source = counted["count_all"], counted["is_source_sum"].cast(pa.int64())
    columns = [counted["ip"], total, as_source, pc.subtract(total, as_source)]
    rows = pa.table(columns, schema=THREATS)
    return rows.sort_by([("connections", "descending"), ("ip", "ascending")])
