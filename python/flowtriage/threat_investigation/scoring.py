"""Scoring connections of the address that is investigated, in bulk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.errors import ArgumentError
from flowtriage.inputs.addresses import parse_address
from flowtriage.store import FlowStore
from flowtriage.store import scores as scoring
from flowtriage.store.scores import as_scored
from flowtriage.threat_investigation.search import SearchResult, as_text, peers_of

_ENDS = ("srcip", "dstip", "srcport", "dstport")


@dataclass(frozen=True)
class BulkScore:
    """Connections that were scored at once.

    Attributes
    ----------
    risk
        1 high, 2 medium, 3 low.
    scored
        What was written, and what it took the place of.
    suspicious
        How many of them are suspicious connections of Flow OA; only these are feedback for
        later runs.
    """

    risk: int
    scored: scoring.Scored
    suspicious: int

    def __len__(self) -> int:
        """Return the number of connections."""
        return len(self.scored)

    def __str__(self) -> str:
        """Say what was scored."""
        return (
            f"{len(self):,} connections scored {self.risk}, {self.suspicious:,} of them suspicious "
            "connections of the day"
        )


def score(
    store: FlowStore,
    day: date,
    found: SearchResult,
    risk: int,
    *,
    peer: str | Iterable[str] | None = None,
    port: int | Iterable[int] | None = None,
    asn: int | Iterable[int] | None = None,
) -> BulkScore:
    """Score connections that a search found.

    A connection stands for all suspicious connections of the day with its addresses and ports;
    where there is none, it is scored itself, at the time it was first seen.

    Parameters
    ----------
    store
        Where scores are kept.
    day
        The day.
    found
        The search.
    risk
        1 high, 2 medium, 3 low.
    peer, port, asn
        What the connections have: address of the peer, port at either end, number of the peer's
        autonomous system; one or several. All that are given have to be met.

    Raises
    ------
    ArgumentError
        If nothing says which connections, the risk is none, or a peer is no address.
    StoreError
        If the store cannot be changed.
    """
    scoring.check_risk(risk)
    chosen = chosen_connections(found, peer=peer, port=port, asn=asn)
    suspicious = as_scored(store.read("flow_scores", day=day))
    wanted = scoring.key(chosen, *_ENDS).combine_chunks()
    suspicious = suspicious.filter(pc.is_in(scoring.key(suspicious, *_ENDS), value_set=wanted))
    ranked = scoring.key(suspicious, *_ENDS).combine_chunks()
    others = chosen.filter(pc.invert(pc.is_in(wanted, value_set=ranked)))
    rows = pa.concat_tables([suspicious, others.cast(suspicious.schema)])
    return BulkScore(risk, scoring.score(store, day, rows, risk), suspicious.num_rows)


def chosen_connections(
    found: SearchResult,
    *,
    peer: str | Iterable[str] | None = None,
    port: int | Iterable[int] | None = None,
    asn: int | Iterable[int] | None = None,
) -> pa.Table:
    """Return the connections of a search that have certain peers, ports or autonomous systems.

    Returns
    -------
    pyarrow.Table
        `tstart`, `srcip`, `dstip`, `srcport`, `dstport`.
    """
    if peer is None and port is None and asn is None:
        raise ArgumentError("say which connections: peer=, port= or asn=")
    rows = found.connections
    peers = peers_of(rows, found.ip)
    met = pa.chunked_array([pa.repeat(True, rows.num_rows)])
    if peer is not None:
        texts = [peer] if isinstance(peer, str) else list(peer)
        met = pc.and_(met, pc.is_in(peers, value_set=pa.array(map(_address, texts), pa.string())))
    if port is not None:
        ports = _numbers("port", port)
        ends = [
            pc.is_in(rows[name].cast(pa.int64()), value_set=ports)
            for name in ("src_port", "dst_port")
        ]
        met = pc.and_(met, pc.or_(*ends))
    if asn is not None:
        known = found.peers.filter(pc.is_in(found.peers["asn"], value_set=_numbers("asn", asn)))
        met = pc.and_(met, pc.is_in(peers, value_set=known["peer"].combine_chunks()))
    rows = rows.filter(met)
    names = dict(zip(_ENDS, ("src_ip", "dst_ip", "src_port", "dst_port"), strict=True))
    columns = {"tstart": as_text(rows["first_seen"])}
    return pa.table(columns | {name: rows[column] for name, column in names.items()})


def _numbers(name: str, values: int | Iterable[int]) -> pa.Array:
    listed = [values] if isinstance(values, int) else list(values)
    try:
        return pa.array(listed, pa.int64())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise ArgumentError(f"{name} is {values!r}; give a number, or several") from None


def _address(text: str) -> str:
    address = parse_address(text)
    if address is None:
        raise ArgumentError(f"peer is {text!r}, which is no address")
    return address


THREATS = pa.schema(
    [
        ("ip", pa.string()),
        ("connections", pa.int64()),
        ("as_source", pa.int64()),
        ("as_destination", pa.int64()),
    ]
)
"""An address, its connections of high risk, and how many of them it is at either end of."""
_HIGH = 1


def threats(store: FlowStore, day: date) -> pa.Table:
    """Return the addresses of connections of high risk.

    Parameters
    ----------
    store
        Where scores are kept.
    day
        The day.

    Returns
    -------
    pyarrow.Table
        Columns of `THREATS`; those with the most connections come first.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    where = {"score": _HIGH}
    scored = store.read("flow_threat_investigation", day=day, where=where)
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


def _end(scored: pa.Table, name: str, source: int, dest: int) -> pa.Table:
    columns = [
        scored[name],
        pa.repeat(pa.scalar(source, pa.int64()), scored.num_rows),
        pa.repeat(pa.scalar(dest, pa.int64()), scored.num_rows),
    ]
    return pa.table(columns, names=["ip", "as_source", "as_destination"])
