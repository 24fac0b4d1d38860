"""Addresses of flows within networks."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from flowtriage._core import AddressRanges, canonical_address
from flowtriage.inputs.hosts import is_network

_ENDPOINTS = ("src_ip", "dst_ip", "source", "dest")


def addresses_in(flows: pa.Table, hosts: Sequence[str]) -> list[str]:
    """Replace the CIDR prefixes among hosts by the addresses of the flows within them.

    `hosts` are in canonical notation, and so is the result: the given addresses, then those found,
    sorted as text.
    """
    networks = [host for host in hosts if is_network(host)]
    if not networks:
        return list(hosts)
    found: set[str] = set()
    for name in _ENDPOINTS:
        if name in flows.column_names:
            distinct = pc.unique(flows[name]).cast(pa.string())
            found.update(distinct.filter(within_networks(distinct, networks)).to_pylist())
    given = [host for host in hosts if not is_network(host)]
    return list(dict.fromkeys([*given, *sorted(map(canonical_address, found))]))


def within_networks(addresses: pa.Array, networks: Sequence[str]) -> pa.Array:
    """Test which addresses are within one of the networks; False for null and invalid ones."""
    ranges = AddressRanges.from_networks(pa.array(networks, pa.string()))
    return ranges.find(addresses)["range"].combine_chunks().is_valid()
