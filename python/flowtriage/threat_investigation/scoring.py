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
from flowtriage.quality.sums import aggregated
from flowtriage.store import FlowStore
from flowtriage.store import scores as stored
from flowtriage.store.scores import as_scored
from flowtriage.threat_investigation.search import SearchResult, format_times, peers_of

_COUNTS = ("connections", "as_source", "as_destination", "denied_connections")
THREATS = pa.schema([("ip", pa.string()), *((name, pa.int64()) for name in _COUNTS)])
"""An address; allowed flows of its high-risk connections, all and by its end; denied ones."""
_FLOWS = {"flows": "connections", "denied_flows": "denied_connections"}
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
    ports. If there is none, the connection itself is scored, at the time it was first seen. Its
    flows are those of the search, at the first of them.
    """
    stored.check_risk(risk)
    selected = _select_connections(search, peer, port, asn)
    suspicious = as_scored(store.read("flow_scores", day=day))
    suspicious = suspicious.filter(stored.is_in(suspicious, selected, *_KEY))
    others = selected.filter(pc.invert(stored.is_in(selected, suspicious, *_KEY)))
    suspicious = _with_flows(suspicious, selected)
    rows = pa.concat_tables([suspicious, others.cast(suspicious.schema)])
    return BulkScore(risk, stored.score(store, day, rows, risk), suspicious.num_rows)


def _with_flows(suspicious: pa.Table, selected: pa.Table) -> pa.Table:
    """Add the flows of selected connections to the first suspicious one of each, 0 to others."""
    keys = (stored.key(rows, *_KEY).combine_chunks() for rows in (suspicious, selected))
    at = pc.index_in(*keys)
    rows = pa.table({"at": at, "row": pa.array(range(len(at)), pa.int64())})
    first = rows.group_by("at", use_threads=False).aggregate([("row", "min")])["row_min"]
    is_first = pc.is_in(rows["row"], value_set=first.combine_chunks())
    for name in _FLOWS:
        flows = pc.if_else(is_first, selected[name].take(at), 0)
        suspicious = suspicious.append_column(name, flows)
    return suspicious


def _select_connections(
    search: SearchResult, peer: HostsLike | None, port: Integers | None, asn: Integers | None
) -> pa.Table:
    """Return the matching connections with the columns that `score` stores."""
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
    return pa.table(columns | {name: rows[column] for name, column in (_KEY | _FLOWS).items()})


def _integers(name: str, values: Integers) -> pa.Array:
    listed = [values] if isinstance(values, int) else list(values)
    try:
        return pa.array(listed, pa.int64())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise ArgumentError(f"invalid {name} {values!r}; give one or several integers") from None


def threats(store: FlowStore, day: date) -> pa.Table:
    """Return the addresses of high-risk connections as `THREATS`, by flows, descending.

    A connection whose flows were not counted when it was scored is one flow.
    """
    scored = store.read("flow_threat_investigation", day=day, where={"score": _HIGH})
    columns = {
        "flows": scored["flows"].fill_null(1),
        "denied": scored["denied_flows"].fill_null(0),
        "to_itself": pc.equal(scored["srcip"], scored["dstip"]),
    }
    as_source = pa.table(columns | {"ip": scored["srcip"], "source": columns["flows"]})
    none = pa.array([0] * len(scored), pa.int64())
    as_destination = pa.table(columns | {"ip": scored["dstip"], "source": none})
    as_destination = as_destination.filter(pc.invert(as_destination["to_itself"].fill_null(False)))
    ends = pa.concat_tables([as_source, as_destination])
    ends = ends.filter(pc.is_valid(ends["ip"]))
    sums = aggregated(ends, "ip", [(name, "sum") for name in ("flows", "source", "denied")])
    total, by_it = sums["flows_sum"], sums["source_sum"]
    listed = [sums["ip"], total, by_it, pc.subtract(total, by_it), sums["denied_sum"]]
    order = [("connections", "descending"), ("denied_connections", "descending")]
    return pa.table(listed, schema=THREATS).sort_by([*order, ("ip", "ascending")])
