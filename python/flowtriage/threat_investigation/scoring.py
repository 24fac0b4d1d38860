"""Score connections of the searched address in bulk, and list high-risk addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.addresses import within_networks
from flowtriage.errors import ArgumentError
from flowtriage.humanize import counted
from flowtriage.inputs.addresses import HostsLike, hosts_argument
from flowtriage.inputs.integers import port_argument
from flowtriage.quality.sums import aggregated
from flowtriage.store import FlowStore
from flowtriage.store import scores as stored
from flowtriage.store.scores import as_scored
from flowtriage.threat_investigation.search import SearchResult, format_times, peers_of

_COUNTS = ("connections", "as_source", "as_destination", "denied_connections")
THREATS = pa.schema([("ip", pa.string()), *((name, pa.int64()) for name in _COUNTS)])
"""An address; its allowed flows with the peers of high-risk connections, and by its end; denied."""
_FLOWS = {"flows": "connections", "denied_flows": "denied_connections"}
_PAIR = ("srcip", "dstip")
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
        How many of them Flow OA ranked as suspicious; only these are feedback for later rankings.
    """

    risk: int
    scored: stored.Scored
    suspicious: int

    def __len__(self) -> int:
        """Return the number of distinct connections."""
        return len(self.scored)

    def __str__(self) -> str:
        """Return a message for the analyst."""
        suspicious = counted(
            self.suspicious, "of them a suspicious connection", "of them suspicious connections"
        )
        return f"{counted(len(self), 'connection')} scored {self.risk}, {suspicious} of the day"


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
    ports. If there is none, the connection itself is scored, at the time it was first seen. The
    flows of its addresses are those that Flow OA counted for the day, or else those of the search.
    """
    stored.check_risk(risk)
    selected = _select_connections(search, peer, port, asn)
    ranked = as_scored(store.read("flow_scores", day=day))
    suspicious = ranked.filter(stored.is_in(ranked, selected, *stored.CONNECTION))
    others = selected.filter(pc.invert(stored.is_in(selected, suspicious, *stored.CONNECTION)))
    keys = list(others.column_names)
    rows = pa.concat_tables([suspicious.select(keys), others.cast(suspicious.select(keys).schema)])
    rows = _with_flows(rows, ranked, _renamed(search.connections))
    number = stored.count_connections(suspicious)
    return BulkScore(risk, stored.score(store, day, rows, risk), number)


def _with_flows(rows: pa.Table, ranked: pa.Table, searched: pa.Table) -> pa.Table:
    """Add the flows between the addresses of each row."""
    of_day = ranked.group_by(_PAIR).aggregate([(name, "max") for name in _FLOWS])
    of_search = searched.group_by(_PAIR).aggregate([(name, "sum") for name in _FLOWS])
    for name in _FLOWS:
        counts = [
            pairs[column].take(pc.index_in(*(_pairs(table) for table in (rows, pairs))))
            for pairs, column in ((of_day, f"{name}_max"), (of_search, f"{name}_sum"))
        ]
        rows = rows.append_column(name, pc.coalesce(*counts))
    return rows


def _pairs(rows: pa.Table) -> pa.Array:
    return stored.key(rows, *_PAIR).combine_chunks()


def _renamed(connections: pa.Table) -> pa.Table:
    """Return addresses, ports and flows of connections by their names in the store."""
    return pa.table({name: connections[column] for name, column in (_KEY | _FLOWS).items()})


def _select_connections(
    search: SearchResult, peer: HostsLike | None, port: Integers | None, asn: Integers | None
) -> pa.Table:
    """Return time, addresses and ports of the matching connections as `score` stores them."""
    if peer is None and port is None and asn is None:
        raise ArgumentError("no connections selected; give peer=, port= or asn=")
    rows = search.connections
    peers = peers_of(rows, search.ip)
    matches = pa.chunked_array([pa.repeat(True, rows.num_rows)])
    if peer is not None:
        matches = pc.and_(matches, within_networks(peers.combine_chunks(), hosts_argument(peer)))
    if port is not None:
        ports = _integers("port", port)
        for number in ports.to_pylist():
            port_argument("port", number)
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
    """Return the addresses of high-risk connections as `THREATS`, by flows, descending.

    Their flows are those of the day from the source to the destination of such a connection,
    whatever their ports. A connection between addresses whose flows nobody counted is one flow.
    """
    scored = store.read("flow_threat_investigation", day=day, where={"score": _HIGH})
    pairs = _flows_of_pairs(scored)
    columns = {
        "flows": pairs["flows"],
        "denied": pairs["denied_flows"],
        "to_itself": pc.equal(pairs["srcip"], pairs["dstip"]),
    }
    as_source = pa.table(columns | {"ip": pairs["srcip"], "source": columns["flows"]})
    none = pa.array([0] * len(pairs), pa.int64())
    as_destination = pa.table(columns | {"ip": pairs["dstip"], "source": none})
    as_destination = as_destination.filter(pc.invert(as_destination["to_itself"].fill_null(False)))
    ends = pa.concat_tables([as_source, as_destination])
    ends = ends.filter(pc.is_valid(ends["ip"]))
    sums = aggregated(ends, "ip", [(name, "sum") for name in ("flows", "source", "denied")])
    total, by_it = sums["flows_sum"], sums["source_sum"]
    listed = [sums["ip"], total, by_it, pc.subtract(total, by_it), sums["denied_sum"]]
    order = [("connections", "descending"), ("denied_connections", "descending")]
    return pa.table(listed, schema=THREATS).sort_by([*order, ("ip", "ascending")])


def _flows_of_pairs(scored: pa.Table) -> pa.Table:
    """Return the flows of each pair of addresses; the largest count is of the whole day."""
    scored = scored.append_column("connection", stored.key(scored, *stored.CONNECTION))
    measures = [("flows", "max"), ("denied_flows", "max"), ("connection", "count_distinct")]
    pairs = scored.group_by(_PAIR).aggregate(measures)
    flows = pc.coalesce(pairs["flows_max"], pairs["connection_count_distinct"])
    denied = pairs["denied_flows_max"].fill_null(0)
    return pa.table([pairs["srcip"], pairs["dstip"], flows, denied], [*_PAIR, *_FLOWS])
