"""The table of hosts against naive Python."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

import flowtriage as ft
import random_flows
from flowtriage import sample
from random_flows import is_internal


@pytest.mark.parametrize("seed", range(5))
def test_hosts_equal_naive_sums(seed: int) -> None:
    rows = random_flows.flows(seed)
    found = {row["host"]: row for row in ft.hosts(random_flows.table(rows)).to_pylist()}
    addresses = {row[end] for row in rows for end in ("src_ip", "dst_ip")}
    assert set(found) == {address for address in addresses if is_internal(address)}
    findings = ft.hunt(random_flows.table(rows)).to_pylist()
    for host, row in found.items():
        own = [flow for flow in rows if host in (flow["src_ip"], flow["dst_ip"])]
        ends = {flow["dst_ip"] if flow["src_ip"] == host else flow["src_ip"] for flow in own}
        peers = {
            end for end in ends if not ip_address(end).is_multicast and end != "255.255.255.255"
        }
        assert (row["flows"], row["peers"]) == (len(own), len(peers))
        starts = [flow["start_time"] for flow in own if flow["start_time"] is not None]
        first = row["first_seen"]
        assert (first and round(first.timestamp() * 1e6)) == min(starts, default=None)
        for severity in ("high", "warning", "information"):
            count = sum(
                host in (finding["source"], finding["dest"])
                for finding in findings
                if finding["severity"] == severity
            )
            assert row[severity] == count


def test_the_host_with_the_most_severe_findings_comes_first() -> None:
    hosts = ft.hosts(sample.office_day()).to_pylist()
    assert hosts[0]["host"] == sample.HOST_IP
    assert hosts[0]["warning"] + hosts[0]["high"] == 3
    order = [(-row["high"], -row["warning"], -row["information"], -row["flows"]) for row in hosts]
    assert order == sorted(order)
    assert "US" in hosts[0]["countries"]
    assert hosts[0]["countries"] == sorted(hosts[0]["countries"])
    assert hosts[0]["networks"] > 10
