"""Flows of one host, by address or name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage.analysis.addresses import addresses_in, within_networks
from flowtriage.analysis.aggregate import top_function
from flowtriage.analysis.records import classify_direction
from flowtriage.errors import ArgumentError
from flowtriage.inputs.hosts import host_label, is_network, matching_name
from flowtriage.read.batches import aggregated_columns
from flowtriage.read.flows import ReadRequest
from flowtriage.read.streaming import streamed

_OBSERVED = {"outbound": "src_ip", "inbound": "dst_ip"}


@dataclass(frozen=True)
class HostFlows:
    """Flows of one host, with its addresses in canonical notation, and its name if known.

    The flows have one of the addresses at either endpoint or, for a host given by name, were
    observed at it; their columns `direction` and `direction_reason` are relative to the host,
    also where a peer logged the flow.
    `candidates` are the names of its addresses, if there are several. `networks` are CIDR prefixes
    that stand for those of the addresses that are within them, `absent` the names, addresses and
    prefixes that were given but have no flow.
    """

    name: str | None
    addresses: tuple[str, ...]
    flows: pa.Table
    candidates: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def present(self) -> HostFlows:
        """Return the same flows with those names, addresses and networks only that have some."""
        return replace(
            self,
            name=None if self.name in self.absent else self.name,
            addresses=tuple(one for one in self.addresses if one not in self.absent),
            networks=tuple(one for one in self.networks if one not in self.absent),
        )

    @property
    def label(self) -> str:
        """Name and addresses for people."""
        addresses = host_label(self.addresses)
        if self.networks:
            of_networks = ", ".join(self.networks)
            addresses = f"{of_networks} ({addresses})" if addresses else of_networks
        return f"{self.name} ({addresses})" if self.name and addresses else self.name or addresses


def flows_of_host(
    flows: pa.Table, name: str | None, addresses: tuple[str, ...] = (), *, resolve: bool = True
) -> HostFlows:
    """Select the flows of a host, by its name in any case and its canonical addresses.

    A CIDR prefix among the addresses stands for all of its addresses in the flows. By default, the
    addresses of a name and the name of addresses are resolved from the flows, and names match with
    and without their domain. It needs a source that records the observed machine.

    Raises
    ------
    AmbiguousHostError
        If the name stands for several hosts in the flows.
    """
    if not name and not addresses:
        raise ArgumentError("host is missing; give an address or a host name")
    given, networks = addresses, tuple(filter(is_network, addresses))
    addresses = tuple(addresses_in(flows, addresses))
    observed = name
    candidates: tuple[str, ...] = ()
    if resolve:
        if name:
            hosts = pc.unique(flows["host"]).drop_null().to_pylist()
            name = observed = matching_name(name, hosts) or name
            addresses = tuple(dict.fromkeys([*addresses, *addresses_of_name(flows, observed)]))
        else:
            candidates = _names_of(flows, addresses)
            name = candidates[0] if len(candidates) == 1 and not networks else None
    chosen = pa.array(addresses, pa.string())
    mask = pc.or_(pc.is_in(flows["src_ip"], chosen), pc.is_in(flows["dst_ip"], chosen))
    if observed:
        mask = pc.or_(mask, observed_at(flows, observed))
    if not pc.all(mask).as_py():
        flows = flows.filter(mask)
    flows = classify_direction(flows, host=addresses or None)
    return HostFlows(
        name,
        addresses,
        _seen_from(flows, chosen) if addresses else flows,
        candidates if len(candidates) > 1 and not networks else (),
        networks,
        _absent(flows, observed, given),
    )


def _seen_from(flows: pa.Table, host: pa.Array) -> pa.Table:
    """Turn the direction of flows that a peer logged into that of the host."""
    words = flows["direction"]
    source, dest = (pc.is_in(flows[end], value_set=host) for end in ("src_ip", "dst_ip"))
    own = pc.case_when(
        pc.make_struct(pc.and_(source, dest), source, dest), "internal", "outbound", "inbound"
    )
    reported = pc.equal(flows["direction_reason"], "reported")
    logged = pc.and_(reported, pc.is_in(words, value_set=pa.array(_OBSERVED.keys())))
    direction = pc.if_else(pc.and_(logged, pc.is_valid(own)), own, words)
    changed = pc.not_equal(direction, words)
    if not pc.any(changed).as_py():
        return flows
    reason = pc.if_else(changed, "host", flows["direction_reason"])
    for name, column in (("direction", direction), ("direction_reason", reason)):
        flows = flows.set_column(flows.column_names.index(name), name, column)
    return flows


def _absent(flows: pa.Table, name: str | None, addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Return which of the name, addresses and networks do not occur in flows."""
    absent = [name] if name and not pc.any(observed_at(flows, name)).as_py() else []
    plain = pa.array([host for host in addresses if not is_network(host)], pa.string())
    ends = pa.chunked_array([*flows["src_ip"].chunks, *flows["dst_ip"].chunks], pa.string())
    occurring = pc.unique(ends)
    absent += plain.filter(pc.invert(pc.is_in(plain, value_set=occurring))).to_pylist()
    networks = filter(is_network, addresses)
    return (*absent, *(n for n in networks if not pc.any(within_networks(occurring, [n])).as_py()))


def addresses_of_name(flows: pa.Table, name: str) -> tuple[str, ...]:
    """Return the addresses of the machine that logged flows under a name, sorted."""
    named = observed_at(flows, name)
    return _distinct(
        flows[end].filter(pc.and_(named, _observed(flows, direction)))
        for direction, end in _OBSERVED.items()
    )


def observed_at(flows: pa.Table, name: str) -> pa.ChunkedArray:
    """Return which flows were observed at a named host; case is ignored."""
    return _equal(flows["host"], name)


def busiest_addresses(flows: pa.Table | ReadRequest, n: int = 5) -> list[str]:
    """Return the top sources by flows, as suggestions; of a request for logs, by streaming them."""
    ranked = top_function("source", "flows", n)
    if isinstance(flows, ReadRequest):
        top, _ = streamed(flows, ranked, targets=aggregated_columns(["source"]))
    else:
        top = ranked(flows.to_reader())
    return [address for address in top["source"].to_pylist() if address]


def _names_of(flows: pa.Table, addresses: tuple[str, ...]) -> tuple[str, ...]:
    own = pa.array(addresses, pa.string())
    return _distinct(
        flows["host"].filter(pc.and_(pc.is_in(flows[end], own), _observed(flows, direction)))
        for direction, end in _OBSERVED.items()
    )


def _observed(flows: pa.Table, direction: str) -> pa.ChunkedArray:
    """Return which flows were logged by the host at the endpoint of a direction."""
    return _equal(flows["reported_direction"], direction)


def _distinct(columns: Iterable[pa.ChunkedArray]) -> tuple[str, ...]:
    return tuple(sorted({value for one in columns for value in one.unique().to_pylist()} - {None}))


def _equal(column: pa.ChunkedArray, text: str) -> pa.ChunkedArray:
    """Return which values equal a string; case is ignored."""
    distinct = column.unique()
    return pc.is_in(column, distinct.filter(pc.equal(pc.utf8_lower(distinct), text.lower())))
