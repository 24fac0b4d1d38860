"""The peers of a network or a list, compared with naive Python."""

from __future__ import annotations

import ipaddress
import warnings
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

import flowtriage as ft
from flowtriage import sample
from flowtriage.quality import QualityWarning

OWN = ipaddress.ip_network("10.20.0.0/16")
HOSTS: list[Any] = [
    "10.20.0.0/16",
    OWN,
    [OWN],
    ["10.20.0.0/17", ipaddress.ip_network("10.20.128.0/17")],
    "10[.]20[.]0[.]0/16",
]


def peers_of(search: pa.Table, hosts: Any, **more: Any) -> pa.Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QualityWarning)
        return ft.connection_sets(search, hosts, **more)


@pytest.mark.parametrize("hosts", HOSTS)
def test_a_peer_is_whatever_is_not_in_the_set(hosts: Any) -> None:
    flows = sample.office_day()
    from_peer: Counter[str | None] = Counter()
    to_peer: Counter[str | None] = Counter()
    sent: Counter[str | None] = Counter()
    inside = 0
    for flow in flows.to_pylist():
        src, dst = flow["src_ip"], flow["dst_ip"]
        own = [ip is not None and ipaddress.ip_address(ip) in OWN for ip in (src, dst)]
        if all(own) and src != dst:
            inside += flow["flows"] + (flow["denied_flows"] or 0)
        elif own[0]:
            to_peer[dst] += flow["flows"]
            sent[dst] += flow["dst_bytes"] or 0
        elif own[1]:
            from_peer[src] += flow["flows"]
            sent[src] += flow["src_bytes"] or 0
    search = ft.expanded_search(flows, hosts)
    with pytest.warns(QualityWarning, match=f"{inside:,} flows between the given addresses"):
        peers = ft.connection_sets(search, hosts)
    assert inside > 0
    names = peers["peer"].to_pylist()
    assert set(names) == set(from_peer) | set(to_peer) | set(sent)
    assert not any(name and ipaddress.ip_address(name) in OWN for name in names)
    for name, expected in (
        ("connections_from_peer", from_peer),
        ("connections_to_peer", to_peer),
        ("bytes_from_peer", sent),
    ):
        found = dict(zip(names, peers[name].to_pylist(), strict=True))
        assert {n: count or 0 for n, count in found.items()} == {n: expected[n] for n in names}


def rows(*pairs: tuple[str, str]) -> pa.Table:
    return pa.Table.from_pylist([{"src_ip": src, "dst_ip": dst, "flows": 1} for src, dst in pairs])


def test_the_direction_is_that_of_each_flow() -> None:
    flows = rows(
        ("10.0.0.1", "192.0.2.1"),
        ("192.0.2.2", "10.0.0.2"),
        ("192.0.2.3", "10.0.0.1"),
        ("10.0.0.2", "192.0.2.3"),
        # Of an external address in the list, the internal side is the peer.
        ("203.0.113.9", "10.9.9.9"),
        # The peer is a source only, but inbound to one and outbound to the other.
        ("192.0.2.4", "10.0.0.1"),
        ("192.0.2.4", "203.0.113.9"),
    )
    hosts = ["10.0.0.1", "10.0.0.2", "203.0.113.9"]
    peers = ft.connection_sets(ft.expanded_search(flows, hosts), hosts)
    assert dict(zip(peers["peer"].to_pylist(), peers["direction"].to_pylist(), strict=True)) == {
        "192.0.2.1": "outbound",
        "192.0.2.2": "inbound",
        "192.0.2.3": "two-way",
        "10.9.9.9": "inbound",
        "192.0.2.4": "two-way",
    }


def test_flows_inside_are_stated_and_own_flows_keep_their_peer() -> None:
    flows = rows(("10.0.0.1", "10.0.0.2"), ("10.0.0.1", "10.0.0.1"), ("10.0.0.1", "192.0.2.1"))
    hosts = ["10.0.0.0/30"]
    search = ft.expanded_search(flows, hosts)
    with pytest.warns(QualityWarning, match="1 flow between the given addresses"):
        peers = ft.connection_sets(search, hosts)
    assert peers["peer"].to_pylist() == ["10.0.0.1", "192.0.2.1"]
    assert peers["connections"].to_pylist() == [1, 1]


def test_a_search_for_others_is_an_error() -> None:
    search = ft.expanded_search(rows(("10.0.0.1", "192.0.2.1")), "10.0.0.1")
    with pytest.raises(ft.ArgumentError, match=r"not from or to 10.9.0.0/16 or 1 other"):
        ft.connection_sets(search, ["10.9.0.0/16", "10.8.0.1"])
    for hosts in ("host.example", ["10.0.0.1", "10.0.0.0/40"], "0.0.0.0/0", []):
        with pytest.raises(ft.ArgumentError):
            ft.connection_sets(search, hosts)
    assert peers_of(search, ["10.0.0.1", "192.0.2.0/24"]).num_rows == 0
